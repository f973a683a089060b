"""Measure requests a second with wrk, in turn, server and load on different cores.

    nox -s bench                                  all scenarios, 5 rounds of 4 seconds
    nox -s bench -- --scenario get --rounds 3     a part of it

A round measures every server once for each scenario, so that the machine's drift meets all of
them; the table gives medians over the rounds and the ratios of the medians.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SERVERS = Path(__file__).parent / "servers"
LIMIT = "limit"
OURS = "headrace_web"
NAMES = [LIMIT, OURS, "aiohttp_web", "starlette_uvicorn"]

#: What Chromium sends for a page: 13 fields with Host.
BROWSER = {
    "Connection": "keep-alive",
    "Cache-Control": "max-age=0",
    "sec-ch-ua": '"Chromium";v="140", "Not=A?Brand";v="24"',
    "sec-ch-ua-mobile": "?0",
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "*/*;q=0.8",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-GB,en;q=0.9",
    "Cookie": "session=0123456789abcdef0123456789abcdef; theme=dark",
}
POST = 'wrk.method = "POST"\nwrk.body = string.rep("x", 1024)\n'


class Scenario(NamedTuple):
    """A kind of request: what wrk asks for, and what a server must answer to count."""

    path: str
    headers: dict[str, str]
    script: str
    answer: bytes


SCENARIOS = {
    "get": Scenario("/", {}, "", b"Hello, world!"),
    "browser": Scenario("/", BROWSER, "", b"Hello, world!"),
    "parameter": Scenario("/user/ann", {}, "", b"ann"),
    "json": Scenario("/json", {}, "", b"Hello, world!"),
    "reads": Scenario("/reads?q=headrace", BROWSER, "", b"headrace,en-GB,en;q=0.9,0123456789"),
    "post": Scenario("/echo", {}, POST, b"x" * 1024),
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def running(name: str, core: int) -> Iterator[int]:
    """Run a server pinned to *core* and yield its port."""
    port = free_port()
    process = subprocess.Popen(
        ["taskset", "-c", str(core), sys.executable, str(SERVERS / f"{name}.py"), str(port)]
    )
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{name} did not start")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def check(port: int, scenario: Scenario) -> None:
    """Make one request by hand: a server that answers something else is not measured."""
    body = b"x" * 1024 if scenario.script else b""
    head = [
        f"{'POST' if body else 'GET'} {scenario.path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *(f"{k}: {v}" for k, v in {**scenario.headers, "Connection": "close"}.items()),
        f"Content-Length: {len(body)}" if body else "X-Check: 1",
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    if not answer.startswith(b"HTTP/1.1 200") or scenario.answer not in answer:
        raise SystemExit(f"unexpected answer: {answer[:200]!r}")


def load(port: int, scenario: Scenario, seconds: float, connections: int, core: int) -> float:
    """Return the requests a second that wrk gets."""
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s"]
    for name, value in scenario.headers.items():
        command += ["-H", f"{name}: {value}"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if scenario.script:
            script.write(scenario.script)
            script.flush()
            command += ["-s", script.name]
        command.append(f"http://127.0.0.1:{port}{scenario.path}")
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*", output)
    if failed:
        raise SystemExit(f"wrk saw failures: {failed[0]}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert found is not None, output
    return float(found[1])


def measure(options: argparse.Namespace) -> dict[tuple[str, str], list[float]]:
    """Return the requests a second of each (scenario, server), one figure a round."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("two cores are needed: one for the server, one for the load")
    results: dict[tuple[str, str], list[float]] = {}
    for turn in range(options.rounds):
        for server in options.servers:
            with running(server, cores[0]) as port:
                for name in options.scenario:
                    scenario = SCENARIOS[name]
                    if server != LIMIT:
                        check(port, scenario)
                    rate = load(port, scenario, options.seconds, options.connections, cores[1])
                    results.setdefault((name, server), []).append(rate)
        print(f"round {turn + 1} of {options.rounds} done", file=sys.stderr)
    return results


def report(results: dict[tuple[str, str], list[float]], options: argparse.Namespace) -> None:
    """Print medians, the share of the limit, and how many times the others we are."""
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
    print(f"wrk with {options.connections} connections, {options.rounds} x {options.seconds:g} s")
    print(f"{'scenario':10} {'server':18} {'median/s':>9} {'min':>8} {'max':>8} ", end="")
    print(f"{'of limit':>8} {'ours is':>8}")
    for name in options.scenario:
        medians = {server: statistics.median(results[name, server]) for server in options.servers}
        for server in options.servers:
            rates = results[name, server]
            share = f"{medians[server] / medians[LIMIT]:8.2f}" if LIMIT in medians else ""
            times = f"{medians[OURS] / medians[server]:7.2f}x" if OURS in medians else ""
            row = f"{name:10} {server:18} {medians[server]:9.0f} {min(rates):8.0f}"
            print(f"{row} {max(rates):8.0f} {share} {times}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure HTTP servers with wrk.")
    parser.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--servers", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is not installed (Debian: apt-get install wrk util-linux)")
    report(measure(options), options)


if __name__ == "__main__":
    main()
