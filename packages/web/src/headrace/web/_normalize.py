"""A middleware that sends clients from almost-right paths to right ones."""

from __future__ import annotations

import re
from collections.abc import Callable

from ._app import Request
from ._exceptions import HTTPMove, HTTPPermanentRedirect
from ._middleware import Handler, Middleware, middleware
from ._stream_response import StreamResponse

_MERGE = re.compile("//+")


def normalize_path_middleware(
    *,
    append_slash: bool = True,
    remove_slash: bool = False,
    merge_slashes: bool = True,
    redirect_class: type[HTTPMove] = HTTPPermanentRedirect,
) -> Middleware:
    """Return a middleware that redirects where a variation of the path has a route.

    Only requests that no route matches are looked at. Variations are tried in this order:
    slashes merged; slash appended or removed; both. The query is kept.

    Raises:
        ValueError: Slashes are to be both appended and removed.
    """
    if append_slash and remove_slash:
        raise ValueError("cannot both remove and append a slash")
    variations: list[Callable[[str], str]] = []
    if merge_slashes:
        variations.append(_merge)
    if append_slash:
        variations.append(_append)
    if remove_slash:
        variations.append(_remove)
    if merge_slashes and append_slash:
        variations.append(lambda path: _append(_merge(path)))
    if merge_slashes and remove_slash:
        variations.append(lambda path: _remove(_merge(path)))

    @middleware
    async def normalize(request: Request, handler: Handler) -> StreamResponse:
        if request.match_info.http_exception is None:
            return await handler(request)
        path = request.encoded_path
        for vary in variations:
            # Never ``//host/...``: that would send the client to another host.
            target = "/" + vary(path).lstrip("/")
            if target != path and request.match_info.apps[0].resolves(request, target):
                query = request.raw_path.partition("?")[2]
                raise redirect_class(f"{target}?{query}" if query else target)
        return await handler(request)

    return normalize


def _merge(path: str) -> str:
    return _MERGE.sub("/", path)


def _append(path: str) -> str:
    return path if path.endswith("/") else path + "/"


def _remove(path: str) -> str:
    return path.removesuffix("/")
