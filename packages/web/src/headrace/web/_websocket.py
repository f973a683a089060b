"""WebSockets as a handler sees them, in both dialects: `WebSocketResponse` and `broadcast`."""

from __future__ import annotations

import json
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
)
from functools import partial
from typing import Any, Final, NamedTuple

from headrace.websocket import (
    Acceptance,
    Binary,
    CloseCode,
    Connection,
    Deflate,
    Event,
    HandshakeError,
    Limits,
    Ping,
    Pong,
    Role,
    Shared,
    Text,
    accept,
)

from ._channel import BINARY_FRAME, TEXT_FRAME, WebSocketChannel, check_close
from ._errors import ClientConnectionResetError
from ._exceptions import BY_STATUS, HTTPException, framework_answer
from ._messages import WSMsgType
from ._origins import Origins, Welcome, make_judge
from ._outbox import SlowClient, check_policy
from ._receiving import Receiving
from ._request import BaseRequest
from ._stream_response import LooseHeaders

WSCloseCode = CloseCode

#: What transports let wait before they ask for a pause, in bytes.
_WRITER_LIMIT: Final = 64 * 1024
Data = bytes | bytearray | memoryview


class WebSocketReady(NamedTuple):
    """Whether a request can be upgraded, and the subprotocol that it would get."""

    ok: bool
    protocol: str | None

    def __bool__(self) -> bool:
        return self.ok


class WebSocketResponse(Receiving):
    """The answer that turns the connection into a WebSocket.

    Sending methods queue at once and return an awaitable; awaiting it waits until a slow client
    has caught up. One task at a time receives, any number may send.

    Args:
        timeout: Seconds to wait for the client's part of the closing handshake.
        receive_timeout: Seconds that `receive` waits; None for ever.
        autoclose: Answer the client's close frame.
        autoping: Answer pings, and keep pings and pongs from `receive`.
        heartbeat: Seconds between pings; None sends none.
        heartbeat_timeout: Seconds within which a client must give a sign of life after a
            ping, or it is gone; half of *heartbeat* when None.
        protocols: The subprotocols that the handler speaks.
        compress: Agree to permessage-deflate; a number of 9 to 15 sets the window bits.
        max_msg_size: Bytes of a message, 0 for any number.
        writer_limit: Bytes that may wait for a client before it counts as slow.
        slow_client: What happens to a message for a slow client: ``"wait"`` queues it and lets
            whoever awaits the send wait; ``"drop_oldest"`` and ``"drop_newest"`` queue it up
            to *queue_limit*, and drop the oldest that wait or the message itself beyond;
            ``"close"`` closes the connection (1008) beyond. Only the first ever waits.
        queue_limit: Bytes of messages that wait beside *writer_limit*; one may always wait.
        decode_text: Give text messages as str, else as bytes.
        origins: From where browsers may connect beside the page's own origin: a list of
            origins such as ``"https://example.org"``, of which ``"*"`` lets all in, or what is
            called with the origin and tells whether it may.

    Raises:
        TypeError: *origins* is a str.
        ValueError: A setting is out of its range.
    """

    def __init__(
        self,
        *,
        timeout: float = 10.0,
        receive_timeout: float | None = None,
        autoclose: bool = True,
        autoping: bool = True,
        heartbeat: float | None = None,
        heartbeat_timeout: float | None = None,
        protocols: Iterable[str] = (),
        compress: bool | int = True,
        max_msg_size: int = 4 * 1024**2,
        writer_limit: int = _WRITER_LIMIT,
        slow_client: SlowClient = "wait",
        queue_limit: int = 1024**2,
        decode_text: bool = True,
        origins: Origins = (),
    ) -> None:
        super().__init__(receive_timeout, autoclose, autoping)
        check_policy(slow_client)
        for seconds in (timeout, heartbeat, heartbeat_timeout):
            if seconds is not None and not seconds > 0:
                raise ValueError(f"a timeout is {seconds}, expected more than 0")
        if heartbeat_timeout is None and heartbeat is not None:
            heartbeat_timeout = heartbeat / 2
        self._protocols = tuple(protocols)
        self._deflate = _deflate(compress)
        self._writer_limit = writer_limit
        self._is_friend = make_judge(origins)
        # What only the two want to know stays with them: an object with more than 30 attributes
        # is slower at each.
        self._make_connection = partial(
            Connection,
            Role.SERVER,
            limits=Limits(max_message=max_msg_size or None),
            assemble=False,  # the receiving half does it, or hands the pieces over
            decode_text=decode_text,
            autopong=autoping,
            autoclose=autoclose,
            ping_interval=heartbeat,
            ping_timeout=heartbeat_timeout,
            close_timeout=timeout,
        )
        self._make_channel = partial(
            WebSocketChannel, policy=slow_client, queue_limit=queue_limit, patience=timeout
        )
        self._acceptance: Acceptance | None = None

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
        channel = self._make_channel(
            self._make_connection(deflate=acceptance.deflate),
            self,
            exchange.connection_lost,
            exchange.loop,
        )
        transport = exchange.transport
        if transport is not None and self._writer_limit != _WRITER_LIMIT:
            transport.set_write_buffer_limits(self._writer_limit)
        self._acceptance = acceptance
        self._open(channel)
        self._exchange = exchange
        exchange.begun = self
        exchange.upgrade([*acceptance.headers, *self._fields()], channel)

    def _judge(self, request: BaseRequest) -> Acceptance:
        return accept(
            request.raw_headers,
            method=request.method.encode(),
            version=request.version,
            subprotocols=self._protocols,
            deflate=self._deflate,
            origins=Welcome(request.host, self._is_friend),
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

    @property
    def dropped(self) -> int:
        """The number of messages that were dropped because the client was slow."""
        return 0 if self._channel is None else self._channel.dropped

    def exception(self) -> BaseException | None:
        """Return the error that ended the connection, if one did."""
        return self._failure

    # -- sending

    def send_str(self, data: str, compress: bool | int | None = None) -> Awaitable[None]:
        """Send a text message."""
        channel = self._channel
        if compress is None and channel is not None:
            # The usual case: what `WebSocketChannel.send_whole` does, without its frame.
            write, connection, is_closing = channel.write, channel.connection, channel.is_closing
            if write is not None:
                whole_frame = connection.whole_frame
                frame = whole_frame(TEXT_FRAME, data, connection.plain_most)
                if frame is not None and not is_closing():
                    write(frame)
                    return channel.sent
        if not isinstance(data, str):
            raise TypeError(f"data must be str, not {type(data).__name__}")
        if channel is None:
            raise RuntimeError("call prepare() first")
        return channel.send(Text(data), None if compress is None else bool(compress))

    def send_bytes(self, data: Data, compress: bool | int | None = None) -> Awaitable[None]:
        """Send a binary message."""
        if data.__class__ is not bytes:
            if not isinstance(data, bytes | bytearray | memoryview):
                raise TypeError(f"data must be bytes-like, not {type(data).__name__}")
            data = bytes(data)
        channel = self._channel
        if channel is None:
            raise RuntimeError("call prepare() first")
        if compress is None:
            return channel.send_whole(BINARY_FRAME, data)
        return channel.send(Binary(data), bool(compress))

    def send_json(
        self,
        data: Any,
        compress: bool | int | None = None,
        *,
        dumps: Callable[[Any], str] = json.dumps,
    ) -> Awaitable[None]:
        """Send *data* as JSON in a text message."""
        return self.send_str(dumps(data), compress)

    def send_json_bytes(
        self,
        data: Any,
        compress: bool | int | None = None,
        *,
        dumps: Callable[[Any], bytes],
    ) -> Awaitable[None]:
        """Send *data* as JSON in a binary message; *dumps* returns bytes, as orjson's does."""
        return self.send_bytes(dumps(data), compress)

    def send_frame(
        self, message: Data, opcode: WSMsgType, compress: bool | int | None = None
    ) -> Awaitable[None]:
        """Send a whole message in its bytes: TEXT (UTF-8), BINARY, PING or PONG.

        Raises:
            ValueError: The opcode is another one, a text is no UTF-8, or a ping or pong has
                more than 125 bytes.
        """
        data = bytes(memoryview(message))
        if opcode == WSMsgType.TEXT:
            return self.send_str(data.decode(), compress)
        if opcode == WSMsgType.BINARY:
            return self.send_bytes(data, compress)
        if opcode == WSMsgType.PING:
            return self.ping(data)
        if opcode == WSMsgType.PONG:
            return self.pong(data)
        raise ValueError(f"opcode {opcode!r} is none of a message; close() closes")

    async def send_stream(
        self,
        pieces: AsyncIterable[str] | AsyncIterable[Data],
        compress: bool | int | None = None,
    ) -> None:
        """Send one message piece by piece, not faster than the client takes it.

        The pieces are all str, for a text message, or all bytes; without any nothing is sent.
        Messages that are sent meanwhile come after it. When *pieces* raises, the connection is
        closed (1011), as the client has a part of a message.

        Raises:
            ClientConnectionResetError: The client has gone, or the closing has begun.
            TypeError: A piece is neither str nor bytes-like, or of another type than the first.
        """
        channel = self._prepared()
        try:
            await channel.send_pieces(
                _fragments(pieces), None if compress is None else bool(compress)
            )
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()

    def ping(self, message: Data | str = b"") -> Awaitable[None]:
        """Send a ping with at most 125 bytes."""
        return self._send(Ping(_control_payload(message)))

    def pong(self, message: Data | str = b"") -> Awaitable[None]:
        """Send an unasked pong with at most 125 bytes."""
        return self._send(Pong(_control_payload(message)))

    def _send(self, event: Event) -> Awaitable[None]:
        return self._prepared().send(event)

    # -- closing

    async def close(
        self, *, code: int = WSCloseCode.NORMAL, message: Data | str = b"", drain: bool = True
    ) -> bool:
        """Close the connection and wait for the client's part, for `timeout` seconds.

        Args:
            code: The close code.
            message: The reason, at most 123 bytes.
            drain: Send what still waits for a slow client before; False drops it.

        Returns:
            False when it was closed already.

        Raises:
            ValueError: The code or the reason may not be sent; the connection stays open.
        """
        channel = self._prepared()
        if self._closed:
            return False
        reason = message if isinstance(message, str) else bytes(message).decode("utf-8", "replace")
        check_close(code, reason)
        closed = self._begin_closing()
        channel.close(code, reason, drain=drain)
        if self._close_code is None:
            await closed
        return True

    async def write_eof(self, data: bytes = b"", *, trailers: LooseHeaders | None = None) -> None:
        """Close the connection."""
        if not self._eof_sent:
            self._eof_sent = True
            await self.close()

    def write(self, data: Data) -> Awaitable[None]:
        """Refuse: a WebSocket has messages, not a body."""
        raise RuntimeError("a WebSocket has no body: use send_str() or send_bytes()")


def broadcast(
    sockets: Iterable[WebSocketResponse], data: str | Data, compress: bool | int | None = None
) -> None:
    """Send one message to many WebSockets: str as text, bytes as binary.

    It is encoded once, and compressed once for all that agreed on the same parameters. Nobody
    is waited for: each connection treats a slow client by its own policy. Those that are closed
    or not open yet are passed over.

    Raises:
        TypeError: *data* is neither str nor bytes-like.
        ValueError: The text cannot be sent as UTF-8.
    """
    if isinstance(data, str):
        data.encode()
        shared = Shared(Text(data))
    elif isinstance(data, bytes | bytearray | memoryview):
        shared = Shared(Binary(bytes(data)))
    else:
        raise TypeError(f"data must be str or bytes-like, not {type(data).__name__}")
    wanted = None if compress is None else bool(compress)
    for socket in sockets:
        channel = socket._channel
        if channel is not None and channel.is_open:
            try:
                channel.send(shared, wanted)
            except (ClientConnectionResetError, RuntimeError):
                pass  # its handler learns of it


async def _fragments(pieces: AsyncIterable[Any]) -> AsyncIterator[Text | Binary]:
    """Turn pieces into those of one message; the last one is empty."""
    kind: type[str | bytes] | None = None
    async for piece in pieces:
        if not isinstance(piece, str):
            piece = bytes(memoryview(piece))
        if kind is None:
            kind = type(piece)
        elif kind is not type(piece):
            raise TypeError(f"a piece is {type(piece).__name__}, the first was {kind.__name__}")
        yield Text(piece, False) if kind is str else Binary(piece, False)
    if kind is not None:
        yield Text("") if kind is str else Binary(b"")


def _control_payload(message: Data | str) -> bytes:
    payload = message.encode() if isinstance(message, str) else bytes(memoryview(message))
    if len(payload) > 125:  # RFC 6455, section 5.5
        raise ValueError(f"a ping or pong has at most 125 bytes, not {len(payload)}")
    return payload


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
    elif error.status == 403:
        exception = BY_STATUS[403](text="403: Forbidden: pages of other sites may not connect")
    else:
        exception = framework_answer(error.status)
    for name, value in error.headers:
        exception.headers[name.decode()] = value.decode()
    return exception
