# ruff: noqa: S603 (it runs the programs it is made for)
"""Run the Autobahn test suite against both roles.

    python conformance/autobahn.py FOLDER [--cases 1.* 12.1.*] [--role server|client]
        [--server PROGRAM]

The suite is Python 2.7 code. In FOLDER the script builds an environment for it, once, with the
Python 2.7 it finds: ``HEADRACE_PYTHON27``, ``python2.7`` on the path, or one of pyenv's. The
reports are written to FOLDER too.

Exit status: 0 when no case was FAILED, NON-STRICT or closed uncleanly, 1 when one was, 77 when
there is no Python 2.7 and nothing was tested.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import echo_client

SKIPPED = 77
ALL_CASES = 517
REQUIREMENTS = ("autobahntestsuite==0.8.2", "autobahn==0.10.9", "Twisted==19.10.0")
ACCELERATOR = "wsaccel==0.6.2"
SERVER = Path(__file__).parents[3] / "examples" / "websocket_echo_asyncio.py"
MAX_MESSAGE = echo_client.MAX_MESSAGE
GOOD = {"OK", "INFORMATIONAL"}
RUN = "import site, sys; site.addsitedir({site!r}); from autobahntestsuite.wstest import run; run()"


def find_python27() -> str | None:
    """Return a Python 2.7 that has pip."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [
        os.environ.get("HEADRACE_PYTHON27"),
        shutil.which("python2.7"),
        *(str(path) for path in sorted(pyenv.glob("versions/2.7*/bin/python2.7"))),
    ]
    check = "import pip, sys; sys.exit(sys.version_info[:2] != (2, 7))"
    for candidate in candidates:
        if candidate is None:
            continue
        try:
            done = subprocess.run([candidate, "-c", check], capture_output=True, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    return None


def build_environment(python: str, folder: Path) -> list[str]:
    """Install the suite into *folder* unless it is there, and return the command of wstest."""
    site, done = folder / "site-2.7", folder / "site-2.7.done"
    wanted = "\n".join((*REQUIREMENTS, ACCELERATOR))
    if not done.exists() or done.read_text() != wanted:
        shutil.rmtree(site, ignore_errors=True)
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        pip += ["--target", str(site)]
        with (folder / "pip.log").open("w") as log:
            subprocess.run([*pip, *REQUIREMENTS], check=True, stdout=log, stderr=log)
            # It needs a compiler; without it the suite is only slower.
            subprocess.run([*pip, ACCELERATOR], check=False, stdout=log, stderr=log)
        done.write_text(wanted)
    return [python, "-W", "ignore", "-c", RUN.format(site=str(site))]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], folder: Path, name: str, port: int) -> Iterator[None]:
    """Run *command* until the block is left; it is up when its port answers."""
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until_up(process, port)
            yield
        finally:
            process.terminate()
            process.wait(10)


def wait_until_up(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not listen on {port}")


def run_against_server(wstest: list[str], folder: Path, cases: list[str], server: Path) -> Path:
    """Let the fuzzing client test *server*, a program like the example server."""
    port, report = free_port(), folder / "report-server"
    shutil.rmtree(report, ignore_errors=True)
    spec = {
        "outdir": str(report),
        "servers": [{"agent": "headrace", "url": f"ws://127.0.0.1:{port}"}],
        "cases": cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    (folder / "fuzzingclient.json").write_text(json.dumps(spec))
    command = [sys.executable, str(server), "--port", str(port)]
    command += ["--max-message", str(MAX_MESSAGE), "--threshold", "0"]
    with running(command, folder, "server", port), (folder / "fuzzingclient.log").open("w") as log:
        fuzz = [*wstest, "-m", "fuzzingclient", "-s", "fuzzingclient.json"]
        subprocess.run(fuzz, cwd=folder, check=True, stdout=log, stderr=subprocess.STDOUT)
    return report


def run_against_client(wstest: list[str], folder: Path, cases: list[str]) -> Path:
    """Let the fuzzing server test a client."""
    port, report = free_port(), folder / "report-client"
    shutil.rmtree(report, ignore_errors=True)
    spec = {
        "outdir": str(report),
        "url": f"ws://127.0.0.1:{port}",
        "cases": cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    (folder / "fuzzingserver.json").write_text(json.dumps(spec))
    fuzz = [*wstest, "-m", "fuzzingserver", "-s", "fuzzingserver.json", "-u", "0"]
    with running(fuzz, folder, "fuzzingserver", port):
        asyncio.run(echo_client.run_cases(port, "headrace"))
    return report


def judge(role: str, report: Path, expected: int | None) -> bool:
    """Print the counts of a report and tell whether all is well."""
    index = report / "index.json"
    if not index.exists():
        print(f"{role}: the suite ended without a report")
        return False
    results = json.loads(index.read_text())["headrace"]
    bad = {
        case: (result["behavior"], result["behaviorClose"])
        for case, result in results.items()
        if result["behavior"] not in GOOD or result["behaviorClose"] not in GOOD
    }
    for title, key in (("behaviour", "behavior"), ("close", "behaviorClose")):
        counts = Counter(result[key] for result in results.values())
        print(f"{role}, {title}: " + ", ".join(f"{n} {name}" for name, n in counts.most_common()))
    for case, verdict in sorted(bad.items()):
        print(f"{role}, case {case}: behaviour {verdict[0]}, close {verdict[1]}")
    if expected is not None and len(results) != expected:
        print(f"{role}: {len(results)} cases ran, expected {expected}")
        return False
    return not bad


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="where to build the environment and report")
    parser.add_argument("--cases", nargs="*", default=["*"])
    parser.add_argument("--role", choices=["server", "client"], action="append")
    parser.add_argument("--server", type=Path, default=SERVER, help="the server to be tested")
    options = parser.parse_args()
    python = find_python27()
    if python is None:
        print("no Python 2.7 with pip was found: the Autobahn test suite cannot run")
        return SKIPPED
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    wstest = build_environment(python, folder)
    expected = ALL_CASES if options.cases == ["*"] else None
    good = True
    for role in options.role or ["server", "client"]:
        started = time.monotonic()
        if role == "server":
            server = options.server.resolve()
            report = run_against_server(wstest, folder, options.cases, server)
        else:
            report = run_against_client(wstest, folder, options.cases)
        good &= judge(role, report, expected)
        print(f"{role}: {time.monotonic() - started:.0f} s, see {report / 'index.html'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
