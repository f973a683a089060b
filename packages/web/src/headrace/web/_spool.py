"""Uploaded files while they arrive: in memory as long as there is room, else on the disk.

The room is that of the whole process, so that it does not matter how many clients there are. What
is held is the pieces as they came, not a copy of them. A disk is written to in threads, and what
is there has no name in the file system.
"""

from __future__ import annotations

import asyncio
import io
from bisect import bisect_right
from collections.abc import Iterable
from contextlib import suppress
from itertools import accumulate
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, Any, Final, cast, final

#: Bytes of one file that are held in memory; a larger one is on disk as a whole. Precedent: Go
#: holds 32 MiB of a form.
SPOOL_SIZE: Final = 16 * 1024**2
#: Bytes of all files of all forms together that are held in memory.
SPOOL_TOTAL: Final = 64 * 1024**2
#: Bytes of a file that are held in memory beyond `SPOOL_TOTAL`. Not none: a form of many small
#: files must not open as many of them.
SPOOL_LEAST: Final = 64 * 1024

_WRITE_SIZE: Final = 1024**2  # bytes written to a disk at once
_SMALL: Final = 4096  # pieces of less bytes are joined


@final
class Room:
    """A number of bytes that may be held."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = Lock()  # servers may run in several threads

    def take(self, size: int) -> bool:
        """Take *size* bytes, if that many are left."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give_back(self, size: int) -> None:
        """Return bytes that were taken."""
        with self._lock:
            self._left += size


#: The room of this process.
ROOM: Final = Room(SPOOL_TOTAL)


@final
class Pieces(io.RawIOBase):
    """A file for reading whose bytes are in several pieces."""

    def __init__(self, pieces: Iterable[bytes | bytearray]) -> None:
        self._pieces = [piece for piece in pieces if piece]
        self._ends = list(accumulate(map(len, self._pieces)))
        self._size = self._ends[-1] if self._ends else 0
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        """Fill *buffer* with what is left of a piece; return how many bytes that are."""
        if self.closed:
            raise ValueError("I/O operation on closed file")
        index = bisect_right(self._ends, self._position)
        if index == len(self._pieces):
            return 0
        piece = self._pieces[index]
        start = self._position - (self._ends[index] - len(piece))
        with memoryview(buffer).cast("B") as target, memoryview(piece) as source:
            count = min(len(target), len(piece) - start)
            target[:count] = source[start : start + count]
        self._position += count
        return count

    def close(self) -> None:
        """Let the bytes go."""
        self._pieces, self._ends = [], []
        super().close()


class SpooledFile:
    """A file that is written piece by piece, and can be read when `finish` has returned it."""

    def __init__(self, room: Room = ROOM) -> None:
        self._room = room
        self._taken = 0  # bytes of the room
        self._pieces: list[bytes | bytearray] = []
        self._held = 0  # bytes of the pieces
        self._writing: asyncio.Future[None] | None = None
        self._file: IO[bytes] | None = None
        self.size = 0
        #: Whether the file is too large to be held in memory.
        self.is_on_disk = False

    @property
    def is_full(self) -> bool:
        """Whether `flush` must be awaited before more is written."""
        return self.is_on_disk and self._held >= _WRITE_SIZE

    def write(self, data: bytes) -> None:
        """Keep *data*: as it is, or joined to others where it is small."""
        pieces = self._pieces
        self.size += len(data)
        self._held += len(data)
        if len(data) >= _SMALL:
            pieces.append(data)
        elif pieces and isinstance(pieces[-1], bytearray):
            pieces[-1] += data
        else:
            pieces.append(bytearray(data))
        if not self.is_on_disk:
            self._settle(len(data))

    def _settle(self, size: int) -> None:
        """Take room for *size* more bytes, or decide for the disk."""
        if self.size <= SPOOL_SIZE and self._room.take(size):
            self._taken += size
        elif self.size > SPOOL_LEAST:
            self.is_on_disk = True
            self._give_back()

    def _give_back(self) -> None:
        taken, self._taken = self._taken, 0
        self._room.give_back(taken)

    async def flush(self, *, rewind: bool = False) -> None:
        """Begin to write to the disk what waits for it, in a thread, after what it was given."""
        await self._written()
        pieces, self._pieces, self._held = self._pieces, [], 0
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(None, self._write_out, pieces, rewind)

    def _write_out(self, pieces: list[bytes | bytearray], rewind: bool) -> None:
        if self._file is None:
            self._file = cast(IO[bytes], TemporaryFile())  # noqa: SIM115 (`close`)
        self._file.writelines(pieces)
        if rewind:
            self._file.seek(0)

    async def _written(self) -> None:
        """Wait until all has been written that was begun."""
        if self._writing is not None:
            # A thread cannot be cancelled: when this is, `close` waits for it.
            await asyncio.shield(self._writing)

    async def finish(self) -> IO[bytes]:
        """Return the file, open at its beginning."""
        if self.is_on_disk:
            await self.flush(rewind=True)
            await self._written()
        else:
            self._file = io.BufferedReader(Pieces(self._pieces))
            self._pieces = []
        assert self._file is not None
        return self._file

    def close(self) -> None:
        """Close the file, after what a thread is writing; a file on the disk in a thread."""
        self._give_back()
        writing = self._writing
        if writing is not None and not writing.done():
            writing.add_done_callback(lambda _: self.close())
            return
        if self.is_on_disk:
            # To free a large file takes a while.
            try:
                asyncio.get_running_loop().run_in_executor(None, self._close)
                return
            except RuntimeError:  # the loop has no threads any more
                pass
        self._close()

    def _close(self) -> None:
        # A disk that is full may say so once more.
        with suppress(OSError):
            if self._file is not None:
                self._file.close()

    def __del__(self) -> None:
        self._give_back()
