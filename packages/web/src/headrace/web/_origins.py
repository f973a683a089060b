"""Which pages may open a WebSocket: those of the same origin, and those that are named.

Browsers let a page open WebSockets to any server, and send the visitor's cookies along, but
they tell the page's origin (RFC 6455, section 10.2). Other clients send none, and are let in.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Final, final

Origins = Iterable[str] | Callable[[str], bool]

_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def _normal(origin: str) -> str:
    """Return an origin as browsers write it: in lower case, without the default port."""
    origin = origin.lower()
    scheme, _, host = origin.partition("://")
    port = _DEFAULT_PORTS.get(scheme)
    return f"{scheme}://{host.removesuffix(port)}" if port else origin


def make_judge(origins: Origins) -> Callable[[str], bool]:
    """Return what tells of an origin of another site whether it is let in.

    Raises:
        TypeError: *origins* is a single str, which would be taken letter by letter.
    """
    if isinstance(origins, str):
        raise TypeError("origins is an iterable of str or a callable, not a str")
    if callable(origins):
        return origins
    named = frozenset(map(_normal, origins))
    return (lambda origin: True) if "*" in named else lambda origin: _normal(origin) in named


@final
class Welcome(Container[str | None]):
    """The origins from which one request is let in.

    Args:
        host: The Host of the request.
        is_friend: Judges the origins of other sites.
    """

    __slots__ = ("_host", "_is_friend")

    def __init__(self, host: str, is_friend: Callable[[str], bool]) -> None:
        self._host = host
        self._is_friend = is_friend

    def __contains__(self, origin: object) -> bool:
        """Tell whether the value of Origin, None where there is none, is let in.

        The scheme is not compared: behind a proxy that ends TLS it is not the server's own.
        """
        if not isinstance(origin, str):
            return True
        scheme, found, _ = origin.partition("://")
        own = bool(found) and _normal(origin) == _normal(f"{scheme}://{self._host}")
        return own or self._is_friend(origin)
