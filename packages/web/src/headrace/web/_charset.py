"""Text out of bytes whose charset the client names.

Python knows codecs that are no charsets: what they would do to a body ranges from nonsense to
work that grows with the square of its size (punycode). They count as unknown here. What is unknown
is not looked up at all: `codecs` would remember every name that a client thinks of.
"""

from __future__ import annotations

import encodings
import pkgutil
from encodings.aliases import aliases
from functools import lru_cache
from typing import Final

_NO_CHARSETS: Final = {"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"}


@lru_cache
def _charsets() -> frozenset[str]:
    """Return the names of all codecs, as `encodings.normalize_encoding` spells them."""
    modules = {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    return frozenset((modules | aliases.keys() | set(aliases.values())) - _NO_CHARSETS)


def decode_text(data: bytes | bytearray, charset: str | None) -> str:
    """Return *data* decoded by *charset*, by UTF-8 when it is None.

    Raises:
        UnicodeDecodeError: *data* is not in the charset.
        LookupError: There is no such charset.
    """
    if charset is None:
        return data.decode()
    name = encodings.normalize_encoding(charset).lower()
    if name not in _charsets():
        raise LookupError(f"unknown charset: {charset!r}")
    return data.decode(name)
