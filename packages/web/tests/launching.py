"""Programs that serve, in processes of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Self

import aiohttp

from headrace import web

#: Seconds that nothing takes, on however busy a machine: what takes longer hangs.
PATIENCE = 60.0
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.scheme} {request.host}")


def make_app() -> web.Application:
    app = web.Application()
    app.router.add_get("/", hello)
    return app


async def get(url: str, **settings: Any) -> str:
    async with aiohttp.ClientSession(**settings) as session, session.get(url) as response:
        return await response.text()


PROGRAM = """
import asyncio, sys
from headrace import web

async def hello(request):
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    return web.Response(text=loop)

async def slow(request):
    print("begun", flush=True)
    await asyncio.sleep(3600)

async def wait(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for _ in ws:
        pass
    print("socket closed", ws.close_code, flush=True)
    return ws

async def log(app):
    print("started", flush=True)
    yield
    print("cleaned up", flush=True)

app = web.Application()
app.router.add_get("/", hello)
app.router.add_get("/slow", slow)
app.router.add_get("/ws", wait)
app.cleanup_ctx.append(log)
"""


#: What is logged of a handler that does not end.
CANCELLED = "cancelled handlers that did not end in time: 1\n"


class Program:
    """A Python program that serves, and what it prints."""

    def __init__(self, source: str, *arguments: str, cwd: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", textwrap.dedent(source), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env=os.environ | environment,
            start_new_session=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def wait_for(self, text: str) -> str:
        """Read on up to a line with *text*, and return it."""
        while text not in (line := self.line()):
            assert line or self.process.poll() is None, f"the program ended without {text!r}"
        return line

    def wait_until_it_serves(self) -> None:
        assert self.line() == "started"
        assert self.line() == "======== Running on http://unix:s: ========"
        assert self.line() == "(Press CTRL+C to quit)"

    def end(self, *signals: signal.Signals) -> tuple[int, str]:
        for number in signals:
            self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, output

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        # All of the group: what the program has forked may hold its output open.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


def connect(path: Path, request: bytes) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE)
    try:
        client.connect(str(path))
        client.sendall(request)
    except BaseException:
        client.close()
        raise
    return client


def exchange(path: Path, request: bytes) -> bytes:
    """Send a request over a connection of its own, and return the answer."""
    with connect(path, request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) as client:
        answer = b""
        while piece := client.recv(65536):
            answer += piece
        return answer
