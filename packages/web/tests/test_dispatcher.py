"""Nested applications, domains and groups, and how a request finds its way through them."""

from __future__ import annotations

from typing import Any

import pytest
from exchanges import make_request
from serving import Serve

from headrace import web


def named(name: str, **options: Any) -> web.Application:
    """Return an application that tells its name, and whose middleware leaves a trace."""

    @web.middleware
    async def trace(request: web.Request, handler: Any) -> Any:
        request.setdefault("trace", []).append(f"{name}:{request.app['name']}")
        try:
            return await handler(request)
        finally:
            request["trace"].append(f"/{name}:{request.app['name']}")

    app = web.Application(middlewares=[trace], **options)
    app["name"] = name
    return app


async def show(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "app": request.app["name"],
            "apps": [app["name"] for app in request.match_info.apps],
            "info": dict(request.match_info),
            "trace": list(request["trace"]),
        }
    )


def make_app() -> tuple[web.Application, web.Application, web.Application]:
    root, middle, inner = named("root"), named("middle"), named("inner")
    inner.router.add_get("/x/{id:int}", show, name="x")
    inner.router.add_get("/", show, name="index")
    middle.add_subapp("/inner/", inner)
    middle.router.add_get("/y", show, name="y")
    root.router.add_get("/y", show)
    root.add_subapp("/{tenant}/middle", middle)
    return root, middle, inner


@pytest.mark.parametrize(
    ("path", "apps", "info"),
    [
        ("/y", ["root"], {}),
        ("/t/middle/y", ["root", "middle"], {"tenant": "t"}),
        ("/t/middle/inner/x/3", ["root", "middle", "inner"], {"tenant": "t", "id": 3}),
        ("/t/middle/inner/", ["root", "middle", "inner"], {"tenant": "t"}),
    ],
)
async def test_a_route_runs_inside_its_applications(
    serve: Serve, path: str, apps: list[str], info: dict[str, Any]
) -> None:
    served = await serve(make_app()[0])
    async with served.client.get(path) as got:
        assert await got.json() == {
            "app": apps[-1],
            "apps": apps,
            "info": info,
            # A middleware sees its own application, whatever is inside of it.
            "trace": [f"{name}:{name}" for name in apps],
        }


@pytest.mark.parametrize(
    ("target", "name", "query"),
    [
        ("/is/it", "path", ""),
        ("/is/it?so", "path", "so"),
        ("/is/it%3Fso", "mark", ""),
        ("/is/it%3Fso?or", "mark", "or"),
        ("/is/%69t?so", "path", "so"),
        ("http://example.org/is/it?so", "path", "so"),
        ("/is/?so", "variable", "so"),
        ("/is/it?", "path", ""),
    ],
)
async def test_the_query_is_not_looked_up(target: str, name: str, query: str, serve: Serve) -> None:
    def telling(name: str) -> Any:
        async def handler(request: web.Request) -> web.Response:
            return web.Response(text=f"{name} {request.query_string}")

        return handler

    app = web.Application()
    app.router.add_get("/is/it", telling("path"))
    app.router.add_get("/is/it%3Fso", telling("mark"))
    app.router.add_get("/is/{tail:.*}", telling("variable"))
    served = await serve(app)
    answer = await served.raw(
        f"GET {target} HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n".encode()
    )
    assert answer.endswith(f"\r\n\r\n{name} {query}".encode())


async def test_a_middleware_has_its_application_back_when_the_handler_has_ended() -> None:
    root, _, _ = make_app()
    root.freeze()
    request = make_request("/t/middle/inner/x/3")
    await root.dispatch(request)
    assert request["trace"][3:] == ["/inner:inner", "/middle:middle", "/root:root"]
    assert request.app is root


@pytest.mark.parametrize(
    ("method", "path", "status", "allow", "last"),
    [
        ("GET", "/nowhere", 404, None, "root"),
        ("GET", "/t/middle/nowhere", 404, None, "middle"),
        ("GET", "/t/middle", 404, None, "middle"),
        ("GET", "/t/middle/inner/nowhere", 404, None, "inner"),
        ("PUT", "/t/middle/y", 405, "GET,HEAD", "middle"),
        ("PUT", "/t/middle/inner/x/3", 405, "GET,HEAD", "inner"),
    ],
)
async def test_a_miss_goes_through_the_middlewares_of_where_it_happens(
    serve: Serve, method: str, path: str, status: int, allow: str | None, last: str
) -> None:
    traces: list[list[str]] = []

    @web.middleware
    async def keep(request: web.Request, handler: Any) -> Any:
        try:
            return await handler(request)
        finally:
            traces.append(request["trace"])

    root, _, _ = make_app()
    root.middlewares.insert(0, keep)
    served = await serve(root)
    async with served.client.request(method, path) as got:
        assert (got.status, got.headers.get("Allow")) == (status, allow)
    assert [entry for entry in traces[0] if not entry.startswith("/")][-1] == f"{last}:{last}"


def test_urls_of_nested_routes_have_the_prefix() -> None:
    _, middle, inner = make_app()
    assert str(inner.router["x"].url_for(tenant="t", id="3")) == "/t/middle/inner/x/3"
    assert inner.router["index"].url(parts={"tenant": "t"}) == "/t/middle/inner/"
    assert middle.router["y"].canonical == "/{tenant}/middle/y"
    assert inner.router["x"].name == "x"
    assert set(inner.router) == {"x", "index"}


def test_names_do_not_cross_applications() -> None:
    root, middle, _ = make_app()
    assert "y" not in root.router
    assert "x" not in middle.router


def test_the_root_lists_nested_applications_as_resources_and_their_routes() -> None:
    root, middle, _ = make_app()
    nested = list(root.router.resources())[-1]
    assert isinstance(nested, web.PrefixedSubAppResource)
    assert nested.get_info() == {"app": middle, "prefix": "/{tenant}/middle"}
    assert len(nested) == len(list(nested)) == 6
    assert len(root.router.routes()) == 8


async def test_a_nested_application_can_stand_at_the_root(serve: Serve) -> None:
    root, inner = named("root"), named("inner")
    root.router.add_get("/own", show)
    inner.router.add_get("/x", show)
    root.add_subapp("/", inner)
    served = await serve(root)
    for path, app in [("/own", "root"), ("/x", "inner")]:
        async with served.client.get(path) as got:
            assert (await got.json())["app"] == app
    async with served.client.get("/nowhere") as got:
        assert got.status == 404


@pytest.mark.parametrize(
    ("host", "app", "info"),
    [
        ("api.example.org", "wild", {}),
        ("www.example.org", "www", {}),
        ("WWW.Example.Org:8080", "www", {}),
        ("example.org", "root", {}),
        ("other.example", "root", {}),
    ],
)
async def test_a_domain_has_routes_of_its_own(
    serve: Serve, host: str, app: str, info: dict[str, str]
) -> None:
    root, www, wild = named("root"), named("www"), named("wild")
    for each in (root, www, wild):
        each.router.add_get("/", show)
    root.add_domain("*.example.org", wild)
    root.add_domain("www.example.org", www)
    served = await serve(root)
    async with served.client.get("/", headers={"Host": host}) as got:
        answer = await got.json()
        assert (answer["app"], answer["info"]) == (app, info)


async def test_a_miss_below_a_domain_is_a_miss(serve: Serve) -> None:
    root, www = named("root"), named("www")
    root.router.add_get("/only-root", show)
    www.router.add_get("/", show)
    root.add_domain("www.example.org", www)
    served = await serve(root)
    async with served.client.get("/nowhere", headers={"Host": "www.example.org"}) as got:
        assert got.status == 404
    async with served.client.put("/", headers={"Host": "www.example.org"}) as got:
        assert (got.status, got.headers["Allow"]) == (405, "GET,HEAD")


async def test_config_dict_looks_outwards(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        config = request.config_dict
        return web.json_response([config["name"], config["only"], config.get("none")])

    root, inner = named("root"), named("inner")
    root["only"] = "here"
    inner.router.add_get("/", handler)
    root.add_subapp("/inner", inner)
    served = await serve(root)
    async with served.client.get("/inner/") as got:
        assert await got.json() == ["inner", "here", None]


async def test_signals_of_nested_applications(serve: Serve) -> None:
    happened: list[str] = []

    def remember(what: str) -> Any:
        async def callback(app: web.Application) -> None:
            happened.append(f"{what} {app['name']}")

        return callback

    def adding(value: str) -> Any:
        async def prepare(request: web.Request, response: web.StreamResponse) -> None:
            response.headers.add("X-Prepared", value)

        return prepare

    root, inner = named("root"), named("inner")
    inner.router.add_get("/", show)
    for app in (root, inner):
        for signal in ("on_startup", "on_shutdown", "on_cleanup"):
            getattr(app, signal).append(remember(signal))
        app.on_response_prepare.append(adding(app["name"]))
    root.add_subapp("/inner", inner)
    served = await serve(root)
    async with served.client.get("/inner/") as got:
        assert got.headers.getall("X-Prepared") == ["root", "inner"]
    async with served.client.get("/nowhere") as got:
        assert got.headers.getall("X-Prepared") == ["root"]
    await served.runner.cleanup()
    assert happened == [
        f"{signal} {name}"
        for signal in ("on_startup", "on_shutdown", "on_cleanup")
        for name in ("root", "inner")
    ]


def test_an_application_is_added_once_and_before_it_starts() -> None:
    root, inner = named("root"), named("inner")
    root.add_subapp("/a", inner)
    with pytest.raises(RuntimeError, match="added already"):
        root.add_subapp("/b", inner)
    with pytest.raises(RuntimeError, match="has started"):
        inner.router.add_get("/late", show)
    root.freeze()
    with pytest.raises(RuntimeError, match="has started"):
        root.add_subapp("/c", named("late"))


def test_a_route_that_could_never_run_is_refused_when_the_application_is_added() -> None:
    root, inner = named("root"), named("inner")
    root.router.add_get("/a/x", show)
    inner.router.add_get("/x", show)
    with pytest.raises(ValueError, match=r"GET /a/x|HEAD /a/x"):
        root.add_subapp("/a", inner)


def test_a_group_adds_below_its_prefix() -> None:
    app = web.Application()
    group = app.router.group("/api").group("/v1/")
    route = group.add_get("/users/{id}", show, name="user")
    assert str(app.router["user"].url_for(id="7")) == "/api/v1/users/7"
    group.add_routes([web.post("/users", show)])
    assert {(each.method, each.resource.canonical) for each in app.router.routes()} == {
        ("HEAD", "/api/v1/users/{id}"),
        ("GET", "/api/v1/users/{id}"),
        ("POST", "/api/v1/users"),
    }
    assert route in app.router.routes()


async def test_add_ons_can_resolve_requests() -> None:
    root, _, _ = make_app()
    root.freeze()
    request = make_request("/y")
    request._app = root
    found = await root.router.resolve(request)
    assert (found.route.method, found.http_exception) == ("GET", None)
    request = make_request("/nowhere")
    request._app = root
    missed = (await root.router.resolve(request)).http_exception
    assert missed is not None
    assert missed.status == 404


def test_resources_tell_what_they_are() -> None:
    app = web.Application()
    plain = app.router.add_resource("/plain")
    dynamic = app.router.add_resource(r"/dynamic/{id:\d+}")
    assert isinstance(plain, web.PlainResource)
    assert plain.get_info() == {"path": "/plain"}
    assert isinstance(dynamic, web.DynamicResource)
    assert dynamic.get_info() == {
        "formatter": "/dynamic/{id}",
        "pattern": r"/dynamic/{id:\d+}",
    }


def test_routes_are_listed_and_look_ups_explained() -> None:
    root, _, _ = make_app()
    table = root.router.table()
    assert "/{tenant}/middle/inner/x/{id:int}" in table
    assert f"{__name__}.show" in table
    assert "/y" in str(root.router.explain("GET", "/y"))


async def test_the_prepare_signal_sees_the_innermost_application(serve: Serve) -> None:
    seen: list[list[Any]] = []

    async def note(request: web.Request, response: web.StreamResponse) -> None:
        seen[-1].append(request.app["name"])

    async def prepare_within(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        seen[-1].append([request.app["name"]])
        return response

    root, middle, inner = named("root"), named("middle"), named("inner")
    for app in (root, inner):
        app.on_response_prepare.append(note)
    for app in (root, middle, inner):
        app.router.add_get("/x", show)
    inner.router.add_get("/stream", prepare_within)
    middle.add_subapp("/inner", inner)
    root.add_subapp("/middle", middle)
    served = await serve(root)
    for path, names in [
        ("/x", ["root"]),
        ("/middle/x", ["middle"]),
        ("/middle/inner/x", ["inner", "inner"]),
        ("/middle/inner/missing", ["inner", "inner"]),
        ("/middle/inner/stream", ["inner", "inner", ["inner"]]),
        ("/missing", ["root"]),
    ]:
        seen.append([])
        async with served.client.get(path):
            assert seen[-1] == names


# -- resources that are made apart


async def tell(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.match_info.route.name}: {dict(request.match_info)}")


async def test_a_resource_is_registered(serve: Serve) -> None:
    plain = web.PlainResource("/plain", name="plain")
    plain.add_route("GET", tell)
    dynamic = web.DynamicResource("/{kind}/{id:int}", name="dynamic")
    assert str(dynamic.url_for(kind="a", id=5)) == "/a/5"
    app = web.Application()
    for resource in (plain, dynamic):
        app.router.register_resource(resource)
        assert resource.name is not None
        assert app.router[resource.name] is resource
    dynamic.add_route("GET", tell)
    assert list(app.router.resources()) == [plain, dynamic]
    assert app.router.add_resource("/plain") is plain
    served = await serve(app)
    for path, text in [("/plain", "plain: {}"), ("/a/5", "dynamic: {'kind': 'a', 'id': 5}")]:
        async with served.client.get(path) as response:
            assert (response.status, await response.text()) == (200, text)


async def test_a_registered_resource_is_nested_like_any_other() -> None:
    resource = web.PlainResource("/x", name="x")
    inner, outer = web.Application(), web.Application()
    inner.router.register_resource(resource)
    outer.add_subapp("/inner", inner)
    assert str(inner.router["x"].url_for()) == "/inner/x"


class Asked(web.Resource):
    async def resolve(self, request: web.Request) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("resource", [Asked("/x"), web.AbstractResource("/x"), "/x"])
def test_what_cannot_be_registered(resource: Any) -> None:
    with pytest.raises(TypeError, match="PlainResource or a DynamicResource"):
        web.Application().router.register_resource(resource)


def test_a_path_has_one_resource() -> None:
    app = web.Application()
    app.router.add_resource("/x")
    with pytest.raises(ValueError, match="has a resource already"):
        app.router.register_resource(web.PlainResource("/x"))
    app.freeze()
    with pytest.raises(RuntimeError, match="has started"):
        app.router.register_resource(web.PlainResource("/y"))


def test_an_application_may_be_given_its_router() -> None:
    router = web.UrlDispatcher()
    assert web.Application(router=router).router is router
