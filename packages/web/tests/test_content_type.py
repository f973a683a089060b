"""Content types that are made once."""

from __future__ import annotations

import pytest

from headrace.web._content_type import OCTETS, TEXT, content_type_of


def test_one_object_stands_for_one_type() -> None:
    assert content_type_of("text/plain", "utf-8") is TEXT
    assert content_type_of("application/octet-stream", None) is OCTETS
    assert content_type_of("text/plain", None) is not TEXT


@pytest.mark.parametrize(
    ("media", "charset", "value"),
    [
        ("text/css", None, "text/css"),
        ("text/css", "latin-1", "text/css; charset=latin-1"),
        ("text/x; a=b", "utf-8", "text/x; a=b; charset=utf-8"),
    ],
)
def test_it_knows_its_field(media: str, charset: str | None, value: str) -> None:
    found = content_type_of(media, charset)
    assert (found.media, found.charset, found.value) == (media, charset, value)
    assert found.fields == ((b"Content-Type", value.encode()),)


@pytest.mark.parametrize(("media", "charset"), [("a/b\r\nX: y", None), ("a/b", "utf-8\r\nX: y")])
def test_it_cannot_forge_a_field(media: str, charset: str | None) -> None:
    with pytest.raises(ValueError, match="control character"):
        content_type_of(media, charset)


def test_a_charset_is_an_argument_of_its_own() -> None:
    assert content_type_of("text/x; a=b", None).value == "text/x; a=b"
    with pytest.raises(ValueError, match="charset as an argument"):
        content_type_of("text/x; charset=utf-8", None)
