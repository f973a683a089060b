"""The body of a response as a stream of bytes."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, final

__all__ = ["Flow", "StreamReader"]

_HIGH_WATER = 128 * 1024

# Waits for a future, with the time-out of the request.
Wait = Callable[["asyncio.Future[None]"], Awaitable[None]]


class Flow(Protocol):
    """What a body stops when it is not read."""

    def pause_reading(self) -> None:
        """Stop reading from the connection."""
        ...

    def resume_reading(self) -> None:
        """Go on reading from the connection."""
        ...


@final
class _Still:
    """The flow of a body that has arrived."""

    def pause_reading(self) -> None:
        """Do nothing."""

    def resume_reading(self) -> None:
        """Do nothing."""


async def _forever(future: "asyncio.Future[None]") -> None:
    await future


@final
class StreamReader:
    """Bytes as they arrive; ``response.content`` is one.

    Not read in time, it stops the connection at 128 KiB: the server then sees back-pressure.
    Every method raises `ClientPayloadError` when the body turns out to be cut short or
    malformed, after the bytes before the fault have been read.
    """

    def __init__(self, flow: Flow, wait: Wait) -> None:
        self._flow = flow
        self._wait = wait
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._eof = False
        self._paused = False
        self._error: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.total_bytes = 0

    @classmethod
    def arrived(cls, data: bytes) -> "StreamReader":
        """Return a body that is here, the whole of it."""
        reader = cls(_Still(), _forever)
        if data:
            reader._chunks.append(data)
        reader._size = reader.total_bytes = len(data)
        reader._eof = True
        return reader

    # The connection's side

    def feed_data(self, data: bytes) -> None:
        """Append *data*."""
        self._chunks.append(data)
        self._size += len(data)
        self.total_bytes += len(data)
        if self._size > _HIGH_WATER and not self._paused:
            self._paused = True
            self._flow.pause_reading()
        self._wake()

    def feed_eof(self) -> None:
        """Mark the end of the body."""
        self._eof = True
        self._wake()

    def set_exception(self, error: BaseException) -> None:
        """Make reads fail with *error* once the bytes before it are read."""
        if not self._eof and self._error is None:
            self._error = error
            self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    # The user's side

    def is_eof(self) -> bool:
        """Tell whether the whole body has arrived."""
        return self._eof

    def at_eof(self) -> bool:
        """Tell whether the whole body has arrived and was read."""
        return self._eof and not self._size

    def exception(self) -> BaseException | None:
        """Return the error that ended the body, or None."""
        return self._error

    def peek(self, size: int) -> bytes:
        """Return up to *size* bytes that have arrived, without reading them."""
        return b"".join(self._chunks)[:size]

    async def read(self, n: int = -1) -> bytes:
        """Read up to *n* bytes, at least one; all of the body when *n* is negative.

        Returns:
            ``b""`` at the end of the body.
        """
        if n < 0:
            while not self._eof:
                await self._more()
            return self._take(self._size)
        if n and await self._available():
            return self._take(n)
        return b""

    async def readany(self) -> bytes:
        """Read all that has arrived, waiting for the first byte."""
        return self._take(self._size) if await self._available() else b""

    async def readexactly(self, n: int) -> bytes:
        """Read *n* bytes.

        Raises:
            asyncio.IncompleteReadError: when the body ends before.
        """
        while self._size < n and not self._eof:
            await self._more()
        if self._size < n:
            raise asyncio.IncompleteReadError(self._take(self._size), n)
        return self._take(n)

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """Read up to and with *separator*, or to the end of the body.

        Raises:
            ValueError: if *separator* is empty.
        """
        if not separator:
            raise ValueError("separator is empty")
        searched = 0
        while True:
            data = self._joined()
            found = data.find(separator, max(0, searched - len(separator) + 1))
            if found >= 0:
                return self._take(found + len(separator))
            if self._eof:
                return self._take(self._size)
            searched = len(data)
            await self._more()

    async def readline(self) -> bytes:
        """Read a line with its end, ``b""`` at the end of the body."""
        return await self.readuntil(b"\n")

    async def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        """Iterate over pieces of at most *n* bytes."""
        while data := await self.read(n):
            yield data

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Iterate over pieces as they arrive."""
        while data := await self.readany():
            yield data

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the lines."""
        return self._lines()

    async def _lines(self) -> AsyncIterator[bytes]:
        while line := await self.readline():
            yield line

    async def _available(self) -> bool:
        while not self._size and not self._eof:
            await self._more()
        return self._size > 0

    async def _more(self) -> None:
        if self._error is not None:
            raise self._error
        if self._waiter is not None:
            raise RuntimeError("another task is already reading this body")
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        if self._paused:
            self._resume()
        try:
            await self._wait(waiter)
        finally:
            self._waiter = None

    def _joined(self) -> bytes:
        if len(self._chunks) > 1:
            whole = b"".join(self._chunks)
            self._chunks.clear()
            self._chunks.append(whole)
        return self._chunks[0] if self._chunks else b""

    def _take(self, n: int) -> bytes:
        if n >= self._size:
            data = b"".join(self._chunks)
            self._chunks.clear()
            self._size = 0
        else:
            data = self._cut(n)
            self._size -= n
        if self._paused and self._size <= _HIGH_WATER // 2:
            self._resume()
        return data

    def _cut(self, n: int) -> bytes:
        parts: list[bytes] = []
        while n > 0:
            chunk = self._chunks.popleft()
            if len(chunk) > n:
                self._chunks.appendleft(chunk[n:])
                chunk = chunk[:n]
            parts.append(chunk)
            n -= len(chunk)
        return b"".join(parts)

    def _resume(self) -> None:
        self._paused = False
        self._flow.resume_reading()
