"""Entity tags (RFC 9110, section 8.8.3)."""

from __future__ import annotations

import re
from typing import NamedTuple

_ETAGS = re.compile(r'[ \t]*(W/)?"([\x21\x23-\x7e\x80-\U0010ffff]*)"[ \t]*(?:,|$)|[ \t]*,')
_VALUE = re.compile(r"[\x21\x23-\x7e\x80-\U0010ffff]*")


class ETag(NamedTuple):
    """An entity tag (RFC 9110, section 8.8.3)."""

    value: str
    is_weak: bool = False


def parse_etags(value: str | None) -> tuple[ETag, ...] | None:
    """Return the entity tags of a list field, ``*`` as `ETag` too; None without the field.

    A malformed list is read as empty: it matches nothing.
    """
    if value is None:
        return None
    if value.strip(" \t") == "*":
        return (ETag("*"),)
    tags = []
    position = 0
    while position < len(value):
        match = _ETAGS.match(value, position)
        if match is None or match.end() == position:
            return ()
        position = match.end()
        if match[2] is not None:
            tags.append(ETag(match[2], match[1] is not None))
    return tuple(tags)


def format_etag(tag: ETag | str) -> str:
    """Return a tag as a field has it; a string is the value of a strong one.

    Raises:
        ValueError: The value has a character that a tag cannot have.
    """
    if isinstance(tag, str):
        tag = ETag(tag)
    if not isinstance(tag, ETag):
        raise ValueError(f"an entity tag is a str or an ETag, not {type(tag).__name__}")
    if _VALUE.fullmatch(tag.value) is None:
        raise ValueError("an entity tag has no quotes, blanks or control characters")
    return f'{"W/" if tag.is_weak else ""}"{tag.value}"'


def matches(tags: tuple[ETag, ...], current: ETag | None, *, weak: bool) -> bool:
    """Compare listed tags with the current one (RFC 9110, section 8.8.3.2).

    The strong comparison asks that both are strong, the weak one does not care.
    """
    if current is None:
        return False
    if weak:
        return any(tag.value == current.value for tag in tags)
    return not current.is_weak and any(
        tag.value == current.value and not tag.is_weak for tag in tags
    )
