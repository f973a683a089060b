"""A served application as a test sees it, and bare connections to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from headrace import web
from headrace.testing import BaseTestServer, MemoryTransport, TestClient


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
        transport = self.writer.transport
        if isinstance(transport, MemoryTransport):
            transport.reset()
            return
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        transport.abort()

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            pass


class Life:
    """The life of a runner of headrace.web, as headrace.testing wants to be told of it."""

    def __init__(self, runner: web.BaseRunner) -> None:
        self._runner = runner
        self.addresses: list[tuple[str, int]] = []

    async def setup(self) -> web.Server:
        await self._runner.setup()
        assert self._runner.server is not None
        return self._runner.server

    async def cleanup(self, timeout: float) -> None:
        await self._runner.cleanup()


class RunnerServer(BaseTestServer):
    """A server whose application is started and stopped by a runner of headrace.web."""

    def __init__(self, runner: web.BaseRunner, **options: Any) -> None:
        super().__init__(**options)
        self.web_runner = runner

    async def _make_runner(self, **kwargs: Any) -> Any:
        return Life(self.web_runner)


@dataclass
class Served:
    """A running application: its server and ways to talk to it."""

    runner: web.BaseRunner
    client: TestClient
    wires: list[Wire] = field(default_factory=list)
    opener: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.opener = self.client  # Also where a module brings a client of its own.

    @property
    def server(self) -> web.Server:
        assert self.runner.server is not None
        return self.runner.server

    @property
    def port(self) -> int:
        assert self.opener.port is not None
        return self.opener.port

    @property
    def url(self) -> str:
        return str(self.opener.make_url("/").origin())

    async def connect(self, buffer: int | None = None) -> Wire:
        """Open a bare connection, for a socket with a receive buffer of about *buffer* bytes."""
        if buffer is None:
            wire = Wire(*await self.opener.open_connection())
        else:
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
            wire = Wire(*await asyncio.open_connection(sock=sock, limit=buffer))
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


TransportKind = Literal["memory", "socket"]
Serve = Callable[..., Awaitable[Served]]
Failures = Callable[[], list[str]]
