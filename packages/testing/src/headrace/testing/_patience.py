"""Time-outs in real seconds, however far the clock of the loop is put forward."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, final

__all__ = ["Patience"]

_T = TypeVar("_T")


class _Waiting(NamedTuple):
    deadline: float
    fail: Callable[[], Exception]


@final
class Patience:
    """The time-outs of one client, with one timer for all: a request must not pay for its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[asyncio.Future[Any], _Waiting] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0

    async def wait(
        self, future: "asyncio.Future[_T]", seconds: float | None, fail: Callable[[], Exception]
    ) -> _T:
        """Wait for *future*; after *seconds* of real time raise what *fail* returns."""
        __tracebackhide__ = True
        if seconds is None:
            return await future
        deadline = time.monotonic() + seconds
        self._waiting[future] = _Waiting(deadline, fail)
        if self._timer is None or deadline < self._next:
            self._arm(deadline, seconds)
        try:
            return await future
        finally:
            del self._waiting[future]

    def close(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, deadline: float, seconds: float) -> None:
        self.close()
        self._next = deadline
        self._timer = self._loop.call_later(seconds, self._check)

    def _check(self) -> None:
        self._timer = None
        now = time.monotonic()
        for future, waiting in self._waiting.items():
            if waiting.deadline <= now and not future.done():
                future.set_exception(waiting.fail())
        left = [w.deadline for future, w in self._waiting.items() if not future.done()]
        if left:
            self._arm(min(left), min(left) - now)
