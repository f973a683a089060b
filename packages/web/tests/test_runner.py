"""Runners, sites, and run_app."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest
from serving import Wire

from headrace import web
from headrace.web import _runner

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


async def test_several_sites_share_a_runner(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket() as bound, socket.socket(socket.AF_UNIX) as unix:
        bound.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "bound"))
        runner = web.AppRunner(make_app())
        await runner.setup()
        sites: list[web.BaseSite] = [
            web.TCPSite(runner, "127.0.0.1", 0),
            web.UnixSite(runner, path),
            web.SockSite(runner, bound),
            web.SockSite(runner, unix),
        ]
        for site in sites:
            await site.start()
        tcp = sites[0]
        assert isinstance(tcp, web.TCPSite)
        port = bound.getsockname()[1]
        assert tcp.name == f"http://127.0.0.1:{tcp.port}"
        assert sites[1].name == f"http://unix:{path}:"
        assert sites[2].name == f"http://127.0.0.1:{port}"
        assert sites[3].name == f"http://unix:{tmp_path / 'bound'}:"
        assert repr(tcp) == f"<TCPSite {tcp.name}>"
        assert runner.sites == set(sites)
        assert sorted(map(str, runner.addresses)) == sorted(
            map(str, [("127.0.0.1", tcp.port), str(path), ("127.0.0.1", port), f"{tmp_path}/bound"])
        )
        assert await get(tcp.name) == f"http 127.0.0.1:{tcp.port}"
        assert await get(sites[2].name) == f"http 127.0.0.1:{port}"
        for socket_path in (path, tmp_path / "bound"):
            connector = aiohttp.UnixConnector(str(socket_path))
            assert await get("http://a/", connector=connector) == "http a"
        await sites[1].stop()
        assert not path.exists()
        assert sites[1] not in runner.sites
        await runner.cleanup()
        assert not runner.sites
        assert runner.addresses == []
        with pytest.raises(aiohttp.ClientConnectorError):
            await get(f"http://127.0.0.1:{port}")


OPENSSL = shutil.which("openssl")


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl to make a certificate")
async def test_tls(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        begun.set()
        await gate.wait()
        return web.Response(text="nobody reads this")

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
    app = make_app()
    app.router.add_get("/slow", slow)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate"))
    assert site.name == f"https://127.0.0.1:{site.port}"
    connector = aiohttp.TCPConnector(ssl=trusting)
    assert await get(site.name, connector=connector) == f"https 127.0.0.1:{site.port}"
    address = ("127.0.0.1", site.port)
    wire = Wire(*await asyncio.open_connection(*address, ssl=trusting))
    wire.send(b"nonsense\r\n\r\n")
    assert (await wire.rest()).startswith(b"HTTP/1.1 400 ")
    await wire.close()
    plain = Wire(*await asyncio.open_connection(*address))
    plain.send(GET)
    assert await plain.rest() == b""
    await plain.close()
    wire = Wire(*await asyncio.open_connection(*address, ssl=trusting))
    wire.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    await begun.wait()
    await wire.close()
    gate.set()
    await runner.cleanup()
    assert "eof_received" not in caplog.text


def test_a_site_has_a_port_and_a_name_before_it_starts() -> None:
    async def main() -> None:
        runner = web.ServerRunner(web.Server(hello))
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        assert web.TCPSite(runner).name == "http://0.0.0.0:8080"
        assert web.TCPSite(runner, "::1", 80).name == "http://[::1]"
        assert web.TCPSite(runner, ssl_context=context).name == "https://0.0.0.0:8443"
        await runner.cleanup()

    asyncio.run(main())


async def test_the_order_of_calls_is_checked() -> None:
    runner = web.AppRunner(make_app())
    with pytest.raises(RuntimeError, match="setup"):
        web.TCPSite(runner, "127.0.0.1", 0)
    await runner.setup()
    with pytest.raises(RuntimeError, match="already"):
        await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    with pytest.raises(RuntimeError, match="already"):
        await site.start()
    assert runner.app.frozen
    await runner.cleanup()
    assert runner.server is None
    await runner.cleanup()


async def test_a_taken_address_is_an_oserror() -> None:
    runner = web.AppRunner(make_app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    with pytest.raises(OSError, match="address"):
        await web.TCPSite(runner, "127.0.0.1", site.port).start()
    assert runner.sites == {site}
    await runner.cleanup()


async def test_a_server_without_an_application_has_a_runner_too() -> None:
    runner = web.ServerRunner(web.Server(hello))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert await get(site.name) == f"http 127.0.0.1:{site.port}"
    await runner.cleanup()


async def test_cleanup_closes_in_order() -> None:
    log: list[str] = []
    begun = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        begun.set()
        await request.app["gate"].wait()
        log.append("handler")
        return web.Response(text="promised")

    async def on_shutdown(app: web.Application) -> None:
        log.append("shutdown")
        app["gate"].set()

    async def on_cleanup(app: web.Application) -> None:
        log.append("cleanup")

    app = web.Application()
    app["gate"] = asyncio.Event()
    app.router.add_get("/", handler)
    app.on_shutdown.append(on_shutdown)
    app.on_cleanup.append(on_cleanup)
    runner = web.AppRunner(app, shutdown_timeout=10.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    wire = Wire(*await asyncio.open_connection("127.0.0.1", site.port))
    wire.send(GET)
    await begun.wait()
    await runner.cleanup()
    assert log == ["shutdown", "handler", "cleanup"]
    assert (await wire.rest()).endswith(b"promised")
    await wire.close()


async def test_a_failing_shutdown_does_not_keep_the_rest_from_closing() -> None:
    log: list[str] = []

    async def on_shutdown(app: web.Application) -> None:
        raise ValueError("shutdown")

    async def on_cleanup(app: web.Application) -> None:
        log.append("cleanup")

    app = make_app()
    app.on_shutdown.append(on_shutdown)
    app.on_cleanup.append(on_cleanup)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    wire = Wire(*await asyncio.open_connection("127.0.0.1", site.port))
    with pytest.raises(ValueError, match="shutdown"):
        await runner.cleanup()
    assert log == ["cleanup"]
    assert await wire.rest() == b""
    await wire.close()


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["TCPSite http://0.0.0.0:8080"]),
        ({"port": 81}, ["TCPSite http://0.0.0.0:81"]),
        ({"host": "a"}, ["TCPSite http://a:8080"]),
        ({"host": ["a", "b"], "port": 81}, ["TCPSite http://a:81", "TCPSite http://b:81"]),
        ({"path": "/p"}, ["UnixSite http://unix:/p:"]),
        ({"path": ["/p", "/q"]}, ["UnixSite http://unix:/p:", "UnixSite http://unix:/q:"]),
        ({"path": "/p", "port": 81}, ["TCPSite http://0.0.0.0:81", "UnixSite http://unix:/p:"]),
    ],
)
async def test_run_app_makes_the_sites_that_are_asked_for(
    wanted: dict[str, Any], names: list[str]
) -> None:
    runner = web.AppRunner(make_app())
    await runner.setup()
    settings = {"host": None, "port": None, "path": None, "sock": None} | wanted
    options = {"ssl_context": None, "backlog": 1, "reuse_address": None, "reuse_port": None}
    sites = _runner._make_sites(runner, **settings, **options)
    assert [repr(site)[1:-1] for site in sites] == names
    await runner.cleanup()


# -- run_app, in a process of its own

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
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def wait_until_it_serves(self) -> None:
        assert self.line() == "started"
        assert self.line() == "======== Running on http://unix:s: ========"
        assert self.line() == "(Press CTRL+C to quit)"

    def end(self, *signals: signal.Signals) -> tuple[int, str]:
        for number in signals:
            self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=10)
        return self.process.returncode, output

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.process.kill()
        self.process.communicate()


def connect(path: Path, request: bytes) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    try:
        client.connect(str(path))
        client.sendall(request)
    except BaseException:
        client.close()
        raise
    return client


@pytest.mark.parametrize(("number", "app"), [(signal.SIGINT, "app"), (signal.SIGTERM, "make()")])
def test_run_app_serves_until_a_signal(tmp_path: Path, number: signal.Signals, app: str) -> None:
    program = f"{PROGRAM}\nasync def make(): return app\nweb.run_app({app}, path='s')\nprint('end')"
    with Program(program, cwd=tmp_path) as running:
        running.wait_until_it_serves()
        with connect(tmp_path / "s", GET) as client:
            assert client.recv(15) == b"HTTP/1.1 200 OK"
            assert running.end(number) == (0, "cleaned up\nend\n")
        assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_run_app_takes_uvloop_where_it_is_installed(tmp_path: Path, loop: str) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
        hide = ""
    else:
        hide = "import sys; sys.modules['uvloop'] = None\n"
    program = f"{hide}{PROGRAM}\nweb.run_app(app, path='s')"
    handshake = (
        b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with Program(program, cwd=tmp_path) as running:
        running.wait_until_it_serves()
        with connect(tmp_path / "s", GET) as client, connect(tmp_path / "s", handshake) as ws:
            answer = client.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(loop.encode())
            assert ws.recv(4096).startswith(b"HTTP/1.1 101 ")
            running.process.send_signal(signal.SIGTERM)
            assert ws.recv(4) == b"\x88\x11\x03\xe9"  # going away
            ws.recv(4096)
            ws.sendall(b"\x88\x82\0\0\0\0\x03\xe9")
            assert running.end() == (0, "socket closed 1001\ncleaned up\n")


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    with Program(f"{PROGRAM}\nweb.run_app(app, path='s')", cwd=tmp_path) as running:
        running.wait_until_it_serves()
        with connect(tmp_path / "s", b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"):
            assert running.line() == "begun"
            running.process.send_signal(signal.SIGINT)
            while (tmp_path / "s").exists():  # the first one is being handled
                pass
            assert running.end(signal.SIGINT) == (0, "cleaned up\n")


def test_handlers_get_the_shutdown_timeout(tmp_path: Path) -> None:
    source = f"{PROGRAM}\nweb.run_app(app, path='s', shutdown_timeout=0.01)"
    with Program(source, cwd=tmp_path) as running:
        running.wait_until_it_serves()
        with connect(tmp_path / "s", b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n") as client:
            assert running.line() == "begun"
            assert running.end(signal.SIGTERM) == (0, "cleaned up\n")
            assert client.recv(1) == b""


def test_without_handle_signals_ctrl_c_still_cleans_up(tmp_path: Path) -> None:
    source = f"{PROGRAM}\nweb.run_app(app, path='s', handle_signals=False)"
    with Program(source, cwd=tmp_path) as running:
        running.wait_until_it_serves()
        assert running.end(signal.SIGINT) == (0, "cleaned up\n")


def test_graceful_exit_ends_run_app(tmp_path: Path) -> None:
    source = f"""{PROGRAM}
async def leave(request):
    raise web.GracefulExit
app.router.add_get("/leave", leave)
web.run_app(app, path='s')
"""
    with Program(source, cwd=tmp_path) as running:
        running.wait_until_it_serves()
        with connect(tmp_path / "s", b"GET /leave HTTP/1.1\r\nHost: a\r\n\r\n"):
            code, output = running.end()
    assert (code, output) == (0, "cleaned up\n")


def test_a_failing_start_is_shown(tmp_path: Path) -> None:
    source = f"""{PROGRAM}
async def broken(app):
    raise ValueError("no database")
app.on_startup.append(broken)
web.run_app(app, path='s')
"""
    with Program(source, cwd=tmp_path) as running:
        code, output = running.end()
    assert code == 1
    assert output.startswith("started\ncleaned up\nTraceback")
    assert output.endswith("ValueError: no database\n")
