"""What the client raises, under the names of aiohttp's client.

Nothing else leaves the client, except ``ValueError`` and ``TypeError`` for arguments that make
no sense, what a handler raised (see `TestClient`), and `LeakError` at the end.
"""

from typing import final

__all__ = [
    "ClientError",
    "ClientPayloadError",
    "ClientResponseError",
    "LeakError",
    "ResponseTimeoutError",
    "ServerDisconnectedError",
    "TooManyRedirects",
    "WSMessageTypeError",
    "WSServerHandshakeError",
]


class ClientError(Exception):
    """The root of what the client raises."""


class ServerDisconnectedError(ClientError, ConnectionError):
    """The server ended the connection before a whole response head had come."""


class ClientPayloadError(ClientError):
    """The body of a response ended early or is malformed."""


class ResponseTimeoutError(ClientError, TimeoutError):
    """The server was silent for the whole time-out, in real seconds."""


class ClientResponseError(ClientError):
    """The response is not what was asked for.

    Attributes:
        status: The status of the response.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@final
class TooManyRedirects(ClientResponseError):
    """More redirects followed each other than allowed."""


@final
class WSServerHandshakeError(ClientResponseError):
    """The server refused the WebSocket handshake, or accepted it wrongly."""


@final
class WSMessageTypeError(TypeError):
    """A WebSocket message is of another type than the one awaited."""


@final
class LeakError(AssertionError):
    """Something was left behind when the client or the server was closed.

    Attributes:
        leaks: One line for each thing left behind.
    """

    def __init__(self, leaks: list[str]) -> None:
        super().__init__("left behind: " + "; ".join(leaks))
        self.leaks = leaks
