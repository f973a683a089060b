"""WebSockets as handlers and clients see them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from serving import Failures, Serve

from headrace import testing, web
from headrace.web import MsgType, WSMsgType

Body = Callable[[web.WebSocketResponse], Awaitable[Any]]


def socket_handler(body: Body, **settings: Any) -> Any:
    """Return a handler that opens a WebSocket and hands it to *body*."""

    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(**settings)
        await ws.prepare(request)
        await body(ws)
        return ws

    return handler


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


async def test_one_enum_has_two_names_and_two_cases() -> None:
    assert MsgType is WSMsgType
    assert WSMsgType.text is WSMsgType.TEXT
    assert {int(testing.WSMsgType[name]) for name in ("TEXT", "BINARY", "CLOSE", "PING")} == {
        int(WSMsgType[name]) for name in ("TEXT", "BINARY", "CLOSE", "PING")
    }
    message = web.WSMessage(WSMsgType.TEXT, '{"a": 1}', None)
    assert message.tp is message.type
    assert message.json() == {"a": 1}
    kind, data, extra = message
    assert (kind, data, extra) == (WSMsgType.TEXT, '{"a": 1}', None)


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
        for _ in range(5):
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


async def test_a_failing_handler_is_logged_and_the_connection_dropped(
    serve: Serve, failures: Failures
) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        raise ValueError("the inside")

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/") as ws:
        message = await ws.receive()
        assert message.type in (testing.WSMsgType.CLOSED, testing.WSMsgType.ERROR)
    assert failures() == ["Error handling GET /: ValueError"]


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
