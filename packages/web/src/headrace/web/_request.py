"""The request as a handler sees it: raw pairs underneath, everything else when first asked for."""

from __future__ import annotations

import asyncio
import datetime
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, Self
from urllib.parse import unquote

from multidict import CIMultiDictProxy, MultiDict, MultiDictProxy
from yarl import URL

import headrace.web._headers as hdrs

from ._addons import RequestNames
from ._charset import decode_text
from ._coding import content_coding, decoded
from ._compression import Compression
from ._cookies import parse_cookies
from ._etag import ETag, parse_etags
from ._exceptions import framework_answer
from ._fields import ResponseHeaders
from ._forms import CLIENT_MAX_FIELDS, Form, FormValue, parse_urlencoded
from ._forwarded import parse_forwarded
from ._headers import HttpVersion, HttpVersion11
from ._kernel import quick_calls
from ._multipart import MultipartReader
from ._received import (
    MAX_COOKIES,
    MAX_QUERY,
    kept_cookies,
    kept_query,
    make_query,
    text_headers,
)
from ._reify import reify
from ._store import Store
from ._stream_response import StreamResponse, parse_http_date
from ._streams import EMPTY_CONTENT, Exchange, StreamReader, whole_stream

if TYPE_CHECKING:
    from multidict import MultiMapping

JSONDecoder = Callable[[str], Any]

#: Bodies that `Request.read` and its like accept by default, in bytes (aiohttp's default).
CLIENT_MAX_SIZE: Final = 1024**2

_FORM_METHODS: Final = {hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_PATCH} | {
    hdrs.METH_DELETE,
    hdrs.METH_TRACE,
}
_PARAMETER = re.compile(
    r";[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)="
    r"""(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+\-.^_`|~0-9A-Za-z]*))"""
)
_TYPE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+/[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Range units are case-insensitive (RFC 9110, section 14.1).
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)", re.ASCII | re.IGNORECASE)


def _parse_range(value: str) -> slice:
    """Return the slice of a single range of bytes (RFC 9110, section 14.1.2)."""
    match = _RANGE.fullmatch(value)
    if match is None or not (match[1] or match[2]):
        raise ValueError("range not in acceptable format")
    if not match[1]:
        return slice(-int(match[2]), None, 1)
    start = int(match[1])
    stop = int(match[2]) + 1 if match[2] else None
    if stop is not None and start >= stop:
        raise ValueError("start cannot be after end")
    return slice(start, stop, 1)


class MatchedRoute(Protocol):
    """A route that can tell a handler how it was found."""

    def match_info(self, request: BaseRequest, params: Mapping[str, Any]) -> Any: ...


class Matched(Protocol):
    """What the dispatcher found for a request; its `match_info` is built from it."""

    @property
    def value(self) -> MatchedRoute: ...
    @property
    def params(self) -> Mapping[str, Any]: ...


def parse_content_type(value: str) -> tuple[str, Mapping[str, str]]:
    """Split a Content-Type into the lower-case type and its parameters.

    What is no media type counts as ``application/octet-stream`` (RFC 9110, section 8.3).
    """
    essence, semicolon, _ = value.partition(";")
    essence = essence.strip(" \t").lower()
    if _TYPE.fullmatch(essence) is None:
        return "application/octet-stream", {}
    if not semicolon:
        return essence, {}
    found = _PARAMETER.findall(value, len(essence))
    return essence, {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else token
        for name, quoted, token in reversed(found)
    }


@quick_calls
class BaseRequest(Store, RequestNames):
    """A request, and a mapping in which middlewares and handlers leave things for each other.

    Instances are made by the server. The body is read once and kept: `read`, `text` and
    `json` may be called several times and in any order.
    """

    # What most handlers look at; the rest of what is made when first asked for is reified.
    _query: MultiMapping[str] | None = None
    _headers: CIMultiDictProxy[str] | None = None
    _cookies: Mapping[str, str] | None = None
    _body: bytes | None = None
    #: The bytes of a body that was found too large while it was read.
    _excess = 0
    #: What the dispatcher fills in.
    _app: Any = None
    _matched: Matched | None = None
    _client_max_size = CLIENT_MAX_SIZE
    _client_max_fields = CLIENT_MAX_FIELDS
    _post: MultiDictProxy[FormValue] | None = None
    _scheme: str | None = None
    _host: str | None = None
    _remote: str | None = None
    #: An error that the body caused, and the status that it means for the client.
    _client_fault: tuple[Exception, int] | None = None
    _cloned_from: BaseRequest | None = None
    #: The Content-Length of the body that `_content` gives; None when it is chunked.
    _body_length: int | None = None
    #: Whether the client waits for a 100 before it sends the body.
    _expects_continue: bool
    #: How the answer is to be compressed, where it says nothing itself.
    _compression: Compression | None = None
    #: What runs before the head of the response is sent, if anything does.
    _prepare_hook: Callable[[StreamResponse], Awaitable[None]] | None

    def __init__(
        self,
        method: str,
        target: str,
        version: HttpVersion,
        raw_headers: Sequence[tuple[bytes, bytes]],
        content: StreamReader | bytes | None,
        exchange: Exchange,
    ) -> None:
        self.method: Final = method
        self._target = target
        self.version: Final = version
        self._raw_headers = raw_headers
        self._content = content
        self._exchange = exchange
        # Asked for each request: what an instance has is found quicker than what its class has.
        self._prepare_hook = None
        self._expects_continue = False

    # -- the request line

    @property
    def raw_path(self) -> str:
        """The target as it was sent, with its query."""
        return self._target

    @property
    def path_qs(self) -> str:
        """The path, percent-encoded, with its query."""
        path, query = self._split_target
        return f"{path}?{query}" if query else path

    @reify
    def _split_target(self) -> tuple[str, str]:
        """The percent-encoded path and query of any form of target (RFC 9112, section 3.2)."""
        target = self._target
        if target[0] != "/" and "://" in target:
            authority = target.partition("://")[2]
            slash = re.search(r"[/?]", authority)
            target = authority[slash.start() :] if slash else "/"
            if target[0] == "?":
                target = "/" + target
        path, _, query = target.partition("?")
        return path, query

    @property
    def encoded_path(self) -> str:
        """The path, percent-encoded, without the query."""
        return self._split_target[0]

    @reify
    def path(self) -> str:
        """The path, percent-decoded, without the query."""
        return unquote(self._split_target[0])

    @property
    def query_string(self) -> str:
        """The query, percent-decoded."""
        return self.rel_url.query_string

    @property
    def query(self) -> MultiMapping[str]:
        """The variables of the query."""
        query = self._query
        if query is None:
            target = self._target
            text = target.partition("?")[2] if target[0] == "/" else self._split_target[1]
            make = kept_query if len(text) <= MAX_QUERY else make_query
            query = self._query = make(text)
        return query

    @reify
    def rel_url(self) -> URL:
        """The path and query as a relative `yarl.URL`."""
        path, query = self._split_target
        return URL.build(path=path, query_string=query, encoded=True)

    @reify
    def url(self) -> URL:
        """The absolute URL, from `scheme`, `host` and the target."""
        return URL.build(scheme=self.scheme, authority=self.host, encoded=True).join(self.rel_url)

    # -- where it comes from and goes to

    @property
    def scheme(self) -> str:
        """``https`` on a TLS connection, else ``http``, unless `clone` said otherwise."""
        if self._scheme is not None:
            return self._scheme
        return "https" if self._exchange.get_extra_info("sslcontext") is not None else "http"

    @property
    def secure(self) -> bool:
        """Whether the scheme is ``https``."""
        return self.scheme == "https"

    @property
    def host(self) -> str:
        """The Host field, or the server's own address when a 1.0 client sends none."""
        if self._host is not None:
            return self._host
        if self._target[0] != "/" and "://" in self._target:
            # An absolute target overrides Host (RFC 9112, section 3.2.2).
            return re.split(r"[/?]", self._target.partition("://")[2], maxsplit=1)[0]
        host = self.headers.get(hdrs.HOST)
        if host is not None:
            return host
        name = self._exchange.get_extra_info("sockname")
        if not isinstance(name, tuple):
            return "localhost"
        return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"

    @property
    def remote(self) -> str | None:
        """The address of the client: of the other end of the connection, trusting no field."""
        remote = self._remote
        return self._exchange.remote if remote is None else remote

    @property
    def transport(self) -> asyncio.Transport | None:
        """The connection's transport; None when the client has gone."""
        return self._exchange.transport

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The task that runs the handler."""
        return self._exchange.task

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of the connection."""
        return self._exchange.loop

    @property
    def keep_alive(self) -> bool:
        """Whether the connection may serve another request after this one."""
        return self._exchange.keep_alive

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return a fact about the transport (`asyncio.BaseTransport.get_extra_info`)."""
        return self._exchange.get_extra_info(name, default)

    # -- the fields

    @reify
    def forwarded(self) -> tuple[Mapping[str, str], ...]:
        """What each proxy said in Forwarded (RFC 7239), parameter names in lower case.

        Anybody may have written it, and nothing here believes it: see `trusted_proxy_middleware`.
        """
        return parse_forwarded(self.headers.getall(hdrs.FORWARDED, ()))

    @reify
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The fields as they were received, pairs of bytes."""
        return tuple(self._raw_headers)

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The fields, names in any case. Bytes that are no UTF-8 are kept as surrogates."""
        headers = self._headers
        if headers is None:
            headers = self._headers = text_headers(self._raw_headers)
        return headers

    def _find(self, name: bytes) -> bytes | None:
        """Return the first field with a name in lower case, without making `headers`."""
        fields: Any = self._raw_headers
        try:
            return fields.find(name)  # type: ignore[no-any-return]
        except AttributeError:  # these are not as they were received
            for each, value in self._raw_headers:
                if each.lower() == name:
                    return value
            return None

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies that the client sent."""
        cookies = self._cookies
        if cookies is None:
            text = "; ".join(self.headers.getall(hdrs.COOKIE, ()))
            parse = kept_cookies if len(text) <= MAX_COOKIES else parse_cookies
            cookies = self._cookies = parse(text)
        return cookies

    @reify
    def _content_type(self) -> tuple[str, Mapping[str, str]]:
        return parse_content_type(self.headers.get(hdrs.CONTENT_TYPE, ""))

    @property
    def content_type(self) -> str:
        """The media type of the body, ``application/octet-stream`` when the client gives none."""
        return self._content_type[0]

    @property
    def charset(self) -> str | None:
        """The charset parameter of the Content-Type."""
        return self._content_type[1].get("charset")

    @property
    def content_length(self) -> int | None:
        """The length of the body in bytes where the client stated it."""
        content = self._content
        if content is not None:
            return len(content) if isinstance(content, bytes) else self._body_length
        value = self.headers.get(hdrs.CONTENT_LENGTH)
        return None if value is None else int(value)

    @property
    def http_range(self) -> slice:
        """The single range that the client asks for.

        Raises:
            ValueError: The Range field is malformed or asks for several ranges (416 if it leaves
                the handler).
        """
        value = self.headers.get(hdrs.RANGE)
        if value is None:
            return slice(None, None, 1)
        try:
            return _parse_range(value)
        except ValueError as error:
            self._blame(error, 416)
            raise

    @reify
    def if_match(self) -> tuple[ETag, ...] | None:
        """The tags of If-Match."""
        return parse_etags(self._list_field(hdrs.IF_MATCH))

    @reify
    def if_none_match(self) -> tuple[ETag, ...] | None:
        """The tags of If-None-Match."""
        return parse_etags(self._list_field(hdrs.IF_NONE_MATCH))

    def _list_field(self, name: str) -> str | None:
        """Return a list field that may stand on several lines (RFC 9110, section 5.3)."""
        values = self.headers.getall(name, None)
        return None if values is None else ", ".join(values)

    @reify
    def if_modified_since(self) -> datetime.datetime | None:
        """The date of If-Modified-Since, in UTC."""
        return parse_http_date(self.headers.get(hdrs.IF_MODIFIED_SINCE))

    @reify
    def if_unmodified_since(self) -> datetime.datetime | None:
        """The date of If-Unmodified-Since, in UTC."""
        return parse_http_date(self.headers.get(hdrs.IF_UNMODIFIED_SINCE))

    @reify
    def if_range(self) -> datetime.datetime | ETag | None:
        """The validator of If-Range: a date in UTC, or a tag."""
        value = self.headers.get(hdrs.IF_RANGE)
        if value is not None and '"' in value:
            tags = parse_etags(value)
            return tags[0] if tags else None
        return parse_http_date(value)

    # -- the body

    @reify
    def content(self) -> StreamReader:
        """The body as a stream, its Content-Encoding taken off unless the server leaves it.

        Raises:
            HTTPUnsupportedMediaType: The Content-Encoding is unknown: 415.
        """
        content = self.encoded_content
        coding = "" if self._content is None else content_coding(self._raw_headers)
        if coding and self._exchange.auto_decompress:
            return decoded(content, coding, self._client_max_size)
        return content

    @reify
    def encoded_content(self) -> StreamReader:
        """The body as a stream as it was sent, with its Content-Encoding."""
        content = self._content
        if content is None:
            return EMPTY_CONTENT
        return whole_stream(content) if isinstance(content, bytes) else content

    @property
    def body_exists(self) -> bool:
        """Whether the request has a body, read or not."""
        return self._content is not None

    @property
    def can_read_body(self) -> bool:
        """Whether some of the body is still to be read."""
        if self._content is None or (self._body is not None and isinstance(self._content, bytes)):
            return False
        content = self.encoded_content
        return not (content.at_eof() and self.__dict__.get("content", content).at_eof())

    @property
    def client_max_size(self) -> int:
        """The bytes of body that `read` and its like accept; 0 for any number."""
        return self._client_max_size

    @property
    def client_max_fields(self) -> int:
        """The fields of a form that `post` accepts; 0 for any number."""
        return self._client_max_fields

    async def read(self) -> bytes:
        """Return the body.

        Raises:
            HTTPRequestEntityTooLarge: It is longer than `client_max_size` bytes.
            HTTPUnsupportedMediaType: Its Content-Encoding is unknown: 415.
            RequestPayloadError: It is malformed or was cut short.
        """
        if self._body is None:
            content = self._content
            if content is None:
                self._body = b""
            elif (
                content.__class__ is bytes
                and "encoded_content" not in self.__dict__
                and not content_coding(self._raw_headers)
            ):
                # It came in one piece with the head.
                self._check_size(len(content))
                self._body = content
            else:
                self._body = await self._read_content(self.content)
        return self._body

    def _check_size(self, size: int) -> None:
        limit = self._client_max_size
        if size > limit > 0:
            self._excess = max(size, self._excess)
            raise framework_answer(413, max_size=limit, actual_size=size)

    async def _read_content(self, content: StreamReader) -> bytes:
        if not self._client_max_size:
            return await content.read()
        self._check_announced()
        # What is left of a body that was too large is no body.
        self._check_size(self._excess)
        if content.is_eof():
            body = content.read_nowait()
            self._check_size(len(body))
            return body
        parts = []
        size = 0
        while part := await content.readany():
            size += len(part)
            self._check_size(size)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _check_announced(self) -> None:
        announced = self.content_length
        if announced is not None:
            self._check_size(announced)

    async def text(self) -> str:
        """Return the body decoded by its charset, UTF-8 by default.

        Raises:
            UnicodeError: The body is not in its charset (400 if it leaves the handler).
            LookupError: The charset is unknown (415 if it leaves the handler).
        """
        body = await self.read()
        try:
            return decode_text(body, self.charset)
        except UnicodeError as error:
            self._blame(error, 400)
            raise
        except LookupError as error:
            self._blame(error, 415)
            raise

    async def json(self, *, loads: JSONDecoder = json.loads) -> Any:
        """Return the body decoded as JSON.

        Raises:
            ValueError: It is not JSON (`json.JSONDecodeError` with the default *loads*; 400 if
                it leaves the handler).
            RecursionError: It is nested too deeply (400 too).
        """
        text = await self.text()
        try:
            return loads(text)
        except (ValueError, RecursionError) as error:
            self._blame(error, 400)
            raise

    async def post(self) -> MultiDictProxy[FormValue]:
        """Return the fields of a form: text as `str`, files as `FileField`, other data as bytes.

        Other media types than the two of forms, and methods without a form, give no fields. The
        files are closed when the request has been answered.

        Raises:
            HTTPRequestEntityTooLarge: The body is longer than `client_max_size` bytes, or has
                more than `client_max_fields` fields.
            HTTPUnsupportedMediaType: The Content-Encoding or a charset is unknown: 415.
            RequestPayloadError: The form is malformed or was cut short (400 if it leaves the
                handler).
            UnicodeError: An urlencoded form is not in its charset (400 too).
            LookupError: The charset of an urlencoded form is unknown (415 if it leaves the
                handler).
        """
        if self._post is None:
            self._post = MultiDictProxy(await self._read_form())
        return self._post

    async def _read_form(self) -> MultiDict[FormValue]:
        if self.method not in _FORM_METHODS:
            return MultiDict()
        media, parameters = self._content_type
        if media == "multipart/form-data":
            return await self._read_multipart_form(parameters.get("boundary"))
        if media != "application/x-www-form-urlencoded":
            return MultiDict()
        body = await self.read()
        try:
            return MultiDict(parse_urlencoded(body, self.charset, self._client_max_fields))
        except UnicodeError as error:
            self._blame(error, 400)
            raise
        except LookupError as error:
            self._blame(error, 415)
            raise

    async def _read_multipart_form(self, boundary: str | None) -> MultiDict[FormValue]:
        self._check_announced()
        form = Form(boundary, max_size=self._client_max_size, max_fields=self._client_max_fields)
        await form.read(self._unread_content())
        if form.has_files:
            task = self.task
            if task is not None:
                task.add_done_callback(lambda _: form.close())
        return form.fields

    async def multipart(self) -> MultipartReader:
        """Return a reader of the parts of a multipart body, which are not held anywhere.

        `client_max_size` is a limit for each part that is read as a whole; their number and the
        size of the body are not limited.

        Raises:
            HTTPUnsupportedMediaType: The body is no multipart body: 415.
            RequestPayloadError: The boundary is missing or malformed (400 if it leaves the
                handler).
        """
        return MultipartReader._of_request(
            self.headers, self._unread_content(), self._client_max_size, self._blame
        )

    def _unread_content(self) -> StreamReader:
        """Return the body as a stream, even when it was read as a whole before."""
        return self.content if self._body is None else whole_stream(self._body)

    def _blame(self, error: Exception, status: int) -> None:
        """Note that the client caused *error*, also on the requests of which this is a clone."""
        request: BaseRequest | None = self
        while request is not None:
            request._client_fault = (error, status)
            request = request._cloned_from

    async def release(self) -> None:
        """Read what is left of the body and forget it."""
        while await self.encoded_content.readany():
            pass

    @property
    def disconnected(self) -> bool:
        """Whether the client has gone, or has stopped sending and may have."""
        return self._exchange.disconnected

    async def wait_for_disconnection(self) -> None:
        """Wait until the client has gone, or stops sending."""
        await self._exchange.wait_for_disconnection()

    @property
    def shutting_down(self) -> bool:
        """Whether the server has been told to stop; it may still accept requests for a while."""
        return self._exchange.shutting_down

    async def wait_for_shutdown(self) -> None:
        """Wait until the server ends what has no end of its own: time to end a long answer.

        That is after it has stopped listening and `on_shutdown` has run, when WebSockets are
        closed with 1001. What does not end then is cancelled when the time of the shutdown is up.
        """
        await self._exchange.wait_for_shutdown()

    # -- answers that precede the answer

    async def send_continue(self) -> None:
        """Tell a client that waits with ``Expect: 100-continue`` to send the body."""
        await self.send_informational(100)

    async def send_informational(
        self, status: int, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send an interim answer (RFC 9110, section 15.2); HTTP/1.0 clients get none.

        Raises:
            ValueError: *status* is not one of 100 and 102 to 199.
        """
        if not 100 <= status <= 199 or status == 101:
            raise ValueError(f"{status} is not the status of an interim answer")
        if self.version >= HttpVersion11:
            checked = ResponseHeaders(headers or ())
            fields = [(name.encode(), value.encode()) for name, value in checked.items()]
            self._exchange.send_informational(status, fields)

    async def early_hints(self, *links: str) -> None:
        """Send a 103 whose Link fields tell what the page will need (RFC 8297)."""
        headers = ResponseHeaders((hdrs.LINK, link) for link in links)
        await self.send_informational(103, headers)

    # -- the rest

    def clone(
        self,
        *,
        method: str | None = None,
        rel_url: URL | str | None = None,
        headers: Mapping[str, str] | None = None,
        scheme: str | None = None,
        host: str | None = None,
        remote: str | None = None,
        client_max_size: int | None = None,
        client_max_fields: int | None = None,
    ) -> Self:
        """Return a copy with some attributes replaced, for middlewares.

        Raises:
            RuntimeError: Some of the body was read already.
        """
        if self._body is not None or self.encoded_content.is_touched():
            raise RuntimeError("a request cannot be cloned once its body has been read")
        raw_headers = self._raw_headers
        if headers is not None:
            raw_headers = [
                (name.encode(), value.encode("utf-8", "surrogateescape"))
                for name, value in headers.items()
            ]
        copy = type(self)(
            method or self.method,
            self._target if rel_url is None else str(URL(rel_url)),
            self.version,
            raw_headers,
            self._content,
            self._exchange,
        )
        copy._body_length = self._body_length
        copy._take_over(self)
        copy._scheme = scheme or self._scheme
        copy._host = host or self._host
        copy._remote = remote or self._remote
        copy._client_max_size = (
            self._client_max_size if client_max_size is None else client_max_size
        )
        copy._client_max_fields = (
            self._client_max_fields if client_max_fields is None else client_max_fields
        )
        return copy

    def _take_over(self, original: Self) -> None:
        """Take over the state of the request of which this is a clone."""
        self._cloned_from = original
        self._values = None if original._values is None else dict(original._values)
        self._matched = original._matched
        self._expects_continue = original._expects_continue
        self._prepare_hook = original._prepare_hook
        self._compression = original._compression

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.encoded_path}>"
