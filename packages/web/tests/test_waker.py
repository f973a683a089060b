"""A future that wakes its task at once: what a task sees of it is what it sees of any future."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from headrace.web._waker import Waker, parked

variable: ContextVar[str] = ContextVar("variable", default="unset")


@pytest.fixture(params=[False, True], ids=["", "debug"])
async def waker(request: pytest.FixtureRequest) -> Waker:
    loop = asyncio.get_running_loop()
    loop.set_debug(request.param)
    return Waker(loop)


async def outside(call: Callable[[], None]) -> None:
    """Call from the loop, where no task is running, as protocols are called."""
    called = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: called.set_result(call()))
    await called


async def test_the_task_goes_on_within_the_call(waker: Waker) -> None:
    seen: list[Any] = []

    async def wait() -> None:
        variable.set("of the task")
        for turn in range(3):
            assert await parked(waker.ready()) is None
            seen.append((turn, variable.get(), asyncio.current_task()))

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    first = waker.ready()

    def wake() -> None:
        for turn in range(3):
            waker.wake()
            assert seen == [(n, "of the task", task) for n in range(turn + 1)]
        assert asyncio.current_task() is None

    await outside(wake)
    await task
    assert waker.ready() is first


async def test_one_task_after_another_may_wait(waker: Waker) -> None:
    seen: list[int] = []

    async def wait(number: int) -> None:
        await parked(waker.ready())
        seen.append(number)

    for number in range(3):
        task = asyncio.ensure_future(wait(number))
        await asyncio.sleep(0)
        await outside(waker.wake)
        assert task.done()
    assert seen == [0, 1, 2]


async def test_a_task_that_is_woken_by_another_goes_on_later(waker: Waker) -> None:
    task = asyncio.ensure_future(_wait_for(waker))
    for _ in range(2):
        await asyncio.sleep(0)
        waker.wake()
        assert not task.done()
        await task
        task = asyncio.ensure_future(_wait_for(waker))
    await asyncio.sleep(0)
    waker.wake()
    task.cancel()  # while it is on its way: not lost
    with pytest.raises(asyncio.CancelledError):
        await task


async def _wait_for(waker: Waker) -> None:
    await parked(waker.ready())


async def test_waking_before_anybody_waits_is_not_lost(waker: Waker) -> None:
    future = waker.ready()
    waker.wake()
    await parked(future)
    waker.wake()  # nobody has asked for the next one
    assert waker.ready() is not future
    assert not waker.ready().done()


async def test_a_result_is_as_good(waker: Waker) -> None:
    task = asyncio.ensure_future(_wait_for(waker))
    await asyncio.sleep(0)
    waker.ready().set_result(None)
    await task


async def test_a_task_can_be_cancelled_and_wait_again(waker: Waker) -> None:
    seen: list[object] = []

    async def wait() -> None:
        for _ in range(2):
            try:
                await parked(waker.ready())
                seen.append("woken")
            except asyncio.CancelledError as error:
                seen.append(error.args)

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    await outside(lambda: _cancel_and_wake(task, waker))
    await asyncio.sleep(0)
    assert seen == [("enough",)]
    await outside(waker.wake)
    await task
    assert seen == [("enough",), "woken"]


def _cancel_and_wake(task: asyncio.Task[None], waker: Waker) -> None:
    task.cancel("enough")
    waker.wake()  # too late
    assert not task.done()


async def test_timeouts_groups_and_waits_work(waker: Waker) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await parked(waker.ready())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_wait_for(waker), 0.001)
    _, pending = await asyncio.wait([asyncio.ensure_future(_wait_for(waker))], timeout=0.001)
    await outside(waker.wake)
    assert all(task.done() for task in pending)
    gathered = asyncio.gather(_wait_for(waker), asyncio.sleep(0))
    await asyncio.sleep(0)
    await outside(waker.wake)
    await gathered


async def test_a_task_that_fails_keeps_its_error(waker: Waker) -> None:
    async def fail() -> None:
        await parked(waker.ready())
        raise RuntimeError("of its own")

    task = asyncio.ensure_future(fail())
    await asyncio.sleep(0)
    await outside(waker.wake)
    with pytest.raises(RuntimeError, match="of its own"):
        await task


async def test_a_task_may_wake_what_it_waits_for_next(waker: Waker) -> None:
    seen: list[str] = []

    async def wait() -> None:
        await parked(waker.ready())
        seen.append("first")
        waker.ready()
        waker.wake()  # as bytes in memory do: from inside
        await parked(waker._future)
        seen.append("second")

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    await outside(waker.wake)
    assert seen == ["first", "second"]
    await task


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_program_goes_to_the_loop(error: type[BaseException]) -> None:
    seen: list[str] = []

    async def end(waker: Waker) -> None:
        await parked(waker.ready())
        raise error

    async def main() -> None:
        waker = Waker(asyncio.get_running_loop())
        task = asyncio.ensure_future(end(waker))
        task.add_done_callback(lambda task: task.exception())
        await asyncio.sleep(0)

        def wake() -> None:
            waker.wake()
            seen.append("the callback ends as usual")

        asyncio.get_running_loop().call_soon(wake)
        await asyncio.sleep(5)

    with pytest.raises(error):
        asyncio.run(main())
    assert seen == ["the callback ends as usual"]
