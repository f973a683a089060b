"""What a GET costs in memory and over a loopback socket.

Usage: python transports.py [--rounds N] [--uvloop]. Each line is one kind of server and of
request, in microseconds: the medians of rounds in which both transports take
turns, and the median of the rounds' ratios. Quote the ratios, not the figures.

Servers: ``bytes`` answers with fixed bytes and parses nothing, which leaves the client and the
transport; ``web`` is an application of headrace.web. Requests:

* kept: on a connection that is there;
* fresh: with a connection of its own;
* whole: a client and a server started, one GET, both closed, as in a test.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any, Literal

from headrace.testing import TestClient

Kind = Literal["memory", "socket"]
Action = Callable[[], Awaitable[object]]
KINDS: tuple[Kind, ...] = ("memory", "socket")


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


async def cost_of(action: Action, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        await action()
    return (time.perf_counter() - start) / count * 1e6


async def compare(name: str, actions: dict[Kind, Action], count: int, rounds: int) -> None:
    for action in actions.values():
        await cost_of(action, count)
    costs = [{kind: await cost_of(actions[kind], count) for kind in KINDS} for _ in range(rounds)]
    memory, socket = (median(cost[kind] for cost in costs) for kind in KINDS)
    ratio = median(cost["memory"] / cost["socket"] for cost in costs)
    print(f"{name:12} memory {memory:7.1f}  socket {socket:7.1f}  ratio {ratio:.2f}", flush=True)


async def measure(name: str, make: Callable[[], Any], rounds: int) -> None:
    def whole(kind: Kind) -> Action:
        async def action() -> None:
            async with TestClient(make(), transport=kind) as client:
                await (await client.get("/")).read()

        return action

    def kept(client: TestClient) -> Action:
        async def action() -> None:
            await (await client.get("/")).read()

        return action

    def fresh(client: TestClient) -> Action:
        async def action() -> None:
            response = await client.get("/")
            await response.read()
            response._exchange.close()  # Not kept for the next one.

        return action

    async with (
        TestClient(make(), transport="memory") as memory,
        TestClient(make(), transport="socket") as socket,
    ):
        clients: dict[Kind, TestClient] = {"memory": memory, "socket": socket}
        for what, action, count in (("kept", kept, 500), ("fresh", fresh, 100)):
            actions = {kind: action(client) for kind, client in clients.items()}
            await compare(f"{name} {what}", actions, count, rounds)
    await compare(f"{name} whole", {kind: whole(kind) for kind in KINDS}, 50, rounds)


async def main(rounds: int) -> None:
    await measure("bytes", lambda: Greeter, rounds)
    await measure("web", application, rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--uvloop", action="store_true")
    options = parser.parse_args()
    factory = None
    if options.uvloop:
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main(options.rounds))
