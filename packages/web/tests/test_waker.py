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
async def waker(request: pytest.FixtureRequest) -> Waker[str]:
    loop = asyncio.get_running_loop()
    loop.set_debug(request.param)
    return Waker(loop)


async def outside(call: Callable[[], object]) -> None:
    """Call from the loop, where no task is running, as protocols are called."""
    called = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: called.set_result(call()))
    await called


async def receive(waker: Waker[str]) -> str | None:
    await parked(waker.ready())
    given, waker.given = waker.given, None
    return given


async def test_the_task_goes_on_within_the_call(waker: Waker[str]) -> None:
    seen: list[Any] = []

    async def wait() -> None:
        variable.set("of the task")
        for _ in range(3):
            given = await receive(waker)
            seen.append((given, variable.get(), asyncio.current_task()))

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    first = waker.ready()

    def wake() -> None:
        for turn in range(3):
            assert waker.give(str(turn))
            assert seen == [(str(n), "of the task", task) for n in range(turn + 1)]
        assert asyncio.current_task() is None

    await outside(wake)
    await task
    assert waker.ready() is first


async def test_one_task_after_another_may_wait(waker: Waker[str]) -> None:
    for number in range(3):
        task = asyncio.ensure_future(receive(waker))
        await asyncio.sleep(0)
        await outside(lambda number=number: waker.give(str(number)))  # type: ignore[misc]
        assert task.done()
        assert await task == str(number)


async def test_a_task_is_not_woken_by_another(waker: Waker[str]) -> None:
    task = asyncio.ensure_future(receive(waker))
    for _ in range(2):
        await asyncio.sleep(0)
        assert not waker.give("from a task")
        assert waker.given is None
        assert not task.done()
        await outside(lambda: waker.give("from the loop"))
        assert await task == "from the loop"
        task = asyncio.ensure_future(receive(waker))
    await asyncio.sleep(0)
    assert not waker.give("from a task")
    waker.ready().set_result(None)  # it is waited for as before
    assert await task is None


async def test_nothing_is_given_when_nobody_waits(waker: Waker[str]) -> None:
    future = waker.ready()
    await outside(lambda: _refused(waker))
    future.set_result(None)
    await outside(lambda: _refused(waker))
    assert waker.ready() is not future
    assert not waker.ready().done()


def _refused(waker: Waker[str]) -> None:
    assert not waker.give("for nobody")
    assert waker.given is None


async def test_a_result_is_as_good(waker: Waker[str]) -> None:
    task = asyncio.ensure_future(receive(waker))
    await asyncio.sleep(0)
    waker.ready().set_result(None)
    await task


async def test_a_task_can_be_cancelled_and_wait_again(waker: Waker[str]) -> None:
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
    await outside(lambda: waker.give("go on"))
    await task
    assert seen == [("enough",), "woken"]


def _cancel_and_wake(task: asyncio.Task[None], waker: Waker[str]) -> None:
    task.cancel("enough")
    _refused(waker)  # too late
    assert not task.done()


async def test_timeouts_groups_and_waits_work(waker: Waker[str]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await parked(waker.ready())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(receive(waker), 0.001)
    _, pending = await asyncio.wait([asyncio.ensure_future(receive(waker))], timeout=0.001)
    await outside(lambda: waker.give("go on"))
    assert all(task.done() for task in pending)
    gathered = asyncio.gather(receive(waker), asyncio.sleep(0))
    await asyncio.sleep(0)
    await outside(lambda: waker.give("go on"))
    await gathered


async def test_a_task_that_fails_keeps_its_error(waker: Waker[str]) -> None:
    async def fail() -> None:
        await parked(waker.ready())
        raise RuntimeError("of its own")

    task = asyncio.ensure_future(fail())
    await asyncio.sleep(0)
    await outside(lambda: waker.give("go on"))
    with pytest.raises(RuntimeError, match="of its own"):
        await task


async def test_a_task_cannot_give_to_itself(waker: Waker[str]) -> None:
    async def wait() -> None:
        await receive(waker)
        future = waker.ready()
        _refused(waker)  # as bytes in memory may come: from inside
        future.set_result(None)
        await parked(future)

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    await outside(lambda: waker.give("go on"))
    await task


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_program_goes_to_the_loop(error: type[BaseException]) -> None:
    seen: list[str] = []

    async def end(waker: Waker[str]) -> None:
        await parked(waker.ready())
        raise error

    async def main() -> None:
        waker: Waker[str] = Waker(asyncio.get_running_loop())
        task = asyncio.ensure_future(end(waker))
        task.add_done_callback(lambda task: task.exception())
        await asyncio.sleep(0)

        def wake() -> None:
            assert waker.give("the end")
            seen.append("the callback ends as usual")

        asyncio.get_running_loop().call_soon(wake)
        await asyncio.sleep(5)

    with pytest.raises(error):
        asyncio.run(main())
    assert seen == ["the callback ends as usual"]
