"""A response as a test sees it."""

import json as json_module
from collections.abc import Callable, Mapping
from email.message import Message
from email.utils import collapse_rfc2231_value
from functools import cached_property
from http.cookies import SimpleCookie
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, final

from multidict import CIMultiDictProxy
from yarl import URL

from headrace.http_parser import Response

from ._cookies import parse_set_cookies
from ._errors import ClientResponseError
from ._report import describe
from ._request import Pair, RequestInfo, SentRequest, decoded
from ._stream import StreamReader

__all__ = ["ClientResponse"]


class ContentDisposition(NamedTuple):
    """What a Content-Disposition says (RFC 6266): aiohttp's name for it.

    Attributes:
        type: ``"attachment"`` or ``"inline"``, say; None when it is empty.
        parameters: All parameters, decoded, under names without the asterisk of RFC 8187.
        filename: The filename, None when there is none.
    """

    type: str | None
    parameters: Mapping[str, str]
    filename: str | None


class Exchange(Protocol):
    """What the connection does for a response that is not read to its end."""

    def abandon(self) -> None:
        """Close the connection, for the rest of the body is not wanted."""
        ...


@final
class ClientResponse:
    """A response; its body is read on demand.

    Use it as ``resp = await client.get(...)`` or ``async with client.get(...) as resp:``, which
    releases it at the end. ``str(resp)`` shows the whole exchange: the heads of request and
    response and the beginning of the bodies.

    Attributes:
        status: The status code.
        reason: The reason phrase.
        version: The HTTP version, as ``(1, 1)``.
        raw_headers: The headers as pairs of bytes, in the order and case of the wire.
        request: What was sent: method, URL, headers, body.
        history: The redirects that led here, oldest first.
        informational: The interim responses before this one, as (status, headers) pairs.
        content: The body as a stream.
        trailers: The trailer fields as pairs of bytes, once the body is read.
    """

    history: "tuple[ClientResponse, ...]" = ()
    informational: tuple[tuple[int, CIMultiDictProxy[str]], ...] = ()
    trailers: tuple[Pair, ...] = ()
    _body: bytes | None = None
    _closed = False

    def __init__(
        self,
        request: SentRequest,
        head: Response,
        content: StreamReader | bytes,
        exchange: Exchange,
    ) -> None:
        self.request = request
        self.status = head.status
        self._head = head
        # A body that came with the head needs a stream only if somebody asks for one.
        self._content = content
        self._exchange = exchange

    # The head

    @property
    def reason(self) -> str:
        """The reason phrase."""
        return self._head.reason.decode("latin-1")

    @property
    def version(self) -> tuple[int, int]:
        """The HTTP version, as ``(1, 1)``."""
        return self._head.version

    @property
    def method(self) -> str:
        """The method of the request that was answered."""
        return self.request.method

    @property
    def url(self) -> URL:
        """The URL that was answered, without its fragment."""
        url = self.request.url
        return url.with_fragment(None) if url.raw_fragment else url

    @property
    def real_url(self) -> URL:
        """The URL that was answered, with its fragment."""
        return self.request.url

    @property
    def host(self) -> str | None:
        """The host that was asked."""
        return self.request.url.host

    @property
    def request_info(self) -> RequestInfo:
        """What was asked, as aiohttp presents it."""
        request = self.request
        return RequestInfo(self.url, request.method, request.headers, request.url)

    @property
    def raw_headers(self) -> tuple[Pair, ...]:
        """The headers as pairs of bytes."""
        return tuple(self._head.headers)

    @cached_property
    def headers(self) -> CIMultiDictProxy[str]:
        """The headers; looking up a name ignores its case."""
        return decoded(self._head.headers)

    @cached_property
    def cookies(self) -> SimpleCookie:
        """The cookies which this response sets."""
        return parse_set_cookies(self.headers.getall("Set-Cookie", ()))

    @property
    def ok(self) -> bool:
        """Tell whether the status is below 400."""
        return self.status < 400

    @property
    def content_type(self) -> str:
        """The media type, in lower case and without parameters."""
        return self._content_type.get_content_type()

    @property
    def charset(self) -> str | None:
        """The charset parameter of the Content-Type."""
        return self._content_type.get_content_charset()

    @property
    def content_length(self) -> int | None:
        """The Content-Length, None when there is none."""
        length = self.headers.get("Content-Length")
        return None if length is None else int(length)

    @property
    def content_disposition(self) -> ContentDisposition | None:
        """The Content-Disposition, None when there is none."""
        value = self.headers.get("Content-Disposition")
        if value is None:
            return None
        return _disposition(value)

    @cached_property
    def _content_type(self) -> Message:
        message = Message()
        message["Content-Type"] = self.headers.get("Content-Type", "application/octet-stream")
        return message

    def get_encoding(self) -> str:
        """Return the encoding of the text: the charset, or UTF-8."""
        return self.charset or "utf-8"

    # The body

    @property
    def content(self) -> StreamReader:
        """The body as a stream."""
        content = self._content
        if isinstance(content, bytes):
            content = self._content = StreamReader.arrived(content)
        return content

    async def read(self) -> bytes:
        """Return the whole body; it is kept for further calls.

        Raises:
            ClientPayloadError: when the body is cut short or malformed.
            ResponseTimeoutError: when the server is silent for the time-out of the request.
        """
        if self._body is None:
            content = self._content
            if isinstance(content, bytes):
                self._body, self._content = content, b""
            else:
                self._body = await content.read()
        return self._body

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """Return the body as text.

        Args:
            encoding: The encoding; that of `get_encoding` when None.
            errors: What to do with bytes that cannot be decoded, as ``bytes.decode`` has it.
        """
        return (await self.read()).decode(encoding or self.get_encoding(), errors)

    async def json(
        self,
        *,
        encoding: str | None = None,
        loads: Callable[[str], Any] = json_module.loads,
        content_type: str | None = "application/json",
    ) -> Any:
        """Return the body decoded as JSON, None when it is empty.

        Raises:
            ClientResponseError: if the media type is neither *content_type* nor, where that is
                the default, ``application/<something>+json``. None turns the check off.
        """
        if content_type is not None and not self._is(content_type):
            await self.read()
            raise ClientResponseError(
                f"the body is {self.content_type}, not {content_type}\n\n{self}",
                status=self.status,
            )
        text = (await self.text(encoding)).strip()
        return loads(text) if text else None

    def _is(self, content_type: str) -> bool:
        ours = self.content_type
        if content_type == "application/json":
            return ours == content_type or (
                ours.startswith("application/") and ours.endswith("+json")
            )
        return content_type in ours

    def raise_for_status(self) -> None:
        """Raise `ClientResponseError`, showing the exchange, if the status is 400 or above."""
        if not self.ok:
            raise ClientResponseError(f"status {self.status}\n\n{self}", status=self.status)

    # The end

    @property
    def closed(self) -> bool:
        """Tell whether the response was released or its body has arrived."""
        content = self._content
        return self._closed or isinstance(content, bytes) or content.is_eof()

    def release(self) -> "_Released":
        """Give the connection back; it is closed when the body has not arrived whole.

        The result may be awaited, for those used to it.
        """
        if not self.closed:
            self._closed = True
            self._exchange.abandon()
        return _Released()

    def close(self) -> None:
        """Give the connection back, as `release`."""
        self.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return (
            f"<ClientResponse {self.method} {self.url.raw_path_qs} -> {self.status} {self.reason}>"
        )

    def __str__(self) -> str:
        """Return the exchange: both heads and the beginning of the bodies."""
        return describe(
            self.request,
            (self.version, self.status, self.reason),
            self._head.headers,
            self.content.peek(_SHOWN) if self._body is None else self._body,
        )


_SHOWN = 2048


def _disposition(value: str) -> ContentDisposition:
    message = Message()
    message["Content-Disposition"] = value
    parameters: dict[str, str] = {}
    # What is encoded comes as a tuple, of which the stubs know nothing.
    pairs: Any = message.get_params([], "content-disposition")[1:]
    for name, text in pairs:
        # RFC 6266 §4.3: what is encoded takes precedence.
        if isinstance(text, tuple) or name not in parameters:
            parameters[name] = collapse_rfc2231_value(text)
    return ContentDisposition(
        message.get_content_disposition() or None, parameters, parameters.get("filename")
    )


@final
class _Released:
    def __await__(self) -> Any:
        return iter(())
