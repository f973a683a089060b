"""The pattern language: text in, pieces out, and a position in every complaint.

This module reads ``/users/{user}/posts/{post:int}`` into literals and variables. It knows neither
how they are matched nor where they stand in a table.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ._converters import CONVERTERS, Converter
from ._errors import PatternError
from ._quoting import broken_escape, normalize

__all__ = ["PLAIN", "Piece", "Variable", "flatten", "parse_pieces", "split_labels"]

# The regex of a variable that gives none: one segment, not empty.
PLAIN = "[^{}/]+"

# One element of a regex that consumes a character or escapes one: a class, an escape, or a
# character.
_ATOM = re.compile(
    r"\[\^?\]?(?:\\.|[^\]\\])*\]"
    r"|\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|N\{[^}]*\}|[0-7]{1,3}|.)"
    r"|.",
    re.DOTALL,
)
_MEANINGLESS_ALONE = frozenset("()|*+?{}^$")


class Variable(NamedTuple):
    """One ``{name}``, ``{name:regex}`` or ``{name:converter}``."""

    name: str
    regex: str
    converter: Converter | None
    spans: bool

    @property
    def plain(self) -> bool:
        """Say that it takes any one segment."""
        return self.regex == PLAIN

    @property
    def shape(self) -> str:
        """What it accepts, without its name."""
        if self.plain:
            return "{}"
        return f"{{:{self.converter.name if self.converter else self.regex}}}"


Piece = str | Variable


def can_match_slash(regex: str) -> bool:
    """Say whether some element of ``regex`` accepts a slash, so that it may span segments.

    The answer errs on the side of yes: a lookahead that only mentions a slash counts.
    """
    return any(_accepts_slash(found[0]) for found in _ATOM.finditer(regex))


def _accepts_slash(atom: str) -> bool:
    if atom in _MEANINGLESS_ALONE:
        return False
    return re.fullmatch(atom, "/", re.DOTALL) is not None


def flatten(regex: str) -> str:
    """Return a regex that accepts the same text, without one repetition directly in another.

    ``(a+)+`` accepts what ``a+`` does, but tries exponentially many ways to do so before it gives
    up: the classic of regexes that a hostile path can turn against its server.
    """
    if "(?(" in regex:  # a condition counts groups
        return regex
    atoms = [found[0] for found in _ATOM.finditer(regex)]
    index = 0
    while index < len(atoms):
        end, flat = _nested(atoms, index)
        if flat is None:
            index += 1
        else:
            atoms[index:end] = flat  # and look again: it may be nested in another one
            index = max(index - 3, 0)
    return "".join(atoms)


def _nested(atoms: list[str], start: int) -> tuple[int, list[str] | None]:
    """Return the end and the short form of ``(a+)*`` or ``(?:a+)*`` at ``start``, or None."""
    if atoms[start] != "(":
        return start, None
    first = start + 3 if atoms[start + 1 : start + 3] == ["?", ":"] else start + 1
    match atoms[first : first + 5]:
        case [atom, ("+" | "*") as inner, ")", ("+" | "*") as outer, *more]:
            # A mark after a repetition makes it lazy or possessive, which is another matter.
            if atom not in _MEANINGLESS_ALONE and more not in (["+"], ["?"]):
                return first + 4, [atom, "+" if inner == outer == "+" else "*"]
    return start, None


def parse_pieces(text: str) -> tuple[Piece, ...]:
    """Split a pattern into literals, in normal form, and variables.

    Raises:
        PatternError: with the position of the first thing that is not understood.
    """
    if text and not text.startswith("/"):
        raise PatternError(text, 0, "a path starts with '/'")
    pieces: list[Piece] = []
    names: set[str] = set()
    position = 0
    while position < len(text):
        if text[position] == "{":
            end = _closing_brace(text, position)
            variable = _parse_variable(text, position + 1, end)
            if variable.name in names:
                raise PatternError(text, position + 1, f"variable {variable.name!r} is there twice")
            names.add(variable.name)
            pieces.append(variable)
            position = end + 1
        else:
            end = text.find("{", position)
            end = len(text) if end < 0 else end
            pieces.append(_parse_literal(text, position, end))
            position = end
    return tuple(pieces)


def split_labels(text: str) -> list[str]:
    """Split a host pattern at the dots outside of its variables."""
    labels = [""]
    position = 0
    while position < len(text):
        end = _closing_brace(text, position) if text[position] == "{" else position
        if text[position] == ".":
            labels.append("")
        else:
            labels[-1] += text[position : end + 1]
        position = end + 1
    return labels


def _parse_literal(text: str, start: int, end: int) -> str:
    literal = text[start:end]
    brace = literal.find("}")
    if brace >= 0:
        raise PatternError(text, start + brace, "'}' closes nothing (a literal one is %7D)")
    normal = normalize(literal)
    if normal is None:
        raise PatternError(text, start + broken_escape(literal), "malformed percent-escape")
    return normal


def _closing_brace(text: str, start: int) -> int:
    """Find the brace that closes the variable at ``start``; regexes may hold balanced ones."""
    depth = 0
    for found in _ATOM.finditer(text, start):
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth -= 1
            if depth == 0:
                return found.start()
    raise PatternError(text, start, "'{' is never closed")


def _parse_variable(text: str, start: int, end: int) -> Variable:
    name, colon, regex = text[start:end].partition(":")
    if not name.isidentifier():
        raise PatternError(text, start, f"expected an identifier, found {name!r}")
    if not colon or regex in (PLAIN, "[^/]+"):
        return Variable(name, PLAIN, None, spans=False)
    regex_start = start + len(name) + 1
    if not regex:
        raise PatternError(text, regex_start, "expected a regex or a converter after ':'")
    converter = CONVERTERS.get(regex)
    if converter is not None:
        return Variable(name, converter.regex, converter, can_match_slash(converter.regex))
    _check_regex(text, regex, regex_start)
    return Variable(name, regex, None, can_match_slash(regex))


def _check_regex(text: str, regex: str, start: int) -> None:
    try:
        re.compile(regex, re.DOTALL)
    except re.error as error:
        raise PatternError(text, start + (error.pos or 0), f"bad regex: {error.msg}") from None
    for found in _ATOM.finditer(regex):
        if re.fullmatch(r"\\[1-9][0-9]?", found[0]) is not None:
            # Several variables share one regex, so group numbers are not the author's own.
            raise PatternError(
                text, start + found.start(), "numbered backreferences are not supported"
            )
