"""WebSockets over both transports."""

from servers import WSServerProtocol, ws_echo

from headrace.testing import WSMsgType


async def test_messages_are_echoed(connect) -> None:
    async with connect(lambda: WSServerProtocol(ws_echo)) as client:
        async with client.ws_connect("/chat") as socket:
            await socket.send_str("hello")
            assert await socket.receive_str() == "hello"
            await socket.send_bytes(b"\x00\x01")
            assert await socket.receive() == (WSMsgType.BINARY, b"\x00\x01", None)
        assert socket.close_code == 1000
