"""Handlers and middlewares of both dialects, brought into one shape and composed.

The one shape is a `Handler`: it takes a request and returns an awaitable of a response.
Composition happens when the application starts, once per route; only the guide's middleware
factories, which are awaited for each request by definition, cost anything per request.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import partial, update_wrapper
from typing import Any, TypeVar

from ._request import BaseRequest, Request
from ._response import StreamResponse

Handler = Callable[[Request], Awaitable[StreamResponse]]
#: What users may register: a coroutine function, a plain function, or a class-based view.
AnyHandler = Callable[..., Any]
Middleware = Callable[[Request, Handler], Awaitable[StreamResponse]]
MiddlewareFactory = Callable[[Any, Handler], Awaitable[Handler]]
AnyMiddleware = Middleware | MiddlewareFactory

F = TypeVar("F", bound=Callable[..., Any])


def middleware(f: F) -> F:
    """Mark a coroutine function ``(request, handler)`` as a middleware."""
    f.__middleware_version__ = 1  # type: ignore[attr-defined]
    return f


def is_factory(f: AnyMiddleware) -> bool:
    """Tell the guide's factory ``(app, handler)`` from a middleware ``(request, handler)``.

    A middleware is marked with `middleware`, or names its first parameter ``request``, or
    annotates it with a request class.
    """
    if getattr(f, "__middleware_version__", 0) == 1:
        return False
    parameters = list(inspect.signature(f).parameters.values())
    if not parameters:
        raise TypeError(f"middleware {f!r} takes no arguments, expected (request, handler)")
    first = parameters[0]
    annotation = first.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseRequest):
        return False
    if isinstance(annotation, str) and annotation.rpartition(".")[2] in ("Request", "BaseRequest"):
        return False
    return first.name != "request"


def as_handler(f: AnyHandler) -> Handler:
    """Bring a coroutine function, a plain function or a view class into the one shape.

    A plain function runs on the event loop, in no thread: it must not block.
    """
    if inspect.iscoroutinefunction(f):
        return f

    async def handler(request: Request) -> StreamResponse:
        response = f(request)
        if inspect.isawaitable(response):
            response = await response
        return response  # type: ignore[no-any-return]

    return update_wrapper(handler, f) if hasattr(f, "__name__") else handler


def compose(handler: Handler, middlewares: Sequence[AnyMiddleware], app: Any) -> Handler:
    """Wrap *handler* into *middlewares*, the first of them outermost."""
    for link in reversed(middlewares):
        handler = _link_factory(link, app, handler) if is_factory(link) else _link(link, handler)
    return handler


def _link(f: AnyMiddleware, inner: Handler) -> Handler:
    second = list(inspect.signature(f).parameters)[1]
    link: Handler = partial(f, **{second: inner})  # type: ignore[assignment]
    return link


def _link_factory(factory: AnyMiddleware, app: Any, inner: Handler) -> Handler:
    async def handler(request: Request) -> StreamResponse:
        made: Any = await factory(app, inner)
        return await made(request)  # type: ignore[no-any-return]

    return handler
