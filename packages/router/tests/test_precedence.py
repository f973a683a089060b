"""The tables of docs/explanation/routing-precedence.md, run line by line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headrace.router import ConflictError, Match, Router

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "routing-precedence.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the docs are not part of this tree")


def rows(name: str) -> list[tuple[list[str], ...]]:
    """Return the cells of one table, each as the code spans in it."""
    if not PAGE.exists():
        return []
    text = PAGE.read_text(encoding="utf-8").partition(f"<!-- table: {name} -->")[2]
    lines = text.strip().split("\n\n")[0].splitlines()[2:]
    return [
        tuple(re.findall("`([^`]+)`", cell) for cell in line.strip("|").split(" | "))
        for line in lines
    ]


def add(router: Router[str], text: str) -> None:
    method, path = text.split(" ", 1)
    host, slash, path = path.partition("/")
    table = router.add_host(host) if host else router
    if path.endswith("/..."):
        table.add_prefix(slash + path.removesuffix("/..."), text, method=method)
    else:
        table.add_route(method, slash + path, text)


def ids(row: tuple[list[str], ...]) -> str:
    return " ".join(" ".join(cell) for cell in row)


@pytest.mark.parametrize("row", rows("precedence"), ids=ids)
def test_precedence(row: tuple[list[str], ...]) -> None:
    routes, (request,), (answer, *allowed) = row
    router: Router[str] = Router()
    for route in routes:
        add(router, route)
    method, target = request.split(" ")
    host, slash, path = target.partition("/")
    found = router.resolve(method, slash + path, host or None)
    if isinstance(found, Match):
        assert found.value == answer
    else:
        assert answer == "-"
        assert sorted(found.allowed) == " ".join(allowed).split()


@pytest.mark.parametrize("row", rows("refused"), ids=ids)
def test_refused(row: tuple[list[str], ...]) -> None:
    (first,), (second,) = row[:2]
    router: Router[str] = Router()
    add(router, first)
    with pytest.raises(ConflictError) as caught:
        add(router, second)
    assert caught.value.existing == first
    assert caught.value.added == second
    assert caught.value.added_at[0] == caught.value.existing_at[0] == __file__
    assert len(router.routes()) == 1


@pytest.mark.parametrize("row", rows("accepted"), ids=ids)
def test_accepted(row: tuple[list[str], ...]) -> None:
    (first,), (second,) = row[:2]
    router: Router[str] = Router()
    add(router, first)
    add(router, second)
    assert [str(route) for route in router.routes()] == [first, second]


@pytest.mark.parametrize("name", ["precedence", "refused", "accepted"])
def test_the_page_holds_the_tables(name: str) -> None:
    assert len(rows(name)) >= 6
