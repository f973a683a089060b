"""Test client, test server and pytest plugin for asyncio HTTP servers."""

from ._blocking import BlockingClient, BlockingResponse, BlockingWebSocket
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
from ._factories import ClientFactory, ServerFactory
from ._faults import Faults
from ._response import ClientResponse
from ._server import BaseTestServer, TestServer, unused_port
from ._stream import StreamReader
from ._transport import MemoryTransport
from ._unittest import (
    AioHTTPTestCase,
    loop_context,
    make_mocked_coro,
    setup_test_loop,
    teardown_test_loop,
    unittest_run_loop,
)
from ._web import RawTestServer, make_mocked_request
from ._websocket import ClientWebSocketResponse, WSMessage, WSMsgType

__all__ = [
    "AioHTTPTestCase",
    "BaseTestServer",
    "BlockingClient",
    "BlockingResponse",
    "BlockingWebSocket",
    "ClientError",
    "ClientFactory",
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
    "RawTestServer",
    "ResponseTimeoutError",
    "ServerDisconnectedError",
    "ServerFactory",
    "StreamReader",
    "TestClient",
    "TestServer",
    "TooManyRedirects",
    "WSMessage",
    "WSMessageTypeError",
    "WSMsgType",
    "WSServerHandshakeError",
    "loop_context",
    "make_mocked_coro",
    "make_mocked_request",
    "setup_test_loop",
    "teardown_test_loop",
    "unittest_run_loop",
    "unused_port",
]
