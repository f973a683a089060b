"""The usage guide's own examples, served over a real socket.

The snippets stand here as the guide has them, under their headings, formatted like the rest of
the project. Where a snippet is repaired, a comment says what was broken.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from serving import Failures, Serve

from headrace import web

pytestmark = pytest.mark.sockets


@pytest.fixture
async def serve(serve: Serve) -> AsyncIterator[Serve]:
    """Serve as other modules do, and give an independent client."""
    sessions = []

    async def start(what: Any) -> Any:
        served = await serve(what)
        served.client = aiohttp.ClientSession(served.url)
        sessions.append(served.client)
        return served

    yield start
    for session in sessions:
        await session.close()


# -- Run a simple web server

FIRST_EXAMPLE = """
import asyncio
from headrace import web

async def hello(request):
    return web.Response(body=b"Hello, world")

app = web.Application()
app.router.add_route('GET', '/', hello)

loop = asyncio.get_event_loop()
handler = app.make_handler()
f = loop.create_server(handler, '0.0.0.0', 8080)
srv = loop.run_until_complete(f)
print('serving on', srv.sockets[0].getsockname())
try:
    loop.run_forever()
except KeyboardInterrupt:
    pass
finally:
    loop.run_until_complete(handler.finish_connections(1.0))
    srv.close()
    loop.run_until_complete(srv.wait_closed())
    loop.run_until_complete(app.finish())
loop.close()
"""


def wait_until_asleep(process: subprocess.Popen[str]) -> None:
    """Wait until *process* waits for events: a signal would cut short what it does else."""
    state = ""
    while state != "S":
        state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2][0]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="get_event_loop() makes no loop any more")
@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize("connected", [False, True])
def test_the_first_example_runs_until_ctrl_c(connected: bool) -> None:
    port = free_port()
    example = FIRST_EXAMPLE.replace("8080", str(port))  # a port that is free
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore:There is no current event loop", "-u", "-c", example],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"serving on ('0.0.0.0', {port})\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as response:
            assert response.read() == b"Hello, world"
        with socket.create_connection(("127.0.0.1", port)) as idle:
            if connected:
                idle.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                assert idle.recv(15) == b"HTTP/1.1 200 OK"
            wait_until_asleep(process)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, errors) == (0, "")


# -- Variable routes


async def variable_handler(request):  # type: ignore[no-untyped-def]
    return web.Response(text="Hello, {}".format(request.match_info["name"]))


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/{name}", "/b", (200, "Hello, b")),
        ("/{name}", "/1", (200, "Hello, 1")),
        ("/{name}", "/J%C3%BCrgen%20X", (200, "Hello, Jürgen X")),
        ("/{name}", "/a/b", (404, "404: Not Found")),
        ("/{name}", "/", (404, "404: Not Found")),
        ("/a/{name}/c", "/a/b/c", (200, "Hello, b")),
        ("/a/{name}/c", "/a/1/c", (200, "Hello, 1")),
        (r"/{name:\d+}", "/123", (200, "Hello, 123")),
        (r"/{name:\d+}", "/abc", (404, "404: Not Found")),
        (r"/{name:\d+}", "/12a", (404, "404: Not Found")),
    ],
)
async def test_variable_routes(
    serve: Serve, pattern: str, path: str, expected: tuple[int, str]
) -> None:
    app = web.Application()
    app.router.add_route("GET", pattern, variable_handler)
    served = await serve(app)
    async with served.client.get(aiohttp.client.URL(path, encoded=True)) as response:
        assert (response.status, await response.text()) == expected


# -- Named routes and url reverse constructing


async def test_named_routes(serve: Serve) -> None:
    urls: list[str] = []

    async def handler(request):  # type: ignore[no-untyped-def]
        urls.append(request.app.router["root"].url(query={"a": "b", "c": "d"}))
        urls.append(request.app.router["handler"].url(parts={"user": "john_doe"}, query="?a=b"))
        return web.Response()

    app = web.Application()
    app.router.add_route("GET", "/root", handler, name="root")
    app.router.add_route("GET", r"/{user}/info", variable_handler, name="handler")
    served = await serve(app)
    async with served.client.get("/root") as response:
        assert response.status == 200
    assert urls == ["/root?a=b&c=d", "/john_doe/info?a=b"]


# -- Using plain coroutines and classes for web-handlers


class Handler:
    def __init__(self):  # type: ignore[no-untyped-def]
        pass

    def handle_intro(self, request):  # type: ignore[no-untyped-def]
        return web.Response(body=b"Hello, world")

    async def handle_greeting(self, request):  # type: ignore[no-untyped-def]
        name = request.match_info.get("name", "Anonymous")
        txt = f"Hello, {name}"
        return web.Response(text=txt)


async def test_methods_of_a_class_as_handlers(serve: Serve) -> None:
    app = web.Application()
    handler = Handler()  # type: ignore[no-untyped-call]
    app.router.add_route("GET", "/intro", handler.handle_intro)
    app.router.add_route("GET", "/greet/{name}", handler.handle_greeting)
    app.router.add_route("GET", "/greet", handler.handle_greeting)
    served = await serve(app)
    for path, text in [
        ("/intro", "Hello, world"),
        ("/greet/Ann", "Hello, Ann"),
        ("/greet", "Hello, Anonymous"),
    ]:
        async with served.client.get(path) as response:
            assert await response.text() == text


def hello(request):  # type: ignore[no-untyped-def]
    return web.Response(body=b"Hello, world")


async def test_a_plain_function_as_a_handler(serve: Serve) -> None:
    app = web.Application()
    app.router.add_route("GET", "/", hello)
    served = await serve(app)
    async with served.client.get("/") as response:
        assert await response.read() == b"Hello, world"
        assert response.content_type == "application/octet-stream"


async def test_any_method(serve: Serve) -> None:
    app = web.Application()
    app.router.add_route("*", "/path", hello)
    served = await serve(app)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"):
        async with served.client.request(method, "/path") as response:
            assert (response.status, await response.read()) == (200, b"Hello, world")


# -- Route views


async def test_route_views() -> None:
    app = web.Application()
    app.router.add_route("GET", "/", hello)
    app.router.add_route("POST", "/", hello)
    seen = []
    for route in app.router.routes():
        seen.append((route.method, route.handler))  # noqa: PERF401 (as the guide loops)
    assert seen == [("GET", hello), ("POST", hello)]
    assert len(app.router.routes()) == 2


# -- Custom conditions for routes lookup


class AcceptChooser:
    def __init__(self):  # type: ignore[no-untyped-def]
        self._accepts = {}

    async def do_route(self, request):  # type: ignore[no-untyped-def]
        for accept in request.headers.getall("ACCEPT", []):
            acceptor = self._accepts.get(accept)
            if acceptor is not None:
                return await acceptor(request)
        raise web.HTTPNotAcceptable()  # repaired: the guide does not import the name

    def reg_acceptor(self, accept, handler):  # type: ignore[no-untyped-def]
        self._accepts[accept] = handler


async def handle_json(request):  # type: ignore[no-untyped-def]
    return web.Response(text="json")  # repaired: the guide has only a comment here


async def handle_xml(request):  # type: ignore[no-untyped-def]
    return web.Response(text="xml")


async def test_a_second_routing_layer(serve: Serve) -> None:
    app = web.Application()
    chooser = AcceptChooser()  # type: ignore[no-untyped-call]
    app.router.add_route("GET", "/", chooser.do_route)
    chooser.reg_acceptor("application/json", handle_json)  # type: ignore[no-untyped-call]
    chooser.reg_acceptor("application/xml", handle_xml)  # type: ignore[no-untyped-call]
    served = await serve(app)
    for accept, expected in [
        ("application/json", (200, "json")),
        ("application/xml", (200, "xml")),
        ("text/plain", (406, "406: Not Acceptable")),
    ]:
        async with served.client.get("/", headers={"Accept": accept}) as response:
            assert (response.status, await response.text()) == expected


# -- Expect header support


def make_expect_app(method: str = "GET") -> web.Application:
    async def check_auth(request):  # type: ignore[no-untyped-def] # noqa: RET503
        if request.version != web.HttpVersion11:
            return  # noqa: RET502

        if request.headers.get("AUTHORIZATION") is None:
            return web.HTTPForbidden()

        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def hello(request):  # type: ignore[no-untyped-def]
        return web.Response(body=b"Hello, world" + await request.read())

    app = web.Application()
    app.router.add_route(method, "/", hello, expect_handler=check_auth)
    return app


async def test_an_expect_handler_refuses_before_the_body_is_sent(serve: Serve) -> None:
    served = await serve(make_expect_app("POST"))
    wire = await served.connect()
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    head, body = await wire.answer()
    assert head.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert body == b"403: Forbidden"
    assert await wire.rest() == b""


async def test_an_expect_handler_asks_for_the_body(serve: Serve) -> None:
    served = await serve(make_expect_app("POST"))
    headers = {"Authorization": "Basic eDp5"}
    async with served.client.post("/", data=b"!?", expect100=True, headers=headers) as response:
        assert (response.status, await response.read()) == (200, b"Hello, world!?")
    wire = await served.connect()
    wire.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nContent-Length: 2\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )
    assert await wire.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(b"!?")
    assert (await wire.answer())[1] == b"Hello, world!?"


async def test_by_default_the_body_is_asked_for(serve: Serve) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    served = await serve(echo)
    async with served.client.post("/", data=b"body", expect100=True) as response:
        assert await response.read() == b"body"


async def test_an_expect_handler_is_asked_without_a_body_too(serve: Serve) -> None:
    served = await serve(make_expect_app())
    wire = await served.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n")
    assert (await wire.head()).startswith(b"HTTP/1.1 403 Forbidden\r\n")


async def test_another_expectation_is_refused(serve: Serve) -> None:
    served = await serve(make_expect_app())
    answer = await served.raw(b"GET / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 417 ")
    assert b"miracle" not in answer


async def test_without_the_header_the_expect_handler_is_not_asked(serve: Serve) -> None:
    served = await serve(make_expect_app())
    async with served.client.get("/") as response:
        assert (response.status, await response.read()) == (200, b"Hello, world")


# -- WebSockets


async def websocket_handler(request):  # type: ignore[no-untyped-def]

    ws = web.WebSocketResponse()
    await ws.prepare(request)

    async for msg in ws:
        if msg.tp == web.MsgType.text:  # repaired: the guide does not import aiohttp
            if msg.data == "close":
                await ws.close()
            else:
                ws.send_str(msg.data + "/answer")
        elif msg.tp == web.MsgType.error:
            print(
                "ws connection closed with exception %s"  # noqa: UP031
                % ws.exception()
            )

    print("websocket connection closed")

    return ws


async def modern_websocket_handler(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for msg in ws:
        if msg.type == web.WSMsgType.TEXT:
            if msg.data == "close":
                await ws.close()
            else:
                await ws.send_str(msg.data + "/answer")
        elif msg.type == web.WSMsgType.ERROR:
            print("ws connection closed with exception %s" % ws.exception())  # noqa: UP031
    print("websocket connection closed")
    return ws


@pytest.mark.parametrize("handler", [websocket_handler, modern_websocket_handler])
async def test_the_echo_websocket(
    serve: Serve, failures: Failures, capsys: pytest.CaptureFixture[str], handler: Any
) -> None:
    app = web.Application()
    app.router.add_route("GET", "/ws", handler)
    served = await serve(app)
    async with served.client.ws_connect("/ws") as ws:
        for text in ("one", "zwölf", "x" * 100_000):
            await ws.send_str(text)
            assert await ws.receive_str() == text + "/answer"
        await ws.send_str("close")
        await ws.send_str("not read any more")
        message = await ws.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1000)
    async with served.client.ws_connect("/ws") as ws:
        await ws.close(code=4001)
    await served.idle()
    assert capsys.readouterr().out == "websocket connection closed\n" * 2
    assert failures() == []


async def test_many_tasks_may_write_to_one_websocket(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)

        async def writer(n: int) -> None:
            for m in range(10):
                ws.send_str(f"{n}.{m}")
                await asyncio.sleep(0)

        await asyncio.gather(*(writer(n) for n in range(10)))
        return ws

    served = await serve(handler)
    async with served.client.ws_connect("/") as ws:
        texts = [message.data async for message in ws]
    assert sorted(texts) == sorted(f"{n}.{m}" for n in range(10) for m in range(10))


# -- Exceptions


async def test_exceptions_are_returned_or_raised(serve: Serve, failures: Failures) -> None:
    async def returning(request):  # type: ignore[no-untyped-def]
        return web.HTTPFound("/redirect")

    async def raising(request):  # type: ignore[no-untyped-def]
        raise web.HTTPFound("/redirect")

    app = web.Application()
    app.router.add_route("GET", "/return", returning)
    app.router.add_route("GET", "/raise", raising)
    served = await serve(app)
    for path in ("/return", "/raise"):
        async with served.client.get(path, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (302, "/redirect")
            assert await response.text() == "302: Found"
    assert failures() == []


# -- Data sharing


async def test_application_and_request_are_data_stores(serve: Serve) -> None:
    data = object()

    async def keep(app, handler):  # type: ignore[no-untyped-def]
        async def middleware(request):  # type: ignore[no-untyped-def]
            request["my_private_key"] = "data"
            return await handler(request)

        return middleware

    async def handler(request):  # type: ignore[no-untyped-def]
        assert request.app["my_private_key"] is data
        return web.Response(text=request["my_private_key"])

    app = web.Application(middlewares=[keep])
    app["my_private_key"] = data
    app.router.add_route("GET", "/", handler)
    served = await serve(app)
    async with served.client.get("/") as response:
        assert await response.text() == "data"


# -- Middlewares


async def test_factories_and_marked_middlewares_in_one_list(serve: Serve) -> None:
    calls: list[str] = []

    async def middleware_factory(app, handler):  # type: ignore[no-untyped-def]
        assert isinstance(app, web.Application)
        calls.append("factory")

        async def middleware(request):  # type: ignore[no-untyped-def]
            calls.append("outer")
            return await handler(request)

        return middleware

    @web.middleware
    async def marked(request: web.Request, handler: Any) -> web.StreamResponse:
        calls.append("marked")
        response: web.StreamResponse = await handler(request)
        calls.append("marked after")
        return response

    async def errors(app, handler):  # type: ignore[no-untyped-def]
        async def middleware(request):  # type: ignore[no-untyped-def]
            calls.append("inner")
            try:
                return await handler(request)
            except web.HTTPError as error:
                return web.Response(text=f"caught {error.status}", status=error.status)

        return middleware

    app = web.Application(middlewares=[middleware_factory, marked, errors])
    app.router.add_route("GET", "/", hello)
    served = await serve(app)
    order = ["factory", "outer", "marked", "inner", "marked after"]
    for method, path, text in [
        ("GET", "/", "Hello, world"),
        ("GET", "/missing", "caught 404"),
        ("POST", "/", "caught 405"),
    ]:
        calls.clear()
        async with served.client.request(method, path) as response:
            assert await response.text() == text
        assert calls == order


async def test_a_middleware_may_forbid(serve: Serve) -> None:
    async def forbid(app, handler):  # type: ignore[no-untyped-def]
        async def middleware(request):  # type: ignore[no-untyped-def]
            raise web.HTTPForbidden()

        return middleware

    app = web.Application(middlewares=[forbid])
    app.router.add_route("GET", "/", hello)
    served = await serve(app)
    async with served.client.get("/") as response:
        assert (response.status, await response.text()) == (403, "403: Forbidden")


# -- Signals


async def test_on_response_prepare(serve: Serve) -> None:
    async def on_prepare(request, response):  # type: ignore[no-untyped-def]
        response.headers["My-Header"] = "value"

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        response.write(b"one, ")
        await response.write(b"two")
        return response

    app = web.Application()
    app.on_response_prepare.append(on_prepare)
    app.router.add_route("GET", "/", hello)
    app.router.add_route("GET", "/stream", stream)
    app.router.add_route("GET", "/ws", websocket_handler)
    served = await serve(app)
    for path, body in [
        ("/", b"Hello, world"),
        ("/stream", b"one, two"),
        ("/missing", b"404: Not Found"),
    ]:
        async with served.client.get(path) as response:
            assert response.headers["My-Header"] == "value"
            assert await response.read() == body
    async with served.client.ws_connect("/ws") as ws:
        assert ws._response.headers["My-Header"] == "value"


# -- What the guide takes for granted


async def body_handler(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


@pytest.mark.parametrize("size", [0, 1, 1000, 100_000, 1024**2])
@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_with_a_length_and_in_chunks(serve: Serve, size: int, chunked: bool) -> None:
    body = os.urandom(size)

    async def pieces() -> Any:
        for start in range(0, size, 7000):
            yield body[start : start + 7000]

    app = web.Application()
    app.router.add_route("POST", "/", body_handler)
    served = await serve(app)
    async with served.client.post("/", data=pieces() if chunked else body) as response:
        assert await response.read() == body


async def test_404_405_and_head(serve: Serve) -> None:
    app = web.Application()
    app.router.add_route("GET", "/", hello)
    app.router.add_route("PUT", "/", hello)
    app.router.add_get("/both", hello)
    served = await serve(app)
    async with served.client.get("/missing") as response:
        assert (response.status, await response.text()) == (404, "404: Not Found")
    async with served.client.post("/") as response:
        assert (response.status, await response.text()) == (405, "405: Method Not Allowed")
        assert response.headers["Allow"] == "GET,PUT"
    async with served.client.head("/") as response:
        assert response.status == 405
    async with served.client.head("/both") as response:
        assert (response.status, response.headers["Content-Length"]) == (200, "12")
        assert await response.read() == b""


async def test_connections_are_kept_and_requests_may_be_pipelined(serve: Serve) -> None:
    app = web.Application()
    app.router.add_route("GET", "/{name}", variable_handler)
    served = await serve(app)
    for _ in range(3):
        async with served.client.get("/a") as response:
            await response.read()
    assert len(served.server.connections) == 1
    wire = await served.connect()
    wire.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(20)))
    assert [(await wire.answer())[1] for _ in range(20)] == [b"Hello, %d" % n for n in range(20)]


async def test_a_failing_handler(serve: Serve, failures: Failures) -> None:
    async def failing(request):  # type: ignore[no-untyped-def]
        raise KeyError("the inside")

    app = web.Application()
    app.router.add_route("GET", "/", failing)
    served = await serve(app)
    async with served.client.get("/") as response:
        assert (response.status, await response.text()) == (500, "500: Internal Server Error")
        assert "inside" not in str(response.headers)
    assert failures() == ["Error handling GET /: KeyError"]
