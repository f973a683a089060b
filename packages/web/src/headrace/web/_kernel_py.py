"""The kernel in plain Python: the specification of the compiled twin.

What happens to each request beside the application's own code: its coroutine is started, in a task
that stands by, and objects are made.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task  # documented in "Extending asyncio"
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from sys import getrefcount
from types import coroutine
from typing import Any, Final, TypeVar, final
from weakref import getweakrefcount

from ._stage import Stage

C = TypeVar("C", bound=type)

#: What is yielded when a coroutine has ended.
_ENDED: Final = object()


def quick_calls(cls: C) -> C:
    """Return *cls*, whose calls may have been made quicker, and do nothing else than before.

    CPython makes a tuple and a dictionary of the arguments when a class is called whose `__init__`
    is written in Python, to take them apart again. A compiled twin can call `__init__` at once.
    Subclasses are called as ever.
    """
    return cls


@final
class StandingStarter:
    """Starts coroutines on a `Stage`, and in an ordinary task while that is not free."""

    __slots__ = (
        "_closed",
        "_context",
        "_loop",
        "_perform",
        "_performer",
        "_references",
        "_run",
        "_stage",
        "started",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._context = copy_context()
        self._closed = False
        self.started = 0
        self._take_stage()

    def _take_stage(self) -> None:
        stage = self._stage = Stage(self._loop, self._context)
        self._performer = _perform(stage)
        #: Runs a coroutine until it waits, and returns what it waits for, or `_ENDED`.
        self._perform: Callable[[Any], Any] = self._performer.send
        self._perform(None)
        self._run = stage.context.run
        #: Those to the task while work begins on it.
        self._references = 0

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run *work* until it waits; return its task, or None when it has ended."""
        stage = self._stage
        loop = self._loop
        if not stage.free:
            self.started += 1
            return loop.create_task(work, context=self._context.copy())
        task = stage.task
        try:
            _enter_task(loop, task)
        except RuntimeError:
            return self._start_within(work)
        self.started += 1
        stage.free = False
        if not self._references:
            self._references = getrefcount(task)
        run = self._run
        try:
            waits_for = run(self._perform, work)
            if waits_for is not _ENDED:
                stage.go_on(self._performer, waits_for)
            elif (
                # The coroutine left nothing at the task or in its context.
                getrefcount(task) == self._references
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
            if not stage.free:
                self._replace(stage)
        return task if stage.waits else None

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
            self._take_stage()

    def close(self) -> None:
        """Leave no task behind."""
        self._closed = True
        self._stage.close()


@coroutine
def _perform(stage: Stage) -> Generator[Any, Any, None]:
    """Run what is sent here, one after the other; end with one that had to wait.

    A coroutine that ends within another one does so without an exception.
    """
    work = yield
    while True:
        yield from work
        if stage.waits:
            return
        work = yield _ENDED
