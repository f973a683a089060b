"""Header fields that are checked when they are set, not when they are sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from multidict import CIMultiDict

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


def check_field(name: object, value: object) -> None:
    """Check what is about to become a field (RFC 9110, sections 5.1 and 5.5).

    Raises:
        ValueError: The name is no token, or the value has a control character.
        TypeError: One of them is no string.
    """
    if not isinstance(name, str) or not isinstance(value, str):
        raise TypeError(f"name and value of a header field are strings, not {name!r} and {value!r}")
    if _NAME.fullmatch(name) is None:
        raise ValueError("a header name must be a token: letters, digits and !#$%&'*+-.^_`|~")
    if _VALUE.fullmatch(value) is None:
        raise ValueError(f"the value of {name} contains CR, LF, NUL or another control character")


def checked_reason(reason: str) -> str:
    """Return *reason*, which is about to become a reason phrase.

    Raises:
        ValueError: It has more than one line.
    """
    if "\r" in reason or "\n" in reason:
        raise ValueError("a reason phrase cannot contain CR or LF")
    return reason


class ResponseHeaders(CIMultiDict[str]):
    """The fields of a response; setting one that could forge others is a ValueError."""

    def __init__(self, fields: Any = (), /) -> None:
        super().__init__(_checked(fields))

    def add(self, key: str, value: str) -> None:
        """Add a field, beside others of its name."""
        check_field(key, value)
        super().add(key, value)

    def __setitem__(self, key: str, value: str) -> None:
        check_field(key, value)
        super().__setitem__(key, value)

    def setdefault(self, key: str, default: Any = None) -> str:
        """Set a field unless there is one of its name; return the one that is there."""
        if key not in self:
            check_field(key, default)
        return super().setdefault(key, default)

    def extend(self, *args: Any, **kwargs: str) -> None:
        """Add fields, beside others of their names."""
        super().extend(_checked(*args, **kwargs))

    def update(self, *args: Any, **kwargs: str) -> None:
        """Set fields, in place of others of their names."""
        super().update(_checked(*args, **kwargs))

    def merge(self, *args: Any, **kwargs: str) -> None:
        """Add fields, except where there is one of the name already."""
        super().merge(_checked(*args, **kwargs))


def _checked(
    fields: Mapping[str, str] | Iterable[tuple[str, str]] = (), /, **more: str
) -> CIMultiDict[str]:
    checked = CIMultiDict(fields, **more)
    for name, value in checked.items():
        check_field(name, value)
    return checked


def encoded_fields(headers: ResponseHeaders) -> list[tuple[bytes, bytes]]:
    """Return fields as they are sent; what was no UTF-8 when it came in goes out as it was."""
    return [
        (_encoded_name(name), value.encode("utf-8", "surrogateescape"))
        for name, value in headers.items()
    ]


@lru_cache(maxsize=1024)
def _encoded_name(name: str) -> bytes:
    return name.encode("ascii")
