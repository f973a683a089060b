"""The program that is soaked: an application with something of everything, and what it weighs.

python served.py PORT_FILE
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import hashlib
import logging
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from headrace import web
from headrace.web import _serve

#: Short, so that silent clients meet their ends within the soak.
SETTINGS: dict[str, Any] = {
    "keepalive_timeout": 3.0,
    "head_timeout": 2.0,
    "body_timeout": 2.0,
    "write_timeout": 3.0,
    "lingering_time": 2.0,
    "handler_timeout": 5.0,
    "max_connections_per_client": 0,
    "access_log": None,
}
FILE_SIZE = 300_000

LIBC = ctypes.CDLL(None)

errors: Counter[str] = Counter()


class Count(logging.Handler):
    """Counts what is logged as an error, beside the failures and delays that were asked for."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, Intended | TimeoutError):
            errors[f"{record.getMessage().split(' /')[0]}: {error!r}"] += 1


class Intended(Exception):
    """What a handler raises that was asked to."""


def content(seed: str, size: int) -> bytes:
    """Return bytes that belong to *seed* alone."""
    return random.Random(seed).randbytes(size)


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    digest = hashlib.sha256(body).hexdigest()
    return web.Response(text=f"{request.match_info['id']} {len(body)} {digest}")


async def nap(request: web.Request) -> web.Response:
    await asyncio.sleep(random.random() / 5)
    return web.Response(text=request.match_info["id"])


async def sleep(request: web.Request) -> web.Response:
    await asyncio.sleep(60)  # longer than a handler may take
    return web.Response(text="never")


async def fail(request: web.Request) -> web.Response:
    raise Intended


async def unread(request: web.Request) -> web.Response:
    return web.Response(text=request.match_info["id"])


async def large(request: web.Request) -> web.Response:
    return web.Response(body=content(request.match_info["id"], int(request.match_info["size"])))


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    data = content(request.match_info["id"], int(request.match_info["size"]))
    for start in range(0, len(data), 10_000):
        await response.write(data[start : start + 10_000])
        if random.random() < 0.05:
            await asyncio.sleep(0.001)
    return response


async def upload(request: web.Request) -> web.Response:
    digest = hashlib.sha256()
    async for piece in request.content.iter_any():
        digest.update(piece)
        if random.random() < 0.05:
            await asyncio.sleep(0.001)
    return web.Response(text=f"{request.match_info['id']} {digest.hexdigest()}")


async def websocket(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(heartbeat=10.0, timeout=2.0)
    await ws.prepare(request)
    async for message in ws:
        if message.type is not web.WSMsgType.BINARY:
            break
        await ws.send_bytes(request.match_info["id"].encode() + message.data)
    return ws


async def events(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while not request.disconnected:
        await response.write(b"data: %b\n\n" % request.match_info["id"].encode())
        await asyncio.sleep(0.05)
    return response


def weight(server: web.Server) -> dict[str, Any]:
    """Return what must not grow."""
    for _ in range(3):
        gc.collect()
    LIBC.malloc_trim(0)
    return {
        "connections": len(server.connections) - 1,  # beside the one that asks
        "tasks": len(asyncio.all_tasks()),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "blocks": sys.getallocatedblocks(),
        "resident_kib": int(Path("/proc/self/statm").read_text().split()[1]) * 4,
        "errors": dict(errors),
    }


def make_app(folder: Path) -> web.Application:
    """Return the application."""
    (folder / "file").write_bytes(content("file", FILE_SIZE))
    app = web.Application(client_max_size=8 * 1024**2)
    app.add_routes(
        [
            web.route("*", "/echo/{id}", echo),
            web.get("/nap/{id}", nap),
            web.get("/sleep", sleep),
            web.get("/fail", fail),
            web.post("/unread/{id}", unread),
            web.get("/large/{id}/{size:int}", large),
            web.get("/stream/{id}/{size:int}", stream),
            web.post("/upload/{id}", upload),
            web.get("/websocket/{id}", websocket),
            web.get("/events/{id}", events),
            web.static("/files", folder),
        ]
    )
    return app


async def main(port_file: str, max_connections: int) -> None:
    """Serve until SIGTERM."""
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: errors.update([f"loop: {context}"])
    )
    with tempfile.TemporaryDirectory() as folder:
        app = make_app(Path(folder))
        serving = web.serve(
            app,
            host="127.0.0.1",
            port=0,
            backlog=4096,
            handle_signals=True,
            max_connections=max_connections,
            **SETTINGS,
        )

        async def weigh(request: web.Request) -> web.Response:
            assert serving.server is not None
            return web.json_response(weight(serving.server))

        app.router.add_get("/weight", weigh)
        async with serving:
            Path(port_file).write_text(str(serving.addresses[0][1]))
            await serving.wait_stopped()


if __name__ == "__main__":
    for name in ("headrace", "asyncio"):
        logging.getLogger(name).addHandler(Count(logging.ERROR))
    loop = None if os.environ.get("SOAK_LOOP") == "asyncio" else _serve.fastest_loop()
    _serve.run(main(sys.argv[1], int(sys.argv[2])), loop)
