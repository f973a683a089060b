"""Test client, test server and pytest plugin for asyncio HTTP servers."""

from ._body import FormData
from ._client import TestClient
from ._clock import Clock
from ._cookies import CookieJar
from ._errors import (
    ClientError,
    ClientPayloadError,
    ClientResponseError,
    LeakError,
    ResponseTimeoutError,
    ServerDisconnectedError,
    TooManyRedirects,
    WSMessageTypeError,
    WSServerHandshakeError,
)
from ._faults import Faults
from ._response import ClientResponse
from ._server import BaseTestServer, TestServer, unused_port
from ._stream import StreamReader
from ._transport import MemoryTransport
from ._websocket import ClientWebSocketResponse, WSMessage, WSMsgType

__all__ = [
    "BaseTestServer",
    "ClientError",
    "ClientPayloadError",
    "ClientResponse",
    "ClientResponseError",
    "ClientWebSocketResponse",
    "Clock",
    "CookieJar",
    "Faults",
    "FormData",
    "LeakError",
    "MemoryTransport",
    "ResponseTimeoutError",
    "ServerDisconnectedError",
    "StreamReader",
    "TestClient",
    "TestServer",
    "TooManyRedirects",
    "WSMessage",
    "WSMessageTypeError",
    "WSMsgType",
    "WSServerHandshakeError",
    "unused_port",
]
