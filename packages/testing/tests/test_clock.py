"""The clock puts the time of the loop forward, in order."""

import asyncio
import time

import pytest

from headrace.testing._clock import Clock, clock_of


@pytest.fixture
async def clock() -> Clock:
    return clock_of(asyncio.get_running_loop())


async def test_there_is_one_clock_for_a_loop(clock: Clock) -> None:
    loop = asyncio.get_running_loop()
    assert clock_of(loop) is clock
    assert loop.time == clock.time


async def test_timers_run_in_order_at_their_time(clock: Clock) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    seen: list[tuple[str, int]] = []

    def note(name: str) -> None:
        seen.append((name, round(loop.time() - start)))

    loop.call_later(30, note, "thirty")
    loop.call_later(10, lambda: loop.call_later(15, note, "ten and fifteen"))
    loop.call_later(20, note, "twenty")
    cancelled = loop.call_later(5, note, "cancelled")
    cancelled.cancel()
    late = loop.call_later(61, note, "late")
    real = time.monotonic()
    await clock.advance(60)
    assert seen == [("twenty", 20), ("ten and fifteen", 25), ("thirty", 30)]
    assert round(loop.time() - start) == 60
    assert time.monotonic() - real < 50
    assert round(clock.advanced) == 60
    late.cancel()


async def test_sleeping_tasks_are_woken_in_order(clock: Clock) -> None:
    woken: list[int] = []

    async def sleeper(period: int) -> None:
        while True:
            await asyncio.sleep(period)
            woken.append(period)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(sleeper(period)) for period in (40, 25)]
        await clock.advance(101)
        for task in tasks:
            task.cancel()
    assert woken == [25, 40, 25, 25, 40, 25]


async def test_timeouts_expire(clock: Clock) -> None:
    async def wait() -> None:
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await clock.advance(3000)
    assert not task.done()
    await clock.advance(600)
    with pytest.raises(TimeoutError):
        await task


async def test_consequences_settle_before_the_next_timer(clock: Clock) -> None:
    steps: list[str] = []

    async def worker() -> None:
        await asyncio.sleep(1)
        for number in range(20):
            await asyncio.sleep(0)
            steps.append(f"work {number}")

    task = asyncio.create_task(worker())
    asyncio.get_running_loop().call_later(31, steps.append, "next timer")
    await clock.advance(60)
    await task
    assert steps[-1] == "next timer"


async def test_advancing_by_nothing_settles(clock: Clock) -> None:
    ran = []
    asyncio.get_running_loop().call_soon(ran.append, 1)
    await clock.advance(0)
    assert ran == [1]


async def test_time_does_not_go_back(clock: Clock) -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        await clock.advance(-1)


async def test_callbacks_without_an_end_do_not_hold_up_the_test(clock: Clock) -> None:
    stop = False

    async def busy() -> None:
        while not stop:
            await asyncio.sleep(0)

    task = asyncio.create_task(busy())
    await clock.advance(1)
    stop = True
    await task
    assert round(clock.advanced) == 1


async def test_bytes_on_sockets_are_waited_for(clock: Clock) -> None:
    """A timer makes one side write: what the other side does is done when advance() returns."""
    received = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    asyncio.get_running_loop().call_later(60, writer.write, b"minute")
    await clock.advance(60)
    assert received == [b"minute"]
    assert reader.at_eof()
    writer.close()
    server.close()


async def test_other_loops_keep_their_time() -> None:
    class Foreign(asyncio.AbstractEventLoop):
        def time(self) -> float:
            return 5.0

    loop = Foreign()
    clock = clock_of(loop)
    assert clock.time() == loop.time() == 5.0
    with pytest.raises(RuntimeError, match=r"Foreign cannot be advanced"):
        await clock.advance(1)
