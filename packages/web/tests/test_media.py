"""Media types, codings that a client likes, names of downloads."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from headrace import web
from headrace.web._media import accepted_codings, file_type, siblings

TYPES = [
    ("a.txt", "text/plain", "utf-8"),
    ("a.HTML", "text/html", "utf-8"),
    ("a.css", "text/css", "utf-8"),
    ("a.js", "text/javascript", "utf-8"),
    ("a.mjs", "text/javascript", "utf-8"),
    ("a.json", "application/json", None),
    ("a.wasm", "application/wasm", None),
    ("a.svg", "image/svg+xml", None),
    ("a.woff2", "font/woff2", None),
    ("a.webp", "image/webp", None),
    ("a.tar.gz", "application/gzip", None),
    ("a.txt.br", "application/x-brotli", None),
    ("a.zst", "application/zstd", None),
    ("a", "application/octet-stream", None),
    (".profile", "application/octet-stream", None),
    ("a.unheard-of-extension-of-length", "application/octet-stream", None),
    ("data:text/html,a.txt", "text/plain", "utf-8"),
    ("/some.dir/file", "application/octet-stream", None),
]


@pytest.mark.parametrize(("name", "media", "charset"), TYPES)
def test_types(name: str, media: str, charset: str | None) -> None:
    assert file_type(name) == (media, charset)


CODINGS: list[tuple[tuple[str, ...], list[str]]] = [
    ((), []),
    (("",), []),
    (("gzip",), ["gzip"]),
    (("x-gzip",), ["gzip"]),
    (("gzip, br",), ["br", "gzip"]),
    (("gzip", "br", "zstd"), ["zstd", "br", "gzip"]),
    (("gzip;q=1, br;q=0.5",), ["gzip", "br"]),
    (("GZIP",), ["gzip"]),
    (("gzip;q=0",), []),
    (("*",), ["zstd", "br", "gzip"]),
    (("*;q=0.5, br;q=0",), ["zstd", "gzip"]),
    (("gzip;q=0.5, identity",), []),
    (("gzip;q=0.5, identity;q=0.5",), ["gzip"]),
    (("gzip;q=0.2, identity;q=0",), ["gzip"]),
    (("notgzip, brx",), []),
]


@pytest.mark.parametrize(("fields", "codings"), CODINGS)
def test_codings(fields: tuple[str, ...], codings: list[str]) -> None:
    assert [coding.name for coding in accepted_codings(fields)] == codings


def test_a_compressed_file_has_no_siblings() -> None:
    assert [coding.extension for coding in siblings("a.js")] == [".zst", ".br", ".gz"]
    assert not siblings("a.js.gz")


NAMES = [
    ("report.pdf", 'attachment; filename="report.pdf"'),
    ("my report.pdf", 'attachment; filename="my report.pdf"'),
    ("naïve.txt", "attachment; filename=\"na_ve.txt\"; filename*=UTF-8''na%C3%AFve.txt"),
    ('a"b.txt', "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
    ("50%41.txt", "attachment; filename=\"50_41.txt\"; filename*=UTF-8''50%2541.txt"),
    ("../../etc/passwd", 'attachment; filename=".._.._etc_passwd"'),
    ("C:\\x.txt", 'attachment; filename="C:_x.txt"'),
    ("a\r\nSet-Cookie: x", 'attachment; filename="a__Set-Cookie: x"'),
]


@pytest.mark.parametrize(("name", "value"), NAMES)
def test_names_of_downloads(name: str, value: str) -> None:
    assert web.content_disposition(name) == value
    web.Response(headers={"Content-Disposition": value})


@pytest.mark.parametrize("name", ["日本語.txt", "😀.png", "é e'(1)*.txt"])
def test_a_name_comes_back(name: str) -> None:
    value = web.content_disposition(name, inline=True)
    assert value.isascii()
    match = re.fullmatch(
        r"inline; filename=\"[^\"]*\"; filename\*=UTF-8''([\w%!#$&+\-.^`|~]+)", value
    )
    assert match is not None
    assert unquote(match[1]) == name
