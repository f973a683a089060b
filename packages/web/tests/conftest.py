"""What several test modules share: an application that is served, and what it logged."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from serving import Failures, RunnerServer, Serve, Served, TransportKind, others

from headrace import web
from headrace.testing import TestClient


def pytest_report_header() -> str:
    return f"headrace.web: {web.IMPLEMENTATION} kernel"


def pytest_asyncio_loop_factories() -> dict[str, Any]:
    """Run the tests on asyncio's loop, and with HEADRACE_TEST_LOOP=uvloop on uvloop."""
    if os.environ.get("HEADRACE_TEST_LOOP") == "uvloop":
        return {"uvloop": import_module("uvloop").new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is served over both transports, and tests of sockets over sockets alone."""
    if "transport" in metafunc.fixturenames:
        only_sockets = metafunc.definition.get_closest_marker("sockets") is not None
        metafunc.parametrize("transport", ["socket"] if only_sockets else ["memory", "socket"])


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Return a directory whose path leaves room for a Unix socket (108 bytes)."""
    with TemporaryDirectory(prefix="headrace-", ignore_cleanup_errors=True) as directory:
        yield Path(directory).resolve()


@pytest.fixture
async def serve(transport: TransportKind) -> AsyncIterator[Serve]:
    """Serve an application, or one handler for every method and path, in memory or on a free port.

    At the end nothing may be left: no connection, no task of a request, no error that nobody saw.
    """
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: unseen.append(context))
    running: list[tuple[Served, TestClient]] = []

    async def start(what: Any, **settings: Any) -> Served:
        app = what
        if not isinstance(what, web.Application):
            app = web.Application()
            app.router.add_route("*", "/{tail:.*}", what)
        settings.setdefault("shutdown_timeout", 1.0)
        server = RunnerServer(web.AppRunner(app, **settings), transport=transport)
        client = TestClient(server, raise_handler_errors=False, check_leaks=False)
        await client.start_server()
        served = Served(server.web_runner, client)
        running.append((served, client))
        return served

    yield start
    for served, client in running:
        for wire in served.wires:
            await wire.close()
        server = served.runner.server
        await client.close()
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
