"""Soak headrace.web: for a while, clients of every kind; at the end nothing may be left of them.

python soak.py [SECONDS] [--loop asyncio|uvloop] [--clients N]

The server is a process of its own. After a warm-up it is weighed: its tasks, descriptors, blocks
of memory and resident size; and once more when the clients are gone. It must weigh the same, no
answer may have been wrong, and no error may have been logged that was not asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from clients import Ended, Peer, Wrong, done, get, play

HERE = Path(__file__).parent
#: Memory blocks and KiB that may be added: caches, and arenas that are not given back.
BLOCKS = 3_000
RESIDENT = 60_000
#: Seconds in which the server must be rid of its last clients.
SETTLING = 20.0


def start(loop: str, clients: int, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server, return it and its port."""
    port_file = folder / "port"
    # A tenth of the clients find no room: they are answered 503.
    command = [sys.executable, str(HERE / "served.py"), str(port_file), str(clients * 9 // 10)]
    server = subprocess.Popen(command, env=os.environ | {"SOAK_LOOP": loop})
    while not port_file.exists() or not port_file.read_text():
        if server.poll() is not None:
            sys.exit("the server does not start")
        time.sleep(0.05)
    return server, int(port_file.read_text())


async def weigh(port: int) -> dict[str, Any]:
    """Ask the server for what it weighs."""
    peer = Peer(*await asyncio.open_connection("127.0.0.1", port))
    await peer.send(get("/weight", "Connection: close"))
    _, body = await peer.answer()
    peer.writer.close()
    found: dict[str, Any] = json.loads(body)
    return found


async def settled(port: int, tasks: int | None = None) -> dict[str, Any]:
    """Wait until the clients are gone; return what the server weighs then."""
    async with asyncio.timeout(SETTLING + 10):
        until = time.monotonic() + SETTLING
        while True:
            try:
                found = await weigh(port)
            except (Ended, ConnectionError, asyncio.IncompleteReadError):
                continue
            rid = not found["connections"] and (tasks is None or found["tasks"] <= tasks)
            if rid or time.monotonic() > until:
                return found
            await asyncio.sleep(0.2)


async def load(port: int, clients: int, seconds: float) -> list[str]:
    """Play with so many clients at a time for a while; return what was wrong."""
    wrong: list[str] = []
    until = time.monotonic() + seconds

    async def client() -> None:
        await asyncio.sleep(random.random())
        while time.monotonic() < until and len(wrong) < 20:
            try:
                await play(port)
            except Wrong as error:
                wrong.append(str(error))

    await asyncio.gather(*(client() for _ in range(clients)))
    return wrong


def judge(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what has grown."""
    slack = {"connections": 0, "tasks": 0, "descriptors": 0, "blocks": BLOCKS}
    slack["resident_kib"] = RESIDENT
    return [
        f"{name}: {before[name]} before, {after[name]} after"
        for name, more in slack.items()
        if after[name] > before[name] + more
    ] + [f"logged: {error} ({number} times)" for error, number in after["errors"].items()]


async def soak(port: int, clients: int, seconds: float) -> list[str]:
    """Warm up, weigh, soak, weigh; return what is wrong."""
    wrong = await load(port, clients, max(2.0, seconds / 6))
    before = await settled(port)
    wrong += await load(port, clients, seconds)
    after = await settled(port, before["tasks"])
    print(f"before: {before}\nafter:  {after}")
    print(", ".join(f"{name}: {number}" for name, number in sorted(done.items())))
    return wrong + judge(before, after)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", nargs="?", type=float, default=60.0)
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("--clients", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    random.seed(arguments.seed)
    print(f"{arguments.loop}, {arguments.clients} clients, {arguments.seconds:g} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        server, port = start(arguments.loop, arguments.clients, Path(folder))
        try:
            wrong = asyncio.run(soak(port, arguments.clients, arguments.seconds))
            server.terminate()
            if status := server.wait(30):
                wrong.append(f"the server ended with status {status}")
        finally:
            server.kill()
            server.wait()
    for line in wrong:
        print(f"wrong: {line}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
