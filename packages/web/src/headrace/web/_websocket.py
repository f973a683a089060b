"""WebSockets as a handler sees them, in both dialects: `WebSocketResponse` and its messages."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from enum import IntEnum
from typing import Any, Final, NamedTuple

from headrace.websocket import (
    Acceptance,
    Binary,
    Close,
    CloseCode,
    Connection,
    ConnectionClosed,
    Deflate,
    Event,
    HandshakeError,
    Limits,
    Opcode,
    Ping,
    Pong,
    RemoteProtocolError,
    Role,
    Text,
    accept,
)

from ._channel import WebSocketChannel
from ._exceptions import BY_STATUS, HTTPException, framework_answer
from ._request import BaseRequest
from ._response import StreamResponse
from ._streams import lost_connection

WSCloseCode = CloseCode

#: Messages that wait for the handler before reading from the client pauses.
MAX_QUEUED: Final = 256
#: Bytes of messages that wait for the handler before reading from the client pauses.
MAX_QUEUED_BYTES: Final = 256 * 1024
#: How often a handler may ask a closed connection for messages before it gets an error.
_PATIENCE: Final = 5


class WSMsgType(IntEnum):
    """The types of messages: those of RFC 6455, and the states of the connection."""

    CONTINUATION = Opcode.CONTINUATION
    TEXT = Opcode.TEXT
    BINARY = Opcode.BINARY
    PING = Opcode.PING
    PONG = Opcode.PONG
    CLOSE = Opcode.CLOSE
    CLOSING = 0x100
    CLOSED = 0x101
    ERROR = 0x102

    # The guide's spelling of the same.
    continuation = CONTINUATION
    text = TEXT
    binary = BINARY
    ping = PING
    pong = PONG
    close = CLOSE
    closing = CLOSING
    closed = CLOSED
    error = ERROR


MsgType = WSMsgType


class WSMessageTypeError(TypeError):
    """A message of another type arrived than the one asked for."""


class WSMessage(NamedTuple):
    """A message: its type, its data, and for CLOSE the reason as `extra`."""

    type: WSMsgType
    data: Any
    extra: str | None

    @property
    def tp(self) -> WSMsgType:
        """The type, in the guide's spelling."""
        return self.type

    def json(self, *, loads: Callable[[Any], Any] = json.loads) -> Any:
        """Return the data decoded as JSON."""
        return loads(self.data)


_CLOSING: Final = WSMessage(WSMsgType.CLOSING, None, None)
_CLOSED: Final = WSMessage(WSMsgType.CLOSED, None, None)
_ENDINGS: Final = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)
_new = tuple.__new__


class WebSocketReady(NamedTuple):
    """Whether a request can be upgraded, and the subprotocol that it would get."""

    ok: bool
    protocol: str | None

    def __bool__(self) -> bool:
        return self.ok


class WebSocketResponse(StreamResponse):
    """The answer that turns the connection into a WebSocket.

    Sending methods queue at once and return an awaitable; awaiting it waits until a slow client
    has caught up. One task at a time receives, any number may send.

    Args:
        timeout: Seconds to wait for the client's part of the closing handshake.
        receive_timeout: Seconds that `receive` waits; None for ever.
        autoclose: Answer the client's close frame.
        autoping: Answer pings, and keep pings and pongs from `receive`.
        heartbeat: Seconds between pings; a client that is silent for half of that after a
            ping is gone. None sends none.
        protocols: The subprotocols that the handler speaks.
        compress: Agree to permessage-deflate; a number of 9 to 15 sets the window bits.
        max_msg_size: Bytes of a message, 0 for any number.
        decode_text: Give text messages as str, else as bytes.
    """

    def __init__(
        self,
        *,
        timeout: float = 10.0,
        receive_timeout: float | None = None,
        autoclose: bool = True,
        autoping: bool = True,
        heartbeat: float | None = None,
        protocols: Iterable[str] = (),
        compress: bool | int = True,
        max_msg_size: int = 4 * 1024**2,
        decode_text: bool = True,
    ) -> None:
        super().__init__(status=101)
        self._timeout = timeout
        self._receive_timeout = receive_timeout
        self._autoclose = autoclose
        self._autoping = autoping
        self._heartbeat = heartbeat
        self._protocols = tuple(protocols)
        self._deflate = _deflate(compress)
        self._max_msg_size = max_msg_size
        self._decode_text = decode_text
        self._channel: WebSocketChannel | None = None
        self._acceptance: Acceptance | None = None
        self._queue: deque[WSMessage] = deque()
        self._queued_bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self._closed_waiter: asyncio.Future[None] | None = None
        self._closed = False
        self._close_code: int | None = None
        self._failure: BaseException | None = None
        self._vain_receives = 0

    # -- the handshake

    def can_prepare(self, request: BaseRequest) -> WebSocketReady:
        """Tell whether *request* asks for a WebSocket that `prepare` would accept."""
        if self._channel is not None:
            raise RuntimeError("the WebSocket is prepared already")
        try:
            return WebSocketReady(True, self._judge(request).subprotocol)
        except HandshakeError:
            return WebSocketReady(False, None)

    async def prepare(self, request: BaseRequest) -> None:  # type: ignore[override]
        """Accept the client's handshake.

        Raises:
            HTTPException: The request is no proper handshake: 400, 403, 405 or 426.
        """
        if self._channel is not None:
            return
        try:
            acceptance = self._judge(request)
        except HandshakeError as error:
            raise _refusal(error) from None
        self._req = request
        hook = request._prepare_hook
        if hook is not None:
            await hook(self)
        exchange = request._exchange
        heartbeat = self._heartbeat
        connection = Connection(
            Role.SERVER,
            deflate=acceptance.deflate,
            limits=Limits(max_message=self._max_msg_size or None),
            decode_text=self._decode_text,
            autopong=self._autoping,
            autoclose=self._autoclose,
            ping_interval=heartbeat,
            ping_timeout=None if heartbeat is None else heartbeat / 2,
            close_timeout=self._timeout,
        )
        channel = WebSocketChannel(connection, self, exchange.connection_lost, exchange.loop)
        self._acceptance = acceptance
        self._channel = channel
        self._exchange = exchange
        exchange.upgrade([*acceptance.headers, *self._fields()], channel)

    def _judge(self, request: BaseRequest) -> Acceptance:
        return accept(
            request.raw_headers,
            method=request.method.encode(),
            version=request.version,
            subprotocols=self._protocols,
            deflate=self._deflate,
        )

    # -- state

    @property
    def closed(self) -> bool:
        """Whether the closing has begun, from either side."""
        return self._closed

    @property
    def close_code(self) -> int | None:
        """The code that ended the connection, 1006 for a loss; None while it is open."""
        return self._close_code

    @property
    def ws_protocol(self) -> str | None:
        """The subprotocol that was agreed on."""
        return None if self._acceptance is None else self._acceptance.subprotocol

    @property
    def protocol(self) -> str | None:
        """The subprotocol that was agreed on, in the guide's spelling."""
        return self.ws_protocol

    @property
    def compress(self) -> int:
        """The window bits of the agreed compression; 0 without it."""
        agreed = None if self._acceptance is None else self._acceptance.deflate
        return 0 if agreed is None else agreed.server_max_window_bits

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return a fact about the transport."""
        return default if self._exchange is None else self._exchange.get_extra_info(name, default)

    def exception(self) -> BaseException | None:
        """Return the error that ended the connection, if one did."""
        return self._failure

    # -- sending

    def send_str(self, data: str, compress: int | None = None) -> Awaitable[None]:
        """Send a text message."""
        if not isinstance(data, str):
            raise TypeError(f"data must be str, not {type(data).__name__}")
        return self._send(Text(data), compress)

    def send_bytes(
        self, data: bytes | bytearray | memoryview, compress: int | None = None
    ) -> Awaitable[None]:
        """Send a binary message."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes-like, not {type(data).__name__}")
        return self._send(Binary(bytes(data)), compress)

    def send_json(
        self,
        data: Any,
        compress: int | None = None,
        *,
        dumps: Callable[[Any], str] = json.dumps,
    ) -> Awaitable[None]:
        """Send *data* as JSON in a text message."""
        return self.send_str(dumps(data), compress)

    def ping(self, message: bytes | str = b"") -> Awaitable[None]:
        """Send a ping with at most 125 bytes."""
        return self._send(Ping(message.encode() if isinstance(message, str) else message))

    def pong(self, message: bytes | str = b"") -> Awaitable[None]:
        """Send an unasked pong with at most 125 bytes."""
        return self._send(Pong(message.encode() if isinstance(message, str) else message))

    def _send(self, event: Event, compress: int | None = None) -> Awaitable[None]:
        if self._channel is None:
            raise RuntimeError("call prepare() first")
        return self._channel.send(event, None if compress is None else bool(compress))

    async def close(
        self, *, code: int = WSCloseCode.NORMAL, message: bytes | str = b"", drain: bool = True
    ) -> bool:
        """Close the connection and wait for the client's part, for `timeout` seconds.

        Returns:
            False when it was closed already.
        """
        channel = self._channel
        if channel is None:
            raise RuntimeError("call prepare() first")
        if self._closed:
            return False
        self._closed = True
        reason = message.decode("utf-8", "replace") if isinstance(message, bytes) else message
        # Who closes wants no more messages, and could not answer them.
        self._queue.clear()
        self._queued_bytes = 0
        if self._waiter is not None:
            self._put(_CLOSING, 0)
        self._closed_waiter = asyncio.get_running_loop().create_future()
        channel.close(code, reason)
        if self._close_code is None:
            await self._closed_waiter
        return True

    async def write_eof(
        self, data: bytes = b"", *, trailers: Mapping[str, str] | None = None
    ) -> None:
        """Close the connection."""
        if not self._eof_sent:
            self._eof_sent = True
            await self.close()

    def write(self, data: bytes | bytearray | memoryview) -> Awaitable[None]:
        """Refuse: a WebSocket has messages, not a body."""
        raise RuntimeError("a WebSocket has no body: use send_str() or send_bytes()")

    # -- receiving

    async def receive(self, timeout: float | None = None) -> WSMessage:
        """Return the next message; CLOSE, CLOSING or CLOSED when there will be none.

        Args:
            timeout: Seconds to wait; the response's `receive_timeout` when None.

        Raises:
            RuntimeError: Another task is receiving, or the connection was closed long ago.
            TimeoutError: Nothing arrived in time.
        """
        if self._channel is None:
            raise RuntimeError("call prepare() first")
        if self._waiter is not None:
            raise RuntimeError("another task is already in receive()")
        if not self._queue:
            if self._closed or self._close_code is not None:
                return self._received_in_vain()
            await self._wait(timeout or self._receive_timeout)
        message = self._queue.popleft()
        if self._queued_bytes or len(self._queue) == MAX_QUEUED // 2:
            self._taken(message)
        return message

    async def _wait(self, timeout: float | None) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            if timeout is None:
                await self._waiter
            else:
                async with asyncio.timeout(timeout):
                    await self._waiter
        finally:
            self._waiter = None

    def _taken(self, message: WSMessage) -> None:
        if isinstance(message.data, str | bytes):
            self._queued_bytes -= len(message.data)
        if len(self._queue) <= MAX_QUEUED // 2 and self._queued_bytes <= MAX_QUEUED_BYTES // 2:
            assert self._channel is not None
            self._channel.resume_reading()

    def _received_in_vain(self) -> WSMessage:
        self._vain_receives += 1
        if self._vain_receives > _PATIENCE:
            raise RuntimeError("the WebSocket is closed: leave the loop when receive() says so")
        return _CLOSED

    async def receive_str(self, *, timeout: float | None = None) -> str:
        """Return the next message, a text; raise WSMessageTypeError for another type."""
        return str(await self._receive_typed(WSMsgType.TEXT, timeout))

    async def receive_bytes(self, *, timeout: float | None = None) -> bytes:
        """Return the next message, a binary one; raise WSMessageTypeError for another type."""
        return bytes(await self._receive_typed(WSMsgType.BINARY, timeout))

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

    def __aiter__(self) -> WebSocketResponse:
        return self

    async def __anext__(self) -> WSMessage:
        message = await self.receive()
        if message.type in _ENDINGS:
            raise StopAsyncIteration
        return message

    # -- the channel's side

    def event_received(self, event: Event) -> None:
        """Take an event from the channel."""
        if isinstance(event, Text):
            self._put(_new(WSMessage, (WSMsgType.TEXT, event.data, None)), len(event.data))
        elif isinstance(event, Binary):
            self._put(_new(WSMessage, (WSMsgType.BINARY, event.data, None)), len(event.data))
        elif isinstance(event, Ping | Pong):
            if not self._autoping:
                of = WSMsgType.PING if isinstance(event, Ping) else WSMsgType.PONG
                self._put(WSMessage(of, event.payload, None), 0)
        elif isinstance(event, Close):
            code = CloseCode.NO_STATUS if event.code is None else event.code
            self._end(WSMessage(WSMsgType.CLOSE, code, event.reason), code)
        elif isinstance(event, ConnectionClosed):
            self._end(_CLOSED, event.code)

    def protocol_failed(self, error: RemoteProtocolError) -> None:
        """Take the client's breach of the protocol from the channel."""
        self._failure = error
        self._end(WSMessage(WSMsgType.ERROR, error, None), error.code)

    def _end(self, message: WSMessage, code: int) -> None:
        if self._close_code is None:
            self._close_code = code
            if code == CloseCode.ABNORMAL and self._failure is None:
                self._failure = lost_connection()
            if self._autoclose or message.type is not WSMsgType.CLOSE:
                self._closed = True
            self._put(message, 0)
        if self._closed_waiter is not None and not self._closed_waiter.done():
            self._closed_waiter.set_result(None)

    def _put(self, message: WSMessage, size: int) -> None:
        if self._closed_waiter is not None:
            return
        self._queue.append(message)
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
        self._queued_bytes += size
        if self._queued_bytes > MAX_QUEUED_BYTES or len(self._queue) > MAX_QUEUED:
            assert self._channel is not None
            self._channel.pause_reading()


def _deflate(compress: bool | int) -> Deflate | None:
    if compress is False or compress == 0:
        return None
    if compress is True:
        return Deflate()
    return Deflate(server_max_window_bits=compress, client_max_window_bits=compress)


def _refusal(error: HandshakeError) -> HTTPException:
    """Return the ordinary answer for a handshake that is refused."""
    if error.status == 405:
        exception: HTTPException = BY_STATUS[400](text="WebSocket handshakes are GET requests")
    else:
        exception = framework_answer(error.status)
    for name, value in error.headers:
        exception.headers[name.decode()] = value.decode()
    return exception
