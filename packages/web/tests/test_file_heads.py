"""What is said of a file."""

from __future__ import annotations

import pytest

from headrace import web
from headrace.web._file_heads import plain_heads, validators
from headrace.web._media import CODINGS, FileType


def test_validators_tell_states_and_codings_apart() -> None:
    first = validators(1_000_000_000, 1, 5, None)
    assert first.date_field == "Thu, 01 Jan 1970 00:00:01 GMT"
    assert first.tag_field == f'"{first.tag.value}"'
    assert first.tag == web.ETag(first.tag.value)
    others = [
        validators(1_000_000_001, 1, 5, None),
        validators(1_000_000_000, 1, 6, None),
        *(validators(1_000_000_000, 1, 5, coding) for coding in CODINGS),
    ]
    assert len({first.tag, *(other.tag for other in others)}) == 1 + len(others)


@pytest.mark.parametrize("caching", [None, "no-cache"])
@pytest.mark.parametrize("coding", [None, CODINGS[0]])
def test_the_fields_of_the_usual_answers(caching: str | None, coding: object) -> None:
    media = FileType("text/css", "utf-8")
    heads = plain_heads('"tag"', "date", coding, coding is not None, media, caching)  # type: ignore[arg-type]
    assert (heads.tag, heads.caching) == ('"tag"', caching)
    expected = {b"ETag": b'"tag"', b"Last-Modified": b"date"}
    if caching is not None:
        expected[b"Cache-Control"] = b"no-cache"
    if coding is not None:
        expected[b"Vary"] = b"Accept-Encoding"
    assert dict(heads.not_modified) == expected
    expected |= {b"Accept-Ranges": b"bytes", b"Content-Type": b"text/css; charset=utf-8"}
    if coding is not None:
        expected[b"Content-Encoding"] = b"zstd"
    assert dict(heads.whole) == expected
