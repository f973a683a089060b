"""WebSockets over both transports."""

import asyncio

import pytest
from servers import Answer, ServerWebSocket, WSServerProtocol, factory, ws_echo

from headrace.testing import (
    ResponseTimeoutError,
    WSMessage,
    WSMessageTypeError,
    WSMsgType,
    WSServerHandshakeError,
)
from headrace.websocket import Binary, Close, ConnectionClosed, Ping, Pong, Text


def serving(handler, **options):
    return lambda: WSServerProtocol(handler, **options)


async def test_messages_are_echoed(connect) -> None:
    async with connect(serving(ws_echo)) as client:
        async with client.ws_connect("/chat") as socket:
            await socket.send_str("hello")
            assert await socket.receive_str() == "hello"
            await socket.send_bytes(b"\x00\x01")
            assert await socket.receive() == (WSMsgType.BINARY, b"\x00\x01", None)
            await socket.send_bytes(bytearray(b"ab"))
            assert await socket.receive_bytes() == b"ab"
            await socket.send_json({"a": 1})
            assert await socket.receive_json() == {"a": 1}
            await socket.send_json([1])
            message = await socket.receive()
            assert message.json() == [1]
            assert message.tp is message.type is WSMsgType.TEXT
            assert not socket.closed
            assert socket.response.status == 101
            assert socket.response.headers["Upgrade"] == "websocket"
        assert socket.closed
        assert socket.close_code == 1000
        assert repr(socket) == "<ClientWebSocketResponse GET /chat closed 1000>"


async def test_the_server_closes(connect) -> None:
    async def handler(socket: ServerWebSocket) -> None:
        socket.send(Text("bye"))
        socket.send(Close(4001, "enough"))

    async with connect(serving(handler)) as client:
        socket = await client.ws_connect("/")
        assert [message async for message in socket] == [WSMessage(WSMsgType.TEXT, "bye")]
        assert socket.close_code == 4001
        assert (await socket.receive()).type is WSMsgType.CLOSED
        with pytest.raises(ConnectionResetError):
            await socket.send_str("late")
        assert await socket.close() is False


async def test_a_close_is_a_message(connect) -> None:
    async def handler(socket: ServerWebSocket) -> None:
        socket.send(Close(1000, "done"))

    async with connect(serving(handler)) as client:
        socket = await client.ws_connect("/")
        assert await socket.receive() == (WSMsgType.CLOSE, 1000, "done")
        await socket.close()


async def test_closing_says_why(connect) -> None:
    heard = []

    async def handler(socket: ServerWebSocket) -> None:
        while not isinstance(event := await socket.receive(), ConnectionClosed):
            heard.append(event)

    async with connect(serving(handler)) as client:
        socket = await client.ws_connect("/")
        assert await socket.close(code=4000, message=b"no more") is True
        assert await socket.close() is False
    assert heard == [Close(4000, "no more")]


async def test_pings_are_answered_unseen(connect) -> None:
    heard = []

    async def handler(socket: ServerWebSocket) -> None:
        socket.send(Ping(b"are you there"))
        heard.append(await socket.receive())
        socket.send(Text("thanks"))

    async with connect(serving(handler)) as client, client.ws_connect("/") as socket:
        assert await socket.receive_str() == "thanks"
    assert heard == [Pong(b"are you there")]


async def test_pings_are_seen_when_asked_for(connect) -> None:
    async def handler(socket: ServerWebSocket) -> None:
        socket.send(Ping(b"one"))
        assert await socket.receive() == Pong(b"mine")
        assert await socket.receive() == Ping(b"two")

    async with (
        connect(serving(handler)) as client,
        client.ws_connect("/", autoping=False) as socket,
    ):
        assert await socket.receive() == (WSMsgType.PING, b"one", None)
        await socket.pong(b"mine")
        await socket.ping("two")
        assert await socket.receive() == (WSMsgType.PONG, b"two", None)


async def test_fragments_can_be_sent(connect) -> None:
    async with connect(serving(ws_echo)) as client, client.ws_connect("/") as socket:
        await socket.send_frame(Binary(b"one ", final=False))
        await socket.send_frame(Binary(b"two", final=True))
        assert await socket.receive_bytes() == b"one two"


async def test_a_message_of_another_type(connect) -> None:
    async with connect(serving(ws_echo)) as client, client.ws_connect("/") as socket:
        await socket.send_str("text")
        with pytest.raises(WSMessageTypeError, match=r"received TEXT \('text'\), not BINARY"):
            await socket.receive_bytes()


async def test_wrong_arguments(connect) -> None:
    async with connect(serving(ws_echo)) as client, client.ws_connect("/") as socket:
        with pytest.raises(TypeError, match="data must be str"):
            await socket.send_str(b"bytes")
        with pytest.raises(TypeError, match="bytes-like"):
            await socket.send_bytes("text")
        with pytest.raises(ValueError, match="125"):
            await socket.ping(bytes(126))


async def test_subprotocols(connect) -> None:
    async with connect(serving(ws_echo, subprotocols=("b",))) as client:
        async with client.ws_connect("/", protocols=("a", "b")) as socket:
            assert socket.protocol == "b"
        async with client.ws_connect("/") as socket:
            assert socket.protocol is None


@pytest.mark.parametrize("compress", [True, 10])
async def test_compression(connect, compress) -> None:
    async with connect(serving(ws_echo, deflate=True)) as client:
        async with client.ws_connect("/", compress=compress) as socket:
            assert socket.compress
            await socket.send_str("again " * 1000)
            assert await socket.receive_str() == "again " * 1000
        async with client.ws_connect("/") as socket:
            assert not socket.compress


async def test_the_handshake_carries_what_requests_do(connect) -> None:
    seen = []

    class Seeing(WSServerProtocol):
        def shake_hands(self, request) -> None:
            seen.append((request.target, dict(request.headers)))
            super().shake_hands(request)

    async with connect(lambda: Seeing(ws_echo), cookies={"a": "b"}) as client:
        socket = await client.ws_connect(
            client.make_url("/x").with_scheme("ws"),
            params={"q": "1"},
            headers={"X-Mine": "yes"},
            origin="http://example.com",
            auth=("user", "word"),
        )
        await socket.close()
    target, headers = seen[0]
    assert target == b"/x?q=1"
    assert headers[b"X-Mine"] == b"yes"
    assert headers[b"Origin"] == b"http://example.com"
    assert headers[b"Cookie"] == b"a=b"
    assert headers[b"Authorization"] == b"Basic dXNlcjp3b3Jk"


async def test_a_refusal_shows_the_exchange(connect) -> None:
    async def refuse(asked, protocol) -> Answer:
        return Answer(403, b"not you")

    async with connect(factory(refuse)) as client:
        with pytest.raises(WSServerHandshakeError) as info:
            await client.ws_connect("/door")
        assert info.value.status == 403
        assert "> GET /door HTTP/1.1\n" in str(info.value)
        assert str(info.value).endswith("< not you")


async def test_a_wrong_acceptance(connect) -> None:
    class Wrong(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Accept: nonsense\r\n\r\n"
            )

    async with connect(Wrong) as client:
        with pytest.raises(WSServerHandshakeError, match="does not answer the key"):
            await client.ws_connect("/")


async def test_headers_of_the_caller_replace_those_of_the_handshake(connect) -> None:
    async with connect(serving(ws_echo)) as client:
        with pytest.raises(WSServerHandshakeError, match="426"):
            await client.ws_connect("/", headers={"sec-websocket-version": "7"})


async def test_bytes_that_follow_the_handshake_at_once(connect) -> None:
    async def handler(socket: ServerWebSocket) -> None:
        socket.send(Text("at once"))

    class Eager(WSServerProtocol):
        def shake_hands(self, request) -> None:
            sent = []
            transport, self.transport = self.transport, _Collecting(sent)
            super().shake_hands(request)
            self.transport = transport
            from headrace.websocket import Connection, Role

            transport.write(b"".join(sent) + Connection(Role.SERVER).send(Text("at once")))

    class _Collecting:
        def __init__(self, sent: list[bytes]) -> None:
            self.write = sent.append

    async def quiet(socket: ServerWebSocket) -> None:
        await asyncio.sleep(0)

    async with connect(lambda: Eager(quiet)) as client, client.ws_connect("/") as socket:
        assert await socket.receive_str() == "at once"


async def test_the_server_vanishes(connect) -> None:
    async def handler(socket: ServerWebSocket) -> None:
        socket.protocol.transport.close()

    async with connect(serving(handler)) as client:
        socket = await client.ws_connect("/")
        assert (await socket.receive()).type is WSMsgType.CLOSED
        assert socket.close_code == 1006


async def test_the_server_breaks_the_protocol(connect) -> None:
    async def handler(socket: ServerWebSocket) -> None:
        socket.protocol.transport.write(b"\xff\xff\xff")

    async with connect(serving(handler)) as client:
        socket = await client.ws_connect("/")
        message = await socket.receive()
        assert message.type is WSMsgType.ERROR
        assert message.data is socket.exception()
        assert socket.close_code == 1002
        await socket.close()


async def test_messages_too_big(connect) -> None:
    async with connect(serving(ws_echo)) as client:
        socket = await client.ws_connect("/", max_msg_size=100)
        await socket.send_bytes(bytes(101))
        assert (await socket.receive()).type is WSMsgType.ERROR
        assert socket.close_code == 1009
        async with client.ws_connect("/", max_msg_size=4_000_000) as socket:
            await socket.send_bytes(bytes(4_000_000))
            assert len(await socket.receive_bytes()) == 4_000_000


async def test_receive_times_out_by_the_clock(connect) -> None:
    async with (
        connect(serving(ws_echo)) as client,
        client.ws_connect("/", receive_timeout=60) as socket,
    ):
        waiting = asyncio.create_task(socket.receive())
        await client.clock.advance(50)
        assert not waiting.done()
        await client.clock.advance(15)
        with pytest.raises(TimeoutError):
            await waiting
        await socket.send_str("still open")
        assert await socket.receive_str() == "still open"


async def test_a_silent_server_is_noticed_in_real_time(connect) -> None:
    async with (
        connect(serving(ws_echo)) as client,
        client.ws_connect("/quiet", timeout=0.01) as socket,
    ):
        with pytest.raises(ResponseTimeoutError, match=r"GET /quiet: no message for 0\.01"):
            await socket.receive()


async def test_heartbeats_follow_the_clock(connect) -> None:
    pings = []

    async def handler(socket: ServerWebSocket) -> None:
        while not isinstance(event := await socket.receive(), ConnectionClosed):
            pings.append(event)

    async with (
        connect(serving(handler)) as client,
        client.ws_connect("/", heartbeat=20) as socket,
    ):
        await client.clock.advance(61)
        assert not socket.closed
        assert pings == [Ping(b"")] * 3


async def test_a_peer_without_a_pulse(connect) -> None:
    async def handler(socket: ServerWebSocket) -> None:
        socket.protocol.transport.pause_reading()
        await asyncio.Event().wait()

    async with connect(serving(handler), check_leaks=False) as client:
        socket = await client.ws_connect("/", heartbeat=20)
        await client.clock.advance(31)
        assert socket.close_code == 1006


async def test_a_peer_that_never_closes(connect) -> None:
    async def handler(socket: ServerWebSocket) -> None:
        socket.protocol.transport.pause_reading()
        await asyncio.Event().wait()

    async with connect(serving(handler), check_leaks=False) as client:
        socket = await client.ws_connect("/", close_timeout=5)
        closing = asyncio.create_task(socket.close())
        await client.clock.advance(4)
        assert not closing.done()
        await client.clock.advance(2)
        assert await closing is True


async def test_messages_not_received_stop_the_server(connect) -> None:
    sent = 0

    async def handler(socket: ServerWebSocket) -> None:
        nonlocal sent
        while sent < 2000:
            socket.send(Binary(bytes(10_000)))
            sent += 1
            await asyncio.sleep(0)

    async with connect(serving(handler)) as client, client.ws_connect("/") as socket:
        await client.clock.settle()
        total = 0
        while total < 2000:
            total += len(await socket.receive_bytes()) // 10_000
        assert total == 2000


async def test_only_one_task_receives(connect) -> None:
    async with connect(serving(ws_echo)) as client, client.ws_connect("/") as socket:
        first = asyncio.create_task(socket.receive())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="already receiving"):
            await socket.receive()
        await socket.send_str("x")
        assert (await first).data == "x"


async def test_extra_info(connect, transport) -> None:
    async with connect(serving(ws_echo)) as client, client.ws_connect("/") as socket:
        assert socket.get_extra_info("peername") == ("127.0.0.1", client.port)
        assert socket.get_extra_info("nothing", 7) == 7
