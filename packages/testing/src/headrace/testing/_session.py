"""The engine of the client: connections, cookies and redirects."""

import asyncio
import ssl as ssl_module
import time
from collections import deque
from collections.abc import Coroutine, Iterator
from typing import NamedTuple, cast, final

from yarl import URL

from ._body import NO_BODY, Body, Writable, encode_body, is_writable, made_of, written_body
from ._clock import clock_of, ready_of
from ._connection import HTTPConnection, Plan
from ._cookies import CookieJar, cookie_header
from ._errors import ClientError, TooManyRedirects
from ._faults import Faults
from ._headers import HeaderPlan
from ._listeners import dial
from ._pairs import items_of
from ._patience import Patience
from ._redirects import redirected
from ._request import Pair, Pairs, RequestOptions, SentRequest, authorization
from ._response import ClientResponse
from ._server import BaseTestServer
from ._websocket import ClientWebSocketResponse

__all__ = ["Defaults", "Session"]

# A response that came while its request was being sent, or what waits for it.
Answered = ClientResponse | Coroutine[object, object, ClientResponse]

_URLS_KEPT = 256
_EXCHANGES_KEPT = 10
# So many exchanges may end within their calls before the loop has its turn again: what is ready
# has it after each of them, while timers and sockets can wait a little, but not for ever.
_ROUNDS_WITHOUT_TURN = 32


class Defaults(NamedTuple):
    """What holds for every request that does not say otherwise."""

    base_url: URL | None
    headers: Pairs | None
    auth: "tuple[str, str] | None"
    tls: ssl_module.SSLContext | None
    timeout: float | None
    faults: Faults | None
    raise_for_status: bool
    raise_handler_errors: bool


@final
class Session:
    """The requests of one client to one server.

    Attributes:
        cookie_jar: The cookies that are kept.
        exchanges: The last responses, oldest first.
        websockets: Those that were opened.
        patience: The time-outs of all connections.
        timeout: How long the server may be silent, in real seconds.
    """

    def __init__(self, server: BaseTestServer, defaults: Defaults) -> None:
        self._server = server
        self._defaults = defaults
        self._headers = HeaderPlan(defaults.headers)
        self._base = defaults.base_url or server.make_url("/")
        self._loop = asyncio.get_running_loop()
        clock = clock_of(self._loop)
        self.cookie_jar = CookieJar(lambda: time.time() + clock.advanced)
        self.exchanges: deque[ClientResponse] = deque(maxlen=_EXCHANGES_KEPT)
        self.websockets: list[ClientWebSocketResponse] = []
        self._idle: list[HTTPConnection] = []
        self._connections: set[HTTPConnection] = set()
        self._strays: list[str] = []
        self._streams: list[_Streams] = []
        self._urls: dict[str, URL] = {}
        self._usual: dict[tuple[str, str | URL], SentRequest] = {}
        self._in_memory = server.transport == "memory"
        self.timeout = defaults.timeout
        self.patience = Patience(self._loop)
        self._usual_plan = self._plan(NO_BODY, {})
        self._last: HTTPConnection | None = None
        self._ready = ready_of(self._loop)
        self._rounds = 0
        self._raises = defaults.raise_for_status

    def url(self, path: str | URL) -> URL:
        """Return the absolute URL of *path*.

        Raises:
            ValueError: if *path* is a URL of another server.
        """
        if isinstance(path, str):
            known = self._urls.get(path)
            if known is not None:
                return known
        url = URL(path)
        if not url.absolute:
            url = self._base.join(url)
        elif not self._is_ours(url):
            raise ValueError(f"{url} is not on the server under test, {self._base}")
        if isinstance(path, str) and len(self._urls) < _URLS_KEPT:
            self._urls[path] = url
        return url

    def _is_ours(self, url: URL) -> bool:
        return url.origin() in {self._base.origin(), self._server.make_url("/").origin()}

    # Requests

    async def request(
        self, method: str, path: str | URL, options: RequestOptions
    ) -> ClientResponse:
        """Carry out a request and the redirects that follow."""
        __tracebackhide__ = True  # What a handler raised is shown from the test to the handler.
        body = await _body(options) if options else NO_BODY
        usual = None if options or self.cookie_jar else self._usual.get((method, path))
        request = usual or self._new_request(method, path, body, options)
        answered = self._exchange(request, body, options)
        response = answered if isinstance(answered, ClientResponse) else await answered
        if response.status // 100 == 3 and options.get("allow_redirects", True):
            response = await self._follow(response, body, options)
        if response.status >= 400 and options.get("raise_for_status", self._raises):
            await response.read()
            response.raise_for_status()
        return response

    def _new_request(
        self, method: str, path: str | URL, body: Body, options: RequestOptions
    ) -> SentRequest:
        request = self.prepare(method, self._with_query(self.url(path), options), body, options)
        if not (options or self.cookie_jar) and len(self._usual) < _URLS_KEPT:
            # It says what any other one for *path* will say.
            self._usual[method, path] = request
        return request

    async def _follow(
        self, response: ClientResponse, body: Body, options: RequestOptions
    ) -> ClientResponse:
        """Follow the redirects that begin with *response*."""
        history: list[ClientResponse] = []
        while step := redirected(response):
            self._check_redirect(response, history, step.url, options.get("max_redirects", 10))
            history.append(response)
            await response.read()
            if not step.keeps_body:
                body = NO_BODY
            elif body.content is not None and not isinstance(body.content, bytes):
                raise ClientError(f"a streamed body cannot be sent again\n\n{response}")
            request = self.prepare(step.method, step.url, body, options)
            response = await _settled(self._exchange(request, body, options))
        response.history = tuple(history)
        return response

    def _check_redirect(
        self, response: ClientResponse, history: list[ClientResponse], url: URL, most: int
    ) -> None:
        if len(history) >= most:
            raise TooManyRedirects(
                f"more than {most} redirects, the last one to {url}\n\n{response}",
                status=response.status,
            )
        if not self._is_ours(url):
            raise ClientError(
                f"the redirect to {url} leaves the server under test: "
                f"pass allow_redirects=False to look at it\n\n{response}"
            )

    def _exchange(self, request: SentRequest, body: Body, options: RequestOptions) -> Answered:
        """Send *request*; return its response, or what waits for it."""
        plan = self._plan(body, options) if options else self._usual_plan
        connection = self._idle_connection(options)
        if connection is None:
            return self._exchange_anew(request, plan, options)
        return self._carry_out(connection, request, plan)

    async def _exchange_anew(
        self, request: SentRequest, plan: Plan, options: RequestOptions
    ) -> ClientResponse:
        __tracebackhide__ = True
        connection = await self.connection(options.get("faults"))
        return await _settled(self._carry_out(connection, request, plan))

    def _carry_out(self, connection: HTTPConnection, request: SentRequest, plan: Plan) -> Answered:
        if connection.handler_errors and self._in_memory:
            connection.handler_errors.clear()  # What an earlier request left, nobody wanted.
        self._last = connection
        response = connection.begin(request, plan)
        if response is None:
            return connection.answer()
        self._rounds += 1
        if self._ready or self._rounds % _ROUNDS_WITHOUT_TURN == 0:
            return _after_a_turn(response)
        return response

    @property
    def last_size(self) -> int:
        """The size of the last request, in bytes."""
        return 0 if self._last is None else self._last.sent - self._last.begun

    async def ask(
        self, method: str, path: str | URL, options: RequestOptions, more: list[Pair]
    ) -> tuple[ClientResponse, HTTPConnection]:
        """Carry out one request with *more* headers; return the response and its connection."""
        url = self._with_query(self.url(path), options)
        request = self.prepare(method, url, NO_BODY, options)
        given = {name.lower() for name in names_of(options.get("headers"))}
        more = [pair for pair in more if pair[0].decode().lower() not in given]
        request = SentRequest(method, url, (*request.pairs, *more), None)
        connection = self._idle_connection(options)
        if connection is None:
            connection = await self.connection(options.get("faults"))
        plan = self._plan(NO_BODY, options)
        response = await _settled(self._carry_out(connection, request, plan))
        return response, connection

    async def open_connection(
        self, faults: Faults | None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection for the caller's own bytes."""
        reader = asyncio.StreamReader(loop=self._loop)
        protocol = _Streams(reader, loop=self._loop)
        await dial(
            self._server.listener,
            protocol,
            tls=self._defaults.tls,
            faults=faults or self._defaults.faults,
        )
        self._streams.append(protocol)
        return reader, asyncio.StreamWriter(protocol.transport, protocol, reader, self._loop)

    @staticmethod
    def _with_query(url: URL, options: RequestOptions) -> URL:
        params = options.get("params")
        return url if params is None else url.extend_query(params)

    def _keep_cookies(self, response: ClientResponse) -> None:
        if any(name.lower() == b"set-cookie" for name, _ in response.raw_headers):
            self.cookie_jar.update_cookies(response.cookies, response.url)

    def prepare(self, method: str, url: URL, body: Body, options: RequestOptions) -> SentRequest:
        """Return the request with all its headers."""
        secret = self._defaults.auth is not None or url.raw_user is not None
        if not options and not self.cookie_jar and not secret:
            return SentRequest(method, url, self._headers.plain(url), None)
        pairs = self._headers.pairs(
            url,
            body,
            options.get("headers"),
            self._extra(url, body, options),
            options.get("skip_auto_headers", ()),
        )
        content = body.content
        streamed = content is not None and not isinstance(content, bytes)
        return SentRequest(
            method,
            url,
            pairs,
            content if isinstance(content, bytes) else None,
            streamed=streamed,
            version=options.get("version", (1, 1)),
        )

    def _extra(self, url: URL, body: Body, options: RequestOptions) -> Iterator[tuple[str, str]]:
        auth = options.get("auth", self._defaults.auth)
        if auth is not None:
            yield "Authorization", authorization(auth)
        elif url.raw_user is not None:
            yield "Authorization", authorization((url.user or "", url.password or ""))
        cookies = options.get("cookies")
        if cookies is not None or self.cookie_jar:
            header = self._cookies(url, options)
            if header:
                yield "Cookie", header
        yield from _framing(body, options)

    def _cookies(self, url: URL, options: RequestOptions) -> str:
        chosen = self.cookie_jar.filter_cookies(url)
        cookies = options.get("cookies")
        if cookies is not None:
            own = CookieJar(lambda: 0.0)
            own.update_cookies(cookies)
            for morsel in own:
                dict.__setitem__(chosen, morsel.key, morsel)
        return cookie_header(chosen)

    def _plan(self, body: Body, options: RequestOptions) -> Plan:
        defaults = self._defaults
        faults = options.get("faults") or defaults.faults
        return Plan(
            body.content,
            options.get("chunked", False),
            options.get("expect100", False),
            options.get("timeout", defaults.timeout),
            options.get("auto_decompress", True),
            options.get("raise_handler_errors", defaults.raise_handler_errors),
            faults is not None and faults.half_close,
        )

    # Connections

    def _idle_connection(self, options: RequestOptions) -> HTTPConnection | None:
        while self._idle and not (options and options.get("faults")):
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def connection(self, faults: Faults | None = None) -> HTTPConnection:
        """Return a new connection, for one request alone when *faults* are wanted."""
        self._forget_lost()
        released = self._idle.append if faults is None else HTTPConnection.close
        connection = HTTPConnection(
            self.patience, self.exchanges.append, self._keep_cookies, released
        )
        connection.handler_errors = await dial(
            self._server.listener,
            connection,
            tls=self._defaults.tls,
            faults=faults or self._defaults.faults,
        )
        self._connections.add(connection)
        return connection

    def hand_over(self, connection: HTTPConnection, websocket: ClientWebSocketResponse) -> None:
        """Note that *websocket* has taken over *connection*."""
        self._connections.discard(connection)
        self.websockets.append(websocket)

    def _forget_lost(self) -> None:
        for connection in [c for c in self._connections if c.lost]:
            self._connections.remove(connection)
            if connection.stray:
                self._strays.append(connection.stray)

    # The end

    async def close(self) -> list[str]:
        """Close all connections; return the names of what the test left open."""
        if any(self._unfinished()):
            await clock_of(self._loop).settle()
        self._forget_lost()
        left = [*self._strays, *(c.stray for c in self._connections if c.stray)]
        left += [f"body of {response!r}, not read to its end" for response in self._unfinished()]
        for websocket in self.websockets:
            if not websocket.closed:
                left.append(f"WebSocket {websocket.name}, not closed")
                websocket.abort()
        for stream in self._streams:
            stream.transport.close()
        for connection in self._connections:
            connection.close()
        self._idle.clear()
        for _ in range(_ROUNDS_TO_CLOSE):
            await asyncio.sleep(0)
        for connection in self._connections:
            connection.abort()
        self.patience.close()
        return left

    def _unfinished(self) -> Iterator[ClientResponse]:
        for connection in self._connections:
            response = connection.response
            if response is not None and not response.closed and not connection.lost:
                yield response


_ROUNDS_TO_CLOSE = 3


async def _settled(answered: Answered) -> ClientResponse:
    __tracebackhide__ = True
    return answered if isinstance(answered, ClientResponse) else await answered


async def _after_a_turn(response: ClientResponse) -> ClientResponse:
    """Return *response* when those who are ready have had their turn, as over any transport."""
    await asyncio.sleep(0)
    return response


async def _body(options: RequestOptions) -> Body:
    data = made_of(options.get("data"))
    if is_writable(data):
        assert isinstance(data, Writable)
        return await written_body(data)
    return encode_body(data, options.get("json"))


def _framing(body: Body, options: RequestOptions) -> Iterator[tuple[str, str]]:
    """Yield the framing headers of a body that is not written at once with its head."""
    content = body.content
    given = {name.lower() for name in names_of(options.get("headers"))}
    if options.get("expect100"):
        yield "Expect", "100-continue"
    if given & {"content-length", "transfer-encoding"}:
        return
    if options.get("chunked") or (content is not None and not isinstance(content, bytes)):
        yield "Transfer-Encoding", "chunked"
    elif options.get("expect100"):
        yield "Content-Length", str(len(content or b""))


@final
class _Streams(asyncio.StreamReaderProtocol):
    """Remembers the transport, which asyncio's own keeps to itself."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        super().connection_made(transport)


def names_of(headers: Pairs | None) -> Iterator[str]:
    """Iterate over the names of *headers*."""
    return (name for name, _ in items_of(headers or ()))
