"""Compressed answers: when, in which coding, with which fields, and how the bytes go."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from exchanges import FakeExchange, make_request
from packs import CODINGS, Unpacker, unpack
from serving import Failures, Serve, Served

from headrace import web
from headrace.web import _compression
from headrace.web._compression import CompressedWriter, Compression
from headrace.web._compressors import compressors

TEXT = "the same again and again, " * 500
LONG = TEXT.encode() * 100


async def fetch(
    served: Served,
    accept: str | None = "gzip",
    *,
    path: str = "/",
    method: str = "GET",
    **more: str,
) -> tuple[dict[str, str], bytes]:
    """Return the fields of the answer, in lower case, and its body as it was sent."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in more.items())
    if accept is not None:
        headers += f"Accept-Encoding: {accept}\r\n"
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
    answer, _, body = (await served.raw(head.encode())).partition(b"\r\n\r\n")
    lines = answer.decode().split("\r\n")
    fields = {":status": lines[0].split()[1]}
    for line in lines[1:]:
        name, _, value = line.partition(": ")
        fields[name.lower()] = value
    if fields.get("transfer-encoding") == "chunked":
        body = dechunk(body)
    return fields, body


def dechunk(data: bytes) -> bytes:
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        if size == b"0":
            assert data == b"\r\n"
            return body
        length = int(size, 16)
        body, data = body + data[:length], data[length + 2 :]


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answering(make: Callable[[], web.StreamResponse]) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = make()
        response.enable_compression()
        return response

    return handler


@pytest.mark.parametrize("coding", CODINGS)
async def test_a_whole_body(serve: Serve, coding: str) -> None:
    served = await serve(answering(lambda: web.Response(text=TEXT)))
    fields, body = await fetch(served, coding)
    assert fields["content-encoding"] == coding
    assert fields["content-length"] == str(len(body))
    assert fields["content-type"] == "text/plain; charset=utf-8"
    assert fields["vary"] == "Accept-Encoding"
    assert unpack(coding, body) == TEXT.encode()


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        (None, None),
        ("", None),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("deflate, gzip", "gzip"),
        ("br;q=0.1, gzip;q=0.2", "gzip"),
        ("gzip;q=0", None),
        ("notgzip", None),
        ("*", "zstd"),
        ("identity;q=0, deflate", "deflate"),
        ("identity, gzip;q=0.9", None),
    ],
)
async def test_the_client_chooses(serve: Serve, accept: str | None, coding: str | None) -> None:
    served = await serve(answering(lambda: web.Response(text=TEXT)))
    fields, body = await fetch(served, accept)
    assert fields.get("content-encoding") == coding
    # What the client did not choose depends on its choice too.
    assert fields["vary"] == "Accept-Encoding"
    assert unpack(coding, body) == TEXT.encode()


@pytest.mark.parametrize(
    ("force", "coding"),
    [
        (web.ContentCoding.gzip, "gzip"),
        (web.ContentCoding.br, "br"),
        (web.ContentCoding.identity, None),
        (True, "deflate"),
        (False, None),
    ],
)
async def test_a_coding_may_be_forced(
    serve: Serve, force: web.ContentCoding | bool, coding: str | None
) -> None:
    async def handler(request: web.Request) -> web.Response:
        response = web.Response(text=TEXT)
        assert not response.compression
        response.enable_compression(force)
        assert response.compression
        return response

    fields, body = await fetch(await serve(handler), None)
    assert (fields.get("content-encoding"), "vary" in fields) == (coding, False)
    assert unpack(coding, body) == TEXT.encode()


def test_a_coding_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.web._stream_response.compressors", lambda: {"gzip": None})
    with pytest.raises(ValueError, match="br is not installed"):
        web.Response().enable_compression(web.ContentCoding.br)


LEFT_ALONE: list[tuple[str, Callable[[], web.StreamResponse]]] = [
    ("204", lambda: web.Response(status=204)),
    ("304", lambda: web.Response(status=304)),
    ("206", lambda: web.Response(status=206, text=TEXT)),
    ("empty", lambda: web.Response()),
    ("coded", lambda: web.Response(text=TEXT, headers={"Content-Encoding": "identity"})),
    ("range", lambda: web.Response(text=TEXT, headers={"Content-Range": "bytes 0-1/2"})),
    ("digest", lambda: web.Response(text=TEXT, headers={"Content-Digest": "sha-256=:x:"})),
    ("fixed", lambda: web.Response(text=TEXT, headers={"Cache-Control": "private, No-Transform"})),
]


@pytest.mark.parametrize(
    "make", [make for _, make in LEFT_ALONE], ids=[name for name, _ in LEFT_ALONE]
)
async def test_what_is_left_alone(serve: Serve, make: Callable[[], web.StreamResponse]) -> None:
    served = await serve(answering(make))
    fields, body = await fetch(served)
    plain = make()
    assert isinstance(plain, web.Response)
    assert fields.get("content-encoding") == plain.headers.get("Content-Encoding")
    expected = b"" if plain.status in (204, 304) else plain.body or b""
    assert body == expected
    assert ("vary" in fields) == (plain.status == 304)


async def test_a_head_says_what_the_plain_body_is(serve: Serve) -> None:
    served = await serve(answering(lambda: web.Response(text=TEXT)))
    fields, body = await fetch(served, method="HEAD")
    assert (fields["content-length"], body) == (str(len(TEXT)), b"")
    assert "content-encoding" not in fields
    assert fields["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("vary", "result"),
    [
        ("Cookie", "Cookie, Accept-Encoding"),
        ("accept-encoding, Cookie", "accept-encoding, Cookie"),
        ("*", "*"),
    ],
)
async def test_vary_is_added_to(serve: Serve, vary: str, result: str) -> None:
    served = await serve(answering(lambda: web.Response(text=TEXT, headers={"Vary": vary})))
    assert (await fetch(served))[0]["vary"] == result


@pytest.mark.parametrize(
    ("tag", "result"), [('"v1"', 'W/"v1"'), ('W/"v1"', 'W/"v1"'), (None, None)]
)
async def test_a_compressed_answer_has_a_weak_tag(
    serve: Serve, tag: str | None, result: str | None
) -> None:
    headers = {"Accept-Ranges": "bytes"} if tag is None else {"ETag": tag}
    served = await serve(answering(lambda: web.Response(text=TEXT, headers=headers)))
    fields, _ = await fetch(served)
    assert fields.get("etag") == result
    assert "accept-ranges" not in fields
    plain, _ = await fetch(served, None)
    assert plain.get("etag") == tag


async def test_a_body_that_is_set_afterwards(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        response = web.Response()
        response.enable_compression()
        response.text = "first"
        response.body = TEXT.encode()
        assert response.body == TEXT.encode()
        response.text = TEXT
        assert response.text == TEXT
        return response

    fields, body = await fetch(await serve(handler))
    assert unpack(fields["content-encoding"], body) == TEXT.encode()


async def test_not_after_the_head(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with pytest.raises(RuntimeError, match="head has been sent"):
            response.enable_compression()
        return response

    assert (await fetch(await serve(handler)))[0][":status"] == "200"


async def test_a_signal_may_ask_for_it(serve: Serve) -> None:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text=TEXT)

    async def compress(request: web.Request, response: web.StreamResponse) -> None:
        response.enable_compression()

    app = web.Application()
    app.router.add_get("/", hello)
    app.on_response_prepare.append(compress)
    fields, body = await fetch(await serve(app))
    assert unpack(fields["content-encoding"], body) == TEXT.encode()


async def test_a_large_body_is_compressed_in_a_thread(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []
    compress_all = _compression._compress_all

    def spy(*args: Any) -> bytes:
        threads.append(threading.current_thread())
        return compress_all(*args)

    monkeypatch.setattr(_compression, "_compress_all", spy)
    served = await serve(answering(lambda: web.Response(body=LONG)))
    fields, body = await fetch(served)
    assert unpack(fields["content-encoding"], body) == LONG
    served = await serve(answering(lambda: web.Response(text=TEXT)))
    await fetch(served)
    large, small = threads
    assert small is threading.main_thread() is not large


# -- streams


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("step", [10_000, 200_000])
async def test_a_stream(serve: Serve, coding: str, step: int) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = len(LONG)
        response.enable_compression()
        await response.prepare(request)
        for start in range(0, len(LONG), step):
            await response.write(LONG[start : start + step])
        await response.write_eof()
        assert response.body_length < len(LONG) // 10
        return response

    fields, body = await fetch(await serve(handler), coding)
    assert "content-length" not in fields
    assert unpack(coding, body) == LONG


async def test_writes_that_nobody_awaits_keep_their_order(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_compression()
        await response.prepare(request)
        response.write(LONG)
        response.write(b"small")
        response.write(LONG)
        await response.write_eof(b"end")
        return response

    fields, body = await fetch(await serve(handler))
    assert unpack(fields["content-encoding"], body) == LONG + b"small" + LONG + b"end"


async def test_an_event_is_read_when_it_is_written(serve: Serve) -> None:
    go_on = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        response.enable_compression()
        await response.prepare(request)
        for number in range(3):
            await response.write(b"data: %d\n\n" % number)
            await go_on.wait()
            go_on.clear()
        return response

    served = await serve(handler)
    wire = await served.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
    await wire.head()
    unpacker = Unpacker("gzip")
    for number in range(3):
        event = b""
        while event != b"data: %d\n\n" % number:
            size = int(await wire.reader.readline(), 16)
            event += unpacker.feed(await wire.reader.readexactly(size))
            await wire.reader.readline()
        go_on.set()


async def test_drain_lets_the_client_read(serve: Serve) -> None:
    go_on = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_compression()
        await response.prepare(request)
        response.write(b"half")
        await response.drain()
        await go_on.wait()
        return response

    served = await serve(handler)
    wire = await served.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\n")
    await wire.head()
    unpacker, text = Unpacker("br"), b""
    while text != b"half":
        size = int(await wire.reader.readline(), 16)
        text += unpacker.feed(await wire.reader.readexactly(size))
        await wire.reader.readline()
    go_on.set()


async def pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(LONG), 100_000):
        yield LONG[start : start + 100_000]


@pytest.mark.parametrize("source", [pieces, lambda: io.BytesIO(LONG)])
async def test_a_source(serve: Serve, source: Callable[[], Any]) -> None:
    served = await serve(answering(lambda: web.Response(body=source())))
    fields, body = await fetch(served, "zstd")
    assert unpack(fields["content-encoding"], body) == LONG


async def test_a_client_that_goes_ends_the_stream(serve: Serve, failures: Failures) -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield LONG
        finally:
            closed.set()

    served = await serve(answering(lambda: web.Response(body=endless())))
    wire = await served.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
    await wire.head()
    wire.reset()
    async with asyncio.timeout(10):
        await closed.wait()
    await served.idle()
    assert not failures()


# -- the writer by itself


class Broken(FakeExchange):
    """A connection whose client has gone."""

    def write(self, data: bytes | bytearray | memoryview) -> Awaitable[None]:
        raise web.ClientConnectionResetError("gone")


def make_writer(exchange: FakeExchange) -> CompressedWriter:
    maker = compressors()["gzip"]
    return CompressedWriter(exchange, maker.make(maker.level, 0), flushes=True)  # type: ignore[arg-type]


async def test_a_failure_in_a_thread_is_raised_by_what_comes_next() -> None:
    for goes_on in ("write", "drain", "finish"):
        writer = make_writer(Broken())
        writer.write(LONG)
        await asyncio.wait([writer._last])  # type: ignore[list-item]
        with pytest.raises(web.ClientConnectionResetError):
            await (writer.write(b"x") if goes_on == "write" else getattr(writer, goes_on)())
    writer = make_writer(Broken())
    with pytest.raises(web.ClientConnectionResetError):
        await writer.write(LONG)


async def test_what_waits_for_the_compressor_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_compression, "MAX_WAITING", len(LONG))
    writer = make_writer(FakeExchange())
    writer.write(LONG)
    last = writer.write(LONG)
    with pytest.raises(RuntimeError, match="await what write"):
        writer.write(b"x")
    await last
    await writer.write(b"x")
    await writer.finish()


# -- files


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "small.txt").write_text(TEXT)
    (tmp_path / "large.txt").write_bytes(LONG)
    return tmp_path


def serving(folder: Path) -> Handler:
    async def handler(request: web.Request) -> web.FileResponse:
        response = web.FileResponse(folder / request.path[1:])
        response.enable_compression()
        return response

    return handler


@pytest.mark.parametrize("name", ["small.txt", "large.txt"])
async def test_files(serve: Serve, files: Path, name: str) -> None:
    content = (files / name).read_bytes()
    served = await serve(serving(files))
    fields, body = await fetch(served, "br", path=f"/{name}")
    assert unpack(fields["content-encoding"], body) == content
    assert fields["etag"].startswith('W/"')
    assert "accept-ranges" not in fields
    plain, body = await fetch(served, None, path=f"/{name}")
    assert (plain["content-length"], body) == (str(len(content)), content)
    assert not plain["etag"].startswith("W/")
    assert plain["vary"] == "Accept-Encoding"
    # The tag of either names the state of the file.
    for tag in (fields["etag"], plain["etag"]):
        again, body = await fetch(served, "br", path=f"/{name}", **{"If-None-Match": tag})
        assert (again[":status"], again["vary"], body) == ("304", "Accept-Encoding", b"")


@pytest.mark.parametrize("name", ["small.txt", "large.txt"])
async def test_parts_and_heads_of_files_are_not_compressed(
    serve: Serve, files: Path, name: str
) -> None:
    content = (files / name).read_bytes()
    served = await serve(serving(files))
    fields, body = await fetch(served, path=f"/{name}", Range="bytes=5-9")
    assert (fields[":status"], body) == ("206", content[5:10])
    assert "content-encoding" not in fields
    fields, body = await fetch(served, path=f"/{name}", method="HEAD")
    assert (fields["content-length"], fields["vary"]) == (str(len(content)), "Accept-Encoding")
    assert "content-encoding" not in fields
    fields, body = await fetch(served, path=f"/{name}", **{"If-Match": '"other"'})
    assert (fields[":status"], body) == ("412", b"")


async def test_a_compressed_sibling_goes_before(serve: Serve, files: Path) -> None:
    (files / "small.txt.gz").write_bytes(b"as it stands on the disk")
    fields, body = await fetch(await serve(serving(files)), path="/small.txt")
    assert (fields["content-encoding"], body) == ("gzip", b"as it stands on the disk")


async def test_a_file_that_shrinks_ends_the_connection(
    serve: Serve, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = files / "large.txt"
    write = CompressedWriter.write

    def shrink(self: CompressedWriter, data: bytes) -> Awaitable[None]:
        path.write_bytes(b"")
        return write(self, data)

    monkeypatch.setattr(CompressedWriter, "write", shrink)
    served = await serve(serving(files))
    head = b"GET /large.txt HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
    answer = await served.raw(head)
    assert not answer.endswith(b"0\r\n\r\n")


def test_what_a_request_accepts() -> None:
    request = make_request(headers={"Accept-Encoding": "gzip, br;q=0.5"})
    assert Compression().accepted(request) == ("gzip", "br", "identity")
    assert Compression(codings=("br",)).accepted(request) == ("br", "identity")
