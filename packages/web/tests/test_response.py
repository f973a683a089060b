"""Responses: what their arguments and properties become on the wire, and what they refuse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from exchanges import FakeExchange, make_request
from serving import Serve

from headrace import web

TEXT = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"

#: arguments, body, Content-Type
RESPONSES: list[tuple[dict[str, Any], bytes, str | None]] = [
    ({}, b"", None),
    ({"body": b"x"}, b"x", OCTETS),
    ({"body": b""}, b"", OCTETS),
    ({"body": bytearray(b"x")}, b"x", OCTETS),
    ({"body": memoryview(b"xyz")[1:]}, b"yz", OCTETS),
    ({"body": "é"}, "é".encode(), TEXT),
    ({"body": b"x", "content_type": "image/png"}, b"x", "image/png"),
    ({"text": "é"}, "é".encode(), TEXT),
    ({"text": ""}, b"", TEXT),
    ({"text": "é", "charset": "latin-1"}, b"\xe9", "text/plain; charset=latin-1"),
    ({"text": "x", "content_type": "text/html"}, b"x", "text/html; charset=utf-8"),
    ({"text": "x", "headers": {"X-A": "b"}}, b"x", TEXT),
    ({"text": "x", "headers": {"content-type": "text/html"}}, b"x", "text/html"),
    (
        {"text": "é", "headers": {"Content-Type": "text/html; Charset=latin-1"}},
        b"\xe9",
        "text/html; Charset=latin-1",
    ),
    ({"body": b"x", "headers": {"Content-Type": "image/png"}}, b"x", "image/png"),
    ({"content_type": "text/css"}, b"", "text/css"),
    (
        {"body": b"x", "content_type": "text/css", "charset": "utf-8"},
        b"x",
        "text/css; charset=utf-8",
    ),
]


@pytest.mark.parametrize(("arguments", "body", "content_type"), RESPONSES)
async def test_arguments(arguments: dict[str, Any], body: bytes, content_type: str | None) -> None:
    response, exchange = web.Response(**arguments), FakeExchange()
    assert bytes(response.body or b"") == body
    assert response.content_length == len(body)
    await response.prepare(make_request(exchange=exchange))
    await response.write_eof()
    ((kind, status, reason, _, sent),) = exchange.sent
    assert (kind, status, reason, sent) == ("whole", 200, None, body)
    assert exchange.fields().get("content-type") == content_type
    assert response.body_length == len(body)
    # And the same once somebody has looked at the headers.
    looked = web.Response(**arguments)
    assert looked.headers.get("Content-Type") == content_type
    await looked.prepare(make_request(exchange=exchange))
    assert exchange.fields().get("content-type") == content_type


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"body": b"x", "text": "x"}, ValueError, "not allowed together"),
    (
        {"body": b"x", "text": "x", "headers": {"Content-Type": "a/b"}},
        ValueError,
        "not allowed together",
    ),
    ({"content_type": "a/b", "headers": {"Content-Type": "a/b"}}, ValueError, "not both"),
    ({"charset": "utf-8", "headers": {"Content-Type": "a/b"}}, ValueError, "not both"),
    ({"text": "x", "content_type": "a/b; charset=utf-8"}, ValueError, "charset as an argument"),
    ({"body": b"", "content_type": "a/b; charset=utf-8"}, ValueError, "charset as an argument"),
    ({"text": b"x"}, TypeError, "text must be str"),
    ({"body": 5}, TypeError, "body must be"),
    ({"status": "many"}, ValueError, "many"),
    ({"reason": "a\nb"}, ValueError, "CR or LF"),
    ({"text": "x", "charset": "klingon"}, LookupError, "klingon"),
    ({"text": "é", "charset": "ascii"}, UnicodeEncodeError, "ascii"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), REFUSED)
def test_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        web.Response(**arguments)


# -- body and text


def test_replacing_the_body() -> None:
    response = web.Response()
    assert (response.body, response.text) == (None, None)
    response.text = "é"
    assert (response.body, response.headers["Content-Type"]) == ("é".encode(), TEXT)
    response.body = b"\xff"
    assert response.headers["Content-Type"] == TEXT
    response.body = None
    assert (response.body, response.text, response.content_length) == (None, None, 0)
    with pytest.raises(TypeError, match="body must be"):
        response.body = 1  # type: ignore[assignment]


def test_the_length_of_a_response_follows_from_its_body() -> None:
    response = web.Response(body=b"abc")
    with pytest.raises(RuntimeError, match="follows from its body"):
        response.content_length = 5
    assert response.content_length == 3


# -- sending


@pytest.mark.parametrize(
    ("arguments", "content_type"),
    [
        ({"body": b"x"}, None),
        ({"body": b"x", "content_type": "a/b"}, "a/b"),
        ({"text": "x"}, "text/plain; charset=utf-8"),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [204, 205, 304])
async def test_what_has_no_body_has_no_type_of_its_own_accord(
    arguments: dict[str, Any], content_type: str | None, status: int
) -> None:
    exchange = FakeExchange()
    response = web.Response(status=status, **arguments)
    response._start(make_request(exchange=exchange))
    assert exchange.fields().get("content-type") == content_type
    assert exchange.sent[0][-1] == b""


def test_a_type_may_have_parameters() -> None:
    response = web.Response(text="x", content_type="text/plain; version=0.0.4")
    assert (response.content_type, response.charset) == ("text/plain", "utf-8")
    response.charset = "latin-1"
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=latin-1"
    assert (response.content_type, response.charset) == ("text/plain", "latin-1")
    response.headers["Content-Type"] = "jpeg"
    assert response.content_type == "application/octet-stream"


@pytest.mark.parametrize("text", [b"bytes", 5, None])
def test_text_is_text(text: Any) -> None:
    with pytest.raises(TypeError, match="text must be str"):
        web.Response().text = text


async def test_a_whole_response_is_not_written_to() -> None:
    response = web.Response(text="x")
    with pytest.raises(RuntimeError, match="prepare"):
        await response.write_eof()
    await response.prepare(make_request())
    with pytest.raises(RuntimeError):
        await response.write(b"more")
    with pytest.raises(RuntimeError, match="whole"):
        await response.write_eof(b"more")


CHANGES: list[Callable[[web.Response], object]] = [
    lambda response: response.set_status(500),
    lambda response: setattr(response, "text", "y"),
    lambda response: setattr(response, "body", b"y"),
    lambda response: setattr(response, "content_type", "text/html"),
    lambda response: setattr(response, "charset", "ascii"),
]


@pytest.mark.parametrize("change", CHANGES)
async def test_what_was_sent_cannot_be_changed(change: Callable[[web.Response], object]) -> None:
    response = web.Response(text="x")
    await response.prepare(make_request())
    with pytest.raises(RuntimeError, match="has been sent"):
        change(response)


@pytest.mark.parametrize("again", ["same connection", "another connection"])
async def test_a_response_is_sent_once(serve: Serve, again: str) -> None:
    shared = web.Response(text="shared")

    async def handler(request: web.Request) -> web.Response:
        return shared

    served = await serve(handler)
    request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    wire = await served.connect()
    wire.send(request)
    assert (await wire.answer())[1] == b"shared"
    if again == "another connection":
        wire = await served.connect()
    wire.send(request)
    head, _ = await wire.answer()
    assert head.startswith(b"HTTP/1.1 500 ")


async def test_a_large_body_that_nobody_reads_does_not_stop_the_connection(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        while not request.content.is_eof():
            await asyncio.sleep(0)
        return web.Response(text="done")

    served = await serve(handler)
    wire = await served.connect()
    body = b"x" * 150_000
    for _ in range(3):
        wire.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        assert (await wire.answer())[1] == b"done"


# -- json_response

JSON: list[tuple[tuple[Any, ...], dict[str, Any], bytes]] = [
    (({"a": 1},), {}, b'{"a": 1}'),
    ((None,), {}, b"null"),
    ((), {}, b"null"),
    ((0,), {}, b"0"),
    ((), {"text": "[1]"}, b"[1]"),
    ((), {"body": b"[1]"}, b"[1]"),
    (([1],), {"dumps": lambda data: json.dumps(data).encode()}, b"[1]"),
    (
        ({"é": 1},),
        {"dumps": lambda data: json.dumps(data, ensure_ascii=False)},
        '{"é": 1}'.encode(),
    ),
]


@pytest.mark.parametrize(("arguments", "keywords", "body"), JSON)
def test_json_response(arguments: Any, keywords: dict[str, Any], body: bytes) -> None:
    response = web.json_response(*arguments, status=201, headers={"X-A": "b"}, **keywords)
    assert response.body == body
    assert response.content_type == "application/json"
    assert (response.status, response.headers["X-A"]) == (201, "b")


@pytest.mark.parametrize("other", [{"text": "x"}, {"body": b"x"}])
def test_json_of_two_things(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="only one of"):
        web.json_response({}, **other)
