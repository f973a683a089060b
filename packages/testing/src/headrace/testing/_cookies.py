"""The cookies of a client: what servers have set, and what to send back.

RFC 6265 §5, as much of it as a test meets: host-only and domain cookies, paths, Secure, Max-Age
and Expires (by the test's clock). Public suffixes are not known, and cookies for IP addresses
are kept, for a test server has no name.
"""

import email.utils
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any, NamedTuple, TypeAlias, final

from yarl import URL

from ._pairs import items_of

__all__ = ["CookieJar", "parse_set_cookies"]

# As http.cookies and aiohttp have it: a value is text or a Morsel.
CookieValue: TypeAlias = str | Morsel[str]
Cookies: TypeAlias = Mapping[str, CookieValue] | Iterable[tuple[str, CookieValue]]


class _Stored(NamedTuple):
    morsel: "Morsel[str]"
    host_only: bool
    expires: float | None


@final
class CookieJar:
    """The cookies a client keeps; ``client.cookies`` is one.

    It iterates over the cookies as Morsels, `filter_cookies` gives those for one URL.
    """

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._stored: dict[tuple[str, str, str], _Stored] = {}

    def __len__(self) -> int:
        """Return the number of cookies that have not expired."""
        return sum(1 for _ in self)

    def __iter__(self) -> "Iterator[Morsel[str]]":
        """Iterate over the cookies that have not expired."""
        self._expire()
        return iter([stored.morsel for stored in self._stored.values()])

    def __bool__(self) -> bool:
        """Tell whether there is any cookie."""
        return bool(self._stored)

    def clear(self) -> None:
        """Forget all cookies."""
        self._stored.clear()

    def update_cookies(self, cookies: Cookies, response_url: URL | None = None) -> None:
        """Store *cookies* as if *response_url* had set them; None: for every host and path."""
        url = response_url or URL()
        for name, value in items_of(cookies):
            if not isinstance(value, Morsel):
                made: SimpleCookie = SimpleCookie()
                made[name] = value
                value = made[name]
            self._store(value, url)

    def filter_cookies(self, url: URL) -> SimpleCookie:
        """Return the cookies that a request to *url* carries, longest path first."""
        self._expire()
        chosen: SimpleCookie = SimpleCookie()
        by_path = sorted(self._stored.items(), key=lambda item: -len(item[0][1]))
        for (domain, path, name), stored in by_path:
            if name not in chosen and self._matches(stored, domain, path, url):
                dict.__setitem__(chosen, name, stored.morsel)
        return chosen

    def _matches(self, stored: _Stored, domain: str, path: str, url: URL) -> bool:
        host = url.raw_host or ""
        if stored.morsel["secure"] and url.scheme not in {"https", "wss"}:
            return False
        if domain and host != domain and (stored.host_only or not _is_subdomain(host, domain)):
            return False
        return _path_matches(url.raw_path, path)

    def _store(self, morsel: "Morsel[str]", url: URL) -> None:
        host = url.raw_host or ""
        domain = morsel["domain"].lstrip(".").lower()
        if domain and host and domain != host and not _is_subdomain(host, domain):
            return  # RFC 6265 §5.3 step 6: a server may not set cookies for others.
        path = morsel["path"]
        if not path.startswith("/"):
            path = _default_path(url.raw_path)
        stored = _Stored(morsel, not domain, self._expiry(morsel))
        self._stored[domain or host, path, morsel.key] = stored
        self._expire()

    def _expiry(self, morsel: "Morsel[str]") -> float | None:
        if morsel["max-age"]:
            try:
                return self._time() + int(morsel["max-age"])
            except ValueError:
                return None
        if morsel["expires"]:
            parsed = email.utils.parsedate_tz(morsel["expires"].replace("-", " "))
            return None if parsed is None else float(email.utils.mktime_tz(parsed))
        return None

    def _expire(self) -> None:
        now = self._time()
        for key, stored in list(self._stored.items()):
            if stored.expires is not None and stored.expires <= now:
                del self._stored[key]


def parse_set_cookies(values: Iterable[str]) -> SimpleCookie:
    """Return the cookies of Set-Cookie values; those that are malformed are left out."""
    cookies: SimpleCookie = SimpleCookie()
    for value in values:
        try:
            cookies.load(value)
        except CookieError:
            continue
    return cookies


def cookie_header(cookies: "Mapping[str, Morsel[str]]") -> str:
    """Return the value of a Cookie header."""
    return "; ".join(f"{name}={_value(morsel)}" for name, morsel in cookies.items())


def _value(morsel: "Morsel[Any]") -> str:
    return str(morsel.coded_value)


def _is_subdomain(host: str, domain: str) -> bool:
    return host.endswith("." + domain) and not host.replace(".", "").isdigit()


def _default_path(path: str) -> str:
    # RFC 6265 §5.1.4
    return path.rpartition("/")[0] or "/"


def _path_matches(request_path: str, path: str) -> bool:
    # RFC 6265 §5.1.4
    return (
        path == "/"
        or request_path == path
        or request_path.startswith(path if path.endswith("/") else path + "/")
    )
