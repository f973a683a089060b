"""What a connection offers to the request that it serves: its answer, and facts about the client.

This is the `Exchange` of `_streams.py` for HTTP/1: heads and bodies go through the parser, which
frames them and checks them, to the transport, with back-pressure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from functools import lru_cache
from typing import Any, Final, cast, final

from headrace.http_parser import (
    Connection,
    Data,
    EndOfMessage,
    Informational,
    Limits,
    LocalProtocolError,
    ResponseTemplate,
    Role,
    State,
)
from headrace.http_parser import Response as ResponseHead

from ._disk import OpenFile
from ._mistakes import answered_before
from ._sendfile import Span, send_file
from ._service import Service
from ._streams import DONE, Field, Fields, Head, StreamReader, lost_connection

#: Bytes that may wait in the transport before a write that nobody awaits is an error.
WRITE_LIMIT: Final = 16 * 1024**2
#: Bytes of an unread body that are read and dropped to keep the connection.
MAX_DRAIN: Final = 256 * 1024
#: The states in which a response to the request is out, or a part of one.
_ANSWERED: Final = (State.SEND_BODY, State.DONE, State.MUST_CLOSE, State.SWITCHED)
_OWN_LENGTHS: Final = (len("Date"), len("Server"))


@lru_cache(maxsize=16)
def _limits(max_line_size: int, max_field_size: int, max_headers: int) -> Limits:
    """Return the parser's limits; all connections of a server share one object."""
    return Limits(
        max_request_line=max_line_size, max_header=max_field_size, max_headers=max_headers
    )


@final
class _Drain:
    """Waits until the client has taken enough; nothing happens if nobody awaits it."""

    __slots__ = ("_connection",)

    def __init__(self, connection: HTTPExchange) -> None:
        self._connection = connection

    def __await__(self) -> Generator[Any, None, None]:
        return self._connection._drained().__await__()


class HTTPExchange:
    """The `Exchange` of the request that an HTTP/1 connection serves."""

    __slots__ = (
        "_announced",
        "_cancels",
        "_closing",
        "_content",
        "_drain_waiters",
        "_eof",
        "_gone_waiters",
        "_loop",
        "_parser",
        "_paused_reading",
        "_paused_writing",
        "_service",
        "_task",
        "_transport",
        "begun",
        "remote",
        "upgraded",
    )

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self._service = service
        self._loop = loop
        limits = _limits(service.max_line_size, service.max_field_size, service.max_headers)
        self._parser = Connection(Role.SERVER, limits=limits)
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._content: StreamReader | None = None
        self._drain_waiters: list[asyncio.Future[None]] | None = None
        self._gone_waiters: list[asyncio.Future[None]] | None = None
        self._announced = 0  # bytes of the body as the client stated them
        self._cancels = service.handler_cancellation
        self._closing = False
        self._eof = False
        self._paused_reading = False
        self._paused_writing = False
        self.begun: object = None
        #: The address of the client; known when it has gone, too.
        self.remote: str | None = None
        #: The protocol that took the connection over after an upgrade.
        self.upgraded: Any = None

    @property
    def transport(self) -> asyncio.Transport | None:
        return self._transport

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    @property
    def task(self) -> asyncio.Task[Any] | None:
        return self._task if self._task is not None else asyncio.current_task()

    @property
    def keep_alive(self) -> bool:
        return self._parser.keep_alive

    @property
    def auto_decompress(self) -> bool:
        return self._service.auto_decompress

    @property
    def disconnected(self) -> bool:
        return self._transport is None or self._eof

    async def wait_for_disconnection(self) -> None:
        while not self.disconnected:
            waiter = self._loop.create_future()
            if self._gone_waiters is None:
                self._gone_waiters = []
            self._gone_waiters.append(waiter)
            await waiter

    @property
    def shutting_down(self) -> bool:
        return self._service.shutting_down

    async def wait_for_shutdown(self) -> None:
        await self._service.wait_for_shutdown(self._loop)

    def _wake_for_disconnection(self) -> None:
        waiters, self._gone_waiters = self._gone_waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default if self._transport is None else self._transport.get_extra_info(name, default)

    def send_informational(self, status: int, fields: Fields = ()) -> None:
        self._connected().write(self._parser.send(Informational(status, fields)))

    def send_head(self, status: int, reason: str | None, fields: Fields) -> None:
        transport = self._connected()
        try:
            transport.write(self._parser.send(self._head(status, reason, fields)))
        except LocalProtocolError as error:
            raise self._explained(error) from None

    def send_whole(self, status: int, reason: str | None, fields: Fields, body: bytes) -> None:
        transport = self._connected()
        try:
            transport.write(self._parser.send(self._head(status, reason, fields), body))
        except LocalProtocolError as error:
            raise self._explained(error) from None

    def send_usual(self, status: int, fields: tuple[Field, ...], body: bytes) -> None:
        transport = self._transport
        if transport is None or self._closing or self._content is not None:
            self.send_whole(status, None, fields, body)
            return
        try:
            template = self._service.templates[status, fields]
        except KeyError:
            template = self._make_template(status, fields)
        try:
            transport.write(self._parser.send_template(template, body))
        except LocalProtocolError as error:
            raise self._explained(error) from None

    def _explained(self, error: LocalProtocolError) -> Exception:
        """Return *error*, or what it means if a response was sent before."""
        parser = self._parser
        # Idle: the response was whole, and the parser is ready for the next request.
        is_answered = parser.our_state in _ANSWERED or (
            parser.our_state is State.IDLE and parser.their_state is not State.ERROR
        )
        return answered_before() if is_answered else error

    def _make_template(self, status: int, fields: tuple[Field, ...]) -> ResponseTemplate:
        """Make what many answers begin with; it holds until the clock's next tick."""
        template = ResponseTemplate(self._head(status, None, fields))
        if not self._service.closing:
            self._service.templates[status, fields] = template
        return template

    def _head(self, status: int, reason: str | None, fields: Fields) -> ResponseHead:
        service = self._service
        if service.closing or self._closing or self._has_too_much_to_drop():
            fields = [*fields, (b"Connection", b"close")]
        phrase = b"" if reason is None else reason.encode("utf-8")
        own = service.fields
        # Date and Server of the handler's own take the place of the server's.
        for name, _ in fields:
            if len(name) in _OWN_LENGTHS:
                own = [field for field in own if field[0].lower() != name.lower()]
        return ResponseHead(status, [*fields, *own], phrase)

    def _has_too_much_to_drop(self) -> bool:
        content = self._content
        return content is not None and self._announced - content.total_bytes > MAX_DRAIN

    def write(self, data: bytes | bytearray | memoryview) -> Awaitable[None]:
        transport = self._connected()
        if transport.is_closing():
            # Such a transport drops what it is given and never pauses: a loop of writes would
            # go on for ever, without a turn for the event that ends the connection.
            raise lost_connection()
        if self._paused_writing and transport.get_write_buffer_size() > WRITE_LIMIT:
            self._abort()
            raise RuntimeError(
                f"more than {WRITE_LIMIT} bytes wait for a slow client: await what write() returns"
            )
        transport.write(self._parser.send(Data(bytes(data))))
        return _Drain(self) if self._paused_writing else DONE

    def write_eof(self, trailers: Fields = ()) -> Awaitable[None]:
        self._connected().write(self._parser.send(EndOfMessage(trailers)))
        return DONE

    def drain(self) -> Awaitable[None]:
        return _Drain(self) if self._paused_writing else DONE

    async def send_file(
        self, file: OpenFile, offset: int, count: int, piece: int, head: Head | None = None
    ) -> None:
        """Send *count* bytes of a file as the next part of a body of known length.

        With *head*, the answer begins with it: it goes out together with the first bytes.
        """
        transport = self._connected()
        before = b"" if head is None else self._parser.send(self._head(*head))
        # The parser counts the bytes without seeing them; where it drops them, nothing is sent.
        span = cast(bytes, Span(count))
        if self._parser.send(Data(span)) is not span:
            transport.write(before)
            return
        try:
            await send_file(self, file, offset, count, piece, before)
        except BaseException:
            # The bytes are counted: nothing may make this answer look complete any more.
            self._abort()
            raise

    async def drain_all(self) -> None:
        """Wait until the system has taken all that was written."""
        transport = self._connected()
        if not transport.get_write_buffer_size():
            return
        transport.set_write_buffer_limits(high=0)
        try:
            await self._drained()
        finally:
            if not transport.is_closing():
                transport.set_write_buffer_limits()

    async def drain_some(self) -> None:
        """Wait until there is room for more."""
        if self._paused_writing:
            await self._drained()

    def cancel_on_disconnect(self, wanted: bool) -> None:
        """Decide for the current request whether a disconnect cancels its handler."""
        self._cancels = wanted

    def upgrade(self, fields: list[Field], protocol: asyncio.Protocol) -> None:
        """Send 101 and hand the connection over, with the bytes that came after the request."""
        transport = self._connected()
        transport.write(self._parser.send(Informational(101, fields)))
        self.upgraded = protocol
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        rest = self._parser.trailing_data
        if rest:
            protocol.data_received(rest)
        self._resume_reading()
        if self._service.gone_away:
            self.end_upgrade()

    def _connected(self) -> asyncio.Transport:
        if self._transport is None:
            raise lost_connection()
        return self._transport

    # -- flow control

    def pause_body(self) -> None:
        self._pause_reading()

    def resume_body(self) -> None:
        self._resume_reading()

    def _pause_reading(self) -> None:
        if not self._paused_reading and self._transport is not None:
            self._paused_reading = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._paused_reading:
            self._paused_reading = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    async def _drained(self) -> None:
        while self._paused_writing and self._transport is not None:
            waiter = self._loop.create_future()
            if self._drain_waiters is None:
                self._drain_waiters = []
            self._drain_waiters.append(waiter)
            await waiter
        if self._transport is None:
            raise lost_connection()

    def _wake_writers(self) -> None:
        waiters, self._drain_waiters = self._drain_waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def end_upgrade(self) -> None:
        """Tell the protocol that took the connection over that the server goes away."""
        if self.upgraded is not None:
            self.upgraded.shut_down()

    def _abort(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.abort()
