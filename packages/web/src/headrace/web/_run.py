"""`run_app`: an application as a program, in one process or in several."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ssl import SSLContext
from typing import Any, Unpack

from ._app import Application
from ._log import AbstractAccessLogger, AccessLogger, access_logger
from ._runner import STOP_SIGNALS
from ._serve import Paths, Serving, Settings, Sockets, fastest_loop, run, split
from ._sites import HostSequence


def run_app(
    app: Application | Awaitable[Application],
    *,
    host: HostSequence | None = None,
    port: int | None = None,
    path: Paths | None = None,
    sock: Sockets | None = None,
    shutdown_timeout: float | None = 60.0,
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
    workers: int | None = None,
    max_requests_per_worker: int = 0,
    max_memory_per_worker: int = 0,
    loop: asyncio.AbstractEventLoop | None = None,
    **settings: Unpack[Settings],
) -> None:
    """Serve *app* until SIGINT or SIGTERM, on uvloop where it is installed.

    A second signal cancels what the stop still waits for; a third one ends the program at once.

    Args:
        app: The application, or a coroutine that returns it.
        host: One or several TCP hosts; all addresses when None.
        port: The TCP port; 8080, or 8443 with TLS, when None.
        path: One or several paths of Unix sockets.
        sock: One or several sockets that are bound already. With neither host, port, path nor
            socket, it is the sockets that systemd hands over, if it does.
        shutdown_timeout: Seconds that `on_shutdown` and running handlers get when the server stops.
        keepalive_timeout: Seconds for which an idle connection is kept.
        ssl_context: Serves TLS. A `TLSContext` loads its certificate again at SIGHUP.
        print: Called with the addresses; None for silence.
        backlog: Connections that the system may queue before they are accepted.
        access_log_class: Formats and writes the access log.
        access_log_format: Its format.
        access_log: The logger that it goes to; None for no access log.
        handle_signals: Stop at SIGINT and SIGTERM.
        reuse_address: Passed to `asyncio.loop.create_server`.
        reuse_port: Passed to `asyncio.loop.create_server`. With *workers*, each has a listening
            socket of its own in place of a common one.
        handler_cancellation: Cancel a handler when its client disconnects.
        workers: Serve in so many processes, forked from this one, which replaces those that die;
            SIGHUP replaces all of them, one after the other. None serves in this process.
        max_requests_per_worker: Requests after which a worker is replaced; 0 for any number.
        max_memory_per_worker: Resident bytes beyond which a worker is replaced; 0 for any number.
        loop: Accepted and ignored.
        settings: Those of `TCPSite`, `UnixSite` (its mode as *unix_mode*), `BaseRunner` and
            `Server`.

    Raises:
        OSError: An address cannot be used.
        SystemExit: With *workers*: none of them could start.
    """
    named = {
        "host": host,
        "port": port,
        "path": path,
        "sock": sock,
        "ssl_context": ssl_context,
        "backlog": backlog,
        "reuse_address": reuse_address,
        "reuse_port": reuse_port,
        "shutdown_timeout": shutdown_timeout,
        "keepalive_timeout": keepalive_timeout,
        "access_log_class": access_log_class,
        "access_log_format": access_log_format,
        "access_log": access_log,
        "handler_cancellation": handler_cancellation,
    }
    if workers is not None:
        from ._workers import run_workers  # where there is no fork, it cannot be imported

        run_workers(
            lambda: app,
            workers,
            max_requests=max_requests_per_worker,
            max_memory=max_memory_per_worker,
            announce=print,
            **settings,
            **named,
        )
        return
    address, rest = split({**settings, **named})
    signals = STOP_SIGNALS if handle_signals else ()
    run(Serving(app, address, rest, signals=signals, announce=print), fastest_loop())
