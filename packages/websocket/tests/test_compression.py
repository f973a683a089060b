"""The two directions of permessage-deflate, alone."""

from __future__ import annotations

import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import deflated

from headrace.websocket import Deflate
from headrace.websocket._compression import Deflater, Inflater

FULL = Deflate(server_max_window_bits=15, client_max_window_bits=15)


def both(agreed: Deflate, *, server: bool) -> tuple[Deflater, Inflater]:
    """Return what compresses on one side and what decompresses on the other."""
    return Deflater(agreed, server=server), Inflater(agreed, server=not server)


def inflate(inflater: Inflater, data: bytes, room: int = -1) -> bytes:
    return inflater.piece(data, room) + inflater.end(room)


def test_the_example_of_the_rfc() -> None:  # RFC 7692, 7.2.3.1 and 7.2.3.2
    deflater = Deflater(FULL, server=True)
    assert deflater.piece(b"Hello", True) == b"\xf2\x48\xcd\xc9\xc9\x07\x00"
    assert deflater.piece(b"Hello", True) == b"\xf2\x00\x11\x00\x00"


@pytest.mark.parametrize("server", [True, False])
def test_without_takeover_messages_are_alike(server: bool) -> None:  # 7.1.1
    agreed = Deflate(server_no_context_takeover=server, client_no_context_takeover=not server)
    deflater, inflater = both(agreed, server=server)
    first, second = deflater.piece(b"Hello", True), deflater.piece(b"Hello", True)
    assert first == second
    assert [inflate(inflater, first), inflate(inflater, second)] == [b"Hello", b"Hello"]
    reverse = Deflater(agreed, server=not server)
    assert reverse.piece(b"Hello", True) != reverse.piece(b"Hello", True)


def test_without_takeover_the_window_is_forgotten() -> None:
    inflater = Inflater(Deflate(client_no_context_takeover=True), server=True)
    assert inflate(inflater, deflated(b"Hello")) == b"Hello"
    with pytest.raises(zlib.error):
        inflate(inflater, b"\xf2\x00\x11\x00\x00")


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 100_000])
def test_an_empty_last_piece(data: bytes) -> None:
    deflater, inflater = both(FULL, server=True)
    for _ in range(2):
        first, last = deflater.piece(data, False), deflater.piece(b"", True)
        assert last
        assert inflater.piece(first, -1) + inflate(inflater, last) == data


@given(
    st.integers(8, 15),
    st.lists(st.binary(max_size=40), min_size=1),
    st.integers(1, 9),
    st.randoms(),
)
def test_windows_are_kept(bits: int, blocks: list[bytes], mem_level: int, random: object) -> None:
    """What is compressed for a window can be read with no more than that window, 8 included."""
    data = b"".join(blocks * 20) + os.urandom(300) + b"".join(blocks)
    agreed = Deflate(server_max_window_bits=bits, mem_level=mem_level)
    packed = Deflater(agreed, server=True).piece(data, True) + b"\x00\x00\xff\xff"
    # One byte at a time, zlib has nothing but its window to copy from.
    strict, result = zlib.decompressobj(wbits=-bits), bytearray()
    result += strict.decompress(packed, 1)
    while strict.unconsumed_tail or len(result) < len(data):
        result += strict.decompress(strict.unconsumed_tail, 1)
    assert result == data
    assert inflate(Inflater(agreed, server=False), packed[:-4]) == data


@pytest.mark.parametrize("room", [0, 1, 99, 100, 101])
def test_room(room: int) -> None:
    unpacked = Inflater(FULL, server=True).piece(deflated(bytes(100)), room)
    assert len(unpacked) == min(100, room + 1)


def test_room_across_final_blocks() -> None:
    final = zlib.compressobj(wbits=-15)
    block = final.compress(b"x" * 10) + final.flush()
    unpacked = Inflater(FULL, server=True).piece(block * 10, 34)
    assert len(unpacked) == 35


def test_final_blocks_are_counted_for_each_message() -> None:
    inflater = Inflater(FULL, server=True)
    block = b"\xf3\x48\xcd\xc9\xc9\x07\x00"
    for _ in range(3):
        assert inflate(inflater, block * 256) == b"Hello" * 256
    with pytest.raises(zlib.error, match="too many final blocks"):
        inflate(inflater, block * 257)


@pytest.mark.parametrize("data", [b"\xff" * 9, b"\x07", b"\x00\x01\x02\x03\x04\x05"])
def test_no_deflate_data(data: bytes) -> None:
    with pytest.raises(zlib.error):
        inflate(Inflater(FULL, server=True), data)


def test_no_byte_at_all() -> None:
    with pytest.raises(zlib.error, match="without a byte"):
        Inflater(FULL, server=True).end(-1)
