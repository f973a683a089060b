"""What waits for a client that does not keep up: whole messages, in front of the transport.

Nothing here is used for a client that keeps up. Messages wait as they were given, not as
frames: what is dropped must not have gone through the compressor, whose later output builds on
all of the earlier.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Literal, NamedTuple, final, get_args

from headrace.websocket import Binary, Event, Ping, Pong, Shared, Text

SlowClient = Literal["wait", "drop_oldest", "drop_newest", "close"]

#: What a waiting message costs beside its data, about.
_OVERHEAD: Final = 128


class Waiting(NamedTuple):
    """A message that waits, with what its sender wants of compression, and its bytes."""

    event: Event | Shared
    compress: bool | None
    size: int


def check_policy(policy: str) -> None:
    """Check the name of a policy.

    Raises:
        ValueError: There is no such policy.
    """
    if policy not in get_args(SlowClient):
        raise ValueError(f"slow_client is {policy!r}, expected one of {get_args(SlowClient)}")


def _size(event: Event | Shared) -> int:
    message = event.message if isinstance(event, Shared) else event
    if isinstance(message, Text | Binary):
        return len(message.data) + _OVERHEAD
    assert isinstance(message, Ping | Pong)
    return len(message.payload) + _OVERHEAD


@final
class Outbox:
    """The queue, with a bound in bytes; one message fits always.

    Attributes:
        size: Bytes that wait.
        dropped: Messages that were dropped so far.
    """

    __slots__ = ("_limit", "_messages", "dropped", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._messages: deque[Waiting] = deque()
        self.size = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, event: Event | Shared, compress: bool | None) -> None:
        """Add a message, whatever the bound."""
        size = _size(event)
        self._messages.append(Waiting(event, compress, size))
        self.size += size

    def put_bounded(self, event: Event | Shared, compress: bool | None, policy: SlowClient) -> bool:
        """Add a message by a policy other than to wait; False when the client is to be closed."""
        if self._messages and self.size + _size(event) > self._limit:
            if policy == "close":
                return False
            if policy == "drop_newest":
                self.dropped += 1
                return True
        self.put(event, compress)
        while self.size > self._limit and len(self._messages) > 1:
            self.pop()
            self.dropped += 1
        return True

    def pop(self) -> Waiting:
        """Remove and return the oldest message."""
        message = self._messages.popleft()
        self.size -= message.size
        return message

    def clear(self) -> None:
        """Drop everything."""
        self.dropped += len(self._messages)
        self._messages.clear()
        self.size = 0
