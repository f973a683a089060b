"""The tree: one level per segment, and the order of precedence as the order of its walk.

A node stands for the segments that lead to it. Below it are literals (a dictionary), constrained
segments and rests (lists in order of registration) and at most one plain variable. A leaf holds the
routes of all patterns of one shape. Since a path loses one segment per level, a walk visits no node
twice, whatever the path: its work is bounded by the table, and linear in the length of the path.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

from ._pattern import Kind, Pattern, Step, Values, match_plain
from ._routes import Route

__all__ = ["Found", "Leaf", "Node", "Target", "Tree"]

T = TypeVar("T")


class Target(NamedTuple, Generic[T]):
    """What the tree keeps of a route: all that a match needs."""

    value: T
    route: Route[T]
    names: tuple[str, ...]


class Leaf(Generic[T]):
    """The routes of one shape, by method."""

    __slots__ = ("prefix", "targets")

    def __init__(self, *, prefix: bool) -> None:
        self.prefix = prefix
        self.targets: dict[str, Target[T]] = {}


class Node(Generic[T]):
    """One place in the tree."""

    __slots__ = ("constrained", "leaf", "literals", "plain", "rests")

    def __init__(self) -> None:
        self.literals: dict[str, Node[T]] = {}
        self.constrained: dict[str, tuple[Step, Node[T]]] = {}
        self.plain: Node[T] | None = None
        self.rests: dict[str, tuple[Step | None, Leaf[T]]] = {}  # None: a prefix
        self.leaf: Leaf[T] | None = None


class Found(NamedTuple, Generic[T]):
    """A leaf whose shape matches, with what was captured on the way."""

    leaf: Leaf[T]
    values: Values
    consumed: int  # segments that the shape itself took


class Tree(Generic[T]):
    """The patterns that are not static."""

    __slots__ = ("depth", "root")

    def __init__(self) -> None:
        self.root: Node[T] = Node()
        self.depth = 1

    def leaf(self, pattern: Pattern) -> Leaf[T]:
        """Return the leaf of this pattern's shape, made when there is none."""
        # One more piece than the deepest pattern: what is left of a longer path stays in one piece.
        self.depth = max(self.depth, len(pattern.steps) + 1)
        node = self.root
        for step in pattern.steps:
            if step.kind == Kind.REST:
                return node.rests.setdefault(step.shape, (step, Leaf(prefix=False)))[1]
            node = _child(node, step)
        if pattern.prefix:
            return node.rests.setdefault("", (None, Leaf(prefix=True)))[1]
        if node.leaf is None:
            node.leaf = Leaf(prefix=False)
        return node.leaf

    def first(self, method: str, path: str) -> tuple[Target[T], list[object]] | None:
        """Follow the best choice at each level, for a path without escapes and braces.

        What it finds is what ``walk`` would find first; when it finds nothing, only ``walk`` knows.
        """
        node = self.root
        values: list[object] = []
        segments = iter(path.split("/", self.depth))
        next(segments)
        for segment in segments:
            child = node.literals.get(segment)
            if child is None:
                if node.constrained:
                    child = _constrained(node, segment, values)
                if child is None:
                    child = node.plain
                    if child is None or not segment:
                        return None
                    values.append(segment)
            node = child
        leaf = node.leaf
        if leaf is None:
            return None
        target = leaf.targets.get(method)
        if target is None:
            target = leaf.targets.get("*")
            if target is None:
                return None
        return target, values

    def walk(self, normal: str) -> Iterator[Found[T]]:
        """Yield the leaves that match a path in normal form, in order of precedence."""
        segments = normal.split("/", self.depth)
        # What waits is tried from the top, so it is pushed worst first.
        waiting: list[_Waiting[T]] = [_Waiting(None, self.root, 1, ())]
        while waiting:
            step, place, index, values = waiting.pop()
            if step is not None and step.match is not None:
                rest = step.kind == Kind.REST
                more = step.match("/".join(segments[index:]) if rest else segments[index])
                if more is None:
                    continue
                values += more
                index += 1
            if isinstance(place, Leaf):
                yield Found(place, values, index)
                continue
            _push_rests(waiting, place, index, values, at_end=index == len(segments))
            if index < len(segments):
                _push_children(waiting, place, segments[index], index, values)
            elif place.leaf is not None:
                yield Found(place.leaf, values, index)


class _Waiting(NamedTuple, Generic[T]):
    """A choice not yet tried: a step to match at segment ``at`` (or none), and where that leads."""

    step: Step | None
    place: Node[T] | Leaf[T]
    at: int
    values: Values


def _push_rests(
    waiting: list[_Waiting[T]], node: Node[T], index: int, values: Values, *, at_end: bool
) -> None:
    for step, leaf in reversed(node.rests.values()):
        if step is None or not at_end:
            waiting.append(_Waiting(step, leaf, index, values))


def _push_children(
    waiting: list[_Waiting[T]], node: Node[T], segment: str, index: int, values: Values
) -> None:
    if node.plain is not None:
        captured = match_plain(segment)
        if captured is not None:
            waiting.append(_Waiting(None, node.plain, index + 1, values + captured))
    for step, child in reversed(node.constrained.values()):
        waiting.append(_Waiting(step, child, index, values))
    literal = node.literals.get(segment)
    if literal is not None:
        waiting.append(_Waiting(None, literal, index + 1, values))


def _child(node: Node[T], step: Step) -> Node[T]:
    """Return the child for one step of a pattern, made when there is none."""
    if step.kind == Kind.LITERAL:
        child = node.literals.get(step.shape)
        if child is None:
            child = node.literals[step.shape] = Node()
        return child
    if step.kind == Kind.CONSTRAINED:
        edge = node.constrained.get(step.shape)
        if edge is None:
            edge = node.constrained[step.shape] = (step, Node())
        return edge[1]
    if node.plain is None:
        node.plain = Node()
    return node.plain


def _constrained(node: Node[T], segment: str, values: list[object]) -> Node[T] | None:
    for step, child in node.constrained.values():
        assert step.match is not None
        captured = step.match(segment)
        if captured is not None:
            values.extend(captured)
            return child
    return None
