"""The glue of an upgraded connection: a transport on one side, `headrace.websocket` on the other.

This module alone drives the machinery of `headrace.websocket`. Bytes become events that go to
one receiver; events that are sent become bytes at once, unless the client is behind.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterable, Awaitable, Callable, Generator
from typing import Any, Final, Protocol, cast, final

from headrace.websocket import (
    NEED_DATA,
    Binary,
    Close,
    CloseCode,
    Connection,
    ConnectionClosed,
    Event,
    LocalProtocolError,
    Opcode,
    RemoteProtocolError,
    Role,
    Shared,
    State,
    Text,
)

from ._messages import WHOLE_BINARY, WHOLE_TEXT, WSMessage
from ._outbox import Outbox, SlowClient
from ._streams import DONE, lost_connection
from ._waker import Waker

#: Bytes that may wait for a slow client before a send that nobody awaits is an error.
SEND_LIMIT: Final = 16 * 1024**2
#: What the frames of whole plain messages begin with.
TEXT_FRAME: Final = 0x80 | Opcode.TEXT
BINARY_FRAME: Final = 0x80 | Opcode.BINARY
_OPEN: Final = State.OPEN


class Receiver(Protocol):
    """Where the events of a channel go."""

    def message_received(self, message: WSMessage) -> None: ...
    def event_received(self, event: Event) -> None: ...
    def protocol_failed(self, error: RemoteProtocolError) -> None: ...
    def client_too_slow(self, waiting: int) -> None: ...
    def nobody_receives(self) -> None: ...


@final
class _Drain:
    """Waits until the client has taken enough; nothing happens if nobody awaits it."""

    __slots__ = ("_channel",)

    def __init__(self, channel: WebSocketChannel) -> None:
        self._channel = channel

    def __await__(self) -> Generator[Any, None, None]:
        return self._channel.drained().__await__()


@final
class WebSocketChannel(asyncio.Protocol):
    """The protocol of a connection after its upgrade to WebSocket.

    Args:
        connection: The protocol without I/O.
        receiver: Where events go.
        lost: Called with what `connection_lost` was called with.
        loop: The loop of the transport.
        policy: What happens to messages for a client that is behind.
        queue_limit: Bytes of messages that wait in front of the transport, by that policy.
        patience: Seconds for which a client that ends may still take what was sent.
    """

    __slots__ = (
        "_backlog",
        "_behind",
        "_ended",
        "_lost",
        "_outbox",
        "_patience",
        "_paused_writing",
        "_policy",
        "_queue_limit",
        "_read",
        "_receiver",
        "_streaming",
        "_timer",
        "_transport",
        "_turn",
        "_waiters",
        "connection",
        "is_closing",
        "is_reading_paused",
        "loop",
        "sent",
        "waker",
        "write",
    )

    def __init__(
        self,
        connection: Connection,
        receiver: Receiver,
        lost: Callable[[BaseException | None], None],
        loop: asyncio.AbstractEventLoop,
        policy: SlowClient = "wait",
        queue_limit: int = 0,
        patience: float = 10.0,
    ) -> None:
        self.connection: Final = connection
        self._read = connection.reader(WHOLE_TEXT, WHOLE_BINARY)
        #: What the task that receives waits for.
        self.waker: Final[Waker[WSMessage]] = Waker(loop)
        self._receiver: Final = receiver
        self._lost: Final = lost
        self.loop: Final = loop
        self._policy: Final = policy
        self._queue_limit: Final = queue_limit
        self._patience: Final = patience
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._outbox: Outbox | None = None
        self._turn: asyncio.Lock | None = None
        self._ended = False
        self._streaming = False  # whether a message is being sent in pieces
        #: Whether what is sent next has to wait: the transport has enough, or a message in
        #: pieces is under way.
        self._behind = False
        self._paused_writing = False
        #: The transport's, for what is sent next: None while that has to wait, or has nowhere
        #: to go.
        self.write: Callable[[bytes], object] | None = None
        #: Whether the transport would drop what it is given, and never pause.
        self.is_closing: Callable[[], bool] = _always
        #: What who has sent something may await.
        self.sent: Awaitable[None] = self.waker.done
        #: Whether the handler is behind, so that nothing is read for it.
        self.is_reading_paused = False
        self._backlog = 0  # bytes that the client had not taken when the timer last ran

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface, but not the base class.
        self._transport = cast(asyncio.Transport, transport)
        self.is_closing = self._transport.is_closing
        self._set_behind()
        self._schedule()

    def data_received(self, data: bytes) -> None:
        connection = self.connection
        if connection.at_rest:
            read = self._read
            message = read(data)
            if message is not None:
                connection.heard = True
                if not self.waker.give(message):
                    self._receiver.message_received(message)
                return
        connection.receive_data(data)
        self._pump()

    def eof_received(self) -> bool:
        self.connection.receive_eof()
        self._pump()
        return False

    def connection_lost(self, exc: BaseException | None) -> None:
        self._transport = None
        self.is_closing = _always
        self._set_behind()
        if self._timer is not None:
            self._timer.cancel()
        if not self._ended:
            self.connection.receive_eof()
            self._pump()
        if self._outbox is not None:
            self._outbox.clear()
        self._wake_writers()
        self._lost(exc)

    def pause_writing(self) -> None:
        self._paused_writing = True
        if self._policy == "wait":
            self.sent = _Drain(self)
        self._set_behind()

    def resume_writing(self) -> None:
        self._paused_writing = False
        self.sent = self.waker.done
        self._backlog = sys.maxsize  # whatever is left at the next look: it took something
        self._catch_up()
        self._flush()

    def _set_behind(self) -> None:
        self._behind = self._paused_writing or self._streaming
        transport = self._transport
        self.write = None if self._behind or transport is None else transport.write

    # -- events in

    def _pump(self) -> None:
        """Hand over the events that are there, and write the answers that need no handler."""
        found = False  # a message, in this turn
        try:
            # What is too much for the handler waits in the connection.
            while not self._ended and not self.is_reading_paused:
                if self._hand_over_messages(found):
                    # What follows may be the end: the handler gets a turn to answer before.
                    self.loop.call_soon(self._pump)
                    break
                event = self.connection.next_event()
                if event is NEED_DATA:
                    break
                self._ended = event.__class__ is ConnectionClosed
                found = isinstance(event, Text | Binary) and event.final
                self._receiver.event_received(event)
        except RemoteProtocolError as error:
            self._receiver.protocol_failed(error)
            self._pump()
        self._flush()

    def _hand_over_messages(self, found: bool) -> bool:
        """Hand over whole messages; tell whether any was found and something else follows."""
        next_message = self.connection.next_message
        while not self.is_reading_paused:
            message = next_message()
            if message is None or message is NEED_DATA:
                return found and message is None
            self._receiver.event_received(message)
            found = True
        return False

    def _flush(self) -> None:
        """Write the automatic answers: pongs, pings, the Close.

        While a client takes nothing they wait in the connection, which keeps only the latest
        pongs: a client that pings and never reads costs no more.
        """
        transport = self._transport
        connection = self.connection
        if transport is None or (self._paused_writing and connection.state is _OPEN):
            return
        answers = connection.data_to_send()
        if answers:
            transport.write(answers)
        if connection.finished:
            self._hang_up(transport)

    def _hang_up(self, transport: asyncio.Transport) -> None:
        """Close when what was written is out, and do not wait for ever for that."""
        if not transport.is_closing():
            transport.close()
            if transport.get_write_buffer_size():
                self._set_timer(self.loop.time() + self._patience, transport.abort)

    # -- events out

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._transport is not None and self.connection.state is _OPEN

    @property
    def dropped(self) -> int:
        """Messages that were dropped because the client was behind."""
        return 0 if self._outbox is None else self._outbox.dropped

    def send(self, event: Event | Shared, compress: bool | None = None) -> Awaitable[None]:
        """Send *event* at once, or by the policy for a client that is behind.

        Awaiting the result waits for back-pressure.

        Raises:
            ClientConnectionResetError: The client has gone, or the closing has begun.
            RuntimeError: More than `SEND_LIMIT` bytes wait and nobody awaits.
            ValueError: The event cannot be sent as a frame.
        """
        transport = self._transport
        if (
            transport is None
            or self.connection.state is not _OPEN
            or transport.is_closing()  # it would drop what it is given, and never pause
        ):
            raise lost_connection()
        if self._behind:
            return self._send_later(transport, event, compress)
        try:
            transport.write(self.connection.send(event, compress=compress))
        except LocalProtocolError as error:
            raise ValueError(str(error)) from error
        return self.sent

    def send_whole(self, first: int, data: str | bytes) -> Awaitable[None]:
        """Send a whole message as `send` does, by the shortest way that there is now.

        Args:
            first: `TEXT_FRAME` for str, `BINARY_FRAME` for bytes.
            data: The payload.
        """
        write, connection = self.write, self.connection
        if write is not None:
            frame = connection.whole_frame(first, data, connection.plain_most)
            if frame is not None and not self.is_closing():
                write(frame)
                return self.sent
        return self.send(Text(data) if isinstance(data, str) else Binary(data))

    def _send_later(
        self, transport: asyncio.Transport, event: Event | Shared, compress: bool | None
    ) -> Awaitable[None]:
        _check_text(event)
        outbox = self._outbox
        if outbox is None:
            outbox = self._outbox = Outbox(self._queue_limit)
        waiting = outbox.size + transport.get_write_buffer_size()
        if self._policy != "wait":
            if not outbox.put_bounded(event, compress, self._policy):
                self._give_up(waiting)
            return DONE
        if waiting > SEND_LIMIT:
            self._receiver.client_too_slow(waiting)
            transport.abort()
            raise RuntimeError(
                f"more than {SEND_LIMIT} bytes wait for a slow client: await what send returns"
            )
        outbox.put(event, compress)
        return _Drain(self)

    def _give_up(self, waiting: int) -> None:
        """Close the connection of a client that is too far behind."""
        self._receiver.client_too_slow(waiting)
        self.close(CloseCode.POLICY_VIOLATION, "too slow", drain=False)

    def _catch_up(self) -> None:
        """Send what waits, as far as the client takes it, and let those who wait go on."""
        if self._outbox and not self._streaming:
            self._empty(self._outbox, lambda: self._paused_writing)
        self._set_behind()
        self._wake_writers()

    def _empty(self, outbox: Outbox, is_enough: Callable[[], bool]) -> None:
        transport, connection = self._transport, self.connection
        while outbox and not is_enough():
            if transport is None or connection.state is not _OPEN:
                outbox.clear()
                return
            event, compress, _ = outbox.pop()
            transport.write(connection.send(event, compress=compress))

    async def send_pieces(
        self, pieces: AsyncIterable[Text | Binary], compress: bool | None
    ) -> None:
        """Send one message piece by piece; messages that are sent meanwhile come after it.

        Raises:
            ClientConnectionResetError: The client has gone, or the closing has begun.
        """
        if self._turn is None:
            self._turn = asyncio.Lock()
        async with self._turn:
            await self.drained()
            self._streaming = True
            self._set_behind()
            try:
                async for piece in pieces:
                    await self._send_piece(piece, compress)
            except BaseException:
                # The message can neither be finished nor taken back.
                self.close(CloseCode.INTERNAL_ERROR, "")
                raise
            finally:
                self._streaming = False
                self._catch_up()

    async def _send_piece(self, piece: Text | Binary, compress: bool | None) -> None:
        transport = self._transport
        if transport is None or self.connection.state is not _OPEN or transport.is_closing():
            raise lost_connection()
        transport.write(self.connection.send(piece, compress=compress))
        await self._wait_while(lambda: self._paused_writing)

    def close(self, code: int, reason: str, *, drain: bool = True) -> None:
        """Begin the closing handshake, or answer the client's; a deadline starts to run.

        With *drain* the messages that wait for a slow client go out before. The code and the
        reason are such as `check_close` lets through.
        """
        self.resume_reading()
        transport, connection = self._transport, self.connection
        if transport is None or connection.state not in (_OPEN, State.CLOSE_RECEIVED):
            return
        if self._outbox is not None:
            if drain and not self._streaming:
                self._empty(self._outbox, lambda: False)
            self._outbox.clear()
        transport.write(connection.send(Close(code, reason)))
        self._flush()
        self._schedule()

    def shut_down(self) -> None:
        """Tell the client that the server goes away (1001)."""
        self.close(CloseCode.GOING_AWAY, "server shutdown")

    def fail(self) -> None:
        """Tell the client that the handler failed (1011; RFC 6455, section 7.4.1)."""
        self._receiver.nobody_receives()
        self.close(CloseCode.INTERNAL_ERROR, "")

    def abort(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    # -- time

    def _schedule(self) -> None:
        """Set the timer to the core's next deadline."""
        deadline = self.connection.next_deadline()
        if deadline is not None and self._transport is not None:
            self._set_timer(max(deadline, self.loop.time()), self._on_time)

    def _set_timer(self, when: float, callback: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(when, callback)

    def _on_time(self) -> None:
        transport, connection = self._transport, self.connection
        assert transport is not None
        backlog = transport.get_write_buffer_size()
        if self.is_reading_paused or backlog < self._backlog:
            # To a client that is not read from one does not listen, and one that takes what it
            # is sent is there: either counts as a sign of life.
            connection.receive_data(b"")
        self._backlog = backlog
        connection.handle_time(self.loop.time())
        self._pump()
        if self._ended:
            # Time ran out: nobody is there to take what was written.
            transport.abort()
        else:
            self._schedule()

    # -- flow control

    def pause_reading(self) -> None:
        """Stop reading: the handler is behind."""
        if not self.is_reading_paused:
            self.is_reading_paused = True
            if self._transport is not None and not self._transport.is_closing():
                self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on reading, first what has arrived already."""
        if self.is_reading_paused:
            self.is_reading_paused = False
            self._pump()
            transport = self._transport
            if not self.is_reading_paused and transport is not None and not transport.is_closing():
                transport.resume_reading()

    async def drained(self) -> None:
        """Wait until the client has taken enough of what was sent."""
        await self._wait_while(lambda: self._behind)

    async def _wait_while(self, condition: Callable[[], bool]) -> None:
        while condition() and self._transport is not None:
            waiter = self.loop.create_future()
            self._waiters.append(waiter)
            await waiter
        if self._transport is None:
            raise lost_connection()

    def _wake_writers(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


def _always() -> bool:
    return True


def check_close(code: int, reason: str) -> None:
    """Refuse what a Close frame may not carry, before anything is done to close.

    Raises:
        ValueError: The code or the reason may not be sent.
    """
    try:
        Connection(Role.SERVER).send(Close(code, reason))
    except LocalProtocolError as error:
        raise ValueError(str(error)) from error


def _check_text(event: Event | Shared) -> None:
    """Refuse what waits and could not be sent later, when nobody is there to be told."""
    message = event.message if isinstance(event, Shared) else event
    if isinstance(message, Text) and isinstance(message.data, str):
        message.data.encode()
