"""The glue of a WebSocket: bytes in and out, flow control, deadlines, the end."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from typing import Any

import pytest
from serving import Failures, Serve, Served, Wire

from headrace import web
from headrace.web import _channel

HANDSHAKE = (
    b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n\r\n"
)


def handshake(path: bytes = b"/") -> bytes:
    return HANDSHAKE % (path, base64.b64encode(os.urandom(16)))


def frame(opcode: int, payload: bytes = b"", *, masked: bool = True) -> bytes:
    """Return a client's frame, masked with zeros."""
    size = len(payload)
    mask = 0x80 if masked else 0
    if size < 126:
        head = bytes([0x80 | opcode, mask | size])
    elif size < 65536:
        head = bytes([0x80 | opcode, mask | 126]) + struct.pack("!H", size)
    else:
        head = bytes([0x80 | opcode, mask | 127]) + struct.pack("!Q", size)
    return head + (bytes(4) if masked else b"") + payload


async def receive(wire: Wire) -> tuple[int, bytes]:
    """Read a server's frame, return its opcode and payload."""
    first, size = await wire.reader.readexactly(2)
    if size == 126:
        [size] = struct.unpack("!H", await wire.reader.readexactly(2))
    elif size == 127:
        [size] = struct.unpack("!Q", await wire.reader.readexactly(8))
    return first & 0x0F, await wire.reader.readexactly(size)


async def open_wire(served: Served, path: bytes = b"/", more: bytes = b"") -> Wire:
    wire = await served.connect()
    wire.send(handshake(path) + more)
    assert (await wire.head()).startswith(b"HTTP/1.1 101 ")
    return wire


async def echo(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(timeout=0.2)
    await ws.prepare(request)
    async for message in ws:
        if message.type is web.WSMsgType.TEXT:
            await ws.send_str(message.data)
        else:
            await ws.send_bytes(message.data)
    return ws


async def test_frames_that_come_with_the_handshake_are_not_lost(serve: Serve) -> None:
    served = await serve(echo)
    wire = await open_wire(served, more=frame(1, b"early") + frame(2, b"bytes"))
    assert await receive(wire) == (1, b"early")
    assert await receive(wire) == (2, b"bytes")


async def test_a_close_that_comes_with_the_handshake_ends_everything(
    serve: Serve, failures: Failures
) -> None:
    served = await serve(echo)
    wire = await open_wire(served, more=frame(8, struct.pack("!H", 1000)))
    assert await receive(wire) == (8, struct.pack("!H", 1000))
    assert await wire.rest() == b""
    await served.idle()
    assert failures() == []


async def test_a_pipelined_handshake_waits_for_its_turn(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            return await echo(request)
        await asyncio.sleep(0)
        return web.Response(text="plain")

    served = await serve(handler)
    wire = await served.connect()
    wire.send(b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n" + handshake() + frame(1, b"now"))
    assert (await wire.answer())[1] == b"plain"
    assert (await wire.head()).startswith(b"HTTP/1.1 101 ")
    assert await receive(wire) == (1, b"now")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(1, b"x", masked=False), 1002),
        (frame(3, b"x"), 1002),
        (frame(1, b"\xff"), 1007),
        (frame(9, bytes(126)), 1002),
        (frame(2, bytes(5 * 1024**2))[:20], 1009),
        (frame(8, struct.pack("!H", 1005)), 1002),
    ],
)
async def test_a_breach_of_the_protocol_closes_with_its_code(
    serve: Serve, failures: Failures, data: bytes, code: int
) -> None:
    codes: list[Any] = []

    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        codes.extend([message.type async for message in ws])
        codes.append(ws.close_code)
        assert ws.exception() is not None
        return ws

    served = await serve(handler)
    wire = await open_wire(served)
    wire.send(data)
    opcode, payload = await receive(wire)
    assert (opcode, *struct.unpack("!H", payload[:2])) == (8, code)
    assert await wire.rest() == b""
    await served.idle()
    assert codes == [web.WSMsgType.ERROR, code]
    assert failures() == []


@pytest.mark.parametrize("how", ["abort", "eof", "half a frame"])
async def test_a_client_that_goes_without_a_close_ends_the_loop(
    serve: Serve, failures: Failures, how: str
) -> None:
    codes: list[int | None] = []

    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for _ in ws:
            pass
        codes.append(ws.close_code)
        return ws

    served = await serve(handler)
    wire = await open_wire(served)
    if how == "abort":
        wire.writer.transport.abort()
    else:
        wire.send(frame(1, b"part")[:-2] if how == "half a frame" else b"")
        wire.writer.write_eof()
    await served.idle()
    assert codes == [1006]
    assert failures() == []


async def test_a_client_that_never_answers_the_close_is_not_waited_for(serve: Serve) -> None:
    results: list[Any] = []

    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(timeout=0.05)
        await ws.prepare(request)
        results.append(await ws.close(code=4000, message="bye"))
        results.append(ws.close_code)
        return ws

    served = await serve(handler)
    wire = await open_wire(served)
    assert await receive(wire) == (8, struct.pack("!H", 4000) + b"bye")
    assert await wire.rest() == b""
    await served.idle()
    assert results == [True, 1006]


async def test_a_silent_client_is_found_out_by_the_heartbeat(serve: Serve) -> None:
    codes: list[int | None] = []

    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(heartbeat=0.05)
        await ws.prepare(request)
        async for _ in ws:
            pass
        codes.append(ws.close_code)
        return ws

    served = await serve(handler)
    wire = await open_wire(served)
    assert (await receive(wire))[0] == 9
    wire.send(frame(10))
    assert (await receive(wire))[0] == 9
    async with asyncio.timeout(5):
        await wire.rest()
    await served.idle()
    assert codes == [1006]


async def test_awaited_sends_wait_for_a_slow_client(serve: Serve) -> None:
    sent = 0

    async def handler(request: web.Request) -> web.WebSocketResponse:
        nonlocal sent
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        for _ in range(400):
            await ws.send_bytes(bytes(65536))
            sent += 1
        return ws

    served = await serve(handler)
    wire = await open_wire(served)
    wire.writer.transport.pause_reading()
    await served.until(
        lambda: any(c.upgraded and c.upgraded._waiters for c in served.server.connections)
    )
    assert sent < 400
    wire.writer.transport.resume_reading()
    for _ in range(400):
        assert await receive(wire) == (2, bytes(65536))
    assert (await receive(wire))[0] == 8


async def test_sends_that_nobody_awaits_end_at_the_limit(
    serve: Serve, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_channel, "SEND_LIMIT", 1024**2)

    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        while True:
            ws.send_bytes(bytes(65536))

    served = await serve(handler)
    wire = await open_wire(served)
    wire.writer.transport.pause_reading()
    await served.idle()
    assert failures() == ["Error handling GET /: RuntimeError"]


async def test_a_loop_of_sends_ends_when_the_client_has_gone(
    serve: Serve, failures: Failures
) -> None:
    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        while True:
            await ws.send_bytes(bytes(65536))

    served = await serve(handler)
    wire = await open_wire(served)
    await receive(wire)
    wire.writer.transport.abort()
    await served.idle()
    assert failures() == []


@pytest.mark.parametrize(("message", "count"), [(b"", 60_000), (b"x" * 5000, 3000)])
async def test_a_flood_of_messages_waits_for_a_slow_handler(
    serve: Serve, message: bytes, count: int
) -> None:
    gate = asyncio.Event()

    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await gate.wait()
        received = 0
        async for _ in ws:
            received += 1
            if received == count:
                break
        await ws.send_str(str(received))
        return ws

    served = await serve(handler)
    wire = await open_wire(served)
    wire.send(frame(1, message) * count)
    await served.until(
        lambda: any(c.upgraded and c.upgraded._paused_reading for c in served.server.connections)
    )
    gate.set()
    assert await receive(wire) == (1, b"%d" % count)
