"""Coroutines that are started at once: each sees what it would see in a task of its own."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest

from headrace.web import _kernel_py, _start
from headrace.web._start import Starter

_kernel_c: Any
try:
    from headrace.web import _kernel_c
except ImportError:
    _kernel_c = None

variable: ContextVar[str] = ContextVar("variable", default="unset")
KINDS: dict[str, Any] = {"standing, pure": _kernel_py.StandingStarter}
if _kernel_c is not None:
    KINDS["standing, compiled"] = _kernel_c.StandingStarter
if sys.version_info >= (3, 12):
    KINDS["eager"] = _start.EagerStarter

Work = Callable[[], Awaitable[None]]


@pytest.fixture(params=KINDS)
async def starter(request: pytest.FixtureRequest) -> AsyncIterator[Starter]:
    made: Starter = KINDS[request.param](asyncio.get_running_loop())
    await asyncio.sleep(0)
    yield made
    made.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def outside(start: Callable[[], Any]) -> Any:
    """Call from the loop, where no task is running, as protocols are called."""
    result = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: result.set_result(start()))
    return await result


async def test_what_does_not_wait_ends_at_once(starter: Starter) -> None:
    seen: list[object] = []

    async def work() -> None:
        seen.append(asyncio.current_task())

    for turn in range(1, 4):
        assert await outside(lambda: starter.start(work())) is None
        assert len(seen) == turn
    assert all(isinstance(task, asyncio.Task) for task in seen)


async def test_what_waits_goes_on_in_the_task_in_which_it_began(starter: Starter) -> None:
    seen: list[object] = []
    go = asyncio.Event()

    async def work() -> None:
        seen.append(asyncio.current_task())
        await go.wait()
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())

    task = await outside(lambda: starter.start(work()))
    assert seen == [task]
    other = await outside(lambda: starter.start(work()))
    go.set()
    await asyncio.gather(task, other)
    assert task is not other
    assert seen.count(task) == seen.count(other) == 3


async def test_what_was_started_is_counted(starter: Starter) -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    async def nothing() -> None:
        pass

    assert starter.started == 0
    await outside(lambda: starter.start(nothing()))
    task = await outside(lambda: starter.start(work()))
    others = [await outside(lambda: starter.start(work())) for _ in range(3)]
    assert starter.started == 5
    starter.start(nothing())  # while a task is running
    assert starter.started == 6
    await asyncio.gather(task, *others)


async def test_context_variables_do_not_leak(starter: Starter) -> None:
    seen: list[str] = []

    async def work() -> None:
        seen.append(variable.get())
        variable.set("leaked")
        seen.append(variable.get())

    async def waits() -> None:
        variable.set("kept")
        await asyncio.sleep(0)
        seen.append(variable.get())

    for _ in range(2):
        await outside(lambda: starter.start(work()))
        await asyncio.sleep(0)
    assert seen == ["unset", "leaked"] * 2
    await (await outside(lambda: starter.start(waits())))
    assert seen[4:] == ["kept"]
    assert variable.get() == "unset"


async def test_callbacks_run_when_the_work_has_ended(starter: Starter) -> None:
    ended: list[object] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(ended.append)

    for turn in range(1, 3):
        await outside(lambda: starter.start(work()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(ended) == turn
    assert len(set(map(id, ended))) == 2


@pytest.mark.parametrize("hold", [lambda task: task, weakref.ref])
async def test_a_task_that_somebody_holds_is_not_used_again(
    starter: Starter, hold: Callable[[Any], Any]
) -> None:
    held: list[Any] = []

    async def work() -> None:
        held.append(hold(asyncio.current_task()))

    for _ in range(3):
        await outside(lambda: starter.start(work()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    gc.collect()
    if hold is not weakref.ref:
        assert len(set(map(id, held))) == 3
        assert all(task.done() for task in held)
    else:
        assert [reference() for reference in held] == [None] * 3


async def test_a_timeout_reaches_what_it_is_around(starter: Starter) -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            async with asyncio.timeout(0):
                await asyncio.sleep(10)
        except TimeoutError:
            seen.append("timeout")
        await asyncio.sleep(0)
        seen.append("after")

    await (await outside(lambda: starter.start(work())))
    assert seen == ["timeout", "after"]


@pytest.mark.parametrize("wait", [lambda: asyncio.sleep(10), lambda: asyncio.sleep(0)])
async def test_who_cancels_itself_is_cancelled_where_it_waits(starter: Starter, wait: Work) -> None:
    seen: list[str] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        seen.append("goes on")
        try:
            await wait()
        finally:
            seen.append(f"{task.cancelling()}")

    task = await outside(lambda: starter.start(work()))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["goes on", "1"]
    assert task.cancelled()


async def test_who_catches_a_cancellation_goes_on(starter: Starter) -> None:
    seen: list[str] = []
    go = asyncio.Event()

    async def work() -> None:
        for _ in range(2):
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                seen.append("cancelled")
        await go.wait()
        seen.append("ended")

    task = await outside(lambda: starter.start(work()))
    task.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    go.set()
    await task
    assert seen == ["cancelled", "cancelled", "ended"]


async def test_what_two_wait_for_wakes_both(starter: Starter) -> None:
    future = asyncio.get_running_loop().create_future()
    seen: list[int] = []

    async def work() -> None:
        seen.append(await future)

    def both() -> tuple[Any, Any]:
        return starter.start(work()), starter.start(work())

    tasks = await outside(both)
    future.set_result(1)
    await asyncio.gather(*tasks)
    assert seen == [1, 1]


async def test_a_future_that_is_done_when_the_task_goes_on(starter: Starter) -> None:
    seen: list[int] = []

    def start() -> Any:
        future = asyncio.get_running_loop().create_future()

        async def work() -> None:
            seen.append(await future)

        task = starter.start(work())
        future.set_result(2)
        return task

    await (await outside(start))
    assert seen == [2]


async def test_an_error_of_what_is_waited_for_is_raised_where_it_is_waited_for(
    starter: Starter,
) -> None:
    seen: list[str] = []

    def start() -> Any:
        future = asyncio.get_running_loop().create_future()

        async def work() -> None:
            with contextlib.suppress(KeyError):
                await future
            seen.append("caught")
            await asyncio.sleep(0)
            seen.append("ended")

        task = starter.start(work())
        future.set_exception(KeyError())
        return task

    await (await outside(start))
    assert seen == ["caught", "ended"]


async def test_it_can_be_called_from_a_task_and_from_what_it_started(starter: Starter) -> None:
    seen: list[object] = []

    async def inner() -> None:
        seen.append(asyncio.current_task())

    async def work() -> None:
        seen.append(asyncio.current_task())
        task = starter.start(inner())
        seen.append(asyncio.current_task())
        if task is not None:
            await task

    task = starter.start(work())
    assert asyncio.current_task() not in seen
    if task is not None:
        await task
    assert seen[0] is not None
    assert seen.count(seen[0]) == 2
    assert len(seen) == 3


async def test_nothing_is_left_when_it_is_closed_while_work_goes_on(starter: Starter) -> None:
    go = asyncio.Event()

    async def work() -> None:
        starter.close()
        await go.wait()

    async def more() -> None:
        await go.wait()

    first = await outside(lambda: starter.start(work()))
    second = await outside(lambda: starter.start(more()))
    go.set()
    await asyncio.gather(first, second)
