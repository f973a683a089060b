"""Range fields (RFC 9110, section 14) and the multipart bodies that answer several ranges."""

from __future__ import annotations

from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.web._ranges import (
    MAX_RANGES,
    Span,
    UnsatisfiableRangeError,
    content_range,
    multipart,
    parse_ranges,
)

#: field, size, spans; None: the field is ignored
RANGES: list[tuple[str, int, list[tuple[int, int]] | None]] = [
    ("bytes=0-0", 10, [(0, 1)]),
    ("bytes=2-4", 10, [(2, 5)]),
    ("bytes=2-", 10, [(2, 10)]),
    ("bytes=-3", 10, [(7, 10)]),
    ("bytes=-30", 10, [(0, 10)]),
    ("bytes=5-99", 10, [(5, 10)]),
    ("Bytes = 0-1".replace(" = ", "="), 10, [(0, 2)]),
    ("bytes= 0-1 , 5-6", 10, [(0, 2), (5, 7)]),
    ("bytes=5-6,0-1", 10, [(5, 7), (0, 2)]),
    ("bytes=,0-1,", 10, [(0, 2)]),
    ("bytes=0-1,99-", 10, [(0, 2)]),
    ("bytes=0-4,2-6", 10, [(0, 7)]),
    ("bytes=0-1,2-3", 10, [(0, 4)]),
    ("bytes=0-,-1,0-0", 10, [(0, 10)]),
    ("lines=1-2", 10, None),
    ("bytes", 10, None),
    ("bytes=" + ",".join(["0-0"] * (MAX_RANGES + 1)), 10, None),
]


@pytest.mark.parametrize(("value", "size", "spans"), RANGES)
def test_ranges(value: str, size: int, spans: list[tuple[int, int]] | None) -> None:
    assert parse_ranges(value, size) == spans


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("bytes=", 10),
        ("bytes=10-", 10),
        ("bytes=-0", 10),
        ("bytes=0-", 0),
        ("bytes=-5", 0),
        ("bytes=4-2", 10),
        ("bytes=a-b", 10),
        ("bytes=-", 10),
        ("bytes=1", 10),
        ("bytes=0-1;5-6", 10),
        ("bytes=0-1,x", 10),
        ("bytes=+1-2", 10),
        ("bytes=١-٢", 10),  # noqa: RUF001 (digits that are not ASCII)
        ("bytes=0x0-1", 10),
        ("bytes=99999999999999999999-", 10),
    ],
)
def test_unsatisfiable_ranges(value: str, size: int) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_ranges(value, size)


@given(st.text(alphabet="0123456789-, bytes=", max_size=40), st.integers(0, 50))
def test_whatever_is_asked_lies_within(value: str, size: int) -> None:
    try:
        spans = parse_ranges("bytes=" + value, size)
    except UnsatisfiableRangeError:
        return
    assert spans
    assert all(0 <= span.start < span.stop <= size for span in spans)
    assert sum(span.stop - span.start for span in spans) <= size


def test_content_range() -> None:
    assert content_range(Span(2, 5), 10) == "bytes 2-4/10"


def test_a_multipart_body() -> None:
    data = bytes(range(100))
    spans = [Span(90, 95), Span(0, 10)]
    parts = multipart(spans, len(data), "image/png")
    body = b"".join(text + data[span.start : span.stop] for text, span in parts.pieces) + parts.end
    assert len(body) == parts.length
    message = message_from_bytes(f"Content-Type: {parts.content_type}\r\n\r\n".encode() + body)
    assert message.get_content_type() == "multipart/byteranges"
    found = message.get_payload()
    assert isinstance(found, list)
    assert [part["Content-Range"] for part in found] == ["bytes 90-94/100", "bytes 0-9/100"]
    assert [part.get_content_type() for part in found] == ["image/png", "image/png"]
    assert multipart(spans, 100, "image/png").content_type != parts.content_type
