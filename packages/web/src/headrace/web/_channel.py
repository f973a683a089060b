"""The glue of an upgraded connection: a transport on one side, `headrace.websocket` on the other.

This module alone drives the machinery of `headrace.websocket`. Bytes become events that go to
one receiver; events that are sent become bytes at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final, Protocol, cast, final

from headrace.websocket import (
    NEED_DATA,
    Close,
    CloseCode,
    Connection,
    ConnectionClosed,
    Event,
    RemoteProtocolError,
    State,
)

from ._streams import DONE, lost_connection

#: Bytes that may wait in the transport before a send that nobody awaits is an error.
SEND_LIMIT: Final = 16 * 1024**2


class Receiver(Protocol):
    """Where the events of a channel go."""

    def event_received(self, event: Event) -> None: ...
    def protocol_failed(self, error: RemoteProtocolError) -> None: ...


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
    """The protocol of a connection after its upgrade to WebSocket."""

    def __init__(
        self,
        connection: Connection,
        receiver: Receiver,
        lost: Callable[[BaseException | None], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._connection: Final = connection
        self._receiver: Final = receiver
        self._lost: Final = lost
        self._loop: Final = loop
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._ended = False
        self._paused_writing = False
        self._paused_reading = False

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface, but not the base class.
        self._transport = cast(asyncio.Transport, transport)
        self._schedule()

    def data_received(self, data: bytes) -> None:
        self._connection.receive_data(data)
        self._pump()

    def eof_received(self) -> bool:
        self._connection.receive_eof()
        self._pump()
        return False

    def connection_lost(self, exc: BaseException | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        if not self._ended:
            self._connection.receive_eof()
            self._pump()
        self._wake_writers()
        self._lost(exc)

    def pause_writing(self) -> None:
        self._paused_writing = True

    def resume_writing(self) -> None:
        self._paused_writing = False
        self._wake_writers()

    # -- both directions

    def _pump(self) -> None:
        """Hand over the events that are there, and write the answers that need no handler."""
        connection = self._connection
        try:
            while not self._ended:
                event = connection.next_event()
                if event is NEED_DATA:
                    break
                self._ended = event.__class__ is ConnectionClosed
                self._receiver.event_received(event)
        except RemoteProtocolError as error:
            self._receiver.protocol_failed(error)
            self._pump()
        self._flush()

    def _flush(self) -> None:
        transport = self._transport
        if transport is None:
            return
        answers = self._connection.data_to_send()
        if answers:
            transport.write(answers)
        if self._connection.finished:
            transport.close()

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._transport is not None and self._connection.state is State.OPEN

    def send(self, event: Event, compress: bool | None = None) -> Awaitable[None]:
        """Write *event* at once; awaiting the result waits for back-pressure.

        Raises:
            ClientConnectionResetError: The client has gone, or the closing has begun.
            RuntimeError: More than `SEND_LIMIT` bytes wait and nobody awaits.
        """
        transport = self._transport
        if (
            transport is None
            or self._connection.state is not State.OPEN
            or transport.is_closing()  # it would drop what it is given, and never pause
        ):
            raise lost_connection()
        if self._paused_writing and transport.get_write_buffer_size() > SEND_LIMIT:
            transport.abort()
            raise RuntimeError(
                f"more than {SEND_LIMIT} bytes wait for a slow client: await what send returns"
            )
        transport.write(self._connection.send(event, compress=compress))
        return _Drain(self) if self._paused_writing else DONE

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake, or answer the client's; a deadline starts to run."""
        state = self._connection.state
        if self._transport is not None and (state is State.OPEN or state is State.CLOSE_RECEIVED):
            self._transport.write(self._connection.send(Close(code, reason)))
            self.resume_reading()
            self._flush()
            self._schedule()

    def shut_down(self) -> None:
        """Tell the client that the server goes away (1001)."""
        self.close(CloseCode.GOING_AWAY, "server shutdown")

    def abort(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    # -- time

    def _schedule(self) -> None:
        """Set the timer to the core's next deadline."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._connection.next_deadline()
        if deadline is not None and self._transport is not None:
            self._timer = self._loop.call_at(max(deadline, self._loop.time()), self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._connection.handle_time(self._loop.time())
        self._pump()
        self._schedule()

    # -- flow control

    def pause_reading(self) -> None:
        """Stop reading: the handler is behind."""
        if not self._paused_reading and self._transport is not None:
            self._paused_reading = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on reading."""
        if self._paused_reading:
            self._paused_reading = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    async def drained(self) -> None:
        """Wait until the client has taken enough of what was sent."""
        while self._paused_writing and self._transport is not None:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter
        if self._transport is None:
            raise lost_connection()

    def _wake_writers(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
