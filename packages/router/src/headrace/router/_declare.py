"""``router.get(...)`` and its siblings: a route declared in one line, or a decorator.

With a value they add a route. Without one they answer a declared resource, whose call with one
positional argument adds the value, and whose call with names builds a URL.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Generic, Literal, ParamSpec, Protocol, TypeVar, final, overload

from yarl import URL

from ._routes import Resource, Route

__all__ = ["Adder", "Declared", "Verb"]

T = TypeVar("T")
V = TypeVar("V")
P = ParamSpec("P")


class _Missing(Enum):
    VALUE = "no value"


_MISSING: Final = _Missing.VALUE


class Table(Protocol[T]):
    """What a verb needs of a router."""

    def add_route(
        self, method: str, path: str, value: T, *, name: str | None = None
    ) -> Route[T]: ...

    def _declare(self, method: str, path: str, name: str | None) -> Declared[T]: ...


@final
class Declared(Generic[T]):
    """A route that waits for its value.

    ``declared(value)`` adds the value and returns it, so this is a decorator;
    ``declared(user="ada")`` returns the URL.
    """

    __slots__ = ("method", "name", "resource", "route")

    def __init__(self, resource: Resource[T], method: str, name: str | None) -> None:
        self.resource = resource
        self.method = method
        self.name = name
        self.route: Route[T] | None = None

    @overload
    def __call__(self, value: V, /) -> V: ...

    @overload
    def __call__(self, /, **parts: object) -> URL: ...

    def __call__(self, /, *values: Any, **parts: object) -> Any:
        """Add the route's value and return it, or build a URL for the parts.

        Raises:
            ConflictError: the route could never run.
            BuildError: a part is missing, unknown, or its value would not come back.
        """
        if not values:
            return self.resource.url_for(**parts)
        value, *others = values
        if others:
            raise TypeError("a declared route takes at most one value")
        if parts:
            raise TypeError("a declared route takes a value or the parts of a URL, not both")
        self.route = self.resource.add_route(self.method, value)
        return value

    def typed(self, signature: Callable[P, object]) -> Callable[P, URL]:
        """Return the URL builder with the parameters of ``signature``; see ``Resource.typed``."""
        return self.resource.typed(signature)

    def __repr__(self) -> str:
        return f"<Declared {self.method} {self.resource.pattern}>"


@final
class Adder(Generic[T]):
    """One verb of one router."""

    __slots__ = ("_method", "_table")

    def __init__(self, table: Table[T], method: str) -> None:
        self._table = table
        self._method = method

    @overload
    def __call__(self, path: str, value: T, *, name: str | None = None) -> Route[T]: ...

    @overload
    def __call__(self, path: str, *, name: str | None = None) -> Declared[T]: ...

    def __call__(
        self,
        path: str,
        value: T | Literal[_Missing.VALUE] = _MISSING,
        *,
        name: str | None = None,
    ) -> Route[T] | Declared[T]:
        """Add a route for this verb, or declare one that gets its value later.

        Raises:
            PatternError: the pattern or the name is not one.
            ConflictError: the route could never run, or the name is taken.
        """
        if value is _MISSING:
            return self._table._declare(self._method, path, name)
        return self._table.add_route(self._method, path, value, name=name)


@final
class Verb:
    """A method of HTTP as a method of the router."""

    __slots__ = ("_method",)

    def __init__(self, method: str) -> None:
        self._method = method

    def __get__(self, table: Table[T], owner: type) -> Adder[T]:
        return Adder(table, self._method)
