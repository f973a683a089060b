"""A message board, in the dialect of the usage guide of aiohttp.web's early years.

The tests replace the import of aiohttp.web and the port, and nothing else.
"""

import asyncio
import sys
import time

from aiohttp import web

# -- pages: plain functions, coroutines, methods of objects


def index(request):
    router = request.app.router
    links = [
        router["index"].url(),
        router["board"].url(parts={"board": "python"}),
        router["message"].url(parts={"board": "python", "number": 1}, query={"a": "b", "c": "d"}),
        router["message"].url(parts={"board": "python", "number": 2}, query="?a=b"),
        router["static"].url(filename="/style.css"),
    ]
    return web.Response(text="\n".join(links))


async def echo(request):
    body = await request.read()
    headers = {"X-Method": request.method, "X-Path": request.path}
    if "token" in request.cookies:
        headers["X-Token"] = request.cookies["token"]
    return web.Response(body=body, headers=headers)


class Board:
    """Keeps the messages of all boards."""

    def __init__(self):
        self.messages = {}
        self.visits = 0

    async def list_messages(self, request):
        self.visits += 1
        board = request.match_info.get("board", "general")
        messages = self.messages.get(board, [])
        return web.Response(text="".join("{}\n".format(each) for each in messages))

    async def add_message(self, request):
        data = await request.post()
        if "text" not in data:
            return web.HTTPBadRequest(text="a message has a text", reason="No Text")
        board = request.match_info["board"]
        messages = self.messages.setdefault(board, [])
        messages.append("{}: {}".format(request["user"], data["text"]))
        parts = {"board": board, "number": len(messages)}
        return web.HTTPFound(request.app.router["message"].url(parts=parts))

    def show_message(self, request):
        messages = self.messages.get(request.match_info["board"], [])
        number = int(request.match_info["number"])
        if not 0 < number <= len(messages):
            raise web.HTTPNotFound()
        return web.Response(body=messages[number - 1].encode("utf-8"), content_type="text/plain")


# -- a second layer of routing


class AcceptChooser:
    def __init__(self):
        self._accepts = {}

    async def do_route(self, request):
        for accept in request.headers.getall("ACCEPT", []):
            acceptor = self._accepts.get(accept)
            if acceptor is not None:
                return await acceptor(request)
        raise web.HTTPNotAcceptable()

    def reg_acceptor(self, accept, handler):
        self._accepts[accept] = handler


async def status_as_json(request):
    visits = request.app["board"].visits
    return web.Response(text='{"visits": %d}' % visits, content_type="application/json")


async def status_as_text(request):
    return web.Response(text="visits: {}".format(request.app["board"].visits))


# -- uploads, with a look at the headers before the body is sent


async def check_auth(request):
    if request.version != (1, 1):
        return

    if request.headers.get("AUTHORIZATION") is None:
        return web.HTTPForbidden()

    request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def store_mp3_view(request):
    data = await request.post()

    # filename contains the name of the file in string format.
    filename = data["mp3"].filename

    # input_file contains the actual file data which needs to be
    # stored somewhere.
    input_file = data["mp3"].file
    content = input_file.read()
    request.app["songs"][filename] = content

    return web.Response(
        body=content,
        headers={"CONTENT-DISPOSITION": 'attachment; filename="{}"'.format(filename)},
        content_type=data["mp3"].content_type,
    )


# -- streams and WebSockets: nothing is awaited that is only sent


async def stream(request):
    response = web.StreamResponse(status=200, reason="Flowing")
    response.content_type = "text/plain"
    await response.prepare(request)
    for number in range(100):
        response.write(b"%03d\n" % number)
        if number % 10 == 0:
            await response.drain()
    await response.write_eof()
    return response


async def websocket_handler(request):
    ws = web.WebSocketResponse(protocols=("board",))
    ok, protocol = ws.can_prepare(request)
    if not ok:
        return web.HTTPBadRequest(text="no WebSocket")
    await ws.prepare(request)
    everybody = request.app["sockets"]
    everybody.append(ws)

    async for msg in ws:
        if msg.tp == web.MsgType.text:
            if msg.data == "close":
                await ws.close()
            elif msg.data == "protocol":
                ws.send_str(f"{ws.protocol} {protocol}")
            else:
                for each in everybody:
                    each.send_str(msg.data + "/answer")
        elif msg.tp == web.MsgType.binary:
            ws.send_bytes(msg.data + b"/answer")
        elif msg.tp == web.MsgType.error:
            print("ws connection closed with exception %s" % ws.exception())

    everybody.remove(ws)
    print("websocket connection closed")

    return ws


# -- exceptions and cookies


async def go(request):
    where = request.match_info["where"]
    if where == "login":
        response = web.HTTPSeeOther("/")
        response.set_cookie("user", "ann", max_age=60, httponly=True)
        return response
    if where == "logout":
        response = web.Response(text="bye")
        response.del_cookie("user")
        return response
    if where == "moved":
        raise web.HTTPMovedPermanently("/moved", headers={"X-Why": "moved"}, text="gone there")
    if where == "method":
        raise web.HTTPMethodNotAllowed(
            "POST", ["GET", "HEAD"], body=b"<p>no</p>", content_type="text/html"
        )
    if where == "wrong":
        raise KeyError("the inside")
    raise web.HTTPGone(reason="Really Gone")


# -- middlewares and signals


async def user_middleware(app, handler):
    async def middleware(request):
        request["user"] = request.cookies.get("user", "anonymous")
        return await handler(request)

    return middleware


async def error_middleware(app, handler):
    async def middleware(request):
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return web.Response(status=404, text="There is no {}".format(request.path))

    return middleware


async def forbid_middleware(app, handler):
    await asyncio.sleep(0)  # a factory may wait, for a database say

    async def middleware(request):
        if request.path.startswith("/secret"):
            raise web.HTTPForbidden()
        started = time.time()
        response = await handler(request)
        app["seconds"].append(time.time() - started)
        return response

    return middleware


async def on_prepare(request, response):
    response.headers["My-Header"] = "value"
    if request.get("user", "anonymous") != "anonymous":
        response.headers["X-User"] = request["user"]


# -- all of it


async def close_sockets(app, code, message=b""):
    print("closing", len(app["sockets"]), "sockets")
    for ws in list(app["sockets"]):
        await ws.close(code=code, message=message)


def make_app(loop, directory):
    app = web.Application(
        loop=loop, middlewares=[user_middleware, error_middleware, forbid_middleware]
    )
    app["board"] = board = Board()
    app["songs"] = {}
    app["sockets"] = []
    app["seconds"] = []
    app.on_response_prepare.append(on_prepare)
    app.register_on_finish(lambda app: print("finished after", len(app["seconds"]), "requests"))
    app.register_on_finish(close_sockets, 1001, message=b"over")

    add_route = app.router.add_route
    add_route("GET", "/", index, name="index")
    add_route("*", "/echo{rest:.*}", echo)
    add_route("GET", "/boards", board.list_messages)
    add_route("GET", "/boards/{board}", board.list_messages, name="board")
    add_route("POST", "/boards/{board}", board.add_message)
    add_route("GET", r"/boards/{board}/{number:\d+}", board.show_message, name="message")
    add_route("POST", "/store_mp3", store_mp3_view, expect_handler=check_auth)
    add_route("GET", "/stream", stream)
    add_route("GET", "/ws", websocket_handler)
    add_route("GET", "/go/{where}", go)
    app.router.add_static("/static", directory, name="static")

    chooser = AcceptChooser()
    add_route("GET", "/status", chooser.do_route)
    chooser.reg_acceptor("application/json", status_as_json)
    chooser.reg_acceptor("text/plain", status_as_text)

    for route in app.router.routes():
        assert callable(route.handler), route
    print(len(app.router.routes()), "routes")
    return app


def main(directory):
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app = make_app(loop, directory)
    handler = app.make_handler(keep_alive=75, timeout=0)
    f = loop.create_server(handler, "127.0.0.1", 8080)
    srv = loop.run_until_complete(f)
    print("serving on", srv.sockets[0].getsockname())
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


if __name__ == "__main__":
    main(sys.argv[1])
