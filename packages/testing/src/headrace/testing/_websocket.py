"""A WebSocket as a test sees it: the client's side of one connection."""

import asyncio
import json as json_module
from collections import deque
from collections.abc import AsyncIterator, Callable
from enum import IntEnum
from types import TracebackType
from typing import Any, NamedTuple, Self, final

from headrace.websocket import (
    NEED_DATA,
    Acceptance,
    Binary,
    Close,
    CloseCode,
    Connection,
    ConnectionClosed,
    Event,
    Limits,
    LocalProtocolError,
    Opcode,
    Ping,
    Pong,
    RemoteProtocolError,
    Role,
    Text,
)

from ._errors import ResponseTimeoutError, WSMessageTypeError
from ._patience import Patience
from ._response import ClientResponse

__all__ = ["ClientWebSocketResponse", "WSMessage", "WSMsgType"]


class WSMsgType(IntEnum):
    """The type of a message; the numbers are those of headrace.web and aiohttp."""

    CONTINUATION = Opcode.CONTINUATION
    TEXT = Opcode.TEXT
    BINARY = Opcode.BINARY
    CLOSE = Opcode.CLOSE
    PING = Opcode.PING
    PONG = Opcode.PONG
    CLOSING = 0x100
    CLOSED = 0x101
    ERROR = 0x102


class WSMessage(NamedTuple):
    """A message: a tuple of its type, its data and, for a close, the reason."""

    type: WSMsgType
    data: Any
    extra: Any = None

    @property
    def tp(self) -> WSMsgType:
        """The type."""
        return self.type

    def json(self, *, loads: Callable[[str], Any] = json_module.loads) -> Any:
        """Return the data decoded as JSON."""
        return loads(self.data)


_CLOSED = WSMessage(WSMsgType.CLOSED, None, None)


class Options(NamedTuple):
    """How a WebSocket behaves; `TestClient.ws_connect` explains each."""

    autoping: bool = True
    autoclose: bool = True
    heartbeat: float | None = None
    receive_timeout: float | None = None
    close_timeout: float = 10.0
    max_msg_size: int = 4 * 1024 * 1024
    timeout: float | None = 30.0


@final
class ClientWebSocketResponse(asyncio.Protocol):
    """An open WebSocket; `TestClient.ws_connect` returns it.

    ``async for message in ws`` ends when the connection is closed. A ping is answered and a close
    is echoed without help, see *autoping* and *autoclose* there.

    Attributes:
        response: The answer to the handshake.
        name: What was asked, for messages.
    """

    def __init__(
        self,
        response: ClientResponse,
        transport: asyncio.Transport,
        acceptance: Acceptance,
        options: Options,
        handler_errors: Callable[[], BaseException | None],
        patience: Patience,
    ) -> None:
        self.response = response
        self.name = f"{response.method} {response.url.raw_path_qs}"
        self._transport = transport
        self._acceptance = acceptance
        self._options = options
        self._handler_errors = handler_errors
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._connection = Connection(
            Role.CLIENT,
            deflate=acceptance.deflate,
            limits=Limits(max_message=options.max_msg_size or None),
            autopong=options.autoping,
            autoclose=options.autoclose,
            ping_interval=options.heartbeat,
            ping_timeout=None if options.heartbeat is None else options.heartbeat / 2,
            close_timeout=options.close_timeout,
        )
        self._messages: deque[WSMessage] = deque()
        self._receiver: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._ended = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._lost = False
        self._closing = False
        self._close_code: int | None = None
        self._error: BaseException | None = None

    # The state

    @property
    def protocol(self) -> str | None:
        """The subprotocol agreed on."""
        return self._acceptance.subprotocol

    @property
    def compress(self) -> bool:
        """Tell whether permessage-deflate was agreed on."""
        return self._acceptance.deflate is not None

    @property
    def closed(self) -> bool:
        """Tell whether the connection is closed, or closing from our side."""
        return self._close_code is not None or self._closing or self._lost

    @property
    def close_code(self) -> int | None:
        """What closed the connection: the peer's code, 1006 when there was none; None before."""
        return self._close_code

    def exception(self) -> BaseException | None:
        """Return the error that ended the connection, or None."""
        return self._error

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the transport knows, such as ``peername``."""
        return self._transport.get_extra_info(name, default)

    # Sending

    async def send_str(self, data: str, compress: bool | None = None) -> None:
        """Send a text message.

        Raises:
            TypeError: if *data* is not text.
            ConnectionResetError: if the connection is closed.
        """
        if not isinstance(data, str):
            raise TypeError(f"data must be str, not {type(data).__name__}")
        await self._send(Text(data), compress)

    async def send_bytes(
        self, data: bytes | bytearray | memoryview, compress: bool | None = None
    ) -> None:
        """Send a binary message; raises as `send_str` does."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data must be bytes-like, not {type(data).__name__}")
        await self._send(Binary(bytes(data)), compress)

    async def send_json(
        self,
        data: object,
        compress: bool | None = None,
        *,
        dumps: Callable[[Any], str] = json_module.dumps,
    ) -> None:
        """Send *data* as JSON in a text message."""
        await self.send_str(dumps(data), compress)

    async def send_frame(self, event: Event, compress: bool | None = None) -> None:
        """Send any event of `headrace.websocket`, such as a piece of a message."""
        await self._send(event, compress)

    async def ping(self, message: bytes | str = b"") -> None:
        """Send a ping of at most 125 bytes."""
        await self._send(Ping(_payload(message)), None)

    async def pong(self, message: bytes | str = b"") -> None:
        """Send a pong of at most 125 bytes."""
        await self._send(Pong(_payload(message)), None)

    async def close(self, *, code: int = CloseCode.NORMAL, message: bytes | str = b"") -> bool:
        """Close the connection and wait for the peer's part of it.

        Returns:
            True when this call closed it, False when it was closed before.
        """
        if self._close_code is not None or self._lost:
            await self._end_quietly()
            return False
        self._closing = True
        reason = message if isinstance(message, str) else message.decode()
        try:
            self._write(Close(int(code), reason), None)
        except LocalProtocolError:
            pass  # The peer's close came first, and was echoed.
        self._transport.resume_reading()
        await self._end_quietly()
        self._messages.clear()
        return True

    def abort(self) -> None:
        """End the connection at once, without a close frame."""
        self._closing = True
        self._transport.abort()

    async def _end_quietly(self) -> None:
        self._rearm()
        await asyncio.shield(self._ended)

    async def _send(self, event: Event, compress: bool | None) -> None:
        if self._closing or self._lost or self._transport.is_closing():
            raise ConnectionResetError("the WebSocket is closed")
        try:
            self._write(event, compress)
        except LocalProtocolError as error:
            if self._close_code is not None:
                raise ConnectionResetError("the WebSocket is closed")
            raise ValueError(str(error))
        if self._writable is not None:
            await asyncio.shield(self._writable)

    def _write(self, event: Event, compress: bool | None) -> None:
        self._transport.write(self._connection.send(event, compress=compress))
        self._rearm()

    # Receiving

    async def receive(self, timeout: float | None = None) -> WSMessage:
        """Return the next message.

        After the end it is one of type CLOSE (the peer's), CLOSED or ERROR; what a handler raised
        is raised here, see *raise_handler_errors* of the client.

        Args:
            timeout: How long to wait, in seconds of the loop's time; None: *receive_timeout*.

        Raises:
            TimeoutError: when no message comes in time.
        """
        seconds = self._options.receive_timeout if timeout is None else timeout
        while not self._messages:
            if self._close_code is not None or self._closing:
                return _CLOSED
            if self._receiver is not None:
                raise RuntimeError("another task is already receiving")
            self._receiver = self._loop.create_future()
            try:
                async with asyncio.timeout(seconds):
                    await self._patience.wait(self._receiver, self._options.timeout, self._silent)
            finally:
                self._receiver = None
        message = self._messages.popleft()
        if len(self._messages) < _MESSAGES_HELD and not self._lost:
            self._transport.resume_reading()
        self._raise_handler_error(message)
        return message

    def _raise_handler_error(self, message: WSMessage) -> None:
        if message.type in _DATA or self._close_code in _ORDERLY:
            return
        error = self._handler_errors()
        if error is not None:
            raise error

    def _silent(self) -> Exception:
        return ResponseTimeoutError(
            f"{self.name}: no message for {self._options.timeout:g} seconds"
        )

    async def receive_str(self, *, timeout: float | None = None) -> str:
        """Return the text of the next message.

        Raises:
            WSMessageTypeError: if it is of another type.
        """
        return str(await self._receive_typed(WSMsgType.TEXT, timeout))

    async def receive_bytes(self, *, timeout: float | None = None) -> bytes:
        """Return the bytes of the next message; raises as `receive_str` does."""
        return bytes(await self._receive_typed(WSMsgType.BINARY, timeout))

    async def receive_json(
        self, *, loads: Callable[[str], Any] = json_module.loads, timeout: float | None = None
    ) -> Any:
        """Return the next message, a text, decoded as JSON."""
        return loads(await self.receive_str(timeout=timeout))

    async def _receive_typed(self, wanted: WSMsgType, timeout: float | None) -> Any:
        message = await self.receive(timeout)
        if message.type is not wanted:
            raise WSMessageTypeError(
                f"{self.name}: received {message.type.name} ({message.data!r}), not {wanted.name}"
            )
        return message.data

    def __aiter__(self) -> AsyncIterator[WSMessage]:
        return self

    async def __anext__(self) -> WSMessage:
        message = await self.receive()
        if message.type in _LAST:
            raise StopAsyncIteration
        return message

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    # The transport's side

    def take_over(self, data: bytes) -> None:
        """Serve the transport from now on; *data* came after the handshake."""
        self._transport.set_protocol(self)
        self._rearm()
        if data:
            self.data_received(data)
        if not self._lost:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Turn bytes into messages."""
        self._connection.receive_data(data)
        self._act()

    def eof_received(self) -> bool:
        """Note the end of what the peer sends."""
        self._connection.receive_eof()
        self._act()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end of the connection."""
        self._lost = True
        self.resume_writing()
        if self._close_code is None:
            self._error = exc
            if exc is not None:
                self._put(WSMessage(WSMsgType.ERROR, exc))
            self._connection.receive_eof()
            self._act()
        self._rearm()
        self._finish()

    def pause_writing(self) -> None:
        """Hold those who send."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let them go on."""
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    def _act(self) -> None:
        try:
            while (event := self._connection.next_event()) is not NEED_DATA:
                self._heard(event)
                if isinstance(event, ConnectionClosed):
                    break
        except RemoteProtocolError as error:
            self._error = error
            self._close_code = error.code
            self._put(WSMessage(WSMsgType.ERROR, error))
        self._flush()

    def _heard(self, event: Event) -> None:
        if isinstance(event, Text):
            self._put(WSMessage(WSMsgType.TEXT, event.data))
        elif isinstance(event, Binary):
            self._put(WSMessage(WSMsgType.BINARY, event.data))
        elif isinstance(event, Close):
            code = CloseCode.NO_STATUS if event.code is None else event.code
            self._close_code = code
            self._put(WSMessage(WSMsgType.CLOSE, int(code), event.reason))
        elif isinstance(event, ConnectionClosed):
            if self._close_code is None:
                self._close_code = event.code
                self._put(_CLOSED)
        elif not self._options.autoping:
            kind = WSMsgType.PING if isinstance(event, Ping) else WSMsgType.PONG
            self._put(WSMessage(kind, event.payload))

    def _put(self, message: WSMessage) -> None:
        self._messages.append(message)
        if len(self._messages) >= _MESSAGES_HELD and not (self._lost or self._closing):
            self._transport.pause_reading()
        receiver, self._receiver = self._receiver, None
        if receiver is not None and not receiver.done():
            receiver.set_result(None)

    def _flush(self) -> None:
        if not self._lost and (data := self._connection.data_to_send()):
            self._transport.write(data)
        if self._connection.finished:
            self._finish()
        self._rearm()

    def _finish(self) -> None:
        self._transport.close()
        if not self._ended.done():
            self._ended.set_result(None)

    # The time

    def _rearm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = None if self._lost else self._connection.next_deadline()
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._connection.handle_time(self._loop.time())
        if self._connection.close_code is not None and self._close_code is None:
            self._act()
        else:
            self._flush()

    def __repr__(self) -> str:
        state = "open" if not self.closed else f"closed {self._close_code}"
        return f"<ClientWebSocketResponse {self.name} {state}>"


_DATA = frozenset({WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG})
_LAST = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED})
_ORDERLY = frozenset({int(CloseCode.NORMAL), int(CloseCode.GOING_AWAY), int(CloseCode.NO_STATUS)})
# Messages that wait to be received before the peer feels it.
_MESSAGES_HELD = 64


def _payload(message: bytes | str) -> bytes:
    return message.encode() if isinstance(message, str) else bytes(message)
