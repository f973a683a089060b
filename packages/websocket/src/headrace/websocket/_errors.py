"""The errors of the package: facts are attributes, text is composed in ``__str__``."""

from __future__ import annotations

from collections.abc import Sequence


class WebSocketError(Exception):
    """The root of every error this package raises on purpose."""


class ProtocolError(WebSocketError):
    """Somebody broke the protocol; the two subclasses say who."""


class LocalProtocolError(ProtocolError):
    """The caller asked for something the protocol does not allow now, or ever.

    Nothing was sent and the state is as before.
    """


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol or a limit, and the connection has failed.

    The Close frame that tells the peer waits in ``data_to_send()``; the transport should be
    closed once it is written.

    Attributes:
        code: the close code: 1002, 1007 or 1009.
        detail: what was expected and found.
    """

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.detail} ({int(self.code)})"


class HandshakeError(WebSocketError):
    """The opening handshake failed.

    Attributes:
        status: for a server the HTTP status to answer with (400, 403, 405 or 426); for a client
            the status that was received.
        detail: what was expected and found.
        headers: header pairs that the refusal must carry.
    """

    def __init__(
        self, status: int, detail: str, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        super().__init__(status, detail, headers)
        self.status = status
        self.detail = detail
        self.headers = list(headers)

    def __str__(self) -> str:
        return f"{self.detail} ({int(self.status)})"
