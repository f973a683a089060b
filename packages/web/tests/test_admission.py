"""Who is let in, and what the others are told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from serving import Failures, Serve

from headrace import web
from headrace.web import _admission
from headrace.web._admission import Clients, client_of

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def hello(request: web.BaseRequest) -> web.Response:
    return web.Response(text="hello")


# -- connections


async def test_a_connection_too_many_is_answered_and_closed(
    serve: Serve, failures: Failures, caplog: pytest.LogCaptureFixture
) -> None:
    served = await serve(hello, max_connections=2, retry_after=7)
    first, second, third = [await served.connect() for _ in range(3)]
    await served.until(lambda: len(served.server.connections) == 2)
    third.send(GET)
    head, body = await third.answer()
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"Retry-After: 7\r\n" in head
    assert b"Connection: close\r\n" in head
    assert body == b"503: Service Unavailable"
    assert await third.rest() == b""
    for wire in (first, second):
        wire.send(GET)
        assert (await wire.answer())[1] == b"hello"
    await first.close()
    await served.until(lambda: len(served.server.connections) == 1)
    fourth = await served.connect()
    fourth.send(GET)
    assert (await fourth.answer())[1] == b"hello"
    served.server._sweep(asyncio.get_running_loop())
    assert "turned away connections, as there are too many: 1" in caplog.text
    assert failures() == []


async def test_the_crowd_outside_is_bounded_and_does_not_stay(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_admission, "PATIENCE", 0.05)
    served = await serve(hello, max_connections=8, head_timeout=0.02, keepalive_timeout=30.0)
    inside = [await served.connect() for _ in range(8)]
    await served.until(lambda: len(served.server.connections) == 8)
    silent, closed = await served.connect(), await served.connect()
    assert await closed.rest() == b""
    assert await silent.rest() == b""
    # Silence is borne from here on, so that it is the head which takes too long.
    served.server._crowd.keepalive_timeout = 30.0
    served.server.tick(asyncio.get_running_loop().time())
    half = await served.connect()
    half.send(GET[:5])
    assert (await half.rest()).startswith(b"HTTP/1.1 408 ")
    assert len(inside) == len(served.server.connections)


async def test_a_server_that_stops_drops_the_crowd(serve: Serve) -> None:
    served = await serve(hello, max_connections=1)
    await served.connect()
    await served.until(lambda: len(served.server.connections) == 1)
    outside = await served.connect()
    await served.until(lambda: len(served.server._crowd.connections) == 1)
    async with asyncio.timeout(5):
        await served.server.shutdown(5.0)
    assert await outside.rest() == b""


def test_by_default_the_descriptors_of_the_process_are_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_admission, "getrlimit", lambda which: (1000, 2000))
    server = web.Server(hello)
    assert server.max_connections == 800
    assert server._crowd._limit == 100
    monkeypatch.setattr(_admission, "getrlimit", lambda which: (-1, -1))
    assert web.Server(hello).max_connections == 0
    assert web.Server(hello, max_connections=0)._clients is None


# -- connections of one client


@pytest.mark.parametrize(
    ("peername", "name"),
    [
        (("93.184.216.34", 1), b"\x5d\xb8\xd8\x22"),
        (("::ffff:93.184.216.34", 1, 0, 0), b"\x5d\xb8\xd8\x22"),
        (("2606:4700:1:2:3:4:5:6", 1, 0, 0), b"\x26\x06\x47\x00\0\1\0\2"),
        (("127.0.0.1", 1), None),
        (("10.1.2.3", 1), None),
        (("::1", 1, 0, 0), None),
        (("fe80::1%eth0", 1, 0, 2), None),
        (("nonsense", 1), None),
        ("", None),
        (None, None),
    ],
)
def test_clients_are_told_apart_by_address_or_network(peername: Any, name: bytes | None) -> None:
    assert client_of(peername) == name


def test_a_client_has_a_share_of_the_connections() -> None:
    clients = Clients(2)
    one, two, three, other, local = [object() for _ in range(5)]
    mine, yours = ("93.184.216.34", 1), ("93.184.216.35", 1)
    assert clients.enter(one, mine)
    assert clients.enter(two, mine)
    assert not clients.enter(three, mine)
    assert clients.enter(other, yours)
    assert clients.enter(local, ("127.0.0.1", 1))
    clients.leave(three)
    clients.leave(local)
    clients.leave(one)
    assert clients.enter(three, mine)
    for left in (two, three, other):
        clients.leave(left)
    assert not clients._counts
    assert not clients._names


async def test_a_client_with_too_many_connections_is_answered(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_admission, "client_of", lambda peername: peername[0].encode())
    served = await serve(hello, max_connections_per_client=1)
    first, second = await served.connect(), await served.connect()
    second.send(GET)
    assert (await second.rest()).startswith(b"HTTP/1.1 503 ")
    await first.close()
    await served.until(lambda: not served.server.connections)
    third = await served.connect()
    third.send(GET)
    assert (await third.answer())[1] == b"hello"


# -- requests


async def test_requests_beyond_those_at_work_are_answered_early(serve: Serve) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        begun.set()
        await gate.wait()
        return web.Response(text="done")

    served = await serve(slow, max_concurrent_requests=1)
    busy, early = await served.connect(), await served.connect()
    busy.send(GET)
    await begun.wait()
    for _ in range(2):  # the connection is kept
        early.send(GET)
        head, _ = await early.answer()
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 5\r\n" in head
        assert b"Connection" not in head
    gate.set()
    assert (await busy.answer())[1] == b"done"
    early.send(GET)
    assert (await early.answer())[1] == b"done"


async def test_a_connection_ends_with_its_last_request(serve: Serve) -> None:
    served = await serve(hello, max_requests_per_connection=3)
    wire = await served.connect()
    wire.send(GET * 4)
    heads = [(await wire.answer())[0] for _ in range(3)]
    assert [b"Connection: close\r\n" in head for head in heads] == [False, False, True]
    assert await wire.rest() == b""
    wire = await served.connect()
    wire.send(GET)
    assert b"Connection: close" not in (await wire.answer())[0]
