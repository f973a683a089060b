"""Multipart bodies read part by part, as they arrive, in bounded memory.

The names are those of aiohttp. Nothing here holds more than the piece that has just arrived, but
for what a handler asks for as a whole: `BodyPartReader.read` and its like, which are bounded by
`client_max_size`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Final, Self
from urllib.parse import parse_qsl

from multidict import CIMultiDictProxy

import headrace.web._headers as hdrs

from ._charset import decode_text
from ._errors import RequestPayloadError
from ._exceptions import framework_answer
from ._parts import MAX_FIELD_SIZE, MAX_HEADERS, Part, PartParser, multipart_boundary
from ._streams import PulledReader, StreamReader
from ._transfer import decode_all, transfer_decoder

#: Multipart bodies inside each other that are accepted, the outermost counted.
MAX_DEPTH: Final = 4

#: Called with an error that the client caused, and the status that it means.
Blame = Callable[[Exception, int], None]

_SPACE: Final = b" \t\r\n"


def _blame_nobody(error: Exception, status: int) -> None: ...


class _Settings:
    """What a reader hands down to the readers of its parts."""

    __slots__ = ("blame", "client_max_size", "max_field_size", "max_headers")

    def __init__(
        self, client_max_size: int, max_field_size: int, max_headers: int, blame: Blame
    ) -> None:
        self.client_max_size = client_max_size
        self.max_field_size = max_field_size
        self.max_headers = max_headers
        self.blame = blame


class _PartStream(PulledReader):
    """The bytes of one part."""

    __slots__ = ("_reader",)

    def __init__(self, reader: MultipartReader) -> None:
        super().__init__()
        self._reader = reader

    async def _pull(self) -> None:
        try:
            event = await self._reader._next_event()
        except RequestPayloadError as error:
            self._fail(error)
        if event is None:
            self.feed_eof()
        else:
            assert isinstance(event, bytes)
            self.feed_data(event)


class BodyPartReader:
    """One part of a multipart body; iterating gives its bytes in pieces.

    It must be read before the next part is asked for: what is left is skipped then. All reading
    methods raise `RequestPayloadError` (400 if it leaves the handler) for a malformed body.
    """

    #: Bytes that `read_chunk` returns at most, by default.
    chunk_size = 8192

    def __init__(self, part: Part, content: StreamReader, settings: _Settings) -> None:
        self._part = part
        self._content = content
        self._settings = settings
        self._carry = b""
        #: The header fields of the part, names in any case.
        self.headers: Final[CIMultiDictProxy[str]] = part.headers

    @property
    def name(self) -> str | None:
        """The name of the form's field."""
        return self._part.name

    @property
    def filename(self) -> str | None:
        """The name of the file as the client states it: never to be used as a path."""
        return self._part.filename

    def get_charset(self, default: str) -> str:
        """Return the charset of the part's Content-Type, or *default*."""
        return self._part.charset or default

    def at_eof(self) -> bool:
        """Tell whether all of the part has been read."""
        return self._content.at_eof() and not self._carry

    # -- bytes

    async def read(self, *, decode: bool = False) -> bytes:
        """Return what is left of the part.

        Args:
            decode: Whether to take off its Content-Transfer-Encoding.

        Raises:
            HTTPRequestEntityTooLarge: It is longer than `client_max_size` bytes.
        """
        limit = self._settings.client_max_size
        data = bytearray(self._carry)
        self._carry = b""
        while piece := await self._content.readany():
            data += piece
            if len(data) > limit > 0:
                raise framework_answer(413, max_size=limit)
        return self.decode(bytes(data)) if decode else bytes(data)

    async def read_chunk(self, size: int = chunk_size) -> bytes:
        """Return up to *size* bytes as they were sent; ``b""`` at the end.

        Pieces of base64 and quoted-printable end where each can be decoded by itself; they may
        exceed a *size* of less than 4 bytes.
        """
        encoding = self.headers.get(hdrs.CONTENT_TRANSFER_ENCODING)
        if encoding is None:
            return await self._content.read(size)
        cut = _CUTS.get(encoding.strip(" \t").lower(), len)
        while True:
            piece = await self._content.read(max(size - len(self._carry), 4))
            data = self._carry + piece
            end = cut(data) if piece else len(data)
            self._carry = data[end:]
            if end or not piece:
                return data[:end]

    async def readline(self) -> bytes:
        """Return a line of the part with its ``\\n``; ``b""`` at the end.

        Raises:
            ValueError: The line is longer than 128 KiB.
        """
        return await self._content.readline()

    async def next(self) -> bytes | None:
        """Return what is left of the part, None when that is nothing."""
        return await self.read() or None

    async def release(self) -> None:
        """Skip what is left of the part."""
        self._carry = b""
        while await self._content.readany():
            pass

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over pieces, as `read_chunk` returns them."""
        while piece := await self.read_chunk():
            yield piece

    # -- what the bytes stand for

    def decode(self, data: bytes) -> bytes:
        """Take the Content-Transfer-Encoding off bytes that `read` or `read_chunk` returned.

        Raises:
            RequestPayloadError: They are malformed.
            HTTPUnsupportedMediaType: The encoding is unknown: 415.
        """
        encoding = self.headers.get(hdrs.CONTENT_TRANSFER_ENCODING)
        return decode_all(transfer_decoder(encoding), data)

    async def text(self, *, encoding: str | None = None) -> str:
        """Return the part as text: in *encoding*, or the charset of the part, or UTF-8.

        Raises:
            UnicodeError: It is not in that charset (400 if it leaves the handler).
            LookupError: The charset is unknown (415 if it leaves the handler).
        """
        data = await self.read(decode=True)
        try:
            return decode_text(data, encoding or self._part.charset)
        except UnicodeError as error:
            self._settings.blame(error, 400)
            raise
        except LookupError as error:
            self._settings.blame(error, 415)
            raise

    async def json(self, *, encoding: str | None = None) -> Any:
        """Return the part decoded as JSON, None when it is empty.

        Raises:
            ValueError: It is not JSON (400 if it leaves the handler).
            RecursionError: It is nested too deeply (400 too).
        """
        text = await self.text(encoding=encoding)
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError) as error:
            self._settings.blame(error, 400)
            raise

    async def form(self, *, encoding: str | None = None) -> list[tuple[str, str]]:
        """Return the variables of a part of type ``application/x-www-form-urlencoded``."""
        text = await self.text(encoding=encoding)
        charset = encoding or self.get_charset("utf-8")
        return parse_qsl(text.rstrip(), keep_blank_values=True, encoding=charset)

    def __repr__(self) -> str:
        return f"<BodyPartReader {self.name!r}>"


def _base64_cut(data: bytes) -> int:
    """Return up to where *data* consists of whole groups of four characters."""
    left = len(data.translate(None, _SPACE)) % 4
    end = len(data)
    while left:
        end -= 1
        left -= data[end] not in _SPACE
    return end


def _quoted_printable_cut(data: bytes) -> int:
    """Return up to where no escape of *data* is cut in two."""
    escape = data.find(b"=", max(0, len(data) - 2))
    return len(data) if escape < 0 else escape


_CUTS: Final[Mapping[str, Callable[[bytes], int]]] = {
    "base64": _base64_cut,
    "quoted-printable": _quoted_printable_cut,
}


class MultipartReader:
    """The parts of a multipart body, one after the other; iterating gives them too.

    Args:
        headers: The fields of what the body belongs to; Content-Type names the boundary.
        content: The body.
        client_max_size: Bytes that `BodyPartReader.read` and its like accept; 0 for any.
        max_field_size: Bytes of one header field of a part.
        max_headers: Header fields of a part.

    Raises:
        RequestPayloadError: The boundary is missing or malformed (400).
        HTTPUnsupportedMediaType: The body is no multipart body: 415.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        content: StreamReader,
        *,
        client_max_size: int = 0,
        max_field_size: int = MAX_FIELD_SIZE,
        max_headers: int = MAX_HEADERS,
    ) -> None:
        settings = _Settings(client_max_size, max_field_size, max_headers, _blame_nobody)
        self._set_up(headers, content, settings, 1)

    def _set_up(
        self, headers: Mapping[str, str], content: StreamReader, settings: _Settings, depth: int
    ) -> Self:
        content_type = headers.get(hdrs.CONTENT_TYPE, "")
        if not content_type.lstrip(" \t").lower().startswith("multipart/"):
            raise framework_answer(415)
        #: The header fields of what the body belongs to.
        self.headers = headers
        self._content = content
        self._settings = settings
        self._depth = depth
        self._parser = PartParser(
            multipart_boundary(content_type),
            max_field_size=settings.max_field_size,
            max_headers=settings.max_headers,
        )
        self._events: Iterator[Part | bytes | None] = iter(())
        self._last: BodyPartReader | MultipartReader | None = None
        self._last_stream: _PartStream | None = None
        self._at_eof = False
        return self

    @classmethod
    def _of_request(
        cls, headers: Mapping[str, str], content: StreamReader, client_max_size: int, blame: Blame
    ) -> Self:
        settings = _Settings(client_max_size, MAX_FIELD_SIZE, MAX_HEADERS, blame)
        return cls.__new__(cls)._set_up(headers, content, settings, 1)

    def at_eof(self) -> bool:
        """Tell whether the last part has been passed."""
        return self._at_eof

    async def next(self) -> BodyPartReader | MultipartReader | None:
        """Return the next part, None after the last one; skip what is left of the one before.

        A part that is multipart itself is a `MultipartReader`.

        Raises:
            RequestPayloadError: The body is malformed or was cut short.
            HTTPRequestEntityTooLarge: The head of the part is too long, or bodies are nested more
                than `MAX_DEPTH` deep.
        """
        if self._last_stream is not None:
            while await self._last_stream.readany():
                pass
            self._last = self._last_stream = None
        if self._at_eof:
            return None
        part = await self._next_event()
        if part is None:
            return None
        assert isinstance(part, Part)
        stream = _PartStream(self)
        if part.content_type is not None and part.content_type.startswith("multipart/"):
            if self._depth == MAX_DEPTH:
                raise framework_answer(413)
            nested = type(self).__new__(type(self))
            self._last = nested._set_up(part.headers, stream, self._settings, self._depth + 1)
        else:
            self._last = BodyPartReader(part, stream, self._settings)
        self._last_stream = stream
        return self._last

    async def release(self) -> None:
        """Skip all parts that are left."""
        while await self.next() is not None:
            pass

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BodyPartReader | MultipartReader:
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    async def _next_event(self) -> Part | bytes | None:
        """Return the next event of the parser, and None after the last one of the body."""
        while True:
            for event in self._events:
                return event
            data, _ = await self._content.readchunk()
            if not data:
                self._parser.end()
                self._at_eof = True
                return None
            self._events = self._parser.feed(data)

    def __repr__(self) -> str:
        return f"<MultipartReader {self.headers.get(hdrs.CONTENT_TYPE)!r}>"
