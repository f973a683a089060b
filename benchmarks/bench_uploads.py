"""Measure a form with a file of 10 MiB, which the server reads as a form and measures.

nox -s bench -- --scenario upload --rounds 3
"""

from __future__ import annotations

import random

from measuring.command import run
from measuring.kinds import Kind
from measuring.requests import Exchange
from measuring.servers import Server

SIZE = 10 * 1024**2
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"


def form(size: int) -> bytes:
    """Return a form as a browser sends it, with a file of random bytes."""
    head = (
        f"--{BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="title"\r\n\r\n'
        "a file\r\n"
        f"--{BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="file"; filename="random.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode() + random.Random(size).randbytes(size) + f"\r\n--{BOUNDARY}--\r\n".encode()


KIND = Kind(
    title="uploads of 10 MiB",
    unit="requests",
    scenarios={
        "upload": Exchange(
            "/upload",
            {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
            form(SIZE),
            answer=f"a file: {SIZE}".encode(),
            connections=8,
        ),
    },
    servers=[Server("headrace_web"), Server("aiohttp_web"), Server("starlette_uvicorn")],
    ours="headrace_web",
)

if __name__ == "__main__":
    run(KIND)
