"""A pair of transports joined in memory.

Here live bytes in flight and nothing else: no HTTP, no faults, no TLS. A delivery is a callback of
the loop (``call_soon``), so that the order of things is the same in every run and a protocol is
never entered while it is running. Turns of the loop cost more than all else, so there are two
exceptions, for the client alone, which knows when it may be entered and where it writes from:
`MemoryTransport.write_now` and `MemoryTransport.entered_at_once`. Bytes that would have to wait go
the usual way. The rules of a TCP connection hold:

* bytes written are delivered in order, and may be joined with their neighbours;
* a side that does not read stops the other one through ``pause_writing()``;
* ``write_eof()`` and ``close()`` let the bytes before them through; ``abort()`` and ``reset()`` let
  through what a socket would already have sent;
* the other side sees a ``ConnectionResetError`` after ``reset()``, after an ``abort()`` that left
  something unread, and when it writes to a side that has closed.

``loop.start_tls()`` accepts these transports, so TLS works in memory as well.
"""

import asyncio
import contextvars
from asyncio.tasks import _enter_task, _leave_task  # documented in "Extending asyncio"
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, final

__all__ = ["Buffer", "MemoryTransport", "connect"]

Buffer = bytes | bytearray | memoryview

# asyncio's own figures: the high-water mark of a transport and the most it reads at once.
_HIGH_WATER = 64 * 1024
_READ_SIZE = 256 * 1024
# What a kernel would have taken from us before an abort(): these bytes still arrive.
_IN_FLIGHT = 64 * 1024


@final
class MemoryTransport(asyncio.Transport):
    """One side of a connection in memory; made in pairs by `connect`.

    Attributes:
        entered_at_once: Whether the protocol may be entered while the other side writes: what is
            written to it then arrives at once. False unless the protocol sets it.
    """

    # asyncio's start_tls() asks for this attribute before it wraps a transport.
    _start_tls_compatible = True

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.BaseProtocol,
        extra: Mapping[str, object],
        context: contextvars.Context,
    ) -> None:
        super().__init__({**extra, "reset": self.reset})
        self._loop = loop
        self.set_protocol(protocol)
        self._context = context
        self._peer = self
        self.entered_at_once = False
        self._outgoing: deque[bytes] = deque()
        self._outgoing_size = 0
        self._high = _HIGH_WATER
        self._low = _HIGH_WATER // 4
        self._delivery_due = False
        self._writing_paused = False
        self._reading_paused = False
        self._refused = False
        self._eof_written = False
        self._eof_sent = False
        self._eof_received = False
        self._closing = False
        self._resetting = False
        self._closed = False

    # Reading

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Deliver what comes next to *protocol*."""
        self._protocol = protocol
        self._lends_buffers = isinstance(protocol, asyncio.BufferedProtocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that is served."""
        return self._protocol

    def is_reading(self) -> bool:
        """Tell whether received bytes are delivered now."""
        return not (self._reading_paused or self._closing)

    def pause_reading(self) -> None:
        """Stop the delivery; the other side soon sees ``pause_writing()``."""
        if not self._closing:
            self._reading_paused = True

    def resume_reading(self) -> None:
        """Take the delivery up again."""
        if self._reading_paused and not self._closing:
            self._reading_paused = False
            self._peer._schedule_delivery()

    # Writing

    def write(self, data: Buffer) -> None:
        """Queue *data* for the other side.

        Raises:
            TypeError: if *data* is not bytes-like.
            RuntimeError: after `write_eof`.
        """
        if type(data) is not bytes and not isinstance(data, (bytearray, memoryview, bytes)):
            raise TypeError(f"data must be bytes-like, not {type(data).__name__}")
        if self._eof_written:
            raise RuntimeError("cannot write after write_eof()")
        if not data or self._closing:
            return
        if type(data) is not bytes:
            data = bytes(data)
        if self._peer.entered_at_once and self._way_is_free(len(data)):
            self._peer._enter(data)
            return
        self._outgoing.append(data)
        self._outgoing_size += len(data)
        if self._outgoing_size > self._high and not self._writing_paused:
            self._writing_paused = True
            self._call(self._protocol.pause_writing)
        if not self._delivery_due:
            self._schedule_delivery()

    def write_now(self, data: Buffer) -> None:
        """Hand *data* over within this call, unless something is in its way; then as `write`.

        Only for callers that neither protocol of the connection has called.
        """
        if self._eof_written or self._closing or not data or not self._way_is_free(len(data)):
            self.write(data)
            return
        # As in a callback of the loop, no task is running meanwhile.
        loop = self._loop
        task = asyncio.current_task(loop)
        if task is None:
            self._peer._enter(bytes(data))
            return
        _leave_task(loop, task)
        try:
            self._peer._enter(bytes(data))
        finally:
            _enter_task(loop, task)

    def _way_is_free(self, size: int) -> bool:
        peer = self._peer
        return not (
            self._outgoing
            or self._delivery_due
            or peer._reading_paused
            or peer._closing
            or peer._lends_buffers
            or size > _READ_SIZE
        )

    def _enter(self, data: bytes) -> None:
        """Do what `_receive` does, in the context of this side."""
        try:
            self._context.run(self._protocol.data_received, data)  # type: ignore[attr-defined]
        except Exception as error:
            self._context.run(self._fatal, error, "data_received")

    def writelines(self, list_of_data: Iterable[Buffer]) -> None:
        """Queue all the pieces as one."""
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        """Close the writing half; reading goes on."""
        if not self._eof_written and not self._closing:
            self._eof_written = True
            self._schedule_delivery()

    def can_write_eof(self) -> bool:
        """Return True: halves close on their own."""
        return True

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the other side has not read yet."""
        return self._outgoing_size

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and the high mark, in bytes."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the marks, in bytes, at which the protocol is paused and resumed."""
        if high is None:
            high = _HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low
        self._adjust_writing()

    # Ending

    def is_closing(self) -> bool:
        """Tell whether the transport is closing or closed."""
        return self._closing

    def close(self) -> None:
        """Deliver what is written, then end the connection."""
        if self._closing:
            return
        self._closing = True
        # What the other side has in flight for us can no longer be read.
        self._peer._drop_outgoing()
        self._schedule_delivery()
        self._lose_when_sent()

    def abort(self) -> None:
        """End the connection at once, without what is not on its way yet.

        As with sockets, the other side sees a reset when something it sent was not read, and
        otherwise an end like any other.
        """
        if not (self._closed or self._resetting):
            self._end(resetting=self._peer._outgoing_size > 0)

    def reset(self) -> None:
        """End the connection at once; the other side sees a ``ConnectionResetError``."""
        if not (self._closed or self._resetting):
            self._end(resetting=True)

    def _end(self, resetting: bool) -> None:
        self._closing = True
        self._resetting = resetting
        self._peer._drop_outgoing()
        while self._outgoing_size > _IN_FLIGHT:
            self._outgoing_size -= len(self._outgoing.pop())
        self._loop.call_soon(self._lose, None, context=self._context)
        self._schedule_delivery()

    def _force_close(self, error: BaseException | None) -> None:
        # What asyncio's TLS layer calls when a handshake fails.
        self.abort()

    # Inside

    def _schedule_delivery(self) -> None:
        if not self._delivery_due:
            self._delivery_due = True
            self._loop.call_soon(self._deliver, context=self._peer._context)

    def _deliver(self) -> None:
        """Hand one piece, or the end, to the other side."""
        self._delivery_due = False
        peer = self._peer
        if self._outgoing:
            if peer._reading_paused and not peer._closing:
                return
            data = self._next_piece()
            if peer._closing:
                self._deliver_to_nobody()
            else:
                peer._receive(data)
                self._adjust_writing()
            self._lose_when_sent()
            if self._outgoing:
                self._schedule_delivery()
                return
        self._deliver_end()

    def _deliver_end(self) -> None:
        peer = self._peer
        if self._resetting:
            # A socket that neither reads nor has bytes to send does not notice a reset.
            if not peer._reading_paused or peer._refused:
                peer._fail(ConnectionResetError("the other side reset the connection"))
            return
        if (self._eof_written or self._closing) and not self._eof_sent:
            if peer._reading_paused and not peer._closing:
                if peer._refused:
                    peer._fail(ConnectionResetError("the other side closed without reading all"))
                return
            self._eof_sent = True
            peer._receive_eof()

    def _next_piece(self) -> bytes:
        outgoing = self._outgoing
        if len(outgoing) == 1:
            piece = outgoing.popleft()
        else:
            piece = b"".join(outgoing)
            outgoing.clear()
        if len(piece) > _READ_SIZE:
            outgoing.append(piece[_READ_SIZE:])
            piece = piece[:_READ_SIZE]
        self._outgoing_size -= len(piece)
        return piece

    def _receive(self, data: bytes) -> None:
        protocol = self._protocol
        try:
            if self._lends_buffers:
                _fill(protocol, data)  # type: ignore[arg-type]
            else:
                protocol.data_received(data)  # type: ignore[attr-defined]
        except Exception as error:
            self._fatal(error, "data_received")

    def _receive_eof(self) -> None:
        if self._closing or self._eof_received:
            return
        self._eof_received = True
        try:
            keep_open = self._protocol.eof_received()  # type: ignore[attr-defined]
        except Exception as error:
            self._fatal(error, "eof_received")
            return
        if not keep_open:
            self.close()
        elif self._refused:
            self._fail(ConnectionResetError("the other side closed without reading all"))

    def _adjust_writing(self) -> None:
        if self._writing_paused and self._outgoing_size <= self._low:
            self._writing_paused = False
            self._call(self._protocol.resume_writing)

    def _drop_outgoing(self) -> None:
        # As asyncio has it: who waits to write is woken by connection_lost().
        self._refused = self._refused or self._outgoing_size > 0
        self._outgoing.clear()
        self._outgoing_size = 0

    def _deliver_to_nobody(self) -> None:
        # TCP answers with a reset; what was received before it is still read first.
        if self._eof_received or self._peer._resetting:
            self._fail(ConnectionResetError("the other side is gone"))
        else:
            self._refused = True

    def _fail(self, error: Exception) -> None:
        if not self._closed:
            self._closing = self._resetting = True
            self._drop_outgoing()
            self._loop.call_soon(self._lose, error, context=self._context)

    def _lose_when_sent(self) -> None:
        """After close(): a kernel would hold the rest, so the protocol is done."""
        if self._closing and not self._resetting and self._outgoing_size <= _IN_FLIGHT:
            self._loop.call_soon(self._lose, None, context=self._context)

    def _lose(self, error: Exception | None) -> None:
        if not self._closed:
            self._closed = self._closing = True
            self._protocol.connection_lost(error)

    def _call(self, fn: Callable[[], object]) -> None:
        try:
            fn()
        except Exception as error:
            self._report(error, fn.__name__)

    def _fatal(self, error: Exception, name: str) -> None:
        self._report(error, name)
        self.abort()

    def _report(self, error: Exception, name: str) -> None:
        self._loop.call_exception_handler(
            {
                "message": f"Fatal error: protocol.{name}() call failed.",
                "exception": error,
                "transport": self,
                "protocol": self._protocol,
            }
        )


def connect(
    loop: asyncio.AbstractEventLoop,
    client: asyncio.BaseProtocol,
    server: asyncio.BaseProtocol,
    *,
    client_address: tuple[str, int],
    server_address: tuple[str, int],
    server_context: contextvars.Context,
) -> tuple[MemoryTransport, MemoryTransport]:
    """Join two protocols; ``connection_made()`` is left to the caller.

    Callbacks of the server's protocol run in *server_context*, those of the client's in the
    current context.
    """
    ours = MemoryTransport(
        loop,
        client,
        {"peername": server_address, "sockname": client_address},
        contextvars.copy_context(),
    )
    theirs = MemoryTransport(
        loop,
        server,
        {"peername": client_address, "sockname": server_address},
        server_context,
    )
    ours._peer, theirs._peer = theirs, ours
    return ours, theirs


def _fill(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    """Copy *data* into the buffers that *protocol* lends."""
    rest: Any = memoryview(data)
    while rest:
        buffer = memoryview(protocol.get_buffer(len(rest))).cast("B")
        if not buffer:
            raise RuntimeError("get_buffer() returned an empty buffer")
        size = min(len(buffer), len(rest))
        buffer[:size] = rest[:size]
        rest = rest[size:]
        protocol.buffer_updated(size)
