"""What can go wrong while a table is built, and while a URL is built.

Rules of this module: resolving raises nothing, so every class here speaks of construction. Facts
are attributes; the text is composed in ``__str__`` and always says which pattern is meant.
"""

from __future__ import annotations

__all__ = ["BuildError", "ConflictError", "FrozenError", "PatternError", "RouterError"]

Source = tuple[str, int]


def at(source: Source) -> str:
    """Return a source position the way tracebacks and editors write it."""
    return f"{source[0]}:{source[1]}"


class RouterError(Exception):
    """Root of every error this package raises."""


class PatternError(RouterError, ValueError):
    """A pattern, a name or a method that can not be understood.

    ``pattern`` is the text as it was given, ``position`` the offset in characters where it stops
    making sense, ``reason`` what was found and what was expected.
    """

    def __init__(self, pattern: str, position: int, reason: str) -> None:
        super().__init__(pattern, position, reason)
        self.pattern = pattern
        self.position = position
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"{self.reason}, at position {self.position} of pattern {self.pattern!r}\n"
            f"  {self.pattern}\n"
            f"  {' ' * self.position}^"
        )


class ConflictError(RouterError, ValueError):
    """A route that could never run, or a name that is already taken.

    ``added`` and ``existing`` are what the two are called ("GET /users/{id}", "name 'root'"),
    ``added_at`` and ``existing_at`` the (file, line) where each of them was added.
    """

    def __init__(
        self, reason: str, added: str, added_at: Source, existing: str, existing_at: Source
    ) -> None:
        super().__init__(reason, added, added_at, existing, existing_at)
        self.reason = reason
        self.added = added
        self.added_at = added_at
        self.existing = existing
        self.existing_at = existing_at

    def __str__(self) -> str:
        return (
            f"{self.reason}\n"
            f"  added:    {self.added} ({at(self.added_at)})\n"
            f"  existing: {self.existing} ({at(self.existing_at)})"
        )


class BuildError(RouterError, ValueError):
    """A URL that can not be built from the parts that were given.

    ``missing`` and ``extra`` are the names of parts, both empty when a value is to blame.
    """

    def __init__(
        self,
        pattern: str,
        reason: str = "",
        *,
        missing: tuple[str, ...] = (),
        extra: tuple[str, ...] = (),
    ) -> None:
        super().__init__(pattern, reason)
        self.pattern = pattern
        self.reason = reason
        self.missing = missing
        self.extra = extra

    def __str__(self) -> str:
        reasons = [self.reason] if self.reason else []
        if self.missing:
            reasons.append(f"missing parts: {', '.join(self.missing)}")
        if self.extra:
            reasons.append(f"unknown parts: {', '.join(self.extra)}")
        return f"can not build a URL for {self.pattern!r}: {'; '.join(reasons)}"


class FrozenError(RouterError, RuntimeError):
    """A change to a router after ``freeze()``."""
