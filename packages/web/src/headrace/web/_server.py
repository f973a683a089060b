"""The server: the factory of its connections' protocols, their coarse clock, and their end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from ._admission import (
    CROWD_SHARE,
    SHARE,
    Clients,
    Crowd,
    Serving,
    descriptors,
    limit_concurrency,
    limit_connections,
)
from ._log import AbstractAccessLogger, AccessLogger, make_access_log
from ._protocol import RequestHandler
from ._service import Served, Service

#: How often idle connections are looked through, in seconds.
SWEEP_INTERVAL = 1.0
#: How often at most it is logged that connections were turned away, in seconds.
REPORT_INTERVAL = 60.0
#: Seconds in which a handler that was cancelled must end.
CANCEL_TIME = 5.0

#: Settings of the guide and of aiohttp that steer what headrace does by itself, or not at all.
_WITHOUT_MEANING = frozenset(
    {
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
        body_timeout: Seconds between the pieces of a body that a handler waits for; 408 then.
            0 for any time, here and in what follows.
        min_body_rate: Bytes a second of such a body, on an average over *body_timeout* seconds.
        write_timeout: Seconds in which the client must take some of an answer that waits for it.
        handler_timeout: Seconds in which the answer must have begun, without those in which the
            handler waits for the body; the handler is cancelled and the answer 504 then.
        max_connections: Connections at a time; each further one gets a 503 with Retry-After to its
            first request, and is closed. 0 for any number; None for 8 out of 10 of the descriptors
            that the process may have.
        max_connections_per_client: Connections at a time of one IPv4 address or IPv6 network (/64),
            those of the machine itself and of private networks aside. 0 for any number; None for
            half of *max_connections*.
        max_concurrent_requests: Requests that are handled at a time; the others get a 503. 0 for
            any number.
        max_requests_per_connection: Requests after which a connection is closed. 0 for any number.
        retry_after: Seconds after which a client that got one of these 503 may try again.
        max_line_size: Bytes of a request line.
        max_field_size: Bytes of one header field.
        max_headers: Header fields of one request.
        server_header: The Server field of responses; none by default.
        handler_cancellation: Cancel a handler when its client disconnects.
        auto_decompress: Take the Content-Encoding off the bodies of requests.
        debug: Whether the application is being debugged.
        logger: Where failures of handlers are logged.
        access_log: The logger of the access log; None for no access log. None is written either
            if the logger lets no INFO through when the server is made.
        access_log_class: Formats and writes it.
        access_log_format: Its format.

    The guide's *keep_alive* is *keepalive_timeout*, and its *keep_alive_on* ends that if false.
    Settings that aiohttp's users may pass and that have no meaning here are accepted and ignored.

    Raises:
        TypeError: There is no such setting.
    """

    def __init__(
        self,
        handler: Serving,
        *,
        max_connections: int | None = None,
        max_connections_per_client: int | None = None,
        max_concurrent_requests: int = 0,
        max_requests_per_connection: int = 0,
        access_log: logging.Logger | None = None,
        access_log_class: type[AbstractAccessLogger] = AccessLogger,
        access_log_format: str = AccessLogger.LOG_FORMAT,
        **settings: Any,
    ) -> None:
        super().__init__(handler, **_modern(settings))
        self.log_access = make_access_log(access_log_class, access_log, access_log_format)
        if max_concurrent_requests:
            self.handler = limit_concurrency(
                self.handler, max_concurrent_requests, self.retry_after
            )
        if max_requests_per_connection:
            self.handler = limit_connections(self.handler, max_requests_per_connection)
        if max_connections is None:
            max_connections = int(descriptors() * SHARE)
        self.max_connections = max_connections
        if max_connections_per_client is None:
            max_connections_per_client = max_connections // 2
        self._clients = Clients(max_connections_per_client) if max_connections_per_client else None
        self._crowd = self._make_crowd(max_connections, settings.get("server_header"))
        self._reported = 0.0
        times = (self.keepalive_timeout, self.head_timeout, self.lingering_time)
        patience = min(*times, self.patience.shortest)
        self._sweep_interval = max(0.01, min(SWEEP_INTERVAL, patience / 2))
        self._sweeping: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Future[None] | None = None

    def __call__(self) -> RequestHandler:
        """Return the protocol for a new connection."""
        return RequestHandler(self, asyncio.get_running_loop())

    def _make_crowd(self, limit: int, server_header: str | None) -> Crowd:
        """Return what serves the connections that are too many."""
        return Crowd(
            max(1, int(limit / SHARE * CROWD_SHARE)),
            retry_after=self.retry_after,
            server_header=server_header,
            logger=self.logger,
        )

    def opened(self, connection: Served) -> Service:
        """Let a new connection in, or turn it away; the first one starts the clock."""
        if self._sweeping is None:
            loop = connection.loop
            self.tick(loop.time())
            self._sweeping = loop.call_later(self._sweep_interval, self._sweep, loop)
        if not self._has_room_for(connection):
            return self._crowd.opened(connection)
        return super().opened(connection)

    def _has_room_for(self, connection: Served) -> bool:
        if self.max_connections and len(self.connections) >= self.max_connections:
            return False
        clients = self._clients
        return clients is None or clients.enter(connection, connection.get_extra_info("peername"))

    def tick(self, now: float) -> None:
        """Set the clock, also of the connections that are too many."""
        super().tick(now)
        self._crowd.tick(now)

    def closed(self, connection: Served) -> None:
        """Forget a connection; the last one ends the waiting in `shutdown`."""
        super().closed(connection)
        if self._clients is not None:
            self._clients.leave(connection)
        if self._emptied is not None and not self.connections and not self._emptied.done():
            self._emptied.set_result(None)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the clock and close the connections whose deadline has passed."""
        self.tick(loop.time())
        crowd = self._crowd
        for connection in [*self.connections, *crowd.connections]:
            connection.sweep()
        if crowd.turned_away and self.now >= self._reported + REPORT_INTERVAL:
            number, crowd.turned_away = crowd.turned_away, 0
            self.logger.warning("turned away connections, as there are too many: %d", number)
            self._reported = self.now
        self._sweeping = (
            loop.call_later(self._sweep_interval, self._sweep, loop)
            if self.connections or crowd.connections
            else None
        )

    def pre_shutdown(self) -> int:
        """Close idle connections; return how many are left to close with their answers."""
        self.shutting_down = self.closing = True
        # The heads from now on say that the connection closes.
        self.templates.clear()
        for connection in list(self._crowd.connections):
            connection.cancel()
        return sum([connection.shut_down() for connection in list(self.connections)])

    async def shutdown(self, timeout: float | None = None) -> None:
        """End all connections: idle ones at once, those with a handler within *timeout* seconds.

        Event streams and WebSockets are told that the server goes away. What a client has not
        taken by then is lost, and handlers that still run are cancelled; they get `CANCEL_TIME`
        more to end. None waits for as long as they take.
        """
        self.pre_shutdown()
        self.go_away()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    while self.connections:
                        self._emptied = asyncio.get_running_loop().create_future()
                        await self._emptied
        finally:
            self._emptied = None
            # The socket may still listen: what comes from now on would find nothing to serve it.
            self.accepting = False
            await self._cancel_handlers()
            if self._sweeping is not None:
                self._sweeping.cancel()
                self._sweeping = None

    async def _cancel_handlers(self) -> None:
        """Drop all connections; a handler that does not even end then is left to itself."""
        tasks = [task for connection in list(self.connections) if (task := connection.cancel())]
        if not tasks:
            return
        self.logger.warning("cancelled handlers that did not end in time: %d", len(tasks))
        _, deaf = await asyncio.wait(tasks, timeout=CANCEL_TIME)
        for task in deaf:
            self.logger.error("a handler goes on after its cancellation: %r", task)

    async def finish_connections(self, timeout: float | None = None) -> None:
        """End all connections: the guide's name of `shutdown`."""
        await self.shutdown(timeout)

    def __repr__(self) -> str:
        return f"<Server connections={len(self.connections)}>"
