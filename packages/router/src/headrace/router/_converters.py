"""The converters that may stand after the colon of a variable.

A converter is a regex over one segment (or, for ``path``, over the rest), a function from the text
it accepts to a value, and one back. Digits are ASCII digits, and no regex here backtracks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any, NamedTuple
from uuid import UUID

__all__ = ["CONVERTERS", "Converter"]


class Converter(NamedTuple):
    """How one kind of variable reads and writes its value.

    ``parse`` sees only text that the regex has accepted, and may still raise ValueError, which
    means that the route does not match. ``format`` raises ValueError for a value that has no
    text.
    """

    name: str
    regex: str
    type: type
    parse: Callable[[str], Any]
    format: Callable[[Any], str]


def _parse_float(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return value


def _format_float(value: float) -> str:
    if not isfinite(value):
        raise ValueError("only finite numbers have a place in a path")
    # repr has the fewest digits that read back equal; Decimal writes them without an exponent.
    return format(Decimal(repr(float(value))), "f")


def _format_date(value: date) -> str:
    # datetime is a date too, but its isoformat carries a time.
    return f"{value.year:04}-{value.month:02}-{value.day:02}"


_HEX = "[0-9a-fA-F]"

CONVERTERS = {
    converter.name: converter
    for converter in (
        # A number too long for int() raises ValueError, so a hostile one costs nothing.
        Converter("int", "-?[0-9]+", int, int, str),
        Converter("float", r"-?[0-9]+(?:\.[0-9]+)?", float, _parse_float, _format_float),
        Converter("uuid", f"{_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}", UUID, UUID, str),
        Converter("date", "[0-9]{4}-[0-9]{2}-[0-9]{2}", date, date.fromisoformat, _format_date),
        Converter("slug", "[-a-zA-Z0-9_]+", str, str, str),
        Converter("path", ".*", str, str, str),
    )
}
