"""The table's front door: adding, naming and freezing on one side, resolving on the other.

A static pattern is an entry of a dictionary whose matches are made when it is added; all others
live in the tree. Resolving reads both and writes nothing, so any number of threads may do it at
once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Generic, Literal, TypeVar, final

from ._checks import caller, check_free, check_name
from ._declare import Declared, Verb
from ._errors import ConflictError, FrozenError, PatternError, RouterError, Source, at
from ._explain import Explanation, tell
from ._hosts import Hosts
from ._listing import as_json, as_text
from ._pattern import Pattern
from ._quoting import decode, normalize
from ._routes import NO_PARAMS, NOT_FOUND, Match, Miss, Resource, Route, Target
from ._tree import First, Found, Tree, last_constrained

__all__ = ["Router"]

T = TypeVar("T")

# A match is a tuple, and this is the shortest way to one.
_new = tuple.__new__

# RFC 9110, section 9.1: a method is a token (section 5.6.2).
_METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


@final
class Router(Generic[T]):
    """Map (method, path) to a value; a mapping of the named resources by name."""

    __slots__ = (
        "_declared",
        "_frozen",
        "_heads",
        "_host",
        "_host_names",
        "_hosts",
        "_names",
        "_plain",
        "_resources",
        "_routes",
        "_static",
        "_tree",
    )

    def __init__(self) -> None:
        self._static: dict[str, dict[str, Match[T]]] = {}
        self._plain: dict[str, dict[str, Match[T]]] = {}
        self._tree: Tree[Target[T]] = Tree()
        self._heads = self._tree.heads
        self._resources: dict[tuple[str, bool], Resource[T]] = {}
        self._routes: list[Route[T]] = []
        self._names: dict[str, Resource[T]] = {}
        self._declared: list[tuple[Declared[T], Source]] = []
        self._host: str | None = None
        self._host_names: frozenset[str] = frozenset()
        self._hosts: Hosts[Router[T]] = Hosts()
        self._frozen = False

    # Resolving

    def resolve(self, method: str, path: str, host: str | None = None) -> Match[T] | Miss:
        """Return the route for a method and a raw (percent-encoded) path without its query.

        Never raises: a malformed escape is a miss like any unknown path.

        Args:
            method: in upper case, as it is sent.
            path: starts with a slash, as it is sent.
            host: the Host field, for a router with host patterns.
        """
        if host is not None and self._hosts:
            return self._resolve_host(method, path, host)
        matches = self._static.get(path)
        if matches is not None:
            match = matches.get(method)
            if match is not None:
                return match
            match = matches.get("*")
            if match is not None:
                return match
        else:
            head, slash, tail = path.rpartition("/")
            below = self._heads.get(head)
            if below is not None and slash and (tail.isalnum() or _is_ordinary(tail)):
                literals, constrained, targets = below
                if constrained:
                    last = last_constrained(constrained, method, tail)
                    if last is not None and tail not in literals:
                        (value, route, names), values = last
                        params = dict(zip(names, values, strict=False))
                        return _new(Match, (value, params, route, None, None))
                elif method in targets and tail not in literals:
                    value, route, names = targets[method]
                    return _new(Match, (value, {names[0]: tail}, route, None, None))
            if "%" not in path and "{" not in path and "}" not in path:
                first = self._tree.first(method, path)
                if first is not None:
                    return _quick_match(first)
        return self._search(method, path)

    @property
    def static(self) -> Mapping[str, Mapping[str, Match[T]]]:
        """The matches of routes without variables, by path and method, as `resolve` returns them.

        No path here has a question mark, so the target of a request may be looked up as it is. The
        mapping changes with the router. What is not in it, `resolve` may find all the same.
        """
        return self._plain

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
        elif "%" in raw and "{" not in normal and "}" not in normal:
            first = self._tree.first(method, normal)
            if first is not None and first[2] is None:  # a raw rest is not the normal one
                return _quick_match(first)
        for found in self._tree.walk(normal):
            targets = found.leaf.targets
            target = targets.get(method) or targets.get("*")
            if target is not None:
                return _match(target, found, normal, raw)
            allowed.update(targets)
        return Miss(frozenset(allowed)) if allowed else NOT_FOUND

    def _resolve_host(self, method: str, path: str, host: str) -> Match[T] | Miss:
        """Ask the tables of the host, best first, then the table of no host."""
        allowed: frozenset[str] = frozenset()
        for table, params in (*self._hosts.match(host), (self, {})):
            found = table.resolve(method, path)
            if isinstance(found, Match):
                return found._replace(params={**params, **found.params}) if params else found
            allowed |= found.allowed
        return Miss(allowed) if allowed else NOT_FOUND

    def explain(self, method: str, path: str, host: str | None = None) -> Explanation[T]:
        """Say step by step why a method and a path resolve as they do; see ``resolve``."""
        result = self.resolve(method, path, host)
        steps: list[str] = []
        tables = self._hosts.match(host) if host is not None else []
        for table, _ in tables:
            steps.append(f"host {host} matches {table._host}")
            steps.extend(table._tell(method, path))
            if isinstance(result, Match) and result.route.resource.host == table._host:
                return Explanation(method, path, host, result, tuple(steps))
        if host is not None:
            steps.append("the routes of no host" if tables else f"no host pattern matches {host}")
        steps.extend(self._tell(method, path))
        return Explanation(method, path, host, result, tuple(steps))

    def _tell(self, method: str, raw: str) -> tuple[str, ...]:
        normal = normalize(raw)
        if normal is None:
            return ("the path holds a percent-escape that is malformed or not UTF-8: a miss",)
        return tell(self._tree, normal, self._static.get(normal), method)

    # Adding

    get = Verb("GET")
    post = Verb("POST")
    put = Verb("PUT")
    patch = Verb("PATCH")
    delete = Verb("DELETE")
    head = Verb("HEAD")
    options = Verb("OPTIONS")

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
        return self._add(self._resource(path), method, value, name)

    def add_resource(self, path: str, *, name: str | None = None) -> Resource[T]:
        """Return the resource of a pattern, made when there is none; see ``add_route``."""
        resource = self._resource(path)
        self._name(resource, name)
        return self._keep(resource)

    def add_prefix(
        self, prefix: str, value: T, *, name: str | None = None, method: str = "*"
    ) -> Resource[T]:
        """Add a route for a path and everything below it; its matches carry the rest.

        ``/static`` answers for ``/static`` and ``/static/...``, not for ``/statics``; see
        ``add_route``.
        """
        resource = self._resource(prefix.rstrip("/"), prefix=True)
        self._add(resource, method, value, name)
        return resource

    def add_host(self, pattern: str) -> Router[T]:
        """Return the table of a host pattern, made when there is none.

        Its routes answer for that host alone, and before the routes of no host. ``*.example.org``
        is any name below example.org, ``{tenant}.example.org`` any one label, which the match
        carries among its parameters. Names are one set, whatever the host.

        Raises:
            PatternError: the pattern is not one, or it has variables and another one its shape.
            FrozenError: the router is frozen, or is itself the table of a host.
        """
        self._check_open()
        if self._host is not None:
            raise FrozenError("the table of a host has no hosts of its own")
        known = self._hosts.get(pattern)
        if known is not None:
            return known
        table: Router[T] = Router()
        table._host = pattern
        table._host_names = self._hosts.names(pattern)
        table._names = self._names
        return self._hosts.add(pattern, table)

    def _declare(self, method: str, path: str, name: str | None) -> Declared[T]:
        declared = Declared(self.add_resource(path, name=name), method, name)
        self._declared.append((declared, caller()))
        return declared

    def _check_open(self) -> None:
        if self._frozen:
            raise FrozenError("can not add to a frozen router")

    def _resource(self, path: str, *, prefix: bool = False) -> Resource[T]:
        """Return the resource of a pattern, new ones not yet in the table."""
        self._check_open()
        resource = self._resources.get((path, prefix))
        if resource is None:
            pattern = Pattern(path, prefix=prefix)
            for name in self._host_names.intersection(pattern.names):
                raise PatternError(path, path.index(name), f"{name!r} is a variable of the host")
            resource = Resource(pattern, caller(), self._add, self._host)
        return resource

    def _keep(self, resource: Resource[T]) -> Resource[T]:
        return self._resources.setdefault((resource.pattern, resource.is_prefix), resource)

    def _add(
        self, resource: Resource[T], method: str, value: T, name: str | None = None
    ) -> Route[T]:
        self._check_open()
        if _METHOD.fullmatch(method) is None:
            raise PatternError(method, 0, "a method is a token of RFC 9110")
        if name is not None:
            self._check_name(resource, name)
        route = Route(resource, method.upper(), value, name, caller())
        self._attach(route)
        self._keep(resource)
        resource._routes[route.method] = route
        self._routes.append(route)
        self._name(resource, name)
        return route

    def _attach(self, route: Route[T]) -> None:
        """Put a route where resolving finds it, unless one of the two could never run."""
        pattern = route.resource._pattern
        if pattern.static is not None:
            matches = self._static.get(pattern.static, {})
            check_free(route, matches.get(route.method))
            matches[route.method] = Match(route.value, NO_PARAMS, route)
            self._static[pattern.static] = matches
            if "?" not in pattern.static:
                self._plain[pattern.static] = matches
        else:
            leaf = self._tree.leaf(pattern)
            check_free(route, leaf.rival(route.method))
            leaf.targets[route.method] = Target(route.value, route, pattern.names)

    def _check_name(self, resource: Resource[T], name: str) -> None:
        check_name(name)
        taken = self._names.get(name, resource)
        if taken is not resource:
            raise ConflictError(
                f"duplicate name {name!r}",
                resource.pattern,
                caller(),
                taken.pattern,
                taken.source,
            )

    def _name(self, resource: Resource[T], name: str | None) -> None:
        if name is not None:
            self._check_name(resource, name)
            self._names[name] = resource
            if resource._name is None:
                resource._name = name

    # Looking at the table

    def routes(self) -> tuple[Route[T], ...]:
        """Return all routes in order of registration, those of the hosts last."""
        return (*self._routes, *(route for t in self._hosts.tables() for route in t._routes))

    def resources(self) -> tuple[Resource[T], ...]:
        """Return all resources in order of registration, those of the hosts last."""
        resources = self._resources.values()
        return (*resources, *(r for t in self._hosts.tables() for r in t._resources.values()))

    def named_resources(self) -> Mapping[str, Resource[T]]:
        """Return a read-only view of the resources by name."""
        return MappingProxyType(self._names)

    def table(self, format: Literal["text", "json"] = "text") -> str:  # noqa: A002
        """Return all routes, one per line or as a JSON array: method, pattern, name, value, source.

        A value is shown as its qualified name, or else its repr; ``host`` is there when one is
        used.
        """
        return as_json(self.routes()) if format == "json" else as_text(self.routes())

    def __getitem__(self, name: str) -> Resource[T]:
        return self._names[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __bool__(self) -> bool:
        # A router without names is still a router.
        return True

    def __repr__(self) -> str:
        return f"<Router of {len(self._routes)} routes>"

    # Freezing

    @property
    def frozen(self) -> bool:
        """Say whether the table is closed."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse every change from now on.

        Raises:
            RouterError: a declared route was never given its value.
        """
        for declared, source in self._declared:
            if declared.route is None:
                raise RouterError(f"{declared!r} ({at(source)}) was never given a value")
        self._frozen = True
        for table in self._hosts.tables():
            table.freeze()


def _is_ordinary(segment: str) -> bool:
    """Say whether a raw segment is one that a plain variable accepts as it is."""
    return segment != "" and "%" not in segment and "{" not in segment and "}" not in segment


def _quick_match(first: First[Target[T]]) -> Match[T]:
    (value, route, names), values, rest = first
    params = dict(zip(names, values, strict=False)) or NO_PARAMS
    return _new(Match, (value, params, route, rest, rest))


def _match(target: Target[T], found: Found[Target[T]], normal: str, raw: str) -> Match[T]:
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
