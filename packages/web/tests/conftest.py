"""What several test modules share: an application that is served, and what it logged."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import aiohttp
import pytest
from serving import Failures, Serve, Served, others

from headrace import web


def pytest_asyncio_loop_factories() -> dict[str, Any]:
    """Run the tests on asyncio's loop, and with HEADRACE_TEST_LOOP=uvloop on uvloop."""
    if os.environ.get("HEADRACE_TEST_LOOP") == "uvloop":
        return {"uvloop": import_module("uvloop").new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve an application, or one handler for every method and path, on a free port.

    At the end nothing may be left: no connection, no task of a request, no error that nobody saw.
    """
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: unseen.append(context))
    running: list[Served] = []

    async def start(what: Any, **settings: Any) -> Served:
        app = what
        if not isinstance(what, web.Application):
            app = web.Application()
            app.router.add_route("*", "/{tail:.*}", what)
        settings.setdefault("shutdown_timeout", 1.0)
        runner = web.AppRunner(app, **settings)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        client = aiohttp.ClientSession(f"http://127.0.0.1:{site.port}")
        running.append(Served(runner, site.port, client))
        return running[-1]

    yield start
    for served in running:
        await served.client.close()
        for wire in served.wires:
            await wire.close()
        server = served.runner.server
        await served.runner.cleanup()
        assert server is None or not server.connections
    assert not others()
    gc.collect(1)
    assert not unseen


@pytest.fixture
def failures(caplog: pytest.LogCaptureFixture) -> Failures:
    """Return what was logged as an error so far, each with the name of its exception."""

    def texts() -> list[str]:
        return [
            f"{record.getMessage()}: {record.exc_info[0].__name__}"
            if record.exc_info and record.exc_info[0]
            else record.getMessage()
            for record in caplog.records
            if record.levelname in ("ERROR", "CRITICAL")
        ]

    return texts
