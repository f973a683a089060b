"""Responses whose body is known as a whole: text, bytes, JSON, or what a source gives."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Callable
from io import TextIOBase
from typing import Any, TypedDict, Unpack

import headrace.web._headers as hdrs

from ._compression import Compression, compress_whole
from ._compressors import Compressor
from ._content_type import OCTETS, TEXT, ContentType, content_type_of
from ._fields import ResponseHeaders, checked_reason
from ._kernel import quick_calls
from ._media import content_disposition, file_type
from ._sources import (
    Body,
    Source,
    TypedSource,
    check_source,
    close_source,
    filename_of,
    pieces_of,
    size_of,
)
from ._stream_response import BODILESS, Answerable, LooseHeaders, StreamResponse
from ._streams import Exchange

JSONEncoder = Callable[[Any], str | bytes]


class _Uncompressed(bytes):
    """A body that is yet to be compressed: it is none of those that are sent as they are."""


@quick_calls
class Response(StreamResponse):
    """A response whose body is known as a whole.

    Args:
        body: The body: bytes or text, or what gives it piece by piece: an asynchronous
            iterable or a file, which goes out under its own name and type. A source is closed
            when it has been sent, and when the client disconnects before.
        status: The status code.
        reason: The reason phrase; the standard one when None.
        text: The body as text, instead of *body*.
        headers: Fields to send beside those that the server adds.
        content_type: The media type; ``text/plain`` for text, else
            ``application/octet-stream``.
        charset: The charset, for text UTF-8 by default.

    Raises:
        ValueError: *body* and *text* are both given, or a type both in *headers* and as
            *content_type* or *charset*.
    """

    _body: bytes | bytearray | memoryview | Source | None = None
    _bodiless = False  # whether the answer has no body, so that its source is only closed

    def __init__(
        self,
        *,
        body: Body | None = None,
        status: int = 200,
        reason: str | None = None,
        text: str | None = None,
        headers: LooseHeaders | None = None,
        content_type: str | None = None,
        charset: str | None = None,
    ) -> None:
        self._status = status if status.__class__ is int else int(status)
        # As the class has them, but found quicker when the answer is sent.
        self._exchange = None
        self._extended = False
        if reason is not None:
            self._reason = checked_reason(reason)
            self._extended = True
        if headers is not None:
            self._headers = ResponseHeaders(headers)
            self._extended = True
            if hdrs.CONTENT_TYPE in self._headers:
                self._init_with_type_header(body, text, content_type, charset)
                return
        if text is not None:
            if body is not None:
                raise ValueError("body and text are not allowed together")
            if not isinstance(text, str):
                raise TypeError(f"text must be str, not {type(text).__name__}")
            if content_type is None and charset is None:
                self._type = TEXT
                self._body = text.encode()
            else:
                charset = charset or "utf-8"
                self._type = content_type_of(
                    TEXT.media if content_type is None else content_type, charset
                )
                self._body = text.encode(charset)
            return
        if content_type is not None:
            self._type = content_type_of(content_type, charset)
        if body.__class__ is bytes:
            self._body = body
            if content_type is None:
                self._type = OCTETS if charset is None else content_type_of(OCTETS.media, charset)
        elif body is not None:
            self.body = body

    def _init_with_type_header(
        self,
        body: Body | None,
        text: str | None,
        content_type: str | None,
        charset: str | None,
    ) -> None:
        if content_type or charset:
            raise ValueError("pass the content type in headers or as an argument, not both")
        if text is not None and body is not None:
            raise ValueError("body and text are not allowed together")
        if text is not None:
            self._body = text.encode(self.charset or "utf-8")
        elif body is not None:
            self.body = body

    @property
    def body(self) -> bytes | bytearray | memoryview | Source | None:
        """The body in bytes, or its source."""
        return self._body

    @body.setter
    def body(self, value: Body | None) -> None:
        self._refuse_when_prepared("body")
        if isinstance(value, str):
            self.text = value
            return
        if isinstance(value, bytes | bytearray | memoryview):
            self._default_type(OCTETS)
        elif value is not None:
            self._describe(value)
        self._body = value
        self._hold_back()

    def _default_type(self, content_type: ContentType) -> None:
        if self._type is None and (self._headers is None or hdrs.CONTENT_TYPE not in self._headers):
            self._set_type(content_type.media, content_type.charset)

    def _describe(self, source: Source) -> None:
        """State what is known about a source: its type, and the name of a file."""
        check_source(source)
        filename = filename_of(source)
        if isinstance(source, TypedSource):
            if self._type is None:
                self.headers.setdefault(hdrs.CONTENT_TYPE, source.content_type)
        elif isinstance(source, TextIOBase):
            self._default_type(TEXT)
        else:
            self._default_type(content_type_of(*file_type(filename)))
        if filename and hdrs.CONTENT_DISPOSITION not in self.headers:
            self.headers[hdrs.CONTENT_DISPOSITION] = content_disposition(filename)

    @property
    def text(self) -> str | None:
        """The body as text."""
        if self._body is None:
            return None
        if not isinstance(self._body, bytes | bytearray | memoryview):
            raise TypeError("the body comes from a source piece by piece: it is no text yet")
        return bytes(self._body).decode(self.charset or "utf-8")

    @text.setter
    def text(self, value: str) -> None:
        self._refuse_when_prepared("text")
        if not isinstance(value, str):
            raise TypeError(f"text must be str, not {type(value).__name__}")
        if self.content_type == "application/octet-stream":
            self._set_type("text/plain", self.charset or "utf-8")
        if self.charset is None:
            self.charset = "utf-8"
        self._body = value.encode(self.charset or "utf-8")
        self._hold_back()

    def _compress_by(self, compression: Compression) -> None:
        super()._compress_by(compression)
        self._hold_back()

    def _hold_back(self) -> None:
        if self._compression is not None and self._body.__class__ is bytes:
            self._body = _Uncompressed(self._body)

    async def _compress(self, compressor: Compressor, exchange: Exchange) -> None:
        if isinstance(self._body, bytes | bytearray | memoryview):
            self._body = await compress_whole(compressor, bytes(self._body))
        else:
            await super()._compress(compressor, exchange)

    @property
    def content_length(self) -> int | None:
        """The length of the body in bytes."""
        if self._headers is not None and hdrs.CONTENT_LENGTH in self._headers:
            return int(self._headers[hdrs.CONTENT_LENGTH])
        if self._body is None or isinstance(self._body, bytes | bytearray | memoryview):
            return 0 if self._body is None else len(self._body)
        return size_of(self._body)

    @content_length.setter
    def content_length(self, value: int | None) -> None:
        raise RuntimeError("the content length of a Response follows from its body")

    def _start(self, request: Answerable) -> None:
        body = self._body
        if body.__class__ is not bytes:
            if body is None:
                body = b""
            elif isinstance(body, bytes | bytearray | memoryview):
                body = bytes(body)
            else:
                self._start_source(request, body)
                return
        self._exchange = exchange = request._exchange
        self._eof_sent = True
        self.body_length = len(body)
        if not self._extended and self._type is not None and self._status not in BODILESS:
            exchange.send_usual(self._status, self._type.fields, body)
            return
        if self._status in BODILESS:
            body = b""
            if self._type is OCTETS:
                self._type = None  # nobody has asked for it
            self.body_length = 0
        exchange.send_whole(self._status, self._reason, self._fields(), body)

    def _start_source(self, request: Answerable, source: Source) -> None:
        self._bodiless = request.method == hdrs.METH_HEAD or self._status in BODILESS
        size = None if self._status in (204, 205) else size_of(source)
        is_open = size is None or self._writer is not None
        if not is_open and hdrs.CONTENT_LENGTH not in self.headers:
            self.headers[hdrs.CONTENT_LENGTH] = str(size)
        try:
            super()._start(request)
        except BaseException:
            if not isinstance(source, AsyncIterable):
                source.close()
            raise

    async def write_eof(self, data: bytes = b"", *, trailers: LooseHeaders | None = None) -> None:
        """Send what is not sent yet: the body, when it comes from a source."""
        if data:
            raise RuntimeError("a Response has its body whole; write to a StreamResponse")
        if self._exchange is None:
            raise RuntimeError("call prepare() before write_eof()")
        if self._eof_sent:
            return
        try:
            if not self._bodiless:
                async for piece in pieces_of(self._body, self.charset):
                    await self.write(piece)
        finally:
            await close_source(self._body)
        await super().write_eof(trailers=trailers)


class JSONArguments(TypedDict, total=False):
    """The keywords of `json_response` beside the encoder."""

    text: str | None
    body: bytes | None
    status: int
    reason: str | None
    headers: LooseHeaders | None
    content_type: str


def json_bytes_response(
    data: Any = None, *, dumps: Callable[[Any], bytes], **options: Unpack[JSONArguments]
) -> Response:
    """Return a response with *data* as JSON; *dumps* returns bytes, as orjson's does."""
    return json_response(data, dumps=dumps, **options)


def json_response(
    data: Any = None,
    *,
    text: str | None = None,
    body: bytes | None = None,
    status: int = 200,
    reason: str | None = None,
    headers: LooseHeaders | None = None,
    content_type: str = "application/json",
    dumps: JSONEncoder = json.dumps,
) -> Response:
    """Return a response with *data* as JSON; *dumps* may return text or bytes.

    Raises:
        ValueError: More than one of *data*, *text* and *body* is given.
    """
    if data is not None and (text is not None or body is not None):
        raise ValueError("only one of data, text, or body should be specified")
    if text is None and body is None:
        encoded = dumps(data)
        if isinstance(encoded, str):
            text = encoded
        else:
            body = encoded
    return Response(
        text=text,
        body=body,
        status=status,
        reason=reason,
        headers=headers,
        content_type=content_type,
    )
