"""The table of routes for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeVar

from ._errors import at
from ._routes import Route

__all__ = ["as_json", "as_text"]

T = TypeVar("T")

_COLUMNS = ("method", "pattern", "name", "value", "source")


def _cells(route: Route[T]) -> dict[str, str | None]:
    resource = route.resource
    return {
        "host": resource.host,
        "method": route.method,
        "pattern": str(resource).removeprefix(resource.host or ""),
        "name": route.name,
        "value": _called(route.value),
        "source": at(route.source),
    }


def _called(value: object) -> str:
    """Return a function's or class's full name, and the repr of anything else."""
    name = getattr(value, "__qualname__", None)
    module = getattr(value, "__module__", None)
    if isinstance(name, str) and isinstance(module, str):
        return f"{module}.{name}"
    return repr(value)


def as_text(routes: Iterable[Route[T]]) -> str:
    """Return one line per route under a line of headings, in aligned columns."""
    rows = [_cells(route) for route in routes]
    columns = _COLUMNS if all(row["host"] is None for row in rows) else ("host", *_COLUMNS)
    lines = [columns, *(tuple(row[column] or "" for column in columns) for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def as_json(routes: Iterable[Route[T]]) -> str:
    """Return an array of one object per route, with the text table's columns as keys."""
    return json.dumps([_cells(route) for route in routes], indent=2)
