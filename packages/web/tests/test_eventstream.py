"""Server-sent events: the format, the source, the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import Failures, Serve, Wire

from headrace import web

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def parse(stream: str) -> list[dict[str, str]]:
    """Read a stream as the HTML standard says: what a browser dispatches, with its last id."""
    events = []
    last_id, data, kind = "", list[str](), ""
    for line in stream.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                events.append({"data": "\n".join(data), "event": kind, "id": last_id})
            data, kind = [], ""
        elif field == "data":
            data.append(value)
        elif field == "event":
            kind = value
        elif field == "id" and "\0" not in value:
            last_id = value
    return events


async def next_event(wire: Wire) -> bytes:
    """Read a chunk of an answer."""
    size = int(await wire.reader.readline(), 16)
    data = await wire.reader.readexactly(size + 2)
    return data[:-2]


async def open_stream(served: Any, more: bytes = b"") -> Wire:
    wire: Wire = await served.connect()
    wire.send(GET[:-2] + more + b"\r\n")
    head = await wire.head()
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nContent-Type: text/event-stream\r\n" in head
    assert b"\r\nCache-Control: no-cache\r\n" in head
    return wire


# -- the format


@pytest.mark.parametrize(
    ("event", "encoded"),
    [
        (("hello",), b"data: hello\n\n"),
        (("",), b"data: \n\n"),
        (("one\ntwo\r\nthree\r",), b"data: one\ndata: two\ndata: three\ndata: \n\n"),
        ((" a\x0b\x85\u2028b\0",), " a\x0b\x85\u2028b\0".join(("data: ", "\n\n")).encode()),
        (("x", "tick", "7", 2.5), b"id: 7\nevent: tick\nretry: 2500\ndata: x\n\n"),
        (("x", "", "", 0), b"id: \nevent: \nretry: 0\ndata: x\n\n"),
    ],
)  # fmt: skip
def test_events_are_lines(event: tuple[Any, ...], encoded: bytes) -> None:
    assert web.ServerSentEvent(*event).encode() == encoded


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "a\nid: 5", "a\r\n\r\ndata: forged"])
@pytest.mark.parametrize("field", ["event", "id"])
def test_nothing_can_be_injected_into_a_field(field: str, bad: str) -> None:
    with pytest.raises(ValueError, match=f"the {field} of an event"):
        web.ServerSentEvent("x", **{field: bad}).encode()


def test_times_are_checked() -> None:
    for wrong in (-1, float("nan")):
        with pytest.raises(ValueError, match="retry"):
            web.ServerSentEvent("x", retry=wrong).encode()
    with pytest.raises(ValueError, match="retry"):
        web.EventStreamResponse(retry=-1)
    with pytest.raises(ValueError, match="heartbeat"):
        web.EventStreamResponse(heartbeat=0)


LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"))


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), LINE, LINE)))
def test_a_browser_reads_what_was_sent(events: list[tuple[str, str, str]]) -> None:
    stream = b"".join(web.ServerSentEvent(*event).encode() for event in events).decode()
    assert parse(stream) == [
        {"data": data.replace("\r\n", "\n").replace("\r", "\n"), "event": event, "id": number}
        for data, event, number in events
    ]


# -- the stream


async def test_a_handler_sends_as_things_happen(serve: Serve) -> None:
    go_on = asyncio.Event()

    async def handler(request: web.Request) -> web.EventStreamResponse:
        stream = web.EventStreamResponse(retry=1.5, headers={"X-Mine": "yes"})
        assert stream.last_event_id is None
        await stream.prepare(request)
        await stream.prepare(request)
        await stream.send(f"after {stream.last_event_id}", event="news", id="8")
        await go_on.wait()
        stream.send_json({"a": 1}, id="9")
        await stream.comment("only\nwords")
        return stream

    served = await serve(handler)
    wire = await open_stream(served, b"Last-Event-ID: 7\r\n")
    assert await next_event(wire) == b"retry: 1500\n\n"
    assert await next_event(wire) == b"id: 8\nevent: news\ndata: after 7\n\n"
    go_on.set()
    assert await next_event(wire) == b'id: 9\ndata: {"a": 1}\n\n'
    assert await next_event(wire) == b": only\n: words\n\n"
    assert await next_event(wire) == b""
    wire.send(GET)  # the connection stays
    assert (await wire.head()).startswith(b"HTTP/1.1 200 ")


async def test_a_source_is_sent_and_closed(serve: Serve) -> None:
    closed: list[str] = []

    async def source() -> AsyncIterator[str | web.ServerSentEvent]:
        try:
            yield "one"
            yield web.ServerSentEvent("two", id="2")
        finally:
            closed.append("closed")

    async def handler(request: web.Request) -> web.EventStreamResponse:
        return web.EventStreamResponse(source())

    served = await serve(handler)
    async with served.client.get("/") as response:
        assert await response.text() == "data: one\n\nid: 2\ndata: two\n\n"
        assert response.headers["X-Accel-Buffering"] == "no"
    assert closed == ["closed"]
    async with served.client.head("/") as response:
        assert response.status == 200
        assert await response.text() == ""


async def test_silence_is_filled_with_comments(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.EventStreamResponse:
        stream = web.EventStreamResponse(heartbeat=0.01)
        await stream.prepare(request)
        await stream.send("one")
        await asyncio.sleep(60)
        return stream

    served = await serve(handler)
    wire = await open_stream(served)
    assert await next_event(wire) == b"data: one\n\n"
    for _ in range(3):
        assert await next_event(wire) == b":\n\n"
    wire.reset()
    await served.idle()


async def no_tasks_but_this() -> None:
    async with asyncio.timeout(10):
        while any("_keep" in repr(task.get_coro()) for task in asyncio.all_tasks()):
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("kind", ["handler", "source"])
@pytest.mark.parametrize("end", ["disconnect", "shutdown"])
async def test_a_stream_ends_with_its_client_and_with_the_server(
    serve: Serve, failures: Failures, kind: str, end: str
) -> None:
    """Wherever the handler or the source waits, and whatever it waits for."""
    ends: list[str] = []

    async def source() -> AsyncIterator[str]:
        try:
            yield "one"
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise
        finally:
            ends.append("cleaned up")

    async def handler(request: web.Request) -> web.EventStreamResponse:
        if kind == "source":
            return web.EventStreamResponse(source())
        stream = web.EventStreamResponse()
        await stream.prepare(request)
        async for text in source():
            await stream.send(text)
        return stream

    served = await serve(handler, shutdown_timeout=30)
    wire = await open_stream(served)
    assert await next_event(wire) == b"data: one\n\n"
    if end == "disconnect":
        wire.reset()
    else:
        async with asyncio.timeout(10):
            await served.runner.cleanup()
        assert await wire.rest() == b"0\r\n\r\n"
    async with asyncio.timeout(10):
        while served.runner.server is not None and served.server.connections:
            await asyncio.sleep(0.001)
    assert ends == ["cancelled", "cleaned up"]
    await no_tasks_but_this()
    assert failures() == []


async def test_sends_wait_for_a_slow_client(serve: Serve) -> None:
    sent = 0

    async def handler(request: web.Request) -> web.EventStreamResponse:
        nonlocal sent
        stream = web.EventStreamResponse()
        await stream.prepare(request)
        for _ in range(300):
            await stream.send("x" * 65536)
            sent += 1
        return stream

    served = await serve(handler)
    wire = await open_stream(served)
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await served.until(lambda: any(c._paused_writing for c in served.server.connections))
    assert sent < 300
    wire.writer.transport.resume_reading()  # type: ignore[attr-defined]
    for _ in range(300):
        assert len(await next_event(wire)) == 65536 + 8
    assert await next_event(wire) == b""


async def test_after_the_shutdown_nothing_is_sent(serve: Serve, failures: Failures) -> None:
    caught: list[str] = []

    async def handler(request: web.Request) -> web.EventStreamResponse:
        stream = web.EventStreamResponse()
        await stream.prepare(request)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            with pytest.raises(web.ClientConnectionResetError, match="shutting down"):
                stream.send("too late")
            caught.append("late")
            raise
        return stream

    served = await serve(handler)
    await open_stream(served)
    await served.runner.cleanup()
    assert caught == ["late"]
    assert failures() == []


async def test_a_source_that_fails_is_logged_and_cuts_the_answer(
    serve: Serve, failures: Failures
) -> None:
    async def source() -> AsyncIterator[str]:
        yield "one"
        raise LookupError

    async def handler(request: web.Request) -> web.EventStreamResponse:
        return web.EventStreamResponse(source())

    served = await serve(handler)
    wire = await open_stream(served)
    assert await next_event(wire) == b"data: one\n\n"
    assert b"0\r\n\r\n" not in await wire.rest()
    assert failures() == ["Error handling GET /: LookupError"]
    await no_tasks_but_this()


async def test_any_asynchronous_iterable_is_a_source(serve: Serve) -> None:
    class Source:
        def __aiter__(self) -> AsyncIterator[str]:
            return self._texts()

        async def _texts(self) -> AsyncIterator[str]:
            yield "one"

    async def handler(request: web.Request) -> web.EventStreamResponse:
        return web.EventStreamResponse(Source(), heartbeat=None)

    served = await serve(handler)
    async with served.client.get("/") as response:
        assert await response.text() == "data: one\n\n"
