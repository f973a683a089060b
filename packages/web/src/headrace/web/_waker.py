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
from typing import Any, NoReturn, final


@final
class Waker:
    """Wakes the task that waits for its future."""

    __slots__ = ("_context", "_future", "_loop", "_result", "_step")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        #: What goes on with the task that was woken last, in which context.
        self._step: Callable[[asyncio.Future[None]], object] | None = None
        self._context: Context | None = None
        #: What the task is shown in place of the future, which is not done.
        self._result: asyncio.Future[None] = loop.create_future()
        self._result.set_result(None)
        self._future: asyncio.Future[None] = loop.create_future()

    def ready(self) -> asyncio.Future[None]:
        """Return the future to wait for with `parked`, a new one when the last was used up."""
        future = self._future
        if future.done():
            future = self._future = self._loop.create_future()
        return future

    def wake(self) -> None:
        """Let the task that waits go on now, until it waits again.

        To be the last thing that a callback of the loop does, as the task may do anything. When
        there is another task running, or none is waiting yet, the future is done instead.
        """
        future = self._future
        step = self._step
        if step is None or not future.remove_done_callback(step):
            step = self._take_callback()
            if step is None:
                return
        assert self._context is not None
        try:
            self._context.run(step, self._result)
        except RuntimeError:  # another task is running, so this one has not begun
            future.add_done_callback(step, context=self._context)
            future.set_result(None)
        except (KeyboardInterrupt, SystemExit) as error:
            # The end of the program is the loop's business: uvloop logs what a protocol raises.
            self._loop.call_soon(_raise, error)

    def _take_callback(self) -> Callable[[asyncio.Future[None]], object] | None:
        """Take from the future what it would call, if there is anything."""
        future = self._future
        callbacks: list[tuple[Any, Context]] | None = future._callbacks
        if not callbacks:
            if not future.done():
                future.set_result(None)
            return None
        self._step, self._context = callbacks[0]
        future.remove_done_callback(self._step)
        return self._step


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
