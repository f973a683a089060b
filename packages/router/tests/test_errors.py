"""Messages say which pattern, where in it, and where in the source."""

from __future__ import annotations

import pytest

from headrace.router import (
    BuildError,
    ConflictError,
    FrozenError,
    PatternError,
    RouterError,
)


def test_a_pattern_error_points_at_the_position() -> None:
    error = PatternError("/a/{b", 3, "'{' is never closed")
    assert str(error).splitlines() == [
        "'{' is never closed, at position 3 of pattern '/a/{b'",
        "  /a/{b",
        "     ^",
    ]
    assert (error.pattern, error.position) == ("/a/{b", 3)


def test_a_conflict_names_both_with_their_lines() -> None:
    error = ConflictError("no", "GET /a", ("app.py", 3), "GET /b", ("lib.py", 7))
    assert str(error).splitlines() == [
        "no",
        "  added:    GET /a (app.py:3)",
        "  existing: GET /b (lib.py:7)",
    ]
    assert error.added_at == ("app.py", 3)
    assert error.existing_at == ("lib.py", 7)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (BuildError("/a", "why"), "can not build a URL for '/a': why"),
        (
            BuildError("/a", missing=("x", "y"), extra=("z",)),
            "can not build a URL for '/a': missing parts: x, y; unknown parts: z",
        ),
    ],
)
def test_a_build_error_names_the_parts(error: BuildError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (PatternError, ValueError),
        (ConflictError, ValueError),
        (BuildError, ValueError),
        (FrozenError, RuntimeError),
    ],
)
def test_every_error_has_one_root(error: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(error, RouterError)
    assert issubclass(error, builtin)
