"""Make the parts of the documentation that come from tables: run it, and it writes them.

A page holds them between two comments, ``<!-- begin NAME -->`` and ``<!-- end NAME -->``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path

from cases import (
    ACCEPTED,
    ACCEPTED_RESPONSES,
    CHUNKS,
    FIELDS,
    FRAMING,
    LINES,
    REFUSED_RESPONSES,
    Refused,
    RefusedResponse,
)
from differences import BOTH_REFUSE, LENIENT, READ_OTHERWISE, STRICTER

from headrace.http_parser import Limits, RemoteProtocolError, State
from headrace.http_parser._readers import FORBIDDEN_TRAILERS
from headrace.http_parser._state import ENDING, KEPT, REQUESTER, RESPONDER, Table

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "http-support.md"


def row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def table(*titles: str, rows: Iterable[str]) -> str:
    return "\n".join([row(*titles), "|" + "---|" * len(titles), *rows])


def section(text: str) -> str:
    """Name the RFC of a section where the case tables leave it away."""
    return f"RFC 9112 {text}" if text[0].isdigit() else text


def refused(cases: tuple[Refused, ...]) -> str:
    """What is refused, and whether two well-known parsers do the same in their usual settings."""

    def peer(case: Refused, name: str) -> str:
        if case.limits != Limits():
            return ""
        return "no" if case.name in LENIENT[name] else "yes"

    return table(
        "refused",
        "fault",
        "status",
        "where it is said",
        "h11",
        "httptools",
        rows=[
            row(
                case.name,
                f"`{case.fault.name}`",
                RemoteProtocolError(case.fault).status,
                section(case.section),
                peer(case, "h11"),
                peer(case, "httptools"),
            )
            for case in cases
        ],
    )


def refused_responses(cases: tuple[RefusedResponse, ...]) -> str:
    rows = [row(case.name, f"`{case.fault.name}`", section(case.section)) for case in cases]
    return table("refused", "fault", "where it is said", rows=rows)


def accepted() -> str:
    rows = [row(case.name, section(case.section)) for case in ACCEPTED]
    return table("read", "where it is said", rows=rows)


def accepted_responses() -> str:
    rows = [row(case.name, section(case.section)) for case in ACCEPTED_RESPONSES]
    return table("read", "where it is said", rows=rows)


def limits() -> str:
    """The limits with their defaults, from the docstring that explains them."""
    entry = re.compile(r"^ {4}(\w+): (.+?)(?=^ {4}\w|\Z)", re.DOTALL | re.MULTILINE)
    documented = dict(entry.findall(inspect.cleandoc(Limits.__doc__ or "")))
    rows = [
        row(f"`{field.name}`", field.default, " ".join(documented[field.name].split()))
        for field in fields(Limits)
    ]
    return table("limit", "default", "what it counts", rows=rows)


def forbidden_trailers() -> str:
    return ", ".join(f"`{name.decode()}`" for name in sorted(FORBIDDEN_TRAILERS)) + "."


def diagram(states: Table, side: int) -> str:
    """One side's states: what it sends takes it from one to the other, or what follows for both."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for before, following in states.items():
        for kind, after in following.items():
            arrows.setdefault((before, after), []).append(kind.__name__)
    for rules, word in ((KEPT, "kept"), (ENDING, "closing")):
        for both, afterwards in rules.items():
            words = arrows.setdefault((both[side], afterwards[side]), [])
            if both[side] is not afterwards[side] and word not in words:
                words.append(word)
    drawn = [
        f"    {before.name} --> {after.name}: {', '.join(words)}"
        for (before, after), words in arrows.items()
        if words
    ]
    reached = {state.name for arrow, words in arrows.items() if words for state in arrow}
    alone = [f"    {state.name}" for state in states if state.name not in reached]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> IDLE", *drawn, *alone, "```"])


def joint() -> str:
    """What follows for both sides when a message has ended."""
    rows = [
        row(*(state.name for state in before), *(state.name for state in after), kept)
        for rules, kept in ((KEPT, "yes"), (ENDING, "no"))
        for before, after in rules.items()
    ]
    return table("requester", "responder", "becomes", "becomes", "connection is kept", rows=rows)


def differences() -> str:
    rows = [
        row(peer, f"`{words.replace('`', '')}`", word)
        for peer in STRICTER
        for words, word in STRICTER[peer].items()
    ]
    return table("refuses", "in its words", "RFC 9112, or the RFC named", rows=rows)


def read_otherwise() -> str:
    rows = [row("both", name, word) for name, word in BOTH_REFUSE.items()]
    rows += [row(peer, *pair) for peer in READ_OTHERWISE for pair in READ_OTHERWISE[peer].items()]
    return table("parser", "case", "RFC 9112, or the RFC named", rows=rows)


PARTS: dict[str, Callable[[], str]] = {
    "accepted": accepted,
    "accepted responses": accepted_responses,
    "refused lines": lambda: refused(LINES),
    "refused fields": lambda: refused(FIELDS),
    "refused framing": lambda: refused(FRAMING),
    "refused chunks": lambda: refused(CHUNKS),
    "refused responses": lambda: refused_responses(REFUSED_RESPONSES),
    "forbidden trailers": forbidden_trailers,
    "limits": limits,
    "requester": lambda: diagram(REQUESTER, 0),
    "responder": lambda: diagram(RESPONDER, 1),
    "joint": joint,
    "differences": differences,
    "read otherwise": read_otherwise,
}


def renewed(text: str) -> str:
    """Return a page with its parts made anew; each must be there once."""
    for name, make in PARTS.items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"the page does not hold {name} once")
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n{make()}\n\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
