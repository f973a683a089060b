"""Hostile paths cost linear work, and the size of the table costs nothing.

Work is counted, not timed: instructions of the interpreter, calls of matchers, characters scanned.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, SupportsIndex

import pytest

from headrace.router import Router
from headrace.router._pattern import Pattern
from headrace.router._tree import Node, Tree


def instructions(fn: Callable[[], object]) -> int:
    """Count the bytecode instructions that a call takes."""
    monitoring: Any = getattr(sys, "monitoring", None)  # since Python 3.12
    return traced(fn) if monitoring is None else monitored(fn, monitoring)


def traced(fn: Callable[[], object]) -> int:
    count = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        fn()
    finally:
        sys.settrace(before)
    return count


def monitored(fn: Callable[[], object], monitoring: Any) -> int:
    count = 0

    def counted(code: object, offset: int) -> None:
        nonlocal count
        count += 1

    event = monitoring.events.INSTRUCTION
    monitoring.use_tool_id(4, "instructions")
    monitoring.register_callback(4, event, counted)
    monitoring.set_events(4, event)
    try:
        fn()
    finally:
        monitoring.set_events(4, 0)
        monitoring.free_tool_id(4)
    return count


def cost(router: Router[Any], path: str, method: str = "GET") -> int:
    return instructions(lambda: router.resolve(method, path))


def test_the_count_sees_work() -> None:
    assert instructions(lambda: sum(i for i in range(200))) > 2 * instructions(
        lambda: sum(i for i in range(50))
    )


class TestTableSize:
    def router(self, size: int) -> Router[int]:
        router: Router[int] = Router()
        for index in range(size):
            router.add_route("GET", f"/api/static{index}", index)
            router.add_route("GET", f"/api/variable{index}/{{x}}", index)
            router.add_route("GET", f"/api/converted{index}/{{x:int}}/end", index)
            router.add_prefix(f"/api/prefix{index}", index)
        return router

    @pytest.mark.parametrize(
        "path",
        [
            "/api/static9",
            "/api/variable9/x",
            "/api/converted9/12/end",
            "/api/prefix9/a/b",
            "/api/unknown",
            "/api/variable9/a%20b",
        ],
    )
    def test_the_last_of_a_thousand_costs_what_the_last_of_ten_does(self, path: str) -> None:
        small, large = self.router(10), self.router(1000)
        last = path.replace("9", "999")
        assert cost(large, last) == cost(small, path)

    def test_adding_costs_the_same_at_any_size(self) -> None:
        router: Router[int] = Router()
        first = instructions(lambda: router.add_route("GET", "/a/b/{x}", 0))
        for index in range(1000):
            router.add_route("GET", f"/a/b{index}/{{x}}", index)
        assert instructions(lambda: router.add_route("GET", "/a/c/{x}", 0)) <= first


class TestPathLength:
    """Twice the path is at most twice the work, and often none."""

    @pytest.mark.parametrize(
        "path",
        [
            "/a" * 10_000,
            "/" * 10_000,
            "/a/" + "b" * 65_536,
            "/a/" + "-" * 65_536,
            "/f/" + "x/" * 30_000,
            "/a/" + "1" * 65_536,
            "/e/" + "%2F" * 20_000,
            "/e/" + "x%20" * 16_000,
            "/e/" + "%C3%A9" * 10_000 + "%",
            "/p/" + "edit/" * 13_000,
        ],
        ids=lambda path: path[:8],
    )
    def test_work_grows_no_faster_than_the_path(self, path: str) -> None:
        router: Router[str] = Router()
        for pattern in (
            *("/a/{x:int}", "/a/{x}-{y}.{z}", "/a/{x}/b/{y}", "/a/a/a/a/{x:slug}/c"),
            *("/f/{tail:.*}", "/e/{x}", "/e/{tail:path}/end", "/p/{tail:.*}/edit/{x}"),
        ):
            router.add_route("GET", pattern, pattern)
        one, two = cost(router, path), cost(router, path[:3] + path[3:] * 2)
        assert two <= 2.1 * one


class CountingText(str):
    """Text that adds up how far ``rfind`` had to look."""

    __slots__ = ("scanned",)

    def rfind(
        self, sub: str, start: SupportsIndex | None = None, end: SupportsIndex | None = None
    ) -> int:
        found = super().rfind(sub, start, end)
        assert start is not None
        assert end is not None
        self.scanned = getattr(self, "scanned", 0) + int(end) - max(found, int(start))
        return found


@pytest.mark.parametrize("text", ["-" * 4096, "a-" * 2048, "-." * 2048, "." * 4096])
def test_variables_in_one_segment_look_at_each_character_once(text: str) -> None:
    step = Pattern("/{a}-{b}-{c}.{d}-{e}").steps[0]
    counting = CountingText(text)
    assert step.match is not None
    step.match(counting)
    assert 0 < counting.scanned <= len(text) + 5


def nodes(node: Node[Any]) -> Iterator[Node[Any]]:
    yield node
    children = (*node.literals.values(), *node.constrained.values(), node.plain)
    for child in children:
        if child is not None:
            yield from nodes(child)


class TestBacktracking:
    """Siblings that all accept a segment are tried once each, not once per way to reach them."""

    def tries(self, tree: Tree[Any], path: str) -> int:
        count = 0

        def note(choice: object, accepted: bool) -> None:
            nonlocal count
            count += 1

        assert list(tree.walk(path, note)) == []
        return count

    @pytest.mark.parametrize("depth", [2, 4, 8])
    def test_a_walk_visits_no_node_twice(self, depth: int) -> None:
        tree: Tree[Any] = Tree()
        choices = ("a", "{%s}", r"{%s:\w+}")
        for picked in itertools.islice(itertools.product(choices, repeat=depth), 2000):
            segments = [
                text % f"v{index}" if "%" in text else text for index, text in enumerate(picked)
            ]
            tree.leaf(Pattern("/" + "/".join(segments) + "/end"))
        size = sum(1 for _ in nodes(tree.root))
        assert depth < self.tries(tree, "/a" * depth + "/nowhere") < size

    def test_patterns_that_share_all_but_one_segment(self) -> None:
        tree: Tree[Any] = Tree()
        depth = 60
        for index in range(depth):
            segments = ["a"] * depth
            segments[index] = "{x}"
            tree.leaf(Pattern("/" + "/".join(segments) + "/end"))
        size = sum(1 for _ in nodes(tree.root))
        assert self.tries(tree, "/a" * depth + "/nowhere") < size <= depth * depth

    def test_the_classic_of_catastrophic_regexes_is_harmless(self) -> None:
        # Unflattened, each of these would try some 2**4000 ways before it gives up.
        router: Router[int] = Router()
        for index, regex in enumerate(["(a+)+", "(?:a*)*", "(?:(?:[a-z]+)+)+x", r"(\w+)*"]):
            router.add_route("GET", f"/{{a:{regex}}}/{index}", index)
            router.add_route("GET", f"/{{a:{regex}}}-{{b:int}}", index)
        found = router.resolve("GET", "/" + "a" * 4000 + "!")
        assert not found
        assert not found.allowed

    def test_a_regex_is_asked_once_per_segment(self) -> None:
        router: Router[int] = Router()
        router.add_route("GET", "/{a:[a-z]+}/x/{b}", 1)
        router.add_route("GET", "/{a:[a-z]+}/{c}/y", 2)
        router.add_route("GET", "/{a:[a-z]+}/{c:int}/z", 3)
        steps = router.explain("GET", "/abc/x/none").steps
        assert sum("{:[a-z]+}" in step for step in steps[:-1]) == 1
