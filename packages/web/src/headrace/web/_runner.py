"""Runners and sites: an application brought to life on addresses, and taken down in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ssl import SSLContext
from typing import Any, Final, cast

from yarl import URL

from ._app import Application
from ._log import AbstractAccessLogger, AccessLogger, access_logger
from ._server import Server

HostSequence = str | Sequence[str]


class GracefulExit(SystemExit):
    """Raised in the main program by some add-ons to end `run_app`."""

    code = 1


def _exit() -> None:
    raise GracefulExit


def _on_stop_signals(callback: Callable[[], None] | None) -> None:
    """Call *callback* from the running loop at SIGINT and SIGTERM; None ends that."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # on Windows loops have no signals
            if callback is None:
                loop.remove_signal_handler(number)
            else:
                loop.add_signal_handler(number, callback)


class BaseSite(ABC):
    """An address on which a runner's server listens."""

    def __init__(
        self,
        runner: BaseRunner,
        *,
        ssl_context: SSLContext | None = None,
        backlog: int = 128,
    ) -> None:
        if runner.server is None:
            raise RuntimeError("call runner.setup() before making a site")
        self._runner = runner
        self._ssl_context = ssl_context
        self._backlog = backlog
        self._server: asyncio.Server | None = None

    @property
    @abstractmethod
    def name(self) -> str:
        """The URL of the site."""

    @abstractmethod
    async def _listen(self, loop: asyncio.AbstractEventLoop, server: Server) -> asyncio.Server: ...

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The address cannot be used.
            RuntimeError: The site listens already.
        """
        if self._server is not None:
            raise RuntimeError(f"site {self.name} is started already")
        server = self._runner.server
        assert server is not None
        self._server = await self._listen(asyncio.get_running_loop(), server)
        self._runner.sites.add(self)

    async def stop(self) -> None:
        """Stop listening; connections that are open stay open."""
        self._runner.sites.discard(self)
        if self._server is not None:
            self._server.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class TCPSite(BaseSite):
    """A TCP address; port 0 lets the system choose, None is 8080, or 8443 with TLS."""

    def __init__(
        self,
        runner: BaseRunner,
        host: HostSequence | None = None,
        port: int | None = None,
        *,
        ssl_context: SSLContext | None = None,
        backlog: int = 128,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
    ) -> None:
        super().__init__(runner, ssl_context=ssl_context, backlog=backlog)
        self._host = host
        self._port = port if port is not None else (8443 if ssl_context else 8080)
        self._reuse_address = reuse_address
        self._reuse_port = reuse_port

    @property
    def port(self) -> int:
        """The port; the one that the system chose once the site is started."""
        if self._server is not None and self._server.sockets:
            return int(self._server.sockets[0].getsockname()[1])
        return self._port

    @property
    def name(self) -> str:
        """The URL of the site."""
        host = self._host if isinstance(self._host, str) and self._host else "0.0.0.0"  # noqa: S104 (only shown)
        scheme = "https" if self._ssl_context else "http"
        return str(URL.build(scheme=scheme, host=host, port=self.port))

    async def _listen(self, loop: asyncio.AbstractEventLoop, server: Server) -> asyncio.Server:
        return await loop.create_server(
            server,
            self._host,
            self._port,
            ssl=self._ssl_context,
            backlog=self._backlog,
            reuse_address=self._reuse_address,
            reuse_port=self._reuse_port,
        )


class UnixSite(BaseSite):
    """A Unix domain socket; its file is removed when the site stops."""

    def __init__(
        self,
        runner: BaseRunner,
        path: str | os.PathLike[str],
        *,
        ssl_context: SSLContext | None = None,
        backlog: int = 128,
    ) -> None:
        super().__init__(runner, ssl_context=ssl_context, backlog=backlog)
        self._path = os.fspath(path)

    @property
    def name(self) -> str:
        """The path of the socket as a URL."""
        scheme = "https" if self._ssl_context else "http"
        return f"{scheme}://unix:{self._path}:"

    async def _listen(self, loop: asyncio.AbstractEventLoop, server: Server) -> asyncio.Server:
        return await loop.create_unix_server(
            server, self._path, ssl=self._ssl_context, backlog=self._backlog
        )

    async def stop(self) -> None:
        """Stop listening and remove the socket's file."""
        listening = self._server is not None
        await super().stop()
        if listening:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)


class SockSite(BaseSite):
    """A socket that is bound already."""

    def __init__(
        self,
        runner: BaseRunner,
        sock: socket.socket,
        *,
        ssl_context: SSLContext | None = None,
        backlog: int = 128,
    ) -> None:
        super().__init__(runner, ssl_context=ssl_context, backlog=backlog)
        self._sock = sock

    @property
    def name(self) -> str:
        """The address of the socket as a URL."""
        scheme = "https" if self._ssl_context else "http"
        if self._sock.family == getattr(socket, "AF_UNIX", None):
            return f"{scheme}://unix:{self._sock.getsockname()}:"
        host, port = self._sock.getsockname()[:2]
        return str(URL.build(scheme=scheme, host=host, port=port))

    async def _listen(self, loop: asyncio.AbstractEventLoop, server: Server) -> asyncio.Server:
        if self._sock.family == getattr(socket, "AF_UNIX", None):
            return await loop.create_unix_server(
                server, sock=self._sock, ssl=self._ssl_context, backlog=self._backlog
            )
        return await loop.create_server(
            server, sock=self._sock, ssl=self._ssl_context, backlog=self._backlog
        )


class NamedPipeSite(BaseSite):
    """A named pipe of Windows; the loop must be a `asyncio.ProactorEventLoop`."""

    def __init__(self, runner: BaseRunner, path: str) -> None:
        super().__init__(runner)
        self._path = path

    @property
    def name(self) -> str:
        """The path of the pipe."""
        return self._path

    async def _listen(self, loop: asyncio.AbstractEventLoop, server: Server) -> asyncio.Server:
        start = getattr(loop, "start_serving_pipe", None)
        if start is None:
            raise RuntimeError("named pipes need the proactor event loop of Windows")
        [pipe] = await start(server, self._path)
        return cast(asyncio.Server, pipe)


class BaseRunner(ABC):
    """Starts a server, holds its sites, and stops all of it in order.

    Args:
        handle_signals: Raise `GracefulExit` from the event loop at SIGINT and SIGTERM.
        shutdown_timeout: Seconds that running handlers get when the runner is cleaned up.
        settings: Those of `Server`.
    """

    def __init__(
        self, *, handle_signals: bool = False, shutdown_timeout: float = 60.0, **settings: Any
    ) -> None:
        self.handle_signals = handle_signals
        self.shutdown_timeout = shutdown_timeout
        self.sites: Final[set[BaseSite]] = set()
        self._settings = settings
        self._server: Server | None = None

    @property
    def server(self) -> Server | None:
        """The server; None before `setup` and after `cleanup`."""
        return self._server

    @property
    def addresses(self) -> list[Any]:
        """The addresses of the sites, as the sockets tell them."""
        return [
            sock.getsockname()
            for site in self.sites
            if site._server is not None
            for sock in site._server.sockets
        ]

    @abstractmethod
    async def _make_server(self) -> Server: ...
    @abstractmethod
    async def _shut_down(self) -> None: ...
    @abstractmethod
    async def _clean_up(self) -> None: ...

    async def setup(self) -> None:
        """Start what serves requests; sites can be made afterwards."""
        if self._server is not None:
            raise RuntimeError("the runner is set up already")
        if self.handle_signals:
            _on_stop_signals(_exit)
        self._server = await self._make_server()

    async def cleanup(self) -> None:
        """Stop: sites, idle connections, `on_shutdown`, running handlers, `on_cleanup`.

        Handlers get `shutdown_timeout` seconds to end.
        """
        for site in list(self.sites):
            await site.stop()
        server, self._server = self._server, None
        if server is None:
            return
        server.pre_shutdown()
        try:
            await self._shut_down()
        finally:
            try:
                await server.shutdown(self.shutdown_timeout)
            finally:
                await self._clean_up()
                if self.handle_signals:
                    _on_stop_signals(None)


class AppRunner(BaseRunner):
    """Runs an `Application`; settings are those of `Server`."""

    def __init__(
        self,
        app: Application,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._app = app

    @property
    def app(self) -> Application:
        """The application."""
        return self._app

    async def _make_server(self) -> Server:
        try:
            await self._app.startup()
        except BaseException:
            await self._app.cleanup()
            raise
        return self._app.make_handler(**self._settings)

    async def _shut_down(self) -> None:
        await self._app.shutdown()

    async def _clean_up(self) -> None:
        await self._app.cleanup()


class ServerRunner(BaseRunner):
    """Runs a `Server` that has no application."""

    def __init__(self, web_server: Server, **settings: Any) -> None:
        super().__init__(**settings)
        self._web_server = web_server

    async def _make_server(self) -> Server:
        return self._web_server

    async def _shut_down(self) -> None: ...

    async def _clean_up(self) -> None: ...


def _make_sites(
    runner: BaseRunner,
    host: HostSequence | None,
    port: int | None,
    path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None,
    sock: socket.socket | Iterable[socket.socket] | None,
    **options: Any,
) -> list[BaseSite]:
    """Return the sites that `run_app` is asked for; 0.0.0.0:8080 when it is asked for none."""
    common = {name: options[name] for name in ("ssl_context", "backlog")}
    hosts: Iterable[str | None] = [host] if isinstance(host, str) else host or []
    if host is None and (port is not None or (path is None and sock is None)):
        hosts = [None]
    paths = [path] if isinstance(path, str | os.PathLike) else path or []
    socks = [sock] if isinstance(sock, socket.socket) else sock or []
    return [
        *(TCPSite(runner, one, port, **options) for one in hosts),
        *(UnixSite(runner, one, **common) for one in paths),
        *(SockSite(runner, one, **common) for one in socks),
    ]


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory where it is installed, and None for asyncio's default."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _run(
    app: Application | Awaitable[Application],
    *,
    sites: dict[str, Any],
    runner_settings: dict[str, Any],
    handle_signals: bool,
    announce: Callable[..., None] | None,
) -> None:
    if not isinstance(app, Application):
        app = await app
    runner = AppRunner(app, **runner_settings)
    await runner.setup()
    try:
        for site in _make_sites(runner, **sites):
            await site.start()
        stopped = _stop_event(handle_signals)
        if announce is not None:
            names = sorted(site.name for site in runner.sites)
            announce(f"======== Running on {', '.join(names)} ========\n(Press CTRL+C to quit)")
        await stopped.wait()
    finally:
        await runner.cleanup()


def _stop_event(handle_signals: bool) -> asyncio.Event:
    """Return what SIGINT or SIGTERM set; without *handle_signals* nothing does.

    A second signal does not wait until all is closed: it ends the program at once.
    """
    stopped = asyncio.Event()

    def stop() -> None:
        stopped.set()
        _on_stop_signals(None)

    if handle_signals:
        _on_stop_signals(stop)
    return stopped


def run_app(
    app: Application | Awaitable[Application],
    *,
    host: HostSequence | None = None,
    port: int | None = None,
    path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
    sock: socket.socket | Iterable[socket.socket] | None = None,
    shutdown_timeout: float = 60.0,
    keepalive_timeout: float = 75.0,
    ssl_context: SSLContext | None = None,
    print: Callable[..., None] | None = print,  # noqa: A002 (the name that people know)
    backlog: int = 128,
    access_log_class: type[AbstractAccessLogger] = AccessLogger,
    access_log_format: str = AccessLogger.LOG_FORMAT,
    access_log: Any = access_logger,
    handle_signals: bool = True,
    reuse_address: bool | None = None,
    reuse_port: bool | None = None,
    handler_cancellation: bool = False,
    loop: asyncio.AbstractEventLoop | None = None,
) -> None:
    """Serve *app* until SIGINT or SIGTERM, on uvloop where it is installed.

    Args:
        app: The application, or a coroutine that returns it.
        host: One or several TCP hosts; all addresses when None.
        port: The TCP port; 8080, or 8443 with TLS, when None.
        path: One or several paths of Unix sockets.
        sock: One or several sockets that are bound already.
        shutdown_timeout: Seconds that running handlers get when the server stops.
        keepalive_timeout: Seconds for which an idle connection is kept.
        ssl_context: Serves TLS.
        print: Called with the addresses; None for silence.
        backlog: Connections that the system may queue before they are accepted.
        access_log_class: Formats and writes the access log.
        access_log_format: Its format.
        access_log: The logger that it goes to; None for no access log.
        handle_signals: Stop at SIGINT and SIGTERM.
        reuse_address: Passed to `asyncio.loop.create_server`.
        reuse_port: Passed to `asyncio.loop.create_server`.
        handler_cancellation: Cancel a handler when its client disconnects.
        loop: Accepted and ignored.
    """
    main = _run(
        app,
        sites={
            "host": host,
            "port": port,
            "path": path,
            "sock": sock,
            "ssl_context": ssl_context,
            "backlog": backlog,
            "reuse_address": reuse_address,
            "reuse_port": reuse_port,
        },
        runner_settings={
            "shutdown_timeout": shutdown_timeout,
            "keepalive_timeout": keepalive_timeout,
            "access_log_class": access_log_class,
            "access_log_format": access_log_format,
            "access_log": access_log,
            "handler_cancellation": handler_cancellation,
        },
        handle_signals=handle_signals,
        announce=print,
    )
    with (
        # Around the runner: a second Ctrl-C may come while it closes its loop.
        contextlib.suppress(GracefulExit, KeyboardInterrupt),
        asyncio.Runner(loop_factory=_loop_factory()) as runner,
    ):
        runner.run(main)
