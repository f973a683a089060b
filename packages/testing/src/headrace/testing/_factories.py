"""What the fixtures give to a test: functions that make clients and servers, and close them."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar, final

from ._blocking import BlockingClient
from ._client import TestClient
from ._errors import LeakError
from ._server import BaseTestServer, TestServer
from ._shape import Application, ProtocolFactory
from ._web import RawTestServer

__all__ = ["ClientFactory", "Opened", "ServerFactory"]

_S = TypeVar("_S", bound=BaseTestServer)


class ClientFactory(Protocol):
    """The fixture ``headrace_client``: it makes a started client, closed after the test."""

    async def __call__(
        self,
        app_or_server: Application | ProtocolFactory | BaseTestServer,
        *,
        server_kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> TestClient:
        """Return a started client.

        Args:
            app_or_server: As for `TestClient`.
            server_kwargs: Passed to the application's ``make_handler()``.
            options: As for `TestClient`.
        """
        ...


class ServerFactory(Protocol):
    """The fixture ``headrace_server``: it makes a started server, closed after the test."""

    async def __call__(
        self,
        app: Application | ProtocolFactory,
        *,
        port: int | None = None,
        server_kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> TestServer:
        """Return a started server; *options* as for `TestServer`."""
        ...


@final
class Opened:
    """What a test has opened; closed in reverse order.

    Args:
        defaults: Options of clients that the test does not give.
    """

    def __init__(self, defaults: dict[str, Any]) -> None:
        self.clients: list[TestClient] = []
        self._defaults = defaults
        self._all: list[TestClient | BaseTestServer] = []

    async def client(
        self,
        app_or_server: Application | ProtocolFactory | BaseTestServer,
        *,
        server_kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> TestClient:
        """Make a `TestClient`; see `ClientFactory`."""
        chosen = {**self._defaults, **options}
        if isinstance(app_or_server, BaseTestServer):
            chosen.pop("transport", None)
        client = TestClient(app_or_server, **chosen)
        self._all.append(client)
        self.clients.append(client)
        await client.start_server(**server_kwargs or {})
        return client

    async def server(
        self,
        app: Application | ProtocolFactory,
        *,
        port: int | None = None,
        server_kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> TestServer:
        """Make a `TestServer`; see `ServerFactory`."""
        return await self.started(TestServer(app, port=port, **options), server_kwargs or {})

    async def raw_server(
        self,
        handler: Callable[..., Awaitable[Any]],
        *,
        port: int | None = None,
        server_kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> RawTestServer:
        """Make a `RawTestServer` of *handler*."""
        return await self.started(RawTestServer(handler, port=port, **options), server_kwargs or {})

    async def started(self, server: _S, kwargs: dict[str, Any]) -> _S:
        """Start *server* and have it closed after the test."""
        self._all.append(server)
        await server.start_server(**kwargs)
        return server

    def described(self) -> list[str]:
        """Return the last exchanges of each client, for the report of a failure."""
        return [str(response) for client in self.clients for response in client.exchanges[-3:]]

    async def close(self, *, ignore_leaks: bool) -> None:
        """Close everything.

        Raises:
            LeakError: with all that is left open, unless *ignore_leaks*.
        """
        leaks: list[str] = []
        while self._all:
            try:
                await self._all.pop().close()
            except LeakError as error:
                leaks += error.leaks
        if leaks and not ignore_leaks:
            raise LeakError(leaks)


@final
class BlockingOpened:
    """The clients that a test without ``async`` has opened.

    Args:
        defaults: Options of clients that the test does not give.
    """

    def __init__(self, defaults: dict[str, Any]) -> None:
        self.clients: list[BlockingClient] = []
        self._defaults = defaults

    def client(
        self, app_or_server: Application | ProtocolFactory | BaseTestServer, **options: Any
    ) -> BlockingClient:
        """Make a `BlockingClient`."""
        chosen = {**self._defaults, **options}
        if isinstance(app_or_server, BaseTestServer):
            chosen.pop("transport", None)
        client = BlockingClient(app_or_server, **chosen)
        self.clients.append(client)
        client.start()
        return client

    def described(self) -> list[str]:
        """Return the last exchanges of each client, for the report of a failure."""
        return [str(response) for client in self.clients for response in client.exchanges[-3:]]

    def close(self, *, ignore_leaks: bool) -> None:
        """Close everything.

        Raises:
            LeakError: with all that is left open, unless *ignore_leaks*.
        """
        leaks: list[str] = []
        while self.clients:
            try:
                self.clients.pop().close()
            except LeakError as error:
                leaks += error.leaks
        if leaks and not ignore_leaks:
            raise LeakError(leaks)
