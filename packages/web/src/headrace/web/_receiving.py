"""The receiving half of a WebSocket: messages that wait for the handler, whole or in pieces."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Generator
from io import BytesIO, StringIO
from types import coroutine
from typing import Any, Final, Self, final

from headrace.websocket import (
    Binary,
    Close,
    CloseCode,
    ConnectionClosed,
    Event,
    Ping,
    Pong,
    RemoteProtocolError,
    Text,
)

from ._channel import WebSocketChannel
from ._errors import ClientConnectionResetError
from ._messages import CLOSED, CLOSING, ENDINGS, WSMessage, WSMessageTypeError, WSMsgType
from ._stream_response import StreamResponse
from ._streams import lost_connection
from ._waker import Waker, parked

#: Messages that wait for the handler before reading from the client pauses.
MAX_QUEUED: Final = 256
#: Bytes that wait for the handler before reading from the client pauses.
MAX_QUEUED_BYTES: Final = 256 * 1024
#: How often a handler may ask a closed connection for messages: the last time is an error.
_PATIENCE: Final = 5

_new = tuple.__new__
_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY


@final
class Pieces:
    """A message under way: collected until it is whole, or given to the handler as it comes.

    For the handler it is an asynchronous iterator of str or bytes.
    """

    __slots__ = ("_receiving", "_sink", "_timeout", "is_skipped", "is_whole", "size", "type")

    def __init__(self, receiving: Receiving, kind: WSMsgType) -> None:
        self.type = kind
        self.is_whole = False
        self.is_skipped = False
        self.size = 0  # characters or bytes that nobody has taken yet
        self._receiving = receiving
        self._sink: StringIO | BytesIO | None = None
        self._timeout: float | None = None

    def feed(self, data: Any) -> None:
        """Add what came."""
        if data:
            if self._sink is None:
                self._sink = StringIO() if isinstance(data, str) else BytesIO()
            self._sink.write(data)
            self.size += len(data)

    def take(self) -> Any:
        """Return and forget what came; None for nothing."""
        sink, self._sink = self._sink, None
        self.size = 0
        return None if sink is None else sink.getvalue()

    def hand_over(self, timeout: float | None) -> WSMessage:
        """Return the message for the handler, which waits for *timeout* for each piece."""
        self._timeout = timeout
        return WSMessage(self.type, self, None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        piece = await self._receiving._next_piece(self, self._timeout)
        if piece is None:
            raise StopAsyncIteration
        return piece


class Receiving(StreamResponse):
    """What a `WebSocketResponse` has for receiving."""

    _waker: Waker[WSMessage]

    def __init__(self, receive_timeout: float | None, autoclose: bool, autoping: bool) -> None:
        super().__init__(status=101)
        self._receive_timeout = receive_timeout
        self._autoclose = autoclose
        self._autoping = autoping
        self._channel: WebSocketChannel | None = None
        self._queue: deque[WSMessage] = deque()
        self._queued_bytes = 0
        self._under_way: Pieces | None = None  # the message whose end has not come yet
        self._handed_over: Pieces | None = None  # the one that the handler reads in pieces
        self._wants_pieces = False
        self._waiter: asyncio.Future[None] | None = None  # the waker's, while a task receives
        #: The waker's future while a message can be waited for by the short way: nothing waits,
        #: nothing has ended, and there is nothing else to do when it comes or does not come.
        self._idle: asyncio.Future[None] | None = None
        self._closed_waiter: asyncio.Future[None] | None = None
        self._closed = False
        self._close_code: int | None = None
        self._failure: BaseException | None = None
        self._vain_receives = 0

    def _open(self, channel: WebSocketChannel) -> None:
        """Begin to receive."""
        self._channel = channel
        self._waker = channel.waker
        self._settle()

    def _settle(self) -> None:
        """Let the next message be waited for by the short way, if nothing speaks against it."""
        assert self._channel is not None
        if not (
            self._queue
            or self._handed_over is not None
            or self._is_over
            or self._receive_timeout
            or self._channel.is_reading_paused
        ):
            self._idle = self._waker.ready()

    # -- the handler's side

    async def receive(self, timeout: float | None = None) -> WSMessage:
        """Return the next message; CLOSE, CLOSING, CLOSED or ERROR when there will be none.

        Args:
            timeout: Seconds to wait; the response's `receive_timeout` when None.

        Raises:
            RuntimeError: Another task is receiving, or the connection was closed long ago.
            TimeoutError: Nothing arrived in time.
        """
        if self._waiter is not None or self._handed_over is not None:
            self._begin_receiving()
        queue = self._queue
        if queue:
            message = queue.popleft()
            if self._queued_bytes or len(queue) == MAX_QUEUED // 2:
                self._taken(message)
            if not queue:
                self._settle()
            return message
        if self._is_over:
            return self._received_in_vain()
        if self._idle is not None and not timeout:
            return await self._next_message()
        await self._wait(timeout)
        return self._take()

    @coroutine
    def _next_message(self) -> Generator[Any, Any, WSMessage]:
        """Wait for the next message by the short way, which `_idle` tells to be open."""
        waiter = self._waiter = self._idle
        assert waiter is not None
        waiter._asyncio_future_blocking = True
        try:
            yield waiter
        except BaseException:
            self._give_up()
            raise
        self._waiter = None
        message, self._waker.given = self._waker.given, None
        return self._take() if message is None else message

    def _take(self) -> WSMessage:
        """Return the message that was put for the task that waited."""
        message = self._queue.popleft()
        if not self._queue:
            self._settle()
        return message

    def _give_up(self) -> None:
        """Wait no longer, without a message."""
        self._waiter = self._idle = None
        self._count()

    async def receive_stream(self, timeout: float | None = None) -> WSMessage:
        """Return the next message as soon as it begins.

        The data of a text or binary message is an asynchronous iterator of its pieces, str or
        bytes, each of which is waited for with the same timeout. What is left of them is
        skipped when the next message is received. The iterator raises
        `ClientConnectionResetError` when the connection ends before the message does.

        Arguments and exceptions are those of `receive`.
        """
        self._begin_receiving()
        timeout = timeout or self._receive_timeout
        if not self._queue and not self._is_there_a_piece() and not self._is_over:
            self._wants_pieces = True
            try:
                await self._wait(timeout)
            finally:
                self._wants_pieces = False
                self._count()
        if not self._queue and self._is_there_a_piece():
            pieces = self._under_way
            assert pieces is not None
        else:
            message = await self.receive(timeout)
            if message.type is not _TEXT and message.type is not _BINARY:
                return message
            pieces = Pieces(self, message.type)
            pieces.feed(message.data)
            pieces.is_whole = True
            self._queued_bytes += pieces.size
        self._handed_over = pieces
        self._idle = None
        return pieces.hand_over(timeout)

    def _begin_receiving(self) -> None:
        """Let nobody else receive, and let go of a message that was not read to its end."""
        self._prepared()
        if self._waiter is not None:
            raise RuntimeError("another task is already in receive()")
        pieces = self._handed_over
        if pieces is not None:
            self._handed_over = None
            self._queued_bytes -= pieces.size
            pieces.take()
            pieces.is_skipped = True
            self._resume_when_low()

    def _is_there_a_piece(self) -> bool:
        return self._under_way is not None and not self._under_way.is_skipped

    @property
    def _is_over(self) -> bool:
        return self._closed or self._close_code is not None

    async def _next_piece(self, pieces: Pieces, timeout: float | None) -> Any:
        """Return what came of a message since the last time, None when it has ended."""
        if self._waiter is not None:
            raise RuntimeError("another task is already in receive()")
        while self._handed_over is pieces:
            if pieces.size:
                self._queued_bytes -= pieces.size
                piece = pieces.take()
                self._resume_when_low()
                return piece
            if pieces.is_whole:
                self._handed_over = None
            elif self._is_over:
                self._handed_over = None
                raise ClientConnectionResetError(
                    "the connection ended inside of a message"
                ) from self._failure
            else:
                await self._wait(timeout)
        return None

    async def _wait(self, timeout: float | None) -> None:
        """Wait until something is put into the queue, or a piece comes that is wanted.

        What somebody waits for is not counted among the bytes that wait.
        """
        channel, waker = self._prepared(), self._waker
        waiter = self._waiter = waker.ready()
        self._idle = None
        try:
            # With the waiter in place: a message that is waited for is collected to its end.
            channel.resume_reading()
            timeout = timeout or self._receive_timeout
            if timeout:
                async with asyncio.timeout(timeout):
                    await parked(waiter)
            else:
                await parked(waiter)
        except BaseException:
            self._count()
            raise
        finally:
            self._waiter = None
        if waker.given is not None:
            self._queue.append(waker.given)
            waker.given = None

    def _prepared(self) -> WebSocketChannel:
        if self._channel is None:
            raise RuntimeError("call prepare() first")
        return self._channel

    def _count(self) -> None:
        """Count the bytes that wait anew."""
        waiting = [message.data for message in self._queue]
        size = sum(len(data) for data in waiting if isinstance(data, str | bytes))
        for pieces in {self._under_way, self._handed_over}:
            size += 0 if pieces is None else pieces.size
        self._queued_bytes = size

    def _taken(self, message: WSMessage) -> None:
        if isinstance(message.data, str | bytes):
            self._queued_bytes -= len(message.data)
        self._resume_when_low()

    def _resume_when_low(self) -> None:
        if len(self._queue) <= MAX_QUEUED // 2 and self._queued_bytes <= MAX_QUEUED_BYTES // 2:
            assert self._channel is not None
            self._channel.resume_reading()

    def _received_in_vain(self) -> WSMessage:
        self._vain_receives += 1
        if self._vain_receives >= _PATIENCE:
            raise RuntimeError("the WebSocket is closed: leave the loop when receive() says so")
        return CLOSED

    async def receive_str(self, *, timeout: float | None = None) -> str:
        """Return the next message, a text; raise WSMessageTypeError for another type."""
        return str(await self._receive_typed(_TEXT, timeout))

    async def receive_bytes(self, *, timeout: float | None = None) -> bytes:
        """Return the next message, a binary one; raise WSMessageTypeError for another type."""
        return bytes(await self._receive_typed(_BINARY, timeout))

    async def receive_json(
        self, *, loads: Callable[[str], Any] = json.loads, timeout: float | None = None
    ) -> Any:
        """Return the next message, a text, decoded as JSON."""
        return loads(await self.receive_str(timeout=timeout))

    async def _receive_typed(self, expected: WSMsgType, timeout: float | None) -> Any:
        message = await self.receive(timeout)
        if message.type is not expected:
            raise WSMessageTypeError(
                f"received {message.type.name}: {message.data!r}, expected {expected.name}"
            )
        return message.data

    def __aiter__(self) -> Self:
        return self

    @coroutine
    def __anext__(self) -> Generator[Any, Any, WSMessage]:
        """Return the next message, and end the iteration at the end of the connection.

        This is no coroutine of its own, as one for each message would cost more than waiting:
        for a task of it use `asyncio.ensure_future`.
        """
        waiter = self._idle
        if waiter is None or self._waiter is not None:
            message = yield from self.receive().__await__()
        else:
            # The same as `_next_message`, without its frame.
            self._waiter = waiter
            waiter._asyncio_future_blocking = True
            try:
                yield waiter
            except BaseException:
                self._give_up()
                raise
            self._waiter = None
            waker = self._waker
            given = waker.given
            if given is not None:
                waker.given = None
                return given
            message = self._take()
        kind = message[0]
        if kind is not _TEXT and kind is not _BINARY and kind in ENDINGS:
            raise StopAsyncIteration
        return message

    # -- the channel's side

    def message_received(self, message: WSMessage) -> None:
        """Take a message from the channel that came whole and alone, and no task waits for."""
        self._put(message, len(message.data))

    def event_received(self, event: Event) -> None:
        """Take an event from the channel."""
        if isinstance(event, Text | Binary):
            kind = _TEXT if event.__class__ is Text else _BINARY
            data, final = event
            if final and self._under_way is None:
                self._put(_new(WSMessage, (kind, data, None)), len(data))
            else:
                self._add_piece(kind, data, final)
        elif isinstance(event, Ping | Pong):
            if not self._autoping:
                of = WSMsgType.PING if isinstance(event, Ping) else WSMsgType.PONG
                self._put(WSMessage(of, event.payload, None), len(event.payload))
        elif isinstance(event, Close):
            code = CloseCode.NO_STATUS if event.code is None else event.code
            self._end(WSMessage(WSMsgType.CLOSE, code, event.reason), code)
        else:
            assert isinstance(event, ConnectionClosed)
            self._end(self._end_of_connection(event), event.code)

    def _end_of_connection(self, event: ConnectionClosed) -> WSMessage:
        if event.code != CloseCode.ABNORMAL or self._is_over:
            return CLOSED
        if not event.reason:
            self._failure = lost_connection()
            return CLOSED
        self._failure = ClientConnectionResetError(
            f"the client gave no sign of life: {event.reason}"
        )
        return WSMessage(WSMsgType.ERROR, self._failure, None)

    def protocol_failed(self, error: RemoteProtocolError) -> None:
        """Take the client's breach of the protocol from the channel."""
        self._failure = error
        self._end(WSMessage(WSMsgType.ERROR, error, None), error.code)

    def client_too_slow(self, waiting: int) -> None:
        """Learn from the channel that it closes, as the client takes too little."""
        self._closed = True
        self._failure = ClientConnectionResetError(
            f"the client is too slow: {waiting} bytes waited for it"
        )
        self._put(WSMessage(WSMsgType.ERROR, self._failure, None), 0)

    def nobody_receives(self) -> None:
        """Learn from the channel that it closes, as the handler has ended with an error."""
        if not self._closed:
            self._begin_closing()

    def _end(self, message: WSMessage, code: int) -> None:
        if self._close_code is None:
            self._close_code = code
            if self._autoclose or message.type is not WSMsgType.CLOSE:
                self._closed = True
            self._put(message, 0)
        if self._closed_waiter is not None and not self._closed_waiter.done():
            self._closed_waiter.set_result(None)

    def _begin_closing(self) -> asyncio.Future[None]:
        """Want no more messages; return what is done when the client's part is through."""
        assert self._channel is not None
        self._closed = True
        self._idle = None
        # Who closes could not answer them.
        self._queue.clear()
        self._queued_bytes = 0
        if self._waiter is not None:
            self._put(CLOSING, 0)
        self._closed_waiter = self._channel.loop.create_future()
        return self._closed_waiter

    def _put(self, message: WSMessage, size: int) -> None:
        self._idle = None
        if self._closed_waiter is not None:
            return
        queue = self._queue
        queue.append(message)
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
            return
        self._queued_bytes += size
        count = len(queue)
        if count > 1 and (self._queued_bytes > MAX_QUEUED_BYTES or count > MAX_QUEUED):
            assert self._channel is not None
            self._channel.pause_reading()

    def _add_piece(self, kind: WSMsgType, data: str | bytes, final: bool) -> None:
        """Take a piece of a message, for the handler or to collect."""
        pieces = self._under_way
        if pieces is None:
            pieces = self._under_way = Pieces(self, kind)
        if final:
            self._under_way = None
            pieces.is_whole = True
        if pieces.is_skipped or self._closed_waiter is not None:
            return
        if final and pieces is not self._handed_over:
            self._queued_bytes -= pieces.size
            pieces.feed(data)
            size = pieces.size
            self._put(WSMessage(kind, pieces.take() or data[:0], None), size)
            return
        pieces.feed(data)
        self._queued_bytes += len(data)
        waiter = self._waiter
        is_waiting = waiter is not None and not waiter.done()
        if waiter is not None and is_waiting and (self._wants_pieces or self._handed_over):
            waiter.set_result(None)
            is_waiting = False
        if self._queued_bytes > MAX_QUEUED_BYTES and not is_waiting:
            assert self._channel is not None
            self._idle = None
            self._channel.pause_reading()
