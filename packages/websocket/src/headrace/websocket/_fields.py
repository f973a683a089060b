"""Values of header fields: tokens, lists of them, extensions with parameters.

Functions take the header pairs or a value and return text; what does not follow the grammar is
a ValueError, which the handshake turns into its own error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

Pair = tuple[bytes, bytes]

_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
is_token = re.compile(_WORD).fullmatch

# One element of an extension list (RFC 6455, 9.1): a token, then parameters whose value is a
# token or a quoted string.
_EXTENSION = re.compile(rf"({_WORD})((?:[ \t]*;[ \t]*{_WORD}(?:=(?:{_WORD}|\"[^\"]*\"))?)*)")
_PARAMETER = re.compile(rf";[ \t]*({_WORD})(?:=(?:({_WORD})|\"([^\"]*)\"))?")
_COMMA = re.compile(r"[ \t]*(?:,[ \t]*|$)")


class Extension(NamedTuple):
    """One offered or accepted extension; parameters keep their order and repetitions."""

    name: str
    parameters: list[tuple[str, str | None]]


def values(headers: Iterable[Pair], wanted: frozenset[bytes]) -> dict[bytes, list[str]]:
    """Collect the values of the *wanted* fields (lower-case names), in order."""
    found: dict[bytes, list[str]] = {name: [] for name in wanted}
    for name, value in headers:
        key = name.lower()
        if key in found:
            found[key].append(value.decode("latin-1").strip(" \t"))
    return found


def tokens(lines: Iterable[str]) -> list[str]:
    """Read comma-separated tokens; empty elements are skipped (RFC 9110, 5.6.1.2)."""
    found = []
    for line in lines:
        for element in line.split(","):
            token = element.strip(" \t")
            if token:
                if not is_token(token):
                    raise ValueError(f"{token!r} is not a token")
                found.append(token)
    return found


def extensions(lines: Iterable[str]) -> list[Extension]:
    """Read ``Sec-WebSocket-Extensions`` (RFC 6455, 9.1)."""
    found = []
    for line in lines:
        at = 0
        while at < len(line):
            match = _EXTENSION.match(line, at)
            if match is not None:
                found.append(Extension(match[1].lower(), _parameters(match[2])))
                at = match.end()
            comma = _COMMA.match(line, at)
            if comma is None:
                raise ValueError(f"malformed extension list {line!r}")
            at = comma.end()
    return found


def _parameters(text: str) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for match in _PARAMETER.finditer(text):
        name, plain, quoted = match.groups()
        if quoted is not None and not is_token(quoted):
            # RFC 6455, 9.1: the value after unescaping MUST be a token.
            raise ValueError(f"quoted value {quoted!r} is not a token")
        found.append((name.lower(), plain if quoted is None else quoted))
    return found
