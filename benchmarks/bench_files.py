"""Measure static files: a small and a large one, and one that the client has already.

nox -s bench -- --scenario file-4k file-1m not-modified --rounds 3
"""

from __future__ import annotations

import argparse
import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace

from measuring.command import run
from measuring.kinds import Kind
from measuring.requests import Exchange
from measuring.servers import FILES, Running, Server

SIZES = {"4k.bin": 4 * 1024, "1m.bin": 1024**2}


def write_files() -> dict[str, bytes]:
    """Write the files that are served, the same ones each time, and return what is in them."""
    contents = {name: random.Random(name).randbytes(size) for name, size in SIZES.items()}
    for name, content in contents.items():
        path = FILES / name
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
    return contents


@dataclass(frozen=True)
class File:
    """A file that is asked for again and again."""

    name: str
    connections: int | None = None

    def check(self, server: Running) -> str | None:
        """Ask for the file once and compare it."""
        return self._exchange(write_files()[self.name]).check(server)

    def rate(self, server: Running, options: argparse.Namespace, core: int) -> float:
        """Return how often a second the file is sent."""
        return self._exchange(b"").rate(server, options, core)

    def _exchange(self, content: bytes) -> Exchange:
        return Exchange(f"/static/{self.name}", answer=content, connections=self.connections)


#: Which field asks for a change since a validator, the better validator first.
CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


class NotModified:
    """A file that the client has: the answer is 304, if the server knows validators."""

    request = Exchange("/static/4k.bin", status=304)

    def check(self, server: Running) -> str | None:
        """Ask with the validator that the server gave."""
        request = self._conditional(server)
        return "it gives no validator" if request is None else request.check(server)

    def rate(self, server: Running, options: argparse.Namespace, core: int) -> float:
        """Return how often a second the server says that nothing has changed."""
        request = self._conditional(server)
        assert request is not None
        return request.rate(server, options, core)

    def _conditional(self, server: Running) -> Exchange | None:
        _, fields, _ = self.request.ask(server.port)
        for validator, condition in CONDITIONS.items():
            if validator in fields:
                return replace(self.request, headers={condition: fields[validator]})
        return None


def missing_nginx() -> str | None:
    """Tell whether nginx is on this machine."""
    places: Iterable[str | None] = (None, "/usr/sbin")
    if any(shutil.which("nginx", path=place) for place in places):
        return None
    return "it is not installed (Debian: apt-get install nginx-light)"


KIND = Kind(
    title="static files",
    unit="requests",
    scenarios={
        "file-4k": File("4k.bin"),
        "file-1m": File("1m.bin"),
        "not-modified": NotModified(),
    },
    servers=[
        Server("nginx", missing=missing_nginx),
        Server("headrace_web"),
        Server("aiohttp_web"),
        Server("starlette_uvicorn"),
        Server("granian_static"),
    ],
    ours="headrace_web",
    reference="nginx",
)

if __name__ == "__main__":
    run(KIND)
