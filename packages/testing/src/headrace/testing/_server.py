"""The server under test: an application or a protocol factory, started and stopped."""

import asyncio
import contextlib
import socket
import ssl as ssl_module
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, cast

from yarl import URL

from ._clock import Clock, clock_of
from ._errors import LeakError
from ._handler_errors import watched_loggers
from ._leaks import Leaks
from ._listeners import Listener, MemoryListener, SocketListener
from ._shape import Application, ProtocolFactory

__all__ = ["BaseTestServer", "Runner", "TestServer", "TransportKind", "unused_port"]

TransportKind: TypeAlias = Literal["memory", "socket"]


class Runner:
    """The life of what is driven, apart from where it listens; ``server.runner`` is one.

    Attributes:
        app: The application, or the protocol factory.
        server: The protocol factory of a started application, None before.
        addresses: Where the server listens.
    """

    def __init__(self, app: Application | ProtocolFactory, kwargs: dict[str, Any]) -> None:
        self.app = app
        self._application = app if isinstance(app, Application) else None
        self.server: ProtocolFactory | None = None
        self.addresses: list[tuple[str, int]] = []
        self._kwargs = kwargs

    async def setup(self) -> ProtocolFactory:
        """Start the application and return its protocol factory."""
        app = self._application
        if app is not None:
            try:
                await app.startup()
                self.server = cast(ProtocolFactory, app.make_handler(**self._kwargs))
            except BaseException:
                await app.cleanup()
                raise
        elif callable(self.app):
            self.server = self.app
        else:
            raise TypeError(
                f"{self.app!r} is neither an application (startup, make_handler, shutdown, "
                "cleanup) nor a protocol factory"
            )
        return self.server

    async def cleanup(self, timeout: float) -> None:
        """Stop what `setup` started; handlers have *timeout* seconds to finish."""
        server, app = self.server, self._application
        self.server = None
        await _call(server, "pre_shutdown")
        if app is not None:
            await app.shutdown()
        if hasattr(server, "shutdown"):
            await _call(server, "shutdown", timeout)
        else:
            await _call(server, "finish_connections", timeout)
        if app is not None:
            await app.cleanup()


async def _call(target: object, name: str, *args: object) -> None:
    method = getattr(target, name, None)
    if method is not None:
        result = method(*args)
        if asyncio.iscoroutine(result) or asyncio.isfuture(result):
            await result


class BaseTestServer:
    """What `TestServer` and `RawTestServer` share: an address and a life.

    Args:
        scheme: ``"http"`` or ``"https"``; the latter when None and *ssl* is given.
        host: Where to listen.
        port: The port; None takes a free one (in memory: 8080, or 8443 with TLS).
        transport: ``"socket"`` for a loopback socket, ``"memory"`` for none.
        ssl: The context of a server with TLS.
        shutdown_timeout: How long handlers may take to finish when the server is closed.
        check_leaks: Whether `close` raises `LeakError` for tasks, connections and temporary
            files that are left open.
    """

    __test__ = False

    def __init__(
        self,
        *,
        scheme: str | None = None,
        host: str = "127.0.0.1",
        port: int | None = None,
        transport: TransportKind = "socket",
        ssl: ssl_module.SSLContext | None = None,
        shutdown_timeout: float = 1.0,
        check_leaks: bool = True,
    ) -> None:
        if transport not in {"memory", "socket"}:
            raise ValueError(f"transport is 'memory' or 'socket', not {transport!r}")
        if scheme == "https" and ssl is None:
            raise ValueError("https needs a server's context: pass ssl=")
        self.scheme = scheme or ("https" if ssl is not None else "http")
        self.transport = transport
        self._host = host
        self._port = port
        self._ssl = ssl
        self._shutdown_timeout = shutdown_timeout
        self._check_leaks = check_leaks
        self._exit = contextlib.ExitStack()
        self._leaks: Leaks | None = None
        self._listener: Listener | None = None
        self._runner: Runner | None = None
        self._closed = False

    async def _make_runner(self, **kwargs: Any) -> Runner:
        raise NotImplementedError

    # The state

    @property
    def started(self) -> bool:
        """Tell whether the server was started."""
        return self._listener is not None

    @property
    def closed(self) -> bool:
        """Tell whether the server was closed."""
        return self._closed

    @property
    def listener(self) -> Listener:
        """Where the started server listens."""
        if self._listener is None:
            raise RuntimeError("the server is not started")
        return self._listener

    @property
    def runner(self) -> Runner:
        """The runner of the started server."""
        if self._runner is None:
            raise RuntimeError("the server is not started")
        return self._runner

    @property
    def handler(self) -> Any:
        """The protocol factory: ``headrace.web.Server`` for an application of headrace.web."""
        return self.runner.server

    @property
    def host(self) -> str:
        """The host that the server listens on."""
        return self._host

    @property
    def port(self) -> int | None:
        """The port; before the start, the one asked for."""
        return self._port if self._listener is None else self._listener.address[1]

    @property
    def clock(self) -> Clock:
        """The clock of the running loop."""
        return clock_of(asyncio.get_running_loop())

    def make_url(self, path: str | URL) -> URL:
        """Return the absolute URL of *path* on this server.

        Raises:
            ValueError: if *path* is a URL of another server.
        """
        root = URL.build(scheme=self.scheme, host=self.listener.address[0], port=self.port)
        url = URL(path)
        if not url.absolute:
            return root.join(url)
        if url.origin() != root.origin():
            raise ValueError(f"{url} is not on the server under test, {root}")
        return url

    # The life

    async def start_server(self, **kwargs: Any) -> None:
        """Start and listen; more calls do nothing.

        Args:
            kwargs: Passed to ``make_handler()`` of the application.
        """
        if self.started:
            return
        clock_of(asyncio.get_running_loop())  # Before the server can read the time.
        self._leaks = Leaks.watch()
        errors: list[BaseException] = []
        try:
            self._exit.enter_context(watched_loggers(errors))
            self._runner = await self._make_runner(**kwargs)
            factory = await self._runner.setup()
            self._listener = await self._listen(factory, errors)
        except BaseException:
            self._leaks.forget()
            self._exit.close()
            raise
        self._runner.addresses.append(self._listener.address)

    async def _listen(self, factory: ProtocolFactory, errors: list[BaseException]) -> Listener:
        if self.transport == "memory":
            return MemoryListener(factory, self._host, self._port or 0, self._ssl)
        return await SocketListener.open(factory, self._host, self._port or 0, self._ssl, errors)

    async def close(self) -> None:
        """Stop the server; more calls do nothing.

        Raises:
            LeakError: if something is left open, see *check_leaks*.
        """
        if not self.started or self._closed:
            return
        self._closed = True
        leaks = self._leaks
        assert leaks is not None
        try:
            await self.listener.close()
            await self.runner.cleanup(self._shutdown_timeout)
            left = await self.listener.wait_closed()
        finally:
            self._exit.close()
            found = await leaks.found()
        left += found
        if left and self._check_leaks:
            raise LeakError(left)

    async def __aenter__(self) -> Self:
        await self.start_server()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.close()
        except LeakError:
            if exc is None:  # What failed first says more.
                raise


class TestServer(BaseTestServer):
    """A server of an application, or of anything that makes ``asyncio.Protocol``s.

    Args:
        app: An application (``startup()``, ``make_handler()``, ``shutdown()``, ``cleanup()``), or
            a callable that returns a new ``asyncio.Protocol``.
    """

    __test__ = False

    def __init__(self, app: Application | ProtocolFactory, **options: Any) -> None:
        super().__init__(**options)
        self.app = app

    async def _make_runner(self, **kwargs: Any) -> Runner:
        return Runner(self.app, kwargs)


def unused_port() -> int:
    """Return a TCP port that is free on the loopback address now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
