"""The server: a protocol for each connection, and their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from serving import Failures, Serve, Wire

from headrace import web
from headrace.web import _server

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@asynccontextmanager
async def listening(server: web.Server) -> AsyncIterator[int]:
    """Let *server* listen on a free port, by hand as the guide does."""
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


async def hello(request: web.BaseRequest) -> web.Response:
    return web.Response(text="hello")


async def test_a_server_needs_no_application() -> None:
    server = web.Server(hello)
    async with listening(server) as port:
        wire = Wire(*await asyncio.open_connection("127.0.0.1", port))
        wire.send(GET)
        assert (await wire.answer())[1] == b"hello"
        assert len(server.connections) == 1
        assert repr(server) == "<Server connections=1>"
        await server.shutdown(1.0)
        assert await wire.rest() == b""
        assert not server.connections
        await wire.close()


async def test_shutdown_closes_idle_connections_and_waits_for_running_handlers(
    serve: Serve, failures: Failures
) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        begun.set()
        await gate.wait()
        return web.Response(text="promised")

    served = await serve(handler)
    idle, part, busy = [await served.connect() for _ in range(3)]
    part.send(b"GET / HT")
    busy.send(GET + GET)
    await begun.wait()
    ending = asyncio.ensure_future(served.server.shutdown(10.0))
    assert await idle.rest() == b""
    assert await part.rest() == b""
    assert not ending.done()
    gate.set()
    head, body = await busy.answer()
    assert body == b"promised"
    assert b"Connection: close" in head
    assert await busy.rest() == b""  # the second request may be sent again elsewhere
    await ending
    assert failures() == []


async def test_a_request_that_is_on_its_way_is_waited_for(serve: Serve) -> None:
    served = await serve(hello)
    fresh, begun = await served.connect(), await served.connect()
    fresh.send(GET)
    assert b"Connection" not in (await fresh.answer())[0]
    begun.send(GET[:5])
    await served.until(lambda: any(c._parser.buffered for c in served.server.connections))
    ending = asyncio.ensure_future(served.server.shutdown(10.0))
    await asyncio.sleep(0)
    fresh.send(GET)
    begun.send(GET[5:])
    for wire in (fresh, begun):
        head, body = await wire.answer()
        assert body == b"hello"
        assert b"Connection: close\r\n" in head
        assert await wire.rest() == b""
    await ending


async def test_shutdown_waits_until_the_answer_is_taken(serve: Serve) -> None:
    size = 16 * 1024**2
    begun = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        begun.set()
        return web.Response(body=bytes(size))

    served = await serve(handler)
    wire = await served.connect()
    wire.writer.transport.pause_reading()
    wire.send(GET)
    await begun.wait()
    ending = asyncio.ensure_future(served.server.shutdown(10.0))
    await asyncio.sleep(0.01)
    assert not ending.done()
    wire.writer.transport.resume_reading()
    assert len((await wire.answer())[1]) == size
    await ending


async def test_handlers_that_run_on_are_cancelled_after_the_timeout(serve: Serve) -> None:
    ends: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append(request.path)
            raise
        return web.Response()

    served = await serve(handler)
    wires = [await served.connect() for _ in range(3)]
    for wire in wires:
        wire.send(GET)
    await served.until(lambda: all(c.running for c in served.server.connections))
    await served.server.finish_connections(0.01)
    assert ends == ["/"] * 3
    for wire in wires:
        assert await wire.rest() == b""


async def test_a_handler_that_does_not_hear_its_cancellation_is_left(
    serve: Serve, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_server, "CANCEL_TIME", 0.01)
    begun, gate = asyncio.Event(), asyncio.Event()

    async def deaf(request: web.Request) -> web.Response:
        begun.set()
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue
        return web.Response()

    served = await serve(deaf)
    wire = await served.connect()
    wire.send(GET)
    await begun.wait()
    async with asyncio.timeout(5):
        await served.server.shutdown(0.01)
    [failure] = failures()
    assert failure.startswith("a handler goes on after its cancellation: <Task ")
    gate.set()
    await served.idle()


async def test_a_handler_whose_client_has_gone_is_waited_for_too(serve: Serve) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()
    ends: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        begun.set()
        await gate.wait()
        ends.append("done")
        return web.Response()

    served = await serve(handler)
    wire = await served.connect()
    wire.send(GET)
    await begun.wait()
    [connection] = served.server.connections
    wire.reset()
    await served.until(lambda: connection.transport is None)
    ending = asyncio.ensure_future(served.server.shutdown(10.0))
    await asyncio.sleep(0.01)
    assert not ending.done()
    gate.set()
    await ending
    assert ends == ["done"]
    assert connection.transport is None


async def test_a_connection_that_comes_during_shutdown_is_closed() -> None:
    server = web.Server(hello)
    async with listening(server) as port:
        await server.shutdown(1.0)
        wire = Wire(*await asyncio.open_connection("127.0.0.1", port))
        assert await wire.rest() == b""
        await wire.close()


async def test_shutdown_without_connections_returns_at_once() -> None:
    server = web.Server(hello)
    async with asyncio.timeout(10):
        await server.shutdown()
        await server.shutdown()
    assert not server.connections


async def test_websockets_are_told_that_the_server_goes_away(
    serve: Serve, failures: Failures
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for _ in ws:
            pass
        return ws

    served = await serve(handler)
    async with served.client.ws_connect("/") as ws:
        ending = asyncio.ensure_future(served.server.shutdown(10.0))
        message: Any = await ws.receive()
        assert (message.type, message.data) == (web.WSMsgType.CLOSE, web.WSCloseCode.GOING_AWAY)
        async with asyncio.timeout(5):
            await ending
    assert failures() == []


async def test_a_long_answer_is_told_that_the_server_goes_away(
    serve: Serve, failures: Failures
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(f"{request.shutting_down} ".encode())
        await request.wait_for_shutdown()
        await request.wait_for_shutdown()
        await response.write(str(request.shutting_down).encode())
        return response

    served = await serve(handler)
    staying, leaving = [await served.connect() for _ in range(2)]
    for wire in (staying, leaving):
        wire.send(GET)
        await wire.head()
    await served.until(lambda: len(served.server._shutdown_waiters) == 2)
    running = [c.running for c in served.server.connections]
    running[0].cancel()
    await served.until(lambda: len(served.server._shutdown_waiters) == 1)
    async with asyncio.timeout(5):
        await served.server.shutdown(10.0)
    ends = sorted([await staying.rest(), await leaving.rest()])
    assert [end.count(b"False") for end in ends] == [1, 1]
    assert [end.count(b"True") for end in ends].count(1) == 1
    assert not served.server._shutdown_waiters
    assert failures() == []


async def test_a_websocket_that_opens_too_late_is_closed_at_once(serve: Serve) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        begun.set()
        await gate.wait()
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for _ in ws:
            pass
        return ws

    served = await serve(handler)
    opening = asyncio.ensure_future(served.client.ws_connect("/"))
    await begun.wait()
    ending = asyncio.ensure_future(served.server.shutdown(10.0))
    await served.until(lambda: served.server.gone_away)
    gate.set()
    message = await (await opening).receive()
    assert (message.type, message.data) == (web.WSMsgType.CLOSE, web.WSCloseCode.GOING_AWAY)
    async with asyncio.timeout(5):
        await ending


@pytest.mark.parametrize("keepalive_timeout", [0, 0.001])
async def test_the_clock_is_not_hurried_by_tiny_timeouts(keepalive_timeout: float) -> None:
    server = web.Server(hello, keepalive_timeout=keepalive_timeout)
    assert server._sweep_interval >= 0.01


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(TypeError, match="no_such_setting"):
        web.Server(hello, no_such_setting=1)
