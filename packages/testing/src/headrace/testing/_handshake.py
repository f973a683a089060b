"""Opening a WebSocket over a connection of the client."""

from collections.abc import Iterable
from typing import TypedDict, cast

from yarl import URL

from headrace.websocket import Deflate, HandshakeError, Offer

from ._cookies import Cookies
from ._errors import WSServerHandshakeError
from ._faults import Faults
from ._request import Auth, Pairs, Query, RequestOptions
from ._session import Session
from ._websocket import ClientWebSocketResponse, Options

__all__ = ["WebSocketOptions", "open_websocket"]


class WebSocketOptions(TypedDict, total=False):
    """The keyword arguments of `TestClient.ws_connect`, which explains them."""

    protocols: Iterable[str]
    compress: int | bool
    origin: str | None
    autoping: bool
    autoclose: bool
    heartbeat: float | None
    receive_timeout: float | None
    close_timeout: float
    max_msg_size: int
    timeout: float | None
    method: str
    params: Query | None
    headers: Pairs | None
    cookies: Cookies | None
    auth: tuple[str, str] | Auth | None
    faults: Faults | None
    raise_handler_errors: bool


async def open_websocket(
    session: Session, path: str | URL, options: WebSocketOptions
) -> ClientWebSocketResponse:
    """Ask for a WebSocket at *path* and return it.

    Raises:
        WSServerHandshakeError: when the server refuses.
    """
    offer = Offer(
        subprotocols=tuple(options.get("protocols", ())),
        deflate=_deflate(options.get("compress", 0)),
        origin=options.get("origin"),
    )
    response, connection = await session.ask(
        options.get("method", "GET"), _http_url(path), _request_options(options), offer.headers
    )
    try:
        acceptance = offer.check(response.raw_headers, status=response.status)
    except HandshakeError as error:
        if response.status == 101:
            connection.abort()
        else:
            await response.read()
        raise WSServerHandshakeError(f"{error}\n\n{response}", status=response.status) from error
    websocket = ClientWebSocketResponse(
        response,
        connection.transport,
        acceptance,
        _websocket_options(session, options),
        connection.handler_error,
        session.patience,
    )
    session.hand_over(connection, websocket)
    websocket.take_over(connection.switched())
    return websocket


def _deflate(compress: int | bool) -> Deflate | None:
    if compress is True:
        return Deflate()
    return Deflate(client_max_window_bits=compress) if compress else None


def _http_url(path: str | URL) -> URL:
    url = URL(path)
    schemes = {"ws": "http", "wss": "https"}
    return url.with_scheme(schemes[url.scheme]) if url.scheme in schemes else url


def _request_options(options: WebSocketOptions) -> RequestOptions:
    names = RequestOptions.__optional_keys__ & options.keys()
    return cast(RequestOptions, {name: options[name] for name in names})  # type: ignore[literal-required]


def _websocket_options(session: Session, options: WebSocketOptions) -> Options:
    chosen = {name: options[name] for name in Options._fields if name in options}  # type: ignore[literal-required]
    return Options(timeout=session.timeout)._replace(**chosen)
