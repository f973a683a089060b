"""Sending a file on a connection: by the kernel where it can, else piece by piece.

asyncio has `loop.sendfile`, uvloop has none, and on both a client that takes its time makes it
hold a second descriptor or stop watching the connection. So the kernel's call is made here: it
sends what the socket takes at once. When the socket is full, the next piece goes through the
transport, small, because the transport is what knows when the socket has room again.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import Any, Final, Protocol, final

from ._disk import FileChangedError, OpenFile
from ._streams import lost_connection

#: Bytes of a file that are sent at a time.
PIECE: Final = 1024**2
#: Bytes that are read at a time where the kernel cannot send: they wait in memory for the client.
READ: Final = 64 * 1024
#: Bytes that go through the transport when the socket is full.
PLUG: Final = 16 * 1024
#: The end of a file is read, and the file looked at once more, before it is sent: what changed
#: under way never looks complete.
TAIL: Final = 16 * 1024
#: Bytes after which a transfer lets others have their turn.
TURN: Final = 1024**2

#: Whether the kernel may send files: an environment variable takes it away, for file systems
#: that do it wrong.
enabled = hasattr(os, "sendfile") and os.environ.get("HEADRACE_NOSENDFILE", "") in ("", "0")

#: Says of bytes that more will follow at once: the system waits for them with what it sends.
_MORE: Final = getattr(socket, "MSG_MORE", 0)
_NONBLOCK: Final = getattr(socket, "SOCK_NONBLOCK", 0)

_UNABLE: Final = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSOCK)


@final
class Span:
    """Stands for bytes that a connection has to count but not to see."""

    __slots__ = ("_size",)

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size


class Outlet(Protocol):
    """The connection that a file is sent on."""

    @property
    def transport(self) -> asyncio.Transport | None: ...
    async def drain_all(self) -> None: ...
    async def drain_some(self) -> None: ...


async def send_file(
    outlet: Outlet,
    file: OpenFile,
    offset: int,
    count: int,
    piece: int = PIECE,
    head: bytes = b"",
) -> None:
    """Send *head*, and then *count* bytes of *file* from *offset* on, at most *piece* at a time.

    Raises:
        ClientConnectionResetError: The client has gone.
        FileChangedError: The file is not what it was. Not all was sent.
    """
    sock = _socket_of(outlet)
    _write(_open_transport(outlet), sock, head, _MORE if count else 0)
    end = offset + count
    tail = max(offset, end - TAIL)
    budget = TURN
    while offset < end:
        transport = _open_transport(outlet)
        sent = 0
        if sock is not None and offset < tail:
            await outlet.drain_all()
            size = min(piece, tail - offset)
            if file.in_memory(offset, size):
                file.check()
                found = _send_now(sock, transport, file, offset, size)
                if found is None:
                    sock = None
                    continue
                sent = found
        if not sent:
            size = min(piece, READ if sock is None else PLUG, end - offset)
            data = await file.read(offset, size)
            _write(_open_transport(outlet), sock, data)
            await outlet.drain_some()
            sent = len(data)
        offset += sent
        budget -= sent
        if budget < 0 and offset < end:
            budget = TURN
            await asyncio.sleep(0)


def _write(transport: asyncio.Transport, sock: Any, data: bytes, flags: int = 0) -> None:
    """Write to the socket what it takes at once, and the rest to the transport.

    A transport may wait for the end of the loop's turn; what is sent by the kernel does not.
    """
    if sock is not None and data and not transport.get_write_buffer_size():
        try:
            data = data[_send(sock, data, flags) :]
        except BlockingIOError:
            pass
        except ConnectionError:
            raise lost_connection() from None
    if data:
        transport.write(data)


def _send(sock: Any, data: bytes, flags: int) -> int:
    """Return how many bytes the socket took.

    A head that went out alone would wake the client for nothing but a head. Neither `os.write`
    nor what stands for a transport's socket takes flags; another object for it does.
    """
    if not flags:
        return os.write(sock.fileno(), data)
    twin = socket.socket(sock.family, sock.type | _NONBLOCK, sock.proto, sock.fileno())
    try:
        return twin.send(data, flags)
    finally:
        twin.detach()


def _open_transport(outlet: Outlet) -> asyncio.Transport:
    transport = outlet.transport
    if transport is None or transport.is_closing():
        raise lost_connection()
    return transport


def _socket_of(outlet: Outlet) -> Any:
    """Return the socket that the kernel can send to; None under TLS, or where there is none."""
    transport = _open_transport(outlet)
    if not enabled or transport.get_extra_info("sslcontext") is not None:
        return None
    return transport.get_extra_info("socket")


def _send_now(
    sock: Any, transport: asyncio.Transport, file: OpenFile, offset: int, size: int
) -> int | None:
    """Return how many bytes the socket took; None when the kernel cannot send this file."""
    if transport.is_closing():  # its descriptor may be another connection's by now
        raise lost_connection()
    try:
        sent = os.sendfile(sock.fileno(), file.fileno(), offset, size)
    except BlockingIOError:
        return 0
    except ConnectionError:
        raise lost_connection() from None
    except OSError as error:
        if error.errno in _UNABLE:
            return None
        raise
    if not sent:
        raise FileChangedError(errno.ESTALE, "the file was cut short", file.path)
    return sent
