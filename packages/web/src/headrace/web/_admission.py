"""Who is let in, and what the others are told: limits in number, answered early with 503.

A limit that is off costs nothing: what counts requests stands around the handler only when
it is asked for.
"""

from __future__ import annotations

import ipaddress
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final, final

from ._exceptions import framework_answer
from ._request import BaseRequest
from ._service import Served, Service
from ._stream_response import StreamResponse

Serving = Callable[[Any], Awaitable[StreamResponse]]

#: Seconds in which a connection that is turned away must send its request and take its answer.
PATIENCE: Final = 5.0
#: Of the descriptors of the process: the share that connections may take, the share for those
#: that are turned away, and the rest is for files, databases and the like.
SHARE: Final = 0.8
CROWD_SHARE: Final = 0.1


if sys.platform == "win32":

    def descriptors() -> int:
        """Return 0: their number is not limited."""
        return 0

else:
    from resource import RLIMIT_NOFILE, getrlimit

    def descriptors() -> int:
        """Return how many descriptors the process may have; 0 when that is not limited."""
        soft, _ = getrlimit(RLIMIT_NOFILE)
        return max(soft, 0)  # -1 is infinity


async def turn_away(retry_after: int, request: BaseRequest) -> StreamResponse:
    """Answer 503, with the time after which the client may try again (RFC 9110, 10.2.3)."""
    raise framework_answer(503, headers={"Retry-After": str(retry_after)})


def client_of(peername: Any) -> bytes | None:
    """Return what tells clients apart: an IPv4 address, or the 64 bits of an IPv6 network.

    None for those that are not counted: of the same machine or a private network, where proxies
    stand, and of Unix sockets.
    """
    if not isinstance(peername, tuple):
        return None
    try:
        address = ipaddress.ip_address(peername[0].partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_private:
        return None
    return address.packed[:8]


@final
class Clients:
    """How many connections each client has."""

    __slots__ = ("_counts", "_limit", "_names")

    def __init__(self, limit: int) -> None:
        self._limit: Final = limit
        self._counts: Final[Counter[bytes]] = Counter()
        self._names: Final[dict[Served, bytes]] = {}

    def enter(self, connection: Served, peername: Any) -> bool:
        """Count a connection; return False for one that is one too many, and not counted."""
        name = client_of(peername)
        if name is None:
            return True
        if self._counts[name] >= self._limit:
            return False
        self._counts[name] += 1
        self._names[connection] = name
        return True

    def leave(self, connection: Served) -> None:
        """Forget a connection that was counted."""
        name = self._names.pop(connection, None)
        if name is None:
            return
        self._counts[name] -= 1
        if not self._counts[name]:
            del self._counts[name]


@final
class Crowd(Service):
    """Serves the connections that are too many: a 503 to the first request, then the end."""

    def __init__(self, limit: int, **settings: Any) -> None:
        settings |= dict.fromkeys(
            ("keepalive_timeout", "head_timeout", "lingering_time", "write_timeout"), PATIENCE
        )
        super().__init__(self._answer, **settings)
        self.closing = True
        self._limit = limit
        self.turned_away = 0

    async def _answer(self, request: BaseRequest) -> StreamResponse:
        return await turn_away(self.retry_after, request)

    def opened(self, connection: Served) -> Service:
        """Take a connection; beyond the limit it is closed without a word."""
        self.turned_away += 1
        self.accepting = len(self.connections) < self._limit
        return super().opened(connection)


def limit_concurrency(handler: Serving, limit: int, retry_after: int) -> Serving:
    """Let *handler* serve *limit* requests at a time; answer 503 to those beyond."""
    running = 0

    async def serve(request: BaseRequest) -> StreamResponse:
        nonlocal running
        running += 1
        try:
            return await handler(request)
        finally:
            running -= 1

    def admit(request: BaseRequest) -> Awaitable[StreamResponse]:
        return serve(request) if running < limit else turn_away(retry_after, request)

    return admit


def limit_connections(handler: Serving, limit: int) -> Serving:
    """End each connection with the answer to its request number *limit*."""

    def count(request: BaseRequest) -> Awaitable[StreamResponse]:
        exchange: Any = request._exchange
        exchange.count_request(limit)
        return handler(request)

    return count
