"""Deadlines: when to ping, when a silent peer is dead, when a close has taken too long.

No clock is read. ``due`` says when the next thing happens, ``tick`` is told the time and says
what to do. A deadline that starts with something whose time was not told, such as a sent Close,
is due at once: the first tick after it arms it.
"""

from __future__ import annotations

from enum import Enum
from typing import final


class Verdict(Enum):
    """What a tick asks the connection to do."""

    NOTHING = "nothing"
    PING = "send a ping"
    DEAD = "no sign of life after a ping"
    OVERDUE = "the close handshake took too long"


@final
class Heartbeat:
    """Keep the three timeouts, each in seconds or None."""

    __slots__ = (
        "_close_at",
        "_dead_at",
        "_now",
        "_ping_at",
        "close_timeout",
        "interval",
        "timeout",
    )

    def __init__(
        self, interval: float | None, timeout: float | None, close_timeout: float | None
    ) -> None:
        for name, value in (
            ("ping_interval", interval),
            ("ping_timeout", timeout),
            ("close_timeout", close_timeout),
        ):
            if value is not None and not value > 0:
                raise ValueError(f"{name} is {value}, expected more than 0 or None")
        self.interval = interval
        self.timeout = timeout
        self.close_timeout = close_timeout
        self._now = 0.0
        self._ping_at: float | None = None
        self._dead_at: float | None = None
        self._close_at: float | None = None

    def due(self, closing: bool) -> float | None:
        """Return when `tick` wants to be called, None for never."""
        if closing:
            if self.close_timeout is None:
                return None
            return self._now if self._close_at is None else self._close_at
        if self.interval is None:
            return None
        if self._ping_at is None:
            return self._now
        return self._ping_at if self._dead_at is None else min(self._ping_at, self._dead_at)

    def tick(self, now: float, closing: bool, heard: bool) -> Verdict:
        """Take the time; *heard* tells whether bytes came since the last tick."""
        self._now = now
        if closing:
            return self._tick_closing(now)
        if heard:
            self._dead_at = None
        if self._dead_at is not None and now >= self._dead_at:
            return Verdict.DEAD
        if self.interval is None:
            return Verdict.NOTHING
        if self._ping_at is None:
            self._ping_at = now + self.interval
        if now < self._ping_at:
            return Verdict.NOTHING
        self._ping_at = now + self.interval
        if self.timeout is not None and self._dead_at is None:
            self._dead_at = now + self.timeout
        return Verdict.PING

    def _tick_closing(self, now: float) -> Verdict:
        if self.close_timeout is None:
            return Verdict.NOTHING
        if self._close_at is None:
            self._close_at = now + self.close_timeout
        return Verdict.OVERDUE if now >= self._close_at else Verdict.NOTHING
