"""From ``data`` and ``json`` to a body."""

import io
from pathlib import Path

import pytest

from headrace.testing import FormData
from headrace.testing._body import Body, encode_body, is_writable, iterate, written_body


def typed(content: bytes, content_type: str) -> Body:
    return Body(content, (("Content-Type", content_type),))


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (None, Body(None)),
        (b"ab", typed(b"ab", "application/octet-stream")),
        (memoryview(b"ab"), typed(b"ab", "application/octet-stream")),
        ("ä", typed("ä".encode(), "text/plain; charset=utf-8")),
        ("", typed(b"", "text/plain; charset=utf-8")),
        ({}, typed(b"", "application/x-www-form-urlencoded")),
        ({"a": "ä &", "b": 1.5}, typed(b"a=%C3%A4+%26&b=1.5", "application/x-www-form-urlencoded")),
        ((("a", True),), typed(b"a=True", "application/x-www-form-urlencoded")),
    ],
)
def test_data(data: object, body: Body) -> None:
    assert encode_body(data, None) == body


def test_json() -> None:
    assert encode_body(None, [1]) == typed(b"[1]", "application/json")
    with pytest.raises(TypeError, match="not both"):
        encode_body(b"", 1)


@pytest.mark.parametrize("data", [5, object(), {"a": object()}, [("a", None)]])
def test_what_cannot_be_sent(data: object) -> None:
    with pytest.raises(TypeError, match="cannot be sent"):
        encode_body(data, None)


def test_open_files(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(b"<p>")
    with path.open("rb") as file:
        assert encode_body(file, None) == typed(b"<p>", "text/html")
    with path.open() as file:
        assert encode_body(file, None) == typed(b"<p>", "text/plain; charset=utf-8")
    with path.open("rb") as file:
        form = FormData({"file": file}, boundary="B")
        assert form.is_multipart
        assert form.encode().content == (
            b'--B\r\nContent-Disposition: form-data; name="file"; filename="page.html"\r\n'
            b"Content-Type: text/html\r\n\r\n<p>\r\n--B--\r\n"
        )


def test_files_without_a_name() -> None:
    form = FormData(boundary="B")
    form.add_field("f", io.BytesIO(b"x"))
    assert b'filename="f"\r\nContent-Type: application/octet-stream\r\n' in form.encode().content


@pytest.mark.parametrize(
    "options", [{"content_type": "a/b"}, {"filename": "x"}, {"headers": {"X-Part": "1"}}]
)
def test_what_makes_a_form_multipart(options: dict[str, object]) -> None:
    form = FormData({"a": "b"})
    assert not form.is_multipart
    form.add_field("c", "d", **options)
    assert form.is_multipart


def test_a_part_with_everything() -> None:
    form = FormData(boundary="B")
    form.add_field("a\r\n", b"x", content_type="t/t", filename='"', headers={"X-Part": "1"})
    assert form.encode() == typed(
        b'--B\r\nContent-Disposition: form-data; name="a%0D%0A"; filename="%22"\r\n'
        b"Content-Type: t/t\r\nX-Part: 1\r\n\r\nx\r\n--B--\r\n",
        "multipart/form-data; boundary=B",
    )


def test_multipart_in_any_case() -> None:
    first, second = FormData({"a": "b"}, multipart=True), FormData(multipart=True)
    assert first.encode().headers[0][1].startswith("multipart/form-data; boundary=")
    assert first.encode().headers != second.encode().headers
    assert second.encode().content.endswith(b"--\r\n")


async def test_bodies_that_write_themselves() -> None:
    class Writer:
        headers = {"Content-Type": "multipart/mixed; boundary=x"}

        async def write(self, writer) -> None:
            await writer.write(b"one ")
            await writer.write(bytearray(b"two"))

    assert is_writable(Writer())
    assert not is_writable(io.BytesIO())
    assert await written_body(Writer()) == typed(b"one two", "multipart/mixed; boundary=x")


async def test_streamed_pieces_are_bytes() -> None:
    async def pieces():
        yield bytearray(b"a")
        yield b""
        yield memoryview(b"b")
        yield "c"

    pieces_read = iterate(pieces())
    assert await anext(pieces_read) == b"a"
    assert await anext(pieces_read) == b"b"
    with pytest.raises(TypeError, match="made of bytes, not str"):
        await anext(pieces_read)
