"""The dispatcher: adding, naming, building URLs, listing, freezing, conflicts with their places."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from exchanges import FakeExchange, make_request
from yarl import URL

from headrace import web
from headrace.router import ConflictError, PatternError


async def handler(request: web.Request) -> web.Response:
    return web.Response(text=str(dict(request.match_info)))


async def other(request: web.Request) -> web.Response:
    return web.Response(text="other")


@pytest.fixture
def app() -> web.Application:
    return web.Application()


async def answer(app: web.Application, method: str, path: str) -> web.StreamResponse:
    app.freeze()
    try:
        return await app.dispatch(make_request(path, method=method))
    except web.HTTPException as error:
        return error


# -- adding

ADDERS: list[tuple[Callable[[web.UrlDispatcher], web.AbstractRoute], str, set[str]]] = [
    (lambda r: r.add_route("GET", "/", handler), "GET", {"GET"}),
    (lambda r: r.add_route("get", "/", handler), "GET", {"GET"}),
    (lambda r: r.add_route("PURGE", "/", handler), "PURGE", {"PURGE"}),
    (lambda r: r.add_get("/", handler), "GET", {"GET", "HEAD"}),
    (lambda r: r.add_get("/", handler, allow_head=False), "GET", {"GET"}),
    (lambda r: r.add_head("/", handler), "HEAD", {"HEAD"}),
    (lambda r: r.add_post("/", handler), "POST", {"POST"}),
    (lambda r: r.add_put("/", handler), "PUT", {"PUT"}),
    (lambda r: r.add_patch("/", handler), "PATCH", {"PATCH"}),
    (lambda r: r.add_delete("/", handler), "DELETE", {"DELETE"}),
    (lambda r: r.add_options("/", handler), "OPTIONS", {"OPTIONS"}),
    (lambda r: r.add_resource("/").add_route("POST", handler), "POST", {"POST"}),
]


@pytest.mark.parametrize(("add", "method", "methods"), ADDERS)
async def test_adding(app: web.Application, add: Any, method: str, methods: set[str]) -> None:
    route = add(app.router)
    assert (route.method, route.handler) == (method, handler)
    assert {each.method for each in app.router.routes()} == methods
    assert route in app.router.routes()
    for name in ("GET", "HEAD", "POST", "PURGE"):
        response = await answer(app, name, "/")
        assert response.status == (200 if name in methods else 405)
        if response.status == 405:
            assert response.headers["Allow"] == ",".join(sorted(methods))


@pytest.mark.parametrize("method", ["GET", "DELETE", "PROPFIND"])
async def test_any_method(app: web.Application, method: str) -> None:
    route = app.router.add_route("*", "/path", handler)
    assert route.method == "*"
    assert (await answer(app, method, "/path")).status == 200


MATCHES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("/a/{name}/c", "/a/b/c", {"name": "b"}),
    ("/a/{name}/c", "/a/1/c", {"name": "1"}),
    ("/a/{name}/c", "/a/b/d/c", None),
    (r"/{name:\d+}", "/12", {"name": "12"}),
    (r"/{name:\d+}", "/x", None),
    ("/{name}", "/a%20b", {"name": "a b"}),
    ("/{name}", "/%D1%84?x=1", {"name": "ф"}),
    ("/{n:int}", "/5", {"n": 5}),
    ("/{rest:path}", "/a/b", {"rest": "a/b"}),
    ("/{name}", "*", None),
    ("/{name}", "http://example.org/x", {"name": "x"}),
]


@pytest.mark.parametrize(("pattern", "path", "values"), MATCHES)
async def test_variables(
    app: web.Application, pattern: str, path: str, values: dict[str, Any] | None
) -> None:
    app.router.add_get(pattern, handler)
    response = await answer(app, "GET", path)
    if values is None:
        assert response.status == 404
    else:
        assert isinstance(response, web.Response)
        assert response.text == str(values)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "no-slash"), ("GET", "/{"), ("GET", "/{a}/{a}"), ("GET", "/{a:[}"), ("BAD NAME", "/")],
)
def test_what_is_no_route_is_refused(app: web.Application, method: str, path: str) -> None:
    with pytest.raises(PatternError) as caught:
        app.router.add_route(method, path, handler)
    assert isinstance(caught.value, ValueError)
    assert len(app.router.routes()) == 0


# -- names and URLs: rows S16 to S19

URLS: list[tuple[str, dict[str, Any], str]] = [
    ("/root", {}, "/root"),
    ("/root", {"query": {"a": "b", "c": "d"}}, "/root?a=b&c=d"),
    ("/root", {"query": "?a=b"}, "/root?a=b"),
    ("/root", {"query": "a=b"}, "/root?a=b"),
    ("/{user}/info", {"parts": {"user": "john_doe"}, "query": "?a=b"}, "/john_doe/info?a=b"),
    ("/{user}/info", {"parts": {"user": "a/b é"}}, "/a%2Fb%20%C3%A9/info"),
    (r"/{n:\d+}", {"parts": {"n": "5"}}, "/5"),
    ("/{n:int}", {"parts": {"n": 5}}, "/5"),
]


@pytest.mark.parametrize(("pattern", "arguments", "url"), URLS)
def test_urls(app: web.Application, pattern: str, arguments: dict[str, Any], url: str) -> None:
    route = app.router.add_route("GET", pattern, handler, name="root")
    resource = app.router["root"]
    assert route.resource is resource
    assert (route.name, resource.name) == ("root", "root")
    for each in (resource, route):
        built = each.url(**arguments)
        assert built == url
        assert type(built) is str
        modern = each.url_for(**arguments.get("parts", {}))
        assert isinstance(modern, URL)
        assert str(modern) == url.partition("?")[0]


@pytest.mark.parametrize(
    ("parts", "message"),
    [({}, "missing parts: user"), ({"user": "a", "x": "b"}, "unknown parts: x")],
)
def test_urls_that_cannot_be_built(
    app: web.Application, parts: dict[str, str], message: str
) -> None:
    app.router.add_get("/{user}/info", handler, name="info")
    with pytest.raises(ValueError, match=message):
        app.router["info"].url(parts=parts)
    with pytest.raises(ValueError, match=message):
        app.router["info"].url_for(**parts)


def test_the_router_is_a_mapping_of_names(app: web.Application) -> None:
    router = app.router
    assert router
    assert (len(router), list(router), "a" in router) == (0, [], False)
    with pytest.raises(KeyError):
        router["a"]
    one = router.add_get("/a", handler, name="a").resource
    router.add_get("/unnamed", handler)
    two = router.add_get("/b", handler, name="b").resource
    assert (len(router), list(router)) == (2, ["a", "b"])
    assert dict(router) == {"a": one, "b": two} == dict(router.named_resources())
    assert router.get("missing") is None
    assert router == router
    assert router != web.Application().router


def test_each_name_of_a_path_is_there(app: web.Application) -> None:
    app.router.add_get("/a", handler, name="read")
    app.router.add_post("/a", other, name="write")
    for name in ("read", "write"):
        assert name in app.router
        assert app.router[name].url() == "/a"
    assert set(app.router) == set(app.router.named_resources()) == {"read", "write"}


@pytest.mark.parametrize("name", ["a b", "", "class", "1"])
def test_a_name_is_made_of_identifiers(app: web.Application, name: str) -> None:
    with pytest.raises(ValueError, match="identifiers"):
        app.router.add_get("/a", handler, name=name)


# -- views: row S20


def test_routes_and_resources(app: web.Application) -> None:
    router = app.router
    assert len(router.routes()) == len(router.resources()) == 0
    get = router.add_route("GET", "/a", handler)
    dynamic = router.add_route("GET", "/{b}", handler)
    post = router.add_route("POST", "/a", other)
    assert list(router.routes()) == [get, post, dynamic]
    assert get in router.routes()
    assert web.Application().router.add_get("/a", handler) not in router.routes()
    assert [each.canonical for each in router.resources()] == ["/a", "/{b}"]
    assert get.resource is post.resource
    assert get.resource in router.resources()
    assert list(get.resource) == [get, post]
    assert len(get.resource) == 2
    assert "/a" in repr(get)
    assert "GET" in repr(get)


@pytest.mark.parametrize(
    ("path", "info"), [("/a", ("path", "/a")), ("/{a:int}/b", ("formatter", "/{a}/b"))]
)
def test_info(app: web.Application, path: str, info: tuple[str, str]) -> None:
    resource = app.router.add_get(path, handler).resource
    assert resource is not None
    assert dict([info]).items() <= dict(resource.get_info()).items()
    (_, route) = resource
    assert route.get_info() == resource.get_info()


# -- the match


async def test_match_info(app: web.Application) -> None:
    seen = []

    async def look(request: web.Request) -> web.Response:
        seen.append(request.match_info)
        return web.Response()

    route = app.router.add_get("/{a}", look, name="look")
    await answer(app, "GET", "/x")
    (match,) = seen
    assert match == {"a": "x"}
    assert (match.route, match.handler, match.http_exception) == (route, look, None)
    assert (match.apps, match.current_app) == ((app,), app)
    assert match.get_info()["formatter"] == "/{a}"
    assert await match.expect_handler(make_request()) is None
    assert "'a': 'x'" in repr(match)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/missing", 404), ("PUT", "/a", 405)]
)
async def test_a_miss_is_a_match_too(
    app: web.Application, method: str, path: str, status: int
) -> None:
    app.router.add_post("/a", handler)
    app.freeze()
    request = make_request(path, method=method)
    with pytest.raises(web.HTTPClientError) as caught:
        await app.dispatch(request)
    match = request.match_info
    assert match == {}
    assert match.http_exception is caught.value
    assert isinstance(match.route, web.SystemRoute)
    assert (match.route.status, match.route.reason) == (status, caught.value.reason)
    assert (match.route.name, match.route.resource) == (None, None)
    assert str(status) in repr(match.route)
    assert match.get_info() == {"http_exception": caught.value}
    with pytest.raises(RuntimeError, match="no route matches"):
        match.route.url_for()
    with pytest.raises(web.HTTPClientError):
        await match.handler(request)


# -- freezing

CHANGES: list[Callable[[web.UrlDispatcher], object]] = [
    lambda r: r.add_get("/new", other),
    lambda r: r.add_route("PUT", "/a", other),
    lambda r: r.add_resource("/new"),
    lambda r: r.add_routes([web.get("/new", other)]),
    lambda r: r.group("/g").add_get("/new", other),
    lambda r: next(iter(r.resources())).add_route("PUT", other),  # type: ignore[attr-defined]
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_started_application_gets_no_routes(
    app: web.Application, change: Callable[[web.UrlDispatcher], object]
) -> None:
    app.router.add_post("/a", handler)
    assert not app.router.frozen
    app.freeze()
    assert app.router.frozen
    with pytest.raises(RuntimeError):
        change(app.router)
    assert len(app.router.routes()) == 1


# -- conflicts (D9)


def here() -> int:
    """Return the line of the caller."""
    return sys._getframe(1).f_lineno


PAIRS: list[tuple[tuple[str, str], tuple[str, str]]] = [
    (("GET", "/a"), ("GET", "/a")),
    (("GET", "/{a}"), ("GET", "/{b}")),
    (("*", "/a"), ("*", "/a")),
    (("GET", r"/{a:\d+}"), ("GET", r"/{b:\d+}")),
]
FREE: list[tuple[tuple[str, str], tuple[str, str]]] = [
    (("GET", "/a"), ("POST", "/a")),
    (("GET", "/{a}"), ("POST", "/{b}")),
    (("GET", "/{a}"), ("GET", "/a")),
    (("*", "/a"), ("GET", "/a")),
    (("GET", "/{a:int}"), ("GET", "/{a}")),
]


@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_a_route_that_cannot_run_is_refused_with_both_places(
    app: web.Application, one: tuple[str, str], two: tuple[str, str]
) -> None:
    app.router.add_route(*one, handler)
    first = here() - 1
    with pytest.raises(ConflictError) as caught:
        app.router.add_route(*two, other)
    second = here() - 1
    error = caught.value
    assert isinstance(error, ValueError)
    assert (error.existing_at, error.added_at) == ((__file__, first), (__file__, second))
    message = str(error)
    assert f"added:    {two[0]} {two[1]} ({__file__}:{second})" in message
    assert f"existing: {one[0]} {one[1]} ({__file__}:{first})" in message
    assert len(app.router.routes()) == 1


@pytest.mark.parametrize(("one", "two"), FREE)
def test_routes_that_can_both_run(
    app: web.Application, one: tuple[str, str], two: tuple[str, str]
) -> None:
    app.router.add_route(*one, handler)
    app.router.add_route(*two, other)
    assert len(app.router.routes()) == 2


def table() -> web.RouteTableDef:
    routes = web.RouteTableDef()
    routes.get("/")(handler)
    return routes


WAYS: list[Callable[[web.Application], object]] = [
    lambda app: app.router.add_get("/", handler),
    lambda app: app.router.add_get("/", handler, allow_head=False),
    lambda app: app.router.add_resource("/").add_route("GET", handler),
    lambda app: app.add_routes([web.get("/", handler)]),
    lambda app: app.router.add_routes([web.route("GET", "/", handler)]),
    lambda app: app.add_routes(table()),
    lambda app: app.router.group("/").add_get("/", handler),
    lambda app: app.router.group("").add_route("GET", "/", handler, timeout=5),
]


@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_adding_knows_the_users_line(
    app: web.Application, way: Callable[[web.Application], object]
) -> None:
    way(app)
    with pytest.raises(ConflictError) as caught:
        way(app)
    line = way.__code__.co_firstlineno
    assert (caught.value.existing_at, caught.value.added_at) == ((__file__, line),) * 2
    assert "headrace/web" not in str(caught.value)


def test_a_taken_name_is_refused_with_both_places(app: web.Application) -> None:
    app.router.add_get("/a", handler, name="same")
    first = here() - 1
    with pytest.raises(ValueError, match="duplicate name 'same'") as caught:
        app.router.add_get("/b", handler, name="same")
    assert f"/a ({__file__}:{first})" in str(caught.value)
    assert f"/b ({__file__}:{here() - 2})" in str(caught.value)


# -- Expect


async def test_the_default_answer_to_expect(app: web.Application) -> None:
    route, exchange = app.router.add_post("/", handler), FakeExchange()
    headers = {"Expect": "100-continue"}
    request = make_request("/", method="POST", headers=headers, exchange=exchange)
    assert await route.handle_expect_header(request) is None
    assert exchange.sent == [("informational", 100, [])]


async def test_own_expect_handlers(app: web.Application) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=403)

    router = app.router
    router.add_route("POST", "/", handler, expect_handler=refuse)
    router.add_get("/both", handler, expect_handler=refuse)
    for route in router.routes():
        response = await route.handle_expect_header(make_request())
        assert response is not None
        assert response.status == 403
