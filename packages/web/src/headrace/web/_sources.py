"""Bodies that come piece by piece: asynchronous iterables and files."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from io import TextIOBase
from typing import IO, Any, Final

from ._streams import StreamReader

#: What gives a body piece by piece.
Source = AsyncIterable[bytes] | IO[bytes] | IO[str]
Body = bytes | bytearray | memoryview | str | Source

#: Bytes that are read from a file at a time.
_FILE_PIECE: Final = 256 * 1024


class TypedSource(AsyncIterable[bytes], ABC):
    """A source that knows what it gives: its type and, as a rule, its size."""

    content_type: str

    @property
    @abstractmethod
    def size(self) -> int | None:
        """The bytes that it will give; None where that is not known beforehand."""

    @abstractmethod
    async def close(self) -> None:
        """Free what it holds."""


def check_source(value: object) -> None:
    """Raise TypeError for what can be no body."""
    if not isinstance(value, AsyncIterable) and not hasattr(value, "read"):
        raise TypeError(
            "body must be bytes-like, str, an asynchronous iterable or a file, "
            f"not {type(value).__name__}"
        )


def filename_of(source: object) -> str:
    """Return the name of a file without its folders; empty for what has none."""
    name = getattr(source, "name", None)
    # Files that were never opened by a name say <stdin> or a number.
    return os.path.basename(name) if isinstance(name, str) and name[:1] != "<" else ""


def size_of(source: Source) -> int | None:
    """Return how many bytes a source will give from where it stands; None where that is open."""
    if isinstance(source, TypedSource):
        return source.size
    if isinstance(source, TextIOBase):
        return None  # how many bytes its characters make is seen only when they are encoded
    try:
        position: int = source.tell()  # type: ignore[union-attr]
        end: int = source.seek(0, os.SEEK_END)  # type: ignore[union-attr]
        source.seek(position)  # type: ignore[union-attr]
    except (AttributeError, OSError):
        return None
    return end - position


async def pieces_of(source: Any, charset: str | None = None) -> AsyncIterator[bytes]:
    """Give the pieces of a body; a file is read in a thread, text is encoded."""
    if isinstance(source, StreamReader):
        source = source.iter_any()  # by itself it gives lines, which have a limit
    if isinstance(source, AsyncIterable):
        async for piece in source:
            yield piece
    else:
        while piece := await asyncio.to_thread(source.read, _FILE_PIECE):
            yield piece.encode(charset or "utf-8") if isinstance(piece, str) else piece


async def close_source(source: Any) -> None:
    """Close a source, whatever ended its use; iterables that are no generators have no end."""
    if isinstance(source, AsyncGenerator):
        await source.aclose()
    elif isinstance(source, TypedSource):
        await source.close()
    elif not isinstance(source, AsyncIterable):
        source.close()
