"""Byte ranges: what a Range field asks of a length, and multipart/byteranges."""

from __future__ import annotations

import re
import secrets
from typing import Final, NamedTuple

#: Ranges in one request beyond which the field is ignored: nobody needs more, but to do harm
#: (RFC 9110, section 14.2).
MAX_RANGES: Final = 16

_SPEC = re.compile(r"([0-9]{0,18})-([0-9]{0,18})", re.ASCII)


class Span(NamedTuple):
    """A part of a file, from its first byte to the one after its last."""

    start: int
    stop: int

    @property
    def place(self) -> tuple[int, int]:
        """Where it begins, and how many bytes it has."""
        return self.start, self.stop - self.start


class UnsatisfiableRangeError(ValueError):
    """None of the ranges can be served: 416."""


def parse_ranges(value: str, size: int) -> list[Span] | None:
    """Return what a Range field asks of *size* bytes; None when the field is to be ignored.

    Ranges that overlap or touch are joined; if none do, they keep their order.

    Raises:
        UnsatisfiableRangeError: They are malformed, or all of them lie past the end.
    """
    unit, equals, specs = value.partition("=")
    # RFC 9110, section 14.2: a unit that is not understood is ignored.
    if not equals or unit.strip(" \t").lower() != "bytes":
        return None
    wanted = [spec.strip(" \t") for spec in specs.split(",", MAX_RANGES + 1)]
    if len(wanted) > MAX_RANGES:
        return None
    spans = [span for spec in wanted if spec and (span := _span(spec, size)) is not None]
    if not spans:
        raise UnsatisfiableRangeError(value)
    return _joined(spans)


def _span(spec: str, size: int) -> Span | None:
    """Return one range, or None when it lies past the end."""
    match = _SPEC.fullmatch(spec)
    if match is None or not (match[1] or match[2]):
        raise UnsatisfiableRangeError(spec)
    if not match[1]:
        start, stop = max(0, size - int(match[2])), size
    else:
        start, stop = int(match[1]), size
        if match[2]:
            if int(match[2]) < start:
                raise UnsatisfiableRangeError(spec)
            stop = min(size, int(match[2]) + 1)
    return Span(start, stop) if start < stop else None


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].stop:
            joined[-1] = Span(joined[-1].start, max(joined[-1].stop, span.stop))
        else:
            joined.append(span)
    return spans if len(joined) == len(spans) else joined


def content_range(span: Span, size: int) -> str:
    """Return the Content-Range of a part."""
    return f"bytes {span.start}-{span.stop - 1}/{size}"


class Parts(NamedTuple):
    """The body of a multipart/byteranges answer: texts, each before its span, and the end."""

    content_type: str
    pieces: list[tuple[bytes, Span]]
    end: bytes
    length: int


def multipart(spans: list[Span], size: int, content_type: str) -> Parts:
    """Lay out several parts of *size* bytes (RFC 9110, section 14.6)."""
    boundary = secrets.token_hex(16)
    pieces = []
    separator = ""
    for span in spans:
        text = (
            f"{separator}--{boundary}\r\nContent-Type: {content_type}\r\n"
            f"Content-Range: {content_range(span, size)}\r\n\r\n"
        )
        pieces.append((text.encode("utf-8"), span))
        separator = "\r\n"
    end = f"\r\n--{boundary}--\r\n".encode()
    length = len(end) + sum(len(text) + span.stop - span.start for text, span in pieces)
    return Parts(f"multipart/byteranges; boundary={boundary}", pieces, end, length)
