"""Class-based views."""

from __future__ import annotations

import pytest
from serving import Serve

from headrace import web


class Item(web.View):
    async def get(self) -> web.Response:
        return web.Response(text=f"item {self.request.match_info['id']}")

    async def post(self) -> web.Response:
        return web.Response(text=await self.request.text(), status=201)

    def patch(self) -> web.Response:
        return web.Response(text="no coroutine")


def registered_by_method() -> web.Application:
    app = web.Application()
    app.router.add_view("/items/{id}", Item)
    return app


def registered_by_definition() -> web.Application:
    app = web.Application()
    app.add_routes([web.view("/items/{id}", Item)])
    return app


def registered_by_decorator() -> web.Application:
    routes = web.RouteTableDef()
    routes.view("/items/{id}")(Item)
    app = web.Application()
    app.add_routes(routes)
    return app


def registered_with_a_star() -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/items/{id}", Item)
    return app


@pytest.mark.parametrize(
    "make",
    [
        registered_by_method,
        registered_by_definition,
        registered_by_decorator,
        registered_with_a_star,
    ],
)
async def test_a_method_of_the_class_serves_its_http_method(serve: Serve, make: object) -> None:
    assert callable(make)
    served = await serve(make())
    async with served.client.get("/items/3") as got:
        assert (got.status, await got.text()) == (200, "item 3")
    async with served.client.post("/items/3", data="x") as got:
        assert (got.status, await got.text()) == (201, "x")
    async with served.client.patch("/items/3") as got:
        assert await got.text() == "no coroutine"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "REQUEST", "__init__", "get"])
async def test_another_method_is_not_allowed(serve: Serve, method: str) -> None:
    served = await serve(registered_by_method())
    answer = await served.raw(
        f"{method} /items/3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    )
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"Allow: GET,PATCH,POST\r\n" in answer
