"""Files that were found, for as long as the file system says that they are what they were.

To find, open, check and read a file takes a dozen questions to the system; to see that it has not
changed since takes one. So a small file is kept in memory. Of a large one only what was found is
kept: it is opened for each answer, so that what is removed takes no room on the disk. Its directory
is asked too, but not for each answer: it tells of the files beside it, a sibling that is
compressed, or no longer there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic, time
from typing import Final, Generic, TypeVar, final

from ._disk import OpenFile

#: Bytes of a file that is kept in memory.
KEPT_SIZE: Final = 32 * 1024
#: Bytes of all files that are kept for one directory.
KEPT_TOTAL: Final = 8 * 1024**2
#: What a file that is kept costs beside its bytes, roughly.
_OVERHEAD: Final = 2048
#: Seconds after which a change would show in the times of a file: they have a grain, and what was
#: changed a moment ago may be changed again without a sign.
SETTLED: Final = 2.0
#: Seconds for which a directory is not asked again.
RECENT: Final = 1.0

Facts = tuple[int, ...]
T = TypeVar("T")


@final
class KeptFile:
    """A file in memory, to be used like an `OpenFile`; a large one has to be opened again."""

    __slots__ = ("content", "path", "stat")

    def __init__(self, path: str, stat: os.stat_result, content: bytes) -> None:
        self.path: Final = path
        self.stat: Final = stat
        self.content: Final = content

    @property
    def size(self) -> int:
        """The size in bytes of what is in memory."""
        return len(self.content)

    @property
    def is_whole(self) -> bool:
        """Whether all of the file is in memory."""
        return len(self.content) == self.stat.st_size

    async def read(self, offset: int, size: int) -> bytes:
        """Return *size* bytes from *offset* on."""
        return self.content[offset : offset + size]

    def close(self) -> None:
        """Do nothing."""

    def open(self) -> OpenFile | None:
        """Open the file again; None where it is not there any more, or another one is."""
        with suppress(OSError):
            file = OpenFile(self.path, is_regular=True)
            if _facts(file.stat) == _facts(self.stat):
                return file
            file.close()
        return None


@dataclass(slots=True)
class _Entry(Generic[T]):
    value: T
    file: KeptFile
    facts: Facts
    directory: str
    directory_facts: Facts
    seen: float  # when the directory was asked
    size: int

    def is_current(self) -> bool:
        """Tell whether nothing has changed."""
        if _facts(os.stat(self.file.path)) != self.facts:
            return False
        now = monotonic()
        if now - self.seen < RECENT:
            return True
        self.seen = now
        return _facts(os.stat(self.directory)) == self.directory_facts


class Keeper(Generic[T]):
    """What was found for paths, each with the file that it is about; the oldest goes first.

    Its methods ask the file system, and so may wait for the disk. They may be called in threads.
    """

    def __init__(self) -> None:
        self._entries: dict[object, _Entry[T]] = {}
        self._size = 0

    def get(self, key: object) -> T | None:
        """Return what was found, if it would be found again."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        with suppress(OSError):
            if entry.is_current():
                return entry.value
        self._drop(key)
        return None

    def keep(self, key: object, value: T, file: KeptFile) -> None:
        """Keep what was found, unless the file has changed just now."""
        directory = os.path.dirname(file.path)
        there, now = os.stat(directory), monotonic()
        latest = max(file.stat.st_mtime, file.stat.st_ctime, there.st_mtime, there.st_ctime)
        if time() - latest < SETTLED:
            return
        self._drop(key)
        size = file.size + _OVERHEAD
        self._entries[key] = _Entry(
            value, file, _facts(file.stat), directory, _facts(there), now, size
        )
        self._size += size
        while self._size > KEPT_TOTAL:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: object) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size


def _facts(stat: os.stat_result) -> Facts:
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_dev)


def read_small(file: OpenFile) -> KeptFile:
    """Return a file as it is to be kept: all of a small one, and nothing but facts of a large one.

    Raises:
        FileChangedError: The file is not what it was when it was opened.
    """
    content = file._read(0, file.size) if file.size <= KEPT_SIZE else b""
    return KeptFile(file.path, file.stat, content)
