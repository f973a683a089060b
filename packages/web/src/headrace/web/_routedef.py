"""Routes described apart from an application: ``web.get(...)`` and `RouteTableDef`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

import headrace.web._headers as hdrs

from ._dispatcher import Registrar
from ._middleware import AnyHandler
from ._routes import AbstractRoute

H = TypeVar("H", bound=AnyHandler)


@dataclass(frozen=True, slots=True, repr=False)
class RouteDef:
    """A route that is not added yet."""

    method: str
    path: str
    handler: AnyHandler
    kwargs: dict[str, Any] = field(default_factory=dict)

    def register(self, router: Registrar) -> list[AbstractRoute]:
        """Add the route to *router*; GET brings HEAD unless ``allow_head`` is False."""
        if self.method == hdrs.METH_GET:
            return [router.add_get(self.path, self.handler, **self.kwargs)]
        return [router.add_route(self.method, self.path, self.handler, **self.kwargs)]

    def __repr__(self) -> str:
        name = getattr(self.handler, "__name__", repr(self.handler))
        return f"<RouteDef {self.method} {self.path} -> {name!r}>"


@dataclass(frozen=True, slots=True, repr=False)
class StaticDef:
    """A directory that is not added yet."""

    prefix: str
    path: str | os.PathLike[str]
    kwargs: dict[str, Any] = field(default_factory=dict)

    def register(self, router: Registrar) -> list[AbstractRoute]:
        """Add the directory to *router*."""
        return list(router.add_static(self.prefix, self.path, **self.kwargs))

    def __repr__(self) -> str:
        return f"<StaticDef {self.prefix} -> {os.fspath(self.path)}>"


def static(prefix: str, path: str | os.PathLike[str], **kwargs: Any) -> StaticDef:
    """Describe a directory of files; the arguments are those of `UrlDispatcher.add_static`."""
    return StaticDef(prefix, path, kwargs)


def route(method: str, path: str, handler: AnyHandler, **kwargs: Any) -> RouteDef:
    """Describe a route; the arguments are those of `UrlDispatcher.add_route`."""
    return RouteDef(method, path, handler, kwargs)


def head(path: str, handler: AnyHandler, **kwargs: Any) -> RouteDef:
    """Describe a route for HEAD."""
    return route(hdrs.METH_HEAD, path, handler, **kwargs)


def options(path: str, handler: AnyHandler, **kwargs: Any) -> RouteDef:
    """Describe a route for OPTIONS."""
    return route(hdrs.METH_OPTIONS, path, handler, **kwargs)


def get(
    path: str,
    handler: AnyHandler,
    *,
    name: str | None = None,
    allow_head: bool = True,
    **kwargs: Any,
) -> RouteDef:
    """Describe a route for GET, and for HEAD unless *allow_head* is False."""
    return route(hdrs.METH_GET, path, handler, name=name, allow_head=allow_head, **kwargs)


def post(path: str, handler: AnyHandler, **kwargs: Any) -> RouteDef:
    """Describe a route for POST."""
    return route(hdrs.METH_POST, path, handler, **kwargs)


def put(path: str, handler: AnyHandler, **kwargs: Any) -> RouteDef:
    """Describe a route for PUT."""
    return route(hdrs.METH_PUT, path, handler, **kwargs)


def patch(path: str, handler: AnyHandler, **kwargs: Any) -> RouteDef:
    """Describe a route for PATCH."""
    return route(hdrs.METH_PATCH, path, handler, **kwargs)


def delete(path: str, handler: AnyHandler, **kwargs: Any) -> RouteDef:
    """Describe a route for DELETE."""
    return route(hdrs.METH_DELETE, path, handler, **kwargs)


def view(path: str, handler: AnyHandler, **kwargs: Any) -> RouteDef:
    """Describe a route for all methods, served by a class-based view."""
    return route(hdrs.METH_ANY, path, handler, **kwargs)


class RouteTableDef(Sequence[RouteDef | StaticDef]):
    """A table of routes that decorators fill."""

    def __init__(self) -> None:
        self._items: list[RouteDef | StaticDef] = []

    @overload
    def __getitem__(self, index: int) -> RouteDef | StaticDef: ...
    @overload
    def __getitem__(self, index: slice) -> list[RouteDef | StaticDef]: ...
    def __getitem__(self, index: int | slice) -> RouteDef | StaticDef | list[RouteDef | StaticDef]:
        return self._items[index]

    def __iter__(self) -> Iterator[RouteDef | StaticDef]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def route(self, method: str, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Register the decorated handler for *method* of *path*."""

        def register(handler: H) -> H:
            self._items.append(RouteDef(method, path, handler, kwargs))
            return handler

        return register

    def head(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Register the decorated handler for HEAD."""
        return self.route(hdrs.METH_HEAD, path, **kwargs)

    def get(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Register the decorated handler for GET, and HEAD unless ``allow_head=False``."""
        return self.route(hdrs.METH_GET, path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Register the decorated handler for POST."""
        return self.route(hdrs.METH_POST, path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Register the decorated handler for PUT."""
        return self.route(hdrs.METH_PUT, path, **kwargs)

    def patch(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Register the decorated handler for PATCH."""
        return self.route(hdrs.METH_PATCH, path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Register the decorated handler for DELETE."""
        return self.route(hdrs.METH_DELETE, path, **kwargs)

    def options(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Register the decorated handler for OPTIONS."""
        return self.route(hdrs.METH_OPTIONS, path, **kwargs)

    def view(self, path: str, **kwargs: Any) -> Callable[[H], H]:
        """Register the decorated class-based view for all methods."""
        return self.route(hdrs.METH_ANY, path, **kwargs)

    def static(self, prefix: str, path: str | os.PathLike[str], **kwargs: Any) -> None:
        """Add a directory of files; the arguments are those of `UrlDispatcher.add_static`."""
        self._items.append(StaticDef(prefix, path, kwargs))

    def __repr__(self) -> str:
        return f"<RouteTableDef count={len(self._items)}>"
