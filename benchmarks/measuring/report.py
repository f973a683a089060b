"""The table of a kind: medians over the rounds, of the rates and of their ratios in each round."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from .kinds import Figure, Kind, Results

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
    for (scenario, server), figures in sorted(results.items(), key=_place_in(kind)):
        reference = results.get((scenario, kind.reference or ""))
        ours = results.get((scenario, kind.ours))
        rates = [figure.rate for figure in figures]
        print(
            ROW.format(
                scenario,
                server,
                _number(statistics.median(rates)),
                _number(min(rates)),
                _number(max(rates)),
                f"{_ratio(figures, reference):.2f}" if reference else "",
                f"{_ratio(ours, figures):.2f}x" if ours else "",
                f"{max(figure.peak for figure in figures) / 1024**2:.1f}",
            )
        )


def _place_in(kind: Kind) -> Callable[[tuple[tuple[str, str], object]], tuple[int, int]]:
    scenarios = list(kind.scenarios)
    servers = [server.name for server in kind.servers]
    return lambda item: (scenarios.index(item[0][0]), servers.index(item[0][1]))


def _ratio(ones: list[Figure], others: list[Figure]) -> float:
    """Return how many times the others' rate the ones' is, going by what each round says."""
    return statistics.median(one.rate / other.rate for one, other in zip(ones, others, strict=True))


def _number(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 1000 else f"{rate:.1f}"
