"""Bytes on the wire: what a connection does with what clients send, and with clients that go."""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import socket
import weakref
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
from serving import Failures, Serve, Wire

from headrace import web
from headrace.testing import ClientError
from headrace.web import _exchange, _protocol

GET = b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b"
SECRET = b"hunter2"


def get(path: bytes = b"/") -> bytes:
    return GET % path


def post(body: bytes, path: bytes = b"/") -> bytes:
    return POST % (path, len(body), body)


def head_with(fields: bytes, *, line: bytes = b"GET / HTTP/1.1", host: bytes = b"a") -> bytes:
    return b"%b\r\nHost: %b\r\n%b\r\n" % (line, host, fields)


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=f"hello {request.path}")


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


def bodies(answers: bytes) -> list[bytes]:
    """Split answers that all have a Content-Length, return their bodies."""
    found = []
    while answers:
        head, _, answers = answers.partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        found.append(answers[:length])
        answers = answers[length:]
    return found


# -- what is refused

REFUSED = {
    "no request": (b"nonsense\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (head_with(b"Host: b\r\n"), 400),
    "bare LF": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "space before colon": (head_with(b"X : %b\r\n" % SECRET), 400),
    "folded field": (head_with(b"X: a\r\n %b\r\n" % SECRET), 400),
    "NUL in a field": (head_with(b"X: %b\0\r\n" % SECRET), 400),
    "two lengths": (head_with(b"Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
    "malformed length": (head_with(b"Content-Length: +1\r\n"), 400),
    "length and coding": (head_with(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400),
    "unknown coding": (head_with(b"Transfer-Encoding: gzip, chunked\r\n"), 501),
    "coding in 1.0": (head_with(b"Transfer-Encoding: chunked\r\n", line=b"POST / HTTP/1.0"), 400),
    "long target": (get(b"/" + SECRET * 2000), 414),
    "long target, no end": (b"GET /" + SECRET * 2000, 414),
    "long field": (head_with(b"X: %b\r\n" % (SECRET * 2000)), 431),
    "long field, no end": (b"GET / HTTP/1.1\r\nX: " + SECRET * 2000, 431),
    "many fields": (head_with(b"X: a\r\n" * 200), 431),
    "end in the head": (b"GET / HTTP/1.1\r\nHost: %b" % SECRET, 400),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_malformed_request_is_refused_and_the_connection_closed(
    serve: Serve, failures: Failures, case: str
) -> None:
    data, status = REFUSED[case]
    served = await serve(hello)
    answer = await served.raw(data, eof=case == "end in the head")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nConnection: close" in head
    assert b"\r\nDate: " in head
    assert b"\r\nServer:" not in head
    assert b"Content-Length: %d" % len(body) in head
    assert SECRET not in answer
    assert b"python" not in answer.lower()
    assert b"headrace" not in answer.lower()
    assert body == b"%d: %b" % (status, head.split(b"\r\n")[0].split(b" ", 2)[2])
    assert failures() == []


async def test_a_refusal_concerns_only_its_own_connection(serve: Serve) -> None:
    served = await serve(hello)
    good = await served.connect()
    good.send(get(b"/1"))
    assert (await good.answer())[1] == b"hello /1"
    assert (await served.raw(b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    good.send(get(b"/2"))
    assert (await good.answer())[1] == b"hello /2"


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        head_with(b"Transfer-Encoding: chunked\r\n", line=b"POST / HTTP/1.1") + b"nonsense\r\n",
    ],
    ids=["head", "body"],
)
async def test_a_refusal_reaches_a_client_that_is_still_sending(serve: Serve, data: bytes) -> None:
    served = await serve(echo)
    wire = await served.connect()
    wire.writer.transport.pause_reading()
    wire.send(data + bytes(1024**2))
    await served.until(lambda: any(c._lingering for c in served.server.connections))
    for _ in range(64):
        wire.send(bytes(65536))
        await asyncio.sleep(0)
    wire.writer.transport.resume_reading()
    assert (await wire.head()).startswith(b"HTTP/1.1 400 ")


async def test_garbage_after_a_request_is_refused_after_its_answer(serve: Serve) -> None:
    served = await serve(hello)
    answers = await served.raw(get(b"/first") + b"\x00garbage\r\n\r\n")
    first, _, second = answers.partition(b"hello /first")
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert second.startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize(
    ("body", "answered"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", b"200"),
        (b"5;a=b\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n", b"200"),
        (b"5\r\nhelloX", b"400"),
        (b"-5\r\nhello\r\n", b"400"),
        (b"5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n", b"400"),
    ],
)
async def test_a_malformed_body_is_the_clients_fault(
    serve: Serve, failures: Failures, body: bytes, answered: bytes
) -> None:
    served = await serve(echo)
    wire = await served.connect()
    wire.send(head_with(b"Transfer-Encoding: chunked\r\n", line=b"POST / HTTP/1.1") + body)
    head, content = await wire.answer()
    assert head.startswith(b"HTTP/1.1 %b " % answered)
    if answered == b"200":
        assert content == b"hello"
    else:
        assert b"Connection: close" in head
        assert await wire.rest() == b""
    assert failures() == []


async def test_a_body_that_is_cut_short_is_the_clients_fault(
    serve: Serve, failures: Failures
) -> None:
    served = await serve(echo)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
    answer = await served.raw(head + b"12345", eof=True)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert failures() == []


# -- several requests


async def test_pipelined_requests_are_answered_in_order(serve: Serve) -> None:
    gates = {f"/{n}": asyncio.Event() for n in range(6)}
    begun: list[str] = []

    async def slow(request: web.Request) -> web.Response:
        begun.append(request.path)
        if int(request.path[1:]) % 2:
            await gates[request.path].wait()
        return web.Response(text=request.path)

    served = await serve(slow)
    wire = await served.connect()
    wire.send(b"".join(get(path.encode()) for path in gates))
    await served.until(lambda: begun == ["/0", "/1"])
    for path in reversed(gates):
        gates[path].set()
    assert [(await wire.answer())[1].decode() for _ in gates] == list(gates)
    assert begun == list(gates)


async def test_a_request_may_come_byte_by_byte(serve: Serve) -> None:
    served = await serve(echo)
    wire = await served.connect()
    sock = wire.writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in post(b"slow body"):
        wire.send(bytes([byte]))
        await asyncio.sleep(0)
    assert (await wire.answer())[1] == b"slow body"


async def test_many_pipelined_requests_wait_without_filling_memory(serve: Serve) -> None:
    gate = asyncio.Event()

    async def waiting(request: web.Request) -> web.Response:
        await gate.wait()
        return web.Response()

    served = await serve(waiting)
    wire = await served.connect()
    request = head_with(b"X: %b\r\n" % (b"x" * 8000))
    wire.send(request * 1000)
    await served.until(lambda: any(c._paused_reading for c in served.server.connections))
    [connection] = served.server.connections
    assert connection._parser.buffered < 1024**2
    gate.set()
    for _ in range(1000):
        assert (await wire.head()).startswith(b"HTTP/1.1 200 ")


async def test_a_client_that_takes_no_answers_gets_no_further_ones(serve: Serve) -> None:
    begun = 0

    async def large(request: web.Request) -> web.Response:
        nonlocal begun
        begun += 1
        return web.Response(body=bytes(1024**2))

    served = await serve(large)
    wire = await served.connect()
    wire.writer.transport.pause_reading()
    wire.send(get() * 100)
    await served.until(lambda: any(c._paused_writing for c in served.server.connections))
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert begun < 20
    wire.writer.transport.resume_reading()
    for _ in range(100):
        assert len((await wire.answer())[1]) == 1024**2
    assert begun == 100


async def test_an_upgrade_that_is_ignored_leaves_the_connection_as_it_is(serve: Serve) -> None:
    served = await serve(hello)
    upgrade = head_with(b"Connection: upgrade\r\nUpgrade: h2c\r\n", line=b"GET /1 HTTP/1.1")
    closing = head_with(b"Connection: close\r\n", line=b"GET /2 HTTP/1.1")
    answers = await served.raw(upgrade + closing)
    assert bodies(answers) == [b"hello /1", b"hello /2"]


async def test_context_variables_do_not_leak_to_the_next_request(serve: Serve) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    async def leaky(request: web.Request) -> web.Response:
        before = variable.get()
        variable.set("set")
        if request.path == "/wait":
            await asyncio.sleep(0)
        return web.Response(text=before)

    served = await serve(leaky)
    wire = await served.connect()
    for path in (b"/", b"/wait", b"/", b"/wait"):
        wire.send(get(path) * 2)
        assert [(await wire.answer())[1] for _ in range(2)] == [b"unset"] * 2


async def test_a_handler_has_a_task_and_may_use_timeouts(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        task = asyncio.current_task()
        assert task is not None
        assert task is request.task
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        assert asyncio.current_task() is request.task
        return web.Response(text="in time")

    served = await serve(handler)
    wire = await served.connect()
    wire.send(get() * 2)
    assert (await wire.answer())[1] == b"in time"
    assert (await wire.answer())[1] == b"in time"


# -- 1.0 clients, HEAD, and answers without a body


@pytest.mark.parametrize(
    ("request_bytes", "kept"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
        (head_with(b"Connection: close\r\n"), False),
        (get(), True),
    ],
)
async def test_the_connection_is_kept_as_the_client_asks(
    serve: Serve, request_bytes: bytes, kept: bool
) -> None:
    served = await serve(hello)
    wire = await served.connect()
    wire.send(request_bytes)
    head, body = await wire.answer()
    assert body == b"hello /"
    assert (b"Connection: close" in head) is not kept
    if kept:
        wire.send(get(b"/again"))
        assert (await wire.answer())[1] == b"hello /again"
    else:
        assert await wire.rest() == b""


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=int(request.query.get("status", 200)))
    await response.prepare(request)
    for piece in (b"one", b"", b"two"):
        await response.write(piece)
    return response


async def test_a_stream_is_chunked(serve: Serve) -> None:
    served = await serve(stream)
    answer = await served.raw(head_with(b"Connection: close\r\n"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


async def test_a_stream_for_a_1_0_client_ends_with_the_connection(serve: Serve) -> None:
    served = await serve(stream)
    answer = await served.raw(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head
    assert b"Connection: close" in head
    assert body == b"onetwo"


@pytest.mark.parametrize("handler", [hello, stream])
async def test_head_is_answered_without_a_body(serve: Serve, handler: Any) -> None:
    served = await serve(handler)
    wire = await served.connect()
    wire.send(head_with(b"", line=b"HEAD /x HTTP/1.1") + get(b"/next"))
    head = await wire.head()
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    if handler is hello:
        assert b"Content-Length: 8\r\n" in head
    assert (await wire.head()).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("text", [None, "a body that must not be sent"])
async def test_204_and_304_have_no_body(serve: Serve, status: int, text: str | None) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text=text) if request.path == "/" else web.Response()

    served = await serve(handler)
    wire = await served.connect()
    wire.send(get() + get(b"/next"))
    head = await wire.head()
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"Transfer-Encoding" not in head
    assert status == 304 or b"Content-Length" not in head
    assert (await wire.head()).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("status", [204, 304])
async def test_a_stream_of_204_or_304_must_not_write(
    serve: Serve, failures: Failures, status: int
) -> None:
    served = await serve(stream)
    answer = await served.raw(get(b"/?status=%d" % status))
    assert answer.endswith(b"\r\n\r\n")
    assert b"one" not in answer
    assert len(failures()) == 1


@pytest.mark.parametrize("status", [204, 304])
async def test_an_empty_stream_of_204_or_304_keeps_the_connection(
    serve: Serve, status: int
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        return response

    served = await serve(handler)
    wire = await served.connect()
    for _ in range(2):
        wire.send(get())
        head = await wire.head()
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert b"Transfer-Encoding" not in head


# -- failures

INJECTIONS: dict[str, dict[str, Any]] = {
    "value": {"headers": {"X-Name": "a\r\nSet-Cookie: stolen=1"}},
    "name": {"headers": {"X-Name: b\r\nX": "a"}},
    "NUL": {"headers": {"X-Name": "a\0b"}},
    "reason": {"reason": "OK\r\nSet-Cookie: stolen=1"},
    "content type": {"content_type": "text/html\r\nSet-Cookie: stolen=1", "body": b"x"},
}


@pytest.mark.parametrize("case", INJECTIONS)
@pytest.mark.parametrize("how", ["return", "stream", "raise"])
async def test_an_injected_header_becomes_a_500_without_it(
    serve: Serve, failures: Failures, case: str, how: str
) -> None:
    arguments = INJECTIONS[case]

    async def handler(request: web.Request) -> web.StreamResponse:
        if how == "raise":
            raise web.HTTPConflict(**arguments)
        if how == "return":
            return web.Response(**arguments)
        wanted = {name: arguments[name] for name in ("headers", "reason") if name in arguments}
        response = web.StreamResponse(**wanted)
        if "content_type" in arguments:
            response.content_type = arguments["content_type"]
        await response.prepare(request)
        return response

    served = await serve(handler)
    answer = await served.raw(get())
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert answer.endswith(b"\r\n\r\n500: Internal Server Error")
    assert b"stolen" not in answer
    assert b"X-Name" not in answer
    assert len(failures()) == 1


async def test_a_failing_handler_is_logged_once_and_shows_nothing(
    serve: Serve, failures: Failures
) -> None:
    async def failing(request: web.Request) -> web.Response:
        raise ZeroDivisionError(SECRET.decode())

    served = await serve(failing)
    answer = await served.raw(get(b"/path"))
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"Connection: close" in answer
    assert SECRET not in answer
    assert failures() == ["Error handling GET /path: ZeroDivisionError"]


@pytest.mark.parametrize(
    ("error", "status", "logged"),
    [
        (TimeoutError, 504, 1),
        (asyncio.CancelledError, 500, 1),
        (web.HTTPNotFound, 404, 0),
        (partial(ConnectionResetError, "of a database"), 500, 1),
        (partial(ExceptionGroup, "several", [ValueError(), KeyError()]), 500, 1),
    ],
)
async def test_what_a_handler_raises_decides_the_status(
    serve: Serve,
    failures: Failures,
    error: Callable[[], BaseException],
    status: int,
    logged: int,
) -> None:
    async def failing(request: web.Request) -> web.Response:
        raise error()

    served = await serve(failing)
    wire = await served.connect()
    wire.send(get())
    assert (await wire.answer())[0].startswith(b"HTTP/1.1 %d " % status)
    assert len(failures()) == logged


@pytest.mark.parametrize("result", [None, "text", b"bytes", 200, web.Response])
async def test_a_handler_must_return_a_response(
    serve: Serve, failures: Failures, result: Any
) -> None:
    async def handler(request: web.Request) -> Any:
        return result

    served = await serve(handler)
    assert (await served.raw(get())).startswith(b"HTTP/1.1 500 ")
    assert failures() == ["Error handling GET /: TypeError"]


async def test_a_response_is_sent_once(serve: Serve, failures: Failures) -> None:
    response = web.Response(text="once")
    exception = web.HTTPForbidden()

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/raise":
            raise exception
        return response

    served = await serve(handler)
    wire = await served.connect()
    wire.send(get() + get())
    assert (await wire.answer())[1] == b"once"
    assert (await wire.answer())[1] == b"500: Internal Server Error"
    wire = await served.connect()
    wire.send(get(b"/raise") + get(b"/raise"))
    assert (await wire.answer())[1] == b"403: Forbidden"
    assert (await wire.answer())[1] == b"500: Internal Server Error"
    assert len(failures()) == 2


async def test_a_prepare_hook_that_always_fails_still_leaves_an_answer(
    serve: Serve, failures: Failures
) -> None:
    async def broken(request: web.Request, response: web.StreamResponse) -> None:
        raise ValueError(SECRET.decode())

    app = web.Application()
    app.router.add_get("/", hello)
    app.on_response_prepare.append(broken)
    served = await serve(app)
    answer = await served.raw(get())
    assert answer.endswith(b"500: Internal Server Error")
    assert SECRET not in answer
    assert failures()


@pytest.mark.parametrize("error", [ValueError("late"), web.HTTPForbidden()])
async def test_a_failure_in_the_middle_cuts_the_answer_short(
    serve: Serve, failures: Failures, error: Exception
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        raise error

    served = await serve(handler)
    with pytest.raises(ClientError):
        async with served.client.get("/") as response:
            await response.read()
    assert len(failures()) == 1


async def test_a_failure_after_the_answer_leaves_it_whole(serve: Serve, failures: Failures) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(bytes(1024**2))
        await response.write_eof()
        raise ValueError("too late to matter")

    served = await serve(handler)
    async with served.client.get("/") as response:
        assert len(await response.read()) == 1024**2
    assert len(failures()) == 1


@pytest.mark.parametrize(("written", "length"), [(b"toolong", 3), (b"x", 3)])
async def test_a_body_of_another_length_than_announced_is_cut_short(
    serve: Serve, failures: Failures, written: bytes, length: int
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(length)})
        await response.prepare(request)
        await response.write(written)
        return response

    served = await serve(handler)
    answer = await served.raw(get())
    assert b"toolong" not in answer
    assert len(failures()) == 1


# -- bodies that are not read


async def test_a_small_unread_body_is_read_past(serve: Serve) -> None:
    served = await serve(hello)
    wire = await served.connect()
    for size in (10, 100_000, 200_000):
        wire.send(post(b"x" * size, b"/%d" % size) + get(b"/next"))
        assert (await wire.answer())[1] == b"hello /%d" % size
        assert (await wire.answer())[1] == b"hello /next"


async def test_a_large_unread_body_closes_the_connection_after_the_answer(serve: Serve) -> None:
    served = await serve(hello)
    wire = await served.connect()
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n")
    assert (await wire.answer())[1] == b"hello /"
    for _ in range(20):
        wire.send(bytes(65536))
    assert await wire.rest() == b""


async def test_an_early_answer_reaches_a_client_that_is_still_sending(serve: Serve) -> None:
    async def refuse(request: web.Request) -> web.Response:
        raise web.HTTPForbidden(text="no uploads")

    served = await serve(refuse)
    async with served.client.post("/", data=io.BytesIO(bytes(8 * 1024**2))) as response:
        assert (response.status, await response.text()) == (403, "no uploads")


async def test_a_body_above_the_limit_is_refused_before_it_is_sent(serve: Serve) -> None:
    served = await serve(echo)
    wire = await served.connect()
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n")
    assert (await wire.head()).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("rest", [b"", b"5\r\nrest!\r\n", b"5\r\nrest!\r\n0\r\n\r\n"])
async def test_a_body_that_is_too_large_stays_so(serve: Serve, rest: bytes) -> None:
    async def twice(request: web.Request) -> web.Response:
        for _ in range(2):
            with pytest.raises(web.HTTPRequestEntityTooLarge):
                await request.read()
        return web.Response(text="refused twice")

    app = web.Application(client_max_size=4)
    app.router.add_post("/", twice)
    served = await serve(app)
    wire = await served.connect()
    head = head_with(b"Transfer-Encoding: chunked\r\n", line=b"POST / HTTP/1.1")
    wire.send(head + b"3\r\nabc\r\n3\r\ndef\r\n" + rest)
    assert (await wire.answer())[1] == b"refused twice"


@pytest.mark.parametrize("rest", [b"zz\r\n", b""])
async def test_a_fault_in_a_body_that_is_read_past_only_closes(
    serve: Serve, failures: Failures, rest: bytes
) -> None:
    served = await serve(hello)
    wire = await served.connect()
    wire.send(
        head_with(b"Transfer-Encoding: chunked\r\n", line=b"POST / HTTP/1.1") + b"3\r\nabc\r\n"
    )
    assert (await wire.answer())[1] == b"hello /"
    wire.send(rest)
    wire.writer.write_eof()
    assert await wire.rest() == b""
    await served.idle()
    assert failures() == []


async def test_a_closing_answer_to_an_unread_body_ends_the_connection(serve: Serve) -> None:
    served = await serve(hello)
    wire = await served.connect()
    wire.send(
        head_with(
            b"Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n",
            line=b"POST / HTTP/1.1",
        )
    )
    assert await wire.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (await wire.answer())[1] == b"hello /"
    assert await wire.rest() == b""


async def test_a_body_read_after_the_answer_is_an_error(serve: Serve) -> None:
    caught: list[BaseException] = []

    async def handler(request: web.Request) -> web.Response:
        async def late() -> None:
            try:
                await request.read()
            except web.PayloadAccessError as error:
                caught.append(error)

        request.app["late"].append(asyncio.ensure_future(late()))
        return web.Response()

    app = web.Application()
    app["late"] = []
    app.router.add_post("/", handler)
    served = await serve(app)
    wire = await served.connect()
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12")
    assert (await wire.head()).startswith(b"HTTP/1.1 200 ")
    await served.until(lambda: bool(caught))
    await asyncio.gather(*app["late"])


# -- clients that go


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize(
    "sent", [b"", b"GET / HT", get(b"/quick"), post(b"x" * 9)[:-4]], ids=["", "head", "all", "body"]
)
async def test_a_client_may_go_before_its_request_is_whole(
    serve: Serve, failures: Failures, how: str, sent: bytes
) -> None:
    served = await serve(echo)
    wire = await served.connect()
    await served.until(lambda: len(served.server.connections) == 1)
    wire.send(sent)
    await asyncio.sleep(0)
    if how == "reset":
        wire.reset()
    else:
        wire.writer.close()
    await served.idle()
    assert failures() == []


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("kind", ["whole", "stream", "stream begun", "failing"])
async def test_a_client_may_go_while_its_handler_runs(
    serve: Serve, failures: Failures, how: str, kind: str
) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()
    ended: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if kind == "stream begun":
            await response.prepare(request)
        begun.set()
        await gate.wait()
        ended.append(kind)
        if kind == "failing":
            raise ValueError
        if kind == "whole":
            return web.Response(text="nobody reads this")
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))

    served = await serve(handler)
    wire = await served.connect()
    wire.send(get())
    await begun.wait()
    if how == "reset":
        wire.reset()
        [connection] = served.server.connections
        await served.until(lambda: connection.transport is None)
    else:
        wire.writer.close()
    gate.set()
    await served.idle()
    assert ended == [kind]
    assert len(failures()) == (1 if kind == "failing" else 0)


async def test_a_client_may_go_while_its_body_is_read(serve: Serve, failures: Failures) -> None:
    begun: list[web.Request] = []
    caught: list[type[BaseException]] = []

    async def handler(request: web.Request) -> web.Response:
        begun.append(request)
        try:
            await request.read()
        except BaseException as error:
            caught.append(type(error))
            raise
        return web.Response()

    served = await serve(handler)
    wire = await served.connect()
    wire.send(post(bytes(100))[:-50])
    await served.until(lambda: bool(begun))
    wire.reset()
    await served.idle()
    assert caught == [web.ClientConnectionResetError]
    assert failures() == []


async def test_a_client_may_go_while_a_write_waits_for_it(serve: Serve, failures: Failures) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))

    served = await serve(handler)
    wire = await served.connect()
    wire.writer.transport.pause_reading()
    wire.send(get())
    await served.until(lambda: any(c._drain_waiters for c in served.server.connections))
    wire.reset()
    await served.idle()
    assert failures() == []


async def test_a_handler_is_cancelled_on_disconnect_when_asked_for(
    serve: Serve, failures: Failures
) -> None:
    begun = asyncio.Event()
    cancelled: list[bool] = []

    async def handler(request: web.Request) -> web.Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return web.Response()

    served = await serve(handler, handler_cancellation=True)
    for end in (Wire.reset, lambda wire: wire.writer.close()):
        begun.clear()
        wire = await served.connect()
        wire.send(get())
        await begun.wait()
        end(wire)
        await served.idle()
    assert cancelled == [True, True]
    assert failures() == []


async def test_a_half_closed_client_gets_its_answers(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        await asyncio.sleep(0)
        return web.Response(body=await request.read() + request.path.encode())

    served = await serve(handler)
    answers = await served.raw(get(b"/1") + post(b"body", b"/2") + get(b"/3"), eof=True)
    assert bodies(answers) == [b"/1", b"body/2", b"/3"]
    await served.idle()


async def test_a_half_closed_client_that_reads_late_gets_its_answers(serve: Serve) -> None:
    async def large(request: web.Request) -> web.Response:
        return web.Response(body=bytes(4 * 1024**2))

    served = await serve(large)
    wire = await served.connect()
    wire.writer.transport.pause_reading()
    wire.send(get() * 3)
    wire.writer.write_eof()
    await served.until(lambda: any(c._eof for c in served.server.connections))
    wire.writer.transport.resume_reading()
    for _ in range(3):
        assert len((await wire.answer())[1]) == 4 * 1024**2
    assert await wire.rest() == b""


# -- back-pressure


async def test_writes_that_are_awaited_wait_for_a_slow_client(serve: Serve) -> None:
    written = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(bytes(65536))
            written += 65536
        return response

    served = await serve(handler)
    wire = await served.connect()
    wire.writer.transport.pause_reading()
    wire.send(get())
    await served.until(lambda: any(c._drain_waiters for c in served.server.connections))
    assert written < 32 * 1024**2
    wire.writer.transport.resume_reading()
    async with asyncio.timeout(10):
        while await wire.reader.readuntil(b"\r\n") != b"0\r\n":
            pass
    assert written == 65536 * 1000


async def test_writes_that_nobody_awaits_end_at_the_limit(
    serve: Serve, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_exchange, "WRITE_LIMIT", 1024**2)
    written = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            response.write(bytes(65536))
            written += 65536

    served = await serve(handler)
    wire = await served.connect()
    wire.writer.transport.pause_reading()
    wire.send(get())
    await served.idle()
    assert failures() == ["Error handling GET /: RuntimeError"]
    assert written < 64 * 1024**2


async def test_a_large_body_waits_for_a_slow_handler(serve: Serve) -> None:
    gate = asyncio.Event()
    size = 8 * 1024**2

    async def handler(request: web.Request) -> web.Response:
        await gate.wait()
        total = 0
        async for piece in request.content.iter_chunked(10_000):
            total += len(piece)
        return web.Response(text=str(total))

    served = await serve(handler)
    wire = await served.connect()
    wire.send(post(bytes(size)))
    await served.until(lambda: any(c._paused_reading for c in served.server.connections))
    [connection] = served.server.connections
    assert connection._content is not None
    assert connection._content.total_bytes < 1024**2
    gate.set()
    assert (await wire.answer())[1] == b"%d" % size


# -- time


async def test_an_idle_connection_is_closed(serve: Serve) -> None:
    served = await serve(hello, keepalive_timeout=0.5)
    assert await served.raw(b"") == b""
    assert bodies(await served.raw(get())) == [b"hello /"]


async def test_a_running_handler_is_not_idle(serve: Serve) -> None:
    swept: list[float] = []

    async def handler(request: web.Request) -> web.Response:
        server = served.server
        [connection] = server.connections
        connection._deadline = server.now  # that of its silence before
        until = server.now + 0.2
        while server.now < until:
            swept.append(server.now)
            await asyncio.sleep(0.01)
        return web.Response(text="late")

    served = await serve(handler, head_timeout=0.05)
    wire = await served.connect()
    wire.send(get())
    assert (await wire.answer())[1] == b"late"
    assert len(set(swept)) > 2


async def test_a_head_that_comes_in_drops_does_not_buy_time(serve: Serve) -> None:
    served = await serve(hello, head_timeout=0.1)
    wire = await served.connect()

    async def drip() -> None:
        for byte in get(b"/" + b"x" * 5000):
            wire.send(bytes([byte]))
            await asyncio.sleep(0.01)

    dripping = asyncio.ensure_future(drip())
    async with asyncio.timeout(5):
        answer = await wire.rest()
    dripping.cancel()
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"Connection: close" in answer


async def test_a_second_head_has_its_own_time(serve: Serve) -> None:
    served = await serve(hello, head_timeout=30.0, lingering_time=0.05)
    wire = await served.connect()
    whole = get(b"/whole")
    wire.send(whole[:5])
    await served.until(lambda: any(c._in_head for c in served.server.connections))
    [connection] = served.server.connections
    first = connection._deadline
    served.server.head_timeout = 0.05
    wire.send(whole[5:] + whole[:5])
    assert (await wire.answer())[1] == b"hello /whole"
    assert connection._in_head
    assert connection._deadline < first
    assert (await wire.rest()).startswith(b"HTTP/1.1 408 ")


async def test_a_stalled_unread_body_ends_and_the_clock_goes_on(
    serve: Serve, failures: Failures
) -> None:
    served = await serve(hello, keepalive_timeout=0.5, head_timeout=0.05, lingering_time=0.05)
    head = head_with(b"Transfer-Encoding: chunked\r\n", line=b"POST / HTTP/1.1")
    for stalled in (b"5\r\nab", b"5", b""):
        assert bodies(await served.raw(head + stalled)) == [b"hello /"]
    assert await served.raw(b"") == b""
    await served.idle()
    assert failures() == []


async def test_a_refused_client_may_linger_only_so_long(serve: Serve) -> None:
    served = await serve(hello, lingering_time=0.05)
    wire = await served.connect()
    wire.send(b"nonsense\r\n\r\n")
    assert (await wire.rest()).startswith(b"HTTP/1.1 400 ")
    await served.idle()


async def test_a_client_that_takes_its_answer_slowly_is_not_idle(serve: Serve) -> None:
    size = 16 * 1024**2

    async def large(request: web.Request) -> web.Response:
        return web.Response(body=bytes(size))

    served = await serve(large, keepalive_timeout=0.5, lingering_time=0.05)
    wire = await served.connect()
    wire.send(get())
    await wire.head()
    [connection] = served.server.connections
    deadlines, received = set(), 0
    while received < size:
        received += len(await wire.reader.readexactly(size // 64))
        await asyncio.sleep(0.01)
        deadlines.add(connection._deadline)
    assert received == size
    assert len(deadlines) > 1


async def test_a_client_that_stops_taking_its_answer_is_dropped(serve: Serve) -> None:
    begun = asyncio.Event()

    async def large(request: web.Request) -> web.Response:
        begun.set()
        return web.Response(body=bytes(16 * 1024**2))

    served = await serve(large, head_timeout=0.05, write_timeout=0.05)
    wire = await served.connect()
    wire.writer.transport.pause_reading()
    wire.send(get() + b"GET / HT")
    await begun.wait()
    await served.idle()
    assert not served.server.connections


async def test_a_body_that_stalls_is_refused(serve: Serve, failures: Failures) -> None:
    served = await serve(echo, body_timeout=0.05)
    for stalled in (b"", b"abc"):
        answer = await served.raw(POST % (b"/", 9, stalled))
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"Connection: close" in answer
    assert failures() == []


async def test_a_body_that_comes_in_drops_is_refused(serve: Serve) -> None:
    served = await serve(echo, body_timeout=0.2, min_body_rate=10_000.0)
    wire = await served.connect()
    wire.send(POST % (b"/", 100_000, b""))

    async def drip() -> None:
        while True:
            wire.send(b"x")
            await asyncio.sleep(0.01)

    dripping = asyncio.ensure_future(drip())
    async with asyncio.timeout(5):
        answer = await wire.rest()
    dripping.cancel()
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")


async def test_a_slow_body_that_makes_progress_is_taken(serve: Serve) -> None:
    served = await serve(echo, body_timeout=0.5, min_body_rate=1.0)
    wire = await served.connect()
    wire.send(POST % (b"/", 40, b""))
    for _ in range(40):
        wire.send(b"x")
        await asyncio.sleep(0.02)
    assert (await wire.answer())[1] == b"x" * 40


async def test_a_stream_that_nobody_takes_is_ended(serve: Serve, failures: Failures) -> None:
    ends: list[str] = []

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(65536))
        except web.ClientConnectionResetError:
            ends.append("lost")
            raise

    served = await serve(stream, write_timeout=0.05)
    wire = await served.connect()
    wire.writer.transport.pause_reading()
    wire.send(get())
    await served.until(lambda: bool(ends))
    await served.idle()
    assert failures() == []


async def test_a_handler_that_takes_too_long_is_ended(serve: Serve, failures: Failures) -> None:
    ends: list[str] = []

    async def slow(request: web.Request) -> web.StreamResponse:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ends.append(request.path)
            raise
        return web.Response()

    served = await serve(slow, handler_timeout=0.05)
    wire = await served.connect()
    for _ in range(2):
        wire.send(get())
        assert (await wire.answer())[1] == b"504: Gateway Timeout"
    assert ends == ["/", "/"]
    assert failures() == ["Error handling GET /: TimeoutError"] * 2


async def test_an_answer_that_has_begun_in_time_may_take_longer(serve: Serve) -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        until = served.server.now + 0.2
        while served.server.now < until:
            await asyncio.sleep(0.01)
        await response.write(b"whole")
        return response

    served = await serve(stream, handler_timeout=0.05)
    wire = await served.connect()
    wire.send(get())
    await wire.head()
    assert await wire.reader.readuntil(b"0\r\n\r\n") == b"5\r\nwhole\r\n0\r\n\r\n"


async def test_a_handler_that_is_cancelled_twice_is_no_timeout(
    serve: Serve, failures: Failures
) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        try:
            await asyncio.sleep(60)
        finally:
            assert request.task is not None
            request.task.cancel()
        return web.Response()

    served = await serve(slow, handler_timeout=0.05)
    assert await served.raw(get()) == b""
    assert failures() == []


async def test_a_pipeline_that_takes_long_is_not_late(serve: Serve) -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.03)
        return web.Response(text=request.path)

    served = await serve(slow, keepalive_timeout=0.5, head_timeout=0.05)
    wire = await served.connect()
    wire.send(b"".join(get(b"/%d" % number) for number in range(20)))
    for number in range(20):
        assert (await wire.answer())[1] == b"/%d" % number
    assert await wire.rest() == b""


async def test_many_pipelined_requests_let_others_have_their_turn(serve: Serve) -> None:
    answered: list[str] = []

    async def note(request: web.Request) -> web.Response:
        answered.append(request.path)
        return web.Response()

    served = await serve(note)
    many, one = await served.connect(), await served.connect()
    await served.until(lambda: len(served.server.connections) == 2)
    number = 20 * _protocol.TURN
    many.send(get(b"/many") * number)
    one.send(get(b"/one"))
    await one.answer()
    for _ in range(number):
        await many.answer()
    assert answered.index("/one") <= 10 * _protocol.TURN
    assert len(answered) == number + 1


async def test_an_unread_body_that_comes_in_drops_does_not_buy_time(serve: Serve) -> None:
    served = await serve(hello, lingering_time=0.1)
    wire = await served.connect()
    wire.send(POST % (b"/", 100_000, b""))
    await wire.answer()

    async def drip() -> None:
        while True:
            wire.send(b"x")
            await asyncio.sleep(0.01)

    dripping = asyncio.ensure_future(drip())
    async with asyncio.timeout(5):
        assert await wire.rest() == b""
    dripping.cancel()


@pytest.mark.sockets
@pytest.mark.parametrize("wanted", [True, False])
async def test_the_system_probes_idle_connections(serve: Serve, wanted: bool) -> None:
    served = await serve(hello, tcp_keepalive=wanted)
    await served.connect()
    await served.until(lambda: bool(served.server.connections))
    [connection] = served.server.connections
    sock = connection.get_extra_info("socket")
    assert bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) is wanted


# -- the rest


async def test_a_target_need_not_be_a_path(serve: Serve) -> None:
    served = await serve(hello)
    for line, status in [
        (b"OPTIONS * HTTP/1.1", 404),
        (b"CONNECT a:443 HTTP/1.1", 404),
        (b"GET http://a/x HTTP/1.1", 200),
        (b"GET http://a HTTP/1.1", 200),
        (b"GET //double HTTP/1.1", 200),
        (b"GET /%ff HTTP/1.1", 404),
        (b"GET /%zz HTTP/1.1", 404),
    ]:
        answer = await served.raw(head_with(b"Connection: close\r\n", line=line, host=b"a"))
        assert answer.startswith(b"HTTP/1.1 %d " % status), line


async def test_every_answer_has_a_date_and_names_no_server(serve: Serve) -> None:
    served = await serve(hello)
    async with served.client.get("/") as response:
        assert response.headers["Date"].endswith(" GMT")
        assert "Server" not in response.headers
    served = await serve(hello, server_header="mill")
    async with served.client.get("/") as response:
        assert response.headers["Server"] == "mill"


async def test_the_access_log_has_a_line_for_each_answer(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    logger = logging.getLogger("test.access")
    served = await serve(hello, access_log=logger, access_log_format='"%r" %s %b')
    async with served.client.get("/a?b=c"), served.client.get("/d"):
        pass
    lines = [r.getMessage() for r in caplog.records if r.name == "test.access"]
    assert lines == ['"GET /a?b=c HTTP/1.1" 200 8', '"GET /d HTTP/1.1" 200 8']


def access_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "test.access"]


CUT = {"access_log": logging.getLogger("test.access"), "access_log_format": '"%r" %s %b'}


async def test_the_access_log_has_a_line_for_an_answer_that_is_cut_short(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async def events(request: web.Request) -> web.EventStreamResponse:
        async def source() -> AsyncIterator[str]:
            yield "one"
            await asyncio.sleep(60)

        if request.path == "/returned":
            return web.EventStreamResponse(source())
        stream = web.EventStreamResponse()
        await stream.prepare(request)
        await stream.send("one")
        await asyncio.sleep(60)
        raise AssertionError

    caplog.set_level(logging.INFO)
    served = await serve(events, **CUT)
    for path in (b"/returned", b"/prepared"):
        wire = await served.connect()
        wire.send(get(path))
        await wire.reader.readuntil(b"data: one")
        await wire.close()
        await served.idle()
    assert access_lines(caplog) == [
        '"GET /returned HTTP/1.1" 200 11',
        '"GET /prepared HTTP/1.1" 200 11',
    ]


async def test_the_access_log_has_a_line_for_a_request_without_an_answer(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    begun = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/cancelled":
            begun.set()
            await asyncio.sleep(60)
        return web.Response(body=b"x" * 5)

    caplog.set_level(logging.INFO)
    served = await serve(handler, handler_cancellation=True, **CUT)
    wire = await served.connect()
    wire.send(get(b"/served"))
    await wire.answer()
    wire.send(get(b"/cancelled"))
    await begun.wait()
    await wire.close()
    await served.idle()
    assert access_lines(caplog) == [
        '"GET /served HTTP/1.1" 200 5',
        '"GET /cancelled HTTP/1.1" 499 0',
    ]


async def test_the_access_log_says_who_left(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    begun = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    caplog.set_level(logging.INFO)
    served = await serve(handler, handler_cancellation=True, **CUT | {"access_log_format": "%a %s"})
    wire = await served.connect()
    wire.send(get(b"/"))
    await begun.wait()
    await wire.close()
    await served.idle()
    assert access_lines(caplog) == ["127.0.0.1 499"]


async def test_a_failing_access_log_does_no_harm_to_an_answer_that_is_cut_short(
    serve: Serve, failures: Failures
) -> None:
    class Broken(web.AbstractAccessLogger):
        def log(self, request: Any, response: Any, time: float) -> None:
            raise ValueError

    begun = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    served = await serve(
        handler,
        handler_cancellation=True,
        access_log=logging.getLogger("x"),
        access_log_class=Broken,
    )
    wire = await served.connect()
    wire.send(get())
    await begun.wait()
    await wire.close()
    await served.idle()
    assert failures() == ["the access log failed: ValueError"]


async def test_requests_are_counted(serve: Serve) -> None:
    served = await serve(hello)
    assert served.server.requests_count == 0
    wire = await served.connect()
    wire.send(get() * 3 + post(b"body"))
    for _ in range(4):
        await wire.answer()
    assert served.server.requests_count == 4
    await wire.close()
    await served.idle()
    assert served.server.requests_count == 4
    await served.raw(b"no request\r\n\r\n")
    assert served.server.requests_count == 5


async def test_a_failing_access_log_keeps_nobody_from_being_served(
    serve: Serve, failures: Failures
) -> None:
    class Broken(web.AbstractAccessLogger):
        def log(self, request: Any, response: Any, time: float) -> None:
            raise ValueError

    served = await serve(hello, access_log=logging.getLogger("x"), access_log_class=Broken)
    wire = await served.connect()
    wire.send(get() * 2)
    for _ in range(2):
        assert (await wire.answer())[1] == b"hello /"
    await served.until(lambda: len(failures()) == 2)
    assert set(failures()) == {"the access log failed: ValueError"}


async def test_a_request_is_freed_when_it_is_answered(serve: Serve) -> None:
    requests: list[weakref.ref[web.Request]] = []

    async def handler(request: web.Request) -> web.Response:
        requests.append(weakref.ref(request))
        await request.read()
        assert request.match_info.current_app is request.app
        return web.Response(text=request.headers["Host"])

    served = await serve(handler)
    wire = await served.connect()
    for _ in range(3):
        wire.send(post(b"body"))
        await wire.answer()
    await asyncio.sleep(0)
    assert [request() for request in requests] == [None] * 3


async def test_the_length_of_a_body_however_it_comes(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        before = request.content_length
        copy = request.clone(headers={"Host": "a"})
        return web.json_response([before, copy.content_length, len(await request.read())])

    served = await serve(handler)
    wire = await served.connect()
    head = b"POST / HTTP/1.1\r\nHost: a\r\n"
    for pieces, lengths in [
        ([head + b"Content-Length: 2\r\n\r\nab"], b"[2, 2, 2]"),
        ([head + b"Content-Length: 2\r\n\r\n", b"ab"], b"[2, 2, 2]"),
        ([head + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"], b"[null, null, 2]"),
    ]:
        for piece in pieces:
            wire.send(piece)
            await asyncio.sleep(0)
        assert (await wire.answer())[1] == lengths
