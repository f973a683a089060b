"""The Content-Encoding of a request's body, taken off while the body is read.

A coding is looked for when a handler first reads a body, and decoded piece by piece on demand:
a body that nobody reads is never decoded, and one that is read slowly takes the memory of a piece.
Few bytes can stand for very many. So what comes out is bounded, by what the application accepts
of a body and by its ratio to what came in.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import Any, Final, Protocol

import headrace.web._headers as hdrs

from ._errors import RequestPayloadError
from ._exceptions import framework_answer
from ._extras import import_brotli, import_zstd
from ._streams import PulledReader, StreamReader

#: Decoded bytes for each byte received that are accepted beyond `MIN_ALLOWANCE` and the limit of
#: the application. Text rarely reaches 20; deflate can reach 1032, and brotli and zstd far more.
MAX_RATIO: Final = 100
#: Decoded bytes that are accepted whatever the ratio.
MIN_ALLOWANCE: Final = 1024**2

_INPUT: Final = 16 * 1024  # bytes handed to a decompressor at once
_OUTPUT: Final = 64 * 1024  # bytes taken from it at once

# RFC 9659: a zstd window of more than 8 MiB is not for a Content-Encoding.
_ZSTD_WINDOW_LOG_MAX: Final = 23


class Decompressor(Protocol):
    """What takes compressed bytes and gives up to *max_length* others at a time."""

    @property
    def needs_input(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Zlib:
    """A `Decompressor` for gzip and deflate."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)
        self._tail = b""
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece = self._inner.decompress(self._tail + data, max_length)
        self._tail = self._inner.unconsumed_tail
        # A piece of full length may have more behind it that needs no input.
        self.needs_input = not self._tail and len(piece) < max_length
        return piece


class Brotli:
    """A `Decompressor` for br; it refuses bytes after the end itself."""

    unused_data = b""

    def __init__(self, brotli: Any) -> None:
        self._inner = brotli.Decompressor()

    @property
    def needs_input(self) -> bool:
        return bool(self._inner.can_accept_more_data())

    @property
    def eof(self) -> bool:
        return bool(self._inner.is_finished())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return bytes(self._inner.process(data, output_buffer_limit=max_length))


class Coding:
    """One way of coding a body.

    Args:
        make: Makes a decompressor.
        errors: What it raises for bytes that it cannot decode.
        repeats: Whether one compressed unit may follow another (RFC 1952, RFC 8878).
    """

    def __init__(
        self,
        make: Callable[[], Decompressor],
        errors: type[Exception] | tuple[type[Exception], ...],
        *,
        repeats: bool = False,
    ) -> None:
        self.make: Final = make
        self.errors: Final = errors
        self.repeats: Final = repeats


@lru_cache
def codings() -> Mapping[str, Coding]:
    """Return the codings that can be decoded here, the best first."""
    found = {}
    if (zstd := import_zstd()) is not None:
        options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG_MAX}
        make = partial(zstd.ZstdDecompressor, options=options)
        found["zstd"] = Coding(make, zstd.ZstdError, repeats=True)
    if (brotli := import_brotli()) is not None:
        found["br"] = Coding(partial(Brotli, brotli), brotli.error)
    found["gzip"] = Coding(partial(Zlib, 16 + zlib.MAX_WBITS), zlib.error, repeats=True)
    found["deflate"] = Coding(partial(Zlib, zlib.MAX_WBITS), zlib.error)
    return found


def content_coding(fields: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the value of Content-Encoding, in lower case, ``""`` without one.

    Several lines count as a list (RFC 9110, section 5.3), ``identity`` as nothing.
    """
    # Received fields are not worth cutting up for the few bodies that are coded.
    find = getattr(fields, "find", None)
    if find is not None and find(b"content-encoding") is None:
        return ""
    values = [
        value for name, value in fields if len(name) == 16 and name.lower() == b"content-encoding"
    ]
    if not values:
        return ""
    items = b",".join(values).decode("latin-1").lower().split(",")
    return ",".join(item for each in items if (item := each.strip(" \t")) not in ("", "identity"))


def decoded(content: StreamReader, name: str, max_size: int) -> DecodedReader:
    """Return a body without its coding *name*.

    Args:
        content: The body as it arrives.
        name: What `content_coding` returned.
        max_size: Bytes of body that the application accepts; 0 for any.

    Raises:
        HTTPUnsupportedMediaType: The coding is unknown, or there are several: 415.
    """
    known = codings()
    # RFC 9110, section 8.4.1.3: x-gzip is gzip.
    coding = known.get("gzip" if name == "x-gzip" else name)
    if coding is None:
        # RFC 9110, section 15.5.16: say which ones would do.
        raise framework_answer(415, headers={hdrs.ACCEPT_ENCODING: ", ".join(known)})
    return DecodedReader(content, coding, max(max_size, MIN_ALLOWANCE))


class DecodedReader(PulledReader):
    """A body without its coding, decoded as it is read.

    Reading raises `HTTPRequestEntityTooLarge` (413) when more than *allowance* bytes come out,
    and more than `MAX_RATIO` for each that came in, and `RequestPayloadError` (400) for what
    cannot be decoded.
    """

    __slots__ = ("_allowance", "_begun", "_coding", "_decoder", "_received", "_rest", "_source")

    def __init__(self, source: StreamReader, coding: Coding, allowance: int) -> None:
        super().__init__()
        self._source = source
        self._coding = coding
        self._allowance = allowance
        self._decoder: Decompressor | None = None
        self._begun = False
        self._received = 0
        self._rest = b""  # what came after the end of a compressed unit

    async def _pull(self) -> None:
        decoder = self._decoder
        if decoder is not None and not decoder.needs_input:
            data = b""
            # Much can come out of little: others have their turn in between.
            await asyncio.sleep(0)
        elif self._rest:
            data = self._rest
        else:
            data = await self._source.read(_INPUT)
            if not data:
                self._end()
                return
            self._received += len(data)
        if decoder is None:
            decoder = self._begin()
        piece = self._decode(decoder, data)
        if self.total_bytes + len(piece) > max(self._allowance, MAX_RATIO * self._received):
            self._fail(framework_answer(413))
        if piece:
            self.feed_data(piece)

    def _begin(self) -> Decompressor:
        if self._begun and not self._coding.repeats:
            self._fail(RequestPayloadError("bytes follow the end of the compressed body"))
        self._begun = True
        decoder = self._decoder = self._coding.make()
        return decoder

    def _decode(self, decoder: Decompressor, data: bytes) -> bytes:
        self._rest = b""
        try:
            piece = decoder.decompress(data, _OUTPUT)
        except self._coding.errors as error:
            self._fail(RequestPayloadError(f"the body cannot be decompressed: {error}"))
        if decoder.eof:
            self._rest = decoder.unused_data
            self._decoder = None
        return piece

    def _end(self) -> None:
        if self._decoder is not None:
            self._fail(RequestPayloadError("the compressed body was cut short"))
        self.feed_eof()
