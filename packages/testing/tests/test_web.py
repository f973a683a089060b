"""With headrace.web: what builds its objects, and an application over both transports.

Skipped where headrace.web is not installed; it is no dependency of this package.
"""

import asyncio
from pathlib import Path

import pytest

from headrace.testing import RawTestServer, TestClient, WSMsgType, make_mocked_request

web = pytest.importorskip("headrace.web")


async def test_raw_server(transport) -> None:
    async def handler(request):
        return web.Response(text=f"{request.method} {request.path}")

    async with TestClient(RawTestServer(handler, transport=transport)) as client:
        assert await (await client.get("/raw")).text() == "GET /raw"


async def test_an_application(transport) -> None:
    async def hello(request):
        return web.json_response({"name": request.match_info["name"]})

    async def broken(request):
        raise LookupError("inside")

    app = web.Application()
    app.router.add_get("/hello/{name}", hello)
    app.router.add_get("/broken", broken)
    async with TestClient(app, transport=transport) as client:
        assert await (await client.get("/hello/you")).json() == {"name": "you"}
        assert (await client.get("/nowhere")).status == 404
        with pytest.raises(LookupError, match="inside"):
            await client.get("/broken")


async def test_websockets(transport) -> None:
    async def chat(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data.upper())
        return socket

    app = web.Application()
    app.router.add_get("/chat", chat)
    async with (
        TestClient(app, transport=transport) as client,
        client.ws_connect("/chat") as socket,
    ):
        await socket.send_str("hello")
        message = await socket.receive()
        assert message.type is WSMsgType.TEXT
        assert message.type == web.WSMsgType.TEXT
        assert message.data == "HELLO"


async def test_keep_alive_ends_by_the_clock(transport) -> None:
    async def hello(request):
        return web.Response()

    app = web.Application()
    app.router.add_get("/", hello)
    client = TestClient(app, transport=transport)
    await client.start_server(keepalive_timeout=60)
    await client.get("/")
    assert len(client.handler.connections) == 1
    await client.clock.advance(50)
    assert len(client.handler.connections) == 1
    await client.clock.advance(20)
    assert len(client.handler.connections) == 0
    await client.close()


async def test_a_mocked_request() -> None:
    app = object()
    request = make_mocked_request(
        "POST",
        "/a%20b?c=d",
        {"X-Header": "value", "Content-Type": "text/plain"},
        match_info={"name": "you"},
        app=app,
        payload=b"the body",
    )
    assert isinstance(request, web.Request)
    assert request.method == "POST"
    assert request.path == "/a b"
    assert request.query["c"] == "d"
    assert request.headers["x-header"] == "value"
    assert request.match_info["name"] == "you"
    assert request.app is app
    assert request.version == (1, 1)
    assert request.keep_alive
    assert request.remote == "127.0.0.1"
    assert request.scheme == "http"
    assert request.loop is asyncio.get_running_loop()
    assert await request.text() == "the body"


async def test_a_mocked_request_over_tls_that_closes() -> None:
    request = make_mocked_request("GET", "/", version=(1, 0), closing=True, sslcontext=object())
    assert request.scheme == "https"
    assert not request.keep_alive
    assert request.version == (1, 0)
    assert await request.read() == b""


async def test_files_answer_mocked_requests(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(b"0123456789" * 50_000)
    request = make_mocked_request("GET", "/", app=web.Application())
    response = web.FileResponse(path)
    await response.prepare(request)
    assert bytes(request._exchange.body) == path.read_bytes()


async def test_handlers_answer_mocked_requests() -> None:
    async def handler(request):
        response = web.StreamResponse(headers={"X-A": "b"})
        await response.prepare(request)
        await response.write(b"one ")
        await response.write_eof(b"two")
        return response

    request = make_mocked_request("GET", "/", app=web.Application())
    response = await handler(request)
    assert response.prepared
    exchange = request._exchange
    assert exchange.sent[0] == 200
    assert (b"X-A", b"b") in exchange.sent[2]
    assert exchange.body == b"one two"
