"""Scenarios of WebSocket: one message that is echoed again and again.

    python -m measuring.echoes PORT KIND SIZE CONNECTIONS SECONDS

is the load: bare protocols on uvloop that write one frame, made beforehand, and count the bytes
that come back, so that the server is what is measured. Each connection sends the next message
when it has the answer to the last.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from .servers import Running

OPCODES = {"text": 1, "binary": 2}
WARM_UP = 0.3  # seconds that do not count
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n\r\n"
)


def handshake() -> bytes:
    """Return a request for a WebSocket without extensions."""
    return HANDSHAKE % base64.b64encode(os.urandom(16))


def head(kind: str, size: int, mask: int) -> bytes:
    """Return the head of a frame, without the masking key."""
    first = 0x80 | OPCODES[kind]
    if size < 126:
        return bytes([first, mask | size])
    if size < 65536:
        return bytes([first, mask | 126]) + struct.pack("!H", size)
    return bytes([first, mask | 127]) + struct.pack("!Q", size)


def client_frame(kind: str, payload: bytes) -> bytes:
    """Return a frame as a client sends it."""
    key = os.urandom(4)
    masked = bytes(byte ^ key[at & 3] for at, byte in enumerate(payload))
    return head(kind, len(payload), 0x80) + key + masked


@dataclass(frozen=True)
class Echo:
    """A message that the server at ``/ws`` sends back.

    Args:
        kind: ``text`` or ``binary``.
        size: Bytes of the message.
        connections: How many connections send at the same time.
    """

    kind: str
    size: int
    connections: int = 32

    def check(self, server: Running) -> str | None:
        """Let a message be echoed once: a server that answers something else is not measured."""
        payload = b"x" * self.size
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(handshake())
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += client.recv(65536)
            client.sendall(client_frame(self.kind, payload))
            expected = head(self.kind, self.size, 0) + payload
            frame = answer.partition(b"\r\n\r\n")[2]
            while len(frame) < len(expected):
                frame += client.recv(65536)
        if not answer.startswith(b"HTTP/1.1 101 ") or frame != expected:
            raise SystemExit(f"unexpected answer: {answer[:200]!r} {frame[:200]!r}")
        return None

    def rate(self, server: Running, options: argparse.Namespace, core: int) -> float:
        """Return the echoes a second."""
        load = [sys.executable, "-m", __name__, str(server.port), self.kind, str(self.size)]
        load += [str(self.connections), str(options.seconds)]
        output = subprocess.run(
            ["taskset", "-c", str(core), *load],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return float(output)


class Client(asyncio.Protocol):
    """Sends the frame, and again whenever as many bytes have come as its echo has."""

    def __init__(self, frame: bytes, size: int, count: Callable[[], None]) -> None:
        self._frame = frame
        self._size = self._left = size
        self._count = count
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(handshake())

    def data_received(self, data: bytes) -> None:
        if not self._head.endswith(b"\r\n\r\n"):
            self._head += data
            if self._head.endswith(b"\r\n\r\n"):
                self._transport.write(self._frame)
            return
        self._left -= len(data)
        if self._left <= 0:
            self._left = self._size
            self._count()
            self._transport.write(self._frame)


async def load(port: int, kind: str, size: int, connections: int, seconds: float) -> float:
    """Return how many messages a second come back."""
    loop = asyncio.get_running_loop()
    frame = client_frame(kind, b"x" * size)
    echoes = 0

    def count() -> None:
        nonlocal echoes
        echoes += 1

    answer = len(head(kind, size, 0)) + size
    for _ in range(connections):
        await loop.create_connection(lambda: Client(frame, answer, count), "127.0.0.1", port)
    await asyncio.sleep(WARM_UP)
    before, started = echoes, time.perf_counter()
    await asyncio.sleep(seconds)
    return (echoes - before) / (time.perf_counter() - started)


if __name__ == "__main__":
    import uvloop

    port, kind, size, connections, seconds = sys.argv[1:]
    print(uvloop.run(load(int(port), kind, int(size), int(connections), float(seconds))))
