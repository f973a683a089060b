"""Starlette on uvicorn, with uvloop and httptools."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

FILES = Path(__file__).parents[1] / "files"


async def hello(request: Request) -> Response:
    return PlainTextResponse("Hello, world!")


async def user(request: Request) -> Response:
    return PlainTextResponse(request.path_params["name"])


async def as_json(request: Request) -> Response:
    return JSONResponse({"message": "Hello, world!"})


async def reads(request: Request) -> Response:
    values = (
        request.query_params["q"],
        request.headers["Accept-Language"],
        request.cookies["session"],
    )
    return PlainTextResponse(",".join(values))


async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/octet-stream")


async def echo_messages(ws: WebSocket) -> None:
    await ws.accept()
    while (message := await ws.receive())["type"] != "websocket.disconnect":
        if message.get("text") is not None:
            await ws.send_text(message["text"])
        else:
            await ws.send_bytes(message["bytes"])


async def upload(request: Request) -> Response:
    async with request.form() as form:
        file = form["file"]
        assert isinstance(file, UploadFile)
        return PlainTextResponse(f"{form['title']}: {file.file.seek(0, os.SEEK_END)}")


app = Starlette(
    routes=[
        Route("/", hello),
        Route("/user/{name}", user),
        Route("/json", as_json),
        Route("/reads", reads),
        Route("/echo", echo, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
        WebSocketRoute("/ws", echo_messages),
        Mount("/static", StaticFiles(directory=FILES)),
    ]
)

if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="critical",
        access_log=False,
        loop="uvloop",
        http="httptools",
    )
