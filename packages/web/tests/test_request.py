"""Every property of a request, as tables over what was received."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from exchanges import FakeExchange, make_request
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from headrace import web
from headrace.web._streams import StreamReader

HUGE = "9" * 30

# -- the request line

TARGETS: list[tuple[str, dict[str, Any]]] = [
    (
        "/",
        {
            "raw_path": "/",
            "path": "/",
            "path_qs": "/",
            "query_string": "",
            "query": {},
            "rel_url": URL("/"),
            "url": URL("http://example.org/"),
        },
    ),
    (
        "/a%20b/%2F?x=1&x=2&y=%26&z",
        {
            "raw_path": "/a%20b/%2F?x=1&x=2&y=%26&z",
            "path": "/a b//",
            "path_qs": "/a%20b/%2F?x=1&x=2&y=%26&z",
            "encoded_path": "/a%20b/%2F",
            "url": URL("http://example.org/a%20b/%2F?x=1&x=2&y=%26&z", encoded=True),
        },
    ),
    ("/%D1%84?%D1%84=+%2B", {"path": "/ф", "query_string": "ф= %2B", "query": {"ф": " +"}}),
    ("/a?", {"raw_path": "/a?", "path": "/a", "path_qs": "/a", "query": {}}),
    ("/a?b=?c", {"path": "/a", "query": {"b": "?c"}}),
    ("/a?&&b=", {"query": {"b": ""}}),
    # Two slashes at the start are a path, not an authority.
    (
        "//evil.org/x?y",
        {
            "path": "//evil.org/x",
            "path_qs": "//evil.org/x?y",
            "host": "example.org",
            "url": URL("http://example.org//evil.org/x?y"),
        },
    ),
    ("/a/../b", {"path": "/a/../b", "raw_path": "/a/../b"}),
    # A malformed escape stays as it is.
    ("/%zz%", {"path": "/%zz%", "raw_path": "/%zz%"}),
    # RFC 9112, section 3.2.2: an absolute target overrides Host.
    (
        "http://other.org:81/p?q=1",
        {
            "raw_path": "http://other.org:81/p?q=1",
            "path": "/p",
            "path_qs": "/p?q=1",
            "query": {"q": "1"},
            "host": "other.org:81",
            "url": URL("http://other.org:81/p?q=1"),
        },
    ),
    ("http://other.org", {"path": "/", "path_qs": "/", "host": "other.org"}),
    ("http://other.org?q=1", {"path": "/", "path_qs": "/?q=1", "host": "other.org"}),
    ("*", {"path": "*", "raw_path": "*", "query": {}}),
    ("example.org:443", {"path": "example.org:443", "raw_path": "example.org:443"}),
]


@pytest.mark.parametrize(("target", "expected"), TARGETS, ids=[case[0] for case in TARGETS])
def test_targets(target: str, expected: dict[str, Any]) -> None:
    request = make_request(target)
    assert {name: getattr(request, name) for name in expected} == expected
    # All of it is there for every form of target.
    assert str(request.url)
    assert str(request.rel_url)
    assert request.encoded_path in repr(request)


def test_query_keeps_repeated_names() -> None:
    request = make_request("/?x=1&y=2&x=3")
    assert list(request.query.items()) == [("x", "1"), ("y", "2"), ("x", "3")]
    assert request.query.getall("x") == ["1", "3"]


@given(st.text("ab=&+%;12é ", max_size=20))
def test_query_is_read_like_a_form(text: str) -> None:
    query = URL.build(query_string=text).raw_query_string
    request = make_request(f"/?{query}")
    assert list(request.query.items()) == parse_qsl(query, keep_blank_values=True)


def test_method_and_version() -> None:
    request = make_request(method="PURGE", version=web.HttpVersion10)
    assert (request.method, request.version) == ("PURGE", (1, 0))
    assert request.version != web.HttpVersion11


# -- where it comes from

INFO: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"scheme": "http", "secure": False, "remote": None, "keep_alive": True}),
    ({"sslcontext": object()}, {"scheme": "https", "secure": True}),
    ({"peername": ("192.0.2.1", 5)}, {"remote": "192.0.2.1"}),
    ({"peername": ("2001:db8::1", 5, 0, 0)}, {"remote": "2001:db8::1"}),
    ({"peername": ""}, {"remote": None}),
    ({"peername": "/run/client.sock"}, {"remote": "/run/client.sock"}),
]


@pytest.mark.parametrize(("info", "expected"), INFO)
def test_the_connection(info: dict[str, Any], expected: dict[str, Any]) -> None:
    request = make_request(exchange=FakeExchange(**info))
    assert {name: getattr(request, name) for name in expected} == expected
    assert request.get_extra_info("peername", "?") == info.get("peername", "?")


def test_no_field_changes_where_it_comes_from() -> None:
    fields = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.org",
        "Forwarded": "for=203.0.113.9;proto=https;host=evil.org",
    }
    request = make_request(headers=fields, exchange=FakeExchange(peername=("192.0.2.1", 5)))
    assert (request.remote, request.scheme, request.host) == ("192.0.2.1", "http", "example.org")


@pytest.mark.parametrize(
    ("sockname", "host"),
    [
        (("127.0.0.1", 80), "127.0.0.1:80"),
        (("::1", 80, 0, 0), "[::1]:80"),
        ("/run/server.sock", "localhost"),
        (None, "localhost"),
    ],
)
def test_host_of_a_client_that_names_none(sockname: Any, host: str) -> None:
    exchange = FakeExchange(sockname=sockname)
    request = web.Request("GET", "/", web.HttpVersion10, [], None, exchange)
    assert request.host == host
    assert request.url == URL(f"http://{host}/")


async def test_transport_task_and_loop() -> None:
    request = make_request()
    assert request.transport is None
    assert request.task is asyncio.current_task()
    assert request.loop is asyncio.get_running_loop()


# -- the fields


def test_headers() -> None:
    request = make_request(
        headers=[("X-One", "1"), ("x-two", "ä"), ("X-ONE", "3"), ("X-Raw", "\udcff")]
    )
    assert request.headers["x-one"] == "1"
    assert request.headers.getall("X-One") == ["1", "3"]
    assert request.headers["X-Two"] == "ä"
    assert request.headers["X-Raw"] == "\udcff"
    names = [name for name, _ in request.headers.items()]
    assert names == ["Host", "X-One", "x-two", "X-ONE", "X-Raw"]
    assert request.raw_headers[1:] == (
        (b"X-One", b"1"),
        (b"x-two", "ä".encode()),
        (b"X-ONE", b"3"),
        (b"X-Raw", b"\xff"),
    )
    with pytest.raises(TypeError):
        request.headers["X"] = "y"  # type: ignore[index]


def test_cookies_of_several_fields() -> None:
    request = make_request(headers=[("Cookie", "a=1; b=2"), ("Cookie", "c=3")])
    assert request.cookies == {"a": "1", "b": "2", "c": "3"}
    assert make_request().cookies == {}
    with pytest.raises(TypeError):
        request.cookies["d"] = "4"  # type: ignore[index]


CONTENT_TYPES: list[tuple[str | None, str, str | None]] = [
    (None, "application/octet-stream", None),
    ("", "application/octet-stream", None),
    ("text/html", "text/html", None),
    ("Text/HTML", "text/html", None),
    ("text/html; charset=UTF-8", "text/html", "UTF-8"),
    ("text/html;charset=utf-8", "text/html", "utf-8"),
    ("text/html ; CHARSET=utf-8", "text/html", "utf-8"),
    ('text/html; charset="utf-8"', "text/html", "utf-8"),
    (r'text/html; charset="u\tf-8"', "text/html", "utf-8"),
    ("text/html; a=b; charset=x; charset=y", "text/html", "x"),
    ('text/html; a="; charset=no"; charset=yes', "text/html", "yes"),
    ("text/html; x-charset=no", "text/html", None),
    ("text/html; charset", "text/html", None),
    ("text", "application/octet-stream", None),
    ("text/", "application/octet-stream", None),
    ("; charset=utf-8", "application/octet-stream", None),
]


@pytest.mark.parametrize(("value", "media", "charset"), CONTENT_TYPES)
def test_content_type(value: str | None, media: str, charset: str | None) -> None:
    request = make_request(headers={} if value is None else {"Content-Type": value})
    assert (request.content_type, request.charset) == (media, charset)


RANGES: list[tuple[str | None, slice | None]] = [
    (None, slice(None, None, 1)),
    ("bytes=0-9", slice(0, 10, 1)),
    ("bytes=5-5", slice(5, 6, 1)),
    ("bytes=5-", slice(5, None, 1)),
    ("bytes=-5", slice(-5, None, 1)),
    # RFC 9110, section 14.1: units are case-insensitive.
    ("Bytes=0-9", slice(0, 10, 1)),
    (f"bytes=0-{HUGE}", slice(0, int(HUGE) + 1, 1)),
    ("bytes=9-0", None),
    ("bytes=0-1,3-4", None),
    ("bytes=-", None),
    ("bytes=a-b", None),
    ("bytes=\u0661-", None),
    ("bytes=0-9x", None),
    ("lines=0-9", None),
    ("0-9", None),
    ("", None),
    (f"bytes={'9' * 5000}-", None),
]


@pytest.mark.parametrize(("value", "wanted"), RANGES)
def test_http_range(value: str | None, wanted: slice | None) -> None:
    request = make_request(headers={} if value is None else {"Range": value})
    if wanted is None:
        with pytest.raises(ValueError, match=r"range|start|digits"):
            _ = request.http_range
    else:
        assert request.http_range == wanted


ETAGS: list[tuple[list[str], tuple[web.ETag, ...] | None]] = [
    ([], None),
    (["*"], (web.ETag("*"),)),
    (['"a"'], (web.ETag("a"),)),
    (['"a", W/"b" ,"c"'], (web.ETag("a"), web.ETag("b", is_weak=True), web.ETag("c"))),
    # A list may stand on several lines (RFC 9110, section 5.3).
    (['"a"', 'W/"b"'], (web.ETag("a"), web.ETag("b", is_weak=True))),
    (['""'], (web.ETag(""),)),
    (['"a,b"'], (web.ETag("a,b"),)),
    ([',"a",,"b",'], (web.ETag("a"), web.ETag("b"))),
    (["a"], ()),
    (['"a" "b"'], ()),
    (['"a'], ()),
    (['w/"a"'], ()),
    (['"a\tb"'], ()),
    ([""], ()),
]


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize(("values", "tags"), ETAGS)
def test_entity_tags(name: str, values: list[str], tags: tuple[web.ETag, ...] | None) -> None:
    request = make_request(headers=[(name, value) for value in values])
    assert getattr(request, name.lower().replace("-", "_")) == tags


UTC = datetime.UTC
DATES: list[tuple[str | None, datetime.datetime | None]] = [
    (None, None),
    ("Sun, 06 Nov 1994 08:49:37 GMT", datetime.datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
    # The obsolete forms (RFC 9110, section 5.6.7).
    ("Sunday, 06-Nov-94 08:49:37 GMT", datetime.datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
    ("Sun Nov  6 08:49:37 1994", datetime.datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
    ("Sun, 06 Nov 1994 08:49:37 +0100", datetime.datetime(1994, 11, 6, 7, 49, 37, tzinfo=UTC)),
    ("", None),
    ("yesterday", None),
    ("Sun, 31 Feb 1994 08:49:37 GMT", None),
    ("Sun, 06 Nov 1994 25:49:37 GMT", None),
    (f"Sun, 06 Nov {HUGE} 08:49:37 GMT", None),
    ("Sun, 06 Nov 1994 08:49:37 -99999999", None),
    ("\udcff", None),
]


@pytest.mark.parametrize("name", ["If-Modified-Since", "If-Unmodified-Since", "If-Range"])
@pytest.mark.parametrize(("value", "date"), DATES)
def test_dates(name: str, value: str | None, date: datetime.datetime | None) -> None:
    request = make_request(headers={} if value is None else {name: value})
    found = getattr(request, name.lower().replace("-", "_"))
    assert found == date
    assert found is None or found.tzinfo is UTC


@given(
    st.text(st.characters(max_codepoint=127), max_size=40)
    | st.from_regex(
        r"[A-Z][a-z]{2}, \d{1,12} [A-Z][a-z]{2} \d{1,12} \d{1,4}:\d{1,4}:\d{1,4} [+-]?\d{1,9}",
        fullmatch=True,
    )
)
def test_no_date_raises(value: str) -> None:
    found = make_request(headers={"If-Modified-Since": value}).if_modified_since
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "validator"),
    [('"a"', web.ETag("a")), ('W/"a"', web.ETag("a", is_weak=True)), ('"a', None)],
)
def test_if_range_may_be_a_tag(value: str, validator: web.ETag | None) -> None:
    assert make_request(headers={"If-Range": value}).if_range == validator


# -- the body


def test_without_a_body() -> None:
    request = make_request()
    assert (request.body_exists, request.can_read_body, request.content_length) == (
        False,
        False,
        None,
    )
    assert request.content.at_eof()


async def test_with_a_body() -> None:
    request = make_request(method="POST", headers={"Content-Length": "4"}, body=b"body")
    assert (request.body_exists, request.can_read_body, request.content_length) == (True, True, 4)
    assert await request.read() == b"body"
    assert (request.body_exists, request.can_read_body) == (True, False)


async def test_the_body_is_kept() -> None:
    request = make_request(method="POST", body=b'{"a": 1}')
    assert await request.json() == {"a": 1}
    assert await request.text() == '{"a": 1}'
    assert await request.read() == b'{"a": 1}'
    assert await make_request().read() == b""
    assert await make_request().text() == ""


async def test_release_forgets_the_body() -> None:
    request = make_request(method="POST", body=b"body")
    await request.release()
    assert not request.can_read_body
    assert await request.read() == b""
    await make_request().release()


CHARSETS: list[tuple[bytes, str | None, str]] = [
    ("é".encode(), None, "é"),
    ("é".encode(), "UTF-8", "é"),
    (b"\xe9", "latin-1", "é"),
    (b"\xff\xfe\xe9\x00", "utf-16", "é"),
]


@pytest.mark.parametrize(("body", "charset", "text"), CHARSETS)
async def test_text_is_decoded_by_its_charset(body: bytes, charset: str | None, text: str) -> None:
    fields = {} if charset is None else {"Content-Type": f"text/plain; charset={charset}"}
    assert await make_request(method="POST", headers=fields, body=body).text() == text


FAULTS: list[tuple[str, bytes, str, type[Exception], int]] = [
    ("text", b"\xff", "utf-8", UnicodeDecodeError, 400),
    ("text", b"x", "idna", LookupError, 415),
    ("text", b"x", "undefined", LookupError, 415),
    ("text", b"x", "klingon", LookupError, 415),
    ("text", b"x", "rot13", LookupError, 415),
    ("text", b"x", "zlib", LookupError, 415),
    ("text", b"x", '"\udcff"', LookupError, 415),
    ("text", b"x", '"../../etc/passwd"', LookupError, 415),
    ("json", b"", "utf-8", json.JSONDecodeError, 400),
    ("json", b"{", "utf-8", json.JSONDecodeError, 400),
    ("json", b"\xff", "utf-8", UnicodeDecodeError, 400),
    ("json", b"9" * 5000, "utf-8", ValueError, 400),
    ("json", b"[" * 200_000, "utf-8", RecursionError, 400),
    ("json", b"{}", "klingon", LookupError, 415),
]


@pytest.mark.parametrize(("method", "body", "charset", "error", "status"), FAULTS)
@pytest.mark.parametrize("clones", [0, 1, 2])
async def test_the_client_is_to_blame_for_its_body(
    method: str, body: bytes, charset: str, error: type[Exception], status: int, clones: int
) -> None:
    fields = {"Content-Type": f"application/json; charset={charset}"}
    request = reader = make_request(method="POST", headers=fields, body=body)
    for _ in range(clones):
        reader = reader.clone()
    with pytest.raises(error) as caught:
        await getattr(reader, method)()
    assert request._client_fault == (caught.value, status)


async def test_own_json_decoders() -> None:
    request = make_request(method="POST", body=b"1,2")
    assert await request.json(loads=lambda text: text.split(",")) == ["1", "2"]


SIZES: list[tuple[int, int, bool, bool]] = [
    # limit, size, whether Content-Length is given, too large
    (10, 10, True, False),
    (10, 11, True, True),
    (10, 10, False, False),
    (10, 11, False, True),
    (0, 1000, True, False),
    (0, 1000, False, False),
]


@pytest.mark.parametrize(("limit", "size", "announced", "too_large"), SIZES)
@pytest.mark.parametrize("complete", [False, True])
async def test_the_size_of_a_body_is_bounded(
    limit: int, size: int, announced: bool, too_large: bool, complete: bool
) -> None:
    fields = {"Content-Length": str(size)} if announced else {}
    request = make_request(method="POST", headers=fields, body=b"").clone(client_max_size=limit)
    assert request.client_max_size == limit
    content = request._content = StreamReader(FakeExchange())
    request._body_length = size if announced else None
    content.feed_data(b"x" * size)
    if complete:
        content.feed_eof()
    reading = asyncio.ensure_future(request.read())
    await asyncio.sleep(0)
    if not complete and not too_large:
        assert not reading.done()
    content.feed_eof()
    if too_large:
        with pytest.raises(web.HTTPRequestEntityTooLarge):
            await reading
    else:
        assert await reading == b"x" * size


async def test_a_body_that_says_it_is_too_large_is_not_waited_for() -> None:
    request = make_request(method="POST", headers={"Content-Length": "11"}, body=b"")
    request = request.clone(client_max_size=10)
    request._content = StreamReader(FakeExchange())
    with pytest.raises(web.HTTPRequestEntityTooLarge) as caught:
        await request.read()
    assert caught.value.text == "Maximum request body size 10 exceeded, actual body size 11"


async def test_send_continue() -> None:
    exchange = FakeExchange()
    await make_request(exchange=exchange).send_continue()
    assert exchange.sent == [("informational", 100, [])]


# -- clone

CLONES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"method": "GET", "raw_path": "/a?b=c", "host": "example.org", "scheme": "http"}),
    ({"method": "PUT"}, {"method": "PUT"}),
    ({"rel_url": "/x?y=z"}, {"path": "/x", "query": {"y": "z"}, "raw_path": "/x?y=z"}),
    ({"rel_url": URL("/x y")}, {"path": "/x y", "raw_path": "/x%20y"}),
    ({"rel_url": "/é"}, {"path": "/é", "raw_path": "/%C3%A9"}),
    ({"scheme": "https"}, {"scheme": "https", "secure": True}),
    ({"host": "h.org"}, {"host": "h.org", "url": URL("http://h.org/a?b=c")}),
    ({"remote": "203.0.113.9"}, {"remote": "203.0.113.9"}),
    ({"client_max_size": 0}, {"client_max_size": 0}),
    ({"client_max_size": 5}, {"client_max_size": 5}),
]


@pytest.mark.parametrize(("changes", "expected"), CLONES)
def test_clone(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    request = make_request("/a?b=c", exchange=FakeExchange(peername=("192.0.2.1", 1)))
    before = {name: getattr(request, name) for name in expected}
    copy = request.clone(**changes)
    assert type(copy) is web.Request
    assert {name: getattr(copy, name) for name in expected} == expected
    assert {name: getattr(request, name) for name in expected} == before
    again = copy.clone()
    assert {name: getattr(again, name) for name in expected} == expected


def test_clone_with_other_fields() -> None:
    copy = make_request(headers={"X-A": "1"}).clone(headers={"X-B": "é"})
    assert dict(copy.headers) == {"X-B": "é"}
    assert copy.raw_headers == ((b"X-B", "é".encode()),)


async def test_a_clone_belongs_to_the_same_application() -> None:
    app, outer, seen = web.Application(), web.Application(), []

    async def listener(request: web.Request, response: web.StreamResponse) -> None:
        seen.append(request)

    async def handler(request: web.Request) -> web.Response:
        copy = request.clone()
        assert copy.app is request.app is app
        assert copy.match_info == request.match_info == {"name": "x"}
        response = web.Response()
        await response.prepare(copy)
        assert seen == [copy, copy]
        return response

    app.on_response_prepare.append(listener)
    app.router.add_get("/{name}", handler)
    outer.on_response_prepare.append(listener)
    outer.add_subapp("/outer", app)
    outer.freeze()
    await outer.dispatch(make_request("/outer/x"))
    assert len(seen) == 2


def test_a_clone_has_values_of_its_own() -> None:
    request = make_request()
    request["key"] = 1
    copy = request.clone()
    assert copy["key"] == 1
    copy["key"] = 2
    assert request["key"] == 1


BEFORE: list[Callable[[web.Request], Any]] = [
    lambda request: request.read(),
    lambda request: request.content.read(1),
]


@pytest.mark.parametrize("read", BEFORE)
async def test_a_request_that_was_read_cannot_be_cloned(read: Callable[[web.Request], Any]) -> None:
    request = make_request(method="POST", body=b"body")
    await read(request)
    with pytest.raises(RuntimeError, match="cannot be cloned"):
        request.clone()


# -- the application


def test_before_it_is_dispatched() -> None:
    request = make_request()
    with pytest.raises(AttributeError, match="not been dispatched"):
        _ = request.match_info


async def test_app_and_config() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.app is app
        return web.Response(text=request.config_dict["key"])

    app = web.Application()
    app["key"] = "value"
    app.router.add_get("/", handler)
    app.freeze()
    response = await app.dispatch(make_request())
    assert isinstance(response, web.Response)
    assert response.text == "value"


def test_repr() -> None:
    assert repr(make_request("/a?b", method="PUT")) == "<Request PUT /a>"
