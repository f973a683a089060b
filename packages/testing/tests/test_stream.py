"""The body of a response as a stream."""

import asyncio

import pytest

from headrace.testing import StreamReader


class Flow:
    def __init__(self) -> None:
        self.log: list[str] = []

    def pause_reading(self) -> None:
        self.log.append("pause")

    def resume_reading(self) -> None:
        self.log.append("resume")


async def wait(future) -> None:
    await future


@pytest.fixture
def flow() -> Flow:
    return Flow()


@pytest.fixture
def stream(flow: Flow) -> StreamReader:
    return StreamReader(flow, wait)


def feed(stream: StreamReader, *pieces: bytes, eof: bool = True) -> StreamReader:
    for piece in pieces:
        stream.feed_data(piece)
    if eof:
        stream.feed_eof()
    return stream


async def test_reading_all(stream: StreamReader) -> None:
    feed(stream, b"one ", b"two")
    assert stream.is_eof()
    assert not stream.at_eof()
    assert await stream.read() == b"one two"
    assert stream.at_eof()
    assert stream.total_bytes == 7
    assert await stream.read() == b""


async def test_reading_some(stream: StreamReader) -> None:
    feed(stream, b"one ", b"two ", b"three")
    assert await stream.read(0) == b""
    assert await stream.read(2) == b"on"
    assert await stream.read(4) == b"e tw"
    assert stream.peek(4) == b"o th"
    assert await stream.read(2) == b"o "
    assert await stream.read(100) == b"three"
    assert await stream.read(1) == b""


async def test_reading_what_there_is(stream: StreamReader) -> None:
    feed(stream, b"one", b"two", eof=False)
    assert await stream.readany() == b"onetwo"
    feed(stream)
    assert await stream.readany() == b""


async def test_reading_exactly(stream: StreamReader) -> None:
    feed(stream, b"12345", b"678")
    assert await stream.readexactly(6) == b"123456"
    with pytest.raises(asyncio.IncompleteReadError) as info:
        await stream.readexactly(3)
    assert (info.value.partial, info.value.expected) == (b"78", 3)


async def test_reading_lines(stream: StreamReader) -> None:
    feed(stream, b"a\nb", b"\r", b"\nc")
    assert await stream.readuntil(b"\r\n") == b"a\nb\r\n"
    assert await stream.readline() == b"c"
    assert await stream.readline() == b""
    with pytest.raises(ValueError, match="empty"):
        await stream.readuntil(b"")


async def test_a_separator_over_two_pieces_that_come_late(stream: StreamReader) -> None:
    feed(stream, b"head\r", eof=False)
    task = asyncio.create_task(stream.readuntil(b"\r\n"))
    await asyncio.sleep(0)
    assert not task.done()
    feed(stream, b"\nbody", eof=False)
    assert await task == b"head\r\n"
    assert await stream.readany() == b"body"


async def test_iterating(flow: Flow) -> None:
    pieces = (b"one\n", b"two\nthree")
    stream = feed(StreamReader(flow, wait), *pieces)
    assert [line async for line in stream] == [b"one\n", b"two\n", b"three"]
    stream = feed(StreamReader(flow, wait), *pieces)
    chunks = [chunk async for chunk in stream.iter_chunked(5)]
    assert chunks == [b"one\nt", b"wo\nth", b"ree"]
    stream = feed(StreamReader(flow, wait), *pieces)
    assert [piece async for piece in stream.iter_any()] == [b"one\ntwo\nthree"]


async def test_waiting_for_bytes(stream: StreamReader) -> None:
    task = asyncio.create_task(stream.read())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="already reading"):
        await stream.read()
    feed(stream, b"late", eof=False)
    await asyncio.sleep(0)
    feed(stream, b"r")
    assert await task == b"later"


async def test_an_error_comes_after_the_bytes_before_it(stream: StreamReader) -> None:
    feed(stream, b"good", eof=False)
    error = LookupError("cut")
    stream.set_exception(error)
    stream.set_exception(LookupError("not this one"))
    assert stream.exception() is error
    assert await stream.read(4) == b"good"
    with pytest.raises(LookupError, match="cut"):
        await stream.read(1)


async def test_no_error_after_the_end(stream: StreamReader) -> None:
    feed(stream, b"all")
    stream.set_exception(LookupError("late"))
    assert stream.exception() is None
    assert await stream.read() == b"all"


async def test_an_error_wakes_the_reader(stream: StreamReader) -> None:
    task = asyncio.create_task(stream.read())
    await asyncio.sleep(0)
    stream.set_exception(LookupError("cut"))
    with pytest.raises(LookupError):
        await task


async def test_the_connection_is_paused_and_resumed(stream: StreamReader, flow: Flow) -> None:
    feed(stream, bytes(128 * 1024), eof=False)
    assert flow.log == []
    feed(stream, b"x", b"y", eof=False)
    assert flow.log == ["pause"]
    await stream.read(1024)
    assert flow.log == ["pause"]
    await stream.read(64 * 1024)
    assert flow.log == ["pause", "resume"]


async def test_who_waits_for_all_does_not_wait_for_ever(stream: StreamReader, flow: Flow) -> None:
    """Bytes that come while reading is resumed are not missed."""

    def resume() -> None:
        feed(stream, bytes(200_000), eof=flow.log.count("feed") == 3)
        flow.log.append("feed")

    flow.resume_reading = resume
    feed(stream, bytes(200_000), eof=False)
    assert len(await stream.read()) == 1_000_000


async def test_a_body_that_has_arrived() -> None:
    reader = StreamReader.arrived(b"a\nbc")
    assert reader.is_eof()
    assert not reader.at_eof()
    assert reader.total_bytes == 4
    assert reader.peek(2) == b"a\n"
    assert [line async for line in reader] == [b"a\n", b"bc"]
    assert reader.at_eof()
    assert await StreamReader.arrived(b"").read() == b""
