"""Class-based views: one class for a resource, one method for each HTTP method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from inspect import isawaitable
from typing import Any, NoReturn

import headrace.web._headers as hdrs

from ._app import Request
from ._exceptions import HTTPMethodNotAllowed
from ._stream_response import StreamResponse


class AbstractView(ABC):
    """A class whose instances, made for a request, are awaited for its response."""

    def __init__(self, request: Request) -> None:
        self._request = request

    @property
    def request(self) -> Request:
        """The request."""
        return self._request

    @abstractmethod
    def __await__(self) -> Generator[Any, None, StreamResponse]:
        """Return the response."""


class View(AbstractView):
    """A view whose methods ``get``, ``post`` and so on, coroutines or not, serve the methods."""

    def __await__(self) -> Generator[Any, None, StreamResponse]:
        """Await the method for the request's method; the others get 405."""
        name = self.request.method
        method = getattr(self, name.lower(), None) if name in hdrs.METH_ALL else None
        if method is None:
            self._raise_allowed_methods()
        response = method()
        if isawaitable(response):
            response = yield from response.__await__()
        return response  # type: ignore[no-any-return]

    def _raise_allowed_methods(self) -> NoReturn:
        allowed = {name for name in hdrs.METH_ALL if hasattr(self, name.lower())}
        raise HTTPMethodNotAllowed(self.request.method, allowed)
