"""Sending large files: every way there is, slow clients, and files that change on the way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from serving import Failures, Serve, Served, Wire

from headrace import web
from headrace.web import _disk, _sendfile
from headrace.web._sendfile import Span

pytestmark = pytest.mark.sockets

MEBIBYTE = 1024**2
SIZE = 24 * MEBIBYTE + 12345  # more than sockets buffer


@pytest.fixture(scope="module")
def content() -> bytes:
    return os.urandom(MEBIBYTE) * 25


@pytest.fixture
def path(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "large"
    path.write_bytes(content[:SIZE])
    return path


async def handler(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(request.app["path"], chunk_size=request.app.get("piece", 256 * 1024))


@pytest.fixture
def app(path: Path) -> web.Application:
    app = web.Application()
    app["path"] = path
    app.router.add_get("/", handler)
    return app


WAYS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "kernel": lambda patch: patch.setattr(_sendfile, "enabled", hasattr(os, "sendfile")),
    "from memory": lambda patch: patch.setattr(_sendfile, "enabled", False),
    "in threads": lambda patch: patch.setattr(_disk, "_NOWAIT", None),
    "kernel cannot": lambda patch: patch.setattr(_sendfile.os, "sendfile", unable),
}


def unable(*args: Any) -> int:
    raise OSError(22, "not this file system")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    WAYS[request.param](monkeypatch)
    return str(request.param)


async def test_a_large_file(serve: Serve, app: web.Application, content: bytes, way: str) -> None:
    served = await serve(app)
    async with served.client.get("/") as answer:
        assert await answer.read() == content[:SIZE]
    async with served.client.get("/", headers={"Range": "bytes=1000000-20000000"}) as answer:
        assert await answer.read() == content[:SIZE][1000000:20000001]
        assert answer.status == 206


async def start_slowly(served: Served, wire: Wire | None = None) -> Wire:
    wire = wire or await served.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await wire.head()
    await asyncio.sleep(0)
    return wire


async def test_a_client_that_takes_its_time(
    serve: Serve, app: web.Application, content: bytes, way: str
) -> None:
    served = await serve(app)
    wire = await start_slowly(served)
    wire.send(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")  # pipelined behind
    body = b""
    while len(body) < SIZE:
        body += await wire.reader.read(min(1_000_003, SIZE - len(body)))
        await asyncio.sleep(0)
    assert body == content[:SIZE]
    assert (await wire.head()).startswith(b"HTTP/1.1 404 ")


def may_open(files: int) -> bool:
    """Tell whether this process may open as many files, having asked for it."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < files <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
        soft = files
    return bool(soft >= files)


async def test_many_slow_clients_hold_no_thread(serve: Serve, app: web.Application) -> None:
    count = 1000 if may_open(4000) else 100
    served = await serve(app)
    wires = [await start_slowly(served) for _ in range(count)]
    assert len(served.server.connections) >= count
    before = threading.active_count()
    assert before <= 40  # those of the loop's pool, whatever the number of clients
    busy = [each for each in served.server.connections if each.running is not None]
    assert len(busy) == count
    waiting = sum(each.transport.get_write_buffer_size() for each in busy if each.transport)
    assert waiting <= count * 256 * 1024
    for wire in wires:
        await wire.close()
    await served.idle()


async def test_a_client_that_goes(
    serve: Serve, app: web.Application, way: str, failures: Failures
) -> None:
    served = await serve(app)
    fds = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    wire = await start_slowly(served)
    wire.writer.transport.abort()
    await served.idle()
    if fds:
        assert len(os.listdir("/proc/self/fd")) <= fds
    assert not failures()


CHANGES: dict[str, Callable[[Path], None]] = {
    "shrinks": lambda path: os.truncate(path, MEBIBYTE),
    "grows": lambda path: os.truncate(path, SIZE + 1),
    "is written to": lambda path: path.write_bytes(b"y" * SIZE),
    "is emptied": lambda path: os.truncate(path, 0),
    "is touched": lambda path: os.utime(path, (1, 1)),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_file_that_changes_ends_the_connection(
    serve: Serve, app: web.Application, path: Path, change: str, way: str, failures: Failures
) -> None:
    served = await serve(app)
    wire = await start_slowly(served)
    CHANGES[change](path)
    body = await wire.rest()
    assert len(body) < SIZE
    await served.idle()
    assert failures() == ["Error handling GET /: FileChangedError"]


@pytest.mark.parametrize("how", ["removed", "replaced"])
async def test_a_file_that_is_removed_or_replaced_is_sent_as_it_was(
    serve: Serve, app: web.Application, path: Path, content: bytes, how: str, way: str
) -> None:
    served = await serve(app)
    wire = await start_slowly(served)
    if how == "removed":
        path.unlink()
    else:
        path.with_name("new").write_bytes(b"new")
        path.with_name("new").replace(path)
    assert await wire.reader.readexactly(SIZE) == content[:SIZE]
    async with served.client.get("/") as answer:
        assert answer.status == (404 if how == "removed" else 200)


async def test_a_handler_that_is_cancelled_ends_the_connection(
    serve: Serve, path: Path, way: str
) -> None:
    app = web.Application(handler_timeout=0.0)

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.FileResponse(path)
        async with asyncio.timeout(0.05):
            await response.prepare(request)
        return response

    app.router.add_get("/", cut)
    served = await serve(app)
    wire = await start_slowly(served)
    await served.until(lambda: all(each.running is None for each in served.server.connections))
    assert len(await wire.rest()) < SIZE


async def test_what_goes_wrong_in_the_system_ends_the_connection(
    serve: Serve, app: web.Application, monkeypatch: pytest.MonkeyPatch, failures: Failures
) -> None:
    def fail(*args: Any) -> int:
        raise OSError(5, "input/output error")

    monkeypatch.setattr(_sendfile, "enabled", True)
    monkeypatch.setattr(_sendfile.os, "sendfile", fail, raising=False)
    monkeypatch.setattr(_disk.OpenFile, "in_memory", lambda *args: True)
    served = await serve(app)
    wire = await start_slowly(served)
    assert await wire.rest() == b""
    assert failures() == ["Error handling GET /: OSError"]


async def test_a_broken_pipe_is_a_client_that_has_gone(
    serve: Serve, app: web.Application, monkeypatch: pytest.MonkeyPatch, failures: Failures
) -> None:
    def fail(*args: Any) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(_sendfile, "enabled", True)
    monkeypatch.setattr(_sendfile.os, "sendfile", fail, raising=False)
    monkeypatch.setattr(_disk.OpenFile, "in_memory", lambda *args: True)
    served = await serve(app)
    wire = await start_slowly(served)
    assert await wire.rest() == b""
    await served.idle()
    assert not failures()


async def test_a_handler_cannot_make_a_cut_answer_look_complete(
    serve: Serve, path: Path, failures: Failures
) -> None:
    async def stubborn(request: web.Request) -> web.StreamResponse:
        response = web.FileResponse(path)
        try:
            await response.prepare(request)
        except OSError:
            request.app["caught"].append(True)
        return response

    app = web.Application()
    app["caught"] = []
    app.router.add_get("/", stubborn)
    served = await serve(app)
    wire = await start_slowly(served)
    os.truncate(path, 100)
    assert len(await wire.rest()) < SIZE
    assert app["caught"] == [True]


OPENSSL = shutil.which("openssl")


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl to make a certificate")
async def test_a_file_over_tls(
    serve: Serve, app: web.Application, content: bytes, tmp_path: Path
) -> None:
    subprocess.run(
        f"{OPENSSL} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        " -keyout key -out certificate -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1",
        shell=True,
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    served = await serve(app)
    site = web.TCPSite(served.runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate"))
    connector = aiohttp.TCPConnector(ssl=trusting, force_close=True)
    async with (
        aiohttp.ClientSession(connector=connector) as client,
        client.get(f"https://127.0.0.1:{site.port}/") as answer,
    ):
        assert await answer.read() == content[:SIZE]


@pytest.mark.skipif(_disk._NOWAIT is None, reason="the kernel is not asked")
async def test_the_kernel_sends_most_of_it(
    serve: Serve, app: web.Application, content: bytes, monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    file = _disk.OpenFile(str(path))
    if not file.in_memory(0, SIZE):
        pytest.skip("the file system cannot tell")
    sent = 0
    sendfile = os.sendfile

    def count(out: int, in_: int, offset: int, size: int) -> int:
        nonlocal sent
        done = sendfile(out, in_, offset, size)
        sent += done
        return done

    monkeypatch.setattr(_sendfile.os, "sendfile", count)
    served = await serve(app)
    async with served.client.get("/") as answer:
        assert await answer.read() == content[:SIZE]
    assert sent > SIZE / 2
    file.close()


@pytest.mark.skipif(not hasattr(socket, "MSG_MORE"), reason="the system sends what it is given")
async def test_the_head_waits_for_the_first_bytes_of_the_file(
    serve: Serve, app: web.Application, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await serve(app)
    wire = await served.connect()
    arrived: list[bytes] = []
    sendfile = os.sendfile

    def look(*args: int) -> int:
        with socket.socket(fileno=os.dup(wire.writer.get_extra_info("socket").fileno())) as client:
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                arrived.append(client.recv(1, socket.MSG_PEEK))
            monkeypatch.setattr(_sendfile.os, "sendfile", sendfile)
        return sendfile(*args)

    monkeypatch.setattr(_sendfile, "enabled", True)
    monkeypatch.setattr(_disk.OpenFile, "in_memory", lambda *args: True)
    monkeypatch.setattr(_sendfile.os, "sendfile", look)
    wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await wire.head()).startswith(b"HTTP/1.1 200 ")
    assert await wire.reader.readexactly(SIZE) == content[:SIZE]
    assert _sendfile.os.sendfile is sendfile
    assert not arrived


async def test_a_head_finds_the_socket_full(
    serve: Serve, app: web.Application, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> int:
        raise BlockingIOError

    monkeypatch.setattr(_sendfile, "_send", full)
    served = await serve(app)
    async with served.client.get("/") as answer:
        assert await answer.read() == content[:SIZE]


def test_a_span_has_a_length() -> None:
    assert len(Span(2**40)) == 2**40
