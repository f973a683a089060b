"""The client without ``async``: the same client on a loop of its own, run call by call.

No thread is started. The server runs while a call waits, and stands still in between.
"""

import asyncio
import json as json_module
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from http.cookies import SimpleCookie
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, final

from multidict import CIMultiDictProxy
from yarl import URL

from ._client import TestClient
from ._cookies import CookieJar
from ._handshake import WebSocketOptions
from ._request import RequestOptions, SentRequest
from ._response import ClientResponse
from ._server import BaseTestServer
from ._shape import Application, ProtocolFactory
from ._websocket import ClientWebSocketResponse, WSMessage

__all__ = ["BlockingClient", "BlockingResponse", "BlockingWebSocket"]

_T = TypeVar("_T")
Run = Callable[[Coroutine[Any, Any, _T]], _T]


@final
class BlockingResponse:
    """A response whose body is read by plain calls; see `ClientResponse`.

    Attributes:
        response: The response underneath.
    """

    def __init__(self, response: ClientResponse, runner: asyncio.Runner) -> None:
        self.response = response
        self._runner = runner

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status

    @property
    def reason(self) -> str:
        """The reason phrase."""
        return self.response.reason

    @property
    def ok(self) -> bool:
        """Tell whether the status is below 400."""
        return self.response.ok

    @property
    def url(self) -> URL:
        """The URL that was answered."""
        return self.response.url

    @property
    def request(self) -> SentRequest:
        """What was sent."""
        return self.response.request

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The headers."""
        return self.response.headers

    @property
    def cookies(self) -> SimpleCookie:
        """The cookies which this response sets."""
        return self.response.cookies

    @property
    def content_type(self) -> str:
        """The media type."""
        return self.response.content_type

    @property
    def history(self) -> tuple[ClientResponse, ...]:
        """The redirects that led here."""
        return self.response.history

    def read(self) -> bytes:
        """Return the whole body."""
        return self._runner.run(self.response.read())

    def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """Return the body as text."""
        return self._runner.run(self.response.text(encoding, errors))

    def json(
        self,
        *,
        loads: Callable[[str], Any] = json_module.loads,
        content_type: str | None = "application/json",
    ) -> Any:
        """Return the body decoded as JSON."""
        return self._runner.run(self.response.json(loads=loads, content_type=content_type))

    def iter_any(self) -> Iterator[bytes]:
        """Iterate over pieces of the body as they arrive."""
        yield from self._iterate(self.response.content.iter_any())

    def iter_lines(self) -> Iterator[bytes]:
        """Iterate over the lines of the body as they arrive."""
        yield from self._iterate(aiter(self.response.content))

    def _iterate(self, pieces: AsyncIterator[bytes]) -> Iterator[bytes]:
        async def following() -> bytes:
            return await anext(pieces, b"")

        while piece := self._runner.run(following()):
            yield piece

    def raise_for_status(self) -> None:
        """Raise `ClientResponseError` if the status is 400 or above."""
        self.response.raise_for_status()

    def close(self) -> None:
        """Give the connection back, closing it when the body has not arrived whole."""
        self.response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self.response).replace("ClientResponse", "BlockingResponse", 1)

    def __str__(self) -> str:
        return str(self.response)


@final
class BlockingWebSocket:
    """A WebSocket used by plain calls; see `ClientWebSocketResponse`.

    Attributes:
        websocket: The WebSocket underneath.
    """

    def __init__(self, websocket: ClientWebSocketResponse, runner: asyncio.Runner) -> None:
        self.websocket = websocket
        self._runner = runner

    @property
    def protocol(self) -> str | None:
        """The subprotocol agreed on."""
        return self.websocket.protocol

    @property
    def closed(self) -> bool:
        """Tell whether the connection is closed."""
        return self.websocket.closed

    @property
    def close_code(self) -> int | None:
        """What closed the connection."""
        return self.websocket.close_code

    def send_str(self, data: str) -> None:
        """Send a text message."""
        self._runner.run(self.websocket.send_str(data))

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._runner.run(self.websocket.send_bytes(data))

    def send_json(self, data: object) -> None:
        """Send *data* as JSON in a text message."""
        self._runner.run(self.websocket.send_json(data))

    def ping(self, message: bytes = b"") -> None:
        """Send a ping."""
        self._runner.run(self.websocket.ping(message))

    def receive(self, timeout: float | None = None) -> WSMessage:
        """Return the next message."""
        return self._runner.run(self.websocket.receive(timeout))

    def receive_str(self, *, timeout: float | None = None) -> str:
        """Return the text of the next message."""
        return self._runner.run(self.websocket.receive_str(timeout=timeout))

    def receive_bytes(self, *, timeout: float | None = None) -> bytes:
        """Return the bytes of the next message."""
        return self._runner.run(self.websocket.receive_bytes(timeout=timeout))

    def receive_json(self, *, timeout: float | None = None) -> Any:
        """Return the next message, a text, decoded as JSON."""
        return self._runner.run(self.websocket.receive_json(timeout=timeout))

    def close(self, *, code: int = 1000, message: bytes = b"") -> bool:
        """Close the connection."""
        return self._runner.run(self.websocket.close(code=code, message=message))

    def __iter__(self) -> Iterator[WSMessage]:
        async def following() -> WSMessage | None:
            return await anext(self.websocket, None)

        while (message := self._runner.run(following())) is not None:
            yield message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


@final
class BlockingClient:
    """A `TestClient` for tests without ``async``.

    ``with BlockingClient(app) as client: assert client.get("/").status == 200``

    Args:
        app_or_server: As for `TestClient`.
        options: As for `TestClient`.

    Raises:
        RuntimeError: when entered while an event loop is running.

    Attributes:
        client: The client underneath.
    """

    def __init__(
        self, app_or_server: Application | ProtocolFactory | BaseTestServer, **options: Any
    ) -> None:
        self.client = TestClient(app_or_server, **options)
        self._runner = asyncio.Runner()

    @property
    def cookies(self) -> CookieJar:
        """The cookies that are kept."""
        return self.client.cookies

    @property
    def exchanges(self) -> tuple[ClientResponse, ...]:
        """The last responses, oldest first."""
        return self.client.exchanges

    def make_url(self, path: str | URL) -> URL:
        """Return the absolute URL of *path*."""
        return self.client.make_url(path)

    def request(
        self, method: str, path: str | URL, **options: Unpack[RequestOptions]
    ) -> BlockingResponse:
        """Send a request and return the response; see `TestClient.request`."""

        async def asking() -> ClientResponse:
            return await self.client.request(method, path, **options)

        return BlockingResponse(self.run(asking()), self._runner)

    def get(self, path: str | URL, **options: Unpack[RequestOptions]) -> BlockingResponse:
        """Send a GET."""
        return self.request("GET", path, **options)

    def options(self, path: str | URL, **options: Unpack[RequestOptions]) -> BlockingResponse:
        """Send an OPTIONS."""
        return self.request("OPTIONS", path, **options)

    def head(self, path: str | URL, **options: Unpack[RequestOptions]) -> BlockingResponse:
        """Send a HEAD; redirects are not followed unless asked for."""
        options.setdefault("allow_redirects", False)
        return self.request("HEAD", path, **options)

    def post(self, path: str | URL, **options: Unpack[RequestOptions]) -> BlockingResponse:
        """Send a POST."""
        return self.request("POST", path, **options)

    def put(self, path: str | URL, **options: Unpack[RequestOptions]) -> BlockingResponse:
        """Send a PUT."""
        return self.request("PUT", path, **options)

    def patch(self, path: str | URL, **options: Unpack[RequestOptions]) -> BlockingResponse:
        """Send a PATCH."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str | URL, **options: Unpack[RequestOptions]) -> BlockingResponse:
        """Send a DELETE."""
        return self.request("DELETE", path, **options)

    def ws_connect(self, path: str | URL, **options: Unpack[WebSocketOptions]) -> BlockingWebSocket:
        """Open a WebSocket; see `TestClient.ws_connect`."""

        async def opening() -> ClientWebSocketResponse:
            return await self.client.ws_connect(path, **options)

        return BlockingWebSocket(self.run(opening()), self._runner)

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass at once; see `Clock.advance`."""

        async def advancing() -> None:
            await self.client.clock.advance(seconds)

        self.run(advancing())

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run *coroutine* on the loop of the client, such as one of the application's own."""
        if _loop_is_running():
            coroutine.close()
            raise RuntimeError("an event loop is running here: use TestClient and await")
        return self._runner.run(coroutine)

    def start(self) -> None:
        """Start the server; ``with`` does."""
        self.run(self.client.start_server())

    def close(self) -> None:
        """Close the client, the server and the loop; more calls do nothing.

        Raises:
            LeakError: if something is left open.
        """
        if self.client.closed:
            return
        try:
            self.run(self.client.close())
        finally:
            self._runner.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.run(self.client.__aexit__(exc_type, exc, traceback))
        finally:
            self._runner.close()


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
