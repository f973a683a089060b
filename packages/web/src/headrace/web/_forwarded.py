"""The Forwarded field: what proxies say about the hop before them (RFC 7239)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PAIR = re.compile(rf"""[ \t]*({_NAME})=(?:"((?:[^"\\]|\\.)*)"|([^ \t;,"]+))[ \t]*(?=[;,]|$)""")


def parse_forwarded(fields: Iterable[str]) -> tuple[Mapping[str, str], ...]:
    """Return the parameters of each hop, the client's own first; names in lower case.

    A hop whose text is malformed keeps the parameters before the fault.
    """
    return tuple(hop for field in fields for hop in _hops(field))


def _hops(field: str) -> Iterable[Mapping[str, str]]:
    hop: dict[str, str] = {}
    position = 0
    while position < len(field):
        match = _PAIR.match(field, position)
        if match is None:
            # RFC 9110, section 5.6.1.2: empty elements are no fault, others end at their comma.
            position = field.find(",", position)
        else:
            name, quoted, token = match.groups()
            hop[name.lower()] = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            position = match.end()
        if position < 0 or position == len(field):
            break
        if field[position] == ",":
            yield MappingProxyType(hop)
            hop = {}
        position += 1
    yield MappingProxyType(hop)
