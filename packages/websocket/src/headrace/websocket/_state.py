"""Legality, as tables: the close handshake, the order of frames, the first byte of a frame.

Nothing here acts: the connection looks up what is legal and what comes next. A transition that
is not in a table is an error of whoever asked for it.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from ._codes import CloseCode, Opcode
from ._errors import RemoteProtocolError
from ._events import Binary, Close, Ping, Pong, Text


class State(Enum):
    """Where the connection stands in the close handshake."""

    OPEN = "open"
    CLOSE_SENT = "close sent"
    CLOSE_RECEIVED = "close received"
    CLOSED = "closed"


class Step(Enum):
    """What moves a connection from one state to another."""

    SEND_CLOSE = "send Close"
    RECEIVE_CLOSE = "receive Close"
    END = "end of input, failure or timeout"


# RFC 6455, 7.1.2 to 7.1.7. A second Close in either direction is in no row: nothing may be sent
# after a Close (5.5.1), and what a peer sends after its Close is not read.
TRANSITIONS: Final[dict[tuple[State, Step], State]] = {
    (State.OPEN, Step.SEND_CLOSE): State.CLOSE_SENT,
    (State.OPEN, Step.RECEIVE_CLOSE): State.CLOSE_RECEIVED,
    (State.OPEN, Step.END): State.CLOSED,
    (State.CLOSE_SENT, Step.RECEIVE_CLOSE): State.CLOSED,
    (State.CLOSE_SENT, Step.END): State.CLOSED,
    (State.CLOSE_RECEIVED, Step.SEND_CLOSE): State.CLOSED,
    (State.CLOSE_RECEIVED, Step.END): State.CLOSED,
    (State.CLOSED, Step.END): State.CLOSED,
}

# What may be sent in which state. After the peer's Close the message under way may be finished
# first (5.5.1); after our own, data are forbidden but pings must still be answered (5.5.3).
SENDABLE: Final[dict[State, frozenset[type]]] = {
    State.OPEN: frozenset({Text, Binary, Ping, Pong, Close}),
    State.CLOSE_SENT: frozenset({Ping, Pong}),
    State.CLOSE_RECEIVED: frozenset({Text, Binary, Close}),
    State.CLOSED: frozenset(),
}

# In which of these states bytes are still read: none after the peer's Close (5.5.1, 1.4).
READING: Final[frozenset[State]] = frozenset({State.OPEN, State.CLOSE_SENT})


class Head(NamedTuple):
    """What the first byte of a frame says."""

    opcode: Opcode
    final: bool
    compressed: bool


def _judge(first: int) -> Head | str:
    """Read the first byte of a frame, or say what is wrong with it."""
    code, final, compressed = first & 0x0F, bool(first & 0x80), bool(first & 0x40)
    if first & 0x30:
        return "reserved bit RSV2 or RSV3 is set"  # 5.2: MUST be 0 without an extension
    if code not in set(Opcode):
        return f"reserved opcode {code:#x}"  # 5.2: MUST fail the connection
    opcode = Opcode(code)
    if opcode >= Opcode.CLOSE:
        if not final:
            return f"fragmented {opcode.name} frame"  # 5.5: MUST NOT be fragmented
        if compressed:
            return f"RSV1 is set on a {opcode.name} frame"  # RFC 7692, 6.1: data frames only
    elif opcode is Opcode.CONTINUATION and compressed:
        return "RSV1 is set on a continuation frame"  # RFC 7692, 6.1: first frame only
    return Head(opcode, final, compressed)


HEADS: Final[tuple[Head | str, ...]] = tuple(_judge(first) for first in range(256))

# RFC 6455, 5.4: (message under way, kind of data frame) → what is wrong, if anything.
FRAME_ORDER: Final[dict[tuple[bool, Opcode], str]] = {
    (False, Opcode.CONTINUATION): "continuation frame without a message to continue",
    (True, Opcode.TEXT): "new text message inside a fragmented message",
    (True, Opcode.BINARY): "new binary message inside a fragmented message",
}


def check_head(first: int, second: int, masked: bool, under_way: bool, deflate: bool) -> Head:
    """Judge the first two bytes of a frame.

    Args:
        first: the first byte.
        second: the second byte.
        masked: the peer must mask; else it must not.
        under_way: a message has begun and not ended.
        deflate: permessage-deflate was agreed on.

    Raises:
        RemoteProtocolError: with 1002.
    """
    head = HEADS[first]
    if isinstance(head, str):
        raise RemoteProtocolError(CloseCode.PROTOCOL_ERROR, head)
    fault = FRAME_ORDER.get((under_way, head.opcode))
    if head.compressed and not deflate:
        fault = "RSV1 is set and no extension was agreed on"  # 5.2
    elif (
        second >= 0x80
    ) is not masked:  # 5.1: a server MUST close on the one, a client on the other
        fault = "frame of a client is not masked" if masked else "frame of a server is masked"
    elif head.opcode >= Opcode.CLOSE and second & 0x7F > 125:
        fault = f"{head.opcode.name} frame with more than 125 bytes"  # 5.5
    if fault is not None:
        raise RemoteProtocolError(CloseCode.PROTOCOL_ERROR, fault)
    return head


def check_length(second: int, length: int) -> None:
    """Judge the extended length of a frame (RFC 6455, 5.2).

    Raises:
        RemoteProtocolError: with 1002, when the minimal number of bytes was not used or the
            most significant bit is set.
    """
    form = second & 0x7F
    if (form == 126 and length < 126) or (form == 127 and length < 65536):
        raise RemoteProtocolError(CloseCode.PROTOCOL_ERROR, "length is not in its shortest form")
    if length >> 63:
        raise RemoteProtocolError(CloseCode.PROTOCOL_ERROR, "length has its highest bit set")
