"""Programs that run in processes of their own, and when they are ready for what comes next."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_until_asleep(process: subprocess.Popen[str]) -> None:
    """Wait until *process* waits for events: a signal would cut short what it does else."""
    state = ""
    while state != "S":
        state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2][0]


def wait_until_served(port: int) -> None:
    for _ in range(1000):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return
    raise AssertionError("nobody listens")
