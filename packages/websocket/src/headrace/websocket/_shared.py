"""One message for many connections, encoded and compressed once.

A connection with context takeover compresses each message with references to those before it,
so its frames fit no other. A shared message is compressed on its own instead: it refers to
nothing before it, and every receiver can read it, whatever its window holds (RFC 7692, 7.2.1
asks for blocks, not for one compressor). The receiver's window then holds the shared message
too, which the connection's own compressor has never seen: its next message must not refer back
across it, so the connection starts its compressor afresh.
"""

from __future__ import annotations

from typing import final

from ._events import Binary, Text


@final
class Shared:
    """A whole message to be sent to many connections: ``connection.send(shared)`` to each.

    Frames are made when first wanted and kept for all connections that want the same: plain
    ones, and compressed ones for each set of parameters. A client's frames are masked each
    with a key of their own (RFC 6455, 5.3), so clients share nothing.

    Attributes:
        message: the message.
    """

    __slots__ = ("frames", "message")

    def __init__(self, message: Text | Binary) -> None:
        """Take the message.

        Raises:
            TypeError: it is no message.
            ValueError: it is a piece of one.
        """
        if not isinstance(message, (Text, Binary)):
            raise TypeError(f"{type(message).__name__} cannot be shared")
        if not message.final:
            raise ValueError("only a whole message can be shared")
        self.message = message
        #: The frames that were made, by what they were made with. For the package's own use.
        self.frames: dict[object, bytes] = {}
