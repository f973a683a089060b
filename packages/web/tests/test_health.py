"""Readiness: what load balancers ask."""

from __future__ import annotations

import asyncio

import pytest
from serving import Wire

from headrace import web

READY = b"GET /ready HTTP/1.1\r\nHost: a\r\n\r\n"


async def test_a_server_that_stops_is_not_ready_but_still_serves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "headrace.server")
    app = web.Application()
    app.router.add_get("/ready", web.readiness)
    runner = web.AppRunner(app, drain_delay=60.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    name = site.name
    wire = Wire(*await asyncio.open_connection("127.0.0.1", site.port))
    wire.send(READY)
    head, body = await wire.answer()
    assert (head[:15], body) == (b"HTTP/1.1 200 OK", b"ready\n")
    stopping = asyncio.ensure_future(runner.cleanup())
    await asyncio.sleep(0)
    late = Wire(*await asyncio.open_connection("127.0.0.1", site.port))
    for one in (wire, late):
        one.send(READY)
        head, body = await one.answer()
        assert (head[:12], body) == (b"HTTP/1.1 503", b"shutting down\n")
        assert b"Cache-Control: no-store\r\n" in head
        assert b"Connection: close" not in head
    runner.hurry()
    async with asyncio.timeout(5):
        await stopping
    for one in (wire, late):
        assert await one.rest() == b""
        await one.close()
    assert [record.getMessage() for record in caplog.records] == [
        "stopping: not ready; listening for 60 s more",
        f"stopping: no longer listening on {name}",
        "stopped",
    ]
