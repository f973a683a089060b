"""A stop that ends: a real process, real signals, and clients of every kind."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path

import pytest
from launching import Program
from serving import Wire

SOURCE = """
import asyncio, logging, sys
from headrace import web

logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
LOOP = sys.argv[1]
if LOOP == "asyncio":
    sys.modules["uvloop"] = None
count = dict.fromkeys(("socket", "stream", "upload", "slow"), 0)

def begin(kind):
    count[kind] += 1
    if count == {"socket": 100, "stream": 100, "upload": 10, "slow": 2}:
        print("all here", flush=True)

async def socket(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    begin("socket")
    async for _ in ws:
        pass
    return ws

async def stream(request):
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(b"data: hello\\n\\n")
    begin("stream")
    await request.wait_for_shutdown()
    await response.write(b"data: bye\\n\\n")
    return response

async def upload(request):
    begin("upload")
    return web.Response(text=str(len(await request.read())))

async def slow(request):
    begin("slow")
    await asyncio.sleep(0.3)
    return web.Response(text="promised")

async def on_cleanup(app):
    print("cleaned up", flush=True)

app = web.Application()
app.add_routes([web.get("/socket", socket), web.get("/stream", stream), web.post("/", upload)])
app.router.add_get("/slow", slow)
app.router.add_get("/ready", web.readiness)
app.on_cleanup.append(on_cleanup)
web.run_app(app, path="s", shutdown_timeout=3.0, drain_delay=1.0, backlog=1024,
            access_log=None)
"""
HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
GOING_AWAY = b"\x88\x11\x03\xe9server shutdown"
GET = b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n"


class Clients:
    """Connections to the program."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self.wires: list[Wire] = []

    async def connect(self, number: int, request: bytes) -> list[Wire]:
        wires = [Wire(*await asyncio.open_unix_connection(self._path)) for _ in range(number)]
        self.wires += wires
        for wire in wires:
            wire.send(request)
        return wires

    async def close(self) -> None:
        for wire in self.wires:
            await wire.close()


async def end_of_socket(wire: Wire) -> bytes:
    """Answer the closing of a WebSocket, return what came before the end."""
    await wire.head()
    frame = await wire.reader.readexactly(len(GOING_AWAY))
    wire.send(b"\x88\x82\0\0\0\0\x03\xe9")
    return frame + await wire.rest()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_the_process_ends_in_time_and_keeps_its_promises(tmp_path: Path, loop: str) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    with Program(SOURCE, loop, cwd=tmp_path) as running:
        running.wait_for("Press CTRL+C")
        clients = Clients(tmp_path / "s")
        [idle] = await clients.connect(1, b"")
        sockets = await clients.connect(100, HANDSHAKE)
        streams = await clients.connect(100, GET % b"/stream")
        uploads = await clients.connect(10, POST + b"12")
        promised = await clients.connect(2, GET % b"/slow")
        await asyncio.to_thread(running.wait_for, "all here")
        running.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(running.wait_for, "stopping: not ready; listening for 1 s more")
        [late] = await clients.connect(1, GET % b"/ready")
        assert (await late.answer())[0].startswith(b"HTTP/1.1 503 ")
        for upload in uploads[:5]:
            upload.send(b"3456789")
        ends = await asyncio.gather(*map(end_of_socket, sockets))
        assert ends == [GOING_AWAY] * 100
        for wire in streams:
            answer = await wire.rest()
            assert answer.count(b"data: hello\n\n") == answer.count(b"data: bye\n\n") == 1
            assert answer.endswith(b"0\r\n\r\n")
        for wire in promised:
            assert (await wire.rest()).endswith(b"promised")
        for number, wire in enumerate(uploads):
            answer = await wire.rest()
            assert answer.endswith(b"\r\n\r\n9") if number < 5 else answer == b""
        assert await idle.rest() == await late.rest() == b""
        code, output = await asyncio.to_thread(running.end)
        await clients.close()
    assert code == 0
    assert [re.sub("20[0-9] conn", "200 conn", line) for line in output.splitlines()] == [
        "stopping: no longer listening on http://unix:s:",
        "stopping: 200 connections are at work",  # at least: some are answered by now
        "cancelled handlers that did not end in time: 5",
        "cleaned up",
        "stopped",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_second_signal_cancels_and_cleans_up(
    tmp_path: Path, number: signal.Signals
) -> None:
    source = SOURCE.replace("shutdown_timeout=3.0", "shutdown_timeout=600.0")
    with Program(source, "uvloop", cwd=tmp_path) as running:
        running.wait_for("Press CTRL+C")
        clients = Clients(tmp_path / "s")
        [upload] = await clients.connect(1, POST)
        [ready] = await clients.connect(1, GET % b"/ready")
        await ready.answer()
        running.process.send_signal(number)
        await asyncio.to_thread(running.wait_for, "stopping: 1 connections are at work")
        code, output = await asyncio.to_thread(running.end, number)
        assert await upload.rest() == b""
        await clients.close()
    assert code == 0
    assert output.splitlines() == [
        "stopping: told a second time, so waits no longer",
        "cancelled handlers that did not end in time: 1",
        "cleaned up",
        "stopped",
    ]


async def test_a_third_signal_ends_it_all(tmp_path: Path) -> None:
    source = SOURCE.replace(
        'print("cleaned up", flush=True)', 'print("begun", flush=True); await asyncio.sleep(600)'
    )
    with Program(source, "uvloop", cwd=tmp_path) as running:
        running.wait_for("Press CTRL+C")
        running.process.send_signal(signal.SIGTERM)
        running.wait_for("stopping: not ready")
        running.process.send_signal(signal.SIGTERM)
        running.wait_for("begun")
        code, _ = running.end(signal.SIGTERM)
    assert code == -signal.SIGTERM
