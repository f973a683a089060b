"""Sockets that systemd hands over."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
from launching import GET, Program, connect

from headrace import web
from headrace.web import _activation

SOURCE = """
import os, socket
from headrace import web

unix = socket.socket(socket.AF_UNIX)
unix.bind("s")
unix.listen()
os.dup2(unix.fileno(), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "http"}
app = web.Application()
print("started")

async def hello(request):
    return web.Response(text=str([name for name in os.environ if name.startswith("LISTEN")]))

app.router.add_get("/", hello)
web.run_app(app)
"""


def test_run_app_serves_on_the_sockets_that_it_is_given(tmp_path: Path) -> None:
    with Program(SOURCE, cwd=tmp_path) as running:
        running.wait_until_it_serves()
        with connect(tmp_path / "s", GET) as client:
            assert client.recv(4096).endswith(b"\r\n\r\n[]")
    assert (tmp_path / "s").exists()  # it belongs to the one who made it


@pytest.mark.parametrize(
    ("process", "count"),
    [(None, None), (1, 1), (os.getpid(), "many"), (os.getpid(), None)],
    ids=["nobody", "another", "no number", "no count"],
)
def test_what_is_meant_for_others_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, process: object, count: object
) -> None:
    for name, value in (("LISTEN_PID", process), ("LISTEN_FDS", count)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, str(value))
    before = {name for name in os.environ if name.startswith("LISTEN")}
    assert web.activated_sockets() == []
    assert {name for name in os.environ if name.startswith("LISTEN")} == before


@pytest.mark.skipif(sys.platform == "win32", reason="there is no systemd")
def test_the_sockets_are_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        copy = os.dup(listening.fileno())
        os.set_inheritable(copy, True)
        monkeypatch.setattr(_activation, "FIRST", copy)
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        monkeypatch.setenv("LISTEN_FDS", "1")
        [sock] = web.activated_sockets()
        with sock:
            assert sock.getsockname() == listening.getsockname()
            assert not sock.get_inheritable()
        assert web.activated_sockets() == []
