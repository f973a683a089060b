"""Every Python block of the README and of the docs runs, and so does the package docstring."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import headrace.router

PACKAGE = Path(__file__).parents[1]
DOCS = PACKAGE.parents[1] / "docs"
PAGES = [
    page
    for page in (
        PACKAGE / "README.md",
        DOCS / "reference" / "router.md",
        *sorted((DOCS / "how-to").glob("router-*.md")),
    )
    if page.exists()
]
# A block of code and, directly below it, what it prints.
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
pytestmark = pytest.mark.skipif(not PAGES, reason="the docs are not part of this tree")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_runs(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = page.read_text(encoding="utf-8")
    namespace: dict[str, object] = {"__name__": page.stem}
    count = 0
    for found in BLOCK.finditer(text):
        # The lines before the block keep the numbers of errors those of the page.
        code = "\n" * text.count("\n", 0, found.start(1)) + found[1]
        exec(compile(code, str(page), "exec"), namespace)
        count += 1
        printed = capsys.readouterr().out
        if printed:
            assert found[2] is not None, f"{page.name}: what is printed is not shown"
            assert shown(printed) == shown(found[2])
    assert count >= 1


def shown(text: str) -> list[str]:
    """Return the lines without what differs between machines: files, line numbers, padding."""
    without = re.sub(r"\S*\.(?:py|md):\d+", "app.py", text.replace("(", "( ").replace(")", " )"))
    return [" ".join(line.split()) for line in without.splitlines()]


def test_the_package_docstring_runs() -> None:
    failed, attempted = doctest.testmod(headrace.router)
    assert (failed, attempted > 3) == (0, True)
