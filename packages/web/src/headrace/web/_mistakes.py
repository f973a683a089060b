"""What handlers do wrong, and what there is to do about it: the errors that the log shows.

Clients get a 500 that tells nothing of it; in debug mode the page shows the same sentence.
"""

from __future__ import annotations

import inspect
import re
import traceback
from typing import Any

from ._request import BaseRequest
from ._response import Response
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


def explain_none(error: BaseException, request: BaseRequest) -> None:
    """Add to an error about None in a middleware that the handler may have returned none."""
    missing = re.fullmatch(r"'NoneType' object has no attribute '(\w+)'", str(error))
    route: Any = None if request._matched is None else request._matched.value
    if missing is None or route is None or not hasattr(Response, missing[1]):
        return
    ran = {frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)}
    if ran.isdisjoint(_codes(route.handler)):
        error.add_note(f"If {_who(request)} returned this None: is a return statement missing?")


def _codes(handler: Any) -> set[Any]:
    """Return the code of a handler, whose frame is there as long as it has not returned."""
    functions = vars(handler).values() if isinstance(handler, type) else [handler]
    return {getattr(function, "__code__", None) for function in functions}


def sent_before(response: StreamResponse) -> RuntimeError:
    """Return the error for a response that was sent to another request."""
    what, make = "response", "make a new one"
    if isinstance(response, Exception):
        name = type(response).__name__
        what, make = name, f"raise a new one, {name}(...),"
    return RuntimeError(f"the {what} was sent before, to another request: {make} for each request")


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
