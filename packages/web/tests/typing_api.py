"""Code of users that must check, and code that must not: read by type checkers, never run.

Each marked line is an error that a type checker has to find; strict mode complains when it does
not.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NoReturn, assert_type

from multidict import CIMultiDictProxy, MultiMapping
from yarl import URL

from headrace import web

# -- keys that know the type of their value

COUNT = web.AppKey("count", int)
USER = web.RequestKey("user", str)
NOTE = web.ResponseKey("note", list[str])
PLUGIN: web.AppKey[Callable[[], int]] = web.AppKey("plugin")
assert_type(COUNT, web.AppKey[int])

app = web.Application()
app[COUNT] = 1
app[COUNT] = "one"  # type: ignore[misc]
app["org.example.anything"] = object()
app[5] = "five"  # type: ignore[call-overload]
assert_type(app[COUNT], int)
assert_type(app.get(COUNT), int | None)
assert_type(app.get(COUNT, ""), int | str)
assert_type(app["org.example.anything"], Any)
assert_type(app[PLUGIN](), int)
web.AppKey(5)  # type: ignore[arg-type]

# -- handlers


async def handler(request: web.Request) -> web.Response:
    assert_type(request.method, str)
    assert_type(request.version, web.HttpVersion)
    assert_type(request.url, URL)
    assert_type(request.path, str)
    assert_type(request.query, MultiMapping[str])
    assert_type(request.headers, CIMultiDictProxy[str])
    assert_type(request.cookies, Mapping[str, str])
    assert_type(request.remote, str | None)
    assert_type(request.content_length, int | None)
    assert_type(request.http_range, slice)
    assert_type(request.if_match, tuple[web.ETag, ...] | None)
    assert_type(request.if_modified_since, datetime.datetime | None)
    assert_type(request.if_range, datetime.datetime | web.ETag | None)
    assert_type(request.content, web.StreamReader)
    assert_type(await request.read(), bytes)
    assert_type(await request.text(), str)
    assert_type(await request.content.readexactly(2), bytes)
    async for line in request.content:
        assert_type(line, bytes)
    async for chunk, ended in request.content.iter_chunks():
        assert_type((chunk, ended), tuple[bytes, bool])
    request[USER] = "ada"
    request[USER] = 5  # type: ignore[misc]
    assert_type(request[USER], str)
    assert_type(request.clone(method="PUT"), web.Request)
    request.clone(body=b"")  # type: ignore[call-arg]
    request.method = "PUT"  # type: ignore[misc]
    request.path = "/"  # type: ignore[assignment]
    request.headers["X"] = "y"  # type: ignore[index]
    request.cookies["a"] = "b"  # type: ignore[index]
    assert_type(request.app, web.Application)
    assert_type(request.app[COUNT], int)
    _ = request.app.ruoter  # type: ignore[attr-defined]
    request.app = app  # type: ignore[misc]
    assert_type(request.match_info, web.UrlMappingMatchInfo)
    assert_type(request.match_info.route, web.AbstractRoute)
    assert_type(request.match_info.http_exception, web.HTTPException | None)
    _ = request.match_info.ruote  # type: ignore[attr-defined]
    assert_type(request.app.router["name"].url_for(name="x"), URL)
    assert_type(request.app.router["name"].url(parts={"name": "x"}), str)
    assert_type(request.config_dict[COUNT], int)
    assert_type(request.config_dict.get(COUNT), int | None)
    request.config_dict[COUNT] = 1  # type: ignore[index]
    assert_type(request.forwarded, tuple[Mapping[str, str], ...])
    if isinstance(request, web.Request):
        await takes_the_application(request.app)
    return web.Response(text=request.match_info["name"])


async def takes_the_application(app: web.Application) -> None:
    app[COUNT] += 1


def plain(request: web.Request) -> web.Response:
    return web.json_response({"a": 1})


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=200, headers={"X-A": "b"})
    response[NOTE] = ["x"]
    response[NOTE] = "x"  # type: ignore[misc]
    response.content_length = 5
    response.last_modified = datetime.datetime.now(datetime.UTC)
    response.set_cookie("a", "b", max_age=5, samesite="Lax", partitioned=True)
    response.set_cookie("a", "b", maxage=5)  # type: ignore[call-arg]
    await response.prepare(request)
    response.write(b"guide")
    await response.write(b"today")
    response.write("text")  # type: ignore[arg-type]
    assert_type(response.write(b""), Awaitable[None])
    await response.write_eof()
    return response


# -- exceptions are responses, to be raised or returned


async def redirect(request: web.Request) -> web.Response:
    if request.secure:
        return web.HTTPFound("/there")
    if request.query:
        raise web.HTTPFound(URL("/there"), text="x")
    web.HTTPFound()  # type: ignore[call-arg]
    web.HTTPFound(None)  # type: ignore[arg-type]
    web.HTTPNotFound("text")  # type: ignore[call-arg, arg-type]
    web.HTTPMethodNotAllowed("GET")  # type: ignore[call-arg]
    web.HTTPRequestEntityTooLarge(max_size=1, actual_size=2)
    web.HTTPRequestEntityTooLarge(max=1)  # type: ignore[call-arg]
    web.HTTPUnavailableForLegalReasons("https://court.example", text="no", reason="Forbidden")
    app.json_response({"a": 1}, status=201)
    app.json_response({"a": 1}, staus=201)  # type: ignore[call-arg]
    web.json_bytes_response([1], dumps=lambda value: b"", status=201)
    web.json_bytes_response([1], dumps=lambda value: "")  # type: ignore[arg-type, return-value]
    assert_type(web.HTTPFound("/").location, URL)
    assert_type(web.HTTPMethodNotAllowed("GET", {"PUT"}).allowed_methods, set[str])
    raise web.HTTPNotFound(text="no", headers={"X": "y"})


web.Response(body=open("file"), headers=[("X", "a"), ("X", "b")])  # noqa: SIM115
web.Response(headers={"X": 5})  # type: ignore[arg-type]
web.Response(text=b"bytes")  # type: ignore[arg-type]
web.Response(body=5)  # type: ignore[arg-type]
web.Response("text")  # type: ignore[call-arg]
web.Response(satus=200)  # type: ignore[call-arg]
assert_type(web.Response().text, str | None)

# -- routes

route = app.router.add_get("/{name}", handler, name="name")
assert_type(route, web.ResourceRoute)
assert_type(route.url(parts={"name": "x"}), str)
assert_type(route.url_for(name="x"), URL)
assert_type(app.router["name"].url_for(name="x"), URL)
app.router.add_route("GET", "/plain", plain)
app.router.add_route("GET", "/none", None)  # type: ignore[arg-type]
app.router.add_route("GET", "/stream")  # type: ignore[call-arg]


async def forgets_to_return(request: web.Request) -> None:
    web.Response()


def returns_text(request: web.Request) -> str:
    return "text"


async def takes_nothing() -> web.Response:
    return web.Response()


async def raises(request: web.Request) -> NoReturn:
    raise web.HTTPFound("/")


app.router.add_get("/forgets", forgets_to_return)  # type: ignore[arg-type]
app.router.add_get("/text", returns_text)  # type: ignore[arg-type]
app.router.add_get("/nothing", takes_nothing)  # type: ignore[arg-type]
app.router.add_get("/raises", raises)
app.router.add_get("/exception", redirect)
app.add_routes([web.get("/forgets", forgets_to_return)])  # type: ignore[arg-type]
app.router.add_get("/typo", handler, nmae="x")  # type: ignore[call-arg]
app.add_routes([web.get("/a", handler), web.post("/b", plain)])
app.add_routes([handler])  # type: ignore[list-item]
for each in app.router.routes():
    assert_type(each, web.ResourceRoute)

table = web.RouteTableDef()


@table.get("/decorated")
async def decorated(request: web.Request) -> web.Response:
    return await handler(request)


@table.view("/view")
class View(web.View):
    async def get(self) -> web.StreamResponse:
        assert_type(self.request, web.Request)
        return web.Response(text=self.request.match_info["name"])


@table.get("/forgets")  # type: ignore[type-var]
async def forgets_too(request: web.Request) -> None:
    web.Response()


typed: Callable[[web.Request], Awaitable[web.Response]] = decorated
assert_type(table[0], web.RouteDef | web.StaticDef)
app.add_routes(table)
app.router.add_view("/view", View)
app.router.add_get("/forms", web.by_accept({"text/html": View, "application/json": plain}))
web.by_accept({"text/html": returns_text})  # type: ignore[dict-item]
app.router.register_resource(web.PlainResource("/apart", name="apart"))
assert_type(web.PlainResource("/apart").add_route("GET", handler), web.ResourceRoute)


async def allow(request: web.Request) -> web.StreamResponse | None:
    return web.HTTPForbidden() if "Authorization" not in request.headers else None


app.router.add_put("/expect", handler, expect_handler=allow)
app.router.add_put("/expect", handler, expect_handler=returns_text)  # type: ignore[arg-type]

admin = app.router.group("/admin", client_max_size=10, metadata={"role": "admin"})
assert_type(admin.add_get("/", handler, timeout=1.5), web.ResourceRoute)
admin.add_get("/", handler, timeout="1")  # type: ignore[arg-type]
assert_type(app.add_subapp("/sub", web.Application()), web.PrefixedSubAppResource)
app.add_subapp("/sub", handler)  # type: ignore[arg-type]

# -- middlewares and signals

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def made(name: str) -> web.Middleware:
    @web.middleware
    async def middleware(request: web.Request, handler: web.Handler) -> web.StreamResponse:
        response = await handler(request)
        assert_type(response, web.StreamResponse)
        await handler()  # type: ignore[call-arg]
        return response

    return middleware


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    return await handler(request)


async def undecorated(request: web.Request, handler: Handler) -> web.StreamResponse:
    return await middleware(request, handler)


async def factory(app: web.Application, handler: Handler) -> Handler:
    return handler


async def of_one_argument(request: web.Request) -> web.StreamResponse:
    return web.Response()


web.Application(middlewares=[middleware, undecorated, factory, made("x")])
web.Application(middlewares=[web.normalize_path_middleware()])
web.Application(middlewares=[of_one_argument])  # type: ignore[list-item]
web.Application(middlewares="middleware")  # type: ignore[arg-type]


async def on_startup(app: web.Application) -> None:
    app[COUNT] = 2


async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["X-Seen"] = request.path


async def context(app: web.Application) -> AsyncIterator[None]:
    yield


app.on_startup.append(on_startup)
app.on_cleanup.append(on_startup)
app.on_response_prepare.append(on_prepare)
app.on_startup.append(on_prepare)  # type: ignore[arg-type]
app.on_response_prepare.append(on_startup)  # type: ignore[arg-type]
app.cleanup_ctx.append(context)
own: web.Signal[[int, str]] = web.Signal("owner")


@own
async def called(number: int, text: str) -> None: ...


@app.on_startup
async def prepares(app: web.Application) -> None: ...


async def send() -> None:
    await own.send(5, "x")
    await own.send("x", 5)  # type: ignore[arg-type]


class AccessLog(web.AbstractAccessLogger):
    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        self.logger.info("%s %s %.3f", request.path, response.status, time)


web.AbstractAccessLogger(logging.getLogger(), "")  # type: ignore[abstract]

# -- WebSockets


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        assert_type(message, web.WSMessage)
        if message.type is web.WSMsgType.TEXT:
            socket.send_str(message.data)
            await socket.send_str(message.data)
            socket.send_str(b"bytes")  # type: ignore[arg-type]
    return socket


app.router.add_get("/echo", echo)


async def texts() -> AsyncIterator[str]:
    yield "piece"


async def octets() -> AsyncIterator[bytes]:
    yield b"piece"


async def room(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(
        slow_client="drop_oldest", heartbeat=20, heartbeat_timeout=10, origins=["https://a.example"]
    )
    web.WebSocketResponse(slow_client="drop")  # type: ignore[arg-type]
    web.WebSocketResponse(origins=lambda origin: origin.endswith(".example"))
    web.WebSocketResponse(origins=lambda origin: None)  # type: ignore[arg-type, return-value]
    await socket.prepare(request)
    await socket.send_stream(texts())
    await socket.send_stream(octets())
    await socket.send_frame(b"text", web.WSMsgType.TEXT)
    message = await socket.receive_stream()
    assert_type(message, web.WSMessage)
    assert_type(socket.dropped, int)
    web.broadcast({socket}, "to all")
    web.broadcast([socket], b"to all", compress=True)
    web.broadcast([socket], 5)  # type: ignore[arg-type]
    return socket


# -- event streams


async def events(request: web.Request) -> web.EventStreamResponse:
    stream = web.EventStreamResponse(heartbeat=None, retry=1.5)
    await stream.prepare(request)
    assert_type(stream.last_event_id, str | None)
    await stream.send("data", event="news", id="1", retry=2)
    stream.send("data", id=1)  # type: ignore[arg-type]
    return web.EventStreamResponse(texts())


# -- running

assert_type(app.make_handler(), web.Server)
web.run_app(app, host="127.0.0.1", port=8080)
web.run_app(app, port="8080")  # type: ignore[arg-type]
web.run_app(app, prot=8080)  # type: ignore[call-arg]
