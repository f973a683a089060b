"""What a GET costs in memory and over a loopback socket, in microseconds of processor time.

Usage: python transports.py [--web]. The server is a protocol that answers with fixed bytes; with
--web it is an application of headrace.web. Quote the ratios of one run, not the figures.

* kept: on a connection that is there;
* fresh: with a connection of its own;
* whole: a client and a server started, one GET, both closed, as in a test.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from headrace.testing import TestClient

ROUNDS = 10


class Greeter(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


def application() -> Any:
    from headrace import web

    async def greet(request: Any) -> Any:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", greet)
    return app


async def best_of(action: Callable[[], Awaitable[object]], count: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(count):
            await action()
        best = min(best, (time.process_time() - start) / count)
    return best * 1e6


async def measure(make: Callable[[], Any], transport: Any) -> list[float]:
    async def whole() -> None:
        async with TestClient(make(), transport=transport) as client:
            await (await client.get("/")).read()

    async with TestClient(make(), transport=transport) as client:

        async def kept() -> None:
            await (await client.get("/")).read()

        async def fresh() -> None:
            response = await client.get("/")
            await response.read()
            response._exchange.close()  # Not kept for the next one.

        figures = [await best_of(kept, 500), await best_of(fresh, 200)]
    return [*figures, await best_of(whole, 100)]


def main() -> None:
    make = application if "--web" in sys.argv else lambda: Greeter
    memory = asyncio.run(measure(make, "memory"))
    loopback = asyncio.run(measure(make, "socket"))
    for name, ours, theirs in zip(("kept", "fresh", "whole"), memory, loopback, strict=True):
        print(f"{name:6} memory {ours:7.1f}  socket {theirs:7.1f}  ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
