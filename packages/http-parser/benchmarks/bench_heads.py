"""Compare parsers, in one process and one run: ``python benchmarks/bench_heads.py [SECONDS]``.

Each parser takes the same bytes to what it calls a finished request: method, target, all headers
as pairs where it makes pairs (ours are cut when looked at: both are measured). All of them keep one
connection, as a server does, but for h11 and "new connection".
The parsers take turns in short rounds, the processor time of the process is what is measured and
the best round of each counts, so that a machine that is busy with something else disturbs little
and all of them alike. Both twins of ours run in this one process.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

BARE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
# What a current browser sends: 13 headers.
BROWSER = (
    b"GET /articles/2026/headers?page=2&sort=new HTTP/1.1\r\n"
    b"Host: www.example.com\r\n"
    b"Connection: keep-alive\r\n"
    b'sec-ch-ua: "Chromium";v="130", "Google Chrome";v="130", "Not?A_Brand";v="99"\r\n'
    b"sec-ch-ua-mobile: ?0\r\n"
    b'sec-ch-ua-platform: "Linux"\r\n'
    b"Upgrade-Insecure-Requests: 1\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    b"Chrome/130.0.0.0 Safari/537.36\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    b"*/*;q=0.8\r\n"
    b"Sec-Fetch-Site: same-origin\r\n"
    b"Sec-Fetch-Mode: navigate\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\n"
    b"Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    b"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    b"\r\n"
)
HEADS = {"bare GET": BARE, "browser GET": BROWSER}

Run = Callable[[bytes, int], None]


def headrace(twin: str) -> ModuleType:
    """Import a fresh headrace.http_parser with one twin of its kernel."""
    for name in [name for name in sys.modules if name.startswith("headrace.http_parser")]:
        del sys.modules[name]
    os.environ["HEADRACE_EXTENSIONS"] = twin
    return importlib.import_module("headrace.http_parser")


def ours(package: ModuleType, *, pairs: bool = False) -> Run:
    """To the event; the answer that lets the next one come is set aside."""
    idle = package.State.IDLE

    def run(data: bytes, times: int) -> None:
        connection = package.Connection(package.Role.SERVER)
        for _ in range(times):
            connection.receive_data(data)
            event = connection.next_event()
            if pairs:
                event.headers[0]
            connection.our_state = connection.their_state = idle

    return run


def ours_fresh(package: ModuleType) -> Run:
    """The same on a new connection each time, with nothing remembered."""

    def run(data: bytes, times: int) -> None:
        for _ in range(times):
            connection = package.Connection(package.Role.SERVER)
            connection.receive_data(data)
            connection.next_event()

    return run


def ours_cycle(package: ModuleType) -> Run:
    """Request, and its answer with a body."""
    headers = [(b"Content-Type", b"text/plain"), (b"Date", b"Thu, 01 Jan 2026 00:00:00 GMT")]

    def run(data: bytes, times: int) -> None:
        connection = package.Connection(package.Role.SERVER)
        for _ in range(times):
            connection.receive_data(data)
            connection.next_event()
            connection.send(package.Response(200, headers), b"Hello, world!")

    return run


def httptools_run(data: bytes, times: int) -> None:
    import httptools

    class Callbacks:
        def on_message_begin(self) -> None:
            self.headers: list[tuple[bytes, bytes]] = []
            self.url = b""

        def on_url(self, url: bytes) -> None:
            self.url += url

        def on_header(self, name: bytes, value: bytes) -> None:
            self.headers.append((name, value))

        def on_headers_complete(self) -> None:
            parser.get_method()
            parser.get_http_version()
            parser.should_keep_alive()

    parser = httptools.HttpRequestParser(Callbacks())
    for _ in range(times):
        parser.feed_data(data)


def zttp_fresh(data: bytes, times: int) -> None:
    import zttp

    for _ in range(times):
        zttp.Connection(zttp.SERVER).receive_event(data)


def zttp_run(data: bytes, times: int) -> None:
    import zttp

    connection: Any = zttp.Connection(zttp.SERVER)
    for _ in range(times):
        connection.receive_event(data)
        connection.start_next_cycle()


def zttp_cycle(data: bytes, times: int) -> None:
    import zttp

    headers = [
        (b"Content-Type", b"text/plain"),
        (b"Date", b"Thu, 01 Jan 2026 00:00:00 GMT"),
        (b"Content-Length", b"13"),
    ]
    connection: Any = zttp.Connection(zttp.SERVER)
    for _ in range(times):
        connection.receive_event(data)
        connection.send_response(200, headers)
        connection.send_data(b"Hello, world!")
        connection.end_message()
        connection.data_to_send()
        connection.start_next_cycle()


def h11_run(data: bytes, times: int) -> None:
    import h11

    for _ in range(times):
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(data)
        connection.next_event()


def aiohttp_run(data: bytes, times: int) -> None:
    import asyncio
    from unittest import mock

    from aiohttp._http_parser import HttpRequestParser
    from aiohttp.base_protocol import BaseProtocol

    loop = mock.Mock(spec=asyncio.AbstractEventLoop)
    parser: Any = HttpRequestParser(
        BaseProtocol(loop), loop, 2**16, max_line_size=8190, max_field_size=8190
    )
    for _ in range(times):
        messages, _upgraded, _tail = parser.feed_data(data)
        assert len(messages) == 1


def measure(runs: dict[str, Run], data: bytes, seconds: float) -> dict[str, float]:
    """Return the best rate of each, in messages a second."""
    times = {}
    for name, run in runs.items():
        run(data, 200)
        start = time.process_time()
        run(data, 200)
        # Rounds of about 5 ms.
        times[name] = max(20, int(1 / (time.process_time() - start)))
    best = dict.fromkeys(runs, 0.0)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name, run in runs.items():
            start = time.process_time()
            run(data, times[name])
            best[name] = max(best[name], times[name] / (time.process_time() - start))
    return best


def all_runs() -> dict[str, Run]:
    pure, compiled = headrace("none"), headrace("require")
    assert (pure.IMPLEMENTATION, compiled.IMPLEMENTATION) == ("python", "c")
    return {
        "ours compiled": ours(compiled),
        "ours compiled, pairs cut": ours(compiled, pairs=True),
        "ours compiled, new connection": ours_fresh(compiled),
        "ours compiled, with answer": ours_cycle(compiled),
        "ours pure": ours(pure),
        "ours pure, pairs cut": ours(pure, pairs=True),
        "ours pure, new connection": ours_fresh(pure),
        "ours pure, with answer": ours_cycle(pure),
        "httptools": httptools_run,
        "zttp": zttp_run,
        "zttp, new connection": zttp_fresh,
        "zttp, with answer": zttp_cycle,
        "aiohttp's C parser": aiohttp_run,
        "h11": h11_run,
    }


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    for title, data in HEADS.items():
        rates = measure(all_runs(), data, seconds)
        print(f"{title}, {len(data)} bytes")
        for name, rate in rates.items():
            ratios = "".join(
                f"  {rate / rates[peer]:6.2f} x {peer}" for peer in ("httptools", "zttp", "h11")
            )
            print(f"  {name:32} {rate:10,.0f} /s {ratios}")


if __name__ == "__main__":
    main()
