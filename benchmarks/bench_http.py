"""Measure small requests and answers with wrk, server and load on different cores.

    nox -s bench -- --scenario get --rounds 3

A round measures every server once for each scenario, so that the machine's drift meets all of
them; the table gives medians over the rounds and the ratios of the medians.
"""

from __future__ import annotations

from measuring.command import run
from measuring.kinds import Kind
from measuring.requests import Exchange
from measuring.servers import Server

#: What Chromium sends for a page: 13 fields with Host.
BROWSER = {
    "Connection": "keep-alive",
    "Cache-Control": "max-age=0",
    "sec-ch-ua": '"Chromium";v="140", "Not=A?Brand";v="24"',
    "sec-ch-ua-mobile": "?0",
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "*/*;q=0.8",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-GB,en;q=0.9",
    "Cookie": "session=0123456789abcdef0123456789abcdef; theme=dark",
}
HELLO = b"Hello, world!"
READS = b"headrace,en-GB,en;q=0.9,0123456789abcdef0123456789abcdef"

KIND = Kind(
    title="small requests and answers",
    unit="requests",
    scenarios={
        "get": Exchange("/", answer=HELLO),
        "browser": Exchange("/", BROWSER, answer=HELLO),
        "parameter": Exchange("/user/ann", answer=b"ann"),
        "json": Exchange("/json", answer=HELLO, exactly=False),
        "reads": Exchange("/reads?q=headrace", BROWSER, answer=READS),
        "post": Exchange("/echo", body=b"x" * 1024, answer=b"x" * 1024),
    },
    servers=[
        Server("limit", checked=False),
        Server("headrace_web"),
        Server("headrace_log"),
        Server("aiohttp_web"),
        Server("starlette_uvicorn"),
    ],
    ours="headrace_web",
    reference="limit",
)

if __name__ == "__main__":
    run(KIND)
