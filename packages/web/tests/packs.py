"""Compressed bodies read by others than those that wrote them."""

from __future__ import annotations

import zlib
from typing import Any, Final

import brotli

from headrace.web import _extras

zstd: Final = _extras.import_zstd()
CODINGS: Final = ("zstd", "br", "gzip", "deflate")


class Unpacker:
    """Decodes a body piece by piece, as a client does."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._inner: Any
        if coding == "zstd":
            self._inner = zstd.ZstdDecompressor()
        elif coding == "br":
            self._inner = brotli.Decompressor()
        else:
            self._inner = zlib.decompressobj(zlib.MAX_WBITS + (16 if coding == "gzip" else 0))

    def feed(self, data: bytes) -> bytes:
        """Return what can be read by now."""
        step = self._inner.process if self._coding == "br" else self._inner.decompress
        return bytes(step(data))

    @property
    def is_complete(self) -> bool:
        """Whether the end has been read."""
        return bool(self._inner.is_finished() if self._coding == "br" else self._inner.eof)


def unpack(coding: str | None, data: bytes) -> bytes:
    """Return a whole body without its coding; it must have an end."""
    if coding is None:
        return data
    unpacker = Unpacker(coding)
    body = unpacker.feed(data)
    assert unpacker.is_complete
    return body
