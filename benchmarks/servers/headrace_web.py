"""headrace.web on uvloop."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import uvloop  # noqa: F401 (run_app takes it where it is installed)

from headrace import web

FILES = Path(__file__).parents[1] / "files"


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="Hello, world!")


async def user(request: web.Request) -> web.Response:
    return web.Response(text=request.match_info["name"])


async def as_json(request: web.Request) -> web.Response:
    return web.json_response({"message": "Hello, world!"})


async def reads(request: web.Request) -> web.Response:
    values = (request.query["q"], request.headers["Accept-Language"], request.cookies["session"])
    return web.Response(text=",".join(values))


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def echo_messages(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        if message.type is web.WSMsgType.TEXT:
            await ws.send_str(message.data)
        elif message.type is web.WSMsgType.BINARY:
            await ws.send_bytes(message.data)
    return ws


async def upload(request: web.Request) -> web.Response:
    form = await request.post()
    file = form["file"]
    assert isinstance(file, web.FileField)
    return web.Response(text=f"{form['title']}: {file.file.seek(0, os.SEEK_END)}")


def main(port: int, access_log: logging.Logger | None = None) -> None:
    app = web.Application()
    app.router.add_get("/", hello)
    app.router.add_get("/user/{name}", user)
    app.router.add_get("/json", as_json)
    app.router.add_get("/reads", reads)
    app.router.add_post("/echo", echo)
    app.router.add_get("/ws", echo_messages)
    app.router.add_post("/upload", upload, client_max_size=16 * 1024**2)
    app.router.add_static("/static", FILES)
    web.run_app(app, host="127.0.0.1", port=port, access_log=access_log, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
