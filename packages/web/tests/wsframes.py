"""WebSockets by hand: handshakes and frames as a client writes and reads them."""

from __future__ import annotations

import base64
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from serving import Served, Wire

from headrace import web

HANDSHAKE = (
    b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n%b\r\n"
)

Body = Callable[[web.WebSocketResponse], Awaitable[Any]]


def handshake(path: bytes = b"/", more: bytes = b"") -> bytes:
    return HANDSHAKE % (path, base64.b64encode(os.urandom(16)), more)


def frame(opcode: int, payload: bytes = b"", *, masked: bool = True, fin: bool = True) -> bytes:
    """Return a client's frame, masked with zeros."""
    size = len(payload)
    mask = 0x80 if masked else 0
    first = (0x80 if fin else 0) | opcode
    if size < 126:
        head = bytes([first, mask | size])
    elif size < 65536:
        head = bytes([first, mask | 126]) + struct.pack("!H", size)
    else:
        head = bytes([first, mask | 127]) + struct.pack("!Q", size)
    return head + (bytes(4) if masked else b"") + payload


async def receive(wire: Wire) -> tuple[int, bytes]:
    """Read a server's frame, return its opcode and payload."""
    first, size = await wire.reader.readexactly(2)
    if size == 126:
        [size] = struct.unpack("!H", await wire.reader.readexactly(2))
    elif size == 127:
        [size] = struct.unpack("!Q", await wire.reader.readexactly(8))
    return first & 0x0F, await wire.reader.readexactly(size)


async def open_wire(
    served: Served, path: bytes = b"/", more: bytes = b"", buffer: int | None = None
) -> Wire:
    """Open a WebSocket by hand, with a receive buffer of about *buffer* bytes."""
    wire = await served.connect(buffer)
    wire.send(handshake(path) + more)
    assert (await wire.head()).startswith(b"HTTP/1.1 101 ")
    return wire


def socket_handler(body: Body, **settings: Any) -> Any:
    """Return a handler that opens a WebSocket and hands it to *body*."""

    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(**settings)
        await ws.prepare(request)
        await body(ws)
        return ws

    return handler


def with_small_buffer(ws: web.WebSocketResponse) -> None:
    """Let the system hold little for the client, so that it is soon behind."""
    ws.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
