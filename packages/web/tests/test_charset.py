"""Which names are charsets, and what they decode."""

from __future__ import annotations

import encodings

import pytest

from headrace.web._charset import decode_text

DECODED = [
    (None, "ü".encode(), "ü"),
    ("utf-8", "ü".encode(), "ü"),
    ("UTF8", "ü".encode(), "ü"),
    ("utf-8-sig", b"\xef\xbb\xbfx", "x"),
    ("ISO-8859-1", b"\xfc", "ü"),
    ("latin1", b"\xfc", "ü"),
    ("windows-1252", b"\x80", "€"),
    ("koi8-u", b"\xa4", "є"),
    ("Shift_JIS", b"\x82\xa0", "あ"),
    ("gb18030", b"\xc4\xe3", "你"),
    ("utf-16le", b"x\0", "x"),
    ("us-ascii", b"x", "x"),
]


@pytest.mark.parametrize(("charset", "data", "text"), DECODED)
def test_decoding(charset: str | None, data: bytes, text: str) -> None:
    assert decode_text(data, charset) == text
    assert decode_text(bytearray(data), charset) == text


@pytest.mark.parametrize(
    "charset",
    [
        *("klingon", "", "\udcff", "\0", "../utf-8", "aliases", "x" * 10_000),
        *("punycode", "PunyCode", "idna", "unicode_escape", "unicode-escape"),
        *("raw-unicode-escape", "undefined", "zlib", "hex", "base64", "rot13"),
    ],
)
def test_what_is_no_charset_is_unknown(charset: str) -> None:
    with pytest.raises(LookupError):
        decode_text(b"x", charset)


def test_python_does_not_remember_the_names_that_clients_invent() -> None:
    with pytest.raises(LookupError):
        decode_text(b"x", "invented-by-a-client")
    assert "invented_by_a_client" not in encodings._cache


@pytest.mark.parametrize("charset", [None, "utf-8", "ascii"])
def test_bytes_outside_the_charset(charset: str | None) -> None:
    with pytest.raises(UnicodeDecodeError):
        decode_text(b"\xff", charset)
