"""A kind of benchmark, and the rounds in which it is measured."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from .servers import Running, Server, running


class Scenario(Protocol):
    """Something that is asked of a server again and again."""

    def check(self, server: Running) -> str | None:
        """Ask once by hand; return why this server cannot be measured, if it cannot.

        Raises:
            SystemExit: The answer is not the right one.
        """

    def rate(self, server: Running, options: argparse.Namespace, core: int) -> float:
        """Return how often a second the server does it, under load from *core*."""


@dataclass(frozen=True)
class Kind:
    """Scenarios of one kind and the servers that are measured in them.

    Args:
        title: What stands above the table.
        unit: What is counted each second, in the plural.
        scenarios: The scenarios by their names, which no other kind has.
        servers: All servers, in the order of the report.
        ours: The server that is compared with the others.
        reference: The server of whose rate the report gives the share, if there is one.
    """

    title: str
    unit: str
    scenarios: Mapping[str, Scenario]
    servers: Sequence[Server]
    ours: str
    reference: str | None = None

    def chosen(self, names: Sequence[str]) -> list[Server]:
        """Return those servers of *names* that can run here; say why others cannot."""
        servers = []
        for server in self.servers:
            if server.name in names:
                if (missing := server.missing()) is None:
                    servers.append(server)
                else:
                    print(f"without {server.name}: {missing}", file=sys.stderr)
        return servers


class Figure(NamedTuple):
    """What one round gave: times a second, and the peak of resident memory in bytes."""

    rate: float
    peak: int


Results = dict[tuple[str, str], list[Figure]]


def measure(kind: Kind, options: argparse.Namespace) -> Results:
    """Return the figures of each (scenario, server), one for each round."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("two cores are needed: one for the server, one for the load")
    results: Results = {}
    servers = kind.chosen(options.servers)
    names = [name for name in kind.scenarios if name in options.scenario]
    for turn in range(options.rounds):
        for server in servers:
            with running(server, cores[0]) as process:
                for name in names:
                    scenario = kind.scenarios[name]
                    reason = scenario.check(process) if server.checked else None
                    if reason is not None:
                        print(f"{name} without {server.name}: {reason}", file=sys.stderr)
                        continue
                    process.forget_peak()
                    rate = scenario.rate(process, options, cores[1])
                    figure = Figure(rate, process.peak())
                    results.setdefault((name, server.name), []).append(figure)
        print(f"{kind.title}: round {turn + 1} of {options.rounds} done", file=sys.stderr)
    return results
