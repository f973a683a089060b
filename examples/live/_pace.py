"""How fast a window may talk."""

from __future__ import annotations


class Pace:
    """Lets a burst through at once, and then a number each second.

    Args:
        burst: How many may come at once.
        rate: How many a second after that.
    """

    def __init__(self, burst: int, rate: float) -> None:
        self._interval = 1 / rate
        self._slack = (burst - 1) * self._interval
        self._due = 0.0  # when the next one would be due if all came evenly

    def delay(self, now: float) -> float:
        """Take note of one more at *now*, and return the seconds that it has to wait."""
        due = max(self._due, now)
        self._due = due + self._interval
        return due - self._slack - now
