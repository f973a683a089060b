"""The alphabet of HTTP: sets of bytes and small patterns, each with its section.

Patterns are over bytes and name their characters: what `str.isdigit` or a Unicode class would let
through must not pass here.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

# RFC 9110 section 5.6.2.
TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# RFC 9110 section 5.5: field-vchar, SP, HTAB; obs-text is 0x80 to 0xff.
FIELD: Final = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))
# What may stand in a target: RFC 3986 allows fewer, but browsers send "|" and its like unescaped
# in a query (WHATWG URL, query percent-encode set). These four no client sends: '"', "#", "<", ">".
TARGET: Final = bytes(byte for byte in range(0x21, 0x7F) if byte not in b'"#<>')

CONTROL_OR_DEL: Final = bytes(
    byte for byte in range(0x100) if byte not in FIELD and byte not in b"\r\n"
)

is_token: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
is_field_value: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*").fullmatch
# RFC 9110 section 7.8: protocol-name ["/" protocol-version], a list of them.
_PROTOCOL: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?"
is_protocol: Final = re.compile(_PROTOCOL).fullmatch

_CHUNK_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED: Final = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
# RFC 9112 section 7.1.1: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ). The
# possessive marks keep it linear.
is_chunk_extension: Final = re.compile(
    rb"(?:[ \t]*+;[ \t]*+"
    + _CHUNK_TOKEN
    + rb"+(?:[ \t]*+=[ \t]*+(?:"
    + _CHUNK_TOKEN
    + rb"+|"
    + _QUOTED
    + rb"))?)*+"
).fullmatch

# RFC 3986 section 3.2.2: reg-name, which covers IPv4 addresses too.
_REG_NAME: Final = rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+"
_PLAIN_NAME: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._"
_is_authority: Final = re.compile(
    rb"(?:" + _REG_NAME + rb"|\[(?P<v6>[0-9A-Fa-f:.]+)\]"
    rb"|\[[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+\])(?::(?P<port>[0-9]*))?"
).fullmatch
_is_absolute: Final = re.compile(
    rb"[A-Za-z][A-Za-z0-9+.\-]*://(?P<authority>[^/?]+)(?:[/?].*)?"
).fullmatch


def is_authority(value: bytes, *, port_required: bool = False) -> bool:
    """Say whether *value* is a host with an optional port (RFC 3986 section 3.2, no userinfo)."""
    if value and not value.translate(None, _PLAIN_NAME) and not port_required:
        return True
    match = _is_authority(value)
    if match is None:
        return False
    port = match["port"]
    if not port:
        if port_required:
            return False
    elif len(port) > 5 or int(port) > 65535:
        return False
    return match["v6"] is None or _is_ipv6(match["v6"])


def _is_ipv6(value: bytes) -> bool:
    try:
        IPv6Address(value.decode("ascii"))
    except AddressValueError:
        return False
    return True


def is_target(method: bytes, target: bytes) -> bool:
    """Say whether *target*, whose characters are checked, is the form that suits *method*."""
    # RFC 9112 section 3.2.3: authority-form is for CONNECT alone, and CONNECT for it alone;
    # RFC 9110 section 9.3.6: a CONNECT target without a port is to be rejected.
    if method == b"CONNECT":
        return is_authority(target, port_required=True)
    if target.startswith(b"/"):
        return True
    # RFC 9112 section 3.2.4: asterisk-form is for OPTIONS alone.
    if target == b"*":
        return method == b"OPTIONS"
    # RFC 9112 section 3.2.2; RFC 9110 section 4.2.4: userinfo in it is an error.
    match = _is_absolute(target)
    return match is not None and is_authority(match["authority"])
