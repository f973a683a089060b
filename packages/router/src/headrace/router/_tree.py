"""The tree: one level per segment, and the order of precedence as the order of its walk.

A node stands for the segments that lead to it. Below it are literals (a dictionary), constrained
segments and rests (in order of registration) and at most one plain variable. A leaf holds the
targets of all patterns of one shape, by method. Since a path loses one segment per level, a walk
visits no node twice, whatever the path: its work is bounded by the table, and linear in the
path's length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

from ._pattern import EVERYTHING, Kind, Pattern, Step, Values
from ._quoting import decode

__all__ = ["First", "Found", "Leaf", "Node", "Tree", "last_constrained"]

X = TypeVar("X")


class Leaf(Generic[X]):
    """The targets of one shape, by method.

    ``peers`` are the rests of the same node, itself among them, in the order in which they are
    tried. ``step`` is None for a prefix and for the end of a pattern.
    """

    __slots__ = ("peers", "prefix", "step", "targets")

    def __init__(
        self, step: Step | None, peers: dict[str, Leaf[X]] | None = None, *, prefix: bool = False
    ) -> None:
        self.step = step
        self.peers = peers
        self.prefix = prefix
        self.targets: dict[str, X] = {}

    def rival(self, method: str) -> X | None:
        """Return a target that keeps a new one from running, or that a new one would."""
        if method in self.targets:
            return self.targets[method]
        before = True
        for peer in (self.peers or {}).values():
            if peer is self:
                before = False
            elif before and peer._covers(self):
                target = peer.targets.get(method, peer.targets.get("*"))
                if target is not None:
                    return target
            elif not before and self._covers(peer):
                if method in peer.targets:
                    return peer.targets[method]
                if method == "*" and peer.targets:
                    return next(iter(peer.targets.values()))
        return None

    def _covers(self, other: Leaf[X]) -> bool:
        """Say whether it accepts everything that ``other`` accepts."""
        if self.step is None:
            return True
        return self.step.shape == EVERYTHING and other.step is not None


class Node(Generic[X]):
    """One place in the tree, and the step that leads to it (None: the root)."""

    __slots__ = ("constrained", "leaf", "literals", "plain", "rests", "step")

    def __init__(self, step: Step | None) -> None:
        self.step = step
        self.literals: dict[str, Node[X]] = {}
        self.constrained: dict[str, Node[X]] = {}
        self.plain: Node[X] | None = None
        self.rests: dict[str, Leaf[X]] = {}
        self.leaf: Leaf[X] | None = None

    def child(self, step: Step) -> Node[X]:
        """Return the child for one step of a pattern, made when there is none."""
        if step.kind == Kind.PLAIN:
            if self.plain is None:
                self.plain = Node(step)
            return self.plain
        children = self.literals if step.kind == Kind.LITERAL else self.constrained
        child = children.get(step.shape)
        if child is None:
            child = children[step.shape] = Node(step)
        return child

    def constrained_child(self, segment: str, values: list[object]) -> Node[X] | None:
        """Return the first constrained child that accepts a segment, and add what it captures."""
        for child in self.constrained.values():
            captured = _match(child.step, segment)
            if captured is not None:
                values.extend(captured)
                return child
        return None


class Found(NamedTuple, Generic[X]):
    """A leaf whose shape matches, with what was captured on the way."""

    leaf: Leaf[X]
    values: Values
    consumed: int  # pieces of path.split("/") that the shape took, for a prefix


# A choice not yet tried: where it leads, the segment it is about, and the values before it.
Choice = tuple[Node[X] | Leaf[X], int, Values]

# What one segment after literals needs: the literals at its place, the constrained segments, and
# the targets of the plain variable.
Head = tuple[dict[str, Node[X]], dict[str, Node[X]], dict[str, X]]

First = tuple[X, list[object], str | None]

# Told of each choice that was tried, and whether it was accepted.
Note = Callable[[Choice[X], bool], None]


class Tree(Generic[X]):
    """A set of patterns, each with targets by method."""

    __slots__ = ("depth", "heads", "root")

    def __init__(self) -> None:
        self.heads: dict[str, Head[X]] = {}
        self.root: Node[X] = Node(None)
        self.depth = 1

    def leaf(self, pattern: Pattern) -> Leaf[X]:
        """Return the leaf of this pattern's shape, made when there is none."""
        # One more piece than the deepest pattern: what is left of a longer path stays in one piece.
        self.depth = max(self.depth, len(pattern.steps) + 1)
        node = self.root
        for step in pattern.steps:
            if step.kind == Kind.REST:
                return node.rests.setdefault(step.shape, Leaf(step, node.rests))
            node = node.child(step)
        if pattern.prefix:
            return node.rests.setdefault("", Leaf(None, node.rests, prefix=True))
        if node.leaf is None:
            node.leaf = Leaf(None)
            self._add_head(pattern.steps)
        return node.leaf

    def _add_head(self, steps: tuple[Step, ...]) -> None:
        """Remember literals that one variable segment follows, the most common pattern of all.

        Literals go before everything else, so what stands below them is the best choice that there
        is, and one look-up of them all replaces the descent.
        """
        *literals, last = steps
        if last.kind == Kind.LITERAL or any(step.kind != Kind.LITERAL for step in literals):
            return
        node = self.root
        for step in literals:
            node = node.literals[step.shape]
        head = "".join(f"/{step.shape}" for step in literals)
        plain = node.plain.leaf if node.plain is not None else None
        self.heads[head] = (node.literals, node.constrained, plain.targets if plain else {})

    def first(self, method: str, path: str) -> First[X] | None:
        """Follow the best choice at each level, for a path in normal form without raw braces.

        What it finds is what ``walk`` would find first; when it finds nothing, only ``walk`` knows.
        The last item is the rest of the path below a prefix, None for anything else.
        """
        node = self.root
        values: list[object] = []
        segments = iter(path.split("/", self.depth))
        if next(segments):  # it does not start with a slash
            return None
        for segment in segments:
            child = node.literals.get(segment)
            if child is None:
                if node.constrained:
                    child = node.constrained_child(segment, values)
                if child is None:
                    child = node.plain
                    if child is None or not segment:
                        if node.rests:
                            return _first_rest(node, method, (segment, *segments), values)
                        return None
                    values.append(decode(segment) if "%" in segment else segment)
            node = child
        leaf = node.leaf
        if leaf is None:
            return None
        target = leaf.targets.get(method)
        if target is None:
            target = leaf.targets.get("*")
            if target is None:
                return None
        return target, values, None

    def walk(self, normal: str, note: Note[X] | None = None) -> Iterator[Found[X]]:
        """Yield the leaves that match a path in normal form, in order of precedence."""
        segments = normal.split("/", self.depth)
        if segments[0]:  # it does not start with a slash
            return
        # What waits is tried from the top, so it is pushed worst first.
        waiting: list[Choice[X]] = [(self.root, 0, ())]
        while waiting:
            choice = waiting.pop()
            place, at, values = choice
            step = place.step
            if step is not None:
                rest = step.kind == Kind.REST
                captured = _match(step, "/".join(segments[at:]) if rest else segments[at])
                if note is not None:
                    note(choice, captured is not None)
                if captured is None:
                    continue
                values += captured
            if isinstance(place, Leaf):
                yield Found(place, values, at)
            elif at + 1 < len(segments):
                _push(waiting, place, segments[at + 1], at + 1, values)
            else:
                _push_end(waiting, place, at + 1, values)


def last_constrained(
    constrained: dict[str, Node[X]], method: str, segment: str
) -> tuple[X, Values] | None:
    """Return what the first constrained child that accepts a last segment has for it.

    None when that is not certain: the walk may still find something.
    """
    for child in constrained.values():
        values = _match(child.step, segment)
        if values is not None:
            target = child.leaf.targets.get(method) if child.leaf is not None else None
            return None if target is None else (target, values)
    return None


def _first_rest(
    node: Node[X], method: str, segments: tuple[str, ...], values: list[object]
) -> First[X] | None:
    text = "/".join(segments)
    for leaf in node.rests.values():
        target = leaf.targets.get(method, leaf.targets.get("*"))
        captured = _match(leaf.step, text)
        if target is not None and captured is not None:
            values.extend(captured)
            return target, values, f"/{text}" if leaf.prefix else None
    return None


def _match(step: Step | None, text: str) -> Values | None:
    # A literal was found by its text, so there is nothing left to ask.
    return () if step is None or step.match is None else step.match(text)


def _push(waiting: list[Choice[X]], node: Node[X], segment: str, at: int, values: Values) -> None:
    """Push what may accept a segment, best last."""
    waiting.extend((leaf, at, values) for leaf in reversed(node.rests.values()))
    if node.plain is not None:
        waiting.append((node.plain, at, values))
    waiting.extend((child, at, values) for child in reversed(node.constrained.values()))
    literal = node.literals.get(segment)
    if literal is not None:
        waiting.append((literal, at, values))


def _push_end(waiting: list[Choice[X]], node: Node[X], at: int, values: Values) -> None:
    """Push what may accept the end of a path."""
    prefix = node.rests.get("")
    if prefix is not None:
        waiting.append((prefix, at, values))
    if node.leaf is not None:
        waiting.append((node.leaf, at, values))
