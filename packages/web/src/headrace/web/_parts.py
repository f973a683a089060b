"""Multipart bodies as events: the package `multipart` behind an interface of our own.

`multipart` finds the boundaries and the header fields; here it is told which limits hold, is
freed of what is particular to forms, and its errors become those of web: malformed bodies are a
`RequestPayloadError` (400), limits an `HTTPRequestEntityTooLarge` (413).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import multipart
from multidict import CIMultiDict, CIMultiDictProxy

from ._errors import RequestPayloadError
from ._exceptions import framework_answer

#: Bytes of one header field of a part. Precedent: multipart's own default is 4224.
MAX_FIELD_SIZE: Final = 4096
#: Header fields of a part. RFC 7578 knows three; multipart's own default is 8, aiohttp's 128.
MAX_HEADERS: Final = 16
#: Bytes before the first and after the last part, and of the head of a part, in one go.
MAX_SILENCE: Final = 128 * 1024

# RFC 2046, section 5.1.1, limits the length; clients use more characters than it allows.
_BOUNDARY: Final = re.compile(r"[ -~]{0,69}[!-~]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_EXTENDED: Final = re.compile(
    r";[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*"
    r"""(?:"(?:[^"\\]|\\.)*"|([!#$%&'*+\-.^_`|~0-9A-Za-z]*))"""
)
# Fields that say what a part is: two of a kind would leave it to chance which one counts.
_SINGLE: Final = ("Content-Disposition", "Content-Type", "Content-Transfer-Encoding")


class Part(NamedTuple):
    """The head of a part: its fields, and what they say in short."""

    fields: Sequence[tuple[str, str]]
    name: str | None
    filename: str | None
    content_type: str | None
    charset: str | None

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The fields, names in any case."""
        return CIMultiDictProxy(CIMultiDict(self.fields))


class _Parser(multipart.PushMultipartParser):  # type: ignore[misc]
    """A parser of any multipart type, not only of forms."""

    def _create_segment(self, headerlist: list[tuple[str, str]]) -> Any:
        return multipart.MultipartSegment(headerlist)


class PartParser:
    """Turns the bytes of a multipart body into events.

    Args:
        boundary: The parameter of the Content-Type; None when it had none.
        max_parts: Parts that are accepted; 0 for any number.
        max_field_size: Bytes of one header field of a part.
        max_headers: Header fields of a part.

    Raises:
        RequestPayloadError: *boundary* cannot be one.
    """

    def __init__(
        self,
        boundary: str | None,
        *,
        max_parts: int = 0,
        max_field_size: int = MAX_FIELD_SIZE,
        max_headers: int = MAX_HEADERS,
    ) -> None:
        if boundary is None or _BOUNDARY.fullmatch(boundary) is None:
            raise RequestPayloadError("the boundary of a multipart body is missing or malformed")
        self._parser = _Parser(
            boundary,
            max_header_size=max_field_size,
            max_header_count=max_headers,
            max_segment_count=max_parts or math.inf,
        )
        self._silence = 0
        self._max_silence = max(MAX_SILENCE, 2 * max_field_size * max_headers)

    def feed(self, data: bytes) -> Iterator[Part | bytes | None]:
        """Yield what *data* brings: a `Part`, then pieces of its body, then None at its end.

        To be exhausted before more is fed.

        Raises:
            RequestPayloadError: The body is malformed.
            HTTPRequestEntityTooLarge: A limit is passed.
        """
        is_silent = True
        try:
            for event in self._parser.parse(data):
                is_silent = False
                if event.__class__ is multipart.MultipartSegment:
                    event = _part(event)
                yield event
        except multipart.ParserLimitReached:
            raise framework_answer(413)
        except multipart.MultipartError as error:
            raise RequestPayloadError(f"malformed multipart body: {error}")
        self._silence = self._silence + len(data) if is_silent else 0
        if self._silence > self._max_silence:
            raise RequestPayloadError("too much around the parts of a multipart body")

    def end(self) -> None:
        """Take note that the body has ended.

        Raises:
            RequestPayloadError: The last boundary was missing.
        """
        try:
            self._parser.close()
        except multipart.MultipartError:
            raise RequestPayloadError("a multipart body was cut short")


def _part(segment: Any) -> Part:
    fields = segment.headerlist
    names = [name for name, _ in fields]
    if any(_CONTROL.search(value) for _, value in fields):
        raise RequestPayloadError("a control character in the head of a part")
    if any(names.count(name) > 1 for name in _SINGLE):
        raise RequestPayloadError("a field of a part stands twice")
    name, filename = segment.name, segment.filename
    disposition = segment.header("Content-Disposition", "")
    if "*" in disposition:
        extended = _extended(disposition)
        name = extended.get("name*", name)
        filename = extended.get("filename*", filename)
    return Part(fields, name, filename, segment.content_type, segment.charset)


def _extended(disposition: str) -> dict[str, str]:
    """Return the parameters in the extended notation (RFC 8187), undecodable ones left out.

    RFC 7578 forbids them in forms; clients send them all the same.
    """
    found = {}
    for match in _EXTENDED.finditer(disposition):
        name, value = match.groups()
        if name.endswith("*") and value and value.count("'") == 2:
            charset, _, text = value.split("'")
            if charset.lower() in ("utf-8", "iso-8859-1"):
                try:
                    found[name.lower()] = unquote(text, charset, "strict")
                except UnicodeDecodeError:
                    pass
    return found


def multipart_boundary(content_type: str) -> str | None:
    """Return the boundary that the Content-Type of a part names."""
    boundary: str | None = multipart.parse_options_header(content_type)[1].get("boundary")
    return boundary
