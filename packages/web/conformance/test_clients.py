"""WebSockets of an application against the clients of aiohttp, websockets and picows."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import picows
import pytest
import websockets.asyncio.client
from echo_app import make_app
from serving_apps import serving
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from headrace import web

MESSAGES: list[str | bytes] = [
    "",
    b"",
    "hello",
    "κόσμε 𝄞",
    bytes(range(256)),
    "x" * 65536,
    b"\x00" * 100_001,
    "é" * 600_000,
    bytes(range(256)) * 4096,
    "hello",
]
MAX_MESSAGE = 4 * 1024**2
TEXT = "to be or not to be, that is the question, " * 100


@pytest.mark.parametrize("compress", [None, True])
@pytest.mark.parametrize("window", [0, 9, 15])
async def test_aiohttp(window: int, compress: bool | None) -> None:
    async with (
        serving(make_app(MAX_MESSAGE, compress)) as port,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}/", compress=window, max_msg_size=0) as client,
    ):
        for message in MESSAGES:
            if isinstance(message, str):
                await client.send_str(message)
                assert await client.receive_str() == message
            else:
                await client.send_bytes(message)
                assert await client.receive_bytes() == message
        assert await client.close(code=4000)
        assert client.close_code == 4000


@pytest.mark.parametrize("compress", [None, True])
@pytest.mark.parametrize(
    "extension",
    [
        None,
        ClientPerMessageDeflateFactory(),
        ClientPerMessageDeflateFactory(True, True, 9, 9),
        ClientPerMessageDeflateFactory(client_max_window_bits=True),
    ],
)
async def test_websockets(
    extension: ClientPerMessageDeflateFactory | None, compress: bool | None
) -> None:
    async with (
        serving(make_app(MAX_MESSAGE, compress)) as port,
        websockets.asyncio.client.connect(
            f"ws://127.0.0.1:{port}/",
            compression=None,
            extensions=[extension] if extension else None,
            max_size=None,
        ) as client,
    ):
        for message in MESSAGES:
            await client.send(message)
            assert await client.recv() == message
        await client.send(["a", "b", "", "c"])  # fragments
        assert await client.recv() == "abc"
        await (await client.ping(b"here?"))
        await client.close(4000, "done")
        assert client.close_code == 4000


class Listener(picows.WSListener):
    """Puts what comes into a queue."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str | bytes | int] = asyncio.Queue()

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.TEXT:
            self.queue.put_nowait(frame.get_payload_as_utf8_text())
        elif frame.msg_type == picows.WSMsgType.BINARY:
            self.queue.put_nowait(frame.get_payload_as_bytes())
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            self.queue.put_nowait(int(frame.get_close_code()))
            transport.disconnect()


async def test_picows() -> None:
    async with serving(make_app(MAX_MESSAGE, None)) as port:
        transport, listener = await picows.ws_connect(Listener, f"ws://127.0.0.1:{port}/")
        assert isinstance(listener, Listener)
        for message in MESSAGES:
            kind = picows.WSMsgType.TEXT if isinstance(message, str) else picows.WSMsgType.BINARY
            transport.send(kind, message.encode() if isinstance(message, str) else message)
            async with asyncio.timeout(10):
                assert await listener.queue.get() == message
        transport.send_close(picows.WSCloseCode.OK)
        async with asyncio.timeout(10):
            assert await listener.queue.get() == 1000
            await transport.wait_disconnected()


def room() -> web.Application:
    """Return an application that broadcasts what it receives, and answers it on its own too."""
    sockets: set[web.WebSocketResponse] = set()

    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        sockets.add(ws)
        async for message in ws:
            await ws.send_str(TEXT + message.data)
            web.broadcast(sockets, TEXT)
            await ws.send_str(TEXT)
        sockets.discard(ws)
        return ws

    app = web.Application()
    app.router.add_get("/", handler)
    return app


@pytest.mark.parametrize(
    "extension",
    [ClientPerMessageDeflateFactory(), ClientPerMessageDeflateFactory(client_max_window_bits=9)],
)
async def test_clients_with_context_read_broadcasts_between_own_messages(
    extension: Any,
) -> None:
    async with (
        serving(room()) as port,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}/", compress=15) as one,
        websockets.asyncio.client.connect(
            f"ws://127.0.0.1:{port}/", compression=None, extensions=[extension]
        ) as other,
    ):
        for number in range(5):
            await one.send_str(str(number))
            for expected in (TEXT + str(number), TEXT, TEXT):
                assert await one.receive_str() == expected
            assert await other.recv() == TEXT
            await other.send(str(number))
            for expected in (TEXT + str(number), TEXT, TEXT):
                assert await other.recv() == expected
            assert await one.receive_str() == TEXT
