"""The documentation is what the tables say, and its code runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tables import PAGE, renewed

import headrace.http_parser

PACKAGE = Path(__file__).parents[1]
DOCS = PAGE.parents[1]
PAGES = [
    PACKAGE / "README.md",
    DOCS / "reference" / "http-parser.md",
    *sorted((DOCS / "how-to").glob("http-parser-*.md")),
]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(blocks: list[str], name: str) -> None:
    assert blocks
    namespace: dict[str, object] = {"__name__": name}
    for block in blocks:
        exec(compile(block, name, "exec"), namespace)


@pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=lambda p: p.name)
def test_code_of_pages(page: Path) -> None:
    run(BLOCK.findall(page.read_text()), page.name)


def test_code_of_the_package_docstring() -> None:
    run(BLOCK.findall(headrace.http_parser.__doc__ or ""), "docstring")


@pytest.mark.skipif(not PAGE.exists(), reason="the repository's documentation is away")
def test_the_tables_of_the_page_are_up_to_date() -> None:
    """If they are not: python tests/tables.py."""
    assert renewed(PAGE.read_text()) == PAGE.read_text()


@pytest.mark.skipif(not PAGE.exists(), reason="the repository's documentation is away")
@pytest.mark.parametrize("role", ["server", "client"])
def test_the_programs_of_the_guides_are_the_examples(role: str) -> None:
    example = (DOCS.parent / "examples" / f"http_{role}_blocking.py").read_text()
    assert example in (DOCS / "how-to" / f"http-parser-{role}.md").read_text()


def test_a_part_that_is_missing_is_noticed() -> None:
    with pytest.raises(ValueError, match="does not hold accepted once"):
        renewed("<!-- begin accepted -->\n")
