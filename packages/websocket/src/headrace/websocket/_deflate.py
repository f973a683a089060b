"""permessage-deflate (RFC 7692): its parameters and their negotiation.

Pure functions from parameters to parameters. The compression itself is in ``_compression``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from ._fields import Extension

NAME = "permessage-deflate"

_SERVER_TAKEOVER = "server_no_context_takeover"
_CLIENT_TAKEOVER = "client_no_context_takeover"
_SERVER_BITS = "server_max_window_bits"
_CLIENT_BITS = "client_max_window_bits"
_KNOWN = frozenset({_SERVER_TAKEOVER, _CLIENT_TAKEOVER, _SERVER_BITS, _CLIENT_BITS})
_BITS = {str(bits): bits for bits in range(8, 16)}  # 7.1.2: decimal, no leading zeros, 8 to 15


@final
@dataclass(frozen=True, slots=True)
class Deflate:
    """Parameters of permessage-deflate: what a side wants, and what both agreed on.

    With the defaults a connection that has compressed and decompressed keeps about 44 KiB of
    zlib state, nothing before its first compressed message, and nothing between messages in a
    direction without context takeover. 15 window bits and memory level 8 would take 300 KiB.

    Attributes:
        server_no_context_takeover: the server compresses each message on its own.
        client_no_context_takeover: the client compresses each message on its own.
        server_max_window_bits: 8 to 15, log2 of the server's window in bytes.
        client_max_window_bits: 8 to 15, log2 of the client's window in bytes.
        threshold: bytes; shorter messages are sent uncompressed. Below a packet nothing is won;
            1024 is also the default of ws for Node.js.
        level: 0 to 9, zlib's compression level.
        mem_level: 1 to 9, zlib's memory level for our own compressor.
    """

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int = 12
    client_max_window_bits: int = 12
    threshold: int = 1024
    level: int = 6
    mem_level: int = 5

    def __post_init__(self) -> None:
        for name, value, low, high in (
            (_SERVER_BITS, self.server_max_window_bits, 8, 15),
            (_CLIENT_BITS, self.client_max_window_bits, 8, 15),
            ("level", self.level, 0, 9),
            ("mem_level", self.mem_level, 1, 9),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}, expected {low} to {high}")
        if self.threshold < 0:
            raise ValueError(f"threshold is {self.threshold}, expected at least 0")


def _checked(parameters: Sequence[tuple[str, str | None]]) -> dict[str, int | None] | None:
    """Return parameters with their numbers, or None when one is unknown, double or invalid.

    [RFC 7692, 7.1](https://www.rfc-editor.org/rfc/rfc7692#section-7.1): each of these MUST make
    a server decline the offer, and a client fail the connection.
    """
    found: dict[str, int | None] = {}
    for name, value in parameters:
        if name not in _KNOWN or name in found:
            return None
        if name in (_SERVER_TAKEOVER, _CLIENT_TAKEOVER):
            if value is not None:
                return None
            found[name] = None
        elif value is None:
            found[name] = None
        elif value in _BITS:
            found[name] = _BITS[value]
        else:
            return None
    return found


def accept_offer(wanted: Deflate, offer: Extension) -> tuple[Deflate, str] | None:
    """Answer one offer of a client: what is agreed and the element that says so, or None."""
    asked = _checked(offer.parameters)
    if asked is None or (_SERVER_BITS in asked and asked[_SERVER_BITS] is None):
        return None  # 7.1.2.1: server_max_window_bits has a value in an offer
    server_bits = min(wanted.server_max_window_bits, asked.get(_SERVER_BITS) or 15)
    client_bits = 15
    if _CLIENT_BITS in asked:  # 7.1.2.2: only then may the answer restrict the client
        client_bits = min(wanted.client_max_window_bits, asked[_CLIENT_BITS] or 15)
    agreed = replace(
        wanted,
        server_no_context_takeover=wanted.server_no_context_takeover or _SERVER_TAKEOVER in asked,
        client_no_context_takeover=wanted.client_no_context_takeover or _CLIENT_TAKEOVER in asked,
        server_max_window_bits=server_bits,
        client_max_window_bits=client_bits,
    )
    parts = [NAME]
    if agreed.server_no_context_takeover:
        parts.append(_SERVER_TAKEOVER)
    if agreed.client_no_context_takeover:
        parts.append(_CLIENT_TAKEOVER)
    if _SERVER_BITS in asked or server_bits < 15:
        parts.append(f"{_SERVER_BITS}={server_bits}")
    if client_bits < 15:
        parts.append(f"{_CLIENT_BITS}={client_bits}")
    return agreed, "; ".join(parts)


def make_offers(wanted: Deflate) -> str:
    """Return the elements a client offers, best first.

    Not each server can limit its own window (7.1.2.1 lets it decline), so an offer that asks
    for it is followed by one that does not.
    """
    parts = [NAME]
    if wanted.server_no_context_takeover:
        parts.append(_SERVER_TAKEOVER)
    if wanted.client_no_context_takeover:
        parts.append(_CLIENT_TAKEOVER)
    bits = wanted.client_max_window_bits
    parts.append(_CLIENT_BITS if bits == 15 else f"{_CLIENT_BITS}={bits}")
    offers = ["; ".join(parts)]
    if wanted.server_max_window_bits < 15:
        parts.append(f"{_SERVER_BITS}={wanted.server_max_window_bits}")
        offers.insert(0, "; ".join(parts))
    return ", ".join(offers)


def check_answer(wanted: Deflate, answer: Extension) -> Deflate:
    """Read the server's answer to `make_offers`.

    Raises:
        ValueError: the answer is invalid or fits no offer, so the connection MUST fail
            (RFC 7692, 7.1 and 7.1.1.1).
    """
    told = _checked(answer.parameters)
    if told is None or None in (told.get(_SERVER_BITS, 15), told.get(_CLIENT_BITS, 15)):
        raise ValueError(f"invalid parameters of {NAME} in the answer")
    if wanted.server_no_context_takeover and _SERVER_TAKEOVER not in told:
        raise ValueError(f"{_SERVER_TAKEOVER} was asked for and not granted")
    server_bits = told.get(_SERVER_BITS)
    if server_bits is not None and server_bits > wanted.server_max_window_bits:
        raise ValueError(
            f"{_SERVER_BITS} is {server_bits}, at most {wanted.server_max_window_bits} was offered"
        )
    return replace(
        wanted,
        server_no_context_takeover=_SERVER_TAKEOVER in told,
        client_no_context_takeover=wanted.client_no_context_takeover or _CLIENT_TAKEOVER in told,
        server_max_window_bits=server_bits or 15,
        client_max_window_bits=min(wanted.client_max_window_bits, told.get(_CLIENT_BITS) or 15),
    )
