"""Serving in a loop that runs already."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from launching import Program, get, make_app

from headrace import web
from headrace.web import _serve


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["TCPSite http://0.0.0.0:8080"]),
        ({"port": 81}, ["TCPSite http://0.0.0.0:81"]),
        ({"host": "a"}, ["TCPSite http://a:8080"]),
        ({"host": ["a", "b"], "port": 81}, ["TCPSite http://a:81", "TCPSite http://b:81"]),
        ({"path": "/p"}, ["UnixSite http://unix:/p:"]),
        ({"path": ["/p", "/q"]}, ["UnixSite http://unix:/p:", "UnixSite http://unix:/q:"]),
        ({"path": "/p", "port": 81}, ["TCPSite http://0.0.0.0:81", "UnixSite http://unix:/p:"]),
    ],
)
async def test_run_app_makes_the_sites_that_are_asked_for(
    wanted: dict[str, Any], names: list[str]
) -> None:
    runner = web.AppRunner(make_app())
    await runner.setup()
    settings = {"host": None, "port": None, "path": None, "sock": None} | wanted
    options = {"ssl_context": None, "backlog": 1, "reuse_address": None, "reuse_port": None}
    sites = _serve.make_sites(runner, **settings, **options)
    assert [repr(site)[1:-1] for site in sites] == names
    await runner.cleanup()


# -- the three ways of using it


async def test_it_serves_for_the_time_of_a_block() -> None:
    log: list[str] = []

    async def life(app: web.Application) -> AsyncIterator[None]:
        log.append("start")
        yield
        log.append("end")

    app = make_app()
    app.cleanup_ctx.append(life)
    said: list[str] = []
    serving = web.serve(app, host="127.0.0.1", port=0, print=said.append)
    with pytest.raises(RuntimeError, match="not started"):
        serving.addresses  # noqa: B018
    async with serving as same:
        assert same is serving
        assert log == ["start"]
        [url] = serving.urls
        assert said == [f"======== Running on {url} ========\n(Press CTRL+C to quit)"]
        assert url == f"http://127.0.0.1:{serving.addresses[0][1]}"
        assert await get(url) == f"http 127.0.0.1:{serving.addresses[0][1]}"
        assert isinstance(serving.server, web.Server)
    assert log == ["start", "end"]
    assert serving.server is None


async def started(serving: web.Serving) -> str:
    """Wait until it serves, return its URL."""
    async with asyncio.timeout(5):
        while not (serving._runner and serving.urls):
            await asyncio.sleep(0.001)
    return serving.urls[0]


async def test_it_is_awaited_until_it_is_stopped() -> None:
    serving = web.serve(make_app(), host="127.0.0.1", port=0)
    asyncio.get_running_loop().call_soon(serving.stop)
    async with asyncio.timeout(5):
        await serving
    assert serving.server is None


async def test_it_is_a_task_that_stops_in_order_when_it_is_cancelled() -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        begun.set()
        await gate.wait()
        return web.Response(text="promised")

    app = make_app()
    app.router.add_get("/slow", slow)

    async def later() -> web.Application:
        return app

    serving = web.serve(later(), host="127.0.0.1", port=0)
    task = asyncio.create_task(serving)
    answer = asyncio.ensure_future(get(f"{await started(serving)}/slow"))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await answer == "promised"


async def test_a_second_stop_waits_for_nothing() -> None:
    begun = asyncio.Event()

    async def endless(request: web.Request) -> web.Response:
        begun.set()
        await asyncio.Event().wait()
        return web.Response()

    app = make_app()
    app.router.add_get("/endless", endless)
    serving = web.serve(app, host="127.0.0.1", port=0, drain_delay=60.0)
    task = asyncio.create_task(serving)
    answer = asyncio.ensure_future(get(f"{await started(serving)}/endless"))
    await begun.wait()
    serving.stop()
    await asyncio.sleep(0.01)
    assert not task.done()
    serving.stop()
    async with asyncio.timeout(5):
        await task
    with pytest.raises(aiohttp.ClientError):
        await answer


def test_what_is_never_awaited_is_no_matter() -> None:
    web.serve(make_app()).close()
    assert repr(web.serve(make_app())).startswith("<headrace.web._serve.Serving object")


async def test_an_address_that_is_taken_leaves_nothing_behind() -> None:
    log: list[str] = []

    async def on_cleanup(app: web.Application) -> None:
        log.append("cleanup")

    async with web.serve(make_app(), host="127.0.0.1", port=0) as first:
        app = make_app()
        app.on_cleanup.append(on_cleanup)
        with pytest.raises(OSError, match="address"):
            await web.serve(app, host="127.0.0.1", port=first.addresses[0][1])
    assert log == ["cleanup"]


async def test_signals_stop_it_only_when_that_is_asked_for() -> None:
    loop = asyncio.get_running_loop()
    async with web.serve(make_app(), host="127.0.0.1", port=0):
        assert not loop.remove_signal_handler(signal.SIGTERM)
    serving = web.serve(make_app(), host="127.0.0.1", port=0, handle_signals=True)
    task = asyncio.create_task(serving)
    await started(serving)
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(5):
        await task
    assert not loop.remove_signal_handler(signal.SIGTERM)


# -- the life of a loop


def test_a_loop_ends_with_the_tasks_that_are_left(caplog: pytest.LogCaptureFixture) -> None:
    ends: list[str] = []

    async def polite() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("polite")

    async def main() -> None:
        main.task = asyncio.ensure_future(polite())  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    _serve.run(main(), None)
    assert ends == ["polite"]
    assert caplog.text == ""


def test_a_task_that_does_not_hear_its_cancellation_is_left(tmp_path: Path) -> None:
    source = """
    import asyncio
    from headrace.web import _serve

    async def deaf():
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass

    async def main():
        main.task = asyncio.ensure_future(deaf())
        await asyncio.sleep(0)

    _serve.END_TIME = 0.01
    _serve.run(main(), None)
    print("end")
    """
    with Program(source, cwd=tmp_path) as running:
        code, output = running.end()
    assert code == 0
    assert output.startswith("a task goes on after its cancellation: <Task ")
    assert "\nend\n" in output


def test_a_callback_waits_for_its_request() -> None:
    served: list[Any] = []
    called: list[int] = []

    async def handler(request: Any) -> web.Response:
        served.append(request)
        return web.Response()

    server = web.Server(handler)
    _serve.at_request(server, 2, lambda: called.append(len(served)))
    for number in range(3):
        asyncio.run(server.handler(number))  # type: ignore[arg-type]
    assert served == [0, 1, 2]
    assert called == [1]
