"""Responses as streams: status line, fields and life, and what is written in which order."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from exchanges import FakeExchange, make_request

from headrace import web

OCTETS = "application/octet-stream"


# -- status and reason

MAKERS: list[Callable[..., web.StreamResponse]] = [web.StreamResponse, web.Response]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("status", "reason", "phrase"),
    [
        (200, None, "OK"),
        (HTTPStatus.NOT_FOUND, None, "Not Found"),
        (299, None, ""),
        (200, "Fine", "Fine"),
        (200, "", ""),
    ],
)
def test_status(
    make: Callable[..., web.StreamResponse], status: int, reason: str | None, phrase: str
) -> None:
    for response in (make(status=status, reason=reason), make(status=500, reason="Oops")):
        response.set_status(status, reason)
        assert (response.status, response.reason) == (int(status), phrase)
        assert type(response.status) is int


@pytest.mark.parametrize("make", MAKERS)
def test_a_reason_is_one_line(make: Callable[..., web.StreamResponse]) -> None:
    response = make()
    with pytest.raises(ValueError, match="CR or LF"):
        response.set_status(200, "a\rb")
    with pytest.raises(ValueError, match="CR or LF"):
        make(reason="a\r\nX: y")
    assert response.reason == "OK"


# -- the content type


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("looked", [False, True])
def test_content_type_and_charset(make: Callable[..., web.StreamResponse], looked: bool) -> None:
    response = make(headers={"X-A": "b"} if looked else None)
    assert (response.content_type, response.charset) == (OCTETS, None)
    with pytest.raises(RuntimeError, match="octets have no charset"):
        response.charset = "utf-8"
    response.content_type = "text/html"
    assert (response.content_type, response.charset) == ("text/html", None)
    response.charset = "UTF-8"
    assert response.charset == "utf-8"
    response.content_type = "text/css"
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    response.charset = None
    assert response.headers["Content-Type"] == "text/css"
    with pytest.raises(ValueError, match="charset as an argument"):
        response.content_type = "text/html; charset=x"


@pytest.mark.parametrize(
    ("value", "media", "charset"),
    [
        ("text/html; charset=utf-8", "text/html", "utf-8"),
        ("Text/HTML;CHARSET=UTF-8", "text/html", "UTF-8"),
        ('text/html; a=b; charset="utf-8"; c=d', "text/html", "utf-8"),
        ("text/html; x-charset=no", "text/html", None),
        ("text/html", "text/html", None),
    ],
)
def test_content_type_of_a_field(value: str, media: str, charset: str | None) -> None:
    response = web.StreamResponse(headers={"Content-Type": value})
    assert (response.content_type, response.charset) == (media, charset)


def test_the_length_of_a_stream() -> None:
    response = web.StreamResponse()
    assert response.content_length is None
    response.content_length = 5
    assert (response.content_length, response.headers["Content-Length"]) == (5, "5")
    response.content_length = None
    assert "Content-Length" not in response.headers


# -- last_modified

WHEN = datetime.datetime(1994, 11, 6, 8, 49, 37, tzinfo=datetime.UTC)
FIELD = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    "value",
    [
        WHEN,
        WHEN.replace(tzinfo=None),
        WHEN.astimezone(datetime.timezone(datetime.timedelta(hours=5))),
        WHEN.timestamp(),
        int(WHEN.timestamp()),
        WHEN.timestamp() - 0.5,
        FIELD,
    ],
    ids=repr,
)
def test_last_modified(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # A date without a zone is UTC, wherever the server stands.
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    response = web.StreamResponse()
    assert response.last_modified is None
    response.last_modified = value
    assert response.headers["Last-Modified"] == FIELD
    assert response.last_modified == WHEN
    response.last_modified = None
    assert "Last-Modified" not in response.headers
    monkeypatch.undo()
    time.tzset()


# -- sending


async def test_a_stream() -> None:
    exchange = FakeExchange()
    response = web.StreamResponse(status=202, headers={"X-A": "é"})
    response.content_type = "text/html"
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", path=None)
    response.force_close()
    assert not response.prepared
    await response.prepare(make_request(exchange=exchange))
    assert response.prepared
    await response.write(b"one")
    response.write(bytearray(b"two"))
    response.write(memoryview(b"three"))
    await response.write(b"")
    await response.drain()
    await response.write_eof(b"four")
    await response.write_eof()
    assert response.body_length == 15
    head, *rest = exchange.sent
    assert head[:3] == ("head", 202, None)
    assert sorted(head[3]) == sorted(
        [
            (b"Content-Type", b"text/html"),
            (b"X-A", "é".encode()),
            (b"Set-Cookie", b"a=1; Path=/"),
            (b"Set-Cookie", b"b=2"),
            (b"Connection", b"close"),
        ]
    )
    assert rest == [
        ("data", b"one"),
        ("data", b"two"),
        ("data", b"three"),
        ("drain",),
        ("data", b"four"),
        ("eof",),
    ]


def chunked(response: web.StreamResponse) -> None:
    response.content_length = 5
    response.enable_chunked_encoding(1024)
    assert response.chunked


@pytest.mark.parametrize(
    ("make", "change", "content_type"),
    [
        (web.StreamResponse, lambda response: None, "application/octet-stream"),
        (web.StreamResponse, chunked, "application/octet-stream"),
        (web.StreamResponse, lambda response: response.headers, "application/octet-stream"),
        (lambda: web.StreamResponse(headers={"X": "y"}), None, "application/octet-stream"),
        (lambda: web.StreamResponse(headers={"Content-Type": "a/b"}), None, "a/b"),
        (lambda: web.StreamResponse(status=204), None, None),
        (lambda: web.StreamResponse(status=205), None, None),
        (lambda: web.StreamResponse(status=304), None, None),
        (lambda: web.StreamResponse(headers={"Content-Length": "0"}), None, None),
        (web.Response, None, None),
        (lambda: web.Response(text="x"), None, "text/plain; charset=utf-8"),
        (
            lambda: web.Response(text="x"),
            lambda response: response.headers.popall("Content-Type"),
            "application/octet-stream",
        ),
    ],
)
async def test_what_has_a_body_has_a_type(make: Any, change: Any, content_type: str | None) -> None:
    exchange = FakeExchange()
    response = make()
    if change is not None:
        change(response)
    await response.prepare(make_request(exchange=exchange))
    assert exchange.fields().get("content-type") == content_type


async def test_the_hook_sees_the_type() -> None:
    seen = []

    async def hook(response: web.StreamResponse) -> None:
        seen.append(response.headers["Content-Type"])

    request = make_request()
    request._prepare_hook = hook
    await web.StreamResponse().prepare(request)
    assert seen == ["application/octet-stream"]


async def test_the_task() -> None:
    response = web.StreamResponse()
    assert response.task is None
    assert not response.chunked
    await response.prepare(make_request())
    assert response.task is asyncio.current_task()
    response.enable_chunked_encoding()  # too late, but no fault
    assert response.chunked


async def test_the_order_of_calls() -> None:
    response = web.StreamResponse()
    with pytest.raises(RuntimeError, match="prepare"):
        response.write(b"x")
    with pytest.raises(RuntimeError, match="prepare"):
        await response.write_eof()
    await response.prepare(make_request())
    with pytest.raises(TypeError, match="bytes-like"):
        response.write("x")  # type: ignore[arg-type]
    await response.write_eof()
    with pytest.raises(RuntimeError, match="after write_eof"):
        response.write(b"x")


async def test_the_hook_runs_once_and_before_the_head() -> None:
    exchange = FakeExchange()
    request, seen = make_request(exchange=exchange), []

    async def hook(response: web.StreamResponse) -> None:
        seen.append((response, list(exchange.sent)))
        response.headers["X-Hook"] = "was here"

    request._prepare_hook = hook
    response = web.Response(text="x")
    await response.prepare(request)
    await response.prepare(request)
    assert seen == [(response, [])]
    assert exchange.fields()["x-hook"] == "was here"
    assert len(exchange.sent) == 1


def test_keep_alive() -> None:
    response = web.Response()
    assert response.keep_alive is None
    response.force_close()
    assert response.keep_alive is False


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda r: None, "<StreamResponse 200 OK not prepared>"),
        (lambda r: r.prepare(make_request()), "<StreamResponse 200 OK prepared>"),
    ],
)
async def test_repr(change: Callable[[web.StreamResponse], Any], text: str) -> None:
    response = web.StreamResponse()
    step = change(response)
    if step is not None:
        await step
    assert repr(response) == text
    if response.prepared:
        await response.write_eof()
        assert repr(response) == "<StreamResponse 200 OK ended>"
