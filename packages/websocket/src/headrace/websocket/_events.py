"""What travels between the application and a connection, in both directions.

Events are tuples with names. The connection makes them with ``tuple.__new__``, which skips the
keyword handling of the generated constructor.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, NamedTuple


class Text(NamedTuple):
    """A text message, or a piece of one.

    Attributes:
        data: the text. With ``Connection(decode_text=False)`` received data are the bytes of
            valid UTF-8; ``send`` takes such bytes too.
        final: False when more pieces of the same message follow.
    """

    data: str
    final: bool = True


class Binary(NamedTuple):
    """A binary message, or a piece of one; *final* as in `Text`."""

    data: bytes
    final: bool = True


class Ping(NamedTuple):
    """A ping with at most 125 bytes of payload."""

    payload: bytes = b""


class Pong(NamedTuple):
    """A pong with at most 125 bytes of payload."""

    payload: bytes = b""


class Close(NamedTuple):
    """A Close frame.

    Attributes:
        code: the close code, or None for a frame without one.
        reason: at most 123 bytes of UTF-8; empty when there is no code.
    """

    code: int | None = 1000
    reason: str = ""


class ConnectionClosed(NamedTuple):
    """Nothing more will be received.

    Attributes:
        code: the peer's close code, 1005 when its Close had none; the code this side failed
            the connection with; 1006 when the transport ended or time ran out without a Close.
        reason: the reason that came with the code.
    """

    code: int = 1006
    reason: str = ""


Event = Text | Binary | Ping | Pong | Close | ConnectionClosed


class NeedData(Enum):
    """The type of `NEED_DATA`."""

    NEED_DATA = "NEED_DATA"


NEED_DATA: Final[Literal[NeedData.NEED_DATA]] = NeedData.NEED_DATA
"""Returned by ``next_event`` when more bytes must be received first."""
