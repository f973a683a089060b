"""Sans-I/O HTTP/1.1: bytes to events and events to bytes, for servers and clients."""

from ._connection import Connection
from ._errors import Fault, LocalProtocolError, ProtocolError, RemoteProtocolError
from ._events import (
    NEED_DATA,
    PAUSED,
    ConnectionClosed,
    Data,
    EndOfMessage,
    Event,
    Headers,
    Informational,
    Request,
    Response,
    Signal,
)
from ._limits import Limits
from ._scan import IMPLEMENTATION
from ._state import Role, State

__all__ = [
    "IMPLEMENTATION",
    "NEED_DATA",
    "PAUSED",
    "Connection",
    "ConnectionClosed",
    "Data",
    "EndOfMessage",
    "Event",
    "Fault",
    "Headers",
    "Informational",
    "Limits",
    "LocalProtocolError",
    "ProtocolError",
    "RemoteProtocolError",
    "Request",
    "Response",
    "Role",
    "Signal",
    "State",
]
