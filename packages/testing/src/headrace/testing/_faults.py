"""A bad network between the client and the server.

`Faults` says what goes wrong; `faulty` puts it between a protocol of the client and its
transport, whatever that is. Delays are timers of the loop, so the test's clock drives them.
Over TLS the faults happen to the bytes inside it.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, final

__all__ = ["Faults", "FaultyTransport"]

_HIGH_WATER = 64 * 1024
# Rounds of the loop between two pieces, so that a socket's other end reads them one by one.
_ROUNDS_BETWEEN = 3


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong on a connection; pass it as ``faults`` to a request or a client.

    Sizes and positions are in bytes and count from the beginning of the connection; delays are
    in seconds of the loop's time.

    Args:
        write_size: Send pieces of at most this size.
        write_cuts: Send the bytes before and after each of these positions apart.
        write_delay: Wait so long between two pieces: a slow writer.
        read_size: Read pieces of at most this size.
        read_delay: Wait so long between two pieces: a slow reader.
        stop_reading_after: Read so many bytes and no more; the server sees back-pressure.
        half_close: Close the sending half after the request.
        half_close_after: Close the sending half after so many bytes; the rest is not sent.
        reset_after: Reset the connection after so many bytes sent.
        reset_after_received: Reset the connection after so many bytes received.
        black_hole_after: After so many bytes sent, let nothing through in either direction; the
            end of the connection is still seen.

    Raises:
        ValueError: if a size is not positive, or a position or a delay is negative.
    """

    write_size: int | None = None
    write_cuts: tuple[int, ...] = ()
    write_delay: float = 0.0
    read_size: int | None = None
    read_delay: float = 0.0
    stop_reading_after: int | None = None
    half_close: bool = False
    half_close_after: int | None = None
    reset_after: int | None = None
    reset_after_received: int | None = None
    black_hole_after: int | None = None

    def __post_init__(self) -> None:
        for size in (self.write_size, self.read_size):
            if size is not None and size < 1:
                raise ValueError(f"a piece has at least one byte, not {size}")
        delays = (self.write_delay, self.read_delay)
        if any(position < 0 for position in (*self._positions(), *delays)):
            raise ValueError("positions and delays are not negative")

    def _positions(self) -> Iterator[int]:
        yield from self.write_cuts
        for name in ("stop_reading_after", "half_close_after", *_RESETS, "black_hole_after"):
            value: int | None = getattr(self, name)
            if value is not None:
                yield value

    def __str__(self) -> str:
        """Return the faults that are set."""
        chosen = (
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        )
        return f"Faults({', '.join(chosen)})"


_RESETS = ("reset_after", "reset_after_received")


@final
class FaultyTransport(asyncio.Transport):
    """The transport that a protocol of the client sees on a bad network.

    Give `lower` to the real transport as its protocol.
    """

    def __init__(self, faults: Faults, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self.lower = _Lower(self)
        self._loop = asyncio.get_running_loop()
        self._faults = faults
        self._protocol: Any = protocol
        self._inner: asyncio.Transport
        self._queue = bytearray()
        self._sent = 0
        self._pump_due = False
        self._writing_paused = False
        self._queue_full = False
        self._inner_full = False
        self._eof_due = False
        self._close_due = False
        self._sending_ended = False
        self._received = bytearray()
        self._read = 0
        self._reading_paused = False
        self._read_due = False
        self._eof_received = False
        self._reset: ConnectionResetError | None = None

    # The protocol's side

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the real transport says."""
        return self._inner.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Deliver what comes next to *protocol*."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that is served."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def is_closing(self) -> bool:
        """Tell whether the connection is closing or closed."""
        return self._close_due or self._inner.is_closing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send *data* as the faults allow."""
        if self._eof_due:
            raise RuntimeError("cannot write after write_eof()")
        if self._sending_ended or self.is_closing():
            return
        self._queue += data
        if len(self._queue) > _HIGH_WATER:
            self._queue_full = True
            self._adjust_writing()
        if not self._pump_due:
            self._pump()

    def write_eof(self) -> None:
        """Close the sending half once everything is sent."""
        self._eof_due = True
        self._finish_sending()

    def can_write_eof(self) -> bool:
        """Tell whether the real transport has halves."""
        return self._inner.can_write_eof()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes are not sent yet."""
        return len(self._queue) + self._inner.get_write_buffer_size()

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self._close_due = True
        self._finish_sending()

    def abort(self) -> None:
        """End the connection at once."""
        self._close_due = True
        self._queue.clear()
        self._inner.abort()

    def pause_reading(self) -> None:
        """Stop the delivery."""
        self._reading_paused = True
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Take the delivery up again."""
        self._reading_paused = False
        if not self._read_due:
            self._read_due = True
            self._loop.call_soon(self._deliver)

    def is_reading(self) -> bool:
        """Tell whether bytes are delivered now."""
        return not self._reading_paused and not self.is_closing()

    # Sending

    def _pump(self) -> None:
        """Send one piece, and see that the next one follows."""
        self._pump_due = False
        if self._inner.is_closing():
            self._queue.clear()
        size = self._piece_size()
        if size:
            piece = bytes(self._queue[:size])
            del self._queue[:size]
            self._sent += size
            if not self._in_black_hole(self._sent - 1):
                self._inner.write(piece)
        if self._reached_end_of_sending():
            return
        if self._queue:
            self._pump_due = True
            self._later(self._faults.write_delay, self._pump)
        else:
            self._finish_sending()

    def _piece_size(self) -> int:
        faults, sent = self._faults, self._sent
        limits = [len(self._queue)]
        if faults.write_size is not None:
            limits.append(faults.write_size)
        positions = (faults.reset_after, faults.half_close_after, faults.black_hole_after)
        cuts = [p for p in (*faults.write_cuts, *positions) if p is not None and p > sent]
        return min(*limits, *(cut - sent for cut in cuts), sys.maxsize)

    def _reached_end_of_sending(self) -> bool:
        faults = self._faults
        if faults.reset_after is not None and self._sent >= faults.reset_after:
            self._reset_now()
            return True
        if faults.half_close_after is not None and self._sent >= faults.half_close_after:
            self._queue.clear()
            self._sending_ended = True
            self._inner.write_eof()
            return True
        return False

    def _finish_sending(self) -> None:
        if self._queue or self._pump_due:
            return
        self._queue_full = False
        self._adjust_writing()
        if self._close_due:
            self._inner.close()
        elif self._eof_due and not self._sending_ended:
            self._sending_ended = True
            self._inner.write_eof()

    def _adjust_writing(self) -> None:
        """Pause the protocol while our queue, or the real transport's, is full."""
        full = self._queue_full or self._inner_full
        if full and not self._writing_paused:
            self._protocol.pause_writing()
        elif self._writing_paused and not full:
            self._protocol.resume_writing()
        self._writing_paused = full

    def _in_black_hole(self, position: int) -> bool:
        after = self._faults.black_hole_after
        return after is not None and position >= after

    def _reset_now(self) -> None:
        self._queue.clear()
        self._reset = ConnectionResetError(f"reset by {self._faults}")
        reset(self._inner)

    # Receiving

    def _data_received(self, data: bytes) -> None:
        if self._in_black_hole(self._sent):
            return
        self._received += data
        if not self._read_due:
            self._deliver()

    def _deliver(self) -> None:
        """Hand on one piece; hold the real transport while there is more."""
        self._read_due = False
        faults = self._faults
        if self._received and not self._reading_paused and not self._stopped():
            self._deliver_piece()
        if self._reset is not None or self._reading_paused:
            return
        if self._stopped():
            self._inner.pause_reading()
        elif self._received:
            self._read_due = True
            self._inner.pause_reading()
            self._later(faults.read_delay, self._deliver)
        elif self._eof_received:
            self._deliver_eof()
        elif not self._inner.is_closing():
            self._inner.resume_reading()

    def _deliver_piece(self) -> None:
        faults = self._faults
        size = min(len(self._received), faults.read_size or len(self._received))
        for position in (faults.stop_reading_after, faults.reset_after_received):
            if position is not None and position > self._read:
                size = min(size, position - self._read)
        piece = bytes(self._received[:size])
        del self._received[:size]
        self._read += size
        self._protocol.data_received(piece)
        limit = faults.reset_after_received
        if limit is not None and self._read >= limit:
            self._reset_now()

    def _stopped(self) -> bool:
        limit = self._faults.stop_reading_after
        return limit is not None and self._read >= limit

    def _eof(self) -> bool:
        self._eof_received = True
        if not self._received:
            return self._deliver_eof()
        return True

    def _deliver_eof(self) -> bool:
        keep_open = bool(self._protocol.eof_received())
        if not keep_open:
            self.close()
        return keep_open

    def _connection_lost(self, error: Exception | None) -> None:
        self._queue.clear()
        if self._received and not self._stopped() and self._reset is None:
            self._protocol.data_received(bytes(self._received))
            self._received.clear()
        self._protocol.connection_lost(self._reset or error)

    def _later(self, delay: float, fn: Any) -> None:
        if delay:
            self._loop.call_later(delay, fn)
        else:
            self._loop.call_soon(self._after_rounds, _ROUNDS_BETWEEN, fn)

    def _after_rounds(self, rounds: int, fn: Any) -> None:
        if rounds:
            self._loop.call_soon(self._after_rounds, rounds - 1, fn)
        else:
            fn()


@final
class _Lower(asyncio.Protocol):
    """The protocol that the real transport sees."""

    def __init__(self, upper: FaultyTransport) -> None:
        self._upper = upper

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        upper = self._upper
        upper._inner = transport  # type: ignore[assignment]
        upper._protocol.connection_made(upper)
        upper._reached_end_of_sending()

    def data_received(self, data: bytes) -> None:
        self._upper._data_received(data)

    def eof_received(self) -> bool:
        return self._upper._eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._upper._connection_lost(exc)

    def pause_writing(self) -> None:
        self._upper._inner_full = True
        self._upper._adjust_writing()

    def resume_writing(self) -> None:
        self._upper._inner_full = False
        self._upper._adjust_writing()


def reset(transport: asyncio.Transport) -> None:
    """End the connection so that the other side sees a reset, over sockets as in memory."""
    in_memory = transport.get_extra_info("reset")
    if in_memory is not None:
        in_memory()
        return
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        # With no time to linger, close() sends RST in place of FIN.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
