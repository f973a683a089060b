"""Settings of the guide and of aiohttp, and fields that a handler sets in the server's place."""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
from serving import Serve

from headrace import web

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="hello")


@pytest.mark.parametrize(
    ("settings", "attribute", "value"),
    [
        ({"keep_alive": 5}, "keepalive_timeout", 5),
        ({"keepalive_timeout": 6}, "keepalive_timeout", 6),
        ({"keep_alive_on": False}, "keepalive_timeout", 0.0),
        ({"keep_alive_on": True}, "keepalive_timeout", 75.0),
        ({"timeout": 0, "secure_proxy_ssl_header": None}, "keepalive_timeout", 75.0),
        ({"read_bufsize": 1, "loop": None}, "head_timeout", 30.0),
        ({"auto_decompress": False}, "auto_decompress", False),
        ({"access_log": None}, "log_access", None),
    ],
)
def test_make_handler_takes_the_settings_that_people_know(
    settings: dict[str, Any], attribute: str, value: Any
) -> None:
    assert getattr(web.Application().make_handler(**settings), attribute) == value


def test_a_setting_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(TypeError, match="no_such_setting"):
        web.Application().make_handler(no_such_setting=1)


async def test_the_guides_server_writes_an_access_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "own.access")
    app = web.Application()
    app.router.add_route("GET", "/", hello)
    handler = app.make_handler(
        access_log=logging.getLogger("own.access"), access_log_format='"%r" %s %b'
    )
    loop = asyncio.get_running_loop()
    server = await loop.create_server(handler, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(GET)
    await reader.readuntil(b"hello")
    writer.close()
    await handler.finish_connections(1.0)
    server.close()
    await server.wait_closed()
    assert [record.getMessage() for record in caplog.records] == ['"GET / HTTP/1.1" 200 5']


async def test_the_access_log_is_on_as_in_aiohttp(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    class Short(web.AbstractAccessLogger):
        def log(self, request: Any, response: Any, time: float) -> None:
            self.logger.info("%s %s", request.method, response.status)

    caplog.set_level(logging.INFO, "headrace.access")
    served = await serve(hello, access_log_class=Short)
    async with served.client.get("/"):
        pass
    app = web.Application(handler_args={"access_log": None})
    app.router.add_get("/", hello)
    for silent in (await serve(hello, access_log=None), await serve(app)):
        async with silent.client.get("/"):
            pass
    lines = [r.getMessage() for r in caplog.records if r.name == "headrace.access"]
    assert lines == ["GET 200"]


async def test_bodies_are_left_as_they_were_sent_on_demand(serve: Serve) -> None:
    async def echo(request: web.Request) -> web.Response:
        assert request.headers["Content-Encoding"] == "gzip"
        return web.Response(body=await request.read())

    sent = gzip.compress(b"hello")
    for settings, expected in (({}, b"hello"), ({"auto_decompress": False}, sent)):
        served = await serve(echo, **settings)
        for content in (sent, pieces(sent)):
            async with served.client.post(
                "/", data=content, headers={"Content-Encoding": "gzip"}
            ) as response:
                assert await response.read() == expected


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data[:4]
    yield data[4:]


@pytest.mark.parametrize("name", ["Date", "date", "Server"])
async def test_a_field_of_the_handler_takes_the_place_of_the_servers(
    serve: Serve, name: str
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(headers={name: "mine"})

    served = await serve(handler, server_header="theirs")
    wire = await served.connect()
    wire.send(GET)
    lines = (await wire.head()).decode().split("\r\n")
    found = [line for line in lines if line.lower().startswith(f"{name.lower()}:")]
    assert found == [f"{name}: mine"]
    assert {line.partition(":")[0].lower() for line in lines} >= {"date", "server"}


async def test_a_runner_listens_to_signals_until_it_is_cleaned_up() -> None:
    runner = web.AppRunner(web.Application(), handle_signals=True)
    await runner.setup()
    await runner.cleanup()
    loop = asyncio.get_running_loop()
    assert not loop.remove_signal_handler(signal.SIGTERM)
    assert not loop.remove_signal_handler(signal.SIGINT)


def test_graceful_exit_ends_the_program() -> None:
    async def main() -> None:
        runner = web.AppRunner(web.Application(), handle_signals=True)
        await runner.setup()
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(10)
        finally:
            await runner.cleanup()

    loop = asyncio.new_event_loop()
    try:
        with pytest.raises(web.GracefulExit):
            loop.run_until_complete(main())
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    finally:
        loop.close()
