"""The headers of a request: the client's own, the caller's, and those of the body."""

from collections.abc import Iterable
from typing import final

from multidict import CIMultiDict
from yarl import URL

from ._body import Body
from ._request import Pair, Pairs, encoded

__all__ = ["HeaderPlan"]

_AUTOMATIC = (
    ("Accept", "*/*"),
    ("Accept-Encoding", "gzip, deflate"),
    ("User-Agent", "headrace-testing"),
)


@final
class HeaderPlan:
    """The headers which every request of a client begins with."""

    def __init__(self, headers: Pairs | None) -> None:
        self._client = CIMultiDict(headers or ())
        self._plain: dict[str, list[Pair]] = {}

    def pairs(
        self,
        url: URL,
        body: Body,
        headers: Pairs | None,
        extra: Iterable[tuple[str, str]],
        skip: Iterable[str],
    ) -> list[Pair]:
        """Return the pairs to send.

        Args:
            url: Where the request goes; gives Host.
            body: The body with the headers that describe it.
            headers: Those of the caller, which replace any of the same name.
            extra: Authorization and Cookie, as far as the caller gives none.
            skip: Names of automatic headers that are not wanted.
        """
        merged = self._merged(headers)
        skipped = {name.lower() for name in skip}
        for name, value in (*_AUTOMATIC, *extra, *body.headers):
            if name.lower() not in skipped:
                merged.setdefault(name, value)
        host = [] if "Host" in merged or "host" in skipped else [(b"Host", host_of(url))]
        return host + encoded(merged.items())

    def plain(self, url: URL) -> list[Pair]:
        """Return the pairs of a request to which nothing is added; they are kept."""
        authority = url.raw_authority
        pairs = self._plain.get(authority)
        if pairs is None:
            merged = self._client.copy()
            for name, value in _AUTOMATIC:
                merged.setdefault(name, value)
            host = [] if "Host" in merged else [(b"Host", host_of(url))]
            pairs = self._plain[authority] = host + encoded(merged.items())
        return pairs

    def _merged(self, headers: Pairs | None) -> CIMultiDict[str]:
        merged = self._client.copy()
        given = CIMultiDict(headers or ())
        for name in given:
            merged.popall(name, None)
        merged.extend(given)
        return merged


def host_of(url: URL) -> bytes:
    """Return the value of Host: the port is left out when it is the scheme's own."""
    host = url.host_subcomponent or ""
    port = "" if url.is_default_port() or url.explicit_port is None else f":{url.explicit_port}"
    return f"{host}{port}".encode()
