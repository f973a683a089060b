"""Test asyncio HTTP servers: a client, a server, a clock, faults, and a pytest plugin.

What is driven is a shape, not a framework: an application (``startup()``, ``make_handler()``,
``shutdown()``, ``cleanup()``, as `headrace.web.Application` has them) or anything that can be
called for a new ``asyncio.Protocol``. Real bytes go through the real parser of the server.

Two transports, one client
    ``TestClient(app)`` joins client and server in memory: no socket, no thread, the same order of
    things in every run; flow control, half-closed connections, resets and TLS included.
    ``transport="socket"``, or a `TestServer`, uses a loopback socket. Both behave alike.

Requests
    ``get()`` and its kin take the arguments of aiohttp's client: ``params``, ``data``, ``json``,
    ``headers``, ``cookies``, ``auth``, ``allow_redirects`` and more, see `TestClient.request`.
    The result is awaited, or used with ``async with``. Cookies are kept, redirects followed as
    long as they stay on the server; a redirect elsewhere is an error. Connections are kept alive
    and used again. What is not HTTP cannot be sent; `TestClient.open_connection` sends any bytes.

Time
    ``await client.clock.advance(3600)`` runs the timers of the next hour now, one by one, in
    order. The time-outs of the client itself count real seconds.

Faults
    ``faults=Faults(write_size=1)`` and the like spoil a connection: pieces, slowness, half-closed
    and reset connections, black holes. `TestClient.at_every_cut` sends a request cut everywhere.

Failures
    What a handler raised is raised in the test (``raise_handler_errors=False`` returns the 500).
    A failing test shows the last exchanges. What a test leaves open, bodies, WebSockets,
    connections, tasks, temporary files, is a `LeakError` (``check_leaks=False`` looks away).

Without ``async``
    `BlockingClient` is the same client with plain calls.

>>> import asyncio
>>> class Hello(asyncio.Protocol):
...     def connection_made(self, transport):
...         self.transport = transport
...     def data_received(self, data):
...         self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello")
>>> with BlockingClient(Hello) as client:
...     client.get("/").text()
'hello'
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

# pytest imports this package in every run, for the plugin in it: the rest is imported when used.
_HOMES = {
    "_blocking": ("BlockingClient", "BlockingResponse", "BlockingWebSocket"),
    "_body": ("FormData",),
    "_client": ("TestClient",),
    "_clock": ("Clock",),
    "_cookies": ("CookieJar",),
    "_errors": (
        "ClientError",
        "ClientPayloadError",
        "ClientResponseError",
        "LeakError",
        "ResponseTimeoutError",
        "ServerDisconnectedError",
        "TooManyRedirects",
        "WSMessageTypeError",
        "WSServerHandshakeError",
    ),
    "_factories": ("ClientFactory", "ServerFactory"),
    "_faults": ("Faults",),
    "_response": ("ClientResponse",),
    "_server": ("BaseTestServer", "TestServer", "unused_port"),
    "_stream": ("StreamReader",),
    "_transport": ("MemoryTransport",),
    "_unittest": (
        "AioHTTPTestCase",
        "loop_context",
        "make_mocked_coro",
        "setup_test_loop",
        "teardown_test_loop",
        "unittest_run_loop",
    ),
    "_web": ("RawTestServer", "make_mocked_request"),
    "_websocket": ("ClientWebSocketResponse", "WSMessage", "WSMsgType"),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f".{home}", __name__), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
