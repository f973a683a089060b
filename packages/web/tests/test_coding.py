"""Content-Encoding of requests: what is decoded, what is refused, and how much may come out."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import brotli
import pytest
from exchanges import FakeExchange, make_request
from serving import Failures, Serve

from headrace import web
from headrace.http_parser import Connection, Role
from headrace.http_parser import Request as Head
from headrace.web import _coding, _extras
from headrace.web._coding import codings, content_coding
from headrace.web._streams import StreamReader

zstd = _extras.import_zstd()
assert zstd is not None, "the test group installs a zstd"

TEXT = b"abc" * 1000
CODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
    "identity": bytes,
    "identity, gzip": gzip.compress,
}
REPEATING = {"gzip": gzip.compress, "zstd": zstd.compress}
SINGLE = {"deflate": zlib.compress, "br": brotli.compress}
BOMBS = {name: CODERS[name] for name in ("gzip", "deflate", "br", "zstd")}


def coded(coding: str, *pieces: bytes, max_size: int = 1024**2) -> web.Request:
    """Return a request whose body arrives in pieces."""
    request = make_request(method="POST", headers={"Content-Encoding": coding})
    content = StreamReader(FakeExchange())
    for piece in pieces:
        content.feed_data(piece)
    content.feed_eof()
    request._content = content
    request._client_max_size = max_size
    return request


def bytewise(data: bytes) -> list[bytes]:
    return [data[n : n + 1] for n in range(len(data))]


@pytest.mark.parametrize("coding", CODERS)
async def test_decoding_in_any_pieces(coding: str) -> None:
    data = CODERS[coding](TEXT)
    for pieces in [[data], bytewise(data), [data[:5], data[5:]]]:
        assert await coded(coding, *pieces).read() == TEXT
        assert await coded(coding, *pieces, max_size=0).text() == TEXT.decode()
        assert await coded(coding, *pieces).content.readexactly(7) == TEXT[:7]
        chunks = coded(coding, *pieces).content.iter_chunked(100)
        assert b"".join([chunk async for chunk in chunks]) == TEXT


@pytest.mark.parametrize("coding", CODERS)
async def test_empty_bodies(coding: str) -> None:
    assert await coded(coding).read() == b""
    assert await coded(coding, CODERS[coding](b"")).read() == b""
    request = make_request(method="POST", headers={"Content-Encoding": coding})
    assert await request.read() == b""
    assert await request.content.read() == b""


async def test_what_else_reads_a_body() -> None:
    assert await coded("gzip", gzip.compress(b'{"a": 1}')).json() == {"a": 1}
    fields = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    request = make_request(method="POST", headers=fields, body=gzip.compress(b"a=1"))
    assert dict(await request.post()) == {"a": "1"}


async def test_the_body_as_it_was_sent() -> None:
    data = gzip.compress(TEXT)
    for coding in ("gzip", "klingon"):
        request = coded(coding, data)
        assert await request.encoded_content.read() == data
    assert await make_request().encoded_content.read() == b""
    request = coded("klingon", data)
    await request.release()
    assert not request.can_read_body


async def test_a_body_can_be_read_as_long_as_decoded_bytes_are_left() -> None:
    request = coded("gzip", gzip.compress(TEXT))
    assert request.can_read_body
    await request.content.readexactly(1)
    assert request._content is not None
    assert request._content.at_eof()
    assert request.can_read_body
    await request.content.read()
    assert not request.can_read_body


@pytest.mark.parametrize("coding", REPEATING)
async def test_one_unit_after_the_other(coding: str) -> None:
    data = REPEATING[coding](b"one") + REPEATING[coding](b"") + REPEATING[coding](b"two")
    for pieces in [[data], bytewise(data)]:
        assert await coded(coding, *pieces).read() == b"onetwo"


def _broken() -> Iterator[Any]:
    for coding, encode in BOMBS.items():
        data = encode(TEXT)
        yield pytest.param(coding, data[:-1], id=f"{coding}: cut short")
        yield pytest.param(coding, b"\xff" * 100, id=f"{coding}: garbage")
        yield pytest.param(coding, data + b"\xff" * 10, id=f"{coding}: garbage after the end")
    for coding, encode in SINGLE.items():
        data = encode(b"")
        yield pytest.param(coding, data + data, id=f"{coding}: twice")
    yield pytest.param("deflate", zlib.compress(TEXT)[2:-4], id="deflate: without its wrapper")
    yield pytest.param("gzip", gzip.compress(TEXT)[:-8] + bytes(8), id="gzip: a wrong checksum")


@pytest.mark.parametrize(("coding", "data"), list(_broken()))
async def test_broken_bodies(coding: str, data: bytes) -> None:
    for pieces in [[data], bytewise(data)]:
        request = coded(coding, *pieces)
        for _ in range(2):
            with pytest.raises(web.RequestPayloadError):
                await request.read()


@pytest.mark.parametrize("coding", ["klingon", "gzip, gzip", "gzip,br", "gzip;q=1", "\xff"])
async def test_unknown_codings(coding: str) -> None:
    for read in (web.Request.read, web.Request.text, web.Request.json):
        with pytest.raises(web.HTTPUnsupportedMediaType) as caught:
            await read(coded(coding, b"x"))
        assert caught.value.headers["Accept-Encoding"] == "zstd, br, gzip, deflate"


def test_the_field() -> None:
    assert content_coding([(b"Accept-Encoding", b"gzip"), (b"Content-Length", b"1")]) == ""
    assert content_coding([(b"content-encoding", b" Gzip ")]) == "gzip"
    assert content_coding([(b"Content-Encoding", b"identity,,")]) == ""
    assert (
        content_coding([(b"Content-Encoding", b"gzip"), (b"CONTENT-ENCODING", b"br")]) == "gzip,br"
    )


@pytest.mark.parametrize("name", [b"Content-Encoding", b"content-encoding", b"CONTENT-ENCODING"])
def test_the_field_of_a_head_that_is_in_one_piece(name: bytes) -> None:
    for field, coding in [
        (name + b": gzip", "gzip"),
        (b"Accept-Encoding: gzip", ""),
        (b"X: y", ""),
    ]:
        parser = Connection(Role.SERVER)
        parser.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n\r\n")
        head = parser.next_event()
        assert isinstance(head, Head)
        assert content_coding(head.headers) == coding
        assert (b"Host", b"a") in tuple(head.headers)
        assert content_coding(head.headers) == coding


@pytest.mark.parametrize("coding", BOMBS)
async def test_bombs(coding: str) -> None:
    bomb = BOMBS[coding](bytes(64 * 1024**2))
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        await coded(coding, bomb).read()
    tracemalloc.start()
    try:
        for read in (
            lambda: coded(coding, bomb).read(),
            lambda: coded(coding, bomb).content.read(),
            lambda: coded(coding, bomb, max_size=0).read(),
        ):
            with pytest.raises(web.HTTPRequestEntityTooLarge):
                await read()
        # gzip's bomb is of 64 KB, whose hundredfold is acceptable.
        allowance = max(100 * len(bomb), 1024**2)
        assert tracemalloc.get_traced_memory()[1] < 2.2 * allowance + 4 * 1024**2
    finally:
        tracemalloc.stop()


async def test_many_small_bombs_in_a_row() -> None:
    member = gzip.compress(bytes(100_000))
    request = coded("gzip", member * 100)
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        await request.content.read()


async def test_a_body_that_packs_well_is_no_bomb() -> None:
    text = b"".join(b"%08d" % n for n in range(600_000))
    data = gzip.compress(text)
    assert len(text) > 4 * _coding.MIN_ALLOWANCE
    request = coded("gzip", data)
    assert await request.content.read() == text
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        await coded("gzip", data).read()
    assert await coded("gzip", data, max_size=len(text)).read() == text


async def test_zstd_windows_are_bounded() -> None:
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 24})
    data = compressor.compress(b"x" * 100) + compressor.flush()
    with pytest.raises(web.RequestPayloadError):
        await coded("zstd", data).read()


def test_without_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("brotli", "compression", "compression.zstd", "backports", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(_coding, "codings", codings.__wrapped__)
    assert list(_coding.codings()) == ["gzip", "deflate"]


async def test_over_a_socket(serve: Serve, failures: Failures) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path == "/unread":
            return web.Response(text="unread")
        if request.path == "/stream":
            size = 0
            async for piece in request.content.iter_any():
                size += len(piece)
            return web.Response(text=str(size))
        return web.Response(body=await request.read())

    served = await serve(handler)
    bomb = gzip.compress(bytes(32 * 1024**2))
    cases = [
        ("/", "gzip", gzip.compress(TEXT), 200),
        ("/", "br", brotli.compress(TEXT), 200),
        ("/", "zstd", zstd.compress(TEXT), 200),
        ("/", "gzip", bomb, 413),
        ("/stream", "gzip", bomb, 413),
        ("/unread", "gzip", bomb, 200),
        ("/", "gzip", b"garbage", 400),
        ("/", "gzip", gzip.compress(TEXT)[:-1], 400),
        ("/", "klingon", b"x", 415),
        ("/unread", "klingon", b"x", 200),
    ]
    for path, coding, body, status in cases:
        headers = {"Content-Encoding": coding}
        async with served.client.post(path, data=body, headers=headers) as answer:
            assert (answer.status, coding) == (status, coding)
            if path == "/" and status == 200:
                assert await answer.read() == TEXT
            if status == 415:
                assert answer.headers["Accept-Encoding"] == "zstd, br, gzip, deflate"
    assert failures() == []
