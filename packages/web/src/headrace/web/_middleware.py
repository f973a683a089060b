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

from ._request import BaseRequest
from ._stream_response import StreamResponse

# That the request is a `Request` is said where that class stands, above all who call these.
Handler = Callable[[Any], Awaitable[StreamResponse]]
#: What users may register: a coroutine function, a plain function, or a class-based view.
AnyHandler = Callable[[Any], Awaitable[StreamResponse] | StreamResponse]
Middleware = Callable[[Any, Handler], Awaitable[StreamResponse]]
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
    return first.name != "request" and not _names_a_request(f, first.annotation)


def _names_a_request(f: AnyMiddleware, annotation: Any) -> bool:
    if isinstance(annotation, str):
        name = annotation.strip("'\"").rpartition(".")[2]
        annotation = getattr(inspect.unwrap(f), "__globals__", {}).get(name, name)
    if isinstance(annotation, type):
        return issubclass(annotation, BaseRequest)
    return annotation in ("Request", "BaseRequest")


def as_handler(f: AnyHandler) -> Handler:
    """Bring a coroutine function, a plain function or a view class into the one shape.

    A plain function runs on the event loop, in no thread: it must not block.
    """
    if inspect.iscoroutinefunction(f):
        return f

    async def handler(request: BaseRequest) -> StreamResponse:
        response = f(request)
        if inspect.isawaitable(response):
            response = await response
        return response

    return update_wrapper(handler, f) if hasattr(f, "__name__") else handler


def compose(handler: Handler, middlewares: Sequence[AnyMiddleware], app: Any) -> Handler:
    """Wrap *handler* into *middlewares*, the first of them outermost.

    What a middleware gets as its handler carries the attributes of *handler*: programs mark
    their handlers with them.
    """
    for link in reversed(middlewares):
        handler = _link_factory(link, app, handler) if is_factory(link) else _link(link, handler)
    return handler


def _link(f: AnyMiddleware, inner: Handler) -> Handler:
    middleware: Any = f
    parameters = list(inspect.signature(f, follow_wrapped=False).parameters.values())
    if len(parameters) < 2 and not any(each.kind is each.VAR_POSITIONAL for each in parameters):
        raise TypeError(f"middleware {f!r} takes too few arguments, expected (request, handler)")
    if len(parameters) > 1 and parameters[1].kind is inspect.Parameter.KEYWORD_ONLY:
        return update_wrapper(partial(middleware, **{parameters[1].name: inner}), inner)

    # A frame of its own costs half of what `partial` does with an argument by name.
    def link(request: BaseRequest) -> Awaitable[StreamResponse]:
        return middleware(request, inner)  # type: ignore[no-any-return]

    return update_wrapper(link, inner)


def _link_factory(factory: AnyMiddleware, app: Any, inner: Handler) -> Handler:
    async def handler(request: BaseRequest) -> StreamResponse:
        made: Any = await factory(app, inner)
        if not callable(made):
            raise TypeError(
                f"the middleware factory {factory!r} returned {made!r}, which is no handler: "
                "is a return statement missing?"
            )
        return await made(request)  # type: ignore[no-any-return]

    return update_wrapper(handler, inner)
