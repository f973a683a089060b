"""The header fields of requests as text.

Clients repeat themselves: most requests on a connection, and many on others, come with the very
same fields as one before. To find what these were made into takes a tenth of the time of making it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from multidict import CIMultiDict, CIMultiDictProxy, istr

from ._streams import Field

#: How many blocks of fields are kept, and up to what size in bytes: 1 MiB at the very most.
KEPT: Final = 256
MAX_SIZE: Final = 4096
# Their last bytes say where they are kept: to hash all of them takes longer than to compare them.
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
        if len(block) <= MAX_SIZE:
            _kept[slot] = block, headers
    return headers


def _as_text(field: Field) -> tuple[str, str]:
    name, value = field
    return name.decode("ascii"), value.decode("utf-8", "surrogateescape")
