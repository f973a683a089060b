"""The table's front door: adding, naming and freezing on one side, resolving on the other.

A static pattern is an entry of a dictionary whose matches are made when it is added; all others
live in the tree. Resolving reads both and writes nothing, so any number of threads may do it at
once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from keyword import iskeyword
from types import MappingProxyType
from typing import Any, Generic, TypeVar, final

from ._errors import ConflictError, FrozenError, PatternError, Source
from ._pattern import Pattern
from ._quoting import decode, normalize
from ._routes import NO_PARAMS, NOT_FOUND, Match, Miss, Resource, Route
from ._tree import Found, Target, Tree

__all__ = ["Router"]

T = TypeVar("T")

# RFC 9110, section 9.1: a method is a token (section 5.6.2).
_METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NAME_SEPARATORS = re.compile(r"[.:-]")


@final
class Router(Mapping[str, Resource[T]], Generic[T]):
    """Map (method, path) to a value; a mapping of the named resources by name."""

    __slots__ = ("_frozen", "_names", "_resources", "_routes", "_static", "_tree")

    def __init__(self) -> None:
        self._static: dict[str, dict[str, Match[T]]] = {}
        self._tree: Tree[T] = Tree()
        self._resources: dict[tuple[str, bool], Resource[T]] = {}
        self._routes: list[Route[T]] = []
        self._names: dict[str, Resource[T]] = {}
        self._frozen = False

    # Resolving

    def resolve(self, method: str, path: str) -> Match[T] | Miss:
        """Return the route for a method and a raw (percent-encoded) path without its query.

        Never raises: a malformed escape is a miss like any unknown path.
        """
        matches = self._static.get(path)
        if matches is not None:
            match = matches.get(method)
            if match is not None:
                return match
            match = matches.get("*")
            if match is not None:
                return match
        elif "%" not in path and "{" not in path and "}" not in path:
            found = self._tree.first(method, path)
            if found is not None:
                (value, route, names), values = found
                if len(names) == 1:
                    return _new_match((value, {names[0]: values[0]}, route, None, None))
                return _new_match(
                    (value, dict(zip(names, values, strict=False)), route, None, None)
                )
        return self._search(method, path)

    def _search(self, method: str, raw: str) -> Match[T] | Miss:
        """Try everything, in order of precedence."""
        normal = normalize(raw)
        if normal is None:
            return NOT_FOUND
        allowed: set[str] = set()
        matches = self._static.get(normal)
        if matches is not None:
            match = matches.get(method) or matches.get("*")
            if match is not None:
                return match
            allowed.update(matches)
        for found in self._tree.walk(normal):
            targets = found.leaf.targets
            target = targets.get(method) or targets.get("*")
            if target is not None:
                return _match(target, found, normal, raw)
            allowed.update(targets)
        return Miss(frozenset(allowed)) if allowed else NOT_FOUND

    # Adding

    def add_route(self, method: str, path: str, value: T, *, name: str | None = None) -> Route[T]:
        """Add a route.

        Args:
            method: any HTTP method; '*' for every method without a route of its own.
            path: a pattern.
            value: what a match answers.
            name: a key of this mapping, for URLs.

        Raises:
            PatternError: the pattern, the method or the name is not one.
            ConflictError: the route could never run, or the name is taken.
            FrozenError: the router is frozen.
        """
        source = _caller()
        resource = self._resource(path, source, prefix=False)
        self._check_name(name, resource, source)
        route = self._attach(resource, method, value, name, source)
        self._give_name(name, resource)
        return route

    def add_resource(self, path: str, *, name: str | None = None) -> Resource[T]:
        """Return the resource of a pattern, made when there is none; see ``add_route``."""
        source = _caller()
        resource = self._resource(path, source, prefix=False)
        self._check_name(name, resource, source)
        self._give_name(name, resource)
        self._resources.setdefault((path, False), resource)
        return resource

    def add_prefix(
        self, prefix: str, value: T, *, name: str | None = None, method: str = "*"
    ) -> Resource[T]:
        """Add a route for a path and everything below it; its matches carry the rest.

        ``/static`` answers for ``/static`` and ``/static/...``, not for ``/statics``; see
        ``add_route``.
        """
        source = _caller()
        resource = self._resource(prefix.rstrip("/"), source, prefix=True)
        self._check_name(name, resource, source)
        self._attach(resource, method, value, name, source)
        self._give_name(name, resource)
        return resource

    def _resource(self, path: str, source: Source, *, prefix: bool) -> Resource[T]:
        if self._frozen:
            raise FrozenError("can not add to a frozen router")
        resource = self._resources.get((path, prefix))
        if resource is not None:
            return resource
        return Resource(Pattern(path, prefix=prefix), source, self._attach_here)

    def _attach_here(self, resource: Resource[T], method: str, value: T) -> Route[T]:
        if self._frozen:
            raise FrozenError("can not add to a frozen router")
        return self._attach(resource, method, value, None, _caller())

    def _attach(
        self, resource: Resource[T], method: str, value: T, name: str | None, source: Source
    ) -> Route[T]:
        if _METHOD.fullmatch(method) is None:
            raise PatternError(method, 0, "a method is a token of RFC 9110")
        route = Route(resource, method.upper(), value, name, source)
        pattern = resource._pattern
        if pattern.static is not None:
            matches = self._static.setdefault(pattern.static, {})
            _check_free(route, matches.get(route.method))
            matches[route.method] = Match(value, NO_PARAMS, route)
        else:
            leaf = self._tree.leaf(pattern)
            _check_free(route, leaf.targets.get(route.method))
            leaf.targets[route.method] = Target(value, route, pattern.names)
        self._resources[pattern.text, pattern.prefix] = resource
        resource._routes[route.method] = route
        self._routes.append(route)
        return route

    def _check_name(self, name: str | None, resource: Resource[T], source: Source) -> None:
        if name is None:
            return
        if not all(
            part.isidentifier() and not iskeyword(part) for part in _NAME_SEPARATORS.split(name)
        ):
            raise PatternError(
                name, 0, "a name is a sequence of identifiers separated by '-', '.' or ':'"
            )
        taken = self._names.get(name)
        if taken is not None and taken is not resource:
            raise ConflictError(
                f"duplicate name {name!r}",
                str(resource._pattern.text),
                source,
                taken.pattern,
                taken.source,
            )

    def _give_name(self, name: str | None, resource: Resource[T]) -> None:
        if name is not None:
            self._names[name] = resource
            if resource._name is None:
                resource._name = name

    # Looking at the table

    def routes(self) -> tuple[Route[T], ...]:
        """Return all routes, in order of registration."""
        return tuple(self._routes)

    def resources(self) -> tuple[Resource[T], ...]:
        """Return all resources, in order of registration."""
        return tuple(self._resources.values())

    def named_resources(self) -> Mapping[str, Resource[T]]:
        """Return a read-only view of the resources by name."""
        return MappingProxyType(self._names)

    def __getitem__(self, name: str) -> Resource[T]:
        return self._names[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    # A table is itself, not the names in it: Mapping would compare those, and an empty one be
    # false.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<Router of {len(self._routes)} routes>"

    # Freezing

    @property
    def frozen(self) -> bool:
        """Say whether the table is closed."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse every change from now on."""
        self._frozen = True


def _new_match(fields: tuple[Any, ...]) -> Match[Any]:
    return tuple.__new__(Match, fields)


def _match(target: Target[T], found: Found[T], normal: str, raw: str) -> Match[T]:
    value, route, names = target
    params = dict(zip(names, found.values, strict=True)) if names else NO_PARAMS
    if not found.leaf.prefix:
        return Match(value, params, route)
    rest = _after(normal, found.consumed)
    return Match(value, params, route, decode(rest), _after(raw, found.consumed))


def _after(path: str, consumed: int) -> str:
    """Return what follows the first ``consumed`` segments, the empty one at the start included."""
    pieces = path.split("/", consumed)
    return "/" + pieces[consumed] if len(pieces) > consumed else ""


def _check_free(route: Route[T], taken: Match[T] | Target[T] | None) -> None:
    if taken is not None:
        raise ConflictError(
            "the route could never run: another one has its method and its shape",
            str(route),
            route.source,
            str(taken.route),
            taken.route.source,
        )


def _caller() -> Source:
    """Return the file and line of the first frame outside the project."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("headrace."):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
