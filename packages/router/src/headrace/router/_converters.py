"""The converters that may stand after the colon of a variable.

A converter is a regex over one segment (or, for ``path``, over the rest), a function from decoded
text to a value, and one back. ``parse`` raises ValueError for text it does not want, which means
that the route does not match. Digits are ASCII digits, and no converter backtracks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any, NamedTuple
from uuid import UUID

__all__ = ["CONVERTERS", "Converter"]


class Converter(NamedTuple):
    """How one kind of variable reads and writes its value."""

    name: str
    regex: str
    type: type
    parse: Callable[[str], Any]
    format: Callable[[Any], str]


def _parser(regex: str, convert: Callable[[str], Any]) -> Callable[[str], Any]:
    fullmatch = re.compile(regex, re.DOTALL).fullmatch

    def parse(text: str) -> Any:
        if fullmatch(text) is None:
            raise ValueError(text)
        return convert(text)

    return parse


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


def _format_str(value: str) -> str:
    return value


def _converter(
    name: str,
    regex: str,
    type_: type,
    convert: Callable[[str], Any],
    format_: Callable[[Any], str] = str,
) -> Converter:
    return Converter(name, regex, type_, _parser(regex, convert), format_)


_HEX = "[0-9a-fA-F]"

CONVERTERS = {
    converter.name: converter
    for converter in (
        _converter("int", "-?[0-9]+", int, int),
        _converter("float", r"-?[0-9]+(?:\.[0-9]+)?", float, _parse_float, _format_float),
        _converter("uuid", f"{_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}", UUID, UUID),
        _converter("date", "[0-9]{4}-[0-9]{2}-[0-9]{2}", date, date.fromisoformat, _format_date),
        _converter("slug", "[-a-zA-Z0-9_]+", str, str, _format_str),
        _converter("path", ".*", str, str, _format_str),
    )
}
