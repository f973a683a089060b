"""Each coding as a compressor: others can read it, piece by piece where that is asked for."""

from __future__ import annotations

import random
import sys
import tracemalloc
import zlib

import pytest
from packs import CODINGS, Unpacker, unpack

from headrace.web import _compressors
from headrace.web._compressors import Compressor, compressors

TEXT = b"the same again and again, " * 5000


def make(coding: str, strategy: int = 0) -> Compressor:
    maker = compressors()[coding]
    return maker.make(maker.level, strategy)


def test_the_order_is_the_servers_preference() -> None:
    assert tuple(compressors()) == CODINGS


def test_without_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("brotli", "compression", "compression.zstd", "backports", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    assert list(compressors.__wrapped__()) == ["gzip", "deflate"]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("step", [1000, 70_000, 10**6])
def test_whatever_the_pieces(coding: str, step: int) -> None:
    compressor = make(coding)
    pieces = [compressor.compress(TEXT[i : i + step]) for i in range(0, len(TEXT), step)]
    packed = b"".join(pieces) + compressor.finish()
    assert len(packed) < len(TEXT) // 50
    assert unpack(coding, packed) == TEXT


@pytest.mark.parametrize("coding", CODINGS)
def test_an_empty_body_has_an_end(coding: str) -> None:
    assert unpack(coding, make(coding).finish()) == b""


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("data", [bytearray(TEXT), memoryview(TEXT)])
def test_anything_like_bytes(coding: str, data: bytearray | memoryview) -> None:
    compressor = make(coding)
    assert unpack(coding, compressor.compress(data) + compressor.finish()) == TEXT


@pytest.mark.parametrize("coding", CODINGS)
def test_what_is_flushed_can_be_read(coding: str) -> None:
    compressor, unpacker = make(coding), Unpacker(coding)
    for number in range(20):
        event = b"data: %d\n\n" % number
        assert unpacker.feed(compressor.compress(event) + compressor.flush()) == event
    unpacker.feed(compressor.finish())
    assert unpacker.is_complete


@pytest.mark.parametrize("coding", CODINGS)
def test_all_levels(coding: str) -> None:
    maker = compressors()[coding]
    assert maker.level in maker.levels
    for level in (maker.levels[0], maker.levels[-1]):
        compressor = maker.make(level, zlib.Z_DEFAULT_STRATEGY)
        assert unpack(coding, compressor.compress(TEXT) + compressor.finish()) == TEXT


def test_the_strategy_of_zlib() -> None:
    usual, huffman = make("gzip"), make("gzip", zlib.Z_HUFFMAN_ONLY)
    short, long = (each.compress(TEXT) + each.finish() for each in (usual, huffman))
    assert len(long) > 10 * len(short)
    assert unpack("gzip", long) == TEXT


@pytest.mark.parametrize("coding", ["zstd", "br"])
def test_the_window_is_bounded(coding: str) -> None:
    # What repeats further back than the window is not found again.
    block = random.Random(0).randbytes(2**_compressors.WINDOW_LOG)
    body = block + bytes(2**_compressors.WINDOW_LOG) + block
    compressor = make(coding)
    assert len(compressor.compress(body) + compressor.finish()) > 1.9 * len(block)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_stream_holds_nothing_but_the_window(coding: str) -> None:
    compressor, noise = make(coding), random.Random(0)
    tracemalloc.start()
    try:
        for _ in range(64):
            compressor.compress(noise.randbytes(64 * 1024))
        assert tracemalloc.get_traced_memory()[1] < 2**21
    finally:
        tracemalloc.stop()
