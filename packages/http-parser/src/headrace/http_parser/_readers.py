"""Readers of bodies, one for each way a body is framed.

A reader takes from the buffer and returns `Data`, then `EndOfMessage`, or None when it needs more.
"""

from __future__ import annotations

import re
from typing import Final

from ._buffer import ReceiveBuffer
from ._errors import Fault, RemoteProtocolError
from ._events import Data, EndOfMessage, received_headers
from ._grammar import is_chunk_extension
from ._limits import Limits
from ._lines import LineCheck, Section, first_bad_byte
from ._scan import scan_chunk_line, scan_trailers, split_fields

_END: Final = EndOfMessage()
_digits: Final = re.compile(rb"[0-9A-Fa-f]{0,17}").match

# RFC 9110 section 6.5.1: what frames, routes, authenticates, or says how to process the message
# must not wait for its end, where a recipient has acted on the head or merges the fields into it.
FORBIDDEN_TRAILERS: Final = frozenset(
    b"authorization cache-control connection content-encoding content-length content-range"
    b" content-type cookie expect host keep-alive max-forwards pragma proxy-authenticate"
    b" proxy-authorization proxy-connection range set-cookie te trailer transfer-encoding upgrade"
    b" www-authenticate".split()
)


class LengthReader:
    """A body of a known length."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    def read(self, buffer: ReceiveBuffer) -> Data | EndOfMessage | None:
        if not self._left:
            return _END
        data = buffer.take(self._left)
        if not data:
            return None
        self._left -= len(data)
        return Data(data)


class CloseReader:
    """A body that ends with the connection; the end itself is no matter of bytes."""

    __slots__ = ()

    def read(self, buffer: ReceiveBuffer) -> Data | EndOfMessage | None:
        data = buffer.take(len(buffer))
        return Data(data) if data else None


class ChunkedReader:
    """A body in the chunked coding (RFC 9112 section 7.1)."""

    __slots__ = ("_checked", "_end_due", "_extensions", "_last", "_left", "_limits", "_lines")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # Bytes left of the current chunk; whether its CR LF is due; whether the last one was read.
        self._left = 0
        self._end_due = False
        self._last = False
        # Bytes of extensions so far in this message, and bytes checked of an unfinished line.
        self._extensions = 0
        self._checked = 0
        self._lines: LineCheck | None = None

    def read(self, buffer: ReceiveBuffer) -> Data | EndOfMessage | None:
        if not self._left:
            if self._end_due and not self._read_chunk_end(buffer):
                return None
            if not self._last and not self._read_line(buffer):
                return None
            if self._last:
                return self._read_trailers(buffer)
        data = buffer.take(self._left)
        if not data:
            return None
        self._left -= len(data)
        self._end_due = not self._left
        return Data(data)

    def _read_chunk_end(self, buffer: ReceiveBuffer) -> bool:
        data, pos = buffer.data, buffer.pos
        if len(data) - pos >= 2:
            if data[pos] != 0x0D or data[pos + 1] != 0x0A:
                raise RemoteProtocolError(Fault.CHUNK_END)
            buffer.pos = pos + 2
            self._end_due = False
            return True
        if len(data) > pos and data[pos] != 0x0D:
            raise RemoteProtocolError(Fault.CHUNK_END)
        return False

    def _read_line(self, buffer: ReceiveBuffer) -> bool:
        data, pos = buffer.data, buffer.pos
        found = scan_chunk_line(data, pos) if type(data) is bytes else None
        if found is None:
            found = self._read_line_slowly(data, pos)
            if found is None:
                return False
        self._left, buffer.pos = found
        self._last = not self._left
        return True

    def _read_line_slowly(self, data: bytes | bytearray, start: int) -> tuple[int, int] | None:
        """Read a chunk line that has an extension, is not whole, or has a fault."""
        match = _digits(data, start)
        digits = match[0] if match is not None else b""
        size_end = start + len(digits)
        if len(digits) > 16:
            raise RemoteProtocolError(Fault.CHUNK_SIZE)
        if size_end == len(data):
            return None
        size = _size_of(digits, data[size_end])
        newline = data.find(b"\n", max(size_end, start + self._checked))
        stop = len(data) if newline < 0 else newline + 1
        self._check_extension(data, size_end, start + self._checked, stop)
        self._checked = stop - start
        if newline < 0:
            return None
        extension = bytes(data[size_end : newline - 1])
        if is_chunk_extension(extension) is None:
            raise RemoteProtocolError(Fault.CHUNK_EXTENSION)
        self._extensions += len(extension)
        self._checked = 0
        return size, newline + 1

    def _check_extension(
        self, data: bytes | bytearray, begin: int, checked: int, stop: int
    ) -> None:
        """Check the bytes from *checked* to *stop* of an extension that begins at *begin*."""
        low = max(begin, checked - 1)
        bad_at, fault = first_bad_byte(data[low:stop])
        bad_at += low
        # RFC 9112 section 7.1.1: a server ought to limit the length of extensions.
        limit = begin + self._limits.max_chunk_extensions - self._extensions
        if stop > limit < bad_at and data[limit] not in b"\r\n":
            raise RemoteProtocolError(Fault.CHUNK_EXTENSIONS_TOO_LARGE)
        if bad_at < stop:
            raise RemoteProtocolError(fault)

    def _read_trailers(self, buffer: ReceiveBuffer) -> EndOfMessage | None:
        data, pos = buffer.data, buffer.pos
        limits = self._limits
        if type(data) is bytes and self._lines is None:
            end = scan_trailers(
                data, pos, limits.max_header, limits.max_headers, limits.max_trailers
            )
            if end is not None:
                return _end_of_message(buffer.take(end - pos))
        if self._lines is None:
            self._lines = LineCheck(Section.TRAILERS, limits)
        size = self._lines.feed(data, pos)
        return None if size is None else _end_of_message(buffer.take(size))


def _size_of(digits: bytes | bytearray, after: int) -> int:
    # RFC 9112 section 7.1: 1*HEXDIG, and a recipient must guard against an overflow.
    if not digits or after not in b"\r\n; \t":
        raise RemoteProtocolError(Fault.CHUNK_SIZE)
    size = int(digits, 16)
    if size >= 2**63:
        raise RemoteProtocolError(Fault.CHUNK_SIZE_TOO_LARGE)
    return size


def _end_of_message(section: bytes) -> EndOfMessage:
    if len(section) == 2:
        return _END
    if any(name.lower() in FORBIDDEN_TRAILERS for name, _ in split_fields(section, 0)):
        raise RemoteProtocolError(Fault.TRAILER_FORBIDDEN)
    return EndOfMessage(received_headers(section, 0))


BodyReader = LengthReader | CloseReader | ChunkedReader
