"""The HTTP exceptions: answers that may be returned or raised, one class per status.

The family is a table: a class differs from its base in its status and no more, but for the few
whose constructors take what their answer must say (`HTTPMove`, 405, 413, 451).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TypedDict, Unpack

from yarl import URL

import headrace.web._headers as hdrs

from ._response import Response
from ._stream_response import LooseHeaders


class CommonArguments(TypedDict, total=False):
    """The keywords of every `HTTPException`."""

    headers: LooseHeaders | None
    reason: str | None
    body: bytes | None
    text: str | None
    content_type: str | None


class HTTPException(Response, Exception):
    """An answer that can be raised.

    Args:
        headers: Fields to send beside the default ones.
        reason: The reason phrase; the standard one when None.
        body: The body in bytes.
        text: The body as text; ``"404: Not Found"`` and the like when neither is given.
        content_type: The media type of the body.
    """

    status_code: int = -1
    empty_body = False
    #: Whether the framework made it and may render it in the form that the client accepts.
    of_framework = False

    def __init__(
        self,
        *,
        headers: LooseHeaders | None = None,
        reason: str | None = None,
        body: bytes | None = None,
        text: str | None = None,
        content_type: str | None = None,
    ) -> None:
        if self.status_code < 0:
            raise TypeError(f"{type(self).__name__} has no status: use one of its subclasses")
        Response.__init__(
            self,
            status=self.status_code,
            headers=headers,
            reason=reason,
            body=body,
            text=text,
            content_type=content_type,
        )
        Exception.__init__(self, self.reason)
        if self._body is None and not self.empty_body:
            self.text = f"{self.status}: {self.reason}"

    def __reduce__(self) -> Any:
        return (_restore, (type(self), self.__dict__))

    __repr__ = Response.__repr__


def _restore(cls: type[HTTPException], state: dict[str, Any]) -> HTTPException:
    exception = cls.__new__(cls)
    exception.__dict__.update(state)
    exception.args = (exception.reason,)
    return exception


def framework_answer(status: int, **kwargs: Any) -> HTTPException:
    """Return the exception for a status, to be rendered as the client accepts it."""
    exception = BY_STATUS[status](**kwargs)
    exception.of_framework = True
    return exception


class HTTPError(HTTPException):
    """Base of the 4xx and 5xx answers."""


class HTTPSuccessful(HTTPException):
    """Base of the 2xx answers."""


class HTTPOk(HTTPSuccessful):
    status_code = 200


class HTTPCreated(HTTPSuccessful):
    status_code = 201


class HTTPAccepted(HTTPSuccessful):
    status_code = 202


class HTTPNonAuthoritativeInformation(HTTPSuccessful):
    status_code = 203


class HTTPNoContent(HTTPSuccessful):
    status_code = 204
    empty_body = True


class HTTPResetContent(HTTPSuccessful):
    status_code = 205
    empty_body = True


class HTTPPartialContent(HTTPSuccessful):
    status_code = 206


class HTTPRedirection(HTTPException):
    """Base of the 3xx answers."""


class HTTPNotModified(HTTPRedirection):
    status_code = 304
    empty_body = True


def _is_plain(location: str | URL) -> bool:
    return isinstance(location, str) and re.fullmatch(r"[!-~]+", location) is not None


def _shown(url: URL) -> str:
    """Return a URL as text; one without a host does not look as if it had one.

    A path that begins with two slashes, as a client may have sent it and ``request.rel_url`` tells
    it, would be taken for a host: a dot before it keeps it a path (RFC 3986, section 4.2).
    """
    if url.raw_host is None and url.raw_path.startswith("//"):
        fragment = f"#{url.raw_fragment}" if url.raw_fragment else ""
        return f"/.{url.raw_path_qs}{fragment}"
    return str(url)


class HTTPMove(HTTPRedirection):
    """Base of the redirections to another location.

    Raises:
        ValueError: *location* is empty or None.
    """

    def __init__(
        self,
        location: str | URL,
        *,
        headers: LooseHeaders | None = None,
        reason: str | None = None,
        body: bytes | None = None,
        text: str | None = None,
        content_type: str | None = None,
    ) -> None:
        if not location:
            raise ValueError("HTTP redirects need a location to redirect to")
        super().__init__(
            headers=headers, reason=reason, body=body, text=text, content_type=content_type
        )
        # An ASCII location goes out as it was given; anything else is quoted.
        plain = _is_plain(location)
        self._location = URL(location, encoded=plain)
        text = str(location) if plain else _shown(self._location)
        # No URL has a backslash, and browsers read it as a slash.
        self.headers[hdrs.LOCATION] = text.replace("\\", "%5C")

    @property
    def location(self) -> URL:
        """Where the client is sent."""
        return self._location


class HTTPMultipleChoices(HTTPMove):
    status_code = 300


class HTTPMovedPermanently(HTTPMove):
    status_code = 301


class HTTPFound(HTTPMove):
    status_code = 302


class HTTPSeeOther(HTTPMove):
    status_code = 303


class HTTPUseProxy(HTTPMove):
    status_code = 305


class HTTPTemporaryRedirect(HTTPMove):
    status_code = 307


class HTTPPermanentRedirect(HTTPMove):
    status_code = 308


class HTTPClientError(HTTPError):
    """Base of the 4xx answers: the client's fault."""


class HTTPBadRequest(HTTPClientError):
    status_code = 400


class HTTPUnauthorized(HTTPClientError):
    status_code = 401


class HTTPPaymentRequired(HTTPClientError):
    status_code = 402


class HTTPForbidden(HTTPClientError):
    status_code = 403


class HTTPNotFound(HTTPClientError):
    status_code = 404


class HTTPMethodNotAllowed(HTTPClientError):
    """The path exists, the method does not; `allowed_methods` go into Allow."""

    status_code = 405

    def __init__(
        self,
        method: str,
        allowed_methods: Iterable[str],
        *,
        headers: LooseHeaders | None = None,
        reason: str | None = None,
        body: bytes | None = None,
        text: str | None = None,
        content_type: str | None = None,
    ) -> None:
        super().__init__(
            headers=headers, reason=reason, body=body, text=text, content_type=content_type
        )
        self.method: Final = method.upper()
        self.allowed_methods: Final = set(allowed_methods)
        self.headers[hdrs.ALLOW] = ",".join(sorted(self.allowed_methods))


class HTTPNotAcceptable(HTTPClientError):
    status_code = 406


class HTTPProxyAuthenticationRequired(HTTPClientError):
    status_code = 407


class HTTPRequestTimeout(HTTPClientError):
    status_code = 408


class HTTPConflict(HTTPClientError):
    status_code = 409


class HTTPGone(HTTPClientError):
    status_code = 410


class HTTPLengthRequired(HTTPClientError):
    status_code = 411


class HTTPPreconditionFailed(HTTPClientError):
    status_code = 412


class HTTPRequestEntityTooLarge(HTTPClientError):
    """The body is too large; both sizes are in bytes and, where given, told in the text."""

    status_code = 413

    def __init__(
        self,
        max_size: float | None = None,
        actual_size: float | None = None,
        **common: Unpack[CommonArguments],
    ) -> None:
        if max_size is not None and common.get("body") is None:
            actual = f", actual body size {actual_size}" if actual_size is not None else ""
            common.setdefault("text", f"Maximum request body size {max_size} exceeded{actual}")
        super().__init__(**common)


class HTTPRequestURITooLong(HTTPClientError):
    status_code = 414


class HTTPUnsupportedMediaType(HTTPClientError):
    status_code = 415


class HTTPRequestRangeNotSatisfiable(HTTPClientError):
    status_code = 416


class HTTPExpectationFailed(HTTPClientError):
    status_code = 417


class HTTPImATeapot(HTTPClientError):
    status_code = 418


class HTTPMisdirectedRequest(HTTPClientError):
    status_code = 421


class HTTPUnprocessableEntity(HTTPClientError):
    status_code = 422


class HTTPLocked(HTTPClientError):
    status_code = 423


class HTTPFailedDependency(HTTPClientError):
    status_code = 424


class HTTPTooEarly(HTTPClientError):
    status_code = 425


class HTTPUpgradeRequired(HTTPClientError):
    status_code = 426


class HTTPPreconditionRequired(HTTPClientError):
    status_code = 428


class HTTPTooManyRequests(HTTPClientError):
    status_code = 429


class HTTPRequestHeaderFieldsTooLarge(HTTPClientError):
    status_code = 431


class HTTPUnavailableForLegalReasons(HTTPClientError):
    """Blocked by law; *link* names who blocks (RFC 7725)."""

    status_code = 451

    def __init__(self, link: str | URL | None, **common: Unpack[CommonArguments]) -> None:
        super().__init__(**common)
        self._link = URL(link) if link else None
        if self._link is not None:
            self.headers[hdrs.LINK] = f'<{self._link}>; rel="blocked-by"'

    @property
    def link(self) -> URL | None:
        """Who blocks the resource."""
        return self._link


class HTTPServerError(HTTPError):
    """Base of the 5xx answers: the server's fault."""


class HTTPInternalServerError(HTTPServerError):
    status_code = 500


class HTTPNotImplemented(HTTPServerError):
    status_code = 501


class HTTPBadGateway(HTTPServerError):
    status_code = 502


class HTTPServiceUnavailable(HTTPServerError):
    status_code = 503


class HTTPGatewayTimeout(HTTPServerError):
    status_code = 504


class HTTPVersionNotSupported(HTTPServerError):
    status_code = 505


class HTTPVariantAlsoNegotiates(HTTPServerError):
    status_code = 506


class HTTPInsufficientStorage(HTTPServerError):
    status_code = 507


class HTTPLoopDetected(HTTPServerError):
    status_code = 508


class HTTPNotExtended(HTTPServerError):
    status_code = 510


class HTTPNetworkAuthenticationRequired(HTTPServerError):
    status_code = 511


def _concrete(cls: type[HTTPException]) -> Iterable[type[HTTPException]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _concrete(subclass)


#: The class of each status that has one.
BY_STATUS: Final[dict[int, type[HTTPException]]] = {
    cls.status_code: cls for cls in _concrete(HTTPException) if cls.status_code > 0
}
