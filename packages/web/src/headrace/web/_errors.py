"""The exceptions of web that are not HTTP answers."""

from __future__ import annotations


class ClientConnectionResetError(ConnectionResetError):
    """The client has gone: raised by a write after the connection was lost."""


class PayloadAccessError(Exception):
    """The request's body is read after its response was finished."""


class RequestPayloadError(Exception):
    """The request's body is malformed or was cut short; the client's fault.

    `status` is that of the answer when the error leaves the handler: 400, or 408 for a body that
    does not arrive in time.
    """

    status = 400


class CleanupError(RuntimeError):
    """Several callbacks failed while the application was cleaned up; see `exceptions`."""

    @property
    def exceptions(self) -> list[BaseException]:
        """The failures, in the order in which they happened."""
        return list(self.args[1])


class NotAppKeyWarning(UserWarning):
    """Kept for programs that filter it; headrace accepts plain string keys in silence."""
