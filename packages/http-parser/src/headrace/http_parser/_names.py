"""The names of fields that most requests have, made into text once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

#: The slots of a table: so many that few of the names share one.
SLOTS: Final = 512

# As browsers and libraries spell them. Of two that share a slot the first one has it.
_SPELLINGS = (
    "Host Connection User-Agent Accept Accept-Encoding Accept-Language Cookie Content-Type "
    "Content-Length Referer Origin Authorization Cache-Control Pragma If-None-Match "
    "If-Modified-Since If-Match If-Unmodified-Since If-Range Range Upgrade-Insecure-Requests "
    "Sec-Fetch-Site Sec-Fetch-Mode Sec-Fetch-User Sec-Fetch-Dest sec-ch-ua sec-ch-ua-mobile "
    "sec-ch-ua-platform Priority DNT Sec-GPC Expect Transfer-Encoding TE Upgrade Via "
    "Forwarded X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host X-Real-IP X-Request-ID "
    "X-Requested-With Traceparent Tracestate Content-Encoding Content-Disposition Keep-Alive "
    "Sec-WebSocket-Key Sec-WebSocket-Version Sec-WebSocket-Extensions Sec-WebSocket-Protocol "
)
SPELLINGS: Final = (*_SPELLINGS.split(), *_SPELLINGS.lower().split())


def slot_of(name: bytes) -> int:
    """Return the slot of a name, which has at least one byte."""
    return (7 * len(name) + 11 * name[0] + name[len(name) // 2] + name[-1]) % SLOTS


@lru_cache(maxsize=8)
def name_table(make: Callable[[str], str]) -> tuple[str | None, ...]:
    """Return what *make* makes of the common names, each in its slot."""
    table: list[str | None] = [None] * SLOTS
    for name in reversed(SPELLINGS):
        table[slot_of(name.encode())] = make(name)
    return tuple(table)
