"""Judge a head or a trailer section line by line, as its bytes come: the slow, exact way.

The kernels only accept. What they do not accept is read here: it is either not whole yet, and
then garbage in it is found without waiting for the rest (a TLS hello, lines that end in LF alone),
or it has a fault, and the first one in the order of the bytes is reported, however the input was
split. Each byte is looked at a bounded number of times.
"""

from __future__ import annotations

import enum
import re
from typing import Final

from ._errors import Fault, RemoteProtocolError
from ._grammar import TARGET, is_token
from ._limits import Limits


class Section(enum.Enum):
    """What is read: it decides the first line and the limits."""

    REQUEST = "request"
    RESPONSE = "response"
    TRAILERS = "trailers"


# RFC 9110 section 5.5: CR, LF and NUL are never part of a value; RFC 9112 section 2.2: a bare CR
# is invalid in the protocol elements. Other controls are in no production of a head either.
_BAD: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?!\n|\Z)")
# RFC 9112 section 3: all of a request line is visible ASCII and single spaces.
_BAD_REQUEST_LINE: Final = re.compile(
    rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\xff]|(?<!\r)\n|\r(?!\n|\Z)"
)
_VERSION: Final = re.compile(rb"HTTP/([0-9])\.[0-9]").fullmatch
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[0-9] [1-9][0-9]{2} [^\r\n]*").fullmatch
NEVER: Final = 2**62


class LineCheck:
    """Read one section of lines; offsets count from where it begins in the buffer."""

    __slots__ = (
        "_checked",
        "_count",
        "_first",
        "_limits",
        "_line",
        "_section",
        "begin",
    )

    def __init__(self, section: Section, limits: Limits) -> None:
        self._section = section
        self._limits = limits
        self._first = section is not Section.TRAILERS
        self._line = 0
        self._checked = 0
        self._count = 0
        # Where the section begins, the empty lines before a request line skipped.
        self.begin = 0

    def feed(self, data: bytes | bytearray, start: int) -> int | None:
        """Go on in *data*, where the section begins at *start*.

        Returns:
            the length of the section once its empty line is there, else None.

        Raises:
            RemoteProtocolError: as soon as a line cannot be valid any more.
        """
        while True:
            newline = data.find(b"\n", start + self._checked)
            stop = (len(data) if newline < 0 else newline + 1) - start
            self._check_bytes(data, start, stop)
            self._checked = stop
            if newline < 0:
                return None
            line = bytes(data[start + self._line : start + stop - 2])
            self._line = stop
            if line:
                self._check_line(line)
            elif not self._first or self._section is Section.RESPONSE:
                if self._first:
                    raise RemoteProtocolError(Fault.STATUS_LINE)
                return stop
            else:
                self._skip_empty_line()

    def _skip_empty_line(self) -> None:
        # RFC 9112 section 2.2: a server ignores at least one empty line before a request line.
        self._count += 1
        if self._count > self._limits.max_leading_empty_lines:
            raise RemoteProtocolError(Fault.EMPTY_LINES)
        self.begin = self._line

    def _check_bytes(self, data: bytes | bytearray, start: int, stop: int) -> None:
        """Check characters and lengths from the last checked byte to *stop*, first fault first."""
        # One byte more in front, to see the CR before an LF or the byte after a CR.
        low = max(self._checked - 1, self._line)
        strict = self._first and self._section is Section.REQUEST
        bad_at, fault = first_bad_byte(data[start + low : start + stop], request_line=strict)
        bad_at += low
        size_fault, size, line_fault, line_size = self._sizes()
        if stop > size < bad_at:
            bad_at, fault = size, size_fault
        if stop > line_size < bad_at and data[start + line_size] not in b"\r\n":
            bad_at, fault = line_size, line_fault
        if bad_at < NEVER:
            raise RemoteProtocolError(fault)

    def _sizes(self) -> tuple[Fault, int, Fault, int]:
        """Return the faults of size, each with the offset of the first byte that is too much."""
        limits = self._limits
        if self._first:
            long = (
                Fault.REQUEST_LINE_TOO_LONG
                if self._section is Section.REQUEST
                else Fault.STATUS_LINE_TOO_LONG
            )
            size = limits.max_head, limits.max_request_line
        else:
            long = Fault.HEADER_TOO_LONG
            size = limits.max_head, limits.max_header
        if self._section is Section.TRAILERS:
            return (
                Fault.TRAILERS_TOO_LARGE,
                limits.max_trailers,
                long,
                self._line + limits.max_header,
            )
        return Fault.HEAD_TOO_LARGE, self.begin + size[0], long, self._line + size[1]

    def _check_line(self, line: bytes) -> None:
        if line[0] in b" \t":
            # RFC 9112 section 2.2: white space before the first header is to be rejected;
            # section 5.2: so is obs-fold.
            first = self._first or self._count == 0
            raise RemoteProtocolError(Fault.LEADING_SPACE if first else Fault.OBS_FOLD)
        if self._first:
            self._first = False
            self._count = 0
            if self._section is Section.REQUEST:
                _check_request_line(line)
            else:
                _check_status_line(line)
            return
        self._count += 1
        if self._count > self._limits.max_headers:
            raise RemoteProtocolError(Fault.TOO_MANY_HEADERS)
        _check_field(line)


def first_bad_byte(piece: bytes | bytearray, *, request_line: bool = False) -> tuple[int, Fault]:
    """Return where *piece* of a line breaks the rules of characters, `NEVER` if it does not.

    A CR as its last byte is not judged: what follows it decides.
    """
    match = (_BAD_REQUEST_LINE if request_line else _BAD).search(piece)
    if match is None:
        return NEVER, Fault.CONTROL_CHARACTER
    at, bad = match.start(), piece[match.start()]
    if bad == 0x0D:
        # What is wrong with a CR is the byte after it.
        return at + 1, Fault.BARE_CR
    if bad == 0x0A:
        return at, Fault.BARE_LF
    # HTAB and obs-text are bad in a request line alone, and are no controls.
    return at, Fault.REQUEST_LINE if bad == 9 or bad >= 0x80 else Fault.CONTROL_CHARACTER


def _check_request_line(line: bytes) -> None:
    parts = line.split(b" ")
    # RFC 9113 section 3.4.
    if line == b"PRI * HTTP/2.0":
        raise RemoteProtocolError(Fault.HTTP2_PREFACE)
    if len(parts) == 2 and all(parts):
        raise RemoteProtocolError(Fault.NO_VERSION)
    if len(parts) != 3:
        raise RemoteProtocolError(Fault.REQUEST_LINE)
    method, target, version = parts
    if is_token(method) is None:
        raise RemoteProtocolError(Fault.METHOD)
    if not target or target.translate(None, TARGET):
        raise RemoteProtocolError(Fault.TARGET)
    # RFC 9112 section 2.3: the version is case-sensitive, of two single digits.
    match = _VERSION(version)
    if match is None:
        raise RemoteProtocolError(Fault.VERSION_SYNTAX)
    if match[1] != b"1":
        raise RemoteProtocolError(Fault.VERSION)


def _check_status_line(line: bytes) -> None:
    # RFC 9112 section 4: the space before an empty reason is not optional.
    if _STATUS_LINE(line) is None:
        match = _VERSION(line.partition(b" ")[0])
        other = match is not None and match[1] != b"1"
        raise RemoteProtocolError(Fault.VERSION if other else Fault.STATUS_LINE)


def _check_field(line: bytes) -> None:
    name, colon, _ = line.partition(b":")
    if not colon:
        raise RemoteProtocolError(Fault.NO_COLON)
    if not name:
        raise RemoteProtocolError(Fault.EMPTY_NAME)
    # RFC 9112 section 5.1: white space before the colon is answered with 400.
    if name[-1] in b" \t":
        raise RemoteProtocolError(Fault.SPACE_BEFORE_COLON)
    if is_token(name) is None:
        raise RemoteProtocolError(Fault.NAME)
