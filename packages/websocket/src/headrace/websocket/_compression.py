"""permessage-deflate at work: one object for each direction.

zlib's state is made at the first compressed message, and dropped after each message in a
direction that has no context takeover.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, final

from ._deflate import Deflate

if TYPE_CHECKING:
    from zlib import _Compress, _Decompress

_TAIL = b"\x00\x00\xff\xff"  # RFC 7692, 7.2.1: removed by the sender, put back by the receiver

# RFC 7692, 7.2.1 allows BFINAL, after which zlib must start afresh. A message made of nothing
# but such blocks would buy a restart for two bytes; no sender needs more than a few.
_MAX_RESTARTS = 256

# What is fed to zlib at once. It bounds what a restart copies, and what one step can give:
# inflating makes data at most 1032 times as long, so a streamed piece has about 1 MiB at most.
STEP = 4096
STREAM_STEP = 1024


@final
class Deflater:
    """Compress messages, whole or piece by piece."""

    __slots__ = ("_compress", "_takeover", "parameters", "threshold")

    def __init__(self, agreed: Deflate, *, server: bool) -> None:
        bits = agreed.server_max_window_bits if server else agreed.client_max_window_bits
        # zlib refuses a raw window of 8 bits. With 9 it never reaches back further than 250
        # bytes (2**9 less its lookahead of 262), so the stream also fits a window of 8 bits.
        #: Level, method, window and memory level, as zlib takes them: with equal ones, equal
        #: messages are compressed alike.
        self.parameters = (agreed.level, zlib.DEFLATED, -max(bits, 9), agreed.mem_level)
        self._takeover = not (
            agreed.server_no_context_takeover if server else agreed.client_no_context_takeover
        )
        self.threshold = agreed.threshold
        self._compress: _Compress | None = None

    def piece(self, data: bytes, final: bool) -> bytes:
        """Return what the next frame of the message under way carries."""
        compress = self._compress
        if compress is None:
            compress = self._compress = zlib.compressobj(*self.parameters)
        packed = compress.compress(data) + compress.flush(zlib.Z_SYNC_FLUSH)
        if not final:
            return packed
        if not self._takeover:
            self._compress = None
        return packed[:-4]

    def alone(self, data: bytes) -> bytes:
        """Return a whole message that refers to none before it."""
        compress = zlib.compressobj(*self.parameters)
        return (compress.compress(data) + compress.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def restart(self) -> None:
        """Let later messages refer to none of the earlier."""
        self._compress = None


@final
class Inflater:
    """Decompress messages piece by piece."""

    __slots__ = ("_decompress", "_fed", "_restarts", "_takeover", "_window_bits")

    def __init__(self, agreed: Deflate, *, server: bool) -> None:
        bits = agreed.client_max_window_bits if server else agreed.server_max_window_bits
        self._window_bits = -bits
        self._takeover = not (
            agreed.client_no_context_takeover if server else agreed.server_no_context_takeover
        )
        self._decompress: _Decompress | None = None
        self._restarts = 0
        self._fed = False

    def piece(self, data: bytes, room: int) -> bytes:
        """Decompress at most *room* + 1 bytes; one byte beyond the room tells of more.

        *room* of -1 means no bound.

        Raises:
            zlib.error: the data are no deflate stream.
        """
        if data:
            self._fed = True
        unpacked = self._step(data, room)
        decompress = self._decompress
        if decompress is None or not decompress.eof:
            return unpacked
        pieces, size = [unpacked], len(unpacked)
        while decompress is not None and decompress.eof and (room < 0 or size <= room):
            data = decompress.unused_data
            self._restarts += 1
            if self._restarts > _MAX_RESTARTS:
                raise zlib.error("too many final blocks in one message")
            self._decompress = None
            if not data:
                break
            unpacked = self._step(data, room if room < 0 else room - size)
            pieces.append(unpacked)
            size += len(unpacked)
            decompress = self._decompress
        return b"".join(pieces)

    def _step(self, data: bytes, room: int) -> bytes:
        decompress = self._decompress
        if decompress is None:
            decompress = self._decompress = zlib.decompressobj(self._window_bits)
        return decompress.decompress(data, room + 1)

    def end(self, room: int) -> bytes:
        """Finish the message: feed the tail the sender removed.

        Raises:
            zlib.error: the message had no byte, so the tail is not the end of any block; even
                an empty message takes one (7.2.3.6).
        """
        if not self._fed:
            raise zlib.error("compressed message without a byte")
        # After a final block at the very end there is no state, and nothing left to finish.
        unpacked = b"" if self._decompress is None else self.piece(_TAIL, room)
        self._restarts, self._fed = 0, False
        if not self._takeover:
            self._decompress = None
        return unpacked
