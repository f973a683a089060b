"""The rules of framing over known fields; the byte tables show them in whole messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.http_parser import Fault, RemoteProtocolError
from headrace.http_parser._framing import (
    Framing,
    content_length,
    list_of,
    request_framing,
    response_framing,
)
from headrace.http_parser._scan_py import (
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    TRANSFER_ENCODING,
    UPGRADE,
    Known,
)

A = (HOST, b"a")


@pytest.mark.parametrize(
    ("known", "minor", "framing"),
    [
        ((A,), 1, Framing(True, None, False, False, None, True)),
        ((), 0, Framing(False, None, False, False, None, False)),
        ((A, (CONNECTION, b"keep-alive")), 0, Framing(True, None, False, False, None, False)),
        ((A, (CONNECTION, b"close")), 1, Framing(False, None, False, False, None, False)),
        ((A, (CONTENT_LENGTH, b"7")), 1, Framing(True, 7, False, False, None, True)),
        ((A, (TRANSFER_ENCODING, b"chunked")), 1, Framing(True, None, True, False, None, True)),
        ((A, (EXPECT, b"100-CONTINUE")), 1, Framing(True, None, False, True, None, False)),
        ((A, (EXPECT, b"101-continue")), 0, Framing(False, None, False, False, None, False)),
        (
            (A, (UPGRADE, b"x"), (CONNECTION, b"Upgrade"), (UPGRADE, b"y/1")),
            1,
            Framing(True, None, False, False, b"x, y/1", False),
        ),
    ],
)
def test_request_framing(known: Known, minor: int, framing: Framing) -> None:
    assert request_framing(known, minor) == framing


VALUES = st.binary(max_size=12).map(lambda value: value.strip(b" \t"))


@given(st.lists(st.tuples(st.integers(1, 6), VALUES)).map(tuple), st.integers(0, 9))
def test_any_known_fields_are_judged(known: Known, minor: int) -> None:
    for judge in (request_framing, response_framing):
        try:
            framing = judge(known, minor)
        except RemoteProtocolError:
            continue
        assert framing.length is None or (0 <= framing.length < 2**63 and not framing.chunked)


def test_a_response_needs_no_host() -> None:
    assert response_framing((), 1).keep_alive


def test_the_largest_length() -> None:
    assert content_length([b"9223372036854775807"]) == 2**63 - 1
    with pytest.raises(RemoteProtocolError) as caught:
        content_length([b"9223372036854775808"])
    assert caught.value.fault is Fault.CONTENT_LENGTH


def test_lists_ignore_their_empty_elements() -> None:
    assert list_of([b", a ,,B\t", b"", b"c"]) == [b"a", b"b", b"c"]
