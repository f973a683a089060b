"""Host patterns: which tables answer for a host, and in which order.

A host is read from the right, label by label, as a path is from the left, so it has the same tree
and the same order of precedence. A ``*`` as the first label stands for one or more labels.
"""

from __future__ import annotations

import re
from typing import Generic, TypeVar

from yarl import URL

from ._errors import PatternError
from ._pattern import Pattern
from ._syntax import split_labels
from ._tree import Tree

__all__ = ["Hosts"]

R = TypeVar("R")

_WILDCARD = "any_labels"
_PORT = re.compile(r":[0-9]*\Z")
# Nothing of these is in a host name, and the tree would read them as something else.
_NO_HOST = re.compile(r"[/%{}\s]")


def normal_host(host: str) -> str:
    """Return a Host field's name in lower case, without its port and its root dot."""
    return _PORT.sub("", host).removesuffix(".").lower()


class Hosts(Generic[R]):
    """Tables by host pattern."""

    __slots__ = ("_by_pattern", "_exact", "_tree", "_variable")

    def __init__(self) -> None:
        self._by_pattern: dict[str, R] = {}
        self._exact: dict[str, R] = {}  # by host in normal form
        self._variable = False  # some pattern is not exact, so only the tree knows the order
        self._tree: Tree[tuple[R, tuple[str, ...]]] = Tree()

    def __bool__(self) -> bool:
        return bool(self._by_pattern)

    def tables(self) -> tuple[R, ...]:
        """Return all tables, in order of registration."""
        return tuple(self._by_pattern.values())

    def get(self, pattern: str) -> R | None:
        """Return the table of a host pattern, or None."""
        return self._by_pattern.get(pattern)

    def add(self, pattern: str, table: R) -> R:
        """Add a table, or return the one whose pattern has the same shape and the same names."""
        parsed = host_pattern(pattern)
        leaf = self._tree.leaf(parsed)
        taken = leaf.targets.get("*")
        if taken is not None and taken[1] != parsed.names:
            raise PatternError(
                pattern, 0, f"another host pattern has this shape, with the names {taken[1]}"
            )
        known = leaf.targets.setdefault("*", (table, parsed.names))[0]
        if parsed.static is None:
            self._variable = True
        else:
            self._exact[_host(parsed.static)] = known
        return self._by_pattern.setdefault(pattern, known)

    def names(self, pattern: str) -> frozenset[str]:
        """Return the variables of a host pattern."""
        return frozenset(host_pattern(pattern).names) - {_WILDCARD}

    def match(self, host: str) -> list[tuple[R, dict[str, object]]]:
        """Return the tables that answer for a host, best first, with the host's variables."""
        if not self._variable:
            exact = self._exact.get(host) or self._exact.get(normal_host(host))
            return [] if exact is None else [(exact, {})]
        if _NO_HOST.search(host) is not None:
            return []
        path = "/" + "/".join(reversed(normal_host(host).split(".")))
        matches = []
        for found in self._tree.walk(path):
            table, names = found.leaf.targets["*"]
            params = dict(zip(names, found.values, strict=True))
            params.pop(_WILDCARD, None)
            matches.append((table, params))
        return matches


def _host(path: str) -> str:
    """Return the host whose labels a path holds from right to left."""
    return ".".join(reversed(path[1:].split("/")))


def host_pattern(text: str) -> Pattern:
    """Read a host pattern into a pattern over its labels from right to left.

    Raises:
        PatternError: when it is not one.
    """
    labels = split_labels(text)
    if labels == ["*"] or not all(labels):
        raise PatternError(text, 0, "expected labels separated by dots")
    segments: list[str] = []
    names: set[str] = set()
    start = 0
    for label in labels:
        segments.append(_segment(text, start, label))
        variables = Pattern(f"/{segments[-1]}").names
        if not names.isdisjoint(variables):
            raise PatternError(text, start, f"a variable of {label!r} is there twice")
        names.update(variables)
        start += len(label) + 1
    return Pattern("/" + "/".join(reversed(segments)), spanning=(_WILDCARD,))


def _segment(text: str, start: int, label: str) -> str:
    """Return the segment of a path pattern that stands for a label."""
    if label == "*" and start == 0:
        return f"{{{_WILDCARD}:.+}}"
    if "{" in label:
        try:
            Pattern(f"/{label}")
        except PatternError as error:
            raise PatternError(text, start + max(error.position - 1, 0), error.reason) from None
        return label
    if "*" in label:
        raise PatternError(
            text, start + label.index("*"), "'*' stands alone, as the first of several labels"
        )
    if _NO_HOST.search(label) is not None:
        raise PatternError(text, start, f"{label!r} is no label of a host name")
    return _ascii(text, start, label)


def _ascii(text: str, start: int, label: str) -> str:
    if label.isascii():
        return label.lower()
    try:
        return URL.build(scheme="http", host=label).raw_host or label
    except ValueError as error:
        raise PatternError(text, start, f"{label!r} is no label of a host name: {error}") from None
