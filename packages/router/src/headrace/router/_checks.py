"""What a table refuses, and where the refused thing was written."""

from __future__ import annotations

import re
import sys
from keyword import iskeyword
from typing import TypeVar

from ._errors import ConflictError, PatternError, Source
from ._routes import Match, Route, Target

__all__ = ["caller", "check_free", "check_name"]

T = TypeVar("T")

_SEPARATORS = re.compile(r"[.:-]")


def check_name(name: str) -> None:
    """Refuse a name that is not identifiers separated by '-', '.' or ':'.

    Raises:
        PatternError: with the position of the first part that is none.
    """
    position = 0
    for part in _SEPARATORS.split(name):
        if not part.isidentifier() or iskeyword(part):
            raise PatternError(
                name, position, f"a name is made of identifiers with '-', '.' or ':', not {part!r}"
            )
        position += len(part) + 1


def check_free(route: Route[T], rival: Match[T] | Target[T] | None) -> None:
    """Refuse a route when it or its rival could never run.

    Raises:
        ConflictError: naming both.
    """
    if rival is not None:
        raise ConflictError(
            "one of these routes could never run",
            str(route),
            route.source,
            str(rival.route),
            rival.route.source,
        )


def caller() -> Source:
    """Return the file and line of the innermost frame outside the project."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("headrace."):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
