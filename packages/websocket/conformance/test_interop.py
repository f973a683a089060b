"""Both roles over real sockets against websockets and aiohttp.

    pytest conformance

Needs the dependency group ``interop``. The peers judge: they get back what they sent, in every
setting of compression they can ask for, and see the close they should.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest
import websockets.asyncio.client
import websockets.asyncio.server
from aiohttp import web
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)

sys.path.insert(0, str(Path(__file__).parent))

import echo_client

from headrace.websocket import Deflate, Limits

SERVER = Path(__file__).parents[3] / "examples" / "websocket_echo_asyncio.py"
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
FULL = Deflate(server_max_window_bits=15, client_max_window_bits=15, threshold=0)
SETTINGS = [
    None,
    Deflate(threshold=0),
    FULL,
    Deflate(True, True, 15, 15, threshold=0),
    Deflate(False, True, 9, 9, threshold=0),
    Deflate(True, False, 10, 15, threshold=100),
]


def example_server() -> ModuleType:
    spec = importlib.util.spec_from_file_location("websocket_echo_asyncio", SERVER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def our_server(deflate: Deflate | None) -> AsyncIterator[int]:
    server_type = example_server().EchoServer
    loop = asyncio.get_running_loop()
    limits = Limits(max_message=4 * 1024 * 1024)
    server = await loop.create_server(lambda: server_type(limits, deflate), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await main()

    asyncio.run(limited())


# Our server


@pytest.mark.parametrize("ours", SETTINGS)
@pytest.mark.parametrize(
    "theirs",
    [
        None,
        ClientPerMessageDeflateFactory(),
        ClientPerMessageDeflateFactory(True, True, 9, 9),
        ClientPerMessageDeflateFactory(client_max_window_bits=True),
    ],
)
def test_our_server_and_a_websockets_client(
    ours: Deflate | None, theirs: ClientPerMessageDeflateFactory | None
) -> None:
    async def main() -> None:
        async with (
            our_server(ours) as port,
            websockets.asyncio.client.connect(
                f"ws://127.0.0.1:{port}/",
                compression=None,
                extensions=[theirs] if theirs else None,
                max_size=None,
            ) as client,
        ):
            assert bool(client.protocol.extensions) is bool(ours and theirs)
            for message in MESSAGES:
                await client.send(message)
                assert await client.recv() == message
            await client.send(["a", "b", "", "c"])  # fragments
            assert await client.recv() == "abc"
            await (await client.ping(b"here?"))
            await client.close(4000, "done")
            assert client.close_code == 4000

    run(main)


@pytest.mark.parametrize("ours", SETTINGS)
@pytest.mark.parametrize("window", [0, 9, 15])
def test_our_server_and_an_aiohttp_client(ours: Deflate | None, window: int) -> None:
    async def main() -> None:
        async with (
            our_server(ours) as port,
            aiohttp.ClientSession() as session,
            session.ws_connect(
                f"http://127.0.0.1:{port}/", compress=window, max_msg_size=0
            ) as client,
        ):
            assert bool(client.compress) is bool(ours and window)
            for message in MESSAGES:
                if isinstance(message, str):
                    await client.send_str(message)
                    assert await client.receive_str() == message
                else:
                    await client.send_bytes(message)
                    assert await client.receive_bytes() == message
            await client.ping()
            assert await client.close(code=4000)
            assert client.close_code == 4000

    run(main)


# Our client


async def serve_and_echo(port: int, deflate: Deflate | None, verdict: asyncio.Future[int]) -> None:
    await echo_client.echo(port, "/", deflate)
    assert await verdict == 1000


@pytest.mark.parametrize("ours", SETTINGS)
@pytest.mark.parametrize(
    "theirs",
    [
        None,
        ServerPerMessageDeflateFactory(),
        ServerPerMessageDeflateFactory(True, True, 9, 9),
    ],
)
def test_our_client_and_a_websockets_server(
    ours: Deflate | None, theirs: ServerPerMessageDeflateFactory | None
) -> None:
    async def main() -> None:
        verdict: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def handler(server: websockets.asyncio.server.ServerConnection) -> None:
            assert bool(server.protocol.extensions) is bool(ours and theirs)
            for message in MESSAGES:
                await server.send(message)
                assert await server.recv() == message
            await server.send([b"a", b"b", b""])
            assert await server.recv() == b"ab"
            await (await server.ping())
            await server.close()
            verdict.set_result(server.close_code or 0)

        async with websockets.asyncio.server.serve(
            handler,
            "127.0.0.1",
            0,
            compression=None,
            extensions=[theirs] if theirs else None,
            max_size=None,
        ) as listening:
            port = next(iter(listening.sockets)).getsockname()[1]
            await serve_and_echo(port, ours, verdict)

    run(main)


@pytest.mark.parametrize("ours", SETTINGS)
@pytest.mark.parametrize("compress", [True, False])
def test_our_client_and_an_aiohttp_server(ours: Deflate | None, compress: bool) -> None:
    async def main() -> None:
        verdict: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def handler(request: web.Request) -> web.WebSocketResponse:
            server = web.WebSocketResponse(compress=compress, max_msg_size=0)
            await server.prepare(request)
            assert bool(server.compress) is bool(ours and compress)
            for message in MESSAGES:
                if isinstance(message, str):
                    await server.send_str(message)
                    assert await server.receive_str() == message
                else:
                    await server.send_bytes(message)
                    assert await server.receive_bytes() == message
            await server.ping()
            await server.close()
            verdict.set_result(server.close_code or 0)
            return server

        app = web.Application()
        app.router.add_get("/", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            await serve_and_echo(runner.addresses[0][1], ours, verdict)
        finally:
            await runner.cleanup()

    run(main)
