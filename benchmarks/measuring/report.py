"""The table of a kind: medians over the rounds, and the ratios of the medians."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from .kinds import Kind, Results

HEADINGS = ["scenario", "server", "median/s", "min", "max", "of", "ours is", "MiB"]
ROW = "{:12} {:18} {:>9} {:>8} {:>8} {:>9} {:>8} {:>7}"


def report(kind: Kind, results: Results) -> None:
    """Print one row for each server in each scenario.

    The columns say which share of the reference's rate a server reaches, how many times its
    rate ours is, and the highest peak of its resident memory.
    """
    share_of = f"of {kind.reference}" if kind.reference else ""
    print(f"\n{kind.title}, {kind.unit} a second")
    print(ROW.format(*HEADINGS[:5], share_of, *HEADINGS[6:]))
    medians = {
        key: statistics.median(figure.rate for figure in figures)
        for key, figures in results.items()
    }
    for (scenario, server), figures in sorted(results.items(), key=_place_in(kind)):
        median = medians[scenario, server]
        reference = medians.get((scenario, kind.reference or ""))
        ours = medians.get((scenario, kind.ours))
        rates = [figure.rate for figure in figures]
        print(
            ROW.format(
                scenario,
                server,
                _number(median),
                _number(min(rates)),
                _number(max(rates)),
                f"{median / reference:.2f}" if reference else "",
                f"{ours / median:.2f}x" if ours else "",
                f"{max(figure.peak for figure in figures) / 1024**2:.1f}",
            )
        )


def _place_in(kind: Kind) -> Callable[[tuple[tuple[str, str], object]], tuple[int, int]]:
    scenarios = list(kind.scenarios)
    servers = [server.name for server in kind.servers]
    return lambda item: (scenarios.index(item[0][0]), servers.index(item[0][1]))


def _number(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 1000 else f"{rate:.1f}"
