"""A process that keeps others alive: real processes, which say what they do in a file."""

from __future__ import annotations

import os
import signal
import socket
import sys
import textwrap
import time
from pathlib import Path

import pytest
from launching import Program

if sys.platform == "win32":
    pytest.skip("there is no fork", allow_module_level=True)

from headrace.web._supervisor import BACK_OFF, MAX_BACK_OFF, Link, Slot, Supervisor, Worker

SOURCE = """
import logging, os, signal, sys, time
from headrace.web import _supervisor

logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
_supervisor.BACK_OFF = 0.01

def wait(link, stop=sys.exit):
    # Waited for, not handled: a handler may run just before a call that then blocks.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    link.ready()
    while True:
        signal.sigwait({signal.SIGTERM})
        stop()

def run(work, number=2, **settings):
    ready = lambda: print("all ready", flush=True)
    settings = {"patience": 60.0, "when_ready": ready} | settings
    print("status", _supervisor.Supervisor(work, number, **settings).run())
"""


class Supervised(Program):
    """A supervisor, and what it says of its workers."""

    def __init__(self, source: str, *, cwd: Path) -> None:
        super().__init__(f"{SOURCE}\n{source}", cwd=cwd)

    def pids(self, number: int) -> list[int]:
        """Read on until so many workers have started."""
        return [int(self.wait_for(" started").split()[1]) for _ in range(number)]


def test_workers_start_and_stop(tmp_path: Path) -> None:
    with Supervised("run(lambda link, number: wait(link))", cwd=tmp_path) as running:
        pids = running.pids(2)
        assert len({*pids, running.process.pid}) == 3
        running.wait_for("all ready")
        code, output = running.end(signal.SIGTERM)
        ends = {f"worker {pid} ended" for pid in pids}
        assert {*output.splitlines()} == ends | {"status 0"}
    assert code == 0
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with Supervised("run(lambda link, number: wait(link))", cwd=tmp_path) as running:
        first, second = running.pids(2)
        running.wait_for("all ready")
        for _ in range(3):
            os.kill(first, signal.SIGKILL)
            running.wait_for(f"worker {first} died with signal 9")
            [first] = running.pids(1)
        os.kill(second, 0)
        assert running.end(signal.SIGINT)[0] == 0


def test_sighup_replaces_one_after_the_other(tmp_path: Path) -> None:
    with Supervised("run(lambda link, number: wait(link))", cwd=tmp_path) as running:
        first, second = running.pids(2)
        running.wait_for("all ready")
        running.process.send_signal(signal.SIGHUP)
        lines = [running.line() for _ in range(4)]
        ends = {f"worker {first} ended", f"worker {second} ended"}
        assert ends <= {*lines}
        assert "started" in lines[0]
        started = [int(line.split()[1]) for line in lines if line not in ends]
        assert len({first, second, *started}) == 4
        assert running.end(signal.SIGTERM)[0] == 0


def test_a_successor_that_cannot_start_leaves_what_serves(tmp_path: Path) -> None:
    source = """
    def work(link, number):
        if os.path.exists("broken"):
            raise ValueError("a mistake in the new code")
        wait(link)
    run(work, 1)
    """

    with Supervised(textwrap.dedent(source), cwd=tmp_path) as running:
        [first] = running.pids(1)
        running.wait_for("all ready")
        (tmp_path / "broken").touch()
        running.process.send_signal(signal.SIGHUP)
        lines = [running.line()]
        while "died with status 1" not in lines[-1]:
            lines.append(running.line())
        assert "ValueError: a mistake in the new code" in lines
        (tmp_path / "broken").unlink()
        os.kill(first, 0)
        running.process.send_signal(signal.SIGHUP)
        running.pids(1)
        running.wait_for(f"worker {first} ended")
        assert running.end(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize(
    ("end", "status"), [("sys.exit('no port')", 1), ("sys.exit(3)", 3), ("return", 0)]
)
def test_it_gives_up_when_no_worker_can_start(tmp_path: Path, end: str, status: int) -> None:
    source = f"def work(link, number): {end}\nrun(work, 1)"
    with Supervised(source, cwd=tmp_path) as running:
        code, output = running.end()
    assert code == 0
    assert ("no port" in output) is (status == 1)
    assert f"died with status {status}" in output
    assert output.endswith("the workers cannot start\nstatus 1\n")


def test_with_a_helper_it_waits_for_better_code(tmp_path: Path) -> None:
    source = """
def work(link, number):
    if not os.path.exists("mended"):
        sys.exit("broken")
    wait(link)
run(work, 1, helper=lambda link: time.sleep(60))
"""
    with Supervised(source, cwd=tmp_path) as running:
        running.wait_for("died with status 1")
        (tmp_path / "mended").touch()
        running.process.send_signal(signal.SIGHUP)
        running.wait_for("all ready")
        assert running.end(signal.SIGTERM)[0] == 0


def test_a_worker_that_does_not_end_is_killed(tmp_path: Path) -> None:
    deaf = "lambda link, number: wait(link, lambda: None)"
    with Supervised(f"run({deaf}, 1, patience=0.05)", cwd=tmp_path) as running:
        [pid] = running.pids(1)
        running.wait_for("all ready")
        code, output = running.end(signal.SIGTERM)
    assert (code, output.splitlines()[0]) == (0, f"worker {pid} does not end: killed")


def test_told_three_times_it_kills(tmp_path: Path) -> None:
    deaf = "lambda link, number: wait(link, lambda: print('told', flush=True))"
    with Supervised(f"run({deaf}, 1)", cwd=tmp_path) as running:
        running.wait_for("all ready")
        for _ in range(2):
            running.process.send_signal(signal.SIGTERM)
            running.wait_for("told")
        assert running.end(signal.SIGTERM)[0] == 0


def test_a_worker_may_ask_to_be_replaced(tmp_path: Path) -> None:
    source = """
def work(link, number):
    if not os.path.exists("retired"):
        open("retired", "w").close()
        link.retire()
    wait(link)
run(work, 1)
"""
    with Supervised(source, cwd=tmp_path) as running:
        [first] = running.pids(1)
        [second] = running.pids(1)
        running.wait_for(f"worker {first} ended")
        os.kill(second, 0)
        assert running.end(signal.SIGTERM)[0] == 0


def test_workers_learn_that_the_supervisor_has_gone(tmp_path: Path) -> None:
    source = """
import select
def work(link, number):
    link.ready()
    select.select([link], [], [])
    open(f"gone{number}", "w").close()
run(work)
"""
    with Supervised(source, cwd=tmp_path) as running:
        pids = running.pids(2)
        running.wait_for("all ready")
        running.end(signal.SIGKILL)
        for pid in pids:
            while Path(f"/proc/{pid}").exists() and "Z" not in state_of(pid):
                pass
    assert (tmp_path / "gone0").exists()
    assert (tmp_path / "gone1").exists()


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2]
    except FileNotFoundError:
        return "Z"


def test_deaths_in_a_row_are_waited_for() -> None:
    slot = Slot()
    waits = []
    for now in range(10):
        slot.died(Worker(1, None, 0, float(now)), float(now))  # type: ignore[arg-type]
        waits.append(slot.not_before - now)
    assert waits[:4] == [0.0, BACK_OFF, 2 * BACK_OFF, 4 * BACK_OFF]
    assert waits[-1] == MAX_BACK_OFF
    slot.died(Worker(1, None, 0, 100.0), 200.0)  # type: ignore[arg-type]
    assert slot.not_before == 200.0


def test_a_time_that_comes_just_before_the_waiting_is_not_missed() -> None:
    supervisor = Supervisor(lambda link, number: None, 1, patience=1.0)
    since = time.monotonic()
    supervisor._slots[0].not_before = since + 1e-6
    while time.monotonic() < supervisor._slots[0].not_before:
        pass
    with supervisor._signals():
        supervisor._wait(since)  # else for ever


def test_there_is_at_least_one_worker() -> None:
    with pytest.raises(ValueError, match="workers is 0, expected at least 1"):
        Supervisor(lambda link, number: None, 0, patience=1.0)


def test_a_link_without_an_end_is_no_matter() -> None:

    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        link = Link(theirs)
        assert link.fileno() == theirs.fileno()
        link.ready()
        link.retire()
