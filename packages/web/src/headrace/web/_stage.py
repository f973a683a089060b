"""A task that stands by, so that coroutines can begin as if inside of it.

When a coroutine waits, the task goes on with it; when it ends, the task is used again, unless
something was left at it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextvars import Context
from types import coroutine
from typing import Any, final


@final
class Stage:
    """A task that stands by, and the context in which it runs what it is given."""

    __slots__ = ("_waits_for", "_work", "called", "context", "free", "task", "waits")

    def __init__(self, loop: asyncio.AbstractEventLoop, context: Context) -> None:
        self.context = context.copy()
        #: Whether the task has a coroutine to go on with.
        self.waits = False
        self._work: Any = None
        self._waits_for: Any = None
        self.called: asyncio.Future[None] = loop.create_future()
        #: Whether the task waits to be used; it has to be reached by the loop first.
        self.free = False
        self.task: asyncio.Task[None] = loop.create_task(self._stand_by(), context=self.context)

    async def _stand_by(self) -> None:
        self.free = True
        try:
            await self.called
        except asyncio.CancelledError:
            if not self.waits:
                raise
            # The coroutine was cancelled before it waited: so is what it waits for.
            waits_for = self._waits_for
            if waits_for is None or not waits_for.cancel():
                await _go_on(self._work, None, asyncio.CancelledError())
                return
        if self.waits:
            await _go_on(self._work, self._waits_for)

    def go_on(self, work: Any, waits_for: Any) -> None:
        """Let the task go on with *work*, which has begun and waits."""
        if waits_for is not None:
            # Whoever else waits for it must not find it claimed.
            waits_for._asyncio_future_blocking = False
        self._work = work
        self.waits = True
        self._waits_for = waits_for
        self.close()

    def close(self) -> None:
        """Let the task go on, or end if there is nothing to go on with."""
        self.free = False
        if not self.called.done():
            self.called.set_result(None)


@coroutine
def _go_on(
    work: Generator[Any, Any, None], waits_for: Any, error: BaseException | None = None
) -> Generator[Any, Any, None]:
    """Go on with a coroutine that waits, as the task that it takes itself to be in."""
    if waits_for is not None:
        waits_for._asyncio_future_blocking = True
    while True:
        try:
            if error is not None:
                waits_for, error = work.throw(error), None
            yield waits_for
        except StopIteration:
            return
        except BaseException as raised:
            if error is not None:
                raise  # by the coroutine
            error = raised
        else:
            break
    yield from work
