"""Responses as streams: the status line, fields and cookies, and a body written piece by piece.

A response holds its content type apart from its header fields until somebody asks for the
fields, so that the usual answer is serialised without a multidict ever being built.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Iterable, Mapping
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.cookies import SimpleCookie
from math import ceil
from typing import Final, Protocol

from multidict import CIMultiDict, CIMultiDictProxy

import headrace.web._headers as hdrs

from ._addons import ResponseNames
from ._compression import CompressedWriter, Compression, ContentCoding
from ._compressors import Compressor, compressors
from ._content_type import OCTETS, ContentType, content_type_of
from ._cookies import is_prefixed, set_cookie
from ._etag import ETag, format_etag, parse_etags
from ._fields import ResponseHeaders, checked_reason, encoded_fields
from ._headers import HttpVersion
from ._store import Store
from ._streams import DONE, Exchange, Field

LooseHeaders = Mapping[str, str] | Iterable[tuple[str, str]]

#: What is given as the body of such an answer is never sent (RFC 9110, sections 15.3.5,
#: 15.3.6 and 15.4.5).
BODILESS: Final = frozenset({204, 205, 304})


class Answerable(Protocol):
    """What a response needs to know of the request that it answers."""

    @property
    def method(self) -> str: ...
    @property
    def version(self) -> HttpVersion: ...
    @property
    def headers(self) -> CIMultiDictProxy[str]: ...
    @property
    def _compression(self) -> Compression | None: ...
    @property
    def _exchange(self) -> Exchange: ...
    @property
    def _prepare_hook(self) -> Callable[[StreamResponse], Awaitable[None]] | None: ...


def parse_http_date(value: str | None) -> datetime.datetime | None:
    """Return the date of a field in UTC, or None when there is none or it is no date."""
    if value is None:
        return None
    try:
        date = parsedate_to_datetime(value)
        if date.tzinfo is None:
            return date.replace(tzinfo=datetime.UTC)
        return date.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None


class StreamResponse(Store, ResponseNames):
    """A response whose body is written piece by piece.

    `prepare` sends the head, `write` queues bytes of the body, `write_eof` ends it.
    Without a `content_length` the body is chunked for HTTP/1.1 clients and ends with the
    connection for others. Without a content type it goes out as ``application/octet-stream``.

    Args:
        status: The status code.
        reason: The reason phrase; the standard one when None.
        headers: Fields to send beside those that the server adds.
    """

    _headers: ResponseHeaders | None = None
    _cookies: SimpleCookie | None = None
    #: The content type, as long as it is not among `_headers`.
    _type: ContentType | None = None
    _reason: str | None = None
    _exchange: Exchange | None = None
    #: How the body is to be compressed; what the request says counts where this is None.
    _compression: Compression | None = None
    #: Compresses what is written.
    _writer: CompressedWriter | None = None
    _eof_sent = False
    _force_close = False
    #: Whether there is more to the head than the status and the content type.
    _extended = False
    _chunked = False
    body_length = 0

    def __init__(
        self,
        *,
        status: int = 200,
        reason: str | None = None,
        headers: LooseHeaders | None = None,
    ) -> None:
        self._status = int(status)
        if reason is not None:
            self._reason = checked_reason(reason)
            self._extended = True
        if headers is not None:
            self._headers = ResponseHeaders(headers)
            self._extended = True

    # -- the status line

    @property
    def status(self) -> int:
        """The status code."""
        return self._status

    @property
    def reason(self) -> str:
        """The reason phrase."""
        if self._reason is not None:
            return self._reason
        try:
            return HTTPStatus(self._status).phrase
        except ValueError:
            return ""

    def set_status(self, status: int, reason: str | None = None) -> None:
        """Replace the status code and reason phrase."""
        self._refuse_when_prepared("status")
        self._status = int(status)
        self._reason = None if reason is None else checked_reason(reason)
        self._extended = True

    # -- the fields

    @property
    def headers(self) -> CIMultiDict[str]:
        """The header fields, to be read and changed until the head is sent."""
        headers = self._headers
        if headers is None:
            headers = self._headers = ResponseHeaders()
            self._extended = True
        if self._type is not None:
            headers.setdefault(hdrs.CONTENT_TYPE, self._type.value)
            self._type = None
        return headers

    @property
    def content_type(self) -> str:
        """The media type of the body, ``application/octet-stream`` where none is set."""
        if self._type is not None:
            return self._type.media.partition(";")[0].rstrip().lower()
        return self._declared_type()[0]

    @content_type.setter
    def content_type(self, value: str) -> None:
        self._set_type(value, self.charset)

    @property
    def charset(self) -> str | None:
        """The charset parameter of the Content-Type."""
        if self._type is not None:
            return self._type.charset
        return self._declared_type()[1]

    @charset.setter
    def charset(self, value: str | None) -> None:
        media = self.content_type
        if media == "application/octet-stream" and value is not None:
            raise RuntimeError("set a content type before the charset: octets have no charset")
        if self._type is not None:
            media = self._type.media  # with its other parameters
        self._set_type(media, None if value is None else value.lower())

    def _declared_type(self) -> tuple[str, str | None]:
        if self._headers is None or hdrs.CONTENT_TYPE not in self._headers:
            return "application/octet-stream", None
        essence, _, rest = self._headers[hdrs.CONTENT_TYPE].partition(";")
        charset = None
        for parameter in rest.split(";"):
            name, found, value = parameter.partition("=")
            if found and name.strip().lower() == "charset":
                charset = value.strip(' "')
                break
        media = essence.strip().lower()
        return media if media.count("/") == 1 else "application/octet-stream", charset

    def _set_type(self, media: str, charset: str | None) -> None:
        self._refuse_when_prepared("content type")
        new = content_type_of(media, charset)
        if self._headers is None:
            self._type = new
        else:
            self.headers[hdrs.CONTENT_TYPE] = new.value

    @property
    def content_length(self) -> int | None:
        """The length of the body in bytes where it is fixed beforehand."""
        if self._headers is None or hdrs.CONTENT_LENGTH not in self._headers:
            return None
        return int(self._headers[hdrs.CONTENT_LENGTH])

    @content_length.setter
    def content_length(self, value: int | None) -> None:
        self._refuse_when_prepared("content length")
        if value is None:
            self.headers.pop(hdrs.CONTENT_LENGTH, None)
        else:
            self.headers[hdrs.CONTENT_LENGTH] = str(int(value))

    @property
    def last_modified(self) -> datetime.datetime | None:
        """The date of Last-Modified, in UTC.

        May be set from a datetime (UTC where it is naive), a timestamp or a string.
        """
        return parse_http_date(self.headers.get(hdrs.LAST_MODIFIED))

    @last_modified.setter
    def last_modified(self, value: datetime.datetime | float | str | None) -> None:
        if value is None:
            self.headers.pop(hdrs.LAST_MODIFIED, None)
            return
        if isinstance(value, int | float):
            # Rounded up: a client that sends the date back has what was there by then.
            value = datetime.datetime.fromtimestamp(ceil(value), datetime.UTC)
        if isinstance(value, datetime.datetime):
            aware = value if value.tzinfo is not None else value.replace(tzinfo=datetime.UTC)
            value = format_datetime(aware.astimezone(datetime.UTC), usegmt=True)
        self.headers[hdrs.LAST_MODIFIED] = value

    @property
    def etag(self) -> ETag | None:
        """The entity tag.

        May be set from an `ETag`, or from a string: the value of a strong one, without quotes.
        """
        tags = parse_etags(self.headers.get(hdrs.ETAG))
        return tags[0] if tags else None

    @etag.setter
    def etag(self, value: ETag | str | None) -> None:
        self._refuse_when_prepared("entity tag")
        if value is None:
            self.headers.pop(hdrs.ETAG, None)
        else:
            self.headers[hdrs.ETAG] = format_etag(value)

    @property
    def cookies(self) -> SimpleCookie:
        """The cookies that the response sets."""
        if self._cookies is None:
            self._cookies = SimpleCookie()
            self._extended = True
        return self._cookies

    def set_cookie(
        self,
        name: str,
        value: str,
        *,
        expires: str | None = None,
        domain: str | None = None,
        max_age: int | str | None = None,
        path: str | None = "/",
        secure: bool | None = None,
        httponly: bool | None = None,
        version: str | None = None,
        samesite: str | None = None,
        partitioned: bool | None = None,
    ) -> None:
        """Set a cookie; *max_age* is in seconds.

        *version* is accepted and ignored: RFC 6265 knows no versions.

        Raises:
            ValueError: The name is no token, an attribute holds a semicolon or control, *samesite*
                is not ``"Strict"``, ``"Lax"`` or ``"None"``, or browsers would drop the cookie: it
                is partitioned but not secure, or breaks the rules of the prefix ``__Secure-`` or
                ``__Host-``.
        """
        set_cookie(
            self.cookies,
            name,
            value,
            expires=expires,
            domain=domain,
            max_age=max_age,
            path=path,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )

    def del_cookie(
        self,
        name: str,
        *,
        domain: str | None = None,
        path: str | None = "/",
        secure: bool | None = None,
        httponly: bool | None = None,
        samesite: str | None = None,
    ) -> None:
        """Make the client forget a cookie of this domain and path.

        A cookie whose name starts with ``__Secure-`` or ``__Host-`` is secure without saying so.
        """
        self.set_cookie(
            name,
            "",
            expires="Thu, 01 Jan 1970 00:00:00 GMT",
            domain=domain,
            max_age=0,
            path=path,
            secure=is_prefixed(name) if secure is None else secure,
            httponly=httponly,
            samesite=samesite,
        )

    # -- life

    @property
    def prepared(self) -> bool:
        """Whether the head has been sent."""
        return self._exchange is not None

    @property
    def keep_alive(self) -> bool | None:
        """False when the connection closes after this response, else None."""
        return False if self._force_close else None

    def force_close(self) -> None:
        """Close the connection after this response."""
        self._force_close = True
        self._extended = True

    @property
    def chunked(self) -> bool:
        """Whether `enable_chunked_encoding` was called."""
        return self._chunked

    def enable_chunked_encoding(self, chunk_size: int | None = None) -> None:
        """Send the body in chunks; the default for a stream without a content length.

        *chunk_size* is accepted and ignored: each write is a chunk. Clients of HTTP/1.0 get no
        chunks, and a `Response` goes out with its length all the same. Once the head has been sent
        it changes nothing.
        """
        if self._exchange is None:
            self.headers.pop(hdrs.CONTENT_LENGTH, None)
        self._chunked = True

    @property
    def compression(self) -> bool:
        """Whether the body is to be compressed, if the client accepts it."""
        return self._compression is not None

    def enable_compression(
        self, force: ContentCoding | bool | None = None, strategy: int | None = None
    ) -> None:
        """Compress the body, in the coding that the client likes best of those installed here.

        Neither the size nor the type of the body is looked at; `compression_middleware` does.
        An answer without a body, a part of something, and what has a Content-Encoding already
        are left as they are.

        Args:
            force: The coding, whatever the client accepts. True is ``deflate`` and False
                ``identity``, as in aiohttp's early years.
            strategy: The strategy of zlib for gzip and deflate.

        Raises:
            ValueError: The coding is not installed here.
        """
        self._refuse_when_prepared("compression")
        if isinstance(force, bool):
            force = ContentCoding.deflate if force else ContentCoding.identity
        if force not in (None, ContentCoding.identity) and force.value not in compressors():
            raise ValueError(f"the coding {force.value} is not installed here")
        chosen = Compression(force=force, strategy=strategy or 0)
        self._compression = None
        self._compress_by(chosen)

    def _compress_by(self, compression: Compression) -> None:
        """Compress the body, if it is not sent yet and nobody has said how."""
        if self._exchange is None and self._compression is None:
            self._compression = compression

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The task that serves the request; None before the head is sent."""
        return None if self._exchange is None else self._exchange.task

    async def prepare(self, request: Answerable) -> None:
        """Run the `on_response_prepare` signal and send the head."""
        if self._exchange is not None:
            return
        self._req = request
        if self._lacks_type():
            self._type = OCTETS
        hook = request._prepare_hook
        if hook is not None:
            await hook(self)
        compression = self._compression or request._compression
        if compression is not None:
            compressor = compression.begin(self, request)
            if compressor is not None:
                await self._compress(compressor, request._exchange)
        self._start(request)

    async def _compress(self, compressor: Compressor, exchange: Exchange) -> None:
        self._writer = CompressedWriter.for_type(exchange, compressor, self.content_type)

    def _lacks_type(self) -> bool:
        """Tell whether there is a body whose type nobody has stated (RFC 9110, section 8.3)."""
        if self._type is not None or self._status in BODILESS:
            return False
        if self._headers is not None and hdrs.CONTENT_TYPE in self._headers:
            return False
        return self.content_length != 0

    def _start(self, request: Answerable) -> None:
        exchange = request._exchange
        exchange.send_head(self._status, self._reason, self._fields())
        self._exchange = exchange
        exchange.begun = self

    def write(self, data: bytes | bytearray | memoryview) -> Awaitable[None]:
        """Queue bytes of the body at once; awaiting the result waits for back-pressure.

        Raises:
            RuntimeError: The head has not been sent, or the body has ended.
            ClientConnectionResetError: The client has gone.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes-like, not {type(data).__name__}")
        if self._exchange is None:
            raise RuntimeError("call prepare() before write()")
        if self._eof_sent:
            raise RuntimeError("write() after write_eof()")
        if not data:
            return DONE
        if self._writer is not None:
            return self._writer.write(data)
        self.body_length += len(data)
        return self._exchange.write(data)

    async def drain(self) -> None:
        """Wait until the client has taken enough of what was written.

        Where the body is compressed, the client can read all that was written so far.
        """
        if self._exchange is not None and not self._eof_sent:
            await (self._writer or self._exchange).drain()

    async def write_eof(self, data: bytes = b"", *, trailers: LooseHeaders | None = None) -> None:
        """Write the last bytes of the body and end it.

        Args:
            data: The last bytes.
            trailers: Fields to send after a chunked body (RFC 9110, section 6.5).
        """
        if self._eof_sent:
            return
        if self._exchange is None:
            raise RuntimeError("call prepare() before write_eof()")
        if data:
            await self.write(data)
        self._eof_sent = True
        if self._writer is not None:
            await self._writer.finish()
            self.body_length = self._writer.sent
        fields = () if trailers is None else encoded_fields(ResponseHeaders(trailers))
        await self._exchange.write_eof(fields)

    def _fields(self) -> list[Field]:
        """Return the header fields as pairs of bytes."""
        fields = [] if self._type is None else [*self._type.fields]
        if self._headers is not None:
            fields += encoded_fields(self._headers)
        if self._cookies is not None:
            fields += [
                (b"Set-Cookie", morsel.OutputString().encode("utf-8"))
                for morsel in self._cookies.values()
            ]
        if self._force_close:
            fields.append((b"Connection", b"close"))
        return fields

    def _refuse_when_prepared(self, what: str) -> None:
        if self._exchange is not None:
            raise RuntimeError(f"cannot change the {what}: the head has been sent")

    def __repr__(self) -> str:
        state = "ended" if self._eof_sent else "prepared" if self.prepared else "not prepared"
        return f"<{type(self).__name__} {self._status} {self.reason} {state}>"
