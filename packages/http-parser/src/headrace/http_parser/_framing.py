"""The rules of the fields that frame a message: where it ends, and what comes after it.

Each function is pure: from the known fields of a head (`_scan_py.Known`) to a verdict. It raises
`RemoteProtocolError` for what it must refuse.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from ._errors import Fault, RemoteProtocolError
from ._grammar import is_authority, is_protocol, is_token
from ._scan_py import (
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    TRANSFER_ENCODING,
    UPGRADE,
    Known,
)

_is_length: Final = re.compile(rb"[0-9]{1,19}").fullmatch
_is_coding: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*(?:;.*)?").fullmatch

Values = Sequence[bytes]


class Framing(NamedTuple):
    """What the known fields say.

    `length` is None if none was given. `plain` means that nothing is out of the usual for who
    answers: HTTP/1.1, keep-alive, no upgrade, no expectation.
    """

    keep_alive: bool
    length: int | None
    chunked: bool
    expect_continue: bool
    upgrade: bytes | None
    plain: bool


PLAIN: Final = Framing(True, None, False, False, None, True)
_USUAL: Final[tuple[Known, ...]] = ((), ((CONNECTION, b"keep-alive"),))


def gather(known: Known) -> dict[int, list[bytes]]:
    """Return the values of each known field, in order."""
    values: dict[int, list[bytes]] = {}
    for field, value in known:
        if field in values:
            values[field].append(value)
        else:
            values[field] = [value]
    return values


def list_of(values: Values) -> list[bytes]:
    """Return the lowered elements of a field that is a comma list, the empty ones ignored.

    RFC 9110 section 5.6.1.2: a recipient must ignore a reasonable number of empty elements.
    """
    elements = [part.strip(b" \t") for part in b",".join(values).lower().split(b",")]
    return [element for element in elements if element]


def content_length(values: Values) -> int | None:
    """Return the length that Content-Length gives (RFC 9110 section 8.6)."""
    if not values:
        return None
    # RFC 9112 section 6.3: a list of equal values may be accepted or rejected; it is rejected.
    if len(values) > 1 or b"," in values[0]:
        raise RemoteProtocolError(Fault.CONTENT_LENGTH_REPEATED)
    if _is_length(values[0]) is None:
        raise RemoteProtocolError(Fault.CONTENT_LENGTH)
    length = int(values[0])
    if length >= 2**63:
        raise RemoteProtocolError(Fault.CONTENT_LENGTH)
    return length


def is_chunked(values: Values, minor: int) -> bool:
    """Say whether Transfer-Encoding is chunked; anything else it may say is refused."""
    if not values:
        return False
    # RFC 9112 section 6.1: in HTTP/1.0 the framing is faulty.
    if minor == 0:
        raise RemoteProtocolError(Fault.CODING_IN_1_0)
    codings = [part.strip(b" \t") for part in b",".join(values).lower().split(b",")]
    if codings == [b"chunked"]:
        return True
    # A departure from RFC 9110 section 5.6.1.2: empty elements are not ignored here, where two
    # readers that differ would read two different messages.
    if any(_is_coding(coding) is None for coding in codings):
        raise RemoteProtocolError(Fault.CODING_SYNTAX)
    # RFC 9112 section 7.1: chunked takes no parameters; section 6.1: it is applied once and last.
    names = [coding.partition(b";")[0].rstrip(b" \t") for coding in codings]
    if names.count(b"chunked") > codings.count(b"chunked"):
        raise RemoteProtocolError(Fault.CODING_SYNTAX)
    if codings.count(b"chunked") > 1:
        raise RemoteProtocolError(Fault.CODING_REPEATED)
    if b"chunked" in codings and codings[-1] != b"chunked":
        raise RemoteProtocolError(Fault.CODING_NOT_FINAL)
    # RFC 9112 section 6.1: 501 for a coding that is not understood.
    raise RemoteProtocolError(Fault.CODING_UNKNOWN)


def connection_options(values: Values) -> list[bytes]:
    """Return the lowered options of Connection (RFC 9110 section 7.6.1)."""
    options = list_of(values)
    if any(is_token(option) is None for option in options):
        raise RemoteProtocolError(Fault.CONNECTION)
    return options


def _upgrade(values: Values, options: list[bytes], minor: int) -> bytes | None:
    # RFC 9110 section 7.8: Upgrade without its connection option, or in HTTP/1.0, is ignored.
    if minor == 0 or not values or b"upgrade" not in options:
        return None
    protocols = list_of(values)
    if not protocols or any(is_protocol(protocol) is None for protocol in protocols):
        raise RemoteProtocolError(Fault.UPGRADE)
    return b", ".join(values)


def _check_host(values: Values, minor: int) -> None:
    # RFC 9112 section 3.2: 400 for a missing, repeated or invalid Host. It may be empty, when the
    # target has no authority.
    if not values:
        if minor >= 1:
            raise RemoteProtocolError(Fault.HOST_MISSING)
    elif len(values) > 1:
        raise RemoteProtocolError(Fault.HOST_REPEATED)
    elif values[0] and not is_authority(values[0]):
        raise RemoteProtocolError(Fault.HOST)


def _expects_continue(values: list[bytes]) -> bool:
    # RFC 9110 section 10.1.1: an HTTP/1.0 request's expectation is ignored (by the caller), one
    # that is not known may be answered with 417.
    expectations = set(list_of(values))
    if expectations - {b"100-continue"}:
        raise RemoteProtocolError(Fault.EXPECTATION)
    return bool(expectations)


def _framing(values: dict[int, list[bytes]], minor: int) -> Framing:
    length = content_length(values.get(CONTENT_LENGTH, ()))
    chunked = is_chunked(values.get(TRANSFER_ENCODING, ()), minor)
    # RFC 9112 section 6.3: this ought to be handled as an error, as it is a sign of smuggling.
    if length is not None and chunked:
        raise RemoteProtocolError(Fault.LENGTH_AND_CODING)
    options = connection_options(values[CONNECTION]) if CONNECTION in values else []
    # RFC 9112 section 9.3.
    keep_alive = b"close" not in options and (minor >= 1 or b"keep-alive" in options)
    upgrade = _upgrade(values.get(UPGRADE, ()), options, minor)
    expect = minor >= 1 and EXPECT in values and _expects_continue(values[EXPECT])
    plain = keep_alive and minor >= 1 and upgrade is None and not expect
    return Framing(keep_alive, length, chunked, expect, upgrade, plain)


def request_framing(known: Known, minor: int) -> Framing:
    """Judge the known fields of a request of version 1.*minor*."""
    # What most requests say, which comes to the same below.
    if minor >= 1 and known and known[0][0] == HOST and known[1:] in _USUAL:
        if not is_authority(known[0][1]) and known[0][1]:
            raise RemoteProtocolError(Fault.HOST)
        return PLAIN
    values = gather(known)
    _check_host(values.get(HOST, ()), minor)
    return _framing(values, minor)


def response_framing(known: Known, minor: int) -> Framing:
    """Judge the known fields of a response of version 1.*minor*."""
    return _framing(gather(known), minor)
