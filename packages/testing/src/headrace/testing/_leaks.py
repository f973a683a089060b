"""What a test leaves open: tasks and temporary files, by name.

A watch begins when the first server of a loop starts, and is judged when the last one is closed:
while servers live together, nobody can say whose task one is.
"""

import asyncio
import functools
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import final

__all__ = ["Leaks"]

_WATCHES: "dict[int, _Watch]" = {}

# What ends a task may need some rounds of the loop to reach it.
_ROUNDS_TO_END = 10

_DESCRIPTORS = "/proc/self/fd/"

# Names of temporary files that Python was asked to make, while anybody watches.
_made: list[str] = []


@final
class _Watch:
    """What was there when the first server of a loop started."""

    def __init__(self) -> None:
        self.servers = 0
        self.tasks = asyncio.all_tasks()
        self.files: set[str] | None = None
        self.made_before = len(_made)


@final
class Leaks:
    """The share of one server in the watch over a loop."""

    def __init__(self, key: int, watch: _Watch) -> None:
        self._key = key
        self._watch = watch
        watch.servers += 1

    @classmethod
    def watch(cls) -> "Leaks":
        """Begin to watch the running loop."""
        _hook()
        key = id(asyncio.get_running_loop())
        watch = _WATCHES.get(key)
        if watch is None:
            watch = _WATCHES[key] = _Watch()
        return cls(key, watch)

    def forget(self) -> bool:
        """End this share; tell whether it was the last."""
        self._watch.servers -= 1
        last = self._watch.servers == 0
        if last:
            _WATCHES.pop(self._key, None)
        return last

    async def found(self) -> list[str]:
        """End this share and return what is left open, one line each, if it was the last."""
        if not self.forget():
            return []
        for _ in range(_ROUNDS_TO_END):
            if not any(self._tasks()):
                break
            await asyncio.sleep(0)
        return [*self._tasks(), *self._files()]

    def _tasks(self) -> Iterator[str]:
        current = asyncio.current_task()
        for task in asyncio.all_tasks() - self._watch.tasks:
            if task is not current and not task.done() and not _belongs_to_runner(task):
                yield f"task {task.get_name()} ({_where(task)})"

    def _files(self) -> Iterator[str]:
        # Nothing was opened among temporary files when there is nothing to compare with.
        before = self._watch.files
        for number in _open_files() - before if before is not None else ():
            name = _name_of(number)
            if name.startswith(tempfile.gettempdir() + os.sep):
                yield f"temporary file {name}, still open"
        for name in _made[self._watch.made_before :]:
            if Path(name).exists():
                yield f"temporary file {name}, not deleted"
        if not _WATCHES:
            _made.clear()


def _belongs_to_runner(task: "asyncio.Task[object]") -> bool:
    # anyio waits in such a task for the end of each test and fixture that it runs.
    name: str = getattr(task.get_coro(), "__qualname__", "")
    return name.startswith("TestRunner.")


def _where(task: "asyncio.Task[object]") -> str:
    coroutine = task.get_coro()
    name = getattr(coroutine, "__qualname__", repr(coroutine))
    stack = task.get_stack(limit=1)
    if not stack:
        return name
    frame = stack[-1]
    return f"{name} at {Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def _open_files() -> set[str]:
    """Return the numbers of the open files; none where the system does not tell."""
    try:
        numbers = os.listdir(_DESCRIPTORS)
    except OSError:
        return set()
    # The directory that was listed is among them, and closed by now.
    return {number for number in numbers if _is_open(int(number))}


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _name_of(number: str) -> str:
    try:
        return os.readlink(_DESCRIPTORS + number)
    except OSError:  # Closed meanwhile, such as the directory that was listed.
        return ""


@functools.cache
def _hook() -> None:
    directory = tempfile.gettempdir()

    def note(event: str, args: tuple[object, ...]) -> None:
        # Audit hooks stay for ever: this one does nothing unless a server is being tested.
        if not _WATCHES:
            return
        if event == "open":
            if isinstance(args[0], str) and args[0].startswith(directory):
                _compare_from_here()
        elif event == "tempfile.mkstemp":
            _made.append(str(args[0]))

    sys.addaudithook(note)


def _compare_from_here() -> None:
    """Note which files are open; told before the first temporary one is opened."""
    for watch in list(_WATCHES.values()):
        if watch.files is None:
            watch.files = set()
            watch.files = _open_files()
