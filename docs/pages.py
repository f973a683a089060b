"""The pages of the documentation, and the code blocks and links that stand in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parent
ROOT = DOCS.parent

_FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<info>[^`\n]*)\n(?P<code>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: what follows the fence, its text, and its first line's number."""

    info: str
    code: str
    line: int


def pages() -> list[Path]:
    """Return every page: the guide, the READMEs, and how to contribute."""
    return sorted(
        [
            *DOCS.rglob("*.md"),
            *ROOT.glob("packages/*/README.md"),
            ROOT / "README.md",
            ROOT / "CONTRIBUTING.md",
        ]
    )


def name(page: Path) -> str:
    """Return the path of a page as seen from the top."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text("utf-8")
    return [
        Block(match["info"].strip(), match["code"], text.count("\n", 0, match.start("code")) + 1)
        for match in _FENCE.finditer(text)
    ]


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text("utf-8"))


def code_words(page: Path) -> set[str]:
    """Return the words of a page that stand in code, fenced or inline."""
    code = [*re.findall(r"`[^`]+`", _prose(page)), *(block.code for block in blocks(page))]
    return set(re.findall(r"\w+", " ".join(code)))


def links(page: Path) -> list[tuple[str, str]]:
    """Return the relative links of a page, each as path and fragment."""
    targets = [link for link in _LINK.findall(_prose(page)) if not re.match(r"[a-z]+:", link)]
    return [(path, fragment) for path, _, fragment in (link.partition("#") for link in targets)]


def anchors(page: Path) -> set[str]:
    """Return the fragments that lead to the headings of a page, formed as GitHub does."""
    headings = (
        re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text) for text in _HEADING.findall(_prose(page))
    )
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}
