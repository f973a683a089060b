"""What even good servers get wrong when a client wants them to.

Each sentence that headrace says about itself has its test, here or where its module is tested:
bodies of HEAD, 204 and 304, ignored upgrades, the order of pipelined answers and what shows of a
failure in `test_protocol`; forms in `test_forms`; fields, reasons and cookies in `test_fields`,
`test_response` and `test_cookies`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from exchanges import make_request
from serving import Failures, Serve
from yarl import URL

from headrace import web
from headrace.web._cookies import parse_cookies
from headrace.web._etag import parse_etags
from headrace.web._forms import parse_urlencoded
from headrace.web._forwarded import parse_forwarded
from headrace.web._received import parse_query
from headrace.web._request import parse_content_type

# -- whatever is malformed is the client's fault


async def look(request: web.Request) -> web.Response:
    """Use everything that a request tells."""
    told = {
        name: str(getattr(request, name))
        for name in dir(request)
        if not name.startswith("_") and name not in ("match_info", "app", "config_dict")
    }
    body = await request.text() if request.body_exists else ""
    return web.json_response({"told": told, "info": str(dict(request.match_info)), "body": body})


def make_app(directory: Path) -> web.Application:
    async def back(request: web.Request) -> web.Response:
        raise web.HTTPFound(request.rel_url)

    app = web.Application(middlewares=[web.normalize_path_middleware()])
    app.router.add_static("/static", directory)
    app.router.add_route("*", "/number/{n:int}/{d:date}", look)
    app.router.add_route("*", "/one/{name}", look)
    app.router.add_route("*", "/end/", look)
    app.router.add_route("GET", "/{tail:.*}back", back)
    app.router.add_route("*", "/{tail:.*}", look)
    return app


TARGETS = [
    *(b"/%ff", b"/one/%ff", b"/one/%", b"/one/%zz", b"/one/%00", b"/one/%2F", b"/one/..%2f"),
    *(b"/?%ff=%zz&=&&&", b"/?%", b"/?" + b"&" * 8000, b"/?" + b";" * 8000, b"/?" + b"=" * 8000),
    *(b"//evil.example/x", b"///x", b"/\\evil", b"/;a=b", b"/" + b"a/" * 4000),
    *(b"/static/%ff", b"/static/%00", b"/static//x", b"/static/..%5c", b"/static/" + b"a" * 8000),
    *(b"/number/" + b"9" * 5000 + b"/2024-01-01", b"/number/1/2024-02-30", b"/number/%D9%A1/x"),
    *(b"http://b/x?y", b"http://[::1]:80/x", b"http://b", b"http://b?c"),
]
FIELDS = [
    *(b'Cookie: \xff=\xfe; a="\\777"; ;;; =; ', b'Cookie: a="', b"Cookie: " + b"; " * 4000),
    *(b'Content-Type: \xff/;;;="', b'Content-Type: text/plain; charset="'),
    *(b"Range: bytes=5-4", b"Range: x", b"Range: bytes=" + b"1" * 5000 + b"-"),
    *(b'If-Match: "', b"If-None-Match: \xff", b'If-Range: "', b"If-Range: \xff"),
    *(b"If-Modified-Since: Xxx, 99 Nov 99999 99:99:99", b"If-Unmodified-Since: 1"),
    *(b'Forwarded: \xff;;="', b"Accept: \xff;q=x", b"X: \xff"),
]
CHARSETS = [
    *(b"klingon", b"hex", b"base64", b"rot13", b"\xff", b"idna", b"punycode", b"utf-7"),
    *(b"undefined", b"unicode_escape", b"raw_unicode_escape", b"utf-16", b"mbcs", b"../x"),
]


def requests() -> list[bytes]:
    end = b"Connection: close\r\n\r\n"
    content = b"Content-Length: 4\r\nContent-Type: text/plain"
    return [
        *(b"GET %b HTTP/1.1\r\nHost: a\r\n%b" % (target, end) for target in TARGETS),
        *(b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n%b" % (field, end) for field in FIELDS),
        *(
            b"POST / HTTP/1.1\r\nHost: a\r\n%b; charset=%b\r\n%b\\x\xff\xff"
            % (content, charset, end)
            for charset in CHARSETS
        ),
        b"POST / HTTP/1.1\r\nHost: a\r\n%b\r\nContent-Encoding: gzip\r\n%b\\x\xff\xff"
        % (content, end),
    ]


@pytest.mark.parametrize("request_", requests(), ids=lambda request: request[:60])
async def test_no_request_makes_a_500(
    serve: Serve, failures: Failures, tmp_path: Path, request_: bytes
) -> None:
    served = await serve(make_app(tmp_path))
    status = int((await served.raw(request_))[9:12])
    assert 200 <= status < 500
    assert failures() == []


async def test_a_range_that_is_none_is_answered_with_416(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=str(request.http_range))

    served = await serve(handler)
    for field, status in [("bytes=1-2", 200), ("bytes=2-1", 416), ("bytes=1-2,4-5", 416)]:
        async with served.client.get("/", headers={"Range": field}) as response:
            assert response.status == status


@pytest.mark.parametrize("pause", [False, True])
async def test_a_body_brings_no_fields(serve: Serve, pause: bool) -> None:
    async def handler(request: web.Request) -> web.Response:
        body = await request.text()
        return web.json_response([sorted(request.headers), len(request.raw_headers), body])

    served = await serve(handler)
    wire = await served.connect()
    body = b"X-Admin: yes\r\n\r\nX-User: root\r\n"
    for _ in range(2):
        wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body))
        if pause:
            await asyncio.sleep(0.01)  # two packets
        wire.send(body)
        assert json.loads((await wire.answer())[1]) == [
            ["Content-Length", "Host"],
            2,
            body.decode(),
        ]
        wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        assert json.loads((await wire.answer())[1])[:2] == [["Content-Length", "Host"], 2]


# -- no answer sends anybody to another host


@pytest.mark.parametrize(
    "path", ["//evil.example/back", "///evil.example/%2e%2e/back", "/\\evil.example/back"]
)
async def test_a_client_is_not_sent_to_the_host_that_its_path_looks_like(
    serve: Serve, tmp_path: Path, path: str
) -> None:
    served = await serve(make_app(tmp_path))
    answer = await served.raw(f"GET {path}?a=b HTTP/1.1\r\nHost: own\r\n\r\n".encode(), eof=True)
    assert answer.startswith(b"HTTP/1.1 302 ")
    location = answer.partition(b"Location: ")[2].partition(b"\r\n")[0]
    assert location.startswith((b"/.//", b"/%5C"))
    assert URL("http://own/").join(URL(location.decode())).host == "own"


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        (URL.build(path="//evil/x", query_string="a=b", fragment="c"), "/.//evil/x?a=b#c"),
        (URL("//cdn.example/x"), "//cdn.example/x"),
        ("//cdn.example/x", "//cdn.example/x"),
        ("/\\evil.example", "/%5Cevil.example"),
        (URL("http://example.org//x"), "http://example.org//x"),
    ],
)
def test_a_path_is_no_host(location: URL | str, sent: str) -> None:
    assert web.HTTPFound(location).headers["Location"] == sent


def test_no_url_is_built_that_names_a_host() -> None:
    resource = web.DynamicResource("/{path:.*}")
    with pytest.raises(ValueError, match="would name a host"):
        resource.url_for(path="/evil.example/x")


# -- work grows with the input and no faster: what took the square would not end

MANY = 300_000
PARSERS: list[tuple[Callable[[str], Any], list[str]]] = [
    (parse_cookies, [";", "; ", "a=b;", 'a="', "=", '"\\', "a=b; a=", " "]),
    (parse_query, ["&", "=", "a&", "a=b&", "%26", "+", "a=%"]),
    (
        lambda text: parse_urlencoded(text.encode(), None, 0),
        ["&", "=", "a&", "a=b&", "%26", "+", ";"],
    ),
    (lambda text: parse_content_type(f"a/b{text}"), [";", "; ", ";a=b", ';a="', ';a="\\', " ;"]),
    (lambda text: parse_forwarded([text]), [";", ",", "a=b;", "a=b,", 'a="', 'a="\\', " "]),
    (parse_etags, [",", '"a",', '"', 'W/"', "W/", " ", "*"]),
    (lambda text: make_request(headers={"Range": text}).headers, ["bytes=1-2,"]),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("parse", "piece"), [(parse, piece) for parse, pieces in PARSERS for piece in pieces]
)
def test_many_of_anything_are_parsed_in_one_pass(parse: Callable[[str], Any], piece: str) -> None:
    try:
        parse(piece * MANY)
    except ValueError:
        pass  # refused, in good time
