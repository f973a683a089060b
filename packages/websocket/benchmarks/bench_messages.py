"""Parse and build messages of 64 B, 4 KiB and 1 MiB, against wsproto, websockets and aiohttp.

    python benchmarks/bench_messages.py [--rounds N]

Needs the dependency group ``bench``. Each line is one task; the rounds go through all
implementations in turn, the best round counts (in CPU time), and only ratios mean anything. Each
reader is given the bytes of whole masked text messages and hands out decoded text: what a server
does. aiohttp has no Sans-I/O writer, so it is only in the parsing lines.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SIZES = {"64 B": 64, "4 KiB": 4096, "1 MiB": 1 << 20}
Task = Callable[[int], None]


def masked_text(size: int) -> bytes:
    from headrace.websocket import Connection, Role, Text

    return Connection(Role.CLIENT, mask_key=lambda: b"\x37\xfa\x21\x3d").send(Text("x" * size))


def headrace_tasks(size: int) -> dict[str, Task]:
    from headrace.websocket import NEED_DATA, Connection, Limits, Role, Text

    server, client = (
        Connection(role, limits=Limits(max_message=None)) for role in (Role.SERVER, Role.CLIENT)
    )
    frame, text = masked_text(size), "x" * size

    def parse(count: int) -> None:
        for _ in range(count):
            server.receive_data(frame)
            while server.next_event() is not NEED_DATA:
                pass

    def build_server(count: int) -> None:
        for _ in range(count):
            server.send(Text(text))

    def build_client(count: int) -> None:
        for _ in range(count):
            client.send(Text(text))

    def echo(count: int) -> None:
        for _ in range(count):
            server.receive_data(frame)
            while (event := server.next_event()) is not NEED_DATA:
                server.send(event)

    return {
        "parse": parse,
        "build, server": build_server,
        "build, client": build_client,
        "echo": echo,
    }


def wsproto_tasks(size: int) -> dict[str, Task]:
    from wsproto.connection import Connection, ConnectionType
    from wsproto.events import TextMessage

    server, client = Connection(ConnectionType.SERVER), Connection(ConnectionType.CLIENT)
    frame, text = masked_text(size), "x" * size

    def parse(count: int) -> None:
        for _ in range(count):
            server.receive_data(frame)
            for _event in server.events():
                pass

    def build_server(count: int) -> None:
        for _ in range(count):
            server.send(TextMessage(data=text))

    def build_client(count: int) -> None:
        for _ in range(count):
            client.send(TextMessage(data=text))

    def echo(count: int) -> None:
        for _ in range(count):
            server.receive_data(frame)
            for event in server.events():
                server.send(TextMessage(data=event.data))  # type: ignore[attr-defined]

    return {
        "parse": parse,
        "build, server": build_server,
        "build, client": build_client,
        "echo": echo,
    }


def websockets_tasks(size: int) -> dict[str, Task]:
    from websockets.frames import Frame, Opcode
    from websockets.protocol import Protocol, Side

    server, client = Protocol(Side.SERVER, max_size=None), Protocol(Side.CLIENT, max_size=None)
    frame, text = masked_text(size), "x" * size

    def parse(count: int) -> None:
        for _ in range(count):
            server.receive_data(frame)
            for received in server.events_received():
                assert isinstance(received, Frame)
                bytes(received.data).decode()

    def build_server(count: int) -> None:
        for _ in range(count):
            server.send_text(text.encode())
            server.data_to_send()

    def build_client(count: int) -> None:
        for _ in range(count):
            client.send_text(text.encode())
            client.data_to_send()

    def echo(count: int) -> None:
        for _ in range(count):
            server.receive_data(frame)
            for received in server.events_received():
                assert isinstance(received, Frame)
                assert received.opcode is Opcode.TEXT
                server.send_text(bytes(received.data).decode().encode())
            server.data_to_send()

    return {
        "parse": parse,
        "build, server": build_server,
        "build, client": build_client,
        "echo": echo,
    }


class _NeverPaused:
    """What aiohttp's queue asks of its protocol."""

    _reading_paused = False


def aiohttp_tasks(size: int) -> dict[str, Task]:
    import asyncio

    reader_module = importlib.import_module("aiohttp._websocket.reader")
    loop = asyncio.new_event_loop()
    # With the largest limit the queue never stalls the reader, and messages can be taken out
    # without the coroutine around it.
    queue = reader_module.WebSocketDataQueue(_NeverPaused(), 0x7FFF_FFFF, loop=loop)
    reader = reader_module.WebSocketReader(queue, 0, compress=False, decode_text=True)
    buffer = queue._buffer
    frame = masked_text(size)

    def parse(count: int) -> None:
        for _ in range(count):
            reader.feed_data(frame)
            while buffer:
                buffer.popleft()

    return {"parse": parse}


PEERS = {
    "headrace": headrace_tasks,
    "wsproto": wsproto_tasks,
    "websockets": websockets_tasks,
    "aiohttp": aiohttp_tasks,
}


def seconds_of(task: Task, budget: float) -> tuple[int, float]:
    """Return how often *task* fits into *budget* seconds, and the seconds of one time."""
    count = 1
    while True:
        start = time.process_time()
        task(count)
        spent = time.process_time() - start
        if spent > budget / 4:
            return max(1, int(count * budget / spent)), spent / count
        count *= 4


def measure(rounds: int, budget: float) -> dict[str, dict[str, float]]:
    results: dict[str, dict[str, float]] = {}
    for label, size in SIZES.items():
        tasks = {name: make(size) for name, make in PEERS.items()}
        for verb in tasks["headrace"]:
            named = {name: each[verb] for name, each in tasks.items() if verb in each}
            counts = {name: seconds_of(task, budget)[0] for name, task in named.items()}
            best = dict.fromkeys(named, float("inf"))
            for _ in range(rounds):
                for name, task in named.items():
                    start = time.process_time()
                    task(counts[name])
                    spent = (time.process_time() - start) / counts[name]
                    best[name] = min(best[name], spent)
            results[f"{verb}, {label}"] = best
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=float, default=0.1, help="seconds of one measurement")
    parser.add_argument("--json", action="store_true", help="print numbers only, for one twin")
    options = parser.parse_args()
    if options.json:
        json.dump(measure(options.rounds, options.budget), sys.stdout)
        return
    for mode in ("require", "none"):
        done = subprocess.run(
            [sys.executable, __file__, "--json", "--rounds", str(options.rounds)],
            env={**os.environ, "HEADRACE_EXTENSIONS": mode},
            cwd=Path(__file__).parent,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        print({"require": "compiled", "none": "pure Python"}[mode])
        report(json.loads(done.stdout))


def report(results: dict[str, dict[str, float]]) -> None:
    for task, seconds in results.items():
        ours = seconds["headrace"]
        ratios = [
            f"{name} x{value / ours:.2f}" for name, value in seconds.items() if name != "headrace"
        ]
        print(f"  {task:24} {ours * 1e6:9.2f} us   faster than " + ", ".join(ratios))


if __name__ == "__main__":
    main()
