"""What must build objects of headrace.web: `RawTestServer` and `make_mocked_request`.

The only module that imports headrace.web, and only when it is used; the extra
``headrace-testing[web]`` installs it. All else drives any server.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, final
from unittest.mock import Mock

from ._request import Pair, Pairs, encoded
from ._server import BaseTestServer, Runner

if TYPE_CHECKING:
    from headrace import web

__all__ = ["RawTestServer", "make_mocked_request"]


class RawTestServer(BaseTestServer):
    """A server without an application: *handler* is called with each request.

    Args:
        handler: A coroutine function from a request of headrace.web to a response.
        options: As for `TestServer`; arguments of `start_server` go to ``web.Server``.
    """

    __test__ = False

    def __init__(
        self, handler: "Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]", **options: Any
    ) -> None:
        super().__init__(**options)
        self._handler = handler

    async def _make_runner(self, **kwargs: Any) -> Runner:
        from headrace import web

        return Runner(web.Server(self._handler, **kwargs), {})


def make_mocked_request(
    method: str,
    path: str,
    headers: Pairs | None = None,
    *,
    match_info: Mapping[str, str] | None = None,
    version: tuple[int, int] = (1, 1),
    closing: bool = False,
    app: Any = None,
    payload: bytes | Any = b"",
    transport: Any = None,
    sslcontext: Any = None,
    client_max_size: int = 1024**2,
    loop: asyncio.AbstractEventLoop | None = None,
) -> "web.Request":
    """Return a request of headrace.web that came over no connection, to call a handler with.

    A client says more about an application; this is for the rest.

    Args:
        method: The method.
        path: The target, with the query.
        headers: The headers.
        match_info: The variables of the path.
        version: The HTTP version.
        closing: Whether the connection ends after this request.
        app: The application; a mock when None.
        payload: The body, in bytes or as a ``web.StreamReader``.
        transport: The transport; a mock when None.
        sslcontext: Makes the request one over TLS.
        client_max_size: The size in bytes at which reading the body fails.
        loop: The loop; the running one when None, if there is one.
    """
    from headrace import web

    exchange = MockedExchange(transport, sslcontext, not closing, loop)
    request = web.Request(
        method,
        path,
        web.HttpVersion(*version),
        tuple(encoded(headers or ())),
        _content(payload, exchange),
        exchange,
    )
    # The private names below are set by the dispatcher of headrace.web, whose place we take.
    request._app = Mock() if app is None else app
    request._matched = _Matched(dict(match_info or {}))
    request._client_max_size = client_max_size
    return request


def _content(payload: bytes | Any, exchange: "MockedExchange") -> Any:
    from headrace import web

    if not isinstance(payload, bytes):
        return payload
    if not payload:
        return None
    content = web.StreamReader(exchange)
    content.feed_data(payload)
    content.feed_eof()
    return content


@final
class _Matched:
    """What a dispatcher would have found."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = params

    @property
    def value(self) -> "_Matched":
        return self

    def match_info(self, request: Any, params: Mapping[str, Any]) -> Any:
        from headrace import web

        return web.UrlMappingMatchInfo(params, Mock(apps=(request.app,)), request)


@final
class MockedExchange:
    """The connection's side of a mocked request; it keeps what the handler sends.

    Attributes:
        sent: The status, the reason and the headers of the answer, None before.
        body: What was written of its body.
    """

    def __init__(
        self,
        transport: Any,
        sslcontext: Any,
        keep_alive: bool,
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.keep_alive = keep_alive
        self.auto_decompress = True
        self.begun: object = None
        self.task = None
        self.sent: tuple[int, str | None, Sequence[Pair]] | None = None
        self.body = bytearray()
        self._sslcontext = sslcontext
        self._loop = loop
        self.transport = self._mocked_transport() if transport is None else transport

    def _mocked_transport(self) -> Mock:
        transport = Mock(spec=asyncio.Transport)
        known = {"sslcontext": self._sslcontext, "peername": ("127.0.0.1", 50001)}
        transport.get_extra_info.side_effect = known.get
        transport.is_closing.return_value = False
        return transport

    @property
    def remote(self) -> str | None:
        """The address of the client."""
        peername = self.get_extra_info("peername")
        return peername[0] if isinstance(peername, tuple) else peername or None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        return self._loop or asyncio.get_running_loop()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the transport knows."""
        return self.transport.get_extra_info(name, default)

    def pause_body(self) -> None:
        """Do nothing: the body is here."""

    def resume_body(self) -> None:
        """Do nothing: the body is here."""

    def send_informational(self, status: int, fields: Iterable[Pair] = ()) -> None:
        """Do nothing: nobody waits."""

    def send_head(self, status: int, reason: str | None, fields: Sequence[Pair]) -> None:
        """Keep the head."""
        self.sent = (status, reason, list(fields))

    def send_whole(
        self, status: int, reason: str | None, fields: Sequence[Pair], body: bytes
    ) -> None:
        """Keep the head and the body."""
        self.sent = (status, reason, list(fields))
        self.body += body

    def send_usual(self, status: int, fields: tuple[Pair, ...], body: bytes) -> None:
        self.send_whole(status, None, list(fields), body)

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep a piece of the body."""
        self.body += data

    async def write_eof(self, trailers: Iterable[Pair] = ()) -> None:
        """Do nothing more."""

    async def send_file(
        self,
        file: Any,
        offset: int,
        count: int,
        piece: int,
        head: tuple[int, str | None, Sequence[Pair]] | None = None,
    ) -> None:
        """Keep a part of a file as a piece of the body, and the head."""
        if head is not None:
            self.send_head(*head)
        self.body += await file.read(offset, count)

    async def drain(self) -> None:
        """Do nothing: there is room."""

    @property
    def disconnected(self) -> bool:
        """Tell that the client is there."""
        return False

    async def wait_for_disconnection(self) -> None:
        """Wait for ever: the client stays."""
        await asyncio.Event().wait()

    @property
    def shutting_down(self) -> bool:
        """Tell that the server stays."""
        return False

    async def wait_for_shutdown(self) -> None:
        """Wait for ever: the server stays."""
        await asyncio.Event().wait()

    def cancel_on_disconnect(self, wanted: bool) -> None:
        """Do nothing: nobody disconnects."""

    def upgrade(self, fields: list[Pair], protocol: asyncio.Protocol) -> None:
        """Keep the head of a switch to another protocol."""
        self.sent = (101, None, fields)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Do nothing: there is no connection."""
