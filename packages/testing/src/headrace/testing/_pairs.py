"""Mappings and pairs, which callers may pass one for the other."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

__all__ = ["items_of"]

_V = TypeVar("_V")


def items_of(pairs: Mapping[str, _V] | Iterable[tuple[str, _V]]) -> Iterable[tuple[str, _V]]:
    """Return *pairs* as pairs; a multidict gives all values of a name."""
    # A mapping is an iterable as well, of its keys: hence Any between the two.
    given: Any = pairs
    found: Iterable[tuple[str, _V]] = given.items() if isinstance(given, Mapping) else given
    return found
