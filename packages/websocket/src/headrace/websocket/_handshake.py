"""The opening handshake (RFC 6455, 4), from header pairs to header pairs.

No HTTP is parsed or written here: whoever does that hands in the pairs and sends the answer, or
the refusal that a HandshakeError describes. With ``connect=True`` it is the handshake of
RFC 8441 (HTTP/2) and RFC 9220 (HTTP/3): no Upgrade, no key, and a CONNECT answered with 200.
"""

from __future__ import annotations

import os
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Container, Iterable, Sequence
from hashlib import sha1
from typing import NamedTuple, final

from ._deflate import NAME as DEFLATE
from ._deflate import Deflate, accept_offer, check_answer, make_offers
from ._errors import HandshakeError
from ._fields import Pair, extensions, is_token, tokens, values

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_UPGRADE: list[Pair] = [(b"Upgrade", b"websocket"), (b"Connection", b"Upgrade")]
_VERSION: Pair = (b"Sec-WebSocket-Version", b"13")

_FIELDS = frozenset(
    {
        b"upgrade",
        b"connection",
        b"origin",
        b"sec-websocket-accept",
        b"sec-websocket-extensions",
        b"sec-websocket-key",
        b"sec-websocket-protocol",
        b"sec-websocket-version",
    }
)
_Found = dict[bytes, list[str]]


class Acceptance(NamedTuple):
    """A handshake that succeeded.

    Attributes:
        headers: the pairs a server puts into its answer (101, or 200 to a CONNECT); empty for
            a client, which has nothing more to say.
        subprotocol: the subprotocol agreed on.
        deflate: the parameters of permessage-deflate agreed on, for ``Connection``.
    """

    headers: list[Pair]
    subprotocol: str | None
    deflate: Deflate | None


def accept(
    headers: Iterable[Pair],
    *,
    method: bytes = b"GET",
    version: tuple[int, int] = (1, 1),
    subprotocols: Sequence[str] = (),
    deflate: Deflate | None = None,
    origins: Container[str | None] | None = None,
    connect: bool = False,
) -> Acceptance:
    """Judge a client's opening handshake.

    Args:
        headers: the header pairs of the request.
        method: the method of the request.
        version: the HTTP version of the request.
        subprotocols: what this server speaks. The client's order decides; when nothing fits,
            the connection goes on without one (RFC 6455, 4.2.2).
        deflate: parameters of permessage-deflate to agree to; None declines it.
        origins: the values of Origin to let in, None among them for requests without one; None
            instead of a container lets everybody in. Browsers send Origin, so it is what keeps
            foreign pages from using a visitor's cookies here (RFC 6455, 10.2).
        connect: judge an extended CONNECT (RFC 8441, 5), whose pseudo-headers were checked.

    Raises:
        HandshakeError: with the status and header pairs of the refusal: 405 for another
            method, 426 for another WebSocket version, 403 for another origin, else 400.
    """
    wanted = b"CONNECT" if connect else b"GET"
    if method != wanted:  # RFC 6455, 4.1 and 4.2.1
        detail = f"method is {method.decode('latin-1')}, expected {wanted.decode()}"
        raise HandshakeError(405, detail, [(b"Allow", wanted)])
    found = values(headers, _FIELDS)
    answer = [] if connect else [*_UPGRADE, _judge_upgrade(found, version)]
    _judge_version(found[b"sec-websocket-version"])
    _judge_origin(found[b"origin"], origins)
    try:
        subprotocol = _choose(found[b"sec-websocket-protocol"], subprotocols)
        agreed, element = _agree(found[b"sec-websocket-extensions"], deflate)
    except ValueError as error:  # RFC 6455, 4.2.1 and 9.1: the ABNF must be followed
        raise HandshakeError(400, str(error)) from None
    if subprotocol is not None:
        answer.append((b"Sec-WebSocket-Protocol", subprotocol.encode()))
    if element is not None:
        answer.append((b"Sec-WebSocket-Extensions", element.encode()))
    return Acceptance(answer, subprotocol, agreed)


def _judge_upgrade(found: _Found, version: tuple[int, int]) -> Pair:
    """Check what asks for the upgrade and return the pair that proves it was understood."""
    if version < (1, 1):  # RFC 6455, 4.2.1, 1
        raise HandshakeError(400, f"HTTP version is {version[0]}.{version[1]}, expected 1.1")
    _check_upgrade(found, 400)
    key = _single(found[b"sec-websocket-key"], "Sec-WebSocket-Key", 400)
    if not _is_key(key):  # RFC 6455, 4.2.1, 5
        raise HandshakeError(400, "Sec-WebSocket-Key is not the base64 form of 16 bytes")
    return b"Sec-WebSocket-Accept", _proof(key.encode())


def _check_upgrade(found: _Found, status: int) -> None:
    for field, token in ((b"upgrade", "websocket"), (b"connection", "upgrade")):
        # Upgrade may name protocols with a version, "h2c, websocket/13", so no token check.
        listed = [each.strip(" \t").lower() for each in ",".join(found[field]).split(",")]
        if token not in listed:  # RFC 6455, 4.1 and 4.2.1
            raise HandshakeError(status, f"{field.decode().title()} does not name {token}")


def _single(lines: list[str], name: str, status: int) -> str:
    if len(lines) != 1:  # RFC 6455, 11.3: MUST NOT appear more than once
        raise HandshakeError(status, f"{len(lines)} {name} headers, expected 1")
    return lines[0]


def _is_key(key: str) -> bool:
    try:
        return len(key) == 24 and len(a2b_base64(key.encode(), strict_mode=True)) == 16
    except (Base64Error, UnicodeEncodeError):
        return False


def _proof(key: bytes) -> bytes:
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def _judge_version(lines: list[str]) -> None:
    if len(lines) != 1:
        detail = f"{len(lines)} Sec-WebSocket-Version headers, expected 1"
        raise HandshakeError(400, detail, [_VERSION])
    if lines[0] != "13":
        # RFC 6455, 4.4: tell the versions that are understood; RFC 9110, 15.5.22: 426 MUST
        # carry Upgrade.
        detail = f"WebSocket version is {lines[0]!r}, expected 13"
        raise HandshakeError(426, detail, [*_UPGRADE, _VERSION])


def _judge_origin(lines: list[str], origins: Container[str | None] | None) -> None:
    if len(lines) > 1:
        raise HandshakeError(400, f"{len(lines)} Origin headers, expected at most 1")
    if origins is not None and (lines[0] if lines else None) not in origins:
        raise HandshakeError(403, "Origin is not allowed")  # RFC 6455, 4.2.2 and 10.2


def _choose(lines: list[str], ours: Sequence[str]) -> str | None:
    asked = tokens(lines)
    if len(set(asked)) != len(asked):  # RFC 6455, 4.1, 10: MUST all be unique strings
        raise ValueError("Sec-WebSocket-Protocol names a subprotocol twice")
    return next((name for name in asked if name in ours), None)


def _agree(lines: list[str], wanted: Deflate | None) -> tuple[Deflate | None, str | None]:
    offers = extensions(lines)
    if wanted is not None:
        for offer in offers:  # the client's order is its preference (RFC 6455, 9.1)
            agreed = accept_offer(wanted, offer) if offer.name == DEFLATE else None
            if agreed is not None:
                return agreed
    return None, None


@final
class Offer:
    """A client's opening handshake: what it sends, and what the answer must be.

    Attributes:
        headers: the pairs to put into the request, beside Host.
        key: the value of Sec-WebSocket-Key, None for an extended CONNECT.
    """

    __slots__ = ("_connect", "_deflate", "_subprotocols", "headers", "key")

    def __init__(
        self,
        *,
        subprotocols: Sequence[str] = (),
        deflate: Deflate | None = None,
        origin: str | None = None,
        key: bytes | None = None,
        connect: bool = False,
    ) -> None:
        """Make the request's header pairs.

        Args:
            subprotocols: what this client would speak, best first.
            deflate: parameters of permessage-deflate to offer; None offers none.
            origin: the value of Origin; None sends none.
            key: the 24 bytes of Sec-WebSocket-Key; None makes a random one.
            connect: make an extended CONNECT (RFC 8441, 5).

        Raises:
            ValueError: a subprotocol is no token or named twice, the origin could not be sent
                as a header, or the key is invalid.
        """
        if len(set(subprotocols)) != len(subprotocols) or not all(map(is_token, subprotocols)):
            raise ValueError(f"subprotocols {subprotocols!r} are not distinct tokens")
        if origin is not None and not (origin.isascii() and origin.isprintable()):
            raise ValueError(f"origin {origin!r} is not printable ASCII")
        self._subprotocols = tuple(subprotocols)
        self._deflate = deflate
        self._connect = connect
        self.key = None if connect else key or b64encode(os.urandom(16))
        self.headers: list[Pair] = []
        if self.key is not None:
            if not _is_key(self.key.decode("latin-1")):
                raise ValueError("key is not the base64 form of 16 bytes")
            self.headers += [*_UPGRADE, (b"Sec-WebSocket-Key", self.key)]
        self.headers.append(_VERSION)
        if origin is not None:
            self.headers.append((b"Origin", origin.encode()))
        if subprotocols:
            self.headers.append((b"Sec-WebSocket-Protocol", ", ".join(subprotocols).encode()))
        if deflate is not None:
            self.headers.append((b"Sec-WebSocket-Extensions", make_offers(deflate).encode()))

    def check(self, headers: Iterable[Pair], *, status: int = 101) -> Acceptance:
        """Judge the server's answer (RFC 6455, 4.1).

        Raises:
            HandshakeError: the answer is a refusal or breaks the protocol; its status is the
                one that was received. The transport must be closed.
        """
        expected = 200 if self._connect else 101
        if status != expected:
            raise HandshakeError(status, f"status is {status}, expected {expected}")
        found = values(headers, _FIELDS)
        if self.key is not None:
            _check_upgrade(found, status)
            proof = _single(found[b"sec-websocket-accept"], "Sec-WebSocket-Accept", status)
            if proof != _proof(self.key).decode():
                raise HandshakeError(status, "Sec-WebSocket-Accept does not answer the key")
        try:
            subprotocol = self._check_subprotocol(found[b"sec-websocket-protocol"])
            deflate = self._check_extensions(found[b"sec-websocket-extensions"])
        except ValueError as error:
            raise HandshakeError(status, str(error)) from None
        return Acceptance([], subprotocol, deflate)

    def _check_subprotocol(self, lines: list[str]) -> str | None:
        if not lines:
            return None
        if len(lines) != 1 or lines[0] not in self._subprotocols:  # RFC 6455, 4.1, answer 6
            raise ValueError(f"subprotocol {', '.join(lines)!r} was not asked for")
        return lines[0]

    def _check_extensions(self, lines: list[str]) -> Deflate | None:
        answers = extensions(lines)
        if not answers:
            return None
        if self._deflate is None or len(answers) != 1 or answers[0].name != DEFLATE:
            names = ", ".join(answer.name for answer in answers)
            raise ValueError(f"extensions {names!r} were not asked for")  # 4.1, answer 5
        return check_answer(self._deflate, answers[0])
