"""Coroutines that are started at once, each in a task of its own.

Most handlers end without waiting for anything. A task that is scheduled costs such a handler a
turn of the event loop. Since Python 3.12 a task can be started eagerly. For 3.11 there is a
`Stage`: a task that stands by, so that a coroutine can begin as if inside of it. When the
coroutine waits, the task goes on with it; when it ends, the task is used again, unless something
was left at it.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.tasks import _enter_task, _leave_task  # documented in "Extending asyncio"
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from sys import getrefcount
from types import coroutine
from typing import Any, Final, Protocol, final
from weakref import getweakrefcount

#: What a stage yields when a coroutine has ended.
_ENDED: Final = object()


class Starter(Protocol):
    """Starts coroutines, each in a task and a context of its own."""

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run *work* until it waits; return its task, or None when it has ended.

        What *work* raises is lost if it ends here: it is to handle its errors.
        """

    def close(self) -> None:
        """Leave no task behind."""


@final
class Stage:
    """A task that stands by, and the context in which it runs what it is given."""

    __slots__ = (
        "_performer",
        "_waits",
        "_waits_for",
        "called",
        "context",
        "free",
        "perform",
        "references",
        "run",
        "task",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, context: Context) -> None:
        self.context = context.copy()
        self.run = self.context.run
        self._performer = self._perform()
        #: Runs a coroutine until it waits, and returns what it waits for, or `_ENDED`.
        self.perform: Callable[[Any], Any] = self._performer.send
        self.perform(None)
        self._waits = False
        self._waits_for: Any = None
        self.called: asyncio.Future[None] = loop.create_future()
        #: Those to the task while work begins on it.
        self.references = 0
        #: Whether the task waits to be used; it has to be reached by the loop first.
        self.free = False
        self.task: asyncio.Task[None] = loop.create_task(self._stand_by(), context=self.context)

    async def _stand_by(self) -> None:
        self.free = True
        try:
            await self.called
        except asyncio.CancelledError:
            if not self._waits:
                raise
            # The coroutine was cancelled before it waited: so is what it waits for.
            waits_for = self._waits_for
            if waits_for is None or not waits_for.cancel():
                await _go_on(self._performer, None, asyncio.CancelledError())
                return
        if self._waits:
            await _go_on(self._performer, self._waits_for)

    @coroutine
    def _perform(self) -> Generator[Any, Any, None]:
        """Run what is sent here, one after the other; end with one that had to wait.

        A coroutine that ends within another one does so without an exception.
        """
        work = yield
        while True:
            yield from work
            if self._waits:
                return
            work = yield _ENDED

    def go_on(self, waits_for: Any) -> None:
        """Let the task go on with the coroutine, which waits."""
        if waits_for is not None:
            # Whoever else waits for it must not find it claimed.
            waits_for._asyncio_future_blocking = False
        self._waits = True
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


@final
class StandingStarter:
    """Starts coroutines on a `Stage`, and in an ordinary task while that is not free."""

    __slots__ = ("_closed", "_context", "_loop", "_stage")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._context = copy_context()
        self._stage = Stage(loop, self._context)
        self._closed = False

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run *work* until it waits; return its task, or None when it has ended."""
        stage = self._stage
        loop = self._loop
        if not stage.free:
            return loop.create_task(work, context=self._context.copy())
        task = stage.task
        try:
            _enter_task(loop, task)
        except RuntimeError:
            return self._start_within(work)
        stage.free = False
        if not stage.references:
            stage.references = getrefcount(task)
        run = stage.run
        try:
            waits_for = run(stage.perform, work)
            if waits_for is not _ENDED:
                stage.go_on(waits_for)
                self._replace(stage)
                return task
            if (
                # The coroutine left nothing at the task or in its context.
                getrefcount(task) == stage.references
                and getweakrefcount(task) == 1  # the loop's own
                and not task._callbacks
                and not stage.called.done()
                and stage.context == self._context
            ):
                stage.free = True
                return None
        except asyncio.CancelledError:
            pass
        finally:
            _leave_task(loop, task)
        self._replace(stage)
        return None

    def _start_within(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Start *work* while another task is running, which has called what called this."""
        loop = self._loop
        outer = asyncio.current_task(loop)
        assert outer is not None
        _leave_task(loop, outer)
        try:
            return self.start(work)
        finally:
            _enter_task(loop, outer)

    def _replace(self, stage: Stage) -> None:
        """Let a stage end, or go on with its work, and have another one stand by."""
        stage.close()
        if not self._closed:
            self._stage = Stage(self._loop, self._context)

    def close(self) -> None:
        """Leave no task behind."""
        self._closed = True
        self._stage.close()


if sys.version_info >= (3, 12):

    @final
    class EagerStarter:
        """Starts tasks eagerly, as Python does since 3.12."""

        __slots__ = ("_context", "_loop")

        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self._loop = loop
            self._context = copy_context()

        def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
            """Run *work* until it waits; return its task, or None when it has ended."""
            context = self._context.copy()
            task: asyncio.Task[None] = asyncio.Task(
                work, loop=self._loop, context=context, eager_start=True
            )
            return None if task.done() else task

        def close(self) -> None:
            """Leave no task behind: there is none."""

    make_starter = EagerStarter
else:
    make_starter = StandingStarter
