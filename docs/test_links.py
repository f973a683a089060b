"""Check the links between pages, and that every page can be reached from the first."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import DOCS, anchors, links, name, pages


@pytest.mark.parametrize("page", [pytest.param(page, id=name(page)) for page in pages()])
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for path, fragment in links(page):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{path} does not exist"
        if fragment:
            assert fragment in anchors(target), f"{path} has no heading for #{fragment}"


def test_every_page_is_reachable_from_the_index() -> None:
    reached: set[Path] = set()
    queue = [DOCS / "index.md"]
    while queue:
        page = queue.pop()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            queue += [(page.parent / path).resolve() for path, _ in links(page) if path]
    unreached = set(DOCS.rglob("*.md")) - reached
    assert not unreached, f"no way from index.md to {sorted(map(name, unreached))}"
