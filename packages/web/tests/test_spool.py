"""Uploaded files while they arrive: where they are held, and that nothing is left of them."""

from __future__ import annotations

import asyncio
import io
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.web import _spool
from headrace.web._spool import SPOOL_LEAST, SPOOL_SIZE, Pieces, Room, SpooledFile

# -- a file in pieces


@given(
    st.lists(st.binary(max_size=50)), st.lists(st.tuples(st.integers(0, 200), st.integers(-1, 90)))
)
def test_pieces_read_like_one_file(pieces: list[bytes], reads: list[tuple[int, int]]) -> None:
    whole = io.BytesIO(b"".join(pieces))
    file = io.BufferedReader(Pieces(pieces), 8)
    assert file.read() == whole.read()
    for position, size in reads:
        assert file.seek(position) == whole.seek(position)
        assert file.read(size) == whole.read(size)
        assert file.tell() == whole.tell()
    for whence in (io.SEEK_SET, io.SEEK_END):
        assert file.seek(0, whence) == whole.seek(0, whence)
        assert file.read() == whole.read()


def test_lines_of_pieces() -> None:
    file = io.BufferedReader(Pieces([b"a\nb", bytearray(b"c\n"), b"", b"d"]))
    assert list(file) == [b"a\n", b"bc\n", b"d"]


def test_a_file_in_pieces_is_a_file() -> None:
    file = Pieces([b"ab", b"cd"])
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    assert file.seek(1) == 1
    assert file.seek(1, io.SEEK_CUR) == 2
    assert file.readall() == b"cd"
    with pytest.raises(ValueError, match="negative"):
        file.seek(-1)
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read(1)


# -- where it is held


async def spooled(content: bytes, room: Room, step: int = 65536) -> tuple[SpooledFile, Any]:
    file = SpooledFile(room)
    for start in range(0, len(content), step):
        file.write(content[start : start + step])
        if file.is_full:
            await file.flush()
    return file, await file.finish()


@pytest.mark.parametrize("step", [1000, 65536, 10**9])
@pytest.mark.parametrize(
    ("size", "expected"), [(0, False), (SPOOL_SIZE, False), (SPOOL_SIZE + 1, True)]
)
async def test_large_files_are_on_disk(size: int, expected: bool, step: int) -> None:
    room = Room(10 * SPOOL_SIZE)
    content = os.urandom(size)
    file, reader = await spooled(content, room, step)
    assert file.is_on_disk is expected
    assert reader.read() == content
    # What is on the disk takes no room, and what is closed none either.
    taken = 0 if expected else size
    assert room.take(10 * SPOOL_SIZE - taken)
    room.give_back(10 * SPOOL_SIZE - taken)
    file.close()
    await until(lambda: reader.closed)
    assert room.take(10 * SPOOL_SIZE)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


async def test_all_files_share_the_room() -> None:
    room = Room(200_000)
    first, _ = await spooled(bytes(150_000), room)
    second, _ = await spooled(bytes(150_000), room)
    small, _ = await spooled(bytes(SPOOL_LEAST), room)
    assert (first.is_on_disk, second.is_on_disk, small.is_on_disk) == (False, True, False)
    first.close()
    third, _ = await spooled(bytes(150_000), room)
    assert not third.is_on_disk
    for file in (second, small, third):
        file.close()
    await until(lambda: second._file is not None and second._file.closed)


async def test_a_file_that_nobody_closes_gives_its_room_back() -> None:
    room = Room(100_000)
    file, reader = await spooled(bytes(100_000), room)
    assert not room.take(1)
    del file
    assert room.take(100_000)
    assert reader.read() == bytes(100_000)


async def test_on_its_way_to_the_disk_a_file_takes_little_memory() -> None:
    piece = bytes(65536)
    file = SpooledFile(Room(0))
    tracemalloc.start()
    try:
        for _ in range(500):
            file.write(bytes(bytearray(piece)))
            if file.is_full:
                await file.flush()
        reader = await file.finish()
        assert tracemalloc.get_traced_memory()[1] < 6 * _spool._WRITE_SIZE
    finally:
        tracemalloc.stop()
    assert reader.seek(0, io.SEEK_END) == 500 * len(piece)
    file.close()
    await until(lambda: reader.closed)


async def test_a_file_on_the_disk_has_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file, reader = await spooled(bytes(100_000), Room(0))
    assert list(tmp_path.iterdir()) == []
    assert reader.read() == bytes(100_000)
    file.close()
    await until(lambda: reader.closed)


def test_a_loop_that_has_ended_closes_at_once() -> None:
    file, reader = asyncio.run(spooled(bytes(100_000), Room(0)))
    file.close()
    assert reader.closed
