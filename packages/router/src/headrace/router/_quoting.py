"""Percent-encoding, in the three forms a path takes here.

*Raw* is what stands in a request line. *Normal* is the form that literals, regexes and the tree
see: everything is decoded except the four characters that mean something in a pattern, ``/ % {
}``, which stay ``%2F %25 %7B %7D``. So an encoded slash never splits a segment, and ``[^{}/]+``
accepts it. *Decoded* is what parameters carry. Each function goes from one form to the next in
linear time.
"""

from __future__ import annotations

import re
from urllib.parse import quote

__all__ = ["decode", "encode", "escape", "normalize"]

_RUN = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPED = {"%2F": "/", "%25": "%", "%7B": "{", "%7D": "}"}
_KEPT = str.maketrans({character: escape for escape, character in _ESCAPED.items()})
_KEPT_RUN = re.compile("|".join(_ESCAPED))

# RFC 3986, section 3.3: pchar without the percent-encoded ones.
_PCHAR = "!$&'()*+,;=:@-._~"


def _normal_run(found: re.Match[str]) -> str:
    octets = bytes.fromhex(found[0].replace("%", ""))
    return octets.decode("utf-8").translate(_KEPT)


def normalize(raw: str) -> str | None:
    """Return the normal form of a raw path, or None when an escape in it is malformed."""
    if "%" not in raw:
        return raw
    if _BROKEN.search(raw) is not None:
        return None
    try:
        return _RUN.sub(_normal_run, raw)
    except UnicodeDecodeError:
        return None


def broken_escape(raw: str) -> int:
    """Return where the first malformed escape of ``raw`` stands (0 when it is not UTF-8)."""
    found = _BROKEN.search(raw)
    return 0 if found is None else found.start()


def decode(normal: str) -> str:
    """Return the decoded form of normal text."""
    if "%" not in normal:
        return normal
    return _KEPT_RUN.sub(lambda found: _ESCAPED[found[0]], normal)


def escape(decoded: str) -> str:
    """Return the normal form of decoded text that belongs in one segment."""
    return decoded.translate(_KEPT)


def encode(normal: str) -> str:
    """Return the raw form of normal text; slashes in it stay slashes."""
    return "/".join(quote(decode(segment), safe=_PCHAR) for segment in normal.split("/"))
