"""Private names of aiohttp.web that widely used add-ons for it read.

They stand here together, each with its reader, and derive what they tell from what headrace keeps
anyway. A program needs none of them. `RouteTableDef._items`, `ResourceRoute._handler` and
`StaticResource._routes`, which add-ons read too, are headrace's own names for the same things.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from ._streams import DONE, Exchange, lost_connection


class ResponseNames:
    """Names of a `StreamResponse`; aiohttp_sse and other subclasses of it read them."""

    if TYPE_CHECKING:
        _exchange: Exchange | None

    #: The request that a prepared stream answers, None before; responses that are known as a
    #: whole are sent without it.
    _req: Any = None

    @property
    def _payload_writer(self) -> Exchange | None:
        """What writes the body: `write`, `drain`, `transport`; None before the head."""
        return self._exchange


class InterimWriter:
    """Writes to the connection of a request, as a handler for Expect does before the answer."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def write(self, data: bytes) -> Awaitable[None]:
        """Write *data* as it is."""
        transport = self._exchange.transport
        if transport is None:
            raise lost_connection()
        transport.write(data)
        return DONE


class RequestNames:
    """Names of a `BaseRequest`."""

    if TYPE_CHECKING:
        _exchange: Exchange
        _body: bytes | None

        @property
        def can_read_body(self) -> bool: ...

    @property
    def protocol(self) -> Exchange:
        """The connection; aiohttp_sse asks whether its `transport` is None."""
        return self._exchange

    @property
    def writer(self) -> InterimWriter:
        """What handlers for Expect write a 100 to, as aiohttp's documentation has it."""
        return InterimWriter(self._exchange)

    @property
    def has_body(self) -> bool:
        """The old name of `BaseRequest.can_read_body`."""
        return self.can_read_body

    @property
    def _read_bytes(self) -> bytes | None:
        """The body, where it was read already; sentry_sdk attaches it to its reports."""
        return self._body


class ApplicationNames:
    """Names of an `Application`."""

    @property
    def _loop(self) -> asyncio.AbstractEventLoop | None:
        """The running event loop, None when no loop runs."""
        try:
            return asyncio.get_running_loop()
        except RuntimeError:
            return None
