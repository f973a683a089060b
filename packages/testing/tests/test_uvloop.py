"""On uvloop everything works but its clock, and TLS in memory. Skipped without uvloop."""

import asyncio

import pytest
from servers import WSServerProtocol, echo, factory, ws_echo

from headrace.testing import Faults, TestClient

uvloop = pytest.importorskip("uvloop")


def on_uvloop(coroutine):
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)


def test_requests(transport) -> None:
    async def test() -> None:
        async with TestClient(factory(echo), transport=transport) as client:
            response = await client.post("/x", data=b"body", faults=Faults(write_size=1))
            assert (await response.text()).endswith("\n\nbody")
            await client.clock.settle()

    on_uvloop(test())


def test_websockets(transport) -> None:
    async def test() -> None:
        async with (
            TestClient(lambda: WSServerProtocol(ws_echo), transport=transport) as client,
            client.ws_connect("/", heartbeat=20) as socket,
        ):
            await socket.send_str("x")
            assert await socket.receive_str() == "x"

    on_uvloop(test())


def test_the_clock_is_uvloops_own(transport) -> None:
    async def test() -> None:
        async with TestClient(factory(echo), transport=transport) as client:
            with pytest.raises(RuntimeError, match=r"uvloop\.Loop cannot be advanced"):
                await client.clock.advance(1)

    on_uvloop(test())
