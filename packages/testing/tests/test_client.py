"""The client over both transports."""

import asyncio
import gzip
import io
import zlib
from collections.abc import AsyncIterator

import pytest
from servers import Answer, Asked, HTTPServerProtocol, Writer, echo, factory
from yarl import URL

from headrace.testing import (
    ClientError,
    ClientPayloadError,
    ClientResponseError,
    FormData,
    LeakError,
    ResponseTimeoutError,
    ServerDisconnectedError,
    TestClient,
    TestServer,
    TooManyRedirects,
)


def answering(**answers: Answer):
    """Return a protocol factory that answers by path; the path ``/a/b`` is named ``a_b``."""

    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        path = asked.target.partition("?")[0].strip("/").replace("/", "_") or "index"
        return answers[path] if path in answers else await echo(asked, protocol)

    return factory(handler)


async def test_get_returns_what_the_server_sent(connect) -> None:
    async with connect(factory(echo)) as client:
        response = await client.get("/a?b=c", params={"d": "e f"})
        text = await response.text()
    assert response.status == 200
    assert response.reason == "OK"
    assert response.version == (1, 1)
    assert text.startswith("GET /a?b=c&d=e+f\n")
    assert f"host: 127.0.0.1:{client.port}" in text


@pytest.mark.parametrize("method", ["get", "options", "post", "put", "patch", "delete"])
async def test_each_method_has_a_verb(connect, method: str) -> None:
    async with connect(factory(echo)) as client:
        async with getattr(client, method)("/x") as response:
            assert (await response.text()).startswith(f"{method.upper()} /x\n")
        response = await client.request(method, "/y")
        assert (await response.text()).startswith(f"{method.upper()} /y\n")


async def test_head_has_no_body_and_keeps_the_length(connect) -> None:
    async with connect(answering(index=Answer(body=b"twelve bytes"))) as client:
        response = await client.head("/")
        assert await response.read() == b""
        assert response.content_length == 12
        assert await (await client.get("/")).read() == b"twelve bytes"


async def test_connections_are_kept_alive(connect) -> None:
    made = []

    def counted() -> HTTPServerProtocol:
        made.append(1)
        return factory(echo)()

    async with connect(counted) as client:
        for _ in range(3):
            async with client.get("/") as response:
                assert (await response.text()).startswith("GET /\n")
    assert made == [1]


async def test_a_response_released_early_closes_its_connection(connect) -> None:
    made = []

    async def stream(writer: Writer) -> None:
        await writer.write(b"first")
        await asyncio.Event().wait()

    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        made.append(protocol)
        return Answer(stream=stream)

    async with connect(factory(handler)) as client:
        for _ in range(2):
            async with client.get("/") as response:
                assert await response.content.read(5) == b"first"
    assert made[0] is not made[1]
    assert made[0].lost


async def test_concurrent_requests_have_a_connection_each(connect) -> None:
    async with connect(factory(echo)) as client:
        responses = await asyncio.gather(*(client.get(f"/{n}") for n in range(5)))
        texts = [await response.text() for response in responses]
    assert [text.partition("\n")[0] for text in texts] == [f"GET /{n}" for n in range(5)]


# What is sent


@pytest.mark.parametrize(
    ("options", "content_type", "body"),
    [
        ({"data": b"\x00\xff"}, "application/octet-stream", "\x00\xff"),
        ({"data": bytearray(b"ab")}, "application/octet-stream", "ab"),
        ({"data": "text"}, "text/plain; charset=utf-8", "text"),
        ({"json": {"a": [1, None]}}, "application/json", '{"a": [1, null]}'),
        ({"json": 0}, "application/json", "0"),
        ({"data": {"a": "1", "b": "x y"}}, "application/x-www-form-urlencoded", "a=1&b=x+y"),
        ({"data": [("a", 1), ("a", 2)]}, "application/x-www-form-urlencoded", "a=1&a=2"),
        ({"data": lambda: io.BytesIO(b"file")}, "application/octet-stream", "file"),
        ({"data": lambda: io.StringIO("file")}, "text/plain; charset=utf-8", "file"),
    ],
)
async def test_bodies(connect, options, content_type: str, body: str) -> None:
    options = {key: value() if callable(value) else value for key, value in options.items()}
    async with connect(factory(echo)) as client:
        text = await (await client.post("/", **options)).text()
    assert f"content-type: {content_type}\n" in text
    assert f"content-length: {len(body)}\n" in text
    assert text.endswith(f"\n\n{body}")


async def test_multipart(connect) -> None:
    form = FormData({"name": "value"}, boundary="BOUNDARY")
    form.add_field("file", b"\x01", filename='a".txt')
    async with connect(factory(echo)) as client:
        text = await (await client.post("/", data=form)).text()
    assert "content-type: multipart/form-data; boundary=BOUNDARY\n" in text
    assert text.endswith(
        '\n\n--BOUNDARY\r\nContent-Disposition: form-data; name="name"\r\n\r\nvalue\r\n'
        '--BOUNDARY\r\nContent-Disposition: form-data; name="file"; filename="a%22.txt"\r\n'
        "Content-Type: text/plain\r\n\r\n\x01\r\n--BOUNDARY--\r\n"
    )


async def pieces() -> AsyncIterator[bytes]:
    for piece in (b"one ", b"", b"two ", b"three"):
        await asyncio.sleep(0)
        yield piece


async def test_streamed_bodies_are_chunked(connect) -> None:
    async with connect(factory(echo)) as client:
        text = await (await client.post("/", data=pieces())).text()
    assert "transfer-encoding: chunked\n" in text
    assert text.endswith("\n\none two three")


async def test_a_streamed_body_with_a_length_is_not_chunked(connect) -> None:
    async with connect(factory(echo)) as client:
        response = await client.post("/", data=pieces(), headers={"Content-Length": "13"})
        text = await response.text()
    assert "content-length: 13\n" in text
    assert "transfer-encoding" not in text


async def test_chunked_on_demand(connect) -> None:
    async with connect(factory(echo)) as client:
        text = await (await client.post("/", data=b"abc", chunked=True)).text()
    assert "transfer-encoding: chunked\n" in text
    assert text.endswith("\n\nabc")


async def test_an_error_in_a_streamed_body_is_raised(connect) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"one"
        raise LookupError("no more")

    async with connect(factory(echo)) as client:
        with pytest.raises(LookupError, match="no more"):
            await client.post("/", data=broken())
        assert (await client.get("/")).status == 200


async def test_a_streamed_body_waits_for_a_slow_server(transport) -> None:
    received, go = [], asyncio.Event()

    class Slow(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            self.transport = transport
            transport.pause_reading()
            received.append(transport)

        def data_received(self, data: bytes) -> None:
            if b"0\r\n\r\n" in data:
                self.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while not go.is_set():
            yield bytes(4096)
            sent += 4096

    async with TestClient(TestServer(Slow, transport=transport)) as client:
        request = asyncio.create_task(client.post("/", data=endless()))
        before = -1
        while sent != before:
            before = sent
            await client.clock.settle()
        assert sent > 0
        go.set()
        received[0].resume_reading()
        assert (await request).status == 204


async def test_expect_100_waits_for_the_server(connect) -> None:
    async with connect(factory(echo)) as client:
        response = await client.post("/", data=b"abc", expect100=True)
        text = await response.text()
    assert "expect: 100-continue\n" in text
    assert text.endswith("\n\nabc")
    assert [status for status, _ in response.informational] == [100]


async def test_expect_100_refused_sends_no_body(connect) -> None:
    got = []

    class Refusing(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            got.append(data)
            self.transport.write(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")

    async with connect(Refusing) as client:
        response = await client.post("/", data=b"secret", expect100=True)
    assert response.status == 417
    assert b"secret" not in b"".join(got)


async def test_headers_of_the_caller_replace_automatic_ones(connect) -> None:
    async with connect(factory(echo), headers={"X-Client": "1", "X-Both": "1"}) as client:
        response = await client.post(
            "/",
            headers={"user-agent": "me", "X-Both": "2", "HOST": "example.com"},
            data=b"x",
            skip_auto_headers=["Accept", "content-type"],
        )
        text = await response.text()
    head = text.partition("\n\n")[0].split("\n")
    assert head == [
        "POST /",
        "accept-encoding: gzip, deflate",
        "content-length: 1",
        "host: example.com",
        "user-agent: me",
        "x-both: 2",
        "x-client: 1",
    ]


async def test_basic_auth(connect) -> None:
    async with connect(factory(echo), auth=("user", "päss")) as client:
        assert "authorization: Basic dXNlcjpww6Rzcw==\n" in await (await client.get("/")).text()
        response = await client.get("/", auth=("a", "b"))
        assert "authorization: Basic YTpi\n" in await response.text()
        response = await client.get("/", auth=None)
        assert "authorization" not in await response.text()


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"X": "a\r\nb"}},
        {"headers": {"X Y": "a"}},
        {"headers": {"Content-Length": "2"}, "data": b"123"},
    ],
)
async def test_what_is_not_http_is_refused(connect, options) -> None:
    async with connect(factory(echo)) as client:
        with pytest.raises(ValueError, match="cannot be sent"):
            await client.post("/", **options)
        assert (await client.get("/")).status == 200


async def test_http_1_0(connect) -> None:
    async with connect(factory(echo)) as client:
        response = await client.get("/", version=(1, 0))
        assert "GET /\n" in await response.text()
        assert response.headers["Connection"] == "close"


# What comes back


async def test_json_checks_the_media_type(connect) -> None:
    json = (("Content-Type", "application/json"),)
    problem = (("Content-Type", "application/problem+json; charset=utf-8"),)
    app = answering(
        json=Answer(body=b' {"a": 1}', headers=json),
        empty=Answer(body=b" ", headers=json),
        problem=Answer(body=b"[]", headers=problem),
        text=Answer(body=b"[]", headers=(("Content-Type", "text/plain"),)),
    )
    async with connect(app) as client:
        assert await (await client.get("/json")).json() == {"a": 1}
        assert await (await client.get("/empty")).json() is None
        assert await (await client.get("/problem")).json() == []
        response = await client.get("/text")
        with pytest.raises(ClientResponseError, match="text/plain, not application/json") as info:
            await response.json()
        assert info.value.status == 200
        assert await response.json(content_type=None) == []


async def test_text_uses_the_charset(connect) -> None:
    latin = Answer(body="ä".encode("latin-1"), headers=(("Content-Type", "a/b; charset=latin-1"),))
    async with connect(answering(latin=latin, utf8=Answer(body="ä".encode()))) as client:
        response = await client.get("/latin")
        assert (response.content_type, response.charset) == ("a/b", "latin-1")
        assert await response.text() == "ä"
        assert await (await client.get("/utf8")).text() == "ä"
        assert await (await client.get("/utf8")).text("latin-1") == "Ã¤"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "bare deflate"])
async def test_content_codings_are_undone(connect, coding: str) -> None:
    plain = b"again and again " * 1000
    bare = zlib.compressobj(wbits=-15)
    body = {
        "gzip": gzip.compress(plain),
        "deflate": zlib.compress(plain),
        "bare deflate": bare.compress(plain) + bare.flush(),
    }[coding]
    headers = (("Content-Encoding", coding.split()[-1]),)
    async with connect(answering(index=Answer(body=body, headers=headers))) as client:
        assert await (await client.get("/")).read() == plain
        assert await (await client.get("/", auto_decompress=False)).read() == body


async def test_malformed_content_coding(connect) -> None:
    answer = Answer(body=b"not gzip", headers=(("Content-Encoding", "gzip"),))
    async with connect(answering(index=answer)) as client:
        with pytest.raises(ClientPayloadError, match="malformed"):
            await (await client.get("/")).read()


async def test_streams_are_read_as_they_come(connect) -> None:
    step = asyncio.Event()

    async def stream(writer: Writer) -> None:
        await writer.write(b"first\n")
        await step.wait()
        await writer.write(b"second\n")

    async with connect(answering(index=Answer(stream=stream))) as client:
        response = await client.get("/")
        assert await response.content.readline() == b"first\n"
        assert not response.content.is_eof()
        step.set()
        assert [line async for line in response.content] == [b"second\n"]
        assert response.closed


async def test_an_unread_body_stops_the_server(connect) -> None:
    seen = []

    async def stream(writer: Writer) -> None:
        for _ in range(200):
            await writer.write(bytes(65536))
            seen.append(1)

    async with connect(answering(index=Answer(stream=stream))) as client:
        response = await client.get("/")
        before = -1
        while len(seen) != before:
            before = len(seen)
            await client.clock.settle()
        assert len(seen) < 200
        body = await response.read()
    assert len(body) == 200 * 65536


async def test_trailers(connect) -> None:
    class Trailing(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(
                b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n"
            )

    async with connect(Trailing) as client:
        response = await client.get("/")
        assert await response.read() == b"abc"
    assert response.trailers == ((b"X-Sum", b"6"),)
    assert [(status, h["link"]) for status, h in response.informational] == [(103, "</a>")]


async def test_a_body_that_ends_with_the_connection(connect) -> None:
    class Closing(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(b"HTTP/1.0 200 OK\r\n\r\nall there is")
            self.transport.close()

    async with connect(Closing) as client:
        assert await (await client.get("/")).read() == b"all there is"
        assert await (await client.get("/")).read() == b"all there is"


# What goes wrong


class Raw(asyncio.Protocol):
    """Answer the first bytes with others, then close."""

    def __init__(self, answer: bytes, *, close: bool = True) -> None:
        self.answer = answer
        self.close = close

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(self.answer)
        if self.close:
            self.transport.close()


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (b"", ServerDisconnectedError, "the connection ended inside a head"),
        (b"HTTP/1.1 200 O", ServerDisconnectedError, "the connection ended inside a head"),
        (b"nonsense\r\n\r\n", ClientError, "not HTTP"),
    ],
)
async def test_no_response(connect, answer: bytes, error: type[ClientError], words: str) -> None:
    async with connect(lambda: Raw(answer)) as client:
        with pytest.raises(error, match=words) as info:
            await client.get("/asked")
    assert "> GET /asked HTTP/1.1" in str(info.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "ended early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "ended early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX", "malformed"),
    ],
)
async def test_a_broken_body(connect, answer: bytes, words: str) -> None:
    async with connect(lambda: Raw(answer)) as client:
        response = await client.get("/")
        assert response.status == 200
        assert await response.content.read(3) == b"abc"
        with pytest.raises(ClientPayloadError, match=words):
            await response.read()


async def test_a_silent_server(connect) -> None:
    async with connect(lambda: Raw(b"", close=False)) as client:
        with pytest.raises(ResponseTimeoutError, match=r"silent for 0\.01 seconds"):
            await client.get("/", timeout=0.01)
    async with connect(
        lambda: Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", close=False)
    ) as c:
        response = await c.get("/", timeout=0.01)
        with pytest.raises(ResponseTimeoutError):
            await response.read()
        response.release()


async def test_bytes_that_belong_to_no_response(connect) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more"
    client = connect(lambda: Raw(answer, close=False))
    await client.start_server()
    assert await (await client.get("/")).text() == "ok"
    with pytest.raises(LeakError, match="bytes after <ClientResponse GET / -> 200 OK>, which"):
        await client.close()


async def test_a_cancelled_request_closes_its_connection(connect) -> None:
    made = []

    def silent() -> Raw:
        made.append(Raw(b"", close=False))
        return made[-1]

    async with connect(silent) as client:
        request = asyncio.create_task(client.get("/"))
        await client.clock.settle()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        await client.clock.settle()
        assert made[0].transport.is_closing()


async def test_raise_for_status_shows_the_exchange(connect) -> None:
    answer = Answer(404, b"no such page")
    async with connect(answering(index=answer)) as client:
        response = await client.get("/", headers={"X-Mine": "1"})
        assert not response.ok
        await response.read()
        with pytest.raises(ClientResponseError) as info:
            response.raise_for_status()
        with pytest.raises(ClientResponseError):
            await client.get("/", raise_for_status=True)
    assert info.value.status == 404
    assert "> X-Mine: 1\n" in str(info.value)
    assert "< HTTP/1.1 404 Not Found\n" in str(info.value)
    assert str(info.value).endswith("< no such page")


async def test_an_early_answer_ends_the_upload(connect) -> None:
    class Early(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            self.transport = transport
            transport.write(b"")

        def data_received(self, data: bytes) -> None:
            if data.startswith(b"POST"):
                self.transport.write(
                    b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"
                )

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x"

    async with connect(Early) as client:
        response = await client.post("/", data=endless())
        assert response.status == 413
        assert await response.text() == "big"


# Redirects


async def test_redirects_are_followed(connect) -> None:
    app = answering(
        a=Answer(302, headers=(("Location", "/b?x=1"),)),
        b=Answer(301, headers=(("Location", "c"),)),
    )
    async with connect(app) as client:
        response = await client.get("/a#there")
        assert (await response.text()).startswith("GET /c\n")
        assert [r.status for r in response.history] == [302, 301]
        assert response.url == client.make_url("/c")
        assert response.real_url == client.make_url("/c#there")
        response = await client.get("/a", allow_redirects=False)
        assert (response.status, response.history) == (302, ())
        assert (await client.head("/a")).status == 302


@pytest.mark.parametrize(
    ("status", "method", "expected", "body"),
    [
        (301, "POST", "GET", ""),
        (302, "POST", "GET", ""),
        (302, "PUT", "PUT", "data"),
        (303, "PUT", "GET", ""),
        (303, "HEAD", "HEAD", ""),
        (307, "POST", "POST", "data"),
        (308, "POST", "POST", "data"),
    ],
)
async def test_methods_after_a_redirect(connect, status, method, expected, body) -> None:
    app = answering(a=Answer(status, headers=(("Location", "/b"),)))
    async with connect(app) as client:
        data = None if method == "HEAD" else "data"
        response = await client.request(method, "/a", data=data)
        text = await response.text()
        assert response.method == expected
        assert response.url.path == "/b"
        if method != "HEAD":
            assert text.endswith("\n\n" + body)
            assert ("content-type" in text) == bool(body)


async def test_redirects_without_an_end(connect) -> None:
    app = answering(a=Answer(302, headers=(("Location", "/a"),)))
    async with connect(app) as client:
        with pytest.raises(TooManyRedirects, match="more than 10 redirects"):
            await client.get("/a")
        with pytest.raises(TooManyRedirects, match="more than 2 redirects"):
            await client.get("/a", max_redirects=2)


async def test_a_redirect_to_another_server_is_an_error(connect) -> None:
    app = answering(a=Answer(302, headers=(("Location", "https://example.com/"),)))
    async with connect(app) as client:
        with pytest.raises(ClientError, match=r"https://example\.com/ leaves the server"):
            await client.get("/a")
        assert (await client.get("/a", allow_redirects=False)).status == 302


async def test_a_streamed_body_cannot_follow_a_redirect(connect) -> None:
    app = answering(a=Answer(307, headers=(("Location", "/b"),)))
    async with connect(app) as client:
        with pytest.raises(ClientError, match="cannot be sent again"):
            await client.post("/a", data=pieces())


# Cookies


async def test_cookies_are_kept_and_sent(connect) -> None:
    app = answering(
        set=Answer(headers=(("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/deep"))),
        drop=Answer(headers=(("Set-Cookie", "a=; Max-Age=0"),)),
    )
    async with connect(app, cookies={"mine": "x"}) as client:
        response = await client.get("/set")
        assert response.cookies["b"]["path"] == "/deep"
        assert "cookie: mine=x; a=1\n" in await (await client.get("/")).text()
        text = await (await client.get("/deep/er", cookies={"once": "y"})).text()
        assert "cookie: b=2; mine=x; a=1; once=y\n" in text
        await client.get("/drop")
        assert sorted(cookie.key for cookie in client.cookies) == ["b", "mine"]


async def test_cookies_are_kept_when_the_connection_is_used_at_once_by_others(connect) -> None:
    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        return Answer(headers=(("Set-Cookie", f"{asked.target[1:]}=1"),))

    async with connect(factory(handler)) as client:

        async def one_by_one(name: str) -> None:
            for number in range(10):
                await client.get(f"/{name}{number}")

        await asyncio.gather(*map(one_by_one, "abc"))
        assert len(client.cookies) == 30


async def test_requests_that_say_the_same_follow_what_changes(connect) -> None:
    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        set_cookie = (("Set-Cookie", "a=b"),) if asked.target == "/set" else ()
        return Answer(body=asked.headers.get("cookie", "none").encode(), headers=set_cookie)

    async with connect(factory(handler)) as client:
        for expected in ("none", "none"):
            assert await (await client.get("/")).text() == expected
        await client.get("/set")
        for expected in ("a=b", "a=b"):
            assert await (await client.get("/")).text() == expected
        client.cookies.clear()
        assert await (await client.get("/")).text() == "none"
        assert client.exchanges[-1].request is client.exchanges[0].request


async def test_others_have_a_turn_though_the_answer_is_there_at_once(connect) -> None:
    class Server(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    async with connect(Server) as client:
        turns: list[int] = []
        asyncio.get_running_loop().call_soon(turns.append, 1)
        while not turns:
            assert await (await client.get("/")).text() == "hi"


async def test_others_have_a_turn_though_the_error_is_there_at_once(connect) -> None:
    class Server(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(b"not HTTP\r\n\r\n")

    async with connect(Server) as client:
        turns: list[int] = []
        asyncio.get_running_loop().call_soon(turns.append, 1)
        while not turns:
            with pytest.raises(ClientError, match="not HTTP"):
                await client.get("/")


async def test_timers_have_a_turn_though_the_answers_are_there_at_once(connect) -> None:
    async with connect(answering(index=Answer())) as client:
        await client.get("/")
        fired: list[int] = []
        asyncio.get_running_loop().call_later(0, fired.append, 1)
        for _ in range(64):
            await client.get("/")
        assert fired


async def test_user_and_password_in_the_url(connect) -> None:
    async with connect(factory(echo)) as client:
        url = client.make_url("/").with_user("user").with_password("word")
        assert "authorization: Basic dXNlcjp3b3Jk" in await (await client.get(url)).text()
        assert "authorization" not in await (await client.get("/")).text()


async def test_cookies_expire_by_the_clock(connect) -> None:
    app = answering(set=Answer(headers=(("Set-Cookie", "a=1; Max-Age=60"),)))
    async with connect(app) as client:
        await client.get("/set")
        await client.clock.advance(50)
        assert len(client.cookies) == 1
        await client.clock.advance(15)
        assert len(client.cookies) == 0


# URLs


async def test_the_base_url_is_what_the_server_is_told(connect) -> None:
    app = answering(a=Answer(302, headers=(("Location", "https://example.com/b"),)))
    async with connect(app, base_url="https://example.com") as client:
        response = await client.get("/a")
        assert "host: example.com\n" in await response.text()
        assert response.url == URL("https://example.com/b")


async def test_only_the_server_under_test_is_asked(connect) -> None:
    async with connect(factory(echo)) as client:
        assert (await client.get(client.make_url("/x"))).status == 200
        assert (await client.get(str(client.make_url("/x")))).status == 200
        with pytest.raises(ValueError, match="not on the server under test"):
            await client.get("http://example.com/")


async def test_special_targets(connect) -> None:
    async with connect(factory(echo)) as client:
        text = await (await client.get(URL("/%2f%20;?q=%26", encoded=True))).text()
        assert text.startswith("GET /%2f%20;?q=%26\n")
        assert (await (await client.options("/*")).text()).startswith("OPTIONS *\n")


# Connections of one's own


async def test_open_connection(connect) -> None:
    async with connect(factory(echo)) as client:
        reader, writer = await client.open_connection()
        writer.write(b"GET /raw HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\nGET /raw\n" in answer


async def test_a_client_must_be_started() -> None:
    client = TestClient(factory(echo))
    with pytest.raises(RuntimeError, match="not started"):
        client.get("/")
    await client.close()
    assert client.closed
