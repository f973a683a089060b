"""Time-outs in real seconds."""

import asyncio

import pytest

from headrace.testing._clock import clock_of
from headrace.testing._patience import Patience


@pytest.fixture
async def patience():
    patience = Patience(asyncio.get_running_loop())
    yield patience
    patience.close()


def too_long() -> Exception:
    return LookupError("too long")


async def test_the_result_of_the_future(patience: Patience) -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, 5)
    assert await patience.wait(future, 10, too_long) == 5


async def test_without_a_limit(patience: Patience) -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.001, future.set_result, 5)
    assert await patience.wait(future, None, too_long) == 5


async def test_the_end_of_patience(patience: Patience) -> None:
    loop = asyncio.get_running_loop()
    with pytest.raises(LookupError, match="too long"):
        await patience.wait(loop.create_future(), 0.001, too_long)
    with pytest.raises(LookupError, match="too long"):
        await patience.wait(loop.create_future(), 0.001, too_long)


async def test_a_short_wait_beside_a_long_one(patience: Patience) -> None:
    loop = asyncio.get_running_loop()
    long = loop.create_future()
    waiting = asyncio.create_task(patience.wait(long, 1000, too_long))
    await asyncio.sleep(0)
    with pytest.raises(LookupError, match="too long"):
        await patience.wait(loop.create_future(), 0.001, too_long)
    long.set_result(None)
    assert await waiting is None


async def test_it_does_not_follow_the_clock(patience: Patience) -> None:
    loop = asyncio.get_running_loop()
    clock = clock_of(loop)
    future = loop.create_future()
    waiting = asyncio.create_task(patience.wait(future, 100, too_long))
    await clock.advance(10_000)
    assert not waiting.done()
    future.set_result("real time went by slowly")
    assert await waiting == "real time went by slowly"
