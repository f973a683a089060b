"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import platform
import shutil
from collections.abc import Sequence

from .kinds import Kind, measure
from .report import report


def run(*kinds: Kind) -> None:
    """Measure what the command line asks for, of *kinds*, and print a table for each."""
    options = _options(kinds)
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is not installed (Debian: apt-get install wrk util-linux)")
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
    print(f"{options.connections} connections, {options.rounds} x {options.seconds:g} s")
    for kind in kinds:
        if not set(options.scenario).isdisjoint(kind.scenarios):
            report(kind, measure(kind, options))


def _options(kinds: Sequence[Kind]) -> argparse.Namespace:
    scenarios = [name for kind in kinds for name in kind.scenarios]
    servers = list(dict.fromkeys(server.name for kind in kinds for server in kind.servers))
    parser = argparse.ArgumentParser(description="Measure servers, each pinned to one core.")
    parser.add_argument("--scenario", nargs="+", choices=scenarios, default=scenarios)
    parser.add_argument("--servers", nargs="+", choices=servers, default=servers)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=64)
    return parser.parse_args()
