"""A future that one task waits for again and again, and that wakes it without a turn of the loop.

A task that waits for a future is woken in the next turn of the event loop, and the future is
used up. Both cost more than a short message is worth. Here the future gives away what would be
called when it is done, is done never, and waits for the next time. To everybody else it is an
ordinary future: setting a result or cancelling the task works as ever, and uses it up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context
from types import coroutine
from typing import Any, Final, Generic, NoReturn, TypeVar, final

_T = TypeVar("_T")
#: Looked up once: on each future it would cost as much as the call.
_remove_callback: Final = asyncio.Future.remove_done_callback


@final
class Waker(Generic[_T]):
    """Wakes the task that waits for its future, and hands it something.

    Attributes:
        given: What the task was woken with: it takes that and leaves None.
        done: A future that is done: what to await when there is nothing to wait for.
    """

    __slots__ = ("_context", "_future", "_loop", "_step", "done", "given")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.given: _T | None = None
        #: What goes on with the task that was woken last, in which context.
        self._step: Any = None
        self._context: Any = None
        self.done: asyncio.Future[None] = asyncio.Future(loop=loop)
        self.done.set_result(None)
        self._future: asyncio.Future[None] = asyncio.Future(loop=loop)

    def ready(self) -> asyncio.Future[None]:
        """Return the future to wait for with `parked`, a new one when the last was used up."""
        future = self._future
        if future.done():
            future = self._future = asyncio.Future(loop=self._loop)
        return future

    def give(self, value: _T) -> bool:
        """Let the task that waits go on now, with *value*, until it waits again.

        To be the last thing that a callback of the loop does, as the task may do anything.

        Returns:
            False when nothing was done, as no task waits, or another one is running.
        """
        future = self._future
        if not _remove_callback(future, self._step) and not self._take_callback(future):
            return False
        self.given = value
        try:
            # The task is shown another future, as its own is not done.
            self._context.run(self._step, self.done)
        except RuntimeError:  # another task is running, so this one has not begun
            self.given = None
            future.add_done_callback(self._step, context=self._context)
            return False
        except (KeyboardInterrupt, SystemExit) as error:
            # The end of the program is the loop's business: uvloop logs what a protocol raises.
            self._loop.call_soon(_raise, error)
        return True

    def _take_callback(self, future: asyncio.Future[None]) -> bool:
        """Take from the future what it would call, if there is anything."""
        callbacks: list[tuple[Callable[[Any], object], Context]] | None = future._callbacks
        if not callbacks:
            return False
        self._step, self._context = callbacks[0]
        _remove_callback(future, self._step)
        return True


@coroutine
def parked(future: asyncio.Future[None]) -> Generator[asyncio.Future[None], None, None]:
    """Wait for the future of a waker, until it is done or the waker wakes."""
    if future.done():
        future.result()
    else:
        future._asyncio_future_blocking = True
        yield future


def _raise(error: BaseException) -> NoReturn:
    raise error
