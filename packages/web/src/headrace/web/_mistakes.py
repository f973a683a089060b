"""What handlers do wrong, and what there is to do about it: the errors that the log shows.

Clients get a 500 that tells nothing of it; in debug mode the page shows the same sentence.
"""

from __future__ import annotations

import inspect
from typing import Any

from ._request import BaseRequest
from ._stream_response import StreamResponse

#: What to say about values of a type, the first that fits.
_HINTS: tuple[tuple[Any, str], ...] = (
    (type(None), "is a return statement missing?"),
    (str, "return web.Response(text=...)"),
    (bytes | bytearray | memoryview, "return web.Response(body=...)"),
    (dict | list, "return web.json_response(...)"),
)


def not_a_response(value: object, request: BaseRequest) -> TypeError:
    """Return the error for a handler that returned something else than a response."""
    if inspect.iscoroutine(value):
        value.close()  # lest Python complains about it too
        hint = "is an await missing?"
    elif isinstance(value, type) and issubclass(value, StreamResponse):
        hint = f"return an instance, {value.__name__}(...)"
    else:
        hint = next((hint for kind, hint in _HINTS if isinstance(value, kind)), "return a response")
    shown = repr(value)
    shown = shown if len(shown) <= 100 else f"{shown[:100]}..."
    return TypeError(f"{_who(request)} returned {shown}, which is no response: {hint}")


def _who(request: BaseRequest) -> str:
    """Name the handler that serves a request; its route goes by the handler's name."""
    route: Any = None if request._matched is None else request._matched.value
    name = getattr(route, "__qualname__", None)
    if name is None:
        return "the handler"
    alone = route.chain is route.handler
    return f"the handler {route.__module__}.{name}" + (
        "" if alone else ", or a middleware around it,"
    )


def sent_before() -> RuntimeError:
    """Return the error for a response that was sent to another request."""
    return RuntimeError(
        "the response was sent before, to another request: make a new one for each request"
    )


def answered_before() -> RuntimeError:
    """Return the error for a second response to one request."""
    return RuntimeError(
        "another response was sent to this request before: "
        "prepare one response only, and return that one"
    )


def explain_late(error: BaseException) -> None:
    """Add to an HTTP exception that came after the head of an answer what became of it."""
    error.add_note(
        "It came after the head of another response was sent, so that the client cannot get it: "
        "the connection is cut. Raise or return it before prepare()."
    )
