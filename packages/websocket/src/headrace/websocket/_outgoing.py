"""Messages on their way out: the rules of order, compression and fragmentation.

What it returns are bytes to send. Whether anything may be sent at all is the connection's to
say.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import final

from ._codes import CloseCode, Opcode, may_travel
from ._compression import Deflater
from ._errors import LocalProtocolError
from ._events import Binary, Close, Text
from ._framing import build_frame
from ._shared import Shared

_FIN, _RSV1 = 0x80, 0x40


@final
class Outgoing:
    """Serialize what is not the plain whole message that the connection does itself.

    Args:
        frame: builds a frame from its first byte and its payload.
        deflater: compresses, or None.
        fragment_bytes: payload bytes above which a frame is split; None never splits.
    """

    __slots__ = ("_compressing", "_deflater", "_fragment_bytes", "_frame", "_under_way")

    def __init__(
        self,
        frame: Callable[[int, bytes], bytes],
        deflater: Deflater | None,
        fragment_bytes: int | None,
    ) -> None:
        self._frame = frame
        self._deflater = deflater
        self._fragment_bytes = fragment_bytes
        self._under_way: type[Text | Binary] | None = None
        self._compressing = False

    @property
    def plain_most(self) -> int:
        """The characters or bytes up to which a whole message is one plain frame for sure."""
        if self._under_way is not None:
            return -1
        most = sys.maxsize
        if self._deflater is not None:
            most = (self._deflater.threshold - 1) // 4  # a character takes up to four bytes
        if self._fragment_bytes is not None:
            most = min(most, self._fragment_bytes // 4)
        return most

    def message(self, event: Text | Binary, compress: bool | None) -> bytes:
        """Return the frames of a message or of a piece of one.

        Raises:
            LocalProtocolError: the piece is of another kind than the message under way, or its
                text is not UTF-8.
        """
        kind, payload = type(event), as_payload(event)
        first = 0
        if self._under_way is None:
            first = Opcode.TEXT if kind is Text else Opcode.BINARY
            self._compressing = self._wants_compression(len(payload), event.final, compress)
            if self._compressing:
                first |= _RSV1
        elif self._under_way is not kind:
            raise LocalProtocolError(
                f"a piece of {kind.__name__} inside a message of {self._under_way.__name__}"
            )
        self._under_way = None if event.final else kind
        if self._compressing and self._deflater is not None:
            payload = self._deflater.piece(payload, event.final)
        return self._split(first, payload, event.final)

    def shared(self, shared: Shared, compress: bool | None) -> bytes:
        """Return the frames of a shared message, which are made only once.

        Raises:
            LocalProtocolError: a message in pieces is under way, or the text is not UTF-8.
        """
        message = shared.message
        if self._under_way is not None:
            raise LocalProtocolError(
                f"a whole message inside a message of {self._under_way.__name__}"
            )
        if self._frame is not build_frame:
            return self.message(message, compress)
        deflater = self._deflater
        if deflater is None or not self._wants_compression(len(message.data), True, compress):
            made_with: object = self._fragment_bytes
            deflater = None
        else:
            made_with = self._fragment_bytes, deflater.parameters
            deflater.restart()
        frames = shared.frames.get(made_with)
        if frames is None:
            first = int(Opcode.TEXT if type(message) is Text else Opcode.BINARY)
            payload = as_payload(message)
            if deflater is not None:
                first, payload = first | _RSV1, deflater.alone(payload)
            frames = shared.frames[made_with] = self._split(first, payload, True)
        return frames

    def _wants_compression(self, size: int, final: bool, compress: bool | None) -> bool:
        if self._deflater is None:
            return False
        if compress is None:  # nobody knows yet how long a streamed message gets
            return not final or size >= self._deflater.threshold
        return compress

    def _split(self, first: int, payload: bytes, final: bool) -> bytes:
        last = _FIN if final else 0
        size = self._fragment_bytes
        if size is None or len(payload) <= size:
            return self._frame(first | last, payload)
        frames = []
        for at in range(0, len(payload), size):
            fin = last if at + size >= len(payload) else 0
            frames.append(self._frame(first | fin, payload[at : at + size]))
            first = 0
        return b"".join(frames)


def masked_frames(next_key: Callable[[], bytes]) -> Callable[[int, bytes | str], bytes]:
    """Return what builds the frames of a client, each masked with a key of its own (5.3)."""

    def frame(first: int, payload: bytes | str) -> bytes:
        return build_frame(first, payload, next_key())

    return frame


def masked_whole_frames(
    frame: Callable[[int, bytes | str], bytes],
) -> Callable[[int, bytes | str, int], bytes | None]:
    """Return the `whole_frame` of a client, whose frames are built by *frame*."""

    def whole(first: int, payload: bytes | str, most: int) -> bytes | None:
        if type(payload) is not (str if first == 0x81 else bytes) or len(payload) > most:
            return None
        return frame(first, payload)

    return whole


def as_payload(event: Text | Binary) -> bytes:
    """Return the payload of an event as bytes.

    Raises:
        LocalProtocolError: the text cannot be, or is not, UTF-8.
        TypeError: a Binary holds str, or either something that is no bytes.
    """
    data: object = event.data
    if isinstance(data, str):
        if type(event) is Binary:
            raise TypeError("Binary needs bytes, not str")
        try:
            return data.encode()
        except UnicodeEncodeError as error:
            raise not_encodable(error) from None
    payload = data if type(data) is bytes else bytes(memoryview(data))  # type: ignore[arg-type]
    if type(event) is Text:
        try:
            payload.decode()
        except UnicodeDecodeError as error:
            raise LocalProtocolError(f"bytes of Text are not UTF-8: {error.reason}") from None
    return payload


def not_encodable(error: UnicodeEncodeError) -> LocalProtocolError:
    """Return the error for text with lone surrogates, which has no UTF-8 form."""
    return LocalProtocolError(f"text cannot be sent as UTF-8: {error.reason}")


def close_payload(code: int | None, reason: str) -> bytes:
    """Return the payload of a Close frame (RFC 6455, 5.5.1).

    Raises:
        LocalProtocolError: the code may not travel, a reason stands without a code, or it is
            longer than 123 bytes or not UTF-8.
    """
    if code is None:
        if reason:
            raise LocalProtocolError("a close reason needs a code")
        return b""
    if not may_travel(code):
        raise LocalProtocolError(f"close code {code} may not be sent")
    try:
        text = reason.encode()
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"close reason cannot be sent as UTF-8: {error.reason}") from None
    if len(text) > 123:
        raise LocalProtocolError(f"close reason has {len(text)} bytes, at most 123 fit")
    return int(code).to_bytes(2, "big") + text


def read_close(payload: bytes) -> Close | tuple[int, str]:
    """Read the payload of a Close frame, or return (close code, what is wrong with it)."""
    if not payload:
        return Close(None, "")
    if len(payload) == 1:  # 5.5.1: the first two bytes MUST be the code
        return CloseCode.PROTOCOL_ERROR, "Close frame of one byte"
    code = int.from_bytes(payload[:2], "big")
    if not may_travel(code):
        return CloseCode.PROTOCOL_ERROR, f"close code {code} may not be sent"
    try:
        return Close(code, payload[2:].decode())
    except UnicodeDecodeError as error:
        return CloseCode.INVALID_DATA, f"close reason is not UTF-8: {error.reason}"
