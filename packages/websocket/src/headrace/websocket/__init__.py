"""Sans-I/O WebSocket: RFC 6455 and RFC 7692, client and server."""

from ._codes import CloseCode, Opcode, Role
from ._connection import Connection
from ._deflate import Deflate
from ._errors import (
    HandshakeError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    WebSocketError,
)
from ._events import NEED_DATA, Binary, Close, ConnectionClosed, Event, NeedData, Ping, Pong, Text
from ._framing import IMPLEMENTATION
from ._handshake import Acceptance, Offer, accept
from ._limits import Limits
from ._state import State

__all__ = [
    "IMPLEMENTATION",
    "NEED_DATA",
    "Acceptance",
    "Binary",
    "Close",
    "CloseCode",
    "Connection",
    "ConnectionClosed",
    "Deflate",
    "Event",
    "HandshakeError",
    "Limits",
    "LocalProtocolError",
    "NeedData",
    "Offer",
    "Opcode",
    "Ping",
    "Pong",
    "ProtocolError",
    "RemoteProtocolError",
    "Role",
    "State",
    "Text",
    "WebSocketError",
    "accept",
]
