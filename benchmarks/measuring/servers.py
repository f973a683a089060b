"""Run one server pinned to a core, and look at its memory."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SERVERS = Path(__file__).parents[1] / "servers"
#: The directory that servers of static files serve below ``/static``.
FILES = Path(__file__).parents[1] / "files"
PATIENCE = 20.0  # seconds for a server to start


def nothing_missing() -> None:
    """Tell that a server can run wherever its Python packages are installed."""


@dataclass(frozen=True)
class Server:
    """A program that is measured: ``servers/<name>.py``, which is given its port.

    Args:
        name: The name in the report, and the file.
        missing: Returns why the server cannot run on this machine, or None.
        checked: Whether its answers can be checked; the limit knows one answer only.
    """

    name: str
    missing: Callable[[], str | None] = nothing_missing
    checked: bool = True


@dataclass(frozen=True)
class Running:
    """A server that runs: where it listens, and what it weighs."""

    port: int
    pid: int

    def forget_peak(self) -> None:
        """Start to measure the peak of memory from now on."""
        for pid in self._family():
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak(self) -> int:
        """Return the peak of resident memory in bytes, of the server with its children."""
        return sum(map(_peak, self._family()))

    def _family(self) -> list[int]:
        family = [self.pid]
        for pid in family:
            with contextlib.suppress(OSError):
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                family += map(int, children)
        return family


def _peak(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def running(server: Server, core: int) -> Iterator[Running]:
    """Run *server* pinned to *core* until the block is left."""
    FILES.mkdir(exist_ok=True)
    port = free_port()
    script = str(SERVERS / f"{server.name}.py")
    process = subprocess.Popen(["taskset", "-c", str(core), sys.executable, script, str(port)])
    try:
        _wait_until_it_listens(server, process, port)
        yield Running(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_listens(server: Server, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{server.name} did not start")
        time.sleep(0.05)
