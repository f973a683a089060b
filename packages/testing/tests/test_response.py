"""What a response tells, apart from any connection."""

import pytest
from yarl import URL

from headrace.http_parser import Response
from headrace.testing import ClientResponse, ClientResponseError, StreamReader
from headrace.testing._report import describe
from headrace.testing._request import SentRequest

PAIRS = [(b"Host", b"a"), (b"X-\xc3\xa4", b"\xff")]


class Nothing:
    def __init__(self) -> None:
        self.abandoned = False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def abandon(self) -> None:
        self.abandoned = True


async def wait(future) -> None:
    await future


def respond(
    *pairs: tuple[bytes, bytes], status: int = 200, body: bytes = b"", eof: bool = True
) -> ClientResponse:
    nothing = Nothing()
    content = StreamReader(nothing, wait)
    content.feed_data(body)
    if eof:
        content.feed_eof()
    request = SentRequest("GET", URL("http://a/b?c=d#e"), PAIRS, None)
    return ClientResponse(request, Response(status, pairs, b"Reason"), content, nothing)


async def test_the_head() -> None:
    response = respond((b"X-A", b"1"), (b"x-a", b"2"), (b"Set-Cookie", b"c=d"))
    assert (response.status, response.reason, response.version) == (200, "Reason", (1, 1))
    assert response.headers.getall("X-a") == ["1", "2"]
    assert response.raw_headers == ((b"X-A", b"1"), (b"x-a", b"2"), (b"Set-Cookie", b"c=d"))
    assert response.cookies["c"].value == "d"
    assert response.method == "GET"
    assert str(response.url) == "http://a/b?c=d"
    assert str(response.real_url) == "http://a/b?c=d#e"
    assert response.host == "a"
    info = response.request_info
    assert (info.method, info.url, info.real_url) == ("GET", response.url, response.real_url)
    assert info.headers["host"] == "a"
    assert response.ok
    assert repr(response) == "<ClientResponse GET /b?c=d -> 200 Reason>"
    assert repr(response.request) == "<SentRequest GET http://a/b?c=d#e>"


@pytest.mark.parametrize(
    ("value", "content_type", "charset"),
    [
        (None, "application/octet-stream", None),
        (b"Text/HTML; Charset=Latin-1", "text/html", "latin-1"),
        (b'a/b; charset="utf-8"', "a/b", "utf-8"),
        (b"nonsense", "text/plain", None),
    ],
)
async def test_content_type(value: bytes | None, content_type: str, charset: str | None) -> None:
    response = respond(*([(b"Content-Type", value)] if value else []))
    assert (response.content_type, response.charset) == (content_type, charset)
    assert response.get_encoding() == (charset or "utf-8")


async def test_content_length() -> None:
    assert respond((b"Content-Length", b"5")).content_length == 5
    assert respond().content_length is None


async def test_the_body_is_kept() -> None:
    response = respond(body=b"once")
    assert await response.read() == b"once"
    assert await response.read() == b"once"
    assert await response.text() == "once"


async def test_text_that_cannot_be_decoded() -> None:
    response = respond(body=b"\xff")
    with pytest.raises(UnicodeDecodeError):
        await response.text()
    assert await response.text(errors="replace") == "\N{REPLACEMENT CHARACTER}"


async def test_json_of_another_type() -> None:
    response = respond((b"Content-Type", b"text/x-json"), body=b"1")
    assert await response.json(content_type="text/x-json") == 1
    assert await response.json(content_type=None, loads=str) == "1"
    with pytest.raises(ClientResponseError):
        await response.json()


async def test_release() -> None:
    response = respond()
    assert response.closed
    await response.release()
    assert not response._exchange.abandoned
    response = respond(eof=False)
    assert not response.closed
    response.close()
    assert response.closed
    assert response._exchange.abandoned
    async with respond(eof=False) as response:
        assert not response.closed
    assert response.closed


async def test_raise_for_status() -> None:
    respond(status=399).raise_for_status()
    with pytest.raises(ClientResponseError, match="status 400"):
        respond(status=400).raise_for_status()


async def test_the_exchange_as_text() -> None:
    response = respond((b"X-B", b"1"), status=404, body=b"not\nhere")
    assert str(response) == (
        "> GET /b?c=d HTTP/1.1\n> Host: a\n> X-ä: \\xff\n>\n"
        "< HTTP/1.1 404 Reason\n< X-B: 1\n<\n< not\n< here"
    )
    await response.read()
    assert str(response).endswith("< not\n< here")


def test_long_and_binary_bodies_are_shown_in_part() -> None:
    request = SentRequest("POST", URL("http://a/"), [], b"\x00\xff" * 600)
    text = describe(request, None, (), b"")
    assert "> b'\\x00\\xff" in text or "> \x00" in text
    assert "> ... 200 bytes more" in text
    assert text.endswith("< (no response)")
    binary = SentRequest("POST", URL("http://a/"), [], b"\xff\x00")
    assert "> b'\\xff\\x00'" in describe(binary, None, (), b"")


def test_streamed_bodies_are_named() -> None:
    request = SentRequest("POST", URL("http://a/"), [], None, streamed=True)
    assert "> (streamed body)" in describe(request, None, (), b"")


@pytest.mark.parametrize(
    ("method", "url", "target"),
    [
        ("GET", "http://a", b"/"),
        ("GET", "http://a/b%20c?d=e f#g", b"/b%20c?d=e+f"),
        ("CONNECT", "http://a:99/", b"a:99"),
        ("OPTIONS", "http://a/*", b"*"),
        ("GET", "http://a/*", b"/*"),
    ],
)
def test_targets(method: str, url: str, target: bytes) -> None:
    assert SentRequest(method, URL(url), [], None).target == target


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"attachment", ("attachment", {}, None)),
        (b'inline; filename="a b.txt"', ("inline", {"filename": "a b.txt"}, "a b.txt")),
        (
            b"attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe; filename=size; x=1",
            ("attachment", {"filename": "größe", "x": "1"}, "größe"),
        ),
        (
            b"attachment; filename=size; filename*=UTF-8''gr%C3%B6%C3%9Fe",
            ("attachment", {"filename": "größe"}, "größe"),
        ),
        (b"", (None, {}, None)),
    ],
)
async def test_content_disposition(value: bytes, expected: object) -> None:
    assert respond((b"Content-Disposition", value)).content_disposition == expected


async def test_no_content_disposition() -> None:
    assert respond().content_disposition is None


async def test_a_body_that_came_with_the_head() -> None:
    request = SentRequest("GET", URL("http://a/"), PAIRS, None)

    def whole(body: bytes) -> ClientResponse:
        return ClientResponse(request, Response(200), body, Nothing())

    response = whole(b"body")
    assert response.closed
    assert str(response).endswith("< body")
    assert await response.content.readexactly(2) == b"bo"
    assert await response.read() == b"dy"
    response = whole(b"body")
    assert await response.read() == await response.read() == b"body"
    assert response.content.at_eof()
    assert await response.content.read() == b""
    response.release()
    assert str(response).endswith("< body")
