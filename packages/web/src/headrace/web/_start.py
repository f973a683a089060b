"""Coroutines that are started at once, each in a task of its own.

Most handlers end without waiting for anything. A task that is scheduled costs such a handler a
turn of the event loop. Since Python 3.12 a task can be started eagerly. For 3.11 there is a task
that stands by, so that a coroutine can begin as if inside of it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any, Protocol, final

from ._kernel import StandingStarter


class Starter(Protocol):
    """Starts coroutines, each in a task and a context of its own."""

    @property
    def started(self) -> int:
        """How many were started."""

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run *work* until it waits; return its task, or None when it has ended.

        What *work* raises is lost if it ends here: it is to handle its errors.
        """

    def close(self) -> None:
        """Leave no task behind."""


if sys.version_info >= (3, 12):

    @final
    class EagerStarter:
        """Starts tasks eagerly, as Python does since 3.12."""

        __slots__ = ("_context", "_loop", "started")

        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self._loop = loop
            self._context = copy_context()
            self.started = 0

        def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
            """Run *work* until it waits; return its task, or None when it has ended."""
            self.started += 1
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
