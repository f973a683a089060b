"""The clock of a loop, which a test may put forward.

The loop's ``time()`` is replaced by that of a `Clock`: real time plus what the test has added.
Timers stay the loop's own. Without ``advance()`` nothing changes; and what was added is never
taken back, for the time of a loop must not go backwards.

Two private attributes of asyncio's loops are read here and nowhere else: the heap of timers and
the queue of callbacks that are ready. Both are stable from Python 3.11 to 3.14.
"""

import asyncio
from collections.abc import Sized
from typing import cast, final

__all__ = ["Clock", "clock_of", "ready_of"]

# Callbacks that keep each other busy for ever must not hold up the test.
_MAX_ROUNDS = 1000
# So many rounds of the loop in which nothing was ready mean that it is idle.
_QUIET_ROUNDS = 3
# So many rounds are given to a loop that does not tell what is ready.
_BLIND_ROUNDS = 50
# A kernel may need this long, in real seconds, to carry bytes over a loopback socket.
_SOCKET_GRACE = 0.002


@final
class Clock:
    """The time of an event loop; ``client.clock`` gives it.

    ``await clock.advance(60)`` runs everything that would happen in the next minute, timer by
    timer in the order of their deadlines, and lets the consequences of each one settle before
    the next: the time read inside a callback is the time it was due.

    A loop which keeps its time to itself, such as uvloop's, has a clock that cannot be advanced.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._real_time = loop.time
        self._advanced = 0.0
        self._advances = isinstance(loop, asyncio.BaseEventLoop)
        if self._advances:
            loop.time = self.time  # type: ignore[method-assign]

    @property
    def advanced(self) -> float:
        """The seconds by which this clock is ahead of real time."""
        return self._advanced

    def time(self) -> float:
        """Return the time of the loop, in seconds, as ``loop.time()`` does now."""
        return self._real_time() + self._advanced

    async def advance(self, seconds: float) -> None:
        """Let *seconds* pass at once, timer by timer.

        Raises:
            ValueError: if *seconds* is negative.
            RuntimeError: if the loop keeps its time to itself.
        """
        if not self._advances:
            kind = type(self._loop)
            raise RuntimeError(
                f"the time of {kind.__module__}.{kind.__name__} cannot be advanced: "
                "run the test on asyncio's own loop"
            )
        if seconds < 0:
            raise ValueError(f"time cannot go back: {seconds!r} seconds")
        target = self.time() + seconds
        await self.settle()
        while (deadline := self._next_deadline()) <= target:
            self._jump(deadline)
            await self._settle(grace=False)
        self._jump(target)
        await self.settle()

    async def settle(self) -> None:
        """Let the loop run until nothing is ready; no time is added."""
        await self._settle(grace=self._watches_sockets())

    async def _settle(self, grace: bool) -> None:
        """Let the loop run until it is quiet; *grace* is the time of a kernel, once."""
        quiet = 0
        if not self._advances:
            # What is ready cannot be seen here: give it some rounds.
            for _ in range(_BLIND_ROUNDS):
                await asyncio.sleep(0)
        for _ in range(_MAX_ROUNDS):
            await asyncio.sleep(0)
            if self._ready_count():
                quiet = 0
                grace = grace or self._watches_sockets()
                continue
            quiet += 1
            if quiet < _QUIET_ROUNDS:
                continue
            if not grace:
                return
            await asyncio.sleep(_SOCKET_GRACE)
            quiet, grace = 0, False

    def _jump(self, when: float) -> None:
        self._advanced += max(0.0, when - self.time())

    def _next_deadline(self) -> float:
        timers = cast("list[asyncio.TimerHandle]", getattr(self._loop, "_scheduled", ()))
        return min((t.when() for t in timers if not t.cancelled()), default=float("inf"))

    def _ready_count(self) -> int:
        return len(ready_of(self._loop)) if self._advances else 0

    def _watches_sockets(self) -> bool:
        selector = getattr(self._loop, "_selector", None)
        # One file is always there: the loop's own wake-up pipe.
        return selector is None or len(selector.get_map()) > 1


def ready_of(loop: asyncio.AbstractEventLoop) -> Sized:
    """Return the queue of callbacks that are ready; never empty if the loop does not tell."""
    ready: Sized = getattr(loop, "_ready", (None,))
    return ready


def clock_of(loop: asyncio.AbstractEventLoop) -> Clock:
    """Return the clock of *loop*, the same one each time."""
    owner = getattr(loop.time, "__self__", None)
    return owner if isinstance(owner, Clock) else Clock(loop)
