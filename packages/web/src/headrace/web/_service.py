"""What the connections of one server share: the handler, the settings, the clock, the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any, Protocol

from ._exceptions import HTTPException
from ._patience import Patience
from ._request import BaseRequest
from ._start import Starter, make_starter
from ._stream_response import StreamResponse
from ._streams import Field, Fields

server_logger = logging.getLogger("headrace.server")


class Served(Protocol):
    """A connection as its service knows it."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    def get_extra_info(self, name: str, default: Any = None) -> Any: ...
    def sweep(self) -> None: ...
    def shut_down(self) -> bool: ...
    def end_upgrade(self) -> None: ...
    def cancel(self) -> asyncio.Task[None] | None: ...


async def raise_it(refusal: HTTPException, request: BaseRequest) -> StreamResponse:
    """Answer a malformed request without further ado."""
    raise refusal


class Service:
    """What the connections of one server share: its handler, limits, clock and log."""

    def __init__(
        self,
        handler: Callable[[Any], Awaitable[StreamResponse]],
        *,
        request_factory: type[BaseRequest] = BaseRequest,
        keepalive_timeout: float = 75.0,
        head_timeout: float = 30.0,
        lingering_time: float = 10.0,
        body_timeout: float = 30.0,
        min_body_rate: float = 240.0,
        write_timeout: float = 60.0,
        handler_timeout: float = 0.0,
        retry_after: int = 5,
        max_line_size: int = 8190,
        max_field_size: int = 8190,
        max_headers: int = 128,
        tcp_keepalive: bool = True,
        server_header: str | None = None,
        handler_cancellation: bool = False,
        auto_decompress: bool = True,
        debug: bool = False,
        logger: logging.Logger = server_logger,
    ) -> None:
        self.handler = handler
        #: Answers a malformed request with the exception given.
        self.refuse: Callable[[HTTPException, Any], Awaitable[StreamResponse]] = raise_it
        self.request_factory = request_factory
        self.keepalive_timeout = keepalive_timeout
        self.head_timeout = head_timeout
        self.lingering_time = lingering_time
        self.patience = Patience(body_timeout, min_body_rate, write_timeout, handler_timeout)
        self.retry_after = retry_after
        self.max_line_size = max_line_size
        self.max_field_size = max_field_size
        self.max_headers = max_headers
        self.tcp_keepalive = tcp_keepalive
        self.handler_cancellation = handler_cancellation
        self.auto_decompress = auto_decompress
        self.debug = debug
        self.logger = logger
        self.log_access: Callable[[BaseRequest, StreamResponse, float], None] | None = None
        self.connections: set[Served] = set()
        #: Starts the requests of the connections, and counts them; there since the first one, and
        #: another one when there have been none for a time.
        self.starter: Starter
        self._requests_before = 0
        #: Whether the server has been told to stop: what tells whether it is ready looks here.
        self.shutting_down = False
        #: Whether a connection that was just accepted may stay.
        self.accepting = True
        #: Whether connections end with the answer that they are at.
        self.closing = False
        #: Whether answers without an end of their own have been told to end.
        self.gone_away = False
        self._shutdown_waiters: set[asyncio.Future[None]] = set()
        #: The loop's time as of the last sweep: deadlines need no better, and cost no call.
        self.now = 0.0
        self.idle_until = 0.0
        self._server_fields = [] if server_header is None else [(b"Server", server_header.encode())]
        #: The fields of every response: Date (RFC 9110, section 6.6.1) and Server.
        self.fields: list[Field] = []
        #: Heads of answers with these fields, kept for as long as the fields hold.
        self.templates: dict[tuple[int, Fields], Any] = {}

    @property
    def requests_count(self) -> int:
        """The requests that were answered, or are being."""
        starter = getattr(self, "starter", None)
        return self._requests_before + (0 if starter is None else starter.started)

    def tick(self, now: float) -> None:
        """Set the clock and renew what depends on it."""
        self.now = now
        self.idle_until = now + self.keepalive_timeout
        self.fields = [(b"Date", formatdate(usegmt=True).encode("ascii")), *self._server_fields]
        self.templates.clear()

    async def wait_for_shutdown(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until `go_away` is called; return at once when it was."""
        if self.gone_away:
            return
        waiter = loop.create_future()
        self._shutdown_waiters.add(waiter)
        try:
            await waiter
        finally:
            self._shutdown_waiters.discard(waiter)

    def go_away(self) -> None:
        """Tell answers without an end of their own, event streams and WebSockets, to end."""
        self.gone_away = True
        for waiter in self._shutdown_waiters:
            if not waiter.done():
                waiter.set_result(None)
        for connection in list(self.connections):
            connection.end_upgrade()

    def opened(self, connection: Served) -> Service:
        """Take note of a new connection; return the service that is to serve it."""
        if not self.connections:
            self._requests_before = self.requests_count
            self.starter = make_starter(connection.loop)
        self.connections.add(connection)
        return self

    def closed(self, connection: Served) -> None:
        """Forget a connection."""
        self.connections.discard(connection)
        if not self.connections:
            self.starter.close()
