"""Multipart bodies that are written: what others read out of them."""

from __future__ import annotations

import asyncio
import io
import json
import zlib
from collections.abc import AsyncIterator, Callable
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiparts import multipart_request
from serving import Failures, Serve

from headrace import web
from headrace.web._multipart_writer import Base64Encoder, QuotedPrintableEncoder
from headrace.web._transfer import decode_all, transfer_decoder


async def parsed(writer: web.MultipartWriter) -> list[Message]:
    """Read a body with the standard library's parser of mail."""
    body = await writer.as_bytes()
    await writer.close()
    message = message_from_bytes(
        b"Content-Type: " + writer.content_type.encode() + b"\r\n\r\n" + body
    )
    assert not message.defects
    return message.get_payload() if len(writer) else []  # type: ignore[return-value]


class _Flow:
    """What aiohttp's streams pause."""

    _reading_paused = False

    def pause_reading(self) -> None: ...
    def resume_reading(self, *args: Any, **kwargs: Any) -> None: ...


async def outside(content_type: str, body: bytes) -> list[bytes]:
    """Return the parts as aiohttp reads them."""
    content = aiohttp.StreamReader(_Flow(), 2**16)  # type: ignore[arg-type]
    content.feed_data(body)
    content.feed_eof()
    reader = aiohttp.MultipartReader({"Content-Type": content_type}, content)  # type: ignore[arg-type]
    return [await part.read(decode=True) async for part in reader]  # type: ignore[union-attr]


async def pieces() -> AsyncIterator[bytes]:
    yield b"one "
    yield b"two"


async def test_parts_of_all_kinds(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(b"<p>hello")
    nested = web.MultipartWriter("alternative")
    nested.append("inside")
    writer = web.MultipartWriter()
    parts = [
        writer.append("text: ü"),
        writer.append(b"bytes", {"Content-Type": "image/png", "X-Own": "1"}),
        writer.append(bytearray(b"array")),
        writer.append(io.BytesIO(b"memory")),
        writer.append(path.open("rb")),
        writer.append(pieces()),
        writer.append_json({"a": [1, 2]}),
        writer.append_form({"a": "1 2", "b": ["x", "y"]}),
        writer.append_form([("a", "1"), ("a", "2")]),
        writer.append(nested),
    ]
    assert (list(writer), len(writer), bool(web.MultipartWriter())) == (parts, 10, True)
    read = await parsed(writer)
    assert [(each.get_content_type(), each.get_payload(decode=True)) for each in read] == [
        ("text/plain", "text: ü".encode()),
        ("image/png", b"bytes"),
        ("application/octet-stream", b"array"),
        ("application/octet-stream", b"memory"),
        ("text/html", b"<p>hello"),
        ("application/octet-stream", b"one two"),
        ("application/json", b'{"a": [1, 2]}'),
        ("application/x-www-form-urlencoded", b"a=1+2&b=x&b=y"),
        ("application/x-www-form-urlencoded", b"a=1&a=2"),
        ("multipart/alternative", None),
    ]
    assert read[1]["X-Own"] == "1"
    assert read[4]["Content-Disposition"] == 'attachment; filename="page.html"'
    assert [each["Content-Length"] for each in read[:6]] == ["8", "5", "5", "6", "8", None]
    assert [part.get_payload() for part in read[9].get_payload()] == ["inside"]  # type: ignore[union-attr]


async def test_the_size_is_that_of_the_body(tmp_path: Path) -> None:
    writer = web.MultipartWriter()
    assert writer.size == len(await writer.as_bytes())
    writer.append("ü", {"X-Own": "ü"})
    writer.append(io.BytesIO(b"memory"))
    nested = web.MultipartWriter()
    nested.append_json(None)
    writer.append(nested)
    assert writer.size == len(await writer.as_bytes())
    writer.append(pieces())
    assert writer.size is None


async def test_a_form() -> None:
    writer = web.MultipartWriter("form-data")
    writer.append("nameless")
    writer.append("ann").set_content_disposition("form-data", name='us"er\r\n')
    writer.append(b"GIF").set_content_disposition("form-data", name="pic", filename="ü.gif")
    boundary = writer.content_type.partition("boundary=")[2]
    request = multipart_request(await writer.as_bytes())
    request = request.clone(headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})
    form = await request.post()
    assert list(form) == ["section-0", 'us"er\r\n', "pic"]
    assert form['us"er\r\n'] == "ann"
    picture = form["pic"]
    assert isinstance(picture, web.FileField)
    assert (picture.filename, picture.file.read()) == ("ü.gif", b"GIF")


@pytest.mark.parametrize(
    "fields",
    [
        {"Content-Transfer-Encoding": "base64"},
        {"Content-Encoding": "gzip"},
        {"Content-Length": "1"},
    ],
)
def test_what_forms_have_not(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a part of a form"):
        web.MultipartWriter("form-data").append(b"x", fields)


async def test_a_file_in_a_form_has_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x")
    writer = web.MultipartWriter("form-data")
    with path.open("rb") as file:
        part = writer.append(file)
        assert part.filename == "a.bin"
        assert part.headers["Content-Disposition"] == (
            'form-data; name="section-0"; filename="a.bin"'
        )
        assert part.content_type == "application/octet-stream"


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "binary"])
@pytest.mark.parametrize("coding", [None, "gzip", "identity"])
async def test_encodings_are_applied(encoding: str, coding: str | None) -> None:
    data = bytes(range(256)) * 300
    headers = {"Content-Transfer-Encoding": encoding}
    if coding is not None:
        headers["Content-Encoding"] = coding
    writer = web.MultipartWriter()
    assert (writer.append(io.BytesIO(data), headers).size is None) == (
        encoding != "binary" or coding == "gzip"
    )
    assert await outside(writer.content_type, await writer.as_bytes()) == [data]


async def test_deflate_has_its_zlib_wrapper() -> None:
    # RFC 9110, section 8.4.1.2; aiohttp reads parts without.
    part = web.MultipartWriter().append(b"data", {"Content-Encoding": "deflate"})
    assert zlib.decompress(b"".join([piece async for piece in part])) == b"data"


@given(st.lists(st.binary(max_size=200)), st.sampled_from(["base64", "quoted-printable"]))
def test_any_pieces_are_read_back(data: list[bytes], encoding: str) -> None:
    encoder = Base64Encoder() if encoding == "base64" else QuotedPrintableEncoder()
    encoded = b"".join(encoder.compress(piece) for piece in data if piece) + encoder.finish()
    assert decode_all(transfer_decoder(encoding), encoded) == b"".join(data)
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))


@pytest.mark.parametrize(
    "headers",
    [{"Content-Encoding": "klingon"}, {"Content-Transfer-Encoding": "uuencode"}, {"X": "a\r\nb"}],
)
def test_fields_that_are_none(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"unknown|control character"):
        web.MultipartWriter().append(b"x", headers)


def test_what_can_be_no_part() -> None:
    for what in (5, None, io.StringIO("text")):
        with pytest.raises(TypeError):
            web.MultipartWriter().append(what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("boundary", "value"),
    [("abc", "abc"), ("a b", '"a b"'), ('a"b\\', '"a\\"b\\\\"'), ("x" * 70, "x" * 70)],
)
def test_boundaries(boundary: str, value: str) -> None:
    writer = web.MultipartWriter("related", boundary)
    assert writer.boundary == boundary
    assert writer.content_type == f"multipart/related; boundary={value}"


@pytest.mark.parametrize("boundary", ["", "x" * 71, "a ", "ü", "a\r\n"])
def test_boundaries_that_are_none(boundary: str) -> None:
    with pytest.raises(ValueError, match="boundary"):
        web.MultipartWriter(boundary=boundary)


def test_each_boundary_is_another() -> None:
    assert web.MultipartWriter().boundary != web.MultipartWriter().boundary
    assert "multipart/mixed" in repr(web.MultipartWriter())


# -- as the body of an answer


async def test_an_answer(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(1_000_000))
    files = []

    async def handler(request: web.Request) -> web.Response:
        with web.MultipartWriter("mixed") as writer:
            writer.append("hello")
            files.append(path.open("rb"))
            writer.append(files[-1])
            if request.path == "/open":
                writer.append(pieces())
        return web.Response(body=writer)

    served = await serve(handler)
    for where, is_open in (("/", False), ("/open", True)):
        async with served.client.get(where) as answer:
            assert answer.content_type == "multipart/mixed"
            assert ("Content-Length" in answer.headers) is not is_open
            bodies = await outside(answer.headers["Content-Type"], await answer.read())
            assert bodies == [b"hello", bytes(1_000_000), *([b"one two"] if is_open else [])]
    async with served.client.head("/") as answer:
        assert answer.content_type == "multipart/mixed"
    assert len(files) == 3
    assert all(file.closed for file in files)


async def test_the_callers_type_is_kept() -> None:
    body = web.MultipartWriter(boundary="b")
    headers = {"Content-Type": "multipart/report; boundary=b"}
    assert web.Response(body=body, headers=headers).content_type == "multipart/report"
    assert web.Response(body=body).headers["Content-Type"] == "multipart/mixed; boundary=b"


async def test_parts_are_closed_when_the_client_goes(
    serve: Serve, tmp_path: Path, failures: Failures
) -> None:
    closed = asyncio.Event()
    file = io.BytesIO(b"the next part")

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(65536)
        finally:
            closed.set()

    async def handler(request: web.Request) -> web.Response:
        writer = web.MultipartWriter()
        writer.append(endless())
        writer.append(file)
        return web.Response(body=writer)

    served = await serve(handler)
    wire = await served.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await wire.head()
    wire.reset()
    async with asyncio.timeout(10):
        await closed.wait()
    await served.idle()
    assert file.closed
    assert not failures()


@pytest.mark.parametrize("make", [lambda: io.BytesIO(b"frame"), lambda: b"frame"])
async def test_a_stream_of_writers(serve: Serve, make: Callable[[], Any]) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        head = {"Content-Type": "multipart/x-mixed-replace; boundary=frames"}
        response = web.StreamResponse(headers=head)
        await response.prepare(request)
        for number in range(3):
            with web.MultipartWriter("x-mixed-replace", boundary="frames") as writer:
                writer.append(make(), {"Content-Type": "image/jpeg"})
                await writer.write(response, close_boundary=number == 2)
        return response

    served = await serve(handler)
    async with served.client.get("/") as answer:
        bodies = await outside(answer.headers["Content-Type"], await answer.read())
        assert bodies == [b"frame"] * 3


async def test_json_parts_are_json() -> None:
    writer = web.MultipartWriter()
    writer.append_json({"ü": None}, {"X-Own": "1"})
    (part,) = await parsed(writer)
    assert json.loads(part.get_payload(decode=True)) == {"ü": None}  # type: ignore[arg-type]
