"""The body as a stream: what each method returns for bytes in any pieces, and the flow control."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from exchanges import FakeExchange, make_request
from hypothesis import given
from hypothesis import strategies as st

from headrace.web._streams import HIGH_WATER, StreamReader, lost_connection

Read = Callable[[StreamReader], Awaitable[Any]]


def stream(*pieces: bytes, eof: bool = True, flow: FakeExchange | None = None) -> StreamReader:
    reader = StreamReader(flow or FakeExchange())
    for piece in pieces:
        reader.feed_data(piece)
    if eof:
        reader.feed_eof()
    return reader


async def collected(pieces: AsyncIterator[Any]) -> list[Any]:
    return [piece async for piece in pieces]


CASES: list[tuple[str, Read, Any, bytes]] = [
    # name, what is read of b"one\n" b"two\nthr" b"ee", result, what is left
    ("read", lambda s: s.read(), b"one\ntwo\nthree", b""),
    ("read all", lambda s: s.read(-1), b"one\ntwo\nthree", b""),
    ("read none", lambda s: s.read(0), b"", b"one\ntwo\nthree"),
    ("read two", lambda s: s.read(2), b"on", b"e\ntwo\nthree"),
    ("read across", lambda s: s.read(6), b"one\ntw", b"o\nthree"),
    ("read too much", lambda s: s.read(100), b"one\ntwo\nthree", b""),
    ("readany", lambda s: s.readany(), b"one\ntwo\nthree", b""),
    ("readexactly", lambda s: s.readexactly(5), b"one\nt", b"wo\nthree"),
    ("readexactly none", lambda s: s.readexactly(0), b"", b"one\ntwo\nthree"),
    ("readexactly all", lambda s: s.readexactly(13), b"one\ntwo\nthree", b""),
    ("readline", lambda s: s.readline(), b"one\n", b"two\nthree"),
    ("readchunk", lambda s: s.readchunk(), (b"one\n", False), b"two\nthree"),
    ("lines", lambda s: collected(s.__aiter__()), [b"one\n", b"two\n", b"three"], b""),
    ("iter_any", lambda s: collected(s.iter_any()), [b"one\ntwo\nthree"], b""),
    (
        "iter_chunked",
        lambda s: collected(s.iter_chunked(5)),
        [b"one\nt", b"wo\nth", b"ree"],
        b"",
    ),
    (
        "iter_chunks",
        lambda s: collected(s.iter_chunks()),
        [(b"one\n", False), (b"two\nthr", False), (b"ee", False)],
        b"",
    ),
]


@pytest.mark.parametrize(("name", "read", "result", "rest"), CASES, ids=lambda case: str(case)[:20])
async def test_reading(name: str, read: Read, result: Any, rest: bytes) -> None:
    reader = stream(b"one\n", b"two\nthr", b"ee")
    assert await read(reader) == result
    assert reader.at_eof() is (rest == b"")
    assert await reader.read() == rest
    assert reader.at_eof()


@pytest.mark.parametrize("read", [case[1] for case in CASES], ids=[case[0] for case in CASES])
async def test_at_the_end_there_is_nothing(read: Read) -> None:
    reader = stream()
    try:
        found = await read(reader)
    except asyncio.IncompleteReadError as error:
        found = error.partial
    assert found in (b"", [], (b"", False))


async def test_readexactly_of_a_body_that_is_shorter() -> None:
    with pytest.raises(asyncio.IncompleteReadError) as caught:
        await stream(b"ab", b"c").readexactly(4)
    assert (caught.value.partial, caught.value.expected) == (b"abc", 4)


def test_read_nowait() -> None:
    reader = stream(b"ab", b"cd", eof=False)
    assert [reader.read_nowait(3), reader.read_nowait(), reader.read_nowait()] == [
        b"abc",
        b"d",
        b"",
    ]


async def test_a_line_has_a_limit() -> None:
    reader = stream(b"x" * HIGH_WATER, b"y\n")
    with pytest.raises(ValueError, match="line is longer"):
        await reader.readline()


def test_what_it_tells_of_itself() -> None:
    reader = StreamReader(FakeExchange())
    told = []

    def tell() -> None:
        told.append((reader.is_eof(), reader.at_eof(), reader.is_touched(), reader.total_bytes))

    tell()
    reader.feed_data(b"abc")
    tell()
    reader.feed_eof()
    tell()
    reader.read_nowait(1)
    tell()
    reader.read_nowait()
    tell()
    assert told == [
        (False, False, False, 0),
        (False, False, False, 3),
        (True, False, False, 3),
        (True, False, True, 3),
        (True, True, True, 3),
    ]


# -- waiting


@pytest.mark.parametrize(
    ("read", "result"),
    [
        (lambda s: s.read(2), b"ab"),
        (lambda s: s.read(), b"abcd"),
        (lambda s: s.readany(), b"ab"),
        (lambda s: s.readline(), b"abcd"),
        (lambda s: s.readchunk(), (b"ab", False)),
        (lambda s: s.readexactly(3), b"abc"),
    ],
)
async def test_waits_for_what_is_not_there_yet(read: Read, result: Any) -> None:
    reader = StreamReader(FakeExchange())
    task = asyncio.ensure_future(read(reader))
    await asyncio.sleep(0)
    assert not task.done()
    reader.feed_data(b"ab")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    reader.feed_data(b"cd")
    reader.feed_eof()
    assert await task == result


async def test_one_task_reads_at_a_time() -> None:
    reader = StreamReader(FakeExchange())
    first = asyncio.ensure_future(reader.read())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="another task"):
        await reader.read()
    reader.feed_data(b"x")
    reader.feed_eof()
    assert await first == b"x"


async def test_a_cancelled_reader_loses_nothing() -> None:
    reader = stream(b"abc", eof=False)
    task = asyncio.ensure_future(reader.read())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    reader.feed_eof()
    assert await reader.read() == b"abc"


# -- failing


@pytest.mark.parametrize(
    "read", [case[1] for case in CASES if case[0] not in ("read none", "readexactly none")]
)
async def test_a_failure_wakes_the_reader_and_stays(read: Read) -> None:
    reader = StreamReader(FakeExchange())
    task = asyncio.ensure_future(read(reader))
    await asyncio.sleep(0)
    reader.set_exception(lost_connection())
    for attempt in (task, read(reader)):
        with pytest.raises(ConnectionResetError):
            await attempt
    assert isinstance(reader.exception(), ConnectionResetError)
    with pytest.raises(ConnectionResetError):
        reader.read_nowait()


async def test_what_arrived_before_a_failure_can_be_read() -> None:
    reader = stream(b"abc", eof=False)
    reader.set_exception(lost_connection())
    assert await reader.readany() == b"abc"
    with pytest.raises(ConnectionResetError):
        await reader.readany()


async def test_a_body_that_has_ended_cannot_fail() -> None:
    reader = stream(b"abc")
    reader.set_exception(lost_connection())
    assert reader.exception() is None
    assert await reader.read() == b"abc"


# -- flow control


async def test_pauses_above_the_mark_and_resumes_at_half() -> None:
    flow = FakeExchange()
    reader = stream(b"x" * HIGH_WATER, eof=False, flow=flow)
    assert flow.flow == []
    reader.feed_data(b"x")
    reader.feed_data(b"x")
    assert flow.flow == ["pause"]
    await reader.read(HIGH_WATER // 2 + 1)
    assert flow.flow == ["pause"]
    await reader.read(1)
    assert flow.flow == ["pause", "resume"]


async def test_a_reader_that_wants_all_resumes_above_the_mark() -> None:
    flow = FakeExchange()
    reader = stream(b"x" * (HIGH_WATER + 1), eof=False, flow=flow)
    task = asyncio.ensure_future(reader.read())
    await asyncio.sleep(0)
    assert flow.flow == ["pause", "resume"]
    reader.feed_eof()
    assert len(await task) == HIGH_WATER + 1


async def test_a_request_without_a_body_has_an_ended_stream() -> None:
    content = make_request().content
    assert content.at_eof()
    assert await content.read() == b""
    assert make_request().content is content


@given(
    st.lists(st.binary(min_size=1, max_size=5)),
    st.lists(st.tuples(st.sampled_from(["read", "readexactly", "nowait"]), st.integers(0, 8))),
)
def test_any_reads_of_any_pieces_give_the_bytes_in_order(
    pieces: list[bytes], steps: list[tuple[str, int]]
) -> None:
    async def run() -> bytes:
        reader, out = stream(*pieces), b""
        for step, n in steps:
            if step == "nowait":
                out += reader.read_nowait(n)
            elif step == "read":
                out += await reader.read(n)
            else:
                try:
                    out += await reader.readexactly(n)
                except asyncio.IncompleteReadError as error:
                    out += error.partial
        return out + await reader.read()

    assert asyncio.run(run()) == b"".join(pieces)


@given(st.lists(st.binary(min_size=1, max_size=6)))
def test_lines_do_not_depend_on_the_pieces(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    lines = asyncio.run(collected(stream(*pieces).__aiter__()))
    assert lines == re.findall(rb"[^\n]*\n|[^\n]+", body)
