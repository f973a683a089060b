"""The story of one look-up, told by the walk that resolving itself takes.

Every sentence comes from what the tree did: the choices it tried in order, what matched, and, for
each route that matched but was not chosen, the first segment at which the chosen one goes before
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar, final

from ._errors import at
from ._pattern import Kind, Pattern, Step
from ._routes import Match, Miss, Resource, Route, Target
from ._tree import Choice, Node, Tree

__all__ = ["Explanation", "tell"]

T = TypeVar("T")

_NAMES = {
    Kind.LITERAL: "a literal",
    Kind.CONSTRAINED: "a constrained segment",
    Kind.PLAIN: "a plain variable",
    Kind.REST: "a rest of the path",
}
_AT_MOST = 8  # literals to name when a path leaves the table


@final
class Explanation(Generic[T]):
    """Why a method and a path resolve as they do.

    ``result`` is what ``resolve`` answers, ``steps`` are sentences in the order of the look-up.
    As text it is one line per step.
    """

    __slots__ = ("host", "method", "path", "result", "steps")

    def __init__(
        self,
        method: str,
        path: str,
        host: str | None,
        result: Match[T] | Miss,
        steps: tuple[str, ...],
    ) -> None:
        self.method = method
        self.path = path
        self.host = host
        self.result = result
        self.steps = steps

    def __str__(self) -> str:
        target = self.path if self.host is None else f"{self.path} (host {self.host})"
        return "\n".join((f"{self.method} {target}", *(f"  {step}" for step in self.steps)))

    def __repr__(self) -> str:
        return f"<Explanation of {self.method} {self.path}: {self.result!r}>"


class Teller(Generic[T]):
    """Turns one walk into sentences; silent about tries once a route is chosen."""

    __slots__ = ("allowed", "furthest", "method", "segments", "steps", "trail", "winner")

    def __init__(self, method: str, normal: str) -> None:
        self.method = method
        self.segments = normal.split("/")
        self.steps: list[str] = []
        self.trail: list[str] = [""]
        self.furthest: tuple[int, str, Node[Target[T]]] | None = None
        self.winner: Route[T] | None = None
        self.allowed: set[str] = set()

    def note(self, choice: Choice[Target[T]], accepted: bool) -> None:
        """Write down one choice of the walk."""
        place, index, _ = choice
        step = place.step
        assert step is not None
        if self.winner is not None:
            return
        del self.trail[index:]
        self.trail.append(step.shape)
        where = f"segment {index}, {self.segments[index]!r}"
        if step.kind == Kind.REST:
            where = f"from segment {index} on, {'/'.join(self.segments[index:])!r}"
        self.steps.append(f"{where}: {_describe(step)} {'accepts' if accepted else 'refuses'} it")
        if accepted and isinstance(place, Node) and index >= (self.furthest or (0,))[0]:
            self.furthest = (index, "/".join(self.trail), place)

    def reach(self, routes: Mapping[str, Route[T]]) -> None:
        """Write down that a shape matches, and what comes of it."""
        chosen = routes.get(self.method) or routes.get("*")
        if self.winner is not None:
            if chosen is not None:
                self._add(f"{_called(chosen)} matches too: {_why(self.winner, chosen)}")
        elif chosen is not None:
            self.winner = chosen
            self._add(f"{_called(chosen)} is chosen")
            star = routes.get("*", chosen)
            if star is not chosen:
                self._add(f"{_called(star)} matches too: a method of its own goes before '*'")
        else:
            for route in routes.values():
                self._add(f"{_called(route)} matches, but not for {self.method}")
            self.allowed.update(routes)

    def end(self, root: Node[Target[T]]) -> None:
        """Write down why nothing was chosen, if so."""
        if self.winner is not None:
            return
        if self.allowed:
            methods = ", ".join(sorted(self.allowed))
            self._add(f"the path is known, the method is not; allowed: {methods}")
            return
        index, trail, node = self.furthest or (0, "", root)
        found = "the end of the path"
        if index + 1 < len(self.segments):
            found = f"segment {index + 1}, {self.segments[index + 1]!r}"
        self._add(f"below {trail or '/'}, {found}, is not known; expected {_expected(node)}")

    def _add(self, step: str) -> None:
        self.steps.append(step)


def tell(
    tree: Tree[Target[T]], normal: str, static: Mapping[str, Match[T]] | None, method: str
) -> tuple[str, ...]:
    """Return the sentences for one table: what it does with a path in normal form."""
    teller: Teller[T] = Teller(method, normal)
    if static is None:
        teller.steps.append(f"no static pattern is {normal!r}")
    else:
        teller.steps.append(f"{normal!r} is a static pattern")
        teller.reach({key: match.route for key, match in static.items()})
    for found in tree.walk(normal, teller.note):
        teller.reach({key: target.route for key, target in found.leaf.targets.items()})
    teller.end(tree.root)
    return tuple(teller.steps)


def _called(route: Route[T]) -> str:
    return f"{route} ({at(route.source)})"


def _why(winner: Route[T], other: Route[T]) -> str:
    """Say at which segment the winner goes before the other."""
    ours, theirs = _rank(winner.resource), _rank(other.resource)
    pairs = enumerate(zip(ours, theirs, strict=False), 1)
    index, (our, their) = next(pair for pair in pairs if pair[1][0] != pair[1][1])
    if our[0] != their[0]:
        return f"at segment {index}, {our[1]} goes before {their[1]}"
    return f"at segment {index}, {our[2]} was added before {their[2]}"


def _rank(resource: Resource[T]) -> list[tuple[int, str, str]]:
    """Return what decides precedence, segment by segment."""
    pattern: Pattern = resource._pattern
    rank = [(step.kind, _NAMES[step.kind], step.shape) for step in pattern.steps]
    if pattern.prefix:
        return [*rank, (Kind.REST, "a rest of the path", f"everything below {pattern.text!r}")]
    return [*rank, (-1, "the end of the path", "")]


def _describe(step: Step) -> str:
    if step.kind == Kind.LITERAL:
        return "the literal"
    return f"{_NAMES[step.kind]} {step.shape}"


def _expected(node: Node[Target[T]]) -> str:
    literals = [repr(text) for text in node.literals]
    hidden = len(literals) - _AT_MOST
    options = literals[:_AT_MOST]
    if hidden > 0:
        options.append(f"{hidden} more literals")
    options.extend(node.constrained)
    if node.plain is not None:
        options.append("{}")
    options.extend(shape for shape in node.rests if shape)
    if node.leaf is not None:
        options.append("the end of the path")
    return ", ".join(options) or "nothing"
