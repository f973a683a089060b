"""What is in a table, and what a look-up answers.

A resource is a pattern with the routes that stand at it; a route is one method of a resource with a
value. Both are made by the router alone. A match and a miss are the two answers of ``resolve``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, Literal, NamedTuple, ParamSpec, TypeVar, final

from yarl import URL

from ._errors import BuildError, Source
from ._pattern import Pattern
from ._quoting import encode, escape
from ._typed import typed

__all__ = ["NOT_FOUND", "NO_PARAMS", "Match", "Miss", "Resource", "Route", "Target"]

T = TypeVar("T")
P = ParamSpec("P")
Query = Mapping[str, str] | str | None

# Every match without parameters shares this one, so nobody may write into it.
NO_PARAMS: Mapping[str, Any] = MappingProxyType({})


@final
class Resource(Generic[T]):
    """A pattern and the routes that stand at it."""

    __slots__ = ("_add", "_name", "_pattern", "_routes", "host", "source")

    def __init__(
        self,
        pattern: Pattern,
        source: Source,
        add: Callable[[Resource[T], str, T], Route[T]],
        host: str | None = None,
    ) -> None:
        self.host = host
        self._pattern = pattern
        self._add = add
        self._name: str | None = None
        self._routes: dict[str, Route[T]] = {}
        self.source = source

    @property
    def name(self) -> str | None:
        """The first name it was given, or None."""
        return self._name

    @property
    def pattern(self) -> str:
        """The pattern as it was added."""
        return self._pattern.text

    @property
    def canonical(self) -> str:
        """The pattern without its regexes, as '/users/{user}'."""
        return self._pattern.canonical

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the pattern's variables, from left to right."""
        return self._pattern.names

    @property
    def is_prefix(self) -> bool:
        """Say whether it answers for everything below its pattern."""
        return self._pattern.prefix

    @property
    def routes(self) -> tuple[Route[T], ...]:
        """Its routes, in order of registration."""
        return tuple(self._routes.values())

    def add_route(self, method: str, value: T) -> Route[T]:
        """Add a route for one method ('*': any method that has no route of its own).

        Raises:
            ConflictError: the route could never run.
            FrozenError: the router is frozen.
        """
        return self._add(self, method, value)

    def url(
        self,
        parts: Mapping[str, object] | None = None,
        query: Query = None,
        filename: str | None = None,
    ) -> str:
        """Return the URL of this resource, without scheme and host.

        Args:
            parts: a value for each variable.
            query: pairs, or a string with or without its question mark.
            filename: for a prefix, the decoded path below it.

        Raises:
            BuildError: a part is missing, unknown, or its value would not come back.
        """
        path = self._pattern.build({} if parts is None else parts)
        if filename is not None:
            path = self._below(path, filename)
        if not query:
            return path or "/"
        if isinstance(query, str):
            query = query.removeprefix("?")
        return str(URL.build(path=path or "/", encoded=True).with_query(query))

    def url_for(self, **parts: object) -> URL:
        """Return the URL of this resource for these parts; ``filename`` for one below a prefix.

        Raises:
            BuildError: a part is missing, unknown, or its value would not come back.
        """
        filename: object = None
        if self._pattern.prefix and "filename" not in self._pattern.names:
            filename = parts.pop("filename", None)
        if not (filename is None or isinstance(filename, str)):
            raise BuildError(self.pattern, f"part 'filename' is {filename!r}, expected str")
        return URL.build(path=self.url(parts, filename=filename), encoded=True)

    def typed(self, signature: Callable[P, object]) -> Callable[P, URL]:
        """Return ``url_for`` with the parameters of ``signature``, for type checkers.

        Args:
            signature: a function, class or named tuple whose parameters are the pattern's
            variables.

        Raises:
            BuildError: its names differ from the pattern's, or a type from what a converter takes.
        """
        return typed(self._pattern, self.url_for, signature)

    def _below(self, path: str, filename: str) -> str:
        if not self._pattern.prefix:
            raise BuildError(self.pattern, "only a prefix has files below it")
        segments = filename.removeprefix("/").split("/")
        if not {".", ".."}.isdisjoint(segments):
            raise BuildError(self.pattern, f"filename {filename!r} has dot segments")
        return f"{path}/{encode('/'.join(map(escape, segments)))}"

    def __str__(self) -> str:
        below = "/..." if self._pattern.prefix else ""
        return f"{self.host or ''}{self._pattern.text}{below}"

    def __repr__(self) -> str:
        name = "" if self._name is None else f" {self._name!r}"
        return f"<Resource {self}{name}>"


@final
class Route(Generic[T]):
    """One method of a resource, with the value it answers."""

    __slots__ = ("_name", "method", "resource", "source", "value")

    def __init__(
        self, resource: Resource[T], method: str, value: T, name: str | None, source: Source
    ) -> None:
        self.resource = resource
        self.method = method
        self.value = value
        self.source = source
        self._name = name

    @property
    def name(self) -> str | None:
        """The name it was added with, or its resource's."""
        return self.resource.name if self._name is None else self._name

    def url(
        self,
        parts: Mapping[str, object] | None = None,
        query: Query = None,
        filename: str | None = None,
    ) -> str:
        """Return the URL of this route; see ``Resource.url``."""
        return self.resource.url(parts, query, filename)

    def url_for(self, **parts: object) -> URL:
        """Return the URL of this route for these parts; see ``Resource.url_for``."""
        return self.resource.url_for(**parts)

    __call__ = url_for

    def typed(self, signature: Callable[P, object]) -> Callable[P, URL]:
        """Return the URL builder with the parameters of ``signature``; see ``Resource.typed``."""
        return self.resource.typed(signature)

    def __str__(self) -> str:
        return f"{self.method} {self.resource}"

    def __repr__(self) -> str:
        name = "" if self.name is None else f" {self.name!r}"
        return f"<Route {self}{name} -> {self.value!r}>"


class Target(NamedTuple, Generic[T]):
    """What the tree keeps of a route: all that a match needs."""

    value: T
    route: Route[T]
    names: tuple[str, ...]


@final
class Match(NamedTuple, Generic[T]):
    """The route for a method and a path. True in a condition.

    ``params`` are the variables, decoded and converted. For a prefix, ``rest`` is the decoded
    remainder of the path and ``raw_rest`` the same as it was sent: "" or text that starts with a
    slash. Both are None for any other route.
    """

    value: T
    params: Mapping[str, Any]
    route: Route[T]
    rest: str | None = None
    raw_rest: str | None = None

    @property
    def matched(self) -> Literal[True]:
        """True, which a miss can not say."""
        return True


@final
class Miss:
    """No route for a method and a path. False in a condition.

    ``allowed`` holds the methods that would have matched this path; it is empty when the path
    itself is unknown.
    """

    __slots__ = ("allowed",)

    def __init__(self, allowed: frozenset[str]) -> None:
        self.allowed = allowed

    @property
    def matched(self) -> Literal[False]:
        """False, which a match can not say."""
        return False

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return f"Miss(allowed={sorted(self.allowed)})"


NOT_FOUND = Miss(frozenset())
