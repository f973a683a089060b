"""`run_app`: an application as a program."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from launching import CANCELLED, GET, PROGRAM, Program, connect


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
            assert running.end(signal.SIGINT) == (0, f"{CANCELLED}cleaned up\n")


def test_handlers_get_the_shutdown_timeout(tmp_path: Path) -> None:
    source = f"{PROGRAM}\nweb.run_app(app, path='s', shutdown_timeout=0.01)"
    with Program(source, cwd=tmp_path) as running:
        running.wait_until_it_serves()
        with connect(tmp_path / "s", b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n") as client:
            assert running.line() == "begun"
            assert running.end(signal.SIGTERM) == (0, f"{CANCELLED}cleaned up\n")
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
