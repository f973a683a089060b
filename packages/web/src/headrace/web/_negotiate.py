"""One URL in several media types: which handler answers is decided by the client's Accept."""

from __future__ import annotations

from collections.abc import Mapping

import headrace.web._headers as hdrs

from ._accept import preferred
from ._app import Handler, Request
from ._exceptions import HTTPNotAcceptable
from ._middleware import AnyHandler, as_handler
from ._stream_response import StreamResponse


def by_accept(handlers: Mapping[str, AnyHandler]) -> Handler:
    """Return a handler that gives each request to the one whose media type it accepts best.

    Weights and wildcards count (RFC 9110, section 12.5.1). Of types that are wanted equally the
    first one is chosen, and it answers clients that send no Accept. Where none is acceptable the
    answer is 406 and lists the types. All answers get ``Vary: Accept``, for caches.

    Args:
        handlers: Media types, as ``"text/html"``, and the handlers that answer with them.

    Raises:
        ValueError: There is no handler, or a key is no media type.
    """
    wrong = [media for media in handlers if media.count("/") != 1 or "*" in media]
    if wrong or not handlers:
        raise ValueError(f"expected media types such as 'text/html' with handlers, not {wrong}")
    offers = {media.lower(): as_handler(handler) for media, handler in handlers.items()}
    order = tuple(offers)

    async def choose(request: Request) -> StreamResponse:
        hook = request._prepare_hook

        async def vary(response: StreamResponse) -> None:
            _add_accept(response)
            if hook is not None:
                await hook(response)

        request._prepare_hook = vary
        media = preferred(request.headers.getall(hdrs.ACCEPT, ()), order)
        if media is None:
            raise HTTPNotAcceptable(text=f"There is {', '.join(order)}.")
        return await offers[media](request)

    return choose


def _add_accept(response: StreamResponse) -> None:
    varies = response.headers.get(hdrs.VARY)
    if varies is None:
        response.headers[hdrs.VARY] = "Accept"
    elif "*" not in varies and "accept" not in [each.strip() for each in varies.lower().split(",")]:
        response.headers[hdrs.VARY] = f"{varies}, Accept"
