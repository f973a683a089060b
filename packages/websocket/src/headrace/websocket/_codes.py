"""The numbers of the protocol: roles, opcodes, close codes.

Only numbers and what may be said about one number alone; what is legal when stands in
``_state``.
"""

from __future__ import annotations

from enum import Enum, IntEnum


class Role(Enum):
    """Which side of the connection this is; it decides who masks (RFC 6455, 5.1)."""

    CLIENT = "client"
    SERVER = "server"


class Opcode(IntEnum):
    """Frame opcodes ([RFC 6455, 11.8](https://www.rfc-editor.org/rfc/rfc6455#section-11.8))."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class CloseCode(IntEnum):
    """Close codes of RFC 6455, 7.4.1, and of the IANA registry it opens.

    ``NO_STATUS``, ``ABNORMAL`` and ``TLS_HANDSHAKE`` never travel: they tell the application
    what happened, and a peer that sends one breaks the protocol.
    """

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS = 1005
    ABNORMAL = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014
    TLS_HANDSHAKE = 1015


_NEVER_SENT = frozenset({CloseCode.NO_STATUS, CloseCode.ABNORMAL, CloseCode.TLS_HANDSHAKE})
_DEFINED = frozenset(int(code) for code in CloseCode if code not in _NEVER_SENT)


def may_travel(code: int) -> bool:
    """Tell whether a Close frame may carry *code*.

    [RFC 6455, 7.4](https://www.rfc-editor.org/rfc/rfc6455#section-7.4): defined codes, and
    3000 to 4999 for libraries and applications. 1004 has no meaning, 1005, 1006 and 1015 MUST
    NOT be set, and what is below 3000 and not registered is reserved.
    """
    return 3000 <= code <= 4999 or code in _DEFINED
