"""A second router, slow and plain, written from docs/explanation/routing-precedence.md alone.

It knows no tree: it matches every pattern as one regex, gives each match a rank, and takes the
best.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

END, LITERAL, CONSTRAINED, PLAIN, REST = range(5)

CONVERTERS: dict[str, tuple[str, Any]] = {
    "int": ("-?[0-9]+", int),
    "slug": ("[-a-zA-Z0-9_]+", str),
    "path": (".*", str),
}


class NaiveRoute(NamedTuple):
    method: str
    segments: tuple[str, ...]
    prefix: bool
    value: object

    @property
    def names(self) -> list[str]:
        return re.findall(r"\{(\w+)", "/".join(self.segments))


def decoded(raw: str) -> str:
    return unquote_to_bytes(raw).decode()


def normal(raw: str) -> str | None:
    """Decode everything but slashes, percent signs and braces."""
    if re.search("%(?![0-9a-fA-F]{2})", raw):
        return None
    kept = re.sub("%(2[Ff]|25|7[Bb]|7[Dd])", lambda found: f"%25{found[1].upper()}", raw)
    try:
        return decoded(kept)
    except UnicodeDecodeError:
        return None


def split_segment(segment: str) -> list[tuple[str, str, str]]:
    """Return (literal, name, regex or converter) for each literal and each variable."""
    found = re.findall(r"([^{}]+)|\{(\w+)(?::((?:[^{}]|\{[^{}]*\})*))?\}", segment)
    return [(a, b, c) for a, b, c in found]


def shape(segment: str) -> str:
    if kind(segment) == REST and segment.endswith(":path}") and segment.startswith("{"):
        return "{:.*}"
    return re.sub(r"\{\w+", "{", segment)


def kind(segment: str) -> int:
    variables = [spec for _, name, spec in split_segment(segment) if name]
    if not variables:
        return LITERAL
    if any(spec in (".*", ".+", "path", "[^{}]*") for spec in variables):
        return REST
    return PLAIN if re.fullmatch(r"\{\w+\}", segment) else CONSTRAINED


def pattern_regex(route: NaiveRoute) -> str:
    parts = []
    for segment in route.segments:
        parts.append("/")
        for literal, name, spec in split_segment(segment):
            regex = CONVERTERS[spec][0] if spec in CONVERTERS else spec or "[^{}/]+"
            text = re.escape(normal(literal) or "")
            parts.append(text if literal else f"(?P<{name}>{regex})")
    return "".join(parts) + ("(?P<rest__>/.*)?" if route.prefix else "")


def params(route: NaiveRoute, path: str) -> dict[str, object] | None:
    found = re.fullmatch(pattern_regex(route), path, re.DOTALL)
    if found is None:
        return None
    specs = {name: spec for s in route.segments for _, name, spec in split_segment(s) if name}
    values: dict[str, object] = {}
    for name, spec in specs.items():
        text = decoded(found[name])
        values[name] = CONVERTERS[spec][1](text) if spec in CONVERTERS else text
    return values


def rank(routes: list[NaiveRoute], route: NaiveRoute) -> list[tuple[int, int]]:
    """Return one (kind, order) pair per segment: lower goes first."""
    ranks = []
    for index, segment in enumerate(route.segments):
        so_far = [shape(text) for text in route.segments[: index + 1]]
        this = REST if kind(segment) == REST else kind(segment)
        if this == REST:  # all that remains is one step
            so_far = [shape(text) for text in route.segments]
            ranks.append((REST, first_with(routes, so_far, whole=True)))
            return ranks
        order = first_with(routes, so_far) if this == CONSTRAINED else 0
        ranks.append((this, order))
    if route.prefix:
        so_far = [shape(text) for text in route.segments]
        ranks.append((REST, first_with(routes, so_far, whole=True, prefix=True)))
    else:
        ranks.append((END, 0))
    return ranks


def first_with(
    routes: list[NaiveRoute], shapes: list[str], *, whole: bool = False, prefix: bool = False
) -> int:
    for index, route in enumerate(routes):
        theirs = [shape(text) for text in route.segments]
        if whole:
            if theirs == shapes and route.prefix == prefix:
                return index
        elif theirs[: len(shapes)] == shapes and not rest_before(route, len(shapes)):
            return index
    raise AssertionError(shapes)


def rest_before(route: NaiveRoute, count: int) -> bool:
    return any(kind(segment) == REST for segment in route.segments[:count])


def resolve(
    routes: list[NaiveRoute], method: str, raw: str
) -> tuple[object, dict[str, object]] | frozenset[str]:
    """Return the value and the parameters, or the allowed methods."""
    path = normal(raw)
    if path is None:
        return frozenset()
    matching = [route for route in routes if params(route, path) is not None]
    fitting = [route for route in matching if route.method in (method, "*")]
    if not fitting:
        return frozenset(route.method for route in matching)
    best = min(fitting, key=lambda route: (rank(routes, route), route.method == "*"))
    found = params(best, path)
    assert found is not None
    return best.value, found
