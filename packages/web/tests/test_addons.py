"""The private names of aiohttp.web that add-ons read, each as its readers use it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from exchanges import FakeExchange, make_request
from serving import Serve

from headrace import web


async def handler(request: web.Request) -> web.Response:
    return web.Response()


STREAMS: list[tuple[Any, dict[str, str]]] = [
    (web.StreamResponse, {}),
    (lambda: web.FileResponse(__file__), {}),
    (
        web.WebSocketResponse,
        {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
    ),
]


@pytest.mark.parametrize(("make", "headers"), STREAMS)
async def test_a_prepared_stream_knows_its_request(make: Any, headers: dict[str, str]) -> None:
    response = make()
    assert (response._req, response._payload_writer) == (None, None)
    # A HEAD of a file, so that no connection has to take it over.
    method = "HEAD" if isinstance(response, web.FileResponse) else "GET"
    request = make_request(method=method, headers=headers, exchange=FakeExchange())
    await response.prepare(request)
    assert response._req is request
    assert response._payload_writer is request.protocol


async def test_the_writer_writes() -> None:
    exchange = FakeExchange()
    response = web.StreamResponse()
    await response.prepare(make_request(exchange=exchange))
    writer = response._payload_writer
    assert writer is not None
    await writer.write(b"body")
    await writer.drain()
    await writer.write_eof()
    assert [entry[0] for entry in exchange.sent] == ["head", "data", "drain", "eof"]
    assert writer.transport is None


async def test_a_body_that_was_read() -> None:
    request = make_request(method="POST", body=b"body")
    assert request._read_bytes is None
    await request.read()
    assert request._read_bytes == b"body"


async def test_a_body_by_its_old_name() -> None:
    request = make_request(method="POST", body=b"body")
    assert request.has_body
    await request.read()
    await request.release()
    assert not request.has_body


async def test_an_expect_handler_may_write_to_the_writer(serve: Serve) -> None:
    async def expect(request: web.Request) -> None:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application()
    app.router.add_put("/", echo, expect_handler=expect)
    served = await serve(app)
    wire = await served.connect()
    wire.send(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert await wire.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(b"ab")
    assert (await wire.answer())[1] == b"ab"


def test_nobody_is_written_to_who_has_gone() -> None:
    with pytest.raises(ConnectionResetError):
        make_request().writer.write(b"x")


def test_without_a_loop() -> None:
    assert web.Application()._loop is None


async def test_with_a_loop() -> None:
    assert web.Application()._loop is asyncio.get_running_loop()


def test_tables_and_routes(tmp_path: Path) -> None:
    table = web.RouteTableDef()
    table.get("/")(handler)
    assert table._items == list(table)
    app = web.Application()
    assert app.router.add_get("/", handler)._handler is handler
    files = app.router.add_static("/files", tmp_path)
    files.set_options_route(handler)
    assert files._routes["OPTIONS"].handler is handler
