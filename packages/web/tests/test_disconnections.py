"""Clients that go, at each moment: what handlers meet, what is logged, and that nothing is left."""

from __future__ import annotations

import asyncio
import logging
import os

import pytest
from disconnections import CASES, CLOSE, Case
from serving import Serve, Served, Wire

from headrace import web


async def go(wire: Wire, how: str) -> None:
    if how == "reset":
        wire.reset()
    elif how == "half":
        wire.writer.write_eof()
    else:
        wire.send(CLOSE)


async def has_noticed(served: Served) -> None:
    """Wait until the server knows that the client has gone, or stopped sending."""

    def noticed() -> bool:
        server = served.runner.server
        return server is None or all(
            (c.disconnected or c.upgraded) and (c.upgraded is None or c.transport is None)  # type: ignore[attr-defined]
            for c in server.connections
        )

    await served.until(noticed)


@pytest.mark.parametrize("name", CASES)
async def test_what_happens_when_a_client_goes(
    serve: Serve, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    case: Case = CASES[name]
    told: list[str] = []
    wires: list[Wire] = []
    running = asyncio.Event()
    ended = asyncio.Event()

    async def gone() -> None:
        running.set()
        await wires[0].reader.readuntil(case.awaited) if case.awaited else None
        await go(wires[0], case.how)
        if case.how != "close":
            await has_noticed(served)

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return await case.handler(request, told.append, gone)
        finally:
            ended.set()

    app = web.Application()
    app.router.add_route("*", "/", handler, handler_cancellation=case.cancels)
    served = await serve(app)
    open_before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with caplog.at_level(logging.DEBUG, "headrace"):
        wires.append(await served.connect())
        wires[0].send(case.sent)
        if not case.told:
            # The handler does not wait for the client.
            await (wires[0].reader.readuntil(case.awaited) if case.awaited else asyncio.sleep(0))
            await go(wires[0], case.how)
        elif case.handler.__name__ == "reads":
            await asyncio.sleep(0.01)
            await go(wires[0], case.how)
        if case.how == "half":
            await ended.wait()
            assert (await wires[0].rest()).endswith(b"late")
        await served.idle()
        await wires[0].close()
    assert tuple(told) == case.told
    levels = [record.levelname for record in caplog.records if record.name == "headrace.server"]
    assert tuple(levels) == case.logged
    if open_before:
        await served.until(lambda: len(os.listdir("/proc/self/fd")) <= open_before)
