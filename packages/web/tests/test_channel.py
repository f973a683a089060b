"""The glue of a WebSocket: bytes in and out, flow control, deadlines, the end."""

from __future__ import annotations

import asyncio
import gc
import struct
import tracemalloc
from typing import Any

import pytest
from serving import Failures, Serve, Served
from wsframes import frame, handshake, open_wire, receive, socket_handler, with_small_buffer

from headrace import web
from headrace.web import _channel


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


@pytest.mark.parametrize("how", ["iterate", "receive"])
async def test_a_message_that_comes_alone_is_handled_within_the_call(
    serve: Serve, how: str
) -> None:
    got: list[Any] = []
    seen: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        if how == "iterate":
            async for message in ws:
                got.append(message.data)  # noqa: PERF401 (each is looked at when it has come)
        while how == "receive" and not ws.closed:
            got.append((await ws.receive()).data)

    served = await serve(socket_handler(body))
    wire = await open_wire(served)
    (channel,) = [connection.upgraded for connection in served.server.connections]

    def come() -> None:
        for opcode, data in ((1, b"text"), (2, b"bytes"), (1, b"more")):
            channel.data_received(frame(opcode, data))
            seen.append(list(got))

    asyncio.get_running_loop().call_soon(come)
    await served.until(lambda: len(seen) == 3)
    assert seen == [["text"], ["text", b"bytes"], ["text", b"bytes", "more"]]
    wire.send(frame(8))
    assert (await receive(wire))[0] == 8


async def test_a_handler_may_close_within_the_call(serve: Serve, failures: Failures) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        assert await ws.receive_str() == "go"
        await ws.send_str("gone")
        await ws.close(code=4000)

    served = await serve(socket_handler(body))
    wire = await open_wire(served)
    (channel,) = [connection.upgraded for connection in served.server.connections]
    asyncio.get_running_loop().call_soon(channel.data_received, frame(1, b"go"))
    assert await receive(wire) == (1, b"gone")
    assert await receive(wire) == (8, struct.pack("!H", 4000))
    wire.send(frame(8, struct.pack("!H", 4000)))
    assert await wire.rest() == b""
    await served.idle()
    assert failures() == []


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
        ws = web.WebSocketResponse(heartbeat=0.2, heartbeat_timeout=0.5)
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
        lambda: any(c.upgraded and c.upgraded.is_reading_paused for c in served.server.connections)
    )
    gate.set()
    assert await receive(wire) == (1, b"%d" % count)


# -- clients that are behind


async def behind(served: Served) -> None:
    """Wait until the one connection's client is behind."""
    await served.until(
        lambda: any(c.upgraded and c.upgraded._paused_writing for c in served.server.connections)
    )


async def flood(ws: web.WebSocketResponse) -> None:
    while True:
        await ws.send_bytes(bytes(1000))


@pytest.mark.sockets
@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest"])
async def test_a_slow_client_loses_messages_and_nobody_waits(
    serve: Serve, failures: Failures, policy: Any
) -> None:
    total = 2000
    facts: list[Any] = []
    go_on = asyncio.Event()

    async def body(ws: web.WebSocketResponse) -> None:
        with_small_buffer(ws)
        for number in range(total):
            await ws.send_str(f"{number:>1000}")  # never waits
        facts.append(ws.dropped)
        channel = ws._channel
        assert channel is not None
        assert channel._outbox is not None
        facts.append(channel._outbox.size)
        go_on.set()
        await ws.receive()

    served = await serve(socket_handler(body, slow_client=policy, queue_limit=20_000))
    wire = await open_wire(served, buffer=4096)
    await go_on.wait()
    dropped, waiting = facts
    assert 0 < dropped < total
    assert waiting <= 20_000
    got = [int((await receive(wire))[1]) for _ in range(total - dropped)]
    assert got == sorted(set(got))
    assert got[0] == 0
    assert (got[-1] == total - 1) is (policy == "drop_oldest")
    wire.send(frame(8))
    assert (await receive(wire))[0] == 8
    await served.idle()
    assert failures() == []


@pytest.mark.sockets
async def test_a_client_that_is_too_slow_may_be_closed(serve: Serve, failures: Failures) -> None:
    ends: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        with_small_buffer(ws)
        receiving = asyncio.ensure_future(ws.receive())
        with pytest.raises(web.ClientConnectionResetError):
            await flood(ws)
        message = await receiving
        ends.append((message.type.name, str(message.data), ws.closed, ws.exception()))

    served = await serve(socket_handler(body, slow_client="close", queue_limit=20_000))
    wire = await open_wire(served, buffer=4096)
    while (got := await receive(wire))[0] == 2:
        pass
    assert got == (8, struct.pack("!H", 1008) + b"too slow")
    wire.send(frame(8, struct.pack("!H", 1008)))
    await wire.rest()
    await served.idle()
    [(kind, text, closed, exception)] = ends
    assert (kind, closed) == ("ERROR", True)
    assert "too slow" in text
    assert str(exception) == text
    assert failures() == []


@pytest.mark.sockets
async def test_a_client_that_is_too_slow_and_never_reads_is_dropped(serve: Serve) -> None:
    codes: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        with_small_buffer(ws)
        with pytest.raises(web.ClientConnectionResetError):
            await flood(ws)
        codes.append((await ws.receive()).type.name)

    served = await serve(socket_handler(body, slow_client="close", queue_limit=0, timeout=0.05))
    await open_wire(served, buffer=4096)
    await served.idle()
    assert codes == ["ERROR"]


@pytest.mark.sockets
@pytest.mark.parametrize("drain", [True, False])
async def test_a_close_may_leave_out_what_waits(serve: Serve, drain: bool) -> None:
    gate = asyncio.Event()

    async def body(ws: web.WebSocketResponse) -> None:
        with_small_buffer(ws)
        while not ws._channel._outbox:  # type: ignore[union-attr]
            await ws.send_bytes(bytes(1000))
        ws.send_str("the last")
        gate.set()
        await ws.close(code=4000, drain=drain)

    served = await serve(socket_handler(body, slow_client="drop_newest"))
    wire = await open_wire(served, buffer=4096)
    await gate.wait()
    last = b""
    while (got := await receive(wire))[0] != 8:
        last = got[1]
    assert (last == b"the last") is drain


@pytest.mark.sockets
async def test_a_thousand_stalled_clients_cost_bounded_memory(serve: Serve) -> None:
    """Each has what the transport and the queue may hold, and not a message more."""
    count, limit = 1000, 8192
    sockets: set[web.WebSocketResponse] = set()

    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(
            slow_client="drop_oldest", writer_limit=limit, queue_limit=limit, compress=False
        )
        await ws.prepare(request)
        with_small_buffer(ws)
        sockets.add(ws)
        await ws.receive()
        return ws

    served = await serve(handler)
    for _ in range(count):
        await open_wire(served, buffer=4096)
    message = "x" * 1000
    while not all(ws.dropped for ws in sockets):
        web.broadcast(sockets, message)
        await asyncio.sleep(0)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(100):
            web.broadcast(sockets, message)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert all(ws.dropped >= 100 for ws in sockets)
    held = 0
    for ws in sockets:
        channel = ws._channel
        assert channel is not None
        assert channel._transport is not None
        assert channel._outbox is not None
        held += channel._transport.get_write_buffer_size() + channel._outbox.size
    assert held <= count * (2 * limit + 2 * len(message))
    # What was there before has been replaced, and counts as new: a queue each, not all messages.
    assert grown < count * 2 * len(message)


@pytest.mark.sockets
async def test_a_client_that_pings_and_never_reads_costs_no_more(serve: Serve) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        with_small_buffer(ws)
        while not ws._channel._paused_writing:  # type: ignore[union-attr]
            ws.send_bytes(bytes(1000))
        sizes.append(ws._exchange.transport.get_write_buffer_size())  # type: ignore[union-attr]
        assert await ws.receive_str() == "the end of the pings"
        sizes.append(ws._exchange.transport.get_write_buffer_size())  # type: ignore[union-attr]

    sizes: list[int] = []
    served = await serve(socket_handler(body))
    wire = await open_wire(served, buffer=4096)
    await behind(served)
    for _ in range(100):
        wire.send(frame(9, bytes(125)) * 1000)
        await wire.writer.drain()
    wire.send(frame(1, b"the end of the pings"))
    await served.until(lambda: len(sizes) == 2)
    assert sizes[1] <= sizes[0]
    pongs = 0
    while (got := await receive(wire))[0] != 8:
        pongs += got[0] == 10
    assert pongs <= 64


# -- signs of life


async def test_a_dead_client_wakes_the_handler_with_a_reason(
    serve: Serve, failures: Failures
) -> None:
    got: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        message = await ws.receive()
        got.append((message.type.name, str(message.data)))
        got.append((ws.close_code, message.data is ws.exception()))
        got.append((await ws.receive()).type.name)

    served = await serve(socket_handler(body, heartbeat=0.1, heartbeat_timeout=0.05))
    await open_wire(served)
    await served.idle()
    assert got == [
        ("ERROR", "the client gave no sign of life: ping timeout"),
        (1006, True),
        "CLOSED",
    ]
    assert failures() == []


@pytest.mark.sockets
async def test_a_dead_client_ends_those_who_wait_for_it(serve: Serve, failures: Failures) -> None:
    caught: list[str] = []

    async def body(ws: web.WebSocketResponse) -> None:
        with_small_buffer(ws)
        try:
            while True:
                await ws.send_bytes(bytes(1000))
        except web.ClientConnectionResetError as error:
            caught.append(str(error))

    served = await serve(socket_handler(body, heartbeat=0.05, heartbeat_timeout=0.05))
    await open_wire(served, buffer=4096)  # which never reads, nor writes
    await served.idle()
    assert len(caught) == 1
    assert failures() == []


@pytest.mark.sockets
async def test_a_client_that_ends_but_takes_nothing_is_not_waited_for(serve: Serve) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        with_small_buffer(ws)
        while not ws._channel._paused_writing:  # type: ignore[union-attr]
            ws.send_bytes(bytes(1000))
        await ws.receive()

    served = await serve(socket_handler(body, timeout=0.05))
    wire = await open_wire(served, buffer=4096)
    await behind(served)
    wire.send(frame(8))
    await served.idle()


async def test_a_client_that_is_not_read_from_is_not_taken_for_dead(serve: Serve) -> None:
    gate = asyncio.Event()

    async def body(ws: web.WebSocketResponse) -> None:
        await gate.wait()
        for _ in range(300):
            assert (await ws.receive()).data == "x"
        await ws.send_str("alive")

    served = await serve(socket_handler(body, heartbeat=0.2, heartbeat_timeout=0.2))
    wire = await open_wire(served, more=frame(1, b"x") * 300)
    for _ in range(5):
        assert await receive(wire) == (9, b"")
    gate.set()
    while (got := await receive(wire))[0] == 9:
        pass
    assert got == (1, b"alive")


@pytest.mark.sockets
async def test_a_client_that_takes_what_it_is_sent_is_alive(serve: Serve) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        with_small_buffer(ws)
        await ws.send_bytes(bytes(300_000))
        await ws.send_str("all of it")

    served = await serve(socket_handler(body, heartbeat=0.5, heartbeat_timeout=0.5))
    wire = await open_wire(served, buffer=4096)
    left = 300_000
    assert await wire.reader.readexactly(10)
    while left:
        left -= len(await wire.reader.read(min(left, 2048)))
        await asyncio.sleep(0.005)  # without a word for longer than the heartbeat takes
    while (got := await receive(wire))[0] == 9:
        pass
    assert got == (1, b"all of it")


@pytest.mark.parametrize("end", [frame(3), frame(8), frame(1, b"\xff")])
async def test_messages_before_the_end_are_answered_before_it(serve: Serve, end: bytes) -> None:
    served = await serve(echo)
    wire = await open_wire(served)
    wire.send(frame(1, b"one") + frame(2, b"two") + end)
    assert await receive(wire) == (1, b"one")
    assert await receive(wire) == (2, b"two")
    assert (await receive(wire))[0] == 8
    wire = await open_wire(served)
    wire.send(frame(1, b"th", fin=False) + frame(0, b"ree") + end)
    assert await receive(wire) == (1, b"three")
    assert (await receive(wire))[0] == 8
