"""Content codings as compressors: what takes bytes piece by piece and gives fewer.

zlib, brotli and zstd let other threads run while they work on a piece.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, Final, Protocol

from ._extras import import_brotli, import_zstd

#: Binary logarithm of the bytes that a compressor looks back: what an open stream costs. nginx
#: gives brotli as much; zlib's is 15.
WINDOW_LOG: Final = 19


class Compressor(Protocol):
    """What takes the bytes of a body and gives those of its coding."""

    def compress(self, data: bytes | bytearray | memoryview) -> bytes:
        """Take bytes; return what is ready."""

    def flush(self) -> bytes:
        """Return what makes everything taken so far readable for the client."""

    def finish(self) -> bytes:
        """Return the end of the body."""


class _Zlib:
    def __init__(self, wbits: int, level: int, strategy: int) -> None:
        self._inner = zlib.compressobj(level, zlib.DEFLATED, wbits, zlib.DEF_MEM_LEVEL, strategy)
        self.compress = self._inner.compress

    def flush(self) -> bytes:
        return self._inner.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._inner.flush()


class _Brotli:
    def __init__(self, brotli: Any, level: int) -> None:
        self._inner = brotli.Compressor(quality=level, lgwin=WINDOW_LOG)
        self.compress = self._inner.process
        self.flush = self._inner.flush
        self.finish = self._inner.finish


class _Zstd:
    def __init__(self, zstd: Any, level: int) -> None:
        parameter = zstd.CompressionParameter
        options = {parameter.compression_level: level, parameter.window_log: WINDOW_LOG}
        self._inner = zstd.ZstdCompressor(options=options)
        self.compress = self._inner.compress

    def flush(self) -> bytes:
        return bytes(self._inner.flush(self._inner.FLUSH_BLOCK))

    def finish(self) -> bytes:
        return bytes(self._inner.flush(self._inner.FLUSH_FRAME))


class CodingMaker:
    """Makes the compressors of one coding.

    Args:
        make: Makes one from a level and a strategy of zlib, which only zlib's codings heed.
        levels: The levels that there are.
        level: The one that is taken where nobody says otherwise: fast enough to do it anew for
            each answer.
    """

    def __init__(self, make: Callable[[int, int], Compressor], levels: range, level: int) -> None:
        self.make: Final = make
        self.levels: Final = levels
        self.level: Final = level


@lru_cache
def compressors() -> Mapping[str, CodingMaker]:
    """Return the codings in which answers can be compressed here, the best first."""
    found = {}
    if (zstd := import_zstd()) is not None:
        found["zstd"] = CodingMaker(lambda level, _: _Zstd(zstd, level), range(1, 20), 3)
    if (brotli := import_brotli()) is not None:
        found["br"] = CodingMaker(lambda level, _: _Brotli(brotli, level), range(12), 4)
    for name, wbits in (("gzip", 16 + zlib.MAX_WBITS), ("deflate", zlib.MAX_WBITS)):
        found[name] = CodingMaker(partial(_Zlib, wbits), range(1, 10), 6)
    return found
