"""Files as the loop may touch them: what could wait for a disk runs in a thread.

Nearly always the answer is in memory: the system has read the file before, and knows the path.
Then a thread costs more than the call. So bytes are first asked for with "only if they are
there" (RWF_NOWAIT), and paths whose look-up was quick a moment ago are looked up at once; the
rest goes to the threads of the loop. No thread is held while a client takes its time.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any, Final, TypeVar, final

T = TypeVar("T")

#: Seconds for which a path that was looked up quickly counts as known to the system.
WARM_FOR: Final = 5.0
#: Seconds that a look-up may take to count as quick.
QUICK: Final = 0.0005
#: Paths of which that is remembered.
MAX_WARM: Final = 4096

# Neither waits for a writer of a pipe, nor becomes a terminal's owner, nor passes on.
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_NOWAIT: Final = getattr(os, "RWF_NOWAIT", None) if hasattr(os, "preadv") else None
_STEP: Final = 256 * 1024  # bytes of which one is looked for in memory
_NOT_IN_MEMORY: Final = (errno.EAGAIN, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


class FileChangedError(OSError):
    """A file was changed or cut short while it was sent."""


class SpecialFileError(OSError):
    """What stands at a path is no regular file: a directory, device, pipe or socket."""


@final
class OpenFile:
    """A regular file open for reading, with its facts as they were when it was opened.

    Every read makes sure that the file is still what it was. The file is closed by `close`, or
    when nobody refers to it any more.
    """

    __slots__ = ("_busy", "_fd", "path", "stat")

    def __init__(self, path: str, *, is_regular: bool = False) -> None:
        """Open *path*; may wait for the disk. *is_regular* says that this is known already.

        Raises:
            SpecialFileError: There is something, but no regular file.
            OSError: It cannot be opened.
        """
        self._fd = -1
        self._busy = 0
        self.path: Final = path
        # A special file is not opened: a pipe would wait, and a tape wind back.
        if not (is_regular or stat.S_ISREG(os.stat(path).st_mode)):
            raise SpecialFileError(errno.EACCES, "not a regular file", path)
        self._fd = os.open(path, _FLAGS)
        self.stat: Final = os.fstat(self._fd)
        if not stat.S_ISREG(self.stat.st_mode):
            raise SpecialFileError(errno.EACCES, "not a regular file", path)

    @property
    def size(self) -> int:
        """The size in bytes when the file was opened."""
        return self.stat.st_size

    def fileno(self) -> int:
        """Return the descriptor, for system calls that do not wait."""
        return self._fd

    def check(self) -> None:
        """Raise `FileChangedError` unless the file is what it was."""
        now, then = os.fstat(self._fd), self.stat
        if now.st_mtime_ns != then.st_mtime_ns or now.st_size != then.st_size:
            raise FileChangedError(errno.ESTALE, "the file changed while it was sent", self.path)

    def in_memory(self, offset: int, size: int) -> bool:
        """Tell whether a piece seems to be in memory, by a byte now and then, and its last one."""
        if _NOWAIT is None:
            return False
        byte = [bytearray(1)]
        stop = offset + size
        try:
            for place in (*range(offset, stop, _STEP), stop - 1):
                if not os.preadv(self._fd, byte, place, _NOWAIT):
                    return False
        except OSError as error:
            if error.errno in _NOT_IN_MEMORY:
                return False
            raise
        return True

    def read_now(self, offset: int, size: int) -> bytes | None:
        """Return *size* bytes if they are in memory, else None."""
        if _NOWAIT is None:
            return None
        buffer = bytearray(size)
        try:
            count = os.preadv(self._fd, [buffer], offset, _NOWAIT)
        except OSError as error:
            if error.errno in _NOT_IN_MEMORY:
                return None
            raise
        if count < size:  # the rest is not in memory, or not there
            return None
        self.check()
        return bytes(buffer)

    def _read(self, offset: int, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            part = _pread(self._fd, size, offset)
            if not part:
                raise FileChangedError(errno.ESTALE, "the file was cut short", self.path)
            parts.append(part)
            offset += len(part)
            size -= len(part)
        self.check()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def read(self, offset: int, size: int) -> bytes:
        """Return *size* bytes from *offset* on, which is to be within the file.

        Raises:
            FileChangedError: The file is not what it was.
        """
        data = self.read_now(offset, size)
        if data is None and size:
            self._busy += 1
            future = asyncio.get_running_loop().run_in_executor(None, self._read, offset, size)
            future.add_done_callback(self._is_idle)
            # A read that has begun cannot be stopped: the descriptor is its until it has ended.
            data = await asyncio.shield(future)
        return data or b""

    def _is_idle(self, future: asyncio.Future[bytes]) -> None:
        self._busy -= 1
        if not future.cancelled():
            future.exception()  # seen, even where the reader was cancelled

    def close(self) -> None:
        """Close the file; with a read under way, when that has ended."""
        if self._fd >= 0 and not self._busy:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def __del__(self) -> None:
        self._busy = 0
        self.close()


if hasattr(os, "pread"):
    _pread = os.pread
else:  # pragma: no cover (Windows)

    def _pread(fd: int, size: int, offset: int) -> bytes:
        os.lseek(fd, offset, os.SEEK_SET)
        return os.read(fd, size)


def real_path(file: OpenFile) -> str:
    """Return the path of an open file with no symlink in it; may wait for the disk."""
    if sys.platform == "linux":
        try:
            # What was opened, whatever the path leads to by now.
            return os.readlink(f"/proc/self/fd/{file.fileno()}")
        except OSError:
            pass
    path = os.path.realpath(file.path)
    if not os.path.samestat(os.stat(path), file.stat):
        raise FileNotFoundError(errno.ENOENT, "replaced while it was opened", path)
    return path


#: When the system's knowledge of a path ceases to count as fresh.
_warm: Final[dict[str, float]] = {}


async def look_up(path: str, ask: Callable[..., T], *args: Any) -> T:
    """Return ``ask(*args)``, which asks the file system about *path* and its neighbours.

    It runs at once where *path* was looked up quickly a moment ago, else in a thread.
    """
    now = monotonic()
    if _warm.get(path, 0.0) > now:
        try:
            return ask(*args)
        finally:
            if monotonic() - now > QUICK:
                _warm.pop(path, None)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, _ask_and_time, path, ask, args)


def _ask_and_time(path: str, ask: Callable[..., T], args: tuple[Any, ...]) -> T:
    """Ask, and note whether the system seems to have answered from memory."""
    before = monotonic()
    try:
        return ask(*args)
    finally:
        now = monotonic()
        if now - before < QUICK:
            if len(_warm) >= MAX_WARM:
                _warm.clear()
            _warm[path] = now + WARM_FOR
