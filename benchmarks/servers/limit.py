"""The limit: a bare uvloop protocol that parses nothing and writes a canned answer.

Whatever a server does for a request comes on top of what this one does.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

BODY = b"Hello, world!"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)


class Limit(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.write = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.write(ANSWER)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Limit, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
