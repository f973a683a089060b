"""The slow, exact reader of lines: how early it speaks, and where a section begins and ends."""

from __future__ import annotations

import pytest

from headrace.http_parser import Fault, Limits, RemoteProtocolError
from headrace.http_parser._lines import NEVER, LineCheck, Section, first_bad_byte


@pytest.mark.parametrize(
    ("data", "at"),
    [
        (b"\x16\x03\x01", 1),
        (b"GET / HTTP/1.1\n", 15),
        (b"GET /\t", 6),
        (b"\x80", 1),
        (b"GET / HTTP/1.1\rX", 16),
        (b"GET / HTTP/2.0\r\n", 16),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n", 28),
        (b"GET / HTTP/1.1\r\nHost: a\n", 24),
        (b"GET /" + b"a" * 100, 51),
    ],
)
def test_a_fault_is_found_with_the_byte_that_makes_it(data: bytes, at: int) -> None:
    check = LineCheck(Section.REQUEST, Limits(max_request_line=50))
    for end in range(1, at):
        assert check.feed(data[:end], 0) is None
    with pytest.raises(RemoteProtocolError):
        check.feed(data[:at], 0)


def test_a_section_says_where_it_begins_and_ends() -> None:
    data = b"...\r\n\r\nGET / HTTP/1.1\r\nA: b\r\n\r\nrest"
    check = LineCheck(Section.REQUEST, Limits(max_leading_empty_lines=2))
    assert check.feed(data, 3) == len(data) - len(b"...rest")
    assert check.begin == 4


def test_trailers_have_no_first_line() -> None:
    assert LineCheck(Section.TRAILERS, Limits()).feed(b"\r\nrest", 0) == 2
    assert LineCheck(Section.TRAILERS, Limits()).feed(b"A: b\r\n\r\n", 0) == 8


@pytest.mark.parametrize(
    ("piece", "found"),
    [
        (b"", (NEVER, Fault.CONTROL_CHARACTER)),
        (b"abc\r", (NEVER, Fault.CONTROL_CHARACTER)),
        (b"abc\r\n", (NEVER, Fault.CONTROL_CHARACTER)),
        (b"\t\x80", (NEVER, Fault.CONTROL_CHARACTER)),
        (b"a\x00\n", (1, Fault.CONTROL_CHARACTER)),
        (b"a\rb\x00", (2, Fault.BARE_CR)),
        (b"a\r\r\n", (2, Fault.BARE_CR)),
        (b"\nb", (0, Fault.BARE_LF)),
    ],
)
def test_the_first_bad_byte(piece: bytes, found: tuple[int, Fault]) -> None:
    assert first_bad_byte(piece) == found


def test_a_request_line_is_visible_ascii() -> None:
    assert first_bad_byte(b"a\t", request_line=True) == (1, Fault.REQUEST_LINE)
    assert first_bad_byte(b"a\x80", request_line=True) == (1, Fault.REQUEST_LINE)
