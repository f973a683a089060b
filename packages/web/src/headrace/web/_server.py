"""The server: the factory of its connections' protocols, their coarse clock, and their end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from ._log import AbstractAccessLogger, AccessLogger, make_access_log
from ._protocol import RequestHandler
from ._response import StreamResponse
from ._service import Served, Service

#: How often idle connections are looked through, in seconds.
SWEEP_INTERVAL = 1.0


#: Settings of the guide and of aiohttp that steer what headrace does by itself, or not at all.
_WITHOUT_MEANING = frozenset(
    {
        "auto_decompress",
        "loop",
        "read_bufsize",
        "secure_proxy_ssl_header",
        "slow_request_timeout",
        "timeout",
        "timeout_ceil_threshold",
    }
)


def _modern(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings under today's names, without those that have no meaning."""
    settings = {name: value for name, value in settings.items() if name not in _WITHOUT_MEANING}
    if "keep_alive" in settings:
        settings["keepalive_timeout"] = settings.pop("keep_alive")
    if not settings.pop("keep_alive_on", True):
        settings["keepalive_timeout"] = 0.0
    return settings


class Server(Service):
    """Hands out a protocol for each connection: ``loop.create_server(server, host, port)``.

    Args:
        handler: Called with each request, returns an awaitable of its response.
        request_factory: The class of the requests.
        keepalive_timeout: Seconds for which an idle connection is kept.
        head_timeout: Seconds in which the head of a request must have arrived.
        lingering_time: Seconds for which a client may go on sending after a refusal.
        max_line_size: Bytes of a request line.
        max_field_size: Bytes of one header field.
        max_headers: Header fields of one request.
        server_header: The Server field of responses; none by default.
        handler_cancellation: Cancel a handler when its client disconnects.
        debug: Whether the application is being debugged.
        logger: Where failures of handlers are logged.
        access_log: The logger of the access log; None for no access log.
        access_log_class: Formats and writes it.
        access_log_format: Its format.

    The guide's *keep_alive* is *keepalive_timeout*, and its *keep_alive_on* ends that if false.
    Settings that aiohttp's users may pass and that have no meaning here are accepted and ignored.

    Raises:
        TypeError: There is no such setting.
    """

    def __init__(
        self,
        handler: Callable[[Any], Awaitable[StreamResponse]],
        *,
        access_log: logging.Logger | None = None,
        access_log_class: type[AbstractAccessLogger] = AccessLogger,
        access_log_format: str = AccessLogger.LOG_FORMAT,
        **settings: Any,
    ) -> None:
        super().__init__(handler, **_modern(settings))
        self.log_access = make_access_log(access_log_class, access_log, access_log_format)
        self.requests_count = 0
        patience = min(self.keepalive_timeout, self.head_timeout, self.lingering_time)
        self._sweep_interval = max(0.01, min(SWEEP_INTERVAL, patience / 2))
        self._sweeping: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Future[None] | None = None

    def __call__(self) -> RequestHandler:
        """Return the protocol for a new connection."""
        return RequestHandler(self, asyncio.get_running_loop())

    def opened(self, connection: Served) -> None:
        """Take note of a new connection; the first one starts the clock."""
        if self._sweeping is None:
            loop = connection.loop
            self.tick(loop.time())
            self._sweeping = loop.call_later(self._sweep_interval, self._sweep, loop)
        super().opened(connection)

    def closed(self, connection: Served) -> None:
        """Forget a connection; the last one ends the waiting in `shutdown`."""
        super().closed(connection)
        if self._emptied is not None and not self.connections and not self._emptied.done():
            self._emptied.set_result(None)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the clock and close the connections whose deadline has passed."""
        self.tick(loop.time())
        for connection in list(self.connections):
            connection.sweep()
        self._sweeping = (
            loop.call_later(self._sweep_interval, self._sweep, loop) if self.connections else None
        )

    def pre_shutdown(self) -> None:
        """Close idle connections; the others close when their request is answered."""
        self.shutting_down = self.closing = True
        for connection in list(self.connections):
            connection.shut_down()

    async def shutdown(self, timeout: float | None = None) -> None:
        """End all connections: idle ones at once, those with a handler within *timeout* seconds.

        Event streams and WebSockets are told that the server goes away. What a client has not
        taken by then is lost, and handlers that still run are cancelled. None waits for as long
        as they take.
        """
        self.pre_shutdown()
        self.go_away()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self.connections:
                    self._emptied = asyncio.get_running_loop().create_future()
                    await self._emptied
        self._emptied = None
        cancelled = [task for connection in list(self.connections) if (task := connection.cancel())]
        if cancelled:
            await asyncio.wait(cancelled)
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    async def finish_connections(self, timeout: float | None = None) -> None:
        """End all connections: the guide's name of `shutdown`."""
        await self.shutdown(timeout)

    def __repr__(self) -> str:
        return f"<Server connections={len(self.connections)}>"
