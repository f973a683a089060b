"""The Python code of the README and of the documentation runs, block after block."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import headrace.websocket

PACKAGE = Path(__file__).parents[1]
DOCS = PACKAGE.parents[1] / "docs"
PAGES = [
    PACKAGE / "README.md",
    DOCS / "reference" / "websocket.md",
    DOCS / "explanation" / "websocket-support.md",
    *sorted((DOCS / "how-to").glob("websocket-*.md")),
]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHAT = DOCS.parent / "examples" / "websocket_chat_sockets.py"


def run(blocks: list[str], name: str) -> None:
    namespace: dict[str, object] = {"__name__": name}
    for block in blocks:
        exec(compile(block, name, "exec"), namespace)


@pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=lambda p: p.name)
def test_code_of_pages(page: Path) -> None:
    blocks = BLOCK.findall(page.read_text())
    assert blocks
    run(blocks, page.name)


def test_code_of_the_package_docstring() -> None:
    docstring = headrace.websocket.__doc__ or ""
    blocks = BLOCK.findall(docstring)
    assert blocks
    run(blocks, "docstring")


@pytest.mark.skipif(not CHAT.exists(), reason="the repository's examples are away")
def test_the_chat_of_the_guide_is_the_example() -> None:
    page = (DOCS / "how-to" / "websocket-on-bare-sockets.md").read_text()
    assert CHAT.read_text() in page
