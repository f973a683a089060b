"""What was received and not yet read."""

from __future__ import annotations

from typing import final


@final
class ReceiveBuffer:
    """Received bytes from `pos` on; if `data` is empty, `pos` is 0.

    What comes into an empty buffer is kept as it is, without a copy. Only what comes on top of
    something unread is gathered in a bytearray, whose front is given back cheaply, so that each
    byte is copied a bounded number of times however the input is split.
    """

    __slots__ = ("data", "pos")

    def __init__(self) -> None:
        self.data: bytes | bytearray = b""
        self.pos = 0

    def __len__(self) -> int:
        return len(self.data) - self.pos

    def append(self, data: bytes | bytearray | memoryview) -> None:
        if self.pos == len(self.data):
            self.data = data if type(data) is bytes else bytes(data)
            self.pos = 0
            return
        if type(self.data) is bytearray:
            del self.data[: self.pos]
        else:
            self.data = bytearray(memoryview(self.data)[self.pos :])
        self.pos = 0
        self.data += data

    def take(self, size: int) -> bytes:
        """Return the next *size* bytes, or all there are if these are fewer."""
        data = self.data
        pos = self.pos
        stop = pos + size
        if stop < len(data):
            self.pos = stop
        else:
            # Nothing is held on to once it is read.
            self.data = b""
            self.pos = 0
        # A slice of all of a bytes object is the object itself.
        return data[pos:stop] if type(data) is bytes else bytes(memoryview(data)[pos:stop])

    def clear(self) -> None:
        self.data = b""
        self.pos = 0
