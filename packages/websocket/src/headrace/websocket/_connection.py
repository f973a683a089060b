"""The connection: bytes in, events out; events in, bytes out.

Only what carries data between the parts lives here. What is legal is looked up in ``_state``,
what a message is in ``_message`` and ``_outgoing``, when something is due in ``_heartbeat``.

The common case, a whole uncompressed message in one frame, takes a path of its own at the top of
`Connection.next_event` and `Connection.send`: one call into the leaf functions, one event.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeVar, cast, final

from ._codes import CloseCode, Opcode, Role
from ._compression import STEP, STREAM_STEP, Deflater, Inflater
from ._deflate import Deflate
from ._errors import LocalProtocolError, RemoteProtocolError
from ._events import NEED_DATA, Binary, Close, ConnectionClosed, Event, NeedData, Ping, Pong, Text
from ._framing import MessageReader, build_frame, parse_head, unmask, whole_frame
from ._heartbeat import Heartbeat, Verdict
from ._limits import Limits
from ._masking import next_key
from ._message import IncomingMessage, not_utf8, too_big
from ._outgoing import (
    Outgoing,
    close_payload,
    masked_frames,
    masked_whole_frames,
    not_encodable,
    read_close,
)
from ._shared import Shared
from ._state import READING, SENDABLE, TRANSITIONS, State, Step, check_head, check_length

_TEXT_FRAME: Final = 0x80 | Opcode.TEXT
_BINARY_FRAME: Final = 0x80 | Opcode.BINARY
_TEXT: Final = Text(cast(Any, ...))
_BINARY: Final = Binary(cast(Any, ...))
_OPEN = State.OPEN
_DEFAULT_LIMITS: Final = Limits()


_T = TypeVar("_T", bound=tuple[Any, ...])
_B = TypeVar("_B", bound=tuple[Any, ...])


@lru_cache(maxsize=64, typed=True)
def _message_reader(
    masked: bool, limit: int, decode: bool, text: _T, binary: _B
) -> MessageReader[_T, _B]:
    """Return a reader, one for all connections with the same options."""
    return MessageReader(masked, limit, decode, text, binary)


@final
class Connection:
    """One side of a WebSocket connection after the handshake. It does no I/O and has no clock.

    Attributes:
        role: which side this is.
        state: where the close handshake stands.
        limits: what the peer may ask for.
        at_rest: nothing that came waits to be read, and no message is under way.
        heard: something came since the time was last handled.
        plain_most: the characters or bytes up to which a whole message may go out as one
            plain frame now, without `send`; -1 when none may.
        whole_frame: returns that frame, called with its first byte (0x81 for text, 0x82 for
            binary), the payload and `plain_most`; or None, and `send` knows what to do.
    """

    __slots__ = (
        "_assemble",
        "_autoclose",
        "_autopong",
        "_between",
        "_buffer",
        "_decode_text",
        "_deflate",
        "_ended",
        "_eof",
        "_failed",
        "_final",
        "_frame",
        "_heartbeat",
        "_inflater",
        "_key",
        "_left",
        "_masked",
        "_message",
        "_outbox",
        "_outgoing",
        "_pending",
        "_phase",
        "_pos",
        "_read_message",
        "_reading",
        "at_rest",
        "heard",
        "limits",
        "plain_most",
        "role",
        "state",
        "whole_frame",
    )

    def __init__(
        self,
        role: Role,
        *,
        deflate: Deflate | None = None,
        limits: Limits = _DEFAULT_LIMITS,
        assemble: bool = True,
        decode_text: bool = True,
        autopong: bool = True,
        autoclose: bool = True,
        fragment_bytes: int | None = None,
        ping_interval: float | None = None,
        ping_timeout: float | None = None,
        close_timeout: float | None = 10.0,
        mask_key: Callable[[], bytes] = next_key,
    ) -> None:
        """Start in the open state.

        Args:
            role: which side this is.
            deflate: what the handshake agreed on, ``Acceptance.deflate``.
            limits: what the peer may ask for.
            assemble: give messages whole; else piece by piece, as their bytes come.
            decode_text: give text as str; else as the bytes of valid UTF-8.
            autopong: put the answer to each ping into ``data_to_send()``.
            autoclose: put the answer to the peer's Close into ``data_to_send()``.
            fragment_bytes: split outgoing messages into frames of at most this payload; None
                never splits.
            ping_interval: seconds between pings; None sends none.
            ping_timeout: seconds after a ping within which some byte must come; None waits
                for ever.
            close_timeout: seconds to wait for the peer's part of the close handshake; None
                waits for ever.
            mask_key: gives the four bytes that mask a client's next frame. They must be
                unpredictable (RFC 6455, 10.3); a function of one's own is for tests.

        Raises:
            ValueError: a number is out of range.
        """
        if fragment_bytes is not None and fragment_bytes < 1:
            raise ValueError(f"fragment_bytes is {fragment_bytes}, expected at least 1")
        server = role is Role.SERVER
        self.role = role
        self.limits = limits
        self.state = State.OPEN
        self._assemble = assemble
        self._decode_text = decode_text
        self._autopong = autopong
        self._autoclose = autoclose
        self._deflate = deflate
        self._heartbeat = Heartbeat(ping_interval, ping_timeout, close_timeout)
        self._frame = build_frame if server else masked_frames(mask_key)
        self.whole_frame = whole_frame if server else masked_whole_frames(self._frame)
        self._inflater: Inflater | None = None
        deflater = None if deflate is None else Deflater(deflate, server=server)
        self._outgoing = Outgoing(self._frame, deflater, fragment_bytes)
        self.plain_most = self._outgoing.plain_most  # up to here a message is one plain frame

        self._masked = server  # whether the peer's frames are (RFC 6455, 5.1)
        most = min(limits.max_message or sys.maxsize, limits.max_frame or sys.maxsize)
        self._reading = server, most, decode_text
        self._read_message: Callable[[bytes, int], tuple[Text | Binary, int] | None]
        self._read_message = _message_reader(*self._reading, _TEXT, _BINARY).read
        self._buffer: bytes | None = None  # None: nothing to read, and nothing else to tell
        self._pos = 0
        self._pending: list[bytes] = []
        self._eof = False
        self.heard = False
        self.at_rest = True  # there is no buffer, and no message is under way
        self._between = True  # no message is under way, so the next frame may be a whole one

        self._message: IncomingMessage | None = None
        self._left: int | None = None  # payload bytes to come of the data frame under way
        self._final = True
        self._key = b""
        self._phase = 0

        self._outbox: list[bytes] = []
        self._ended: ConnectionClosed | None = None
        self._failed = False

    # Receiving

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes from the peer. They are looked at by `next_event`."""
        if type(data) is not bytes:
            data = bytes(data)
        self.heard = True
        self.at_rest = False
        if self._buffer is None:
            self._buffer = data
        elif self._ended is None:
            self._pending.append(data)

    def reader(self, text: _T, binary: _B) -> Callable[[bytes], _T | _B | None]:
        """Return the shortest way from bytes to messages, for who is handed one at a time.

        It takes what came and returns the message, when that is one whole plain message and
        nothing else; else None, and `receive_data` is to take the same. It may be called only
        while `at_rest` is true. Who needs `handle_time` sets `heard`, as `receive_data` does.

        Args:
            text: what text messages are to be: a tuple with ``...`` in the place of the payload.
            binary: what binary messages are to be.
        """
        return _message_reader(*self._reading, text, binary).read_whole

    def next_message(self) -> Text | Binary | NeedData | None:
        """Return the next event if it is a whole plain message, and None if it is not.

        `NEED_DATA` tells that all bytes are used up. After None, `next_event` gives what there
        is: so messages can be handled before something that may end the connection.
        """
        buffer = self._buffer
        if buffer is None:
            return NEED_DATA
        if not self._between:
            return None
        try:
            found = self._read_message(buffer, self._pos)
        except UnicodeDecodeError:  # `next_event` tells
            return None
        if found is None:
            return None
        message, self._pos = found
        if self._pos == 0:
            self._run_out()
        return message

    def receive_eof(self) -> None:
        """Take note that the peer's side of the transport has ended."""
        self._eof = True
        if self._ended is not None:
            self._move(Step.END)
        elif self._buffer is None:
            self._buffer = b""
            self.at_rest = False

    def next_event(self) -> Event | NeedData:
        """Return the next event, `NEED_DATA`, or for ever `ConnectionClosed` after the last.

        Raises:
            RemoteProtocolError: the peer broke the protocol or a limit, and the connection has
                failed. The Close frame with the error's code is in ``data_to_send()``; write
                it and close the transport (RFC 6455, 7.1.7). Later calls return
                `ConnectionClosed`.
        """
        buffer = self._buffer
        if buffer is None:
            return NEED_DATA
        if self._between:
            try:
                found = self._read_message(buffer, self._pos)
            except UnicodeDecodeError as error:
                raise self._fail(not_utf8(error)) from None
            if found is not None:
                message, self._pos = found
                if self._pos == 0:
                    self._run_out()
                return message
        return self._read_on(buffer)

    def _run_out(self) -> None:
        """Take note that a message was the last thing in the buffer."""
        if self._pending or self._eof:
            self._buffer = b""
        else:
            self._buffer = None
            self.at_rest = True

    def _read_on(self, buffer: bytes) -> Event | NeedData:
        """Read what is not a whole plain message."""
        while self._ended is None:
            try:
                at_head = self._left is None
                event = self._read_head(buffer) if at_head else self._read_payload(buffer)
            except RemoteProtocolError as error:
                raise self._fail(error)
            if event is None:
                continue
            if event is not NEED_DATA:
                return event
            if self._pending:
                self._buffer = b"".join((buffer[self._pos :], *self._pending))
                self._pos = 0
                self._pending.clear()
                return self.next_event()
            if not self._eof:
                if self._pos == len(buffer):
                    self._buffer, self._pos = None, 0
                    self.at_rest = self._between
                return NEED_DATA
            self._end(ConnectionClosed(CloseCode.ABNORMAL, ""))  # 7.1.5
        return self._ended

    def _read_head(self, buffer: bytes) -> Event | NeedData | None:
        """Read a frame's head, and the rest of it when that is a control frame."""
        head = parse_head(buffer, self._pos)
        if head is None:
            return NEED_DATA
        first, second, length, start = head
        under_way = self._message is not None
        opcode, fin, compressed = check_head(
            first, second, self._masked, under_way, self._deflate is not None
        )
        if length < 0:
            return NEED_DATA
        check_length(second, length)
        if opcode < Opcode.CLOSE:
            self._check_limits(opcode, length, compressed)
        stop = start + 4 if self._masked else start
        if len(buffer) < stop:
            return NEED_DATA
        key = buffer[start:stop]
        if opcode >= Opcode.CLOSE:
            end = stop + length
            if len(buffer) < end:
                return NEED_DATA
            self._pos = end
            payload = buffer[stop:end]
            return self._control(opcode, unmask(payload, 0, length, key, 0) if key else payload)
        if under_way:
            self._count_fragment()
        else:
            self._begin(opcode is Opcode.TEXT, compressed)
        self._pos, self._left, self._final, self._key, self._phase = stop, length, fin, key, 0
        return None

    def _begin(self, text: bool, compressed: bool) -> None:
        inflater = None
        if compressed and self._deflate is not None:
            inflater = self._inflater
            if inflater is None:
                server = self.role is Role.SERVER
                inflater = self._inflater = Inflater(self._deflate, server=server)
        self._message = IncomingMessage(
            text, self._decode_text, inflater, self.limits.max_message, self._assemble
        )
        self._between = False

    def _check_limits(self, opcode: Opcode, length: int, compressed: bool) -> None:
        limits, message = self.limits, self._message
        if message is not None:
            compressed = message.inflater is not None
        most = limits.max_frame
        if most is None and limits.max_message is not None:
            most = limits.max_message * 2 if compressed else None
        if most is not None and length > most:
            raise RemoteProtocolError(
                CloseCode.TOO_BIG, f"frame of {length} bytes, limit is {most}"
            )
        before = 0 if message is None else message.size
        plain_most = None if compressed else limits.max_message
        if plain_most is not None and before + length > plain_most:
            raise too_big(before + length, plain_most)

    def _count_fragment(self) -> None:
        assert self._message is not None
        self._message.fragments += 1
        most = self.limits.max_fragments
        if most is not None and self._message.fragments > most:
            raise RemoteProtocolError(CloseCode.TOO_BIG, f"message of more than {most} fragments")

    def _read_payload(self, buffer: bytes) -> Event | NeedData | None:
        """Read what is there of a data frame's payload."""
        message, left = self._message, self._left
        assert message is not None
        assert left is not None
        start = self._pos
        stop = min(start + left, len(buffer))
        if message.inflater is not None:
            stop = min(stop, start + (STEP if self._assemble else STREAM_STEP))
        if stop == start and left:
            return NEED_DATA
        if self._masked:
            data = unmask(buffer, start, stop, self._key, self._phase)
            self._phase = (self._phase + stop - start) & 3
        else:
            data = buffer[start:stop]
        self._pos = stop
        left -= stop - start
        self._left = left or None
        piece = message.feed(data)
        if left == 0:
            return self._end_frame(message, piece)
        if piece and not self._assemble:
            return self._piece(message, piece, False)
        return NEED_DATA if stop == len(buffer) else None

    def _end_frame(self, message: IncomingMessage, piece: str | bytes) -> Event | None:
        if not self._final:
            return None if self._assemble else self._piece(message, piece, False)
        rest = message.finish()
        self._message = None
        self._between = True
        return self._piece(message, rest if self._assemble else piece + rest, True)  # type: ignore[operator]

    def _piece(self, message: IncomingMessage, data: str | bytes, final: bool) -> Text | Binary:
        if message.text:
            return Text(cast(str, data), final)
        return Binary(cast(bytes, data), final)

    def _control(self, opcode: Opcode, payload: bytes) -> Event:
        if opcode is Opcode.PING:
            if self._autopong:
                if len(self._outbox) >= self.limits.max_control_queue:
                    del self._outbox[0]  # 5.5.3: only the latest ping needs its pong
                self._answer(self._frame(0x80 | Opcode.PONG, payload))
            return Ping(payload)
        if opcode is Opcode.PONG:
            return Pong(payload)
        close = read_close(payload)
        if not isinstance(close, Close):
            raise RemoteProtocolError(*close)
        self._move(Step.RECEIVE_CLOSE)
        code = CloseCode.NO_STATUS if close.code is None else close.code  # 7.1.5
        self._stop_reading(ConnectionClosed(code, close.reason))
        if self.state is State.CLOSE_RECEIVED and self._autoclose:  # 5.5.1: MUST answer
            self._answer(self._close_frame(close.code, ""))
        return close

    # Sending

    def send(self, event: Event | Shared, *, compress: bool | None = None) -> bytes:
        """Return the bytes that send *event*, after the automatic answers that wait.

        Args:
            event: a message, a piece of one, a message that is shared with other connections,
                a control frame.
            compress: whether to compress the message, when permessage-deflate was agreed on;
                None decides by its size. Of a message in pieces, the first decides.

        Raises:
            LocalProtocolError: the event may not be sent in this state, breaks the order of
                messages, or cannot be written as a frame.
            TypeError: the event is no event, or holds data of another type.
        """
        if compress is not True and (type(event) is Text or type(event) is Binary):
            payload, final = event
            if final:
                first = _TEXT_FRAME if type(event) is Text else _BINARY_FRAME
                try:
                    frame = self.whole_frame(first, payload, self.plain_most)
                except UnicodeEncodeError as error:
                    raise not_encodable(error) from None
                if frame is not None:
                    return frame
        return self._send_other(event, compress)

    def _send_other(self, event: Event | Shared, compress: bool | None) -> bytes:
        frames = self._serialize(event, compress)
        # A pong that waits must not be overtaken (5.5.3), and nothing may follow a Close (5.5.1).
        frames = self.data_to_send() + frames
        if self.state is _OPEN:
            self.plain_most = self._outgoing.plain_most
        return frames

    def _serialize(self, event: Event | Shared, compress: bool | None) -> bytes:
        kind: type = type(event.message) if isinstance(event, Shared) else type(event)
        if kind not in SENDABLE[self.state]:
            if kind not in SENDABLE[_OPEN]:
                raise TypeError(f"{kind.__name__} cannot be sent")
            raise LocalProtocolError(f"{kind.__name__} may not be sent: {self.state.value}")
        if isinstance(event, Shared):
            return self._outgoing.shared(event, compress)
        if isinstance(event, (Text, Binary)):
            return self._outgoing.message(event, compress)
        if isinstance(event, Close):
            return self._close_frame(event.code, event.reason)
        assert isinstance(event, (Ping, Pong))
        payload = bytes(memoryview(event.payload))
        if len(payload) > 125:  # 5.5
            raise LocalProtocolError(f"{kind.__name__} has {len(payload)} bytes, at most 125 fit")
        opcode = Opcode.PING if kind is Ping else Opcode.PONG
        return self._frame(0x80 | opcode, payload)

    def _close_frame(self, code: int | None, reason: str) -> bytes:
        payload = close_payload(code, reason)
        self._move(Step.SEND_CLOSE)
        return self._frame(0x80 | Opcode.CLOSE, payload)

    def data_to_send(self) -> bytes:
        """Return and forget the automatic answers: pongs, pings, the Close.

        Call it after each round of events and after `handle_time`. What waits when something is
        sent goes out before it, with the bytes that `send` returns.
        """
        outbox = self._outbox
        if not outbox:
            return b""
        data = outbox[0] if len(outbox) == 1 else b"".join(outbox)
        outbox.clear()
        if self.state is _OPEN:
            self.plain_most = self._outgoing.plain_most
        return data

    def _answer(self, frame: bytes) -> None:
        self._outbox.append(frame)
        self.plain_most = -1  # what is sent next goes out after it

    # Time

    def next_deadline(self) -> float | None:
        """Return when to call `handle_time`, on the caller's clock, or None for never.

        A time that has passed, at first 0.0, means at once. Ask again after each `send`,
        `next_event` and `handle_time`.
        """
        if self.finished:
            return None
        return self._heartbeat.due(self.state is not _OPEN)

    def handle_time(self, now: float) -> None:
        """Take the time, in seconds of any clock that does not go backwards.

        May put a ping into ``data_to_send()``. A peer that gave no sign of life within
        ``ping_timeout`` is sent a Close with 1011 and the connection ends with 1006; one that
        does not close within ``close_timeout`` ends it with 1006 too.
        """
        heard, self.heard = self.heard, False
        verdict = self._heartbeat.tick(now, self.state is not _OPEN, heard)
        if verdict is Verdict.PING:
            if len(self._outbox) < self.limits.max_control_queue:
                self._answer(self._frame(0x80 | Opcode.PING, b""))
        elif verdict is Verdict.DEAD:
            self._answer(self._close_frame(CloseCode.INTERNAL_ERROR, "ping timeout"))
            self._failed = True
            self._end(ConnectionClosed(CloseCode.ABNORMAL, "ping timeout"))
        elif verdict is Verdict.OVERDUE:
            self._failed = True
            if self._ended is None:
                self._stop_reading(ConnectionClosed(CloseCode.ABNORMAL, "close timeout"))
            self._move(Step.END)

    # The end

    @property
    def close_code(self) -> int | None:
        """What ended the connection, as in `ConnectionClosed`; None before the end."""
        return None if self._ended is None else self._ended.code

    @property
    def close_reason(self) -> str:
        """The reason that came with the close code, else an empty string."""
        return "" if self._ended is None else self._ended.reason

    @property
    def finished(self) -> bool:
        """True when the transport should be closed, once ``data_to_send()`` is written.

        A server closes as soon as both Close frames are through; a client waits until the
        server has closed, or ``close_timeout`` has passed (RFC 6455, 7.1.1).
        """
        if self.state is not State.CLOSED:
            return False
        return self._eof or self._failed or self.role is Role.SERVER

    def _move(self, step: Step) -> None:
        self.state = TRANSITIONS[self.state, step]
        self.plain_most = -1
        if self.state not in READING:
            self._between = self.at_rest = False

    def _fail(self, error: RemoteProtocolError) -> RemoteProtocolError:
        """Fail the connection (RFC 6455, 7.1.7) and return the error to raise."""
        if self.state is _OPEN:
            reason = error.detail.encode()[:123].decode(errors="ignore")
            self._answer(self._close_frame(error.code, reason))
        self._failed = True
        self._end(ConnectionClosed(error.code, error.detail))
        return error

    def _end(self, ended: ConnectionClosed) -> None:
        self._stop_reading(ended)
        self._move(Step.END)

    def _stop_reading(self, ended: ConnectionClosed) -> None:
        # 1.4 and 7.1.7: what comes after a Close or a failure is not looked at.
        self._ended = ended
        self.at_rest = False
        self._buffer, self._pos, self._message, self._inflater = b"", 0, None, None
        self._pending.clear()
