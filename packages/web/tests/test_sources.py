"""Bodies that come piece by piece, trailers, and answers before the answer."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from serving import Failures, Serve

from headrace import web


class Numbers:
    """An asynchronous generator that tells how it was used."""

    def __init__(self, count: int = 3) -> None:
        self.count = count
        self.given = 0
        self.closed = False

    async def __call__(self) -> AsyncIterator[bytes]:
        try:
            for number in range(1, self.count + 1):
                self.given = number
                yield b"%d," % self.given
        finally:
            self.closed = True


GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_an_asynchronous_generator_is_sent_in_chunks_and_closed(serve: Serve) -> None:
    numbers = Numbers()

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=numbers(), content_type="text/csv")

    served = await serve(handler)
    async with served.client.get("/") as got:
        assert (got.content_type, await got.read()) == ("text/csv", b"1,2,3,")
        assert got.headers["Transfer-Encoding"] == "chunked"
    assert numbers.closed


async def test_text_files_are_encoded(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("größer" * 100_000, "utf-8")

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/latin":
            body = io.StringIO("größer")
            return web.Response(body=body, content_type="text/html", charset="latin-1")
        return web.Response(body=io.StringIO("größer") if request.query else path.open())

    served = await serve(handler)
    for target, content_type, content in [
        ("/?memory", "text/plain; charset=utf-8", "größer".encode()),
        ("/", "text/plain; charset=utf-8", path.read_bytes()),
        ("/latin", "text/html; charset=latin-1", "größer".encode("latin-1")),
    ]:
        async with served.client.get(target) as got:
            assert got.headers["Content-Type"] == content_type
            assert await got.read() == content


async def test_a_file_goes_out_under_its_name_and_type(serve: Serve, tmp_path: Path) -> None:
    for name in ("größe.png", "page.html", "unknown"):
        (tmp_path / name).write_bytes(b"content")

    async def handler(request: web.Request) -> web.Response:
        headers = {"Content-Disposition": "inline"} if request.query else None
        return web.Response(body=(tmp_path / request.path[1:]).open("rb"), headers=headers)

    served = await serve(handler)
    for target, content_type, disposition in [
        ("/größe.png", "image/png", 'attachment; filename="gr__e.png"; filename*='),
        ("/page.html", "text/html; charset=utf-8", 'attachment; filename="page.html"'),
        ("/unknown", "application/octet-stream", 'attachment; filename="unknown"'),
        ("/page.html?inline", "text/html; charset=utf-8", "inline"),
    ]:
        async with served.client.get(target) as got:
            assert got.headers["Content-Type"] == content_type
            assert got.headers["Content-Disposition"].startswith(disposition)
            assert (await got.read(), got.headers["Content-Length"]) == (b"content", "7")


async def test_a_file_without_a_name_has_none(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        body: Any = io.BytesIO(b"x")
        if request.query:
            body.name = 3 if request.query_string == "number" else "<stdin>"
        return web.Response(body=body)

    served = await serve(handler)
    for target in ("/", "/?number", "/?stdin"):
        async with served.client.get(target) as got:
            assert "Content-Disposition" not in got.headers
            assert got.content_type == "application/octet-stream"


async def test_a_body_goes_back_as_it_comes(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=request.content, content_type=request.content_type)

    served = await serve(handler)
    body = b"no line ends here " * 50_000
    async with served.client.post("/", data=body) as got:
        assert await got.read() == body


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
async def test_a_source_is_not_read_where_no_body_is_sent(
    serve: Serve, tmp_path: Path, method: str, status: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    files: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        files.append(path.open("rb"))
        return web.Response(body=files[-1], status=status)

    served = await serve(handler)
    async with served.client.request(method, "/") as got:
        assert (got.status, await got.read()) == (status, b"")
        if method == "HEAD":
            assert got.headers["Content-Length"] == "7"
    assert files[0].closed


async def test_a_generator_that_fails_cuts_the_answer_short(
    serve: Serve, failures: Failures
) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"beginning"
        raise LookupError

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=failing())

    served = await serve(handler)
    answer = await served.raw(GET)
    assert answer.endswith(b"9\r\nbeginning\r\n")
    assert len(failures()) == 1


async def test_a_generator_is_closed_when_the_client_goes(serve: Serve) -> None:
    numbers = Numbers(10**9)

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=numbers())

    served = await serve(handler)
    wire = await served.connect()
    wire.send(GET)
    await wire.head()
    await wire.close()
    await served.until(lambda: numbers.closed)
    assert numbers.given < 10**9


async def test_a_slow_reader_holds_the_generator_back(serve: Serve) -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 1
            yield b"x" * 65536

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=endless())

    served = await serve(handler)
    wire = await served.connect()
    wire.send(GET)
    await wire.head()
    before = -1
    while given != before:
        before = given
        await asyncio.sleep(0.05)
    # What the kernel's and the transport's buffers take, far from endless.
    assert given < 1000
    await wire.close()


@pytest.mark.parametrize("position", [0, 3])
async def test_a_file_is_sent_from_where_it_stands_with_its_length(
    serve: Serve, tmp_path: Path, position: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789" * 100_000)

    async def handler(request: web.Request) -> web.Response:
        file = path.open("rb")
        file.seek(position)
        return web.Response(body=file)

    served = await serve(handler)
    async with served.client.get("/") as got:
        assert got.headers["Content-Length"] == str(1_000_000 - position)
        assert await got.read() == path.read_bytes()[position:]


async def test_a_file_in_memory_is_a_file(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=io.BytesIO(b"abc"))

    served = await serve(handler)
    async with served.client.get("/") as got:
        assert (got.headers["Content-Length"], await got.read()) == ("3", b"abc")


@pytest.mark.parametrize("body", [object(), 3, [b"x"], {"a": 1}])
def test_what_gives_no_bytes_is_no_body(body: Any) -> None:
    with pytest.raises(TypeError, match="asynchronous iterable or a file"):
        web.Response(body=body)


def test_a_source_is_no_text() -> None:
    response = web.Response(body=io.BytesIO(b"abc"))
    assert response.content_length == 3
    with pytest.raises(TypeError, match="no text yet"):
        _ = response.text


async def test_trailers_follow_a_chunked_body(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Trailer": "Digest"})
        await response.prepare(request)
        await response.write(b"abc")
        await response.write_eof(trailers={"Digest": "x"})
        return response

    served = await serve(handler)
    wire = await served.connect()
    wire.send(GET)
    await wire.head()
    assert await wire.reader.readuntil(b"Digest: x\r\n\r\n") == (
        b"3\r\nabc\r\n0\r\nDigest: x\r\n\r\n"
    )


async def test_trailers_cannot_forge_anything(serve: Serve, failures: Failures) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write_eof(trailers={"Digest": "x\r\nSet-Cookie: y"})
        return response

    served = await serve(handler)
    assert b"Set-Cookie" not in await served.raw(GET)
    assert len(failures()) == 1


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
async def test_early_hints_go_before_the_answer_to_those_who_know_them(
    serve: Serve, version: bytes
) -> None:
    async def handler(request: web.Request) -> web.Response:
        await request.early_hints("</style.css>; rel=preload; as=style", "</a.js>; rel=preload")
        return web.Response(text="page")

    served = await serve(handler)
    answer = await served.raw(b"GET / HTTP/%b\r\nHost: x\r\nConnection: close\r\n\r\n" % version)
    first, _, rest = answer.partition(b"\r\n\r\n")
    if version == b"1.0":
        assert first.startswith(b"HTTP/1.1 200 ")
        return
    assert first.startswith(b"HTTP/1.1 103 ")
    assert first.count(b"\r\nLink: ") == 2
    assert rest.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("status", [99, 101, 200])
async def test_an_interim_answer_has_an_interim_status(serve: Serve, status: int) -> None:
    async def handler(request: web.Request) -> web.Response:
        with pytest.raises(ValueError, match=f"{status} is not"):
            await request.send_informational(status)
        return web.Response(text="fine")

    served = await serve(handler)
    async with served.client.get("/") as got:
        assert await got.text() == "fine"


async def test_middlewares_see_the_refusal_of_a_malformed_request(serve: Serve) -> None:
    seen: list[tuple[str, str, int]] = []

    @web.middleware
    async def dress(request: web.Request, handler: Any) -> Any:
        try:
            return await handler(request)
        except web.HTTPException as error:
            seen.append((request.method, request.path, error.status))
            error.text = "dressed"
            raise

    app = web.Application(middlewares=[dress])
    served = await serve(app)
    answer = await served.raw(b"GET / HTTP/1.1\r\nHost: secret host\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"dressed")
    assert b"Connection: close" in answer
    assert seen == [("UNKNOWN", "/", 400)]


async def test_json_is_encoded_as_the_application_says(serve: Serve) -> None:
    app = web.Application(json_dumps=lambda data: b"<%d>" % len(data))

    async def handler(request: web.Request) -> web.Response:
        return request.app.json_response([1, 2, 3], status=201)

    app.router.add_get("/", handler)
    served = await serve(app)
    async with served.client.get("/") as got:
        assert (got.status, got.content_type) == (201, "application/json")
        assert await got.read() == b"<3>"


def test_json_bytes_response_takes_an_encoder_of_bytes() -> None:
    response = web.json_bytes_response({"a": 1}, dumps=lambda data: b"bytes", status=202)
    assert (response.status, response.body) == (202, b"bytes")
