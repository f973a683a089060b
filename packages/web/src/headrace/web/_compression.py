"""Compression of answers: whether, in which coding, and the way of the bytes.

Which coding is settled with the client when the head is sent (RFC 9110, section 12.5.3). From
then on a whole body is replaced by its compressed form, and a stream is compressed piece by piece:
nothing is held but what the compressor looks back on. What takes long runs in a thread.
"""

from __future__ import annotations

import asyncio
import enum
import zlib
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from multidict import CIMultiDict, CIMultiDictProxy

import headrace.web._headers as hdrs

from ._accept import acceptable_codings
from ._compressors import Compressor, compressors
from ._streams import Exchange

#: Bytes up to which compressing is not worth a thread: a millisecond of gzip.
INLINE: Final = 64 * 1024
#: Bytes of a stream that may wait for the compressor before a write that nobody awaits is an error.
MAX_WAITING: Final = 16 * 1024**2

#: Answers without a body, or with a part of one.
_UNTOUCHED: Final = frozenset({204, 205, 206, 304})
#: What is said of the very bytes that were to be sent, or says that they are coded already.
_SETTLED: Final = ("Content-Encoding", "Content-Range", "Content-Digest", "Content-MD5")
_IDENTITY: Final = "identity"
_EVENTS: Final = "text/event-stream"


class ContentCoding(enum.Enum):
    """A way of coding the body of an answer (RFC 9110, section 8.4.1)."""

    zstd = "zstd"
    br = "br"
    gzip = "gzip"
    deflate = "deflate"
    identity = "identity"


class Compressible(Protocol):
    """What there is to know of an answer."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> CIMultiDict[str]: ...
    @property
    def content_type(self) -> str: ...
    @property
    def content_length(self) -> int | None: ...


class Negotiable(Protocol):
    """What there is to know of the request."""

    @property
    def method(self) -> str: ...
    @property
    def headers(self) -> CIMultiDictProxy[str]: ...


def any_type(media: str) -> bool:
    """Compress whatever it is."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """How answers are compressed.

    Args:
        force: The coding, whatever the client accepts; negotiated when None.
        strategy: The strategy of zlib, for gzip and deflate.
        codings: The codings that are offered, the best first.
        levels: Levels of codings that are not to have their default.
        minimum_size: Bytes of body below which it is sent as it is, where its length is known.
        covers: Tells of a media type whether it is worth compressing.
    """

    force: ContentCoding | None = None
    strategy: int = zlib.Z_DEFAULT_STRATEGY
    codings: tuple[str, ...] = field(default_factory=lambda: tuple(compressors()))
    levels: Mapping[str, int] = field(default_factory=dict)
    minimum_size: int = 1
    covers: Callable[[str], bool] = any_type

    def accepted(self, request: Negotiable) -> tuple[str, ...]:
        """Return the offered codings that the client accepts, the best first."""
        fields = tuple(request.headers.getall(hdrs.ACCEPT_ENCODING, ()))
        return acceptable_codings(fields, self.codings)

    def begin(self, answer: Compressible, request: Negotiable) -> Compressor | None:
        """Choose the coding of *answer* and set its fields; None when it goes as it is."""
        headers = answer.headers
        if answer.status == 304 and self.force is None:
            # RFC 9110, section 15.4.5: as the 200 would have had it.
            add_vary(headers)
        if answer.status in _UNTOUCHED or any(name in headers for name in _SETTLED):
            return None
        if "no-transform" in headers.get(hdrs.CACHE_CONTROL, "").lower():
            return None
        coding = self._choose(answer, request)
        # A HEAD costs no compressing: its fields are those of the body as it is.
        if coding == _IDENTITY or request.method == hdrs.METH_HEAD:
            return None
        _set_coding(headers, coding)
        return self._make(coding)

    def _choose(self, answer: Compressible, request: Negotiable) -> str:
        if self.force is not None:
            return self.force.value
        accepted = self.accepted(request)
        if not self._is_worth_it(answer, must=_IDENTITY not in accepted):
            return _IDENTITY
        add_vary(answer.headers)
        return accepted[0] if accepted else _IDENTITY

    def _is_worth_it(self, answer: Compressible, *, must: bool) -> bool:
        size = answer.content_length
        if size == 0:
            return False
        is_small = size is not None and size < self.minimum_size
        return must or not (is_small or not self.covers(answer.content_type))

    def _make(self, coding: str) -> Compressor:
        maker = compressors()[coding]
        return maker.make(self.levels.get(coding, maker.level), self.strategy)


def add_vary(headers: CIMultiDict[str]) -> None:
    """Say that the answer depends on Accept-Encoding."""
    fields = headers.getall(hdrs.VARY, [])
    names = {name.strip().lower() for field in fields for name in field.split(",")}
    if names.isdisjoint(("accept-encoding", "*")):
        headers[hdrs.VARY] = ", ".join([*fields, "Accept-Encoding"])


def _set_coding(headers: CIMultiDict[str], coding: str) -> None:
    headers[hdrs.CONTENT_ENCODING] = coding
    headers.pop(hdrs.CONTENT_LENGTH, None)
    headers.pop(hdrs.ACCEPT_RANGES, None)
    tag = headers.get(hdrs.ETAG)
    # RFC 9110, section 8.8.1: a strong tag would name the bytes, which are others now.
    if tag is not None and not tag.startswith("W/"):
        headers[hdrs.ETAG] = f"W/{tag}"


def _compress_all(compressor: Compressor, body: bytes) -> bytes:
    return compressor.compress(body) + compressor.finish()


async def compress_whole(compressor: Compressor, body: bytes) -> bytes:
    """Return *body* compressed."""
    if len(body) <= INLINE:
        return _compress_all(compressor, body)
    return await asyncio.to_thread(_compress_all, compressor, body)


class _Written:
    """Waits for a write in a thread; nothing happens if nobody awaits it."""

    __slots__ = ("_task",)

    def __init__(self, task: asyncio.Task[None]) -> None:
        self._task = task

    def __await__(self) -> Generator[Any, None, None]:
        return asyncio.shield(self._task).__await__()


class CompressedWriter:
    """Takes the bytes of a body, in order, and sends those of its coding.

    Args:
        exchange: Where they are sent.
        compressor: What compresses them.
        flushes: Whether the client is to be able to read each write at once.
    """

    def __init__(self, exchange: Exchange, compressor: Compressor, *, flushes: bool) -> None:
        self._exchange = exchange
        self._compressor = compressor
        self._flushes = flushes
        self._last: asyncio.Task[None] | None = None  # the last write that a thread works on
        self._waiting = 0
        #: Bytes that were sent.
        self.sent = 0

    @classmethod
    def for_type(cls, exchange: Exchange, compressor: Compressor, media: str) -> CompressedWriter:
        """Return a writer for a body of a media type; streams of events are flushed."""
        return cls(exchange, compressor, flushes=media == _EVENTS)

    def write(self, data: bytes | bytearray | memoryview) -> Awaitable[None]:
        """Take bytes; awaiting the result waits for back-pressure."""
        last = self._last
        if last is not None and last.done():
            last.result()
            last = self._last = None
        if last is None and len(data) <= INLINE:
            return self._send(self._compress(data))
        if self._waiting > MAX_WAITING:
            raise RuntimeError(
                f"more than {MAX_WAITING} bytes wait to be compressed: await what write() returns"
            )
        data = bytes(data)
        self._waiting += len(data)
        task = self._last = self._exchange.loop.create_task(self._write_after(last, data))
        task.add_done_callback(_see)
        return _Written(task)

    async def _write_after(self, last: asyncio.Task[None] | None, data: bytes) -> None:
        if last is not None:
            await last
        piece = await self._exchange.loop.run_in_executor(None, self._compress, data)
        self._waiting -= len(data)
        await self._send(piece)

    def _compress(self, data: bytes | bytearray | memoryview) -> bytes:
        piece = self._compressor.compress(data)
        return piece + self._compressor.flush() if self._flushes else piece

    def _send(self, piece: bytes) -> Awaitable[None]:
        if not piece:
            return self._exchange.drain()
        self.sent += len(piece)
        return self._exchange.write(piece)

    async def _written(self) -> None:
        if self._last is not None:
            await asyncio.shield(self._last)

    async def drain(self) -> None:
        """Let the client have all that was written, and wait until it has taken enough."""
        await self._written()
        await self._send(self._compressor.flush())

    async def finish(self) -> None:
        """Send the end of the coding."""
        await self._written()
        await self._send(self._compressor.finish())


def _see(task: asyncio.Task[None]) -> None:
    """Take note of a failure that the next write, or none, will be told of."""
    if not task.cancelled():
        task.exception()
