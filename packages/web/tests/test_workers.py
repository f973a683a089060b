"""An application in several processes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from launching import GET, Program, exchange

if sys.platform == "win32":
    pytest.skip("there is no fork", allow_module_level=True)

from headrace.web import _workers

SOURCE = """
import asyncio, logging, os, sys
from headrace import web

logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
logging.getLogger("headrace.server").setLevel("WARNING")

async def hello(request):
    return web.Response(text=str(os.getpid()))

async def slow(request):
    await asyncio.sleep(0.05)
    return web.Response(text=str(os.getpid()))

app = web.Application()
app.router.add_get("/", hello)
app.router.add_get("/slow", slow)
SETTINGS = {"path": "s", "workers": 2, "access_log": None}
"""


class Workers(Program):
    """An application in two processes, on the Unix socket ``s``."""

    def __init__(self, cwd: Path, call: str = "web.run_app(app, **SETTINGS)") -> None:
        super().__init__(f"{SOURCE}\n{call}", cwd=cwd)
        self.path = cwd / "s"
        self.pids = [int(self.wait_for(" started").split()[1]) for _ in range(2)]
        line = self.wait_for("Running on")
        assert line == "======== Running on http://unix:s: (2 workers) ========"

    def ask(self, path: bytes = b"/") -> int:
        """Return which process answers a request on a connection of its own."""
        return int(exchange(self.path, GET.replace(b"/", path, 1)).partition(b"\r\n\r\n")[2])


def test_workers_share_an_address(tmp_path: Path) -> None:
    with Workers(tmp_path) as running:
        assert running.ask() in running.pids
        os.kill(running.pids[0], signal.SIGSTOP)
        assert {running.ask() for _ in range(5)} == {running.pids[1]}
        os.kill(running.pids[0], signal.SIGCONT)
        assert running.end(signal.SIGTERM)[0] == 0
        assert not running.path.exists()


def test_a_dead_worker_is_replaced_and_the_others_serve(tmp_path: Path) -> None:
    with Workers(tmp_path) as running:
        os.kill(running.pids[0], signal.SIGKILL)
        running.wait_for(f"worker {running.pids[0]} died with signal 9")
        new = int(running.wait_for(" started").split()[1])
        os.kill(running.pids[1], signal.SIGSTOP)
        assert running.ask() == new
        os.kill(running.pids[1], signal.SIGCONT)
        assert running.end(signal.SIGINT)[0] == 0


def test_no_request_fails_while_all_are_replaced(tmp_path: Path) -> None:
    answers: list[int] = []
    failures: list[BaseException] = []
    over = threading.Event()

    with Workers(tmp_path) as running:

        def load() -> None:
            while not over.is_set():
                try:
                    answers.append(running.ask(b"/slow"))
                except BaseException as error:
                    failures.append(error)

        clients = [threading.Thread(target=load) for _ in range(4)]
        for client in clients:
            client.start()
        for _ in range(2):
            running.process.send_signal(signal.SIGHUP)
            for _ in range(2):
                running.wait_for(" ended")
        over.set()
        for client in clients:
            client.join()
        assert failures == []
        assert len(set(answers)) > 2
        assert running.end(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize("limit", ["max_requests_per_worker=3", "max_memory_per_worker=1"])
def test_workers_are_replaced_at_their_limits(tmp_path: Path, limit: str) -> None:
    with Workers(tmp_path, f"web.run_app(app, {limit}, **SETTINGS)") as running:
        for _ in range(8):
            running.ask()
        running.wait_for(" started")
        assert int(running.wait_for(" ended").split()[1]) in running.pids
        running.ask()
        assert running.end(signal.SIGTERM)[0] == 0


def test_workers_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    with Workers(tmp_path) as running:
        code, _ = running.end(signal.SIGKILL)  # its output ends when all have ended
        assert code == -signal.SIGKILL
        with pytest.raises(ConnectionRefusedError):
            running.ask()


def test_each_worker_may_have_a_socket_of_its_own() -> None:
    address: Any = {"host": "127.0.0.1", "port": 0, "reuse_port": True}
    with _workers.bound(address, 3) as groups:
        sockets = [sock for [sock] in groups]
        assert len({sock.getsockname() for sock in sockets}) == 1
        assert len({sock.fileno() for sock in sockets}) == 3
    assert all(sock.fileno() == -1 for sock in sockets)


def test_the_usual_addresses_are_bound(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.create_server(("127.0.0.1", 0)) as given:
        address: Any = {"path": path, "unix_mode": 0o600, "sock": given}
        with _workers.bound(address, 2) as groups:
            assert groups[0] == groups[1]
            assert [sock.family for sock in groups[0]] == [socket.AF_INET, socket.AF_UNIX]
            assert path.stat().st_mode & 0o777 == 0o600
        assert not path.exists()
    with _workers.bound({"host": ["127.0.0.1", "::1"], "port": 0}, 2) as groups:
        assert [sock.family for sock in groups[0]] == [socket.AF_INET, socket.AF_INET6]
    with contextlib.ExitStack() as stack:
        taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        with (
            pytest.raises(OSError, match="cannot listen on"),
            _workers.bound({"host": "127.0.0.1", "port": taken.getsockname()[1]}, 1),
        ):
            pass


def test_resident_bytes_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = _workers.resident()
    assert now > 1024**2

    def no_proc(self: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", no_proc)
    assert _workers.resident() >= now / 2
