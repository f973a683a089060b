"""Resolves a second: headrace.router beside other routers of Python, in one run on one core.

Run it in an environment with the peers (those that are missing are left out)::

    pip install headrace-router aiohttp starlette falcon sanic-routing werkzeug
    python benchmarks/peers.py            # all sizes
    python benchmarks/peers.py 10 1000    # tables of 10 and of 1,000 resources

Each table holds N static resources and N with one variable under one prefix, and the last of each
is resolved. Time is the processor's, so that a neighbour on the machine takes less from the
figures; a figure is the best of several rounds, and the rounds of all routers are interleaved.
Compare figures of one run only.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

ROUNDS = 5
SECONDS = 0.15  # per round and case

Resolve = Callable[[str], object]


def headrace(size: int) -> Resolve:
    from headrace.router import Router

    router: Router[int] = Router()
    for index in range(size):
        router.add_route("GET", f"/api/static{index}", index)
        router.add_route("GET", f"/api/variable{index}/{{id}}", index)
    resolve = router.resolve
    return lambda path: resolve("GET", path).value  # type: ignore[union-attr]


def aiohttp(size: int) -> Resolve:
    from aiohttp.web import UrlDispatcher
    from yarl import URL

    class Request:
        """What the dispatcher reads of a request; the URL is parsed outside of the measurement."""

        method = "GET"

        def __init__(self, path: str) -> None:
            self.rel_url = URL(path, encoded=True)

    async def handler(request: object) -> Any: ...

    router = UrlDispatcher()
    for index in range(size):
        router.add_get(f"/api/static{index}", handler)
        router.add_get(f"/api/variable{index}/{{id}}", handler)
    router.freeze()
    requests: dict[str, Any] = {}

    def resolve(path: str) -> object:
        request = requests.get(path) or requests.setdefault(path, Request(path))
        try:
            router.resolve(request).send(None)  # type: ignore[attr-defined]
        except StopIteration as stop:
            return stop.value.handler
        raise AssertionError(path)

    return resolve


def starlette(size: int) -> Resolve:
    from starlette.routing import Match, Route

    async def endpoint(request: object) -> Any: ...

    routes = []
    for index in range(size):
        routes.append(Route(f"/api/static{index}", endpoint))
        routes.append(Route(f"/api/variable{index}/{{id}}", endpoint))

    def resolve(path: str) -> object:  # the loop of Router.app
        scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}
        for route in routes:
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                return child_scope["endpoint"]
        raise AssertionError(path)

    return resolve


def falcon(size: int) -> Resolve:
    from falcon.routing import CompiledRouter

    class Resource:
        def on_get(self, req: object, resp: object, **params: str) -> None: ...

    router = CompiledRouter()
    for index in range(size):
        router.add_route(f"/api/static{index}", Resource())
        router.add_route(f"/api/variable{index}/{{id}}", Resource())
    find = router.find
    return lambda path: find(path)[1]["GET"]


def sanic(size: int) -> Resolve:
    from sanic_routing import BaseRouter

    class Router(BaseRouter):  # type: ignore[misc]
        def get(self, path: str, method: str) -> Any:
            return self.resolve(path=path, method=method)

    def handler() -> None: ...

    router = Router()
    for index in range(size):
        router.add(f"/api/static{index}", handler, methods=["GET"])
        router.add(f"/api/variable{index}/<id>", handler, methods=["GET"])
    router.finalize()
    get = router.get
    return lambda path: get(path, "GET")[1]


def werkzeug(size: int) -> Resolve:
    from werkzeug.routing import Map, Rule

    rules = []
    for index in range(size):
        rules.append(Rule(f"/api/static{index}", endpoint=index, methods=["GET"]))
        rules.append(Rule(f"/api/variable{index}/<id>", endpoint=index, methods=["GET"]))
    match = Map(rules).bind("localhost").match
    return lambda path: match(path, "GET")[0]


PEERS = {
    "headrace-router": headrace,
    "aiohttp": aiohttp,
    "starlette": starlette,
    "falcon": falcon,
    "sanic-routing": sanic,
    "werkzeug": werkzeug,
}
# These write one function for the whole table and compile it, which takes minutes for a large one.
LIMITS = {"falcon": 1000, "sanic-routing": 1000}


def rate(resolve: Resolve, path: str) -> float:
    """Return calls a second of processor time over about ``SECONDS``."""
    count, calls = 1, 0
    clock = time.process_time
    start = clock()
    while (now := clock() - start) < SECONDS:
        for _ in range(count):
            resolve(path)
        calls += count
        count = min(count * 2, 4096)
    return calls / now


def measure(size: int) -> dict[str, dict[str, float]]:
    """Return, for each router, resolves a second by case, and the seconds its table took."""
    tables: dict[str, Resolve] = {}
    results: dict[str, dict[str, float]] = {}
    for name, build in PEERS.items():
        if size > LIMITS.get(name, size):
            continue
        gc.collect()
        start = time.process_time()
        try:
            tables[name] = build(size)
        except ImportError as error:
            print(f"left out: {name} ({error})", file=sys.stderr)
            continue
        tables[name](f"/api/variable{size - 1}/first")  # some build on the first call
        results[name] = {"build": time.process_time() - start}
    paths = {"static": f"/api/static{size - 1}", "variable": f"/api/variable{size - 1}/12345"}
    gc.collect()
    gc.disable()
    for _ in range(ROUNDS):
        for name, resolve in tables.items():
            for case, path in paths.items():
                results[name][case] = max(results[name].get(case, 0), rate(resolve, path))
    gc.enable()
    return results


def main() -> None:
    sizes = [int(text) for text in sys.argv[1:]] or [10, 1000, 10_000]
    print(f"Python {sys.version.split()[0]}; resolves a second, best of {ROUNDS} rounds\n")
    for size in sizes:
        print(f"{size:,} static resources and {size:,} with one variable\n")
        print("| router | static | one variable | building the table |")
        print("|---|---:|---:|---:|")
        for name, figures in measure(size).items():
            print(
                f"| {name} {version(name)} | {figures['static']:,.0f} "
                f"| {figures['variable']:,.0f} | {figures['build']:.2f} s |",
                flush=True,
            )
        print(flush=True)


if __name__ == "__main__":
    main()
