"""A served application as a test sees it, and bare connections to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from headrace import web


@dataclass
class Wire:
    """One bare connection to a server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> bytes:
        """Read to the end of a head."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def answer(self) -> tuple[bytes, bytes]:
        """Read an answer with a Content-Length, return its head and its body."""
        head = await self.head()
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return head, await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """Read until the server ends the connection, in whichever way it does."""
        data = b""
        try:
            while piece := await self.reader.read(65536):
                data += piece
        except ConnectionResetError:
            pass
        return data

    def reset(self) -> None:
        """End the connection with a reset, as a client does that is killed."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            pass


@dataclass
class Served:
    """A running application: its address, its server and ways to talk to it."""

    runner: web.BaseRunner
    port: int
    client: aiohttp.ClientSession
    wires: list[Wire] = field(default_factory=list)

    @property
    def server(self) -> web.Server:
        assert self.runner.server is not None
        return self.runner.server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def connect(self) -> Wire:
        """Open a bare connection."""
        wire = Wire(*await asyncio.open_connection("127.0.0.1", self.port))
        self.wires.append(wire)
        return wire

    async def raw(self, data: bytes, *, eof: bool = False) -> bytes:
        """Send bytes, and return all that comes until the server ends the connection."""
        wire = await self.connect()
        wire.send(data)
        if eof:
            wire.writer.write_eof()
        return await wire.rest()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the loop turn until *condition* holds."""
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.001)

    async def idle(self) -> None:
        """Wait until no connection is left and no task beside the test's own runs."""
        await self.until(lambda: not self.server.connections and not others())


def others() -> set[asyncio.Task[Any]]:
    """Return the tasks beside the current one that serve requests."""
    return {
        task
        for task in asyncio.all_tasks() - {asyncio.current_task()}
        if "_serve" in repr(task.get_coro())
    }


Serve = Callable[..., Awaitable[Served]]
Failures = Callable[[], list[str]]
