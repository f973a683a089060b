"""An application that is served in a loop, and the life of a loop that serves nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from functools import partial
from ssl import SSLContext
from types import TracebackType
from typing import Any, Final, Self, TypedDict, Unpack, cast, final

from ._activation import activated_sockets
from ._app import Application
from ._log import AbstractAccessLogger
from ._runner import STOP_SIGNALS, AppRunner, GracefulExit, on_signals
from ._server import Server
from ._service import server_logger
from ._sites import BaseSite, HostSequence, SockSite, TCPSite, UnixSite
from ._stream_response import StreamResponse
from ._tls import TLSContext

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
Sockets = socket.socket | Iterable[socket.socket]

#: Seconds in which tasks that the program left running must end when their loop does.
END_TIME: Final = 5.0


class Address(TypedDict, total=False):
    """Where to listen, and how; see `run_app`."""

    host: HostSequence | None
    port: int | None
    path: Paths | None
    sock: Sockets | None
    unix_mode: int | None
    ssl_context: SSLContext | None
    ssl_handshake_timeout: float
    ssl_shutdown_timeout: float
    backlog: int
    reuse_address: bool | None
    reuse_port: bool | None


class Settings(TypedDict, total=False):
    """What `run_app` takes beside its own arguments; see `UnixSite`, `BaseRunner` and `Server`."""

    unix_mode: int | None
    ssl_handshake_timeout: float
    ssl_shutdown_timeout: float
    drain_delay: float
    head_timeout: float
    lingering_time: float
    body_timeout: float
    min_body_rate: float
    write_timeout: float
    handler_timeout: float
    max_connections: int | None
    max_connections_per_client: int | None
    max_concurrent_requests: int
    max_requests_per_connection: int
    retry_after: int
    max_line_size: int
    max_field_size: int
    max_headers: int
    tcp_keepalive: bool
    server_header: str | None
    debug: bool
    logger: logging.Logger


class ServeSettings(Settings, total=False):
    """What `serve` takes beside its own arguments; see `run_app`."""

    shutdown_timeout: float | None
    keepalive_timeout: float
    backlog: int
    access_log_class: type[AbstractAccessLogger]
    access_log_format: str
    reuse_address: bool | None
    reuse_port: bool | None
    handler_cancellation: bool


def make_sites(
    runner: AppRunner,
    *,
    host: HostSequence | None = None,
    port: int | None = None,
    path: Paths | None = None,
    sock: Sockets | None = None,
    unix_mode: int | None = None,
    reuse_address: bool | None = None,
    reuse_port: bool | None = None,
    **options: Any,
) -> list[BaseSite]:
    """Return the sites that are asked for; 0.0.0.0:8080 when none is."""
    hosts: Iterable[str | None] = [host] if isinstance(host, str) else host or []
    if host is None and (port is not None or (path is None and sock is None)):
        hosts = [None]
    paths = [path] if isinstance(path, str | os.PathLike) else path or []
    socks = [sock] if isinstance(sock, socket.socket) else sock or []
    reuse: dict[str, Any] = {"reuse_address": reuse_address, "reuse_port": reuse_port}
    return [
        *(TCPSite(runner, one, port, **reuse, **options) for one in hosts),
        *(UnixSite(runner, one, mode=unix_mode, **options) for one in paths),
        *(SockSite(runner, one, **options) for one in socks),
    ]


@final
class Serving(Coroutine[Any, Any, None]):
    """An application that is served: awaited until it is stopped, or for the time of a block.

    As a coroutine it goes to ``await``, `asyncio.create_task` or a `asyncio.TaskGroup`, and stops
    in order when it is cancelled or `stop` is called. As an asynchronous context manager it has
    started when the block begins, and has stopped when the block is left.
    """

    def __init__(
        self,
        app: Application | Awaitable[Application],
        address: Address,
        settings: dict[str, Any],
        *,
        signals: Iterable[signal.Signals] = (),
        announce: Callable[..., None] | None = None,
    ) -> None:
        self._app = app
        self._address = address
        self._settings = settings
        self._signals = tuple(signals)
        self._announce = announce
        self._runner: AppRunner | None = None
        self._coroutine: Coroutine[Any, Any, None] | None = None
        self._stopped = asyncio.Event()

    @property
    def runner(self) -> AppRunner:
        """The runner.

        Raises:
            RuntimeError: The application has not started yet.
        """
        if self._runner is None:
            raise RuntimeError("the application has not started yet")
        return self._runner

    @property
    def server(self) -> Server | None:
        """The server; None when it has stopped."""
        return self.runner.server

    @property
    def addresses(self) -> list[Any]:
        """The addresses that it listens on, as the sockets tell them."""
        return self.runner.addresses

    @property
    def urls(self) -> list[str]:
        """The URLs that it listens on."""
        return sorted(site.name for site in self.runner.sites)

    def stop(self) -> None:
        """End what awaits it, in order; called again, cancel what the stop still waits for."""
        if self._stopped.is_set() and self._runner is not None:
            self._runner.hurry()
        self._stopped.set()

    async def wait_stopped(self) -> None:
        """Wait until `stop` is called."""
        await self._stopped.wait()

    # -- a context manager

    async def __aenter__(self) -> Self:
        app = self._app
        if not isinstance(app, Application):
            app = await app
        runner = AppRunner(app, **self._settings)
        await runner.setup()
        self._runner = runner
        try:
            for site in make_sites(runner, **self._address):
                await site.start()
            self._listen_to_signals()
        except BaseException:
            await runner.cleanup()
            raise
        if self._announce is not None:
            urls = ", ".join(self.urls)
            self._announce(f"======== Running on {urls} ========\n(Press CTRL+C to quit)")
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        try:
            await self.runner.cleanup()
        finally:
            on_signals(self._signals, None)

    def _listen_to_signals(self) -> None:
        """Stop at the first signal, hurry at the second one, and let a third one end it all."""
        number = 0

        def stop() -> None:
            nonlocal number
            number += 1
            if number == 2:
                server_logger.info("stopping: told a second time, so waits no longer")
                on_signals(self._signals, None)
            self.stop()

        on_signals(self._signals, stop)
        context = self._address.get("ssl_context")
        if self._signals and isinstance(context, TLSContext) and sys.platform != "win32":
            on_signals((signal.SIGHUP,), partial(_reload, context))

    # -- a coroutine

    async def _serve(self) -> None:
        async with self:
            await self._stopped.wait()

    def _begun(self) -> Coroutine[Any, Any, None]:
        # Made when it is needed: one that is never awaited would be complained about.
        if self._coroutine is None:
            self._coroutine = self._serve()
        return self._coroutine

    def __await__(self) -> Generator[Any, None, None]:
        return self._begun().__await__()

    def send(self, value: Any) -> Any:
        """Go on, as `asyncio.Task` wants it of a coroutine."""
        return self._begun().send(value)

    def throw(self, *error: Any) -> Any:
        """Go on with an exception, as `asyncio.Task` wants it of a coroutine."""
        return self._begun().throw(*error)

    def close(self) -> None:
        """Give up what was not awaited to its end."""
        if self._coroutine is not None:
            self._coroutine.close()


def _reload(context: TLSContext) -> None:
    """Load the certificate of *context* again, if it is fine."""
    try:
        context.reload()
    except OSError as error:  # ssl.SSLError is one
        server_logger.error("the certificate was not reloaded: %s", error)
    else:
        server_logger.info("reloaded the certificate")


def split(settings: dict[str, Any]) -> tuple[Address, dict[str, Any]]:
    """Return where to listen, and the settings of the runner and the server.

    With neither host, port, path nor socket, it is the sockets that systemd hands over, if any.
    """
    named = Address.__optional_keys__
    address = {name: settings[name] for name in settings.keys() & named}
    given = {name for name in address if address[name] is not None}
    if not given & {"host", "port", "path", "sock"} and (sockets := activated_sockets()):
        address["sock"] = sockets
    rest = {name: value for name, value in settings.items() if name not in named}
    return cast(Address, address), rest


def serve(
    app: Application | Awaitable[Application],
    *,
    host: HostSequence | None = None,
    port: int | None = None,
    path: Paths | None = None,
    sock: Sockets | None = None,
    ssl_context: SSLContext | None = None,
    access_log: Any = None,
    handle_signals: bool = False,
    print: Callable[..., None] | None = None,  # noqa: A002 (the name that people know)
    **settings: Unpack[ServeSettings],
) -> Serving:
    """Serve *app* in the running loop: ``await`` it, or enter it with ``async with``.

    Takes what `run_app` takes, beside what concerns worker processes. Unlike there, signals are
    left alone, nothing is printed and there is no access log unless that is asked for.
    """
    where = {"host": host, "port": port, "path": path, "sock": sock, "ssl_context": ssl_context}
    address, rest = split({**settings, **where})
    return Serving(
        app,
        address,
        {"access_log": access_log, **rest},
        signals=STOP_SIGNALS if handle_signals else (),
        announce=print,
    )


def at_request(server: Server, number: int, callback: Callable[[], None]) -> None:
    """Call *callback* when the server serves its request *number*."""
    inner = server.handler
    count = 0

    def handler(request: Any) -> Awaitable[StreamResponse]:
        nonlocal count
        count += 1
        if count == number:
            callback()
        return inner(request)

    server.handler = handler


LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def fastest_loop() -> LoopFactory | None:
    """Return uvloop's factory where it is installed, and None for asyncio's default."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def run(main: Coroutine[Any, Any, None], loop_factory: LoopFactory | None) -> None:
    """Run *main* in a loop of its own, and end the loop with it."""
    with (
        # Around the runner: a further Ctrl-C may come while it closes its loop.
        contextlib.suppress(GracefulExit, KeyboardInterrupt),
        asyncio.Runner(loop_factory=loop_factory) as runner,
    ):
        try:
            runner.run(main)
        finally:
            runner.get_loop().run_until_complete(_end_tasks())


async def _end_tasks() -> None:
    """Cancel what still runs; what does not hear that keeps the loop from closing no longer."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    if not tasks:
        return
    for task in tasks:
        task.cancel()
    _, deaf = await asyncio.wait(tasks, timeout=END_TIME)
    for task in deaf:
        server_logger.error("a task goes on after its cancellation: %r", task)
        asyncio.tasks._unregister_task(task)
