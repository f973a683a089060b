"""WebSocket messages as handlers see them, in both dialects."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final, NamedTuple

from headrace.websocket import Opcode


class WSMsgType(IntEnum):
    """The types of messages: those of RFC 6455, and the states of the connection."""

    CONTINUATION = Opcode.CONTINUATION
    TEXT = Opcode.TEXT
    BINARY = Opcode.BINARY
    PING = Opcode.PING
    PONG = Opcode.PONG
    CLOSE = Opcode.CLOSE
    CLOSING = 0x100
    CLOSED = 0x101
    ERROR = 0x102

    # The guide's spelling of the same.
    continuation = CONTINUATION
    text = TEXT
    binary = BINARY
    ping = PING
    pong = PONG
    close = CLOSE
    closing = CLOSING
    closed = CLOSED
    error = ERROR


MsgType = WSMsgType


class WSMessageTypeError(TypeError):
    """A message of another type arrived than the one asked for."""


class WSMessage(NamedTuple):
    """A message: its type, its data, and for CLOSE the reason as `extra`."""

    type: WSMsgType
    data: Any
    extra: str | None

    @property
    def tp(self) -> WSMsgType:
        """The type, in the guide's spelling."""
        return self.type

    def json(self, *, loads: Callable[[Any], Any] = json.loads) -> Any:
        """Return the data decoded as JSON."""
        return loads(self.data)


#: What whole messages are like: the payload comes in the place of the dots.
WHOLE_TEXT: Final = WSMessage(WSMsgType.TEXT, ..., None)
WHOLE_BINARY: Final = WSMessage(WSMsgType.BINARY, ..., None)
CLOSING: Final = WSMessage(WSMsgType.CLOSING, None, None)
CLOSED: Final = WSMessage(WSMsgType.CLOSED, None, None)
#: The types that end an iteration over messages.
ENDINGS: Final = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)
