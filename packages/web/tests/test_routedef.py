"""Routes described apart from an application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headrace import web


async def handler(request: web.Request) -> web.Response:
    return web.Response()


#: description, what it registers
DEFINITIONS: list[tuple[Callable[..., web.RouteDef], list[str]]] = [
    (web.get, ["HEAD", "GET"]),
    (web.head, ["HEAD"]),
    (web.post, ["POST"]),
    (web.put, ["PUT"]),
    (web.patch, ["PATCH"]),
    (web.delete, ["DELETE"]),
    (web.options, ["OPTIONS"]),
    (lambda *args, **kwargs: web.route("GET", *args, **kwargs), ["HEAD", "GET"]),
    (lambda *args, **kwargs: web.route("*", *args, **kwargs), ["*"]),
    (lambda *args, **kwargs: web.route("PURGE", *args, **kwargs), ["PURGE"]),
]
DECORATORS: list[tuple[Callable[..., Any], list[str]]] = [
    (web.RouteTableDef.get, ["HEAD", "GET"]),
    (web.RouteTableDef.head, ["HEAD"]),
    (web.RouteTableDef.post, ["POST"]),
    (web.RouteTableDef.put, ["PUT"]),
    (web.RouteTableDef.patch, ["PATCH"]),
    (web.RouteTableDef.delete, ["DELETE"]),
    (web.RouteTableDef.options, ["OPTIONS"]),
    (lambda table, *args, **kwargs: table.route("PURGE", *args, **kwargs), ["PURGE"]),
]


def methods(app: web.Application) -> list[str]:
    return [route.method for route in app.router.routes()]


@pytest.mark.parametrize(("describe", "expected"), DEFINITIONS)
def test_definitions(describe: Callable[..., web.RouteDef], expected: list[str]) -> None:
    definition = describe("/path", handler, name="name")
    assert (definition.path, definition.handler) == ("/path", handler)
    app = web.Application()
    (route,) = app.add_routes([definition])
    assert methods(app) == expected
    assert (route.method, route.handler) == (expected[-1], handler)
    assert app.router["name"].url() == "/path"


@pytest.mark.parametrize(("decorate", "expected"), DECORATORS)
def test_decorators(decorate: Callable[..., Any], expected: list[str]) -> None:
    table = web.RouteTableDef()
    assert decorate(table, "/path", name="name")(handler) is handler
    app = web.Application()
    (route,) = app.add_routes(table)
    assert methods(app) == expected
    assert route.handler is handler
    assert app.router["name"].url() == "/path"


@pytest.mark.parametrize("add", ["app", "router"])
def test_get_without_head(add: str) -> None:
    app = web.Application()
    routes = [web.get("/", handler, allow_head=False)]
    (app if add == "app" else app.router).add_routes(routes)
    assert methods(app) == ["GET"]


async def test_options_reach_the_route() -> None:
    async def expect(request: web.Request) -> None:
        calls.append(request)

    calls: list[web.Request] = []
    table = web.RouteTableDef()
    table.post("/decorated", expect_handler=expect)(handler)
    app = web.Application()
    routes = app.add_routes([web.post("/", handler, expect_handler=expect), *table])
    for route in routes:
        await route.handle_expect_header(None)  # type: ignore[arg-type]
    assert len(calls) == 2


def test_a_table_is_a_sequence() -> None:
    table = web.RouteTableDef()
    assert (len(table), list(table)) == (0, [])
    table.get("/a")(handler)
    table.post("/b")(handler)
    one, two = table
    assert (one.method, one.path, two.method, two.path) == ("GET", "/a", "POST", "/b")
    assert (table[0], table[-1], table[:1], len(table)) == (one, two, [one], 2)
    assert one in table
    assert web.get("/c", handler) not in table
    assert repr(table) == "<RouteTableDef count=2>"


def test_a_table_can_be_used_twice() -> None:
    table = web.RouteTableDef()
    table.get("/a")(handler)
    for app in (web.Application(), web.Application()):
        app.add_routes(table)
        assert methods(app) == ["HEAD", "GET"]


def test_a_definition_does_not_change() -> None:
    definition = web.get("/a", handler)
    with pytest.raises(AttributeError):
        definition.path = "/b"  # type: ignore[misc]
    assert definition == web.get("/a", handler)
    assert definition != web.get("/b", handler)
    assert repr(definition) == "<RouteDef GET /a -> 'handler'>"


def test_own_definitions() -> None:
    class Both(web.AbstractRouteDef):
        def register(self, router: Any) -> list[web.AbstractRoute]:
            return [router.add_get("/a", handler), router.add_post("/a", handler)]

    app = web.Application()
    assert [route.method for route in app.add_routes([Both()])] == ["GET", "POST"]
