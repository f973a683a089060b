"""WebSockets as handlers and clients see them."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import Failures, Serve
from wsframes import frame, open_wire, receive, socket_handler, with_small_buffer

from headrace import testing, web
from headrace.web import WSMsgType, _channel


async def test_messages_of_each_type_go_both_ways(serve: Serve) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        await ws.send_str(await ws.receive_str() + "!")
        await ws.send_bytes(await ws.receive_bytes() + b"!")
        await ws.send_json([await ws.receive_json(), "!"])
        for data in (bytearray(b"array"), memoryview(b"view")):
            await ws.send_bytes(data)

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/") as ws:
        await ws.send_str("text")
        assert await ws.receive_str() == "text!"
        await ws.send_bytes(b"bytes")
        assert await ws.receive_bytes() == b"bytes!"
        await ws.send_json({"a": 1})
        assert await ws.receive_json() == [{"a": 1}, "!"]
        assert await ws.receive_bytes() == b"array"
        assert await ws.receive_bytes() == b"view"
        message = await ws.receive()
        assert (message.type, message.data) == (testing.WSMsgType.CLOSE, 1000)


async def test_a_text_is_not_received_as_bytes(serve: Serve) -> None:
    caught: list[str] = []

    async def body(ws: web.WebSocketResponse) -> None:
        with pytest.raises(web.WSMessageTypeError, match=r"TEXT.*expected BINARY") as error:
            await ws.receive_bytes()
        caught.append(str(error.value))

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/") as ws:
        await ws.send_str("text")
        await ws.receive()
    await served.idle()
    assert len(caught) == 1


async def test_sending_checks_its_types_and_its_time() -> None:
    ws = web.WebSocketResponse()
    for call in (ws.send_str, ws.send_bytes, ws.send_json):
        with pytest.raises((RuntimeError, TypeError)):
            call("x")
    with pytest.raises(RuntimeError, match="prepare"):
        await ws.receive()
    with pytest.raises(RuntimeError, match="prepare"):
        await ws.close()
    with pytest.raises(TypeError, match="str"):
        ws.send_str(b"bytes")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="bytes"):
        ws.send_bytes("text")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="body"):
        ws.write(b"body")


async def test_sends_need_not_be_awaited(serve: Serve) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        ws.send_str("one")
        ws.send_bytes(b"two")
        ws.send_json(3)
        ws.ping()
        ws.pong("four")

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/", autoping=False) as ws:
        got = [(message.type.name, message.data) async for message in ws]
    assert got == [
        ("TEXT", "one"), ("BINARY", b"two"), ("TEXT", "3"), ("PING", b""), ("PONG", b"four")
    ]  # fmt: skip


@pytest.mark.parametrize("who", ["server", "client"])
async def test_a_close_has_a_code_and_a_reason(serve: Serve, who: str) -> None:
    seen: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        if who == "server":
            seen.append(await ws.close(code=4000, message=b"enough"))
            seen.append(await ws.close())
        else:
            message = await ws.receive()
            seen.append((message.type, message.data, message.extra))
            seen.append(await ws.close())
        seen.append((ws.closed, ws.close_code, ws.exception()))

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/") as ws:
        if who == "client":
            await ws.close(code=4000, message=b"enough")
        else:
            message = await ws.receive()
            assert (message.data, message.extra) == (4000, "enough")
    await served.idle()
    if who == "server":
        assert seen == [True, False, (True, 4000, None)]  # the code of the client's answer
    else:
        assert seen == [(WSMsgType.CLOSE, 4000, "enough"), False, (True, 4000, None)]


async def test_after_the_handlers_own_close_the_loop_ends(serve: Serve, failures: Failures) -> None:
    got: list[str] = []

    async def body(ws: web.WebSocketResponse) -> None:
        async for message in ws:
            got.append(message.data)
            if message.data == "close":
                await ws.close()

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/") as ws:
        for text in ("one", "close", "two", "three"):
            await ws.send_str(text)
        assert (await ws.receive()).type is testing.WSMsgType.CLOSE
    await served.idle()
    assert got == ["one", "close"]
    assert failures() == []


async def test_a_close_from_another_task_ends_the_receiving(serve: Serve) -> None:
    ends: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        receiving = asyncio.ensure_future(ws.receive())
        await asyncio.sleep(0)
        await ws.close()
        ends.append((await receiving).type)
        ends.append((await ws.receive()).type)

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/") as ws:
        await ws.receive()
    await served.idle()
    assert ends == [WSMsgType.CLOSING, WSMsgType.CLOSED]


async def test_asking_a_closed_connection_again_and_again_is_an_error(serve: Serve) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        await ws.close()
        for _ in range(4):
            assert (await ws.receive()).type is WSMsgType.CLOSED
        with pytest.raises(RuntimeError, match="closed"):
            await ws.receive()
        done.append(True)

    done: list[bool] = []
    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/") as ws:
        await ws.receive()
    await served.idle()
    assert done == [True]


async def test_sending_to_a_closed_websocket_is_an_error(serve: Serve, failures: Failures) -> None:
    caught: list[bool] = []

    async def body(ws: web.WebSocketResponse) -> None:
        async for _ in ws:
            pass
        with pytest.raises(web.ClientConnectionResetError):
            await ws.send_str("too late")
        caught.append(True)
        await ws.send_str("too late")

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/") as ws:
        await ws.close()
    await served.idle()
    assert caught == [True]
    assert failures() == []  # a client that goes is no failure of the handler


async def test_only_one_task_receives(serve: Serve) -> None:
    done: list[bool] = []

    async def body(ws: web.WebSocketResponse) -> None:
        receiving = asyncio.ensure_future(ws.receive())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task"):
            await ws.receive()
        assert (await receiving).data == "mine"
        done.append(True)

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/") as ws:
        await ws.send_str("mine")
        await ws.receive()
    assert done == [True]


async def test_receiving_may_have_a_timeout(serve: Serve) -> None:
    caught: list[str] = []

    async def body(ws: web.WebSocketResponse) -> None:
        for timeout in (0.01, None):
            with pytest.raises(TimeoutError):
                await ws.receive(timeout)
            caught.append("late")
        ws.send_str("still open")

    served = await serve(socket_handler(body, receive_timeout=0.01))
    async with served.client.ws_connect("/") as ws:
        assert await ws.receive_str() == "still open"
    assert caught == ["late", "late"]


async def test_pings_are_answered_or_handed_over(serve: Serve) -> None:
    got: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        message = await ws.receive()
        got.append((message.type, message.data))

    for autoping in (True, False):
        served = await serve(socket_handler(body, autoping=autoping))
        async with served.client.ws_connect("/", autoping=False) as ws:
            await ws.ping(b"there?")
            if autoping:
                message = await ws.receive()
                assert (message.type, message.data) == (testing.WSMsgType.PONG, b"there?")
                await ws.send_str("text")
            await ws.receive()
    assert got == [(WSMsgType.TEXT, "text"), (WSMsgType.PING, b"there?")]


async def test_without_autoclose_the_handler_answers_the_close(
    serve: Serve, failures: Failures
) -> None:
    seen: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        message = await ws.receive()
        seen.append((message.type, ws.closed))
        seen.append(await ws.close(code=4002))

    served = await serve(socket_handler(body, autoclose=False))
    async with served.client.ws_connect("/", autoclose=False) as ws:
        async with asyncio.timeout(5):
            await ws.close(code=4001)
        assert ws.close_code == 4002
    await served.idle()
    assert seen == [(WSMsgType.CLOSE, False), True]
    assert failures() == []


@pytest.mark.parametrize(
    ("offered", "spoken", "agreed"),
    [(("b", "a"), ("a", "b"), {"a", "b"}), (("c",), ("a",), {None}), ((), ("a",), {None})],
)
async def test_a_subprotocol_is_agreed_on(
    serve: Serve, offered: tuple[str, ...], spoken: tuple[str, ...], agreed: set[str | None]
) -> None:
    seen: list[Any] = []

    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(protocols=spoken)
        ready = ws.can_prepare(request)
        ok, protocol = ready
        assert ready
        assert ok
        await ws.prepare(request)
        assert protocol == ws.ws_protocol == ws.protocol
        seen.append(protocol)
        return ws

    served = await serve(handler)
    async with served.client.ws_connect("/", protocols=offered) as ws:
        assert ws.protocol in agreed
        assert seen == [ws.protocol]


@pytest.mark.parametrize("asked", [0, 12, 15])
@pytest.mark.parametrize("offered", [True, False, 12])
async def test_compression_is_agreed_on(serve: Serve, asked: int, offered: bool | int) -> None:
    text = "to be or not to be " * 500

    async def body(ws: web.WebSocketResponse) -> None:
        for compress in (None, True, False):
            await ws.send_str(await ws.receive_str(), compress)

    served = await serve(socket_handler(body, compress=offered))
    async with served.client.ws_connect("/", compress=asked) as ws:
        assert bool(ws.compress) is (bool(asked) and bool(offered))
        for _ in range(3):
            await ws.send_str(text)
            assert await ws.receive_str() == text


async def test_a_message_that_is_too_big_closes(serve: Serve) -> None:
    codes: list[int | None] = []

    async def body(ws: web.WebSocketResponse) -> None:
        async for _ in ws:
            pass
        codes.append(ws.close_code)

    served = await serve(socket_handler(body, max_msg_size=1000))
    async with served.client.ws_connect("/") as ws:
        await ws.send_str("x" * 1000)
        await ws.send_str("x" * 1001)
        message = await ws.receive()
        assert (message.type, message.data) == (testing.WSMsgType.CLOSE, 1009)
    await served.idle()
    assert codes == [1009]


HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Upgrade": None}, 400),
        ({"Upgrade": "h2c"}, 400),
        ({"Connection": "keep-alive"}, 400),
        ({"Sec-WebSocket-Key": None}, 400),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Sec-WebSocket-Version": "12"}, 426),
        ({"Sec-WebSocket-Version": None}, 400),
    ],
)
async def test_a_request_that_is_no_handshake_gets_an_ordinary_answer(
    serve: Serve, failures: Failures, change: dict[str, str | None], status: int
) -> None:
    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        assert not ws.can_prepare(request)
        await ws.prepare(request)
        return ws

    served = await serve(handler)
    fields = {name: value for name, value in (HANDSHAKE | change).items() if value is not None}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    wire = await served.connect()
    wire.send(f"GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode())
    head, body = await wire.answer()
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert body.startswith(b"%d: " % status)
    if status == 426:
        assert b"Sec-WebSocket-Version: 13\r\n" in head
    assert failures() == []


async def test_a_handler_may_answer_otherwise_where_no_websocket_is_asked_for(
    serve: Serve,
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        if not ws.can_prepare(request).ok:
            return web.Response(text="a page")
        await ws.prepare(request)
        await ws.send_str("a socket")
        return ws

    served = await serve(handler)
    async with served.client.get("/") as response:
        assert await response.text() == "a page"
    async with served.client.ws_connect("/") as ws:
        assert await ws.receive_str() == "a socket"


async def test_a_handler_that_forgets_to_close_or_return_leaves_nothing(
    serve: Serve, failures: Failures
) -> None:
    async def handler(request: web.Request) -> None:
        ws = web.WebSocketResponse()
        await ws.prepare(request)

    served = await serve(handler)
    async with served.client.ws_connect("/") as ws:
        await ws.receive()
    await served.idle()
    assert failures() == ["Error handling GET /: TypeError"]


async def test_fields_of_the_response_go_into_the_handshake(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        ws.headers["X-Mine"] = "yes"
        ws.set_cookie("name", "value")
        await ws.prepare(request)
        assert ws.prepared
        assert ws.get_extra_info("peername")[0] == "127.0.0.1"
        return ws

    served = await serve(handler)
    async with served.client.ws_connect("/") as ws:
        assert ws.response.headers["X-Mine"] == "yes"
        assert ws.response.cookies["name"].value == "value"


async def test_text_may_be_left_undecoded(serve: Serve) -> None:
    got: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        message = await ws.receive()
        got.append((message.type, message.data))

    served = await serve(socket_handler(body, decode_text=False))
    async with served.client.ws_connect("/") as ws:
        await ws.send_str("zwölf")
        await ws.receive()
    assert got == [(WSMsgType.TEXT, "zwölf".encode())]


# -- frames, streams, rooms


async def test_frames_may_be_sent_in_their_bytes(serve: Serve) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        await ws.send_frame("zwölf".encode(), WSMsgType.TEXT)
        await ws.send_frame(bytearray(b"bytes"), WSMsgType.BINARY, compress=15)
        await ws.send_frame(b"there?", WSMsgType.PING)
        await ws.send_frame(b"here", WSMsgType.PONG)
        await ws.send_json_bytes({"a": 1}, dumps=lambda data: json.dumps(data).encode())
        for opcode in (WSMsgType.CLOSE, WSMsgType.CONTINUATION, WSMsgType.ERROR):
            with pytest.raises(ValueError, match="opcode"):
                ws.send_frame(b"", opcode)
        with pytest.raises(ValueError, match="utf-8"):
            ws.send_frame(b"\xff", WSMsgType.TEXT)
        for send in (ws.ping, ws.pong):
            with pytest.raises(ValueError, match="125"):
                send(bytes(126))
        with pytest.raises(ValueError, match="UTF-8"):
            ws.send_str("\ud800")

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/", autoping=False, compress=15) as ws:
        got = [(message.type.name, message.data) async for message in ws]
    assert got == [
        ("TEXT", "zwölf"), ("BINARY", b"bytes"), ("PING", b"there?"), ("PONG", b"here"),
        ("BINARY", b'{"a": 1}'),
    ]  # fmt: skip


@pytest.mark.parametrize("compress", [0, 15])
async def test_a_message_is_sent_in_pieces(serve: Serve, compress: int) -> None:
    async def texts() -> AsyncIterator[str]:
        for number in range(1000):
            yield f"{number},"

    async def octets() -> AsyncIterator[bytes | bytearray]:
        for number in range(100):
            yield bytes([number]) * 10_000
            yield bytearray(b"")

    async def nothing() -> AsyncIterator[str]:
        return
        yield

    async def body(ws: web.WebSocketResponse) -> None:
        await ws.send_stream(texts())
        await ws.send_stream(nothing())
        await ws.send_stream(octets())
        await ws.send_str("after it")

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/", compress=compress) as ws:
        assert await ws.receive_str() == "".join(f"{number}," for number in range(1000))
        assert await ws.receive_bytes() == b"".join(bytes([n]) * 10_000 for n in range(100))
        assert await ws.receive_str() == "after it"


async def test_messages_and_pings_during_a_stream(serve: Serve) -> None:
    """Messages come after it, pongs in between: that is all that the protocol lets in."""
    order: list[str] = []

    async def pieces(ws: web.WebSocketResponse) -> AsyncIterator[str]:
        yield "a"
        order.append("piece")
        ws.send_str("meanwhile")
        others.append(asyncio.ensure_future(ws.send_stream(other())))
        others.append(asyncio.ensure_future(ws.send_str("awaited")))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        await gate.wait()
        yield "b"

    async def other() -> AsyncIterator[bytes]:
        yield b"other"

    async def body(ws: web.WebSocketResponse) -> None:
        await ws.send_stream(pieces(ws))
        await asyncio.gather(*others)
        await ws.receive()

    gate = asyncio.Event()
    others: list[asyncio.Future[None]] = []
    served = await serve(socket_handler(body))
    wire = await open_wire(served)
    assert await receive(wire) == (1, b"a")
    wire.send(frame(9, b"ping"))
    assert await receive(wire) == (10, b"ping")
    gate.set()
    got = [await receive(wire) for _ in range(6)]
    assert got == [
        (0, b"b"), (0, b""), (1, b"meanwhile"), (1, b"awaited"), (2, b"other"), (0, b"")
    ]  # fmt: skip


@pytest.mark.parametrize("fault", ["raises", "mixes", "is no text", "is cancelled"])
async def test_a_stream_that_fails_closes_the_connection(
    serve: Serve, failures: Failures, fault: str
) -> None:
    closed: list[str] = []

    async def pieces() -> AsyncIterator[Any]:
        try:
            yield "a"
            if fault == "raises":
                raise LookupError
            if fault == "is cancelled":
                await asyncio.sleep(60)
            yield b"b" if fault == "mixes" else 5
        finally:
            closed.append("closed")

    async def body(ws: web.WebSocketResponse) -> None:
        sending = asyncio.ensure_future(ws.send_stream(pieces()))
        ws.send_str("never sent")
        if fault == "is cancelled":
            await asyncio.sleep(0.01)
            sending.cancel()
        with pytest.raises((LookupError, TypeError, asyncio.CancelledError)):
            await sending
        with pytest.raises(web.ClientConnectionResetError):
            ws.send_str("too late")
        await ws.receive()

    served = await serve(socket_handler(body))
    wire = await open_wire(served)
    got = []
    while not got or got[-1][0] != 8:
        got.append(await receive(wire))
    assert got[-1] == (8, b"\x03\xf3")
    assert (1, b"a") in got
    wire.send(frame(8, b"\x03\xf3"))
    await wire.rest()
    await served.idle()
    assert closed == ["closed"]
    assert failures() == []


@pytest.mark.sockets
async def test_a_stream_waits_for_a_slow_client_and_ends_with_it(
    serve: Serve, failures: Failures
) -> None:
    sent = 0
    closed: list[bool] = []

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        try:
            while True:
                yield bytes(10_000)
                sent += 1
        finally:
            closed.append(True)

    async def body(ws: web.WebSocketResponse) -> None:
        with_small_buffer(ws)
        await ws.send_stream(pieces())

    served = await serve(socket_handler(body))
    wire = await open_wire(served, buffer=4096)
    await served.until(lambda: sent > 5)
    await asyncio.sleep(0.01)
    assert sent < 100
    wire.reset()
    await served.idle()
    assert closed == [True]
    assert failures() == []


@pytest.mark.parametrize("compress", [0, 9, 15])
async def test_a_broadcast_goes_between_other_messages(serve: Serve, compress: int) -> None:
    """Own messages, which may refer to earlier ones, are read all the same."""
    sockets: set[web.WebSocketResponse] = set()
    text = "to be or not to be, that is the question, " * 100

    async def body(ws: web.WebSocketResponse) -> None:
        sockets.add(ws)
        async for message in ws:
            await ws.send_str(text + message.data)
            web.broadcast(sockets, text)
            web.broadcast(sockets, memoryview(text.encode()), compress=True)
            await ws.send_str(text)
        sockets.discard(ws)

    served = await serve(socket_handler(body))
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(served.client.ws_connect("/", compress=window))
            for window in (compress, compress, 15)
        ]
        await served.until(lambda: len(sockets) == 3)
        for client in clients:
            await client.send_str("!")
            assert await client.receive_str() == text + "!"
            for each in clients:
                assert await each.receive_str() == text
                assert await each.receive_bytes() == text.encode()
            assert await client.receive_str() == text


async def test_a_broadcast_passes_over_who_is_not_there(serve: Serve) -> None:
    sockets: list[web.WebSocketResponse] = [web.WebSocketResponse()]

    async def body(ws: web.WebSocketResponse) -> None:
        sockets.append(ws)
        await ws.receive()

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/"):
        pass
    await served.idle()
    async with served.client.ws_connect("/") as ws:
        await served.until(lambda: len(sockets) == 3)
        web.broadcast(sockets, "hello")
        assert await ws.receive_str() == "hello"
        with pytest.raises(TypeError, match="int"):
            web.broadcast(sockets, 5)  # type: ignore[arg-type]
        with pytest.raises(UnicodeEncodeError):
            web.broadcast(sockets, "\ud800")


@pytest.mark.sockets
async def test_a_broadcast_to_one_that_never_reads_harms_no_other(
    serve: Serve, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_channel, "SEND_LIMIT", 200_000)
    sockets: set[web.WebSocketResponse] = set()
    ends: list[str] = []

    async def body(ws: web.WebSocketResponse) -> None:
        with_small_buffer(ws)
        sockets.add(ws)
        message = await ws.receive()
        sockets.discard(ws)
        ends.append(f"{message.type.name} {message.data}")

    served = await serve(socket_handler(body))
    wire = await open_wire(served, buffer=4096)
    async with served.client.ws_connect("/") as ws:
        await served.until(lambda: len(sockets) == 2)
        sent = 0
        while len(sockets) == 2:
            web.broadcast(sockets, "x" * 1000)
            sent += 1
            await ws.receive_str()
        assert sent < 500
        assert wire.writer is not None
    await served.idle()
    assert "too slow" in ends[0]
    assert failures() == []


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(["str", "bytes", "stream", "broadcast"]), st.booleans()),
            max_size=4,
        ),
        min_size=2,
        max_size=4,
    ),
    st.sampled_from([None, 9, 15]),
)
def test_many_tasks_may_send_in_any_order(
    plans: list[list[tuple[str, bool]]], window: int | None
) -> None:
    """Each task's messages arrive whole and in its order, compressed or not."""

    async def send(ws: web.WebSocketResponse, kind: str, text: str, awaited: bool) -> None:
        async def pieces() -> AsyncIterator[str]:
            for at in range(0, len(text), 500):
                await asyncio.sleep(0)
                yield text[at : at + 500]

        if kind == "stream":
            await ws.send_stream(pieces())
        elif kind == "broadcast":
            web.broadcast([ws], text)
        else:
            sent = ws.send_str(text) if kind == "str" else ws.send_bytes(text.encode())
            if awaited:
                await sent

    async def body(ws: web.WebSocketResponse) -> None:
        async def write(task: int) -> None:
            for number, (kind, awaited) in enumerate(plans[task]):
                await send(ws, kind, f"{task} {number} " + "x" * 1500, awaited)
                await asyncio.sleep(0)

        await asyncio.gather(*map(write, range(len(plans))))

    async def main() -> None:
        app = web.Application()
        app.router.add_get("/", socket_handler(body))
        async with (
            testing.TestClient(app) as client,
            client.ws_connect("/", compress=window or 0) as ws,
        ):
            got = [message.data async for message in ws]
        texts = [data if isinstance(data, str) else data.decode() for data in got]
        for task, plan in enumerate(plans):
            mine = [text for text in texts if text.startswith(f"{task} ")]
            assert mine == [f"{task} {number} " + "x" * 1500 for number in range(len(plan))]

    asyncio.run(main())


@pytest.mark.parametrize(
    "change",
    [
        {"slow_client": "drop"},
        {"compress": 16},
        {"heartbeat": 0},
        {"heartbeat": 1, "heartbeat_timeout": 0},
        {"timeout": 0},
    ],
)
def test_settings_out_of_their_range_are_errors(change: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        web.WebSocketResponse(**change)


@pytest.mark.parametrize(
    ("code", "reason", "fault"),
    [
        (1005, "", "1005"),
        (99, "", "99"),
        (1000, "x" * 124, "124 bytes"),
        (1000, "\ud800", "UTF-8"),
    ],
)
async def test_a_close_that_may_not_be_sent_is_an_error_and_nothing_else(
    serve: Serve, failures: Failures, code: int, reason: str, fault: str
) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        with pytest.raises(ValueError, match=fault):
            await ws.close(code=code, message=reason)
        assert not ws.closed
        await ws.send_str(await ws.receive_str())
        assert await ws.close(code=4000)

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/") as ws:
        await ws.send_str("still open")
        assert (await ws.receive()).data == "still open"
        await ws.receive()
        assert ws.close_code == 4000
    await served.idle()
    assert failures() == []


@pytest.mark.parametrize("error", [LookupError, web.HTTPNotFound, asyncio.CancelledError])
async def test_a_handler_that_fails_closes_with_1011_and_is_logged_once(
    serve: Serve, failures: Failures, error: type[BaseException]
) -> None:
    sockets: list[web.WebSocketResponse] = []

    async def body(ws: web.WebSocketResponse) -> None:
        sockets.append(ws)
        await ws.send_str(await ws.receive_str())
        raise error

    served = await serve(socket_handler(body))
    wire = await open_wire(served)
    wire.send(frame(1, b"now"))
    assert await receive(wire) == (1, b"now")
    assert await receive(wire) == (8, struct.pack("!H", 1011))
    wire.send(frame(1, b"ignored") * 1000 + frame(8, struct.pack("!H", 1011)))
    assert await wire.rest() == b""
    await served.idle()
    assert failures() == [f"Error handling GET /: {error.__name__}"]
    assert sockets[0].closed
    assert sockets[0].close_code == 1011


async def test_a_client_that_does_not_answer_a_failure_is_not_waited_for(
    serve: Serve, failures: Failures
) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        raise LookupError

    served = await serve(socket_handler(body, timeout=0.05))
    wire = await open_wire(served)
    assert await receive(wire) == (8, struct.pack("!H", 1011))
    assert await wire.rest() == b""
    assert len(failures()) == 1


async def test_a_failure_after_the_close_adds_nothing(serve: Serve, failures: Failures) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        await ws.close(code=4000)
        raise LookupError

    served = await serve(socket_handler(body))
    wire = await open_wire(served)
    close = struct.pack("!H", 4000)
    assert await receive(wire) == (8, close)
    wire.send(frame(8, close))
    assert await wire.rest() == b""
    assert len(failures()) == 1
