"""Content types that are made once, and serialised once (RFC 9110, section 8.3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ._fields import check_field
from ._streams import Field


@dataclass(frozen=True, slots=True)
class ContentType:
    """A media type with its charset, and what it is as a field; `content_type_of` makes them."""

    media: str  # with its parameters, but for the charset
    charset: str | None
    value: str
    fields: tuple[Field, ...]


@lru_cache(maxsize=256)
def content_type_of(media: str, charset: str | None) -> ContentType:
    """Return the one `ContentType` of a media type and a charset.

    Raises:
        ValueError: They contain a control character, or *media* states a charset.
    """
    if "charset" in media:
        raise ValueError("pass the charset as an argument of its own, not in content_type")
    value = media if charset is None else f"{media}; charset={charset}"
    check_field("Content-Type", value)
    return ContentType(media, charset, value, ((b"Content-Type", value.encode("utf-8")),))


OCTETS: Final = content_type_of("application/octet-stream", None)
TEXT: Final = content_type_of("text/plain", "utf-8")
