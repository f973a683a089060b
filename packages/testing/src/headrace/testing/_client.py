"""The client: what a test calls."""

import asyncio
import ssl as ssl_module
from collections.abc import AsyncIterator, Coroutine, Generator
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, final

from yarl import URL

from ._clock import Clock
from ._cookies import CookieJar, Cookies
from ._errors import LeakError
from ._faults import Faults
from ._handshake import WebSocketOptions, open_websocket
from ._request import Pairs, RequestOptions
from ._response import ClientResponse
from ._server import BaseTestServer, TestServer, TransportKind
from ._session import Defaults, Session
from ._shape import Application, ProtocolFactory
from ._websocket import ClientWebSocketResponse

__all__ = ["TestClient"]

_T = TypeVar("_T")


class _Pending(Coroutine[Any, Any, _T]):
    """What a request returns: a coroutine that can be used with ``async with`` as well."""

    __slots__ = ("_coroutine", "_result")

    def __init__(self, coroutine: Coroutine[Any, Any, _T]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, None, _T]:
        return self._coroutine.__await__()

    def send(self, value: Any) -> Any:
        return self._coroutine.send(value)

    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> Any:
        return self._coroutine.throw(typ if val is None else val)

    def close(self) -> None:
        self._coroutine.close()

    async def __aenter__(self) -> _T:
        self._result = await self._coroutine
        return self._result


class _Request(_Pending[ClientResponse]):
    """A request under way; ``async with`` releases the response."""

    __slots__ = ()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._result.release()


class _WebSocketRequest(_Pending[ClientWebSocketResponse]):
    """A WebSocket being opened; ``async with`` closes it."""

    __slots__ = ()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._result.close()


@final
class TestClient:
    """A client of one server under test.

    ``async with TestClient(app) as client: resp = await client.get("/")`` starts the
    application, asks it over a connection in memory, and ends it.

    Args:
        app_or_server: An application, a protocol factory, or a `TestServer`, which the client
            starts if that has not been done, and closes in any case.
        transport: ``"memory"`` or ``"socket"``; memory when None, and a server given knows its
            own.
        base_url: What the client takes the server's URL for, say ``"https://example.com"``.
        headers: Sent with every request.
        cookies: Kept from the start.
        auth: A user and a password, sent with every request.
        timeout: How long the server may be silent in real seconds; None waits for ever.
        faults: What goes wrong on every connection.
        ssl: The client's context for TLS; None accepts any certificate.
        raise_for_status: Raise `ClientResponseError` for statuses from 400.
        raise_handler_errors: Raise in the test what a handler raised, in place of returning the
            500 that the server made of it.
        check_leaks: Whether `close` raises `LeakError` for what is left open: bodies not read,
            WebSockets not closed, tasks, connections and temporary files.
    """

    __test__ = False

    def __init__(
        self,
        app_or_server: Application | ProtocolFactory | BaseTestServer,
        *,
        transport: TransportKind | None = None,
        base_url: str | URL | None = None,
        headers: Pairs | None = None,
        cookies: Cookies | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = 30.0,
        faults: Faults | None = None,
        ssl: ssl_module.SSLContext | None = None,
        raise_for_status: bool = False,
        raise_handler_errors: bool = True,
        check_leaks: bool = True,
    ) -> None:
        if isinstance(app_or_server, BaseTestServer):
            if transport not in {None, app_or_server.transport}:
                raise ValueError(f"the server's transport is {app_or_server.transport!r}")
            self._server = app_or_server
        else:
            self._server = TestServer(
                app_or_server, transport=transport or "memory", check_leaks=check_leaks
            )
        self._defaults = Defaults(
            URL(base_url) if base_url is not None else None,
            headers,
            auth,
            ssl,
            timeout,
            faults,
            raise_for_status,
            raise_handler_errors,
        )
        self._first_cookies = cookies
        self._check_leaks = check_leaks
        self._session: Session | None = None
        self._closed = False

    # The state

    @property
    def server(self) -> BaseTestServer:
        """The server under test."""
        return self._server

    @property
    def app(self) -> Any:
        """The application under test, None when there is none."""
        return getattr(self._server, "app", None)

    @property
    def handler(self) -> Any:
        """The protocol factory of the started server."""
        return self._server.handler

    @property
    def host(self) -> str:
        """The host of the server."""
        return self._server.host

    @property
    def port(self) -> int | None:
        """The port of the server."""
        return self._server.port

    @property
    def session(self) -> Session:
        """The engine, once the server is started."""
        if self._session is None:
            raise RuntimeError("the client is not started: use `async with` or start_server()")
        return self._session

    @property
    def cookies(self) -> CookieJar:
        """The cookies that are kept."""
        return self.session.cookie_jar

    @property
    def exchanges(self) -> tuple[ClientResponse, ...]:
        """The last responses, oldest first."""
        return () if self._session is None else tuple(self._session.exchanges)

    @property
    def clock(self) -> Clock:
        """The clock of the running loop."""
        return self._server.clock

    @property
    def closed(self) -> bool:
        """Tell whether the client was closed."""
        return self._closed

    def make_url(self, path: str | URL) -> URL:
        """Return the absolute URL of *path*."""
        return self.session.url(path)

    # Requests

    def request(self, method: str, path: str | URL, **options: Unpack[RequestOptions]) -> _Request:
        """Send a request and return the response, once its head has come.

        Args:
            method: The method.
            path: A path, or a URL of the server.
            options: any of

                * ``params``: the query, added to that of *path*;
                * ``data``: the body: bytes, text, an open file, an async iterable of bytes (sent
                  as it comes), a mapping or pairs or `FormData` (a form, multipart when it has
                  files), a ``MultipartWriter``, or a ``FormData`` of aiohttp;
                * ``json``: the body as an object to encode;
                * ``headers``, ``cookies``, ``auth``: for this request;
                * ``skip_auto_headers``: names of automatic headers to leave out;
                * ``allow_redirects`` (True), ``max_redirects`` (10);
                * ``chunked``: send the body in chunks; ``expect100``: wait for 100 first;
                * ``timeout``, ``raise_for_status``, ``raise_handler_errors``: as for the client;
                * ``auto_decompress`` (True): undo gzip and deflate;
                * ``faults``: what goes wrong, on a connection of its own;
                * ``version``: ``(1, 0)`` for HTTP/1.0.

        Raises:
            ServerDisconnectedError: when the connection ends before the response.
            ResponseTimeoutError: when the server is silent for too long.
            TooManyRedirects: when there are.
            ClientError: the root of these, for anything else that the server does wrong.
            Exception: what the handler raised, see *raise_handler_errors*.
        """
        return _Request(self.session.request(method.upper(), path, options))

    def get(self, path: str | URL, **options: Unpack[RequestOptions]) -> _Request:
        """Send a GET; see `request`."""
        return _Request(self.session.request("GET", path, options))

    def options(self, path: str | URL, **options: Unpack[RequestOptions]) -> _Request:
        """Send an OPTIONS; see `request`."""
        return _Request(self.session.request("OPTIONS", path, options))

    def head(self, path: str | URL, **options: Unpack[RequestOptions]) -> _Request:
        """Send a HEAD; redirects are not followed unless asked for; see `request`."""
        options.setdefault("allow_redirects", False)
        return _Request(self.session.request("HEAD", path, options))

    def post(self, path: str | URL, **options: Unpack[RequestOptions]) -> _Request:
        """Send a POST; see `request`."""
        return _Request(self.session.request("POST", path, options))

    def put(self, path: str | URL, **options: Unpack[RequestOptions]) -> _Request:
        """Send a PUT; see `request`."""
        return _Request(self.session.request("PUT", path, options))

    def patch(self, path: str | URL, **options: Unpack[RequestOptions]) -> _Request:
        """Send a PATCH; see `request`."""
        return _Request(self.session.request("PATCH", path, options))

    def delete(self, path: str | URL, **options: Unpack[RequestOptions]) -> _Request:
        """Send a DELETE; see `request`."""
        return _Request(self.session.request("DELETE", path, options))

    async def at_every_cut(
        self, method: str, path: str | URL, **options: Unpack[RequestOptions]
    ) -> AsyncIterator[ClientResponse]:
        """Send the same request in two pieces, cut at every position, then byte by byte.

        Each one goes over a connection of its own; the responses are yielded with their bodies
        read, and should all be alike. Other options as for `request`.
        """
        first = await self.session.request(method.upper(), path, options)
        await first.read()
        size = self.session.last_size
        cuts = [Faults(write_cuts=(position,)) for position in range(1, size)]
        for faults in [*cuts, Faults(write_size=1)]:
            response = await self.session.request(
                method.upper(), path, {**options, "faults": faults}
            )
            await response.read()
            yield response

    def ws_connect(self, path: str | URL, **options: Unpack[WebSocketOptions]) -> _WebSocketRequest:
        """Open a WebSocket.

        Args:
            path: A path, or a URL of the server.
            options: any of

                * ``protocols``: the subprotocols to offer, best first;
                * ``compress``: offer permessage-deflate: True, or the window bits 9 to 15;
                * ``origin``: the value of Origin;
                * ``autoping`` (True): answer pings, and keep pings and pongs from `receive`;
                * ``autoclose`` (True): answer the peer's close;
                * ``heartbeat``: seconds between pings;
                * ``receive_timeout``: for each message, in seconds of the loop's time;
                * ``close_timeout`` (10): how long `close` waits for the peer;
                * ``max_msg_size`` (4 MiB): bytes of a message, 0 for any size;
                * ``timeout``: as for the client;
                * ``params``, ``headers``, ``cookies``, ``auth``, ``faults``: as for `request`.

        Raises:
            WSServerHandshakeError: when the server refuses, with the exchange in its text.
        """
        return _WebSocketRequest(open_websocket(self.session, path, options))

    async def open_connection(
        self, *, faults: Faults | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection for bytes of your own, as ``asyncio.open_connection()`` does."""
        return await self.session.open_connection(faults)

    # The life

    async def start_server(self, **kwargs: Any) -> None:
        """Start the server if that has not been done.

        Args:
            kwargs: Passed to ``make_handler()`` of the application.
        """
        await self._server.start_server(**kwargs)
        if self._session is None:
            self._session = Session(self._server, self._defaults)
            if self._first_cookies is not None:
                self._session.cookie_jar.update_cookies(self._first_cookies)

    async def close(self) -> None:
        """Close the connections and the server; more calls do nothing.

        Raises:
            LeakError: if something is left open, see *check_leaks*.
        """
        if self._closed:
            return
        self._closed = True
        left = [] if self._session is None else await self._session.close()
        try:
            await self._server.close()
        except LeakError as error:
            left += error.leaks
        if left and self._check_leaks:
            raise LeakError(left)

    async def __aenter__(self) -> Self:
        await self.start_server()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is not None and self._session is not None and self._session.exchanges:
            exc.add_note(f"The last exchange:\n{self._session.exchanges[-1]}")
        try:
            await self.close()
        except LeakError:
            if exc is None:  # What failed first says more.
                raise
