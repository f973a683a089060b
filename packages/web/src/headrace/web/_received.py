"""What requests say, as text: header fields, queries and cookies.

Clients repeat themselves: most requests on a connection, and many on others, come with the very
same fields as one before. To find what these were made into takes a tenth of the time of making it.
What is kept cannot be changed, and is bounded: to some MiB, when all of it is as costly as can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiDictProxy, istr

from ._cookies import parse_cookies
from ._streams import Field

if TYPE_CHECKING:
    from multidict import MultiMapping

#: How many of each kind are kept.
KEPT: Final = 256
#: Bytes of a block of fields that is kept.
MAX_BLOCK: Final = 4096
#: Characters of a query and of a Cookie field that are kept.
MAX_QUERY: Final = 128
MAX_COOKIES: Final = 1024
# Their last bytes say where fields are kept: to compare them is quicker than to hash all of them.
_TAIL: Final = 32

_kept: Final = [(b"", CIMultiDictProxy[str](CIMultiDict()))] * KEPT


def text_headers(fields: Sequence[Field]) -> CIMultiDictProxy[str]:
    """Return fields as text. Bytes that are no UTF-8 are kept as surrogates."""
    received: Any = fields
    try:
        block: bytes = received.block()
    except AttributeError:  # these are not as they were received
        return CIMultiDictProxy(CIMultiDict([*map(_as_text, fields)]))
    slot = hash(block[-_TAIL:]) % KEPT
    known, headers = _kept[slot]
    if block != known:
        headers = CIMultiDictProxy(CIMultiDict(received.text(istr)))
        if len(block) <= MAX_BLOCK:
            _kept[slot] = block, headers
    return headers


def _as_text(field: Field) -> tuple[str, str]:
    name, value = field
    return name.decode("ascii"), value.decode("utf-8", "surrogateescape")


def parse_query(query: str) -> list[tuple[str, str]]:
    """Return the variables of a percent-encoded query, those without a value too."""
    if "%" in query or "+" in query:
        return parse_qsl(query, keep_blank_values=True)
    if "&" in query:
        parts = [pair.partition("=") for pair in query.split("&") if pair]
        return [(name, value) for name, _, value in parts]
    name, _, value = query.partition("=")
    return [(name, value)] if query else []


def make_query(query: str) -> MultiMapping[str]:
    """Return the variables of a percent-encoded query as a mapping."""
    return MultiDictProxy(MultiDict(parse_query(query)))


kept_query: Final = lru_cache(maxsize=KEPT)(make_query)
kept_cookies: Final = lru_cache(maxsize=KEPT)(parse_cookies)
