"""The body of a request as a stream, and what a response needs of its connection.

Nothing here knows a framing: the connection feeds decoded bytes in and takes bytes out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from typing import Any, Final, NoReturn, Protocol, cast, final

from ._disk import OpenFile
from ._errors import ClientConnectionResetError

#: Reading of the connection pauses when a body has more unread bytes than this.
#: Precedent: aiohttp pauses at 2 times its ``read_bufsize`` of 64 KiB.
HIGH_WATER: Final = 128 * 1024


Field = tuple[bytes, bytes]
Fields = Sequence[Field]
#: What an answer begins with: status, reason phrase, header fields.
Head = tuple[int, str | None, Fields]


class Flow(Protocol):
    """The side that fills a `StreamReader` and can be told to wait."""

    def pause_body(self) -> None: ...
    def resume_body(self) -> None: ...


@final
class Done:
    """An awaitable that has nothing to wait for."""

    __slots__ = ()

    # An iterator that is at its end stays there: no frame is made to say so.
    __await__: Callable[[], Generator[Any, None, None]] = cast(Any, iter(()).__iter__)


DONE: Final = Done()


class Exchange(Protocol):
    """One request with its answer, as the connection offers it to the application layer.

    Header fields are pairs of bytes. `send_head` starts an answer whose body follows by
    `write`; `send_whole` sends an answer that is known in full with one write, and `send_usual`
    one whose fields it has in common with many others: what is made of them is kept.
    """

    #: The response that was begun last, for the access log of those that are cut short.
    begun: object

    @property
    def remote(self) -> str | None: ...
    @property
    def transport(self) -> asyncio.Transport | None: ...
    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    @property
    def task(self) -> asyncio.Task[None] | None: ...
    @property
    def keep_alive(self) -> bool: ...
    @property
    def auto_decompress(self) -> bool: ...
    @property
    def disconnected(self) -> bool: ...
    async def wait_for_disconnection(self) -> None: ...
    @property
    def shutting_down(self) -> bool: ...
    async def wait_for_shutdown(self) -> None: ...
    def get_extra_info(self, name: str, default: Any = None) -> Any: ...
    def send_informational(self, status: int, fields: Fields = ()) -> None: ...
    def send_head(self, status: int, reason: str | None, fields: Fields) -> None: ...
    def send_whole(self, status: int, reason: str | None, fields: Fields, body: bytes) -> None: ...
    def send_usual(self, status: int, fields: tuple[Field, ...], body: bytes) -> None: ...
    def write(self, data: bytes | bytearray | memoryview) -> Awaitable[None]: ...
    def write_eof(self, trailers: Fields = ()) -> Awaitable[None]: ...
    def drain(self) -> Awaitable[None]: ...
    async def send_file(
        self, file: OpenFile, offset: int, count: int, piece: int, head: Head | None = None
    ) -> None: ...
    def cancel_on_disconnect(self, wanted: bool) -> None: ...
    def upgrade(self, fields: list[Field], protocol: asyncio.Protocol) -> None: ...
    def connection_lost(self, exc: BaseException | None) -> None: ...


def address_of(peername: Any) -> str | None:
    """Return the address of the other end of a connection, without its port; None for none."""
    return str(peername[0]) if isinstance(peername, tuple) else peername or None


class StreamReader:
    """The bytes of a request's body, in order, as they arrive.

    One task reads at a time. When more than `HIGH_WATER` bytes are unread, the connection
    stops reading from the client until the handler has caught up.

    Every reading method raises `RequestPayloadError` when the body turns out malformed or
    is cut short, and `ClientConnectionResetError` when the client has gone.
    """

    __slots__ = (
        "_chunks",
        "_eof",
        "_exception",
        "_flow",
        "_offset",
        "_paused",
        "_size",
        "_waiter",
        "total_bytes",
    )

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._chunks: deque[bytes] = deque()
        self._offset = 0  # bytes of the first chunk that are consumed
        self._size = 0
        self._eof = False
        self._paused = False
        self._exception: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.total_bytes = 0

    # -- the connection's side

    def feed_data(self, data: bytes) -> None:
        self._chunks.append(data)
        self._size += len(data)
        self.total_bytes += len(data)
        if self._size > HIGH_WATER and not self._paused:
            self._paused = True
            self._flow.pause_body()
        self._wake()

    def feed_eof(self) -> None:
        self._eof = True
        self._wake()

    def set_exception(self, exception: BaseException) -> None:
        if not self._eof:
            self._exception = exception
            self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # -- the handler's side

    def exception(self) -> BaseException | None:
        """Return what reading will raise, if anything."""
        return self._exception

    def is_eof(self) -> bool:
        """Tell whether all of the body has arrived."""
        return self._eof

    def is_touched(self) -> bool:
        """Tell whether some of the body has been read."""
        return self.total_bytes > self._size

    @property
    def awaited_from(self) -> int:
        """The bytes that have arrived, while somebody waits for more; else -1."""
        return -1 if self._waiter is None else self.total_bytes

    def at_eof(self) -> bool:
        """Tell whether all of the body has been read."""
        return self._eof and not self._chunks

    async def read(self, n: int = -1) -> bytes:
        """Return up to *n* bytes, or all that is left for -1; ``b""`` at the end."""
        if n < 0:
            while not self._eof:
                await self._wait()
            return self._take(self._size)
        if n == 0:
            return b""
        while not self._chunks and not self._eof:
            await self._wait()
        return self._take(n)

    async def readany(self) -> bytes:
        """Return what has arrived, waiting for at least one byte; ``b""`` at the end."""
        while not self._chunks and not self._eof:
            await self._wait()
        return self._take(self._size)

    async def readexactly(self, n: int) -> bytes:
        """Return *n* bytes; raise `asyncio.IncompleteReadError` when the body is shorter."""
        parts: list[bytes] = []
        missing = n
        while missing:
            part = await self.read(missing)
            if not part:
                raise asyncio.IncompleteReadError(b"".join(parts), n)
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    async def readline(self) -> bytes:
        """Return a line with its ``\\n``, or what is left at the end.

        Raises:
            ValueError: The line is longer than `HIGH_WATER` bytes.
        """
        parts: list[bytes] = []
        length = 0
        while True:
            while not self._chunks and not self._eof:
                await self._wait()
            if not self._chunks:
                return b"".join(parts)
            newline = self._chunks[0].find(b"\n", self._offset)
            end = newline + 1 if newline >= 0 else len(self._chunks[0])
            parts.append(self._take_first(end - self._offset))
            length += len(parts[-1])
            if length > HIGH_WATER:
                raise ValueError(f"line is longer than {HIGH_WATER} bytes")
            if newline >= 0:
                return b"".join(parts)

    async def readchunk(self) -> tuple[bytes, bool]:
        """Return a piece as it arrived, and False: where chunks end is a matter of framing."""
        while not self._chunks and not self._eof:
            await self._wait()
        return (self._take_first(self._size), False) if self._chunks else (b"", False)

    def read_nowait(self, n: int = -1) -> bytes:
        """Return up to *n* bytes of what has arrived, without waiting."""
        if self._exception is not None:
            raise self._exception
        return self._take(self._size if n < 0 else n)

    async def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        """Iterate over pieces of at most *n* bytes."""
        while data := await self.read(n):
            yield data

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Iterate over what has arrived, each time."""
        while data := await self.readany():
            yield data

    async def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        """Iterate over the results of `readchunk`."""
        while (chunk := await self.readchunk())[0]:
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over lines."""
        while line := await self.readline():
            yield line

    # -- inside

    async def _wait(self) -> None:
        if self._exception is not None:
            raise self._exception
        if self._waiter is not None:
            raise RuntimeError("another task is already reading this body")
        self._resume()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
        if self._exception is not None:
            raise self._exception

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._flow.resume_body()

    def _take(self, n: int) -> bytes:
        """Remove and return up to *n* of the bytes that have arrived."""
        chunks = self._chunks
        if not chunks:
            return b""
        if len(chunks) == 1 or n <= len(chunks[0]) - self._offset:
            return self._take_first(n)
        parts: list[bytes] = []
        while n and chunks:
            parts.append(self._take_first(n))
            n -= len(parts[-1])
        return b"".join(parts)

    def _take_first(self, n: int) -> bytes:
        """Remove and return up to *n* bytes of the first chunk."""
        chunk = self._chunks[0]
        offset = self._offset
        if offset + n < len(chunk):
            data = chunk[offset : offset + n]
            self._offset += n
        else:
            data = chunk[offset:] if offset else chunk
            self._chunks.popleft()
            self._offset = 0
        self._size -= len(data)
        if self._paused and self._size <= HIGH_WATER // 2:
            self._resume()
        return data


class _NoFlow:
    def pause_body(self) -> None: ...
    def resume_body(self) -> None: ...


class PulledReader(StreamReader):
    """A stream made out of another one when somebody reads it.

    `_pull` is awaited when something is missing: it feeds at least a byte, or the end, sooner
    or later, and calls `_fail` for what must not be read any further.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_NoFlow())

    async def _pull(self) -> None:
        raise NotImplementedError

    def _fail(self, error: Exception) -> NoReturn:
        """Raise *error*, now and whenever the stream is read again."""
        self.set_exception(error)
        raise error

    async def _wait(self) -> None:
        if self._exception is not None:
            raise self._exception
        await self._pull()


def whole_stream(body: bytes) -> StreamReader:
    """Return a stream of bytes that are all there."""
    stream = StreamReader(_NoFlow())
    if body:
        stream.feed_data(body)
    stream.feed_eof()
    return stream


#: The content of every request without a body.
EMPTY_CONTENT: Final = whole_stream(b"")


def lost_connection() -> ClientConnectionResetError:
    return ClientConnectionResetError("the client has closed the connection")
