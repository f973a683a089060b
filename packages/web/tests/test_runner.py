"""Runners, sites, and run_app."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from launching import GET, get, hello, make_app
from serving import Wire

from headrace import web


async def test_the_order_of_calls_is_checked() -> None:
    runner = web.AppRunner(make_app())
    with pytest.raises(RuntimeError, match="setup"):
        web.TCPSite(runner, "127.0.0.1", 0)
    await runner.setup()
    with pytest.raises(RuntimeError, match="already"):
        await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    with pytest.raises(RuntimeError, match="already"):
        await site.start()
    assert runner.app.frozen
    await runner.cleanup()
    assert runner.server is None
    await runner.cleanup()


async def test_a_server_without_an_application_has_a_runner_too() -> None:
    runner = web.ServerRunner(web.Server(hello))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert await get(site.name) == f"http 127.0.0.1:{site.port}"
    await runner.cleanup()


async def test_cleanup_closes_in_order() -> None:
    log: list[str] = []
    begun = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        begun.set()
        await request.app["gate"].wait()
        log.append("handler")
        return web.Response(text="promised")

    async def on_shutdown(app: web.Application) -> None:
        log.append("shutdown")
        app["gate"].set()

    async def on_cleanup(app: web.Application) -> None:
        log.append("cleanup")

    app = web.Application()
    app["gate"] = asyncio.Event()
    app.router.add_get("/", handler)
    app.on_shutdown.append(on_shutdown)
    app.on_cleanup.append(on_cleanup)
    runner = web.AppRunner(app, shutdown_timeout=10.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    wire = Wire(*await asyncio.open_connection("127.0.0.1", site.port))
    wire.send(GET)
    await begun.wait()
    await runner.cleanup()
    assert log == ["shutdown", "handler", "cleanup"]
    assert (await wire.rest()).endswith(b"promised")
    await wire.close()


async def test_a_failing_shutdown_does_not_keep_the_rest_from_closing() -> None:
    log: list[str] = []

    async def on_shutdown(app: web.Application) -> None:
        raise ValueError("shutdown")

    async def on_cleanup(app: web.Application) -> None:
        log.append("cleanup")

    app = make_app()
    app.on_shutdown.append(on_shutdown)
    app.on_cleanup.append(on_cleanup)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    wire = Wire(*await asyncio.open_connection("127.0.0.1", site.port))
    with pytest.raises(ValueError, match="shutdown"):
        await runner.cleanup()
    assert log == ["cleanup"]
    assert await wire.rest() == b""
    await wire.close()


async def serve_one(
    app: web.Application, target: bytes = b"/", **settings: Any
) -> tuple[web.AppRunner, Wire]:
    """Start a runner, and send a request."""
    runner = web.AppRunner(app, **settings)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    wire = Wire(*await asyncio.open_connection("127.0.0.1", site.port))
    wire.send(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
    return runner, wire


async def test_on_shutdown_and_handlers_share_the_time(caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []
    begun = asyncio.Event()

    async def endless(request: web.Request) -> web.Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            log.append("handler")
        return web.Response()

    async def on_shutdown(app: web.Application) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("shutdown")

    async def on_cleanup(app: web.Application) -> None:
        log.append("cleanup")

    app = web.Application()
    app.router.add_get("/", endless)
    app.on_shutdown.append(on_shutdown)
    app.on_cleanup.append(on_cleanup)
    runner, wire = await serve_one(app, shutdown_timeout=0.05)
    await begun.wait()
    async with asyncio.timeout(5):
        await runner.cleanup()
    assert log == ["shutdown", "handler", "cleanup"]
    assert "on_shutdown was cancelled: it did not end in time" in caplog.text
    await wire.close()


async def test_a_timeout_of_on_shutdown_itself_is_its_failure() -> None:
    async def on_shutdown(app: web.Application) -> None:
        raise TimeoutError("the queue does not answer")

    app = make_app()
    app.on_shutdown.append(on_shutdown)
    runner, wire = await serve_one(app)
    with pytest.raises(TimeoutError, match="the queue"):
        await runner.cleanup()
    await wire.close()


@pytest.mark.parametrize("phase", ["drain", "on_shutdown", "handlers"])
async def test_a_stop_can_be_hurried(phase: str) -> None:
    log: list[str] = []
    begun = asyncio.Event()

    async def endless(request: web.Request) -> web.Response:
        begun.set()
        await asyncio.Event().wait()
        return web.Response()

    async def on_shutdown(app: web.Application) -> None:
        if phase == "on_shutdown":
            await asyncio.Event().wait()

    async def on_cleanup(app: web.Application) -> None:
        log.append("cleanup")

    app = web.Application()
    app.router.add_get("/", endless)
    app.on_shutdown.append(on_shutdown)
    app.on_cleanup.append(on_cleanup)
    delay = 60.0 if phase == "drain" else 0.0
    runner, wire = await serve_one(app, shutdown_timeout=None, drain_delay=delay)
    await begun.wait()
    stopping = asyncio.ensure_future(runner.cleanup())
    await asyncio.sleep(0.01)
    assert not stopping.done()
    runner.hurry()
    async with asyncio.timeout(5):
        await stopping
    assert log == ["cleanup"]
    assert await wire.rest() == b""
    runner.hurry()  # nothing waits any more
    await wire.close()


async def test_a_stop_that_is_cancelled_still_cleans_up() -> None:
    log: list[str] = []

    async def on_cleanup(app: web.Application) -> None:
        log.append("cleanup")

    app = make_app()
    app.on_cleanup.append(on_cleanup)
    runner, wire = await serve_one(app, drain_delay=60.0)
    await wire.answer()
    stopping = asyncio.ensure_future(runner.cleanup())
    await asyncio.sleep(0.01)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert log == ["cleanup"]
    assert not runner.sites
    assert await wire.rest() == b""
    await wire.close()
