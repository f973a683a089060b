"""From the arguments of ``client.get(...)`` to what is sent."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias, TypedDict, final

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from headrace.http_parser import Request

from ._cookies import Cookies
from ._faults import Faults
from ._pairs import items_of

__all__ = ["RequestInfo", "RequestOptions", "SentRequest"]

Pair: TypeAlias = tuple[bytes, bytes]
Pairs: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
Query: TypeAlias = (
    str
    | Mapping[str, str | int | float | Sequence[str | int | float]]
    | Sequence[tuple[str, str | int | float]]
)


class Auth(Protocol):
    """Credentials that know their header value, such as aiohttp's BasicAuth."""

    def encode(self) -> str:
        """Return the value of Authorization."""
        ...


class RequestOptions(TypedDict, total=False):
    """The keyword arguments of a request; `TestClient.request` explains them."""

    params: Query | None
    data: object
    json: object
    headers: Pairs | None
    skip_auto_headers: Iterable[str]
    cookies: Cookies | None
    auth: tuple[str, str] | Auth | None
    allow_redirects: bool
    max_redirects: int
    chunked: bool
    expect100: bool
    timeout: float | None
    raise_for_status: bool
    raise_handler_errors: bool
    auto_decompress: bool
    faults: Faults | None
    version: tuple[int, int]


class RequestInfo(NamedTuple):
    """What was asked; aiohttp's name for it."""

    url: URL
    method: str
    headers: CIMultiDictProxy[str]
    real_url: URL


@final
class SentRequest:
    """A request as it was sent.

    Attributes:
        method: The method.
        url: The URL, with the fragment.
        pairs: The headers as bytes, in the order they were sent.
        body: The body; None when there was none or it was streamed.
        event: The head as `headrace.http_parser` has it.
    """

    __slots__ = ("body", "event", "method", "pairs", "streamed", "target", "url", "version")

    def __init__(
        self,
        method: str,
        url: URL,
        pairs: Iterable[Pair],
        body: bytes | None,
        *,
        streamed: bool = False,
        version: tuple[int, int] = (1, 1),
    ) -> None:
        self.method = method
        self.url = url
        self.target = target_of(method, url)
        self.pairs = tuple(pairs)
        self.body = body
        self.streamed = streamed
        self.version = version
        self.event = Request(method.encode(), self.target, self.pairs, version)

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The headers as text."""
        return decoded(self.pairs)

    def __repr__(self) -> str:
        return f"<SentRequest {self.method} {self.url}>"


def target_of(method: str, url: URL) -> bytes:
    """Return the request target (RFC 9112 §3.2) in origin, authority or asterisk form."""
    if method == "CONNECT":
        return url.raw_authority.encode()
    if method == "OPTIONS" and url.raw_path == "/*":
        return b"*"
    return url.raw_path_qs.encode()


def decoded(pairs: Iterable[Pair]) -> CIMultiDictProxy[str]:
    """Return *pairs* as a case-insensitive view; bytes that are not UTF-8 become surrogates."""
    return CIMultiDictProxy(
        CIMultiDict(
            [
                (n.decode("utf-8", "surrogateescape"), v.decode("utf-8", "surrogateescape"))
                for n, v in pairs
            ]
        )
    )


def encoded(pairs: Pairs) -> list[Pair]:
    """Return *pairs* as bytes, as UTF-8."""
    return [
        (name.encode("utf-8", "surrogateescape"), str(value).encode("utf-8", "surrogateescape"))
        for name, value in items_of(pairs)
    ]


def authorization(auth: tuple[str, str] | Auth) -> str:
    """Return the value of Authorization for a user and a password (RFC 7617)."""
    if not isinstance(auth, tuple):
        return auth.encode()
    user, password = auth[:2]
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
