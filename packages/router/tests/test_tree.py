"""The tree alone: what stands in each other's way, and in which order leaves are found."""

from __future__ import annotations

import pytest

from headrace.router._pattern import Pattern
from headrace.router._tree import Tree


def tree(*patterns: str) -> Tree[str]:
    tree: Tree[str] = Tree()
    for pattern in patterns:
        below = pattern.endswith("/...")
        leaf = tree.leaf(Pattern(pattern.removesuffix("/..."), prefix=below))
        leaf.targets["GET"] = pattern
    return tree


@pytest.mark.parametrize(
    ("patterns", "new", "method", "rival"),
    [
        (["/{a}"], "/{b}", "GET", "/{a}"),
        (["/{a}"], "/{b}", "POST", None),
        (["/{a:.*}"], "/{b:.+}", "GET", "/{a:.*}"),
        (["/{a:.*}"], "/{b:.+}", "POST", None),
        (["/{a:.*}"], "/{b:.+}", "*", None),
        (["/{a:.*}"], "/...", "GET", None),
        (["/..."], "/{a:.*}", "GET", "/..."),
        (["/{a:.+}"], "/{b:.*}", "GET", None),
        (["/{a:.*}", "/{b:.+}/c"], "/{a:.*}", "POST", None),
        (["/x/{a:.*}"], "/{b:.+}", "GET", None),
    ],
)
def test_rivals(patterns: list[str], new: str, method: str, rival: str | None) -> None:
    table = tree(*patterns)
    leaf = table.leaf(Pattern(new.removesuffix("/..."), prefix=new.endswith("/...")))
    assert leaf.rival(method) == rival


def test_a_star_of_an_earlier_rest_hides_every_method() -> None:
    table: Tree[str] = Tree()
    table.leaf(Pattern("/{a:.*}")).targets["*"] = "first"
    assert table.leaf(Pattern("/{b:.+}")).rival("PUT") == "first"


def test_a_new_method_may_hide_a_later_rest() -> None:
    table: Tree[str] = Tree()
    first = table.leaf(Pattern("/{a:.*}"))
    first.targets["GET"] = "first"
    later = table.leaf(Pattern("/{b:.+}"))
    later.targets["POST"] = "later"
    assert first.rival("POST") == "later"
    assert first.rival("*") == "later"
    assert first.rival("PUT") is None


def test_a_later_rest_does_not_hide_a_new_method_of_an_earlier_one() -> None:
    table: Tree[str] = Tree()
    first = table.leaf(Pattern("/{a:.+}"))
    first.targets["GET"] = "first"
    table.leaf(Pattern("/{b:.*}")).targets["POST"] = "later"
    assert first.rival("POST") is None


def test_leaves_come_in_order_of_precedence() -> None:
    patterns = ["/{t:.*}", "/{t:.+}/c", "/...", "/{x}/c", "/{x:int}/c", "/7/c", "/{x}/{y}"]
    found = [leaf.leaf.targets["GET"] for leaf in tree(*patterns).walk("/7/c")]
    assert found == [
        *("/7/c", "/{x:int}/c", "/{x}/c", "/{x}/{y}"),
        *("/{t:.*}", "/{t:.+}/c", "/..."),
    ]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/7/c", "/7/c"),
        ("/8/c", "/{x:int}/{y}"),
        ("/x/c", "/{x}/c"),
        ("/x/d/e", "/{x}/{y}/..."),
        ("/", "/{t:.*}"),
        ("/7/d", None),  # the literal 7 has no d below it
        ("/x/d", None),  # a prefix without a rest is left to the walk
    ],
)
def test_the_first_choice_is_the_first_of_the_walk(path: str, found: str | None) -> None:
    table = tree("/{t:.*}", "/7/c", "/{x:int}/{y}", "/{x}/c", "/{x}/{y}/...")
    first = table.first("GET", path)
    walked = next(table.walk(path)).leaf.targets["GET"]
    assert walked
    assert found == (first[0] if first else None)
    assert found in (None, walked)
    assert table.first("PUT", path) is None


def test_a_path_starts_with_a_slash() -> None:
    table = tree("/...", "/{x}")
    assert table.first("GET", "x/y") is None
    assert list(table.walk("x/y")) == []
