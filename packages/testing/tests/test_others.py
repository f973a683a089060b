"""Servers of other frameworks, driven through the protocols they hand out.

Skipped where the dependency group ``others`` is not installed.
"""

import io
import logging

import pytest

from headrace.testing import Faults, FormData, TestClient, TestServer

# aiohttp


@pytest.fixture
async def aiohttp_app():
    web = pytest.importorskip("aiohttp.web")

    async def hello(request):
        return web.json_response({"path": request.path, "query": dict(request.query)})

    async def upload(request):
        form = await request.post()
        return web.Response(text=f"{form['file'].filename} {len(form['file'].file.read())}")

    async def form(request):
        return web.Response(text=str(list(await request.post())))

    async def stream(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for number in range(3):
            await response.write(b"%d\n" % number)
        return response

    async def chat(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data.upper())
        return socket

    async def broken(request):
        raise LookupError("inside of aiohttp")

    app = web.Application()
    app.router.add_get("/hello", hello)
    app.router.add_post("/upload", upload)
    app.router.add_post("/form", form)
    app.router.add_get("/stream", stream)
    app.router.add_get("/chat", chat)
    app.router.add_get("/broken", broken)
    runner = web.AppRunner(app, keepalive_timeout=60)
    await runner.setup()
    yield runner.server
    await runner.cleanup()


async def test_aiohttp(aiohttp_app, connect) -> None:
    async with connect(aiohttp_app) as client:
        response = await client.get("/hello", params={"a": "b"})
        assert await response.json() == {"path": "/hello", "query": {"a": "b"}}
        form = FormData()
        form.add_field("file", b"12345", filename="five.txt")
        assert await (await client.post("/upload", data=form)).text() == "five.txt 5"
        response = await client.get("/stream")
        assert [line async for line in response.content] == [b"0\n", b"1\n", b"2\n"]
        async with client.ws_connect("/chat") as socket:
            await socket.send_str("hello")
            assert await socket.receive_str() == "HELLO"
        with pytest.raises(LookupError, match="inside of aiohttp"):
            await client.get("/broken")


async def test_a_form_of_aiohttp(aiohttp_app, connect) -> None:
    form = pytest.importorskip("aiohttp").FormData({"text": "ü"})
    async with connect(aiohttp_app) as client:
        response = await client.post("/form", data=form)
        assert await response.text() == "['text']"
        assert response.request.body == b"text=%C3%BC"
        form.add_field("file", io.BytesIO(b"12345"), filename="five.txt")
        response = await client.post("/form", data=form)
        assert await response.text() == "['text', 'file']"
        assert b'filename="five.txt"' in response.request.body


async def test_aiohttp_at_every_cut(aiohttp_app) -> None:
    async with TestClient(aiohttp_app) as client:
        answers = {await r.text() async for r in client.at_every_cut("GET", "/hello")}
    assert answers == {'{"path": "/hello", "query": {}}'}


async def test_the_keep_alive_of_aiohttp_follows_the_clock(aiohttp_app, connect) -> None:
    async with connect(aiohttp_app) as client:
        await (await client.get("/hello")).read()
        assert len(aiohttp_app.connections) == 1
        await client.clock.advance(50)
        assert len(aiohttp_app.connections) == 1
        await client.clock.advance(20)
        assert len(aiohttp_app.connections) == 0


# uvicorn


async def asgi(scope, receive, send):
    """Answer with what was received."""
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    if scope["path"] == "/broken":
        raise LookupError("inside of the ASGI application")
    start = {"type": "http.response.start", "status": 200, "headers": [(b"x-asgi", b"1")]}
    await send(start)
    answer = b"%s %s %s" % (scope["method"].encode(), scope["path"].encode(), body)
    await send({"type": "http.response.body", "body": answer})


@pytest.fixture
def uvicorn_factory():
    """A protocol factory as ``uvicorn.Server`` makes one for each connection."""
    uvicorn = pytest.importorskip("uvicorn")
    protocol = pytest.importorskip("uvicorn.protocols.http.h11_impl").H11Protocol
    from uvicorn.server import ServerState

    config = uvicorn.Config(asgi, lifespan="off", log_config=None, ws="none", http="h11")
    config.load()
    state = ServerState()
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return lambda: protocol(config=config, server_state=state, app_state={})


async def test_uvicorn(uvicorn_factory, connect) -> None:
    async with connect(uvicorn_factory) as client:
        response = await client.post("/x", data=b"body")
        assert await response.read() == b"POST /x body"
        assert response.headers["X-ASGI"] == "1"
        with pytest.raises(LookupError, match="inside of the ASGI application"):
            await client.get("/broken")
        response = await client.get("/slow", faults=Faults(write_size=1))
        assert await response.read() == b"GET /slow "


async def test_the_keep_alive_of_uvicorn_follows_the_clock(uvicorn_factory, transport) -> None:
    made = []

    def counted():
        made.append(uvicorn_factory())
        return made[-1]

    async with TestClient(TestServer(counted, transport=transport)) as client:
        await (await client.get("/")).read()
        await client.clock.advance(2)
        assert not made[0].transport.is_closing()
        await client.clock.advance(10)
        assert made[0].transport.is_closing()
