"""Starlette on uvicorn, with uvloop and httptools."""

from __future__ import annotations

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


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


app = Starlette(
    routes=[
        Route("/", hello),
        Route("/user/{name}", user),
        Route("/json", as_json),
        Route("/reads", reads),
        Route("/echo", echo, methods=["POST"]),
    ]
)

if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="error",
        access_log=False,
        loop="uvloop",
        http="httptools",
    )
