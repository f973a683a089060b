"""Fields, queries and cookies: those that come again are the ones that were made before."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDictProxy

from headrace.http_parser import Connection, Headers, Role
from headrace.web import HttpVersion11, Request, _received
from headrace.web._received import text_headers

HOST = b"Host: a\r\n"


def received(lines: bytes) -> Headers:
    whole = Connection(Role.SERVER).receive_whole(b"GET / HTTP/1.1\r\n" + lines + b"\r\n")
    assert whole is not None
    return whole[2]


def test_fields_that_come_again_are_made_once() -> None:
    lines = HOST + b"Cookie: a=b\r\nX-Name: \xc3\xa9\xff\r\n"
    headers = text_headers(received(lines))
    assert text_headers(received(lines)) is headers
    assert list(headers.items()) == [("Host", "a"), ("Cookie", "a=b"), ("X-Name", "\xe9\udcff")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"X: 1\r\n" + b"A: %b\r\n" % (b"-" * 50), b"X: 2\r\n" + b"A: %b\r\n" % (b"-" * 50)),
        (b"X: 1\r\n", b"x: 1\r\n"),
        (b"X: 1\r\n", b"X:1\r\n"),
        (b"X: 1\r\n", b""),
    ],
)
def test_fields_that_differ_are_not_mixed_up(first: bytes, second: bytes) -> None:
    for lines in (first, second, first):
        fields = received(HOST + lines)
        assert tuple(text_headers(fields).items()) == fields.text()


@given(st.lists(st.sampled_from([b"A: 1\r\n", b"A: 2\r\n", b"B: 1\r\n", b"a: 1\r\n"]), max_size=8))
def test_what_is_kept_is_what_would_be_made(lines: list[bytes]) -> None:
    fields = received(HOST + b"".join(lines))
    assert tuple(text_headers(fields).items()) == fields.text()


def test_large_blocks_are_not_kept() -> None:
    lines = HOST + b"X: %b\r\n" % (b"x" * _received.MAX_BLOCK)
    headers = text_headers(received(lines))
    again = text_headers(received(lines))
    assert again is not headers
    assert again == headers


def request(target: str, cookie: str = "") -> Request:
    fields = received(HOST + b"Cookie: %b\r\n" % cookie.encode())
    return Request("GET", target, HttpVersion11, fields, None, cast(Any, None))


def test_queries_and_cookies_that_come_again_are_made_once() -> None:
    first, again = request("/?a=b&a=%20", "c=d"), request("/?a=b&a=%20", "c=d")
    assert first.query is again.query
    assert first.cookies is again.cookies
    assert (list(first.query.items()), dict(first.cookies)) == (
        [("a", "b"), ("a", " ")],
        {"c": "d"},
    )


@pytest.mark.parametrize("name", ["query", "cookies"])
def test_long_ones_are_not_kept(name: str) -> None:
    long = {"query": _received.MAX_QUERY, "cookies": _received.MAX_COOKIES}[name] - len("a=")
    for size, is_kept in ((long, True), (long + 1, False)):
        text = "a=" + "x" * size
        first, again = (getattr(request(f"/?{text}", text), name) for _ in range(2))
        assert (first is again, first == again, len(first["a"])) == (is_kept, True, size)


def test_fields_that_were_not_received_as_they_are() -> None:
    fields = ((b"Host", b"a"), (b"X", b"\xff"))
    headers = text_headers(fields)
    assert isinstance(headers, CIMultiDictProxy)
    assert list(headers.items()) == [("Host", "a"), ("X", "\udcff")]
    cut = received(HOST)
    assert len(cut) == 1
    assert list(text_headers(cut).items()) == [("Host", "a")]
