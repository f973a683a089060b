"""The usage guide's own examples, served over a real socket.

The snippets stand here as the guide has them, under their headings, formatted like the rest of
the project. Where a snippet is repaired, a comment says what was broken.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from serving import Failures, Serve

from headrace import web

pytestmark = pytest.mark.sockets

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


async def test_the_literal_goes_before_the_pattern_and_the_pattern_before_the_rest(
    serve: Serve,
) -> None:
    def tell(text: str) -> Any:
        return lambda request: web.Response(text=text)

    app = web.Application()
    for pattern in ("/{rest:.*}", "/{name}", r"/{name:\d+}", "/5", "/{again}/x", "/{name}/{y}"):
        app.router.add_route("GET", pattern, tell(pattern))
    served = await serve(app)
    for path, pattern in [
        ("/5", "/5"),
        ("/6", r"/{name:\d+}"),
        ("/six", "/{name}"),
        ("/six/x", "/{again}/x"),
        ("/six/7", "/{name}/{y}"),
        ("/six/7/8", "/{rest:.*}"),
    ]:
        async with served.client.get(path) as response:
            assert await response.text() == pattern


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


async def test_a_named_directory(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text("a {}")

    async def handler(request):  # type: ignore[no-untyped-def]
        return web.Response(text=request.app.router["static"].url(filename="/style.css"))

    app = web.Application()
    app.router.add_static("/static", tmp_path, name="static")
    app.router.add_route("GET", "/", handler)
    served = await serve(app)
    async with served.client.get("/") as response:
        url = await response.text()
        assert url == "/static/style.css"
    async with served.client.get(url) as response:
        assert (response.content_type, await response.text()) == ("text/css", "a {}")


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


@pytest.mark.parametrize("awaited", [False, True])
async def test_a_stream_is_written_with_and_without_await(serve: Serve, awaited: bool) -> None:
    async def stream(request):  # type: ignore[no-untyped-def]
        response = web.StreamResponse(status=202, reason="Streaming")
        response.content_type = "text/plain"
        await response.prepare(request)
        for number in range(1000):
            written = response.write(b"%d " % number * 100)
            if awaited:
                await written
            else:
                await response.drain()
        return response

    app = web.Application()
    app.router.add_route("GET", "/", stream)
    served = await serve(app)
    async with served.client.get("/") as response:
        assert (response.status, response.reason) == (202, "Streaming")
        assert response.content_type == "text/plain"
        assert await response.read() == b"".join(b"%d " % n * 100 for n in range(1000))


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


async def test_an_old_client_and_its_transport(serve: Serve) -> None:
    async def handler(request):  # type: ignore[no-untyped-def]
        assert request.version == web.HttpVersion10 == (1, 0)
        assert request.version < web.HttpVersion11
        host, port = request.transport.get_extra_info("peername")
        return web.Response(text=f"{host} {port}")

    app = web.Application()
    app.router.add_route("GET", "/", handler, expect_handler=make_expect_app)  # not asked: 1.0
    served = await serve(app)
    wire = await served.connect()
    host, port = wire.writer.get_extra_info("sockname")
    wire.send(b"GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n")
    assert (await wire.answer())[1].decode() == f"{host} {port}"


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


async def test_one_task_receives(serve: Serve) -> None:
    refusals = []

    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        other = asyncio.create_task(ws.receive())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError) as caught:
            await ws.receive()
        refusals.append(str(caught.value))
        ws.send_str((await other).data)
        await ws.close()
        return ws

    served = await serve(handler)
    async with served.client.ws_connect("/") as ws:
        await ws.send_str("for the first")
        assert await ws.receive_str() == "for the first"
    assert len(refusals) == 1


async def test_a_protocol_is_negotiated_and_a_close_has_a_reason(serve: Serve) -> None:
    async def handler(request):  # type: ignore[no-untyped-def]
        ws = web.WebSocketResponse(timeout=5.0, autoclose=True, autoping=True, protocols=("chat",))
        ok, protocol = ws.can_prepare(request)
        if not ok:
            return web.Response(text="no WebSocket")
        await ws.prepare(request)
        assert protocol == ws.protocol == "chat"
        ws.ping(b"ping")
        ws.pong(b"pong")
        ws.send_bytes(b"bytes")
        await ws.close(code=4000, message=b"enough")
        assert ws.exception() is None
        return ws

    served = await serve(handler)
    async with served.client.get("/") as response:
        assert await response.text() == "no WebSocket"
    async with served.client.ws_connect("/", protocols=("other", "chat")) as ws:
        assert ws.protocol == "chat"
        assert await ws.receive_bytes() == b"bytes"
        message = await ws.receive()
        assert (message.data, message.extra) == (4000, "enough")


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


async def test_signals_of_a_life(serve: Serve) -> None:
    calls = []

    def note(name: str) -> Any:
        async def callback(app):  # type: ignore[no-untyped-def]
            calls.append(name)

        return callback

    app = web.Application()
    app.on_startup.append(note("startup"))
    app.on_shutdown.append(note("shutdown"))
    app.on_cleanup.append(note("cleanup"))
    app.router.add_route("GET", "/", hello)
    served = await serve(app)
    async with served.client.get("/") as response:
        assert response.status == 200
    assert calls == ["startup"]
    await served.runner.cleanup()
    assert calls == ["startup", "shutdown", "cleanup"]


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
