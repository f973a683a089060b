"""What holds for a route beside its handler, and how it is inherited."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest
from exchanges import make_request
from serving import Failures, Serve

from headrace import web


def test_what_is_left_open_comes_from_outside() -> None:
    outer = web.Policy(client_max_size=10, timeout=5, metadata={"a": 1, "b": 1})
    inner = web.Policy(timeout=1, handler_cancellation=True, metadata={"b": 2})
    assert inner.inside(outer) == web.Policy(
        client_max_size=10, timeout=1, handler_cancellation=True, metadata={"a": 1, "b": 2}
    )


def test_nothing_and_zero_are_different() -> None:
    assert web.Policy(client_max_size=0).inside(web.Policy(client_max_size=10)).client_max_size == 0
    assert web.Policy(timeout=0).inside(web.Policy(timeout=10)).timeout == 0


@pytest.mark.parametrize("options", [{"client_max_size": -1}, {"timeout": -0.1}])
def test_negative_limits_are_refused(options: Any) -> None:
    with pytest.raises(ValueError, match="expected at least 0"):
        web.Policy(**options)


async def echo(request: web.Request) -> web.Response:
    return web.Response(text=await request.text())


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/default", 5, 200),
        ("/default", 6, 413),
        ("/large", 100, 200),
        ("/any", 2 * 1024**2, 200),
        ("/group/own", 2, 200),
        ("/group/own", 3, 413),
        ("/group/inner/x", 3, 200),
        ("/sub/x", 7, 200),
        ("/sub/x", 8, 413),
        ("/sub/deep/x", 7, 200),
        ("/sub/deep/x", 8, 413),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_the_body_limit(
    serve: Serve, path: str, size: int, status: int, chunked: bool
) -> None:
    app = web.Application(client_max_size=5)
    app.router.add_post("/default", echo)
    app.router.add_post("/large", echo, client_max_size=100)
    app.router.add_post("/any", echo, client_max_size=0)
    group = app.router.group("/group", client_max_size=2)
    group.add_post("/own", echo)
    group.group("/inner", client_max_size=3).add_post("/x", echo)
    sub = web.Application(client_max_size=7)
    sub.router.add_post("/x", echo)
    deep = web.Application()
    deep.router.add_post("/x", echo)
    sub.add_subapp("/deep", deep)
    app.add_subapp("/sub", sub)
    served = await serve(app)

    async def pieces() -> Any:
        yield b"x" * size

    data: Any = pieces() if chunked else io.BytesIO(b"x" * size)
    async with served.client.post(path, data=data) as got:
        assert got.status == status


async def test_a_handler_that_takes_too_long_is_cancelled_and_504_the_answer(
    serve: Serve, failures: Failures
) -> None:
    ended: list[str] = []

    async def slow(request: web.Request) -> web.Response:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append(request.path)
            raise
        raise AssertionError

    app = web.Application(handler_timeout=0.01)
    app.router.add_get("/app", slow)
    app.router.add_get("/route", slow, timeout=0.02)
    app.router.add_post("/free", echo, timeout=0)
    served = await serve(app)
    for path in ("/app", "/route"):
        async with served.client.get(path) as got:
            assert got.status == 504
    async with served.client.post("/free", data="x") as got:
        assert await got.text() == "x"
    assert ended == ["/app", "/route"]
    assert len(failures()) == 2


@pytest.mark.parametrize(
    ("server", "route", "cancelled"),
    [(False, None, False), (False, True, True), (True, False, False), (True, None, True)],
)
async def test_cancellation_when_the_client_goes(
    serve: Serve, server: bool, route: bool | None, cancelled: bool
) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()
    how: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        started.set()
        try:
            await request.wait_for_disconnection()
            await go_on.wait()
        except asyncio.CancelledError:
            how.append("cancelled")
            raise
        how.append("ended")
        return web.Response()

    app = web.Application()
    app.router.add_get("/", handler, handler_cancellation=route)
    served = await serve(app, handler_cancellation=server)
    wire = await served.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await started.wait()
    await wire.close()
    go_on.set()
    await served.until(lambda: bool(how))
    assert how == ["cancelled" if cancelled else "ended"]


async def test_the_policy_of_one_request_is_not_that_of_the_next(serve: Serve) -> None:
    started = asyncio.Event()
    how: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        started.set()
        await request.wait_for_disconnection()
        await asyncio.sleep(0)
        how.append("ended")
        return web.Response()

    app = web.Application()
    app.router.add_post("/cancelled", echo, handler_cancellation=True)
    app.router.add_get("/kept", handler)
    served = await serve(app)
    wire = await served.connect()
    wire.send(b"POST /cancelled HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
    assert (await wire.answer())[1] == b"x"
    wire.send(b"GET /kept HTTP/1.1\r\nHost: x\r\n\r\n")
    await started.wait()
    await wire.close()
    await served.until(lambda: bool(how))


async def test_a_middleware_reads_metadata_before_the_body_is_there(serve: Serve) -> None:
    @web.middleware
    async def guard(request: web.Request, handler: Any) -> Any:
        needed = request.match_info.route.metadata.get("role")
        if needed and request.headers.get("X-Role") != needed:
            raise web.HTTPForbidden
        return await handler(request)

    app = web.Application(middlewares=[guard], metadata={"role": "user"})
    app.router.add_post("/user", echo)
    app.router.add_post("/open", echo, metadata={"role": None})
    app.router.group(metadata={"role": "admin"}).add_post("/admin", echo)
    served = await serve(app)
    for path, role, status in [
        ("/user", "user", 200),
        ("/user", "", 403),
        ("/open", "", 200),
        ("/admin", "user", 403),
        ("/admin", "admin", 200),
        ("/nowhere", "user", 404),
    ]:
        async with served.client.post(path, headers={"X-Role": role}) as got:
            assert (path, got.status) == (path, status)
    head = b"POST /admin HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nConnection: close\r\n\r\n"
    assert (await served.raw(head, eof=False)).startswith(b"HTTP/1.1 403 ")


async def test_middlewares_add_up_from_the_outside_in(serve: Serve) -> None:
    def tracing(name: str) -> Any:
        @web.middleware
        async def trace(request: web.Request, handler: Any) -> Any:
            request.setdefault("trace", []).append(name)
            return await handler(request)

        return trace

    async def show(request: web.Request) -> web.Response:
        return web.json_response(request["trace"])

    app = web.Application(middlewares=[tracing("app")])
    group = app.router.group("/g", middlewares=[tracing("group")])
    inner = group.group("/h", middlewares=[tracing("inner")])
    inner.add_get("/x", show, middlewares=[tracing("route")])
    app.router.add_get("/plain", show)
    served = await serve(app)
    async with served.client.get("/g/h/x") as got:
        assert await got.json() == ["app", "group", "inner", "route"]
    async with served.client.get("/plain") as got:
        assert await got.json() == ["app"]


async def test_none_is_no_limit_for_an_application_and_for_a_route_that_of_the_application() -> (
    None
):
    async def tell(request: web.Request) -> web.Response:
        return web.json_response([request.client_max_size, request.client_max_fields])

    def inside(outer: web.Application, **limits: Any) -> str:
        inner = web.Application(**limits)
        inner.router.add_get("/", tell, client_max_size=None)
        outer.add_subapp("/inner", inner)
        return "/inner/"

    for outer, limits, told in [
        ({}, {}, [1024**2, 1000]),
        ({"client_max_size": None, "client_max_fields": None}, {}, [0, 0]),
        ({"client_max_size": 5, "client_max_fields": 6}, {}, [5, 6]),
        ({"client_max_size": 5}, {"client_max_size": None}, [0, 1000]),
        ({"client_max_size": None}, {"client_max_size": 5}, [5, 1000]),
    ]:
        app = web.Application(**outer)  # type: ignore[arg-type]
        path = inside(app, **limits)
        app.freeze()
        response: Any = await app.dispatch(make_request(path))
        assert json.loads(response.text) == told
