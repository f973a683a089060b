"""For those who write tests with unittest: aiohttp's names, on today's asyncio."""

import asyncio
import contextlib
import unittest
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from unittest.mock import AsyncMock

from ._client import TestClient
from ._server import BaseTestServer, TestServer
from ._shape import Application, ProtocolFactory

__all__ = [
    "AioHTTPTestCase",
    "loop_context",
    "make_mocked_coro",
    "setup_test_loop",
    "teardown_test_loop",
    "unittest_run_loop",
]

_F = TypeVar("_F", bound=Callable[..., Any])


class AioHTTPTestCase(unittest.IsolatedAsyncioTestCase):
    """A test case with a client of its own for each test.

    Override `get_application`; `get_server` and `get_client` may be overridden too.

    Attributes:
        app: The application.
        server: The started server.
        client: The started client.
    """

    app: Application | ProtocolFactory
    server: BaseTestServer
    client: TestClient

    async def get_application(self) -> Application | ProtocolFactory:
        """Return the application to test."""
        raise NotImplementedError("override get_application()")

    async def get_server(self, app: Application | ProtocolFactory) -> BaseTestServer:
        """Return the server of *app*."""
        return TestServer(app, transport="memory")

    async def get_client(self, server: BaseTestServer) -> TestClient:
        """Return the client of *server*."""
        return TestClient(server)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        return asyncio.get_running_loop()

    async def asyncSetUp(self) -> None:
        """Start the server; call it first when overriding."""
        self.app = await self.get_application()
        self.server = await self.get_server(self.app)
        self.client = await self.get_client(self.server)
        await self.client.start_server()
        await self.setUpAsync()

    async def asyncTearDown(self) -> None:
        """Close the client and the server; call it last when overriding."""
        try:
            await self.tearDownAsync()
        finally:
            await self.client.close()

    async def setUpAsync(self) -> None:  # noqa: N802 (aiohttp's name)
        """Override to do more before each test."""

    async def tearDownAsync(self) -> None:  # noqa: N802 (aiohttp's name)
        """Override to do more after each test."""


def unittest_run_loop(fn: _F) -> _F:
    """Return *fn*: test cases have been run on a loop without help since Python 3.8."""
    return fn


def setup_test_loop(
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> asyncio.AbstractEventLoop:
    """Return a new loop, made the current one."""
    loop = loop_factory()
    asyncio.set_event_loop(loop)
    return loop


def teardown_test_loop(loop: asyncio.AbstractEventLoop, fast: bool = False) -> None:
    """Close *loop*; unless *fast*, its asynchronous generators are ended first."""
    if not loop.is_closed():
        if not fast:
            loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    asyncio.set_event_loop(None)


@contextlib.contextmanager
def loop_context(
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    fast: bool = False,
) -> Iterator[asyncio.AbstractEventLoop]:
    """Have a new loop, made the current one, for the length of a ``with``."""
    loop = setup_test_loop(loop_factory)
    try:
        yield loop
    finally:
        teardown_test_loop(loop, fast)


def make_mocked_coro(
    return_value: Any = None, raise_exception: BaseException | type[BaseException] | None = None
) -> AsyncMock:
    """Return a mock to be awaited, which returns or raises as told."""
    return AsyncMock(return_value=return_value, side_effect=raise_exception)
