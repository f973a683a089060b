"""Multipart bodies read part by part."""

from __future__ import annotations

import base64
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from exchanges import make_request
from hypothesis import given
from hypothesis import strategies as st
from multiparts import BOUNDARY, END, bytewise, calls, field, file, multipart_request, part
from serving import Failures, Serve

from headrace import web
from headrace.web._multipart import MAX_DEPTH
from headrace.web._streams import whole_stream

ReadPart = Callable[[web.BodyPartReader], Awaitable[Any]]


async def only(body: bytes, **settings: Any) -> web.BodyPartReader:
    """Return the first part of a body."""
    request = multipart_request(body + END, **settings)
    found = await (await request.multipart()).next()
    assert isinstance(found, web.BodyPartReader)
    return found


async def test_parts_one_after_the_other() -> None:
    body = field("a", b"one") + file("f", "x.txt", b"two", "Content-Type: text/x; charset=ascii")
    for pieces in [[body + END], bytewise(body + END)]:
        reader = await multipart_request(*pieces).multipart()
        assert not reader.at_eof()
        first = await reader.next()
        assert isinstance(first, web.BodyPartReader)
        assert (first.name, first.filename, first.get_charset("utf-8")) == ("a", None, "utf-8")
        assert not first.at_eof()
        assert await first.read() == b"one"
        assert first.at_eof()
        assert await first.read() == b""
        second = await reader.next()
        assert isinstance(second, web.BodyPartReader)
        assert (second.name, second.filename) == ("f", "x.txt")
        assert second.headers["content-type"] == "text/x; charset=ascii"
        assert second.get_charset("utf-8") == "ascii"
        assert await second.text() == "two"
        assert await reader.next() is None
        assert reader.at_eof()
        assert await reader.next() is None


async def test_what_is_left_of_a_part_is_skipped() -> None:
    body = b"".join(field(str(n), b"x" * 100_000) for n in range(10)) + END
    names = []
    reader = await multipart_request(body).multipart()
    async for each in reader:
        assert isinstance(each, web.BodyPartReader)
        names.append(each.name)
        if each.name in ("1", "2"):
            assert await each.read_chunk(10) == b"x" * 10
        if each.name == "2":
            await each.release()
            assert each.at_eof()
    assert names == [str(n) for n in range(10)]
    assert reader.at_eof()


async def test_a_part_after_its_time_gives_nothing() -> None:
    reader = await multipart_request(field("a", b"one") + field("b", b"two") + END).multipart()
    first = await reader.next()
    assert await reader.next() is not None
    assert isinstance(first, web.BodyPartReader)
    assert await first.read() == b""


async def test_release() -> None:
    request = multipart_request(field("a", b"one") + field("b", b"two") + END)
    reader = await request.multipart()
    await reader.release()
    assert reader.at_eof()
    assert not request.can_read_body


async def collected(pieces: AsyncIterator[bytes]) -> list[bytes]:
    return [piece async for piece in pieces]


async def chunks(each: web.BodyPartReader) -> list[bytes]:
    found = []
    while chunk := await each.read_chunk(4):
        found.append(chunk)
    return found


READS: list[tuple[str, ReadPart, Any]] = [
    ("read", lambda p: p.read(), b"one\ntwo\n"),
    ("next", lambda p: p.next(), b"one\ntwo\n"),
    ("read_chunk", lambda p: p.read_chunk(), b"one\ntwo\n"),
    ("read_chunk of a size", chunks, [b"one\n", b"two\n"]),
    ("readline", lambda p: p.readline(), b"one\n"),
    ("iteration", lambda p: collected(p.__aiter__()), [b"one\ntwo\n"]),
    ("text", lambda p: p.text(), "one\ntwo\n"),
]


@pytest.mark.parametrize(("read", "result"), [c[1:] for c in READS], ids=[c[0] for c in READS])
async def test_reading(read: ReadPart, result: Any) -> None:
    assert await read(await only(field("a", b"one\ntwo\n"))) == result


@pytest.mark.parametrize("read", [c[1] for c in READS], ids=[c[0] for c in READS])
async def test_reading_an_empty_part(read: ReadPart) -> None:
    each = await only(field("a", b""))
    assert await read(each) in (b"", None, [], "")
    assert each.at_eof()


async def test_text_json_and_form() -> None:
    assert await (await only(field("a", b'{"b": 1}'))).json() == {"b": 1}
    assert await (await only(field("a", b""))).json() is None
    assert await (await only(field("a", b"b=1&c=%C3%BC&d="))).form() == [
        ("b", "1"),
        ("c", "ü"),
        ("d", ""),
    ]
    assert await (await only(field("a", b""))).form() == []
    latin = field("a", b"\xfc", "Content-Type: text/plain; charset=latin-1")
    assert await (await only(latin)).text() == "ü"
    assert await (await only(latin)).text(encoding="cp437") == "ⁿ"


BLAMED: list[tuple[str, bytes, ReadPart, type[Exception], int]] = [
    ("no UTF-8", field("a", b"\xff"), lambda p: p.text(), UnicodeError, 400),
    ("no JSON", field("a", b"{"), lambda p: p.json(), ValueError, 400),
    ("too deep", field("a", b"[" * 200_000), lambda p: p.json(), RecursionError, 400),
    ("no UTF-8 in a form", field("a", b"\xff"), lambda p: p.form(), UnicodeError, 400),
    (
        "no charset",
        field("a", b"x", "Content-Type: text/plain; charset=klingon"),
        lambda p: p.text(),
        LookupError,
        415,
    ),
]


@pytest.mark.parametrize(
    ("body", "read", "error", "status"), [c[1:] for c in BLAMED], ids=[c[0] for c in BLAMED]
)
async def test_the_client_is_to_blame(
    body: bytes, read: ReadPart, error: type[Exception], status: int
) -> None:
    request = multipart_request(body + END)
    each = await (await request.multipart()).next()
    assert isinstance(each, web.BodyPartReader)
    with pytest.raises(error) as caught:
        await read(each)
    assert request._client_fault == (caught.value, status)


# -- transfer encodings

ENCODED = [
    ("base64", base64.encodebytes(bytes(range(256)) * 50), bytes(range(256)) * 50),
    ("Quoted-Printable", b"=C3=BC=\r\n" * 1000, b"\xc3\xbc" * 1000),
    ("8bit", b"\xff" * 100, b"\xff" * 100),
]


@pytest.mark.parametrize(("encoding", "sent", "data"), ENCODED)
async def test_transfer_encodings(encoding: str, sent: bytes, data: bytes) -> None:
    body = field("a", sent, f"Content-Transfer-Encoding: {encoding}")
    assert await (await only(body)).read() == sent
    assert await (await only(body)).read(decode=True) == data
    for size in (1, 2, 5, 8, 100, 8192):
        each = await only(body)
        found = b""
        while chunk := await each.read_chunk(size):
            assert len(chunk) <= max(size, 100)
            found += each.decode(chunk)
        assert found == data
        assert each.at_eof()
    each = await only(body)
    start = await each.read_chunk(6)
    assert start + await each.read() == sent


async def test_transfer_encodings_that_are_not_as_they_should() -> None:
    with pytest.raises(web.RequestPayloadError):
        await (await only(field("a", b"!", "Content-Transfer-Encoding: base64"))).text()
    each = await only(field("a", b"x", "Content-Transfer-Encoding: x-klingon"))
    with pytest.raises(web.HTTPUnsupportedMediaType):
        each.decode(await each.read_chunk())


# -- bodies inside bodies


def nested(depth: int, body: bytes) -> bytes:
    """Return *body* as the part of a body that is a part of a body and so on."""
    for level in range(1, depth):
        inner = f"{level}".encode()
        body = part(
            body.replace(f"--{BOUNDARY}".encode(), b"--" + inner) + b"--" + inner + b"--",
            f"Content-Type: Multipart/Mixed; boundary={level}",
        )
    return body + END


async def test_nested_bodies() -> None:
    inner = b"--I\r\nX: 1\r\n\r\none\r\n--I\r\nX: 2\r\n\r\ntwo\r\n--I--\r\n"
    body = part(inner, "Content-Type: multipart/mixed; boundary=I") + field("after", b"three") + END
    for pieces in [[body], bytewise(body)]:
        reader = await multipart_request(*pieces, subtype="mixed").multipart()
        outer = await reader.next()
        assert isinstance(outer, web.MultipartReader)
        assert outer.headers["content-type"] == "multipart/mixed; boundary=I"
        texts = []
        async for each in outer:
            assert isinstance(each, web.BodyPartReader)
            texts.append((each.headers["x"], await each.text()))
        assert texts == [("1", "one"), ("2", "two")]
        assert outer.at_eof()
        last = await reader.next()
        assert isinstance(last, web.BodyPartReader)
        assert await last.text() == "three"
        assert await reader.next() is None


async def test_a_nested_body_may_be_skipped() -> None:
    inner = b"--I\r\nX: 1\r\n\r\none\r\n--I\r\nX: 2\r\n\r\ntwo\r\n--I--\r\n"
    body = part(inner, "Content-Type: multipart/mixed; boundary=I") + field("after", b"three") + END
    for start in (0, 1):
        reader = await multipart_request(body, subtype="mixed").multipart()
        outer = await reader.next()
        assert isinstance(outer, web.MultipartReader)
        for _ in range(start):
            assert await outer.next() is not None
        last = await reader.next()
        assert isinstance(last, web.BodyPartReader)
        assert last.name == "after"


async def innermost(reader: web.MultipartReader) -> bytes:
    async for each in reader:
        if isinstance(each, web.MultipartReader):
            return await innermost(each)
        return await each.read()
    raise AssertionError("no parts")


async def test_depth() -> None:
    body = nested(MAX_DEPTH, field("a", b"one"))
    assert await innermost(await multipart_request(body, subtype="mixed").multipart()) == b"one"
    body = nested(MAX_DEPTH + 1, field("a", b"one"))
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        await innermost(await multipart_request(body, subtype="mixed").multipart())


async def test_a_nested_body_that_is_cut_short() -> None:
    body = part(b"--I\r\n", "Content-Type: multipart/mixed; boundary=I") + field("b", b"") + END
    reader = await multipart_request(body, subtype="mixed").multipart()
    outer = await reader.next()
    assert isinstance(outer, web.MultipartReader)
    with pytest.raises(web.RequestPayloadError):
        await outer.next()


# -- refusals and limits


@pytest.mark.parametrize("content_type", ["text/plain", "", "multipart", "xmultipart/mixed"])
async def test_what_is_no_multipart_body(content_type: str) -> None:
    request = make_request(method="POST", headers={"Content-Type": content_type}, body=b"x")
    with pytest.raises(web.HTTPUnsupportedMediaType):
        await request.multipart()


@pytest.mark.parametrize("parameter", ["", ";boundary", ";boundary=", f";boundary={'x' * 71}"])
async def test_boundaries_that_are_none(parameter: str) -> None:
    fields = {"Content-Type": f"multipart/form-data{parameter}"}
    with pytest.raises(web.RequestPayloadError):
        await make_request(method="POST", headers=fields, body=b"x").multipart()


@pytest.mark.parametrize("body", [b"", b"x", field("a", b"one"), field("a", b"one") + END[:-4]])
async def test_bodies_that_are_cut_short(body: bytes) -> None:
    reader = await multipart_request(*([body] if body else [])).multipart()
    with pytest.raises(web.RequestPayloadError):
        await reader.release()


async def test_a_part_that_is_cut_short_fails_whenever_it_is_read() -> None:
    reader = await multipart_request(field("a", b"one")[:-2]).multipart()
    each = await reader.next()
    assert isinstance(each, web.BodyPartReader)
    for _ in range(2):
        with pytest.raises(web.RequestPayloadError):
            await each.read()


async def test_the_size_of_what_is_held() -> None:
    body = field("a", b"x" * 1000) + field("b", b"x" * 1000) + END
    request = multipart_request(body)
    request._client_max_size = 1000
    async for each in await request.multipart():
        assert isinstance(each, web.BodyPartReader)
        assert len(await each.read()) == 1000
    for read in (
        web.BodyPartReader.read,
        web.BodyPartReader.text,
        web.BodyPartReader.json,
        web.BodyPartReader.form,
    ):
        request = multipart_request(body)
        request._client_max_size = 999
        found = await (await request.multipart()).next()
        assert isinstance(found, web.BodyPartReader)
        with pytest.raises(web.HTTPRequestEntityTooLarge):
            await read(found)


async def test_a_line_has_a_limit() -> None:
    each = await only(field("a", b"x" * 200_000))
    with pytest.raises(ValueError, match="line is longer"):
        await each.readline()


async def test_a_reader_of_its_own() -> None:
    headers = {"Content-Type": "multipart/mixed; boundary=B"}
    body = b"--B\r\nX: yyyy\r\nZ: y\r\n\r\none\r\n--B--"
    reader = web.MultipartReader(headers, whole_stream(body), client_max_size=3)
    each = await reader.next()
    assert isinstance(each, web.BodyPartReader)
    assert await each.read() == b"one"
    assert repr(reader) == "<MultipartReader 'multipart/mixed; boundary=B'>"
    assert repr(each) == "<BodyPartReader None>"
    for limits in ({"client_max_size": 2}, {"max_field_size": 5}, {"max_headers": 1}):
        reader = web.MultipartReader(headers, whole_stream(body), **limits)
        with pytest.raises(web.HTTPRequestEntityTooLarge):
            await innermost(reader)
    reader = web.MultipartReader(headers, whole_stream(body.replace(b"one", b"\xff")))
    each = await reader.next()
    assert isinstance(each, web.BodyPartReader)
    with pytest.raises(UnicodeError):
        await each.text()


async def test_a_body_that_was_read_before() -> None:
    request = multipart_request(field("a", b"one") + END)
    await request.read()
    each = await (await request.multipart()).next()
    assert isinstance(each, web.BodyPartReader)
    assert await each.text() == "one"


# -- work and memory


async def read_all(request: web.Request) -> int:
    count = 0
    async for each in await request.multipart():
        assert isinstance(each, web.BodyPartReader)
        count += (await each.read()) == b"xy"
    return count


async def test_ten_thousand_parts_byte_by_byte() -> None:
    body = b"".join(b"--%s\r\nX: y\r\n\r\nxy\r\n" % BOUNDARY.encode() for _ in range(10_000)) + END
    assert await read_all(multipart_request(*bytewise(body))) == 10_000


@pytest.mark.parametrize("step", [1, 1000])
async def test_work_grows_with_the_size(step: int) -> None:
    async def work(parts: int) -> int:
        body = b"".join(field(f"{n:05}", b"xy") for n in range(parts)) + END
        pieces = [body[n : n + step] for n in range(0, len(body), step)]
        request = multipart_request(*pieces)
        return await calls(lambda: read_all(request))

    few, many = await work(50), await work(200)
    assert few > 100
    assert many < 4.2 * few


@given(st.sampled_from([1, 7, 1000]), st.integers(0, 10), st.integers(0, 2000))
async def test_any_sizes(step: int, parts: int, size: int) -> None:
    bodies = [b"\r\n-" * (size // 3) + b"%d" % n for n in range(parts)]
    body = b"".join(field(str(n), data) for n, data in enumerate(bodies)) + END
    pieces = [body[n : n + step] for n in range(0, len(body), step)]
    reader = await multipart_request(*pieces).multipart()
    found = [await each.read() async for each in reader if isinstance(each, web.BodyPartReader)]
    assert found == bodies


async def test_over_a_socket(serve: Serve, failures: Failures) -> None:
    peaks = []

    async def upload(request: web.Request) -> web.Response:
        sizes = []
        tracemalloc.start()
        try:
            async for each in await request.multipart():
                assert isinstance(each, web.BodyPartReader)
                size = 0
                async for piece in each:
                    size += len(piece)
                sizes.append(f"{each.name} {each.filename} {size}")
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        return web.Response(text="\n".join(sizes))

    served = await serve(upload)

    async def zeros() -> AsyncIterator[bytes]:
        yield file("f", "zeros", b"")[:-2]
        for _ in range(256):
            yield bytes(64 * 1024)
        yield b"\r\n" + field("a", b"one") + END

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    async with served.client.post("/", data=zeros(), headers=headers) as answer:
        assert await answer.text() == f"f zeros {16 * 1024**2}\na None 3"
    # The client's own buffers are counted too.
    assert peaks[0] < 4 * 1024**2
    form = aiohttp.FormData({"a": "ü"})
    form.add_field("f", b"xyz", filename="x.bin")
    async with served.client.post("/", data=form) as answer:
        assert await answer.text() == "a None 2\nf x.bin 3"
    async with served.client.post("/", data=b"--", headers=headers) as answer:
        assert answer.status == 400
    async with served.client.post("/", data=b"--") as answer:
        assert answer.status == 415
    assert failures() == []
