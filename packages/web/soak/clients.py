"""What clients do to a server: the good, the slow, the broken and the vanished.

An act is a function that opens a connection of its own. It raises `Wrong` when an answer that came
is not the right one for its request; that a connection ends early is no fault where the act, or
the server's limits, may have ended it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
import random
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count

from served import FILE_SIZE, content

done: Counter[str] = Counter()
numbers = count()


class Wrong(Exception):
    """An answer is not that of its request."""


class Ended(Exception):
    """The connection has ended, or the server has no room."""


class Peer:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def drip(self, data: bytes, pieces: int) -> None:
        """Send *data* in pieces, with pauses."""
        size = max(1, len(data) // pieces)
        for start in range(0, len(data), size):
            await self.send(data[start : start + size])
            await asyncio.sleep(random.random() / 100)

    async def answer(self, *, slowly: bool = False, late: bool = False) -> tuple[int, bytes]:
        """Return status and body of an answer; *late* where the request may have been too slow."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        fields = head.lower()
        if b"transfer-encoding: chunked" in fields:
            body = await self._chunks()
        else:
            length = int(fields.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            body = await (self._slow(length) if slowly else self.reader.readexactly(length))
        if status == 503 or (late and status == 408):
            raise Ended
        return status, body

    async def _slow(self, length: int) -> bytes:
        parts = []
        while length:
            parts.append(await self.reader.read(min(length, 20_000)))
            if not parts[-1]:
                raise Ended
            length -= len(parts[-1])
            await asyncio.sleep(0.001)
        return b"".join(parts)

    async def _chunks(self) -> bytes:
        parts = []
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            parts.append((await self.reader.readexactly(size + 2))[:-2])
        await self.reader.readexactly(2)
        return b"".join(parts)

    async def rest(self) -> bytes:
        """Read to the end."""
        parts = []
        while piece := await self.reader.read(65536):
            parts.append(piece)
        return b"".join(parts)

    def reset(self) -> None:
        """End with a reset."""
        sock = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.writer.transport.abort()


def expect(found: object, wanted: object) -> None:
    if found != wanted:
        raise Wrong(f"{str(found)[:200]!r} in place of {str(wanted)[:200]!r}")


def name() -> str:
    return f"n{next(numbers)}"


def get(target: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: a", *fields, "", ""]).encode()


def post(target: str, body: bytes, *, chunked: bool = False) -> bytes:
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    head = f"POST {target} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode()
    return head + (chunks(body) if chunked else body)


def chunks(body: bytes) -> bytes:
    parts = []
    while body:
        size = random.randint(1, 20_000)
        parts.append(b"%x\r\n%b\r\n" % (len(body[:size]), body[:size]))
        body = body[size:]
    return b"".join([*parts, b"0\r\n\r\n"])


def echoed(key: str, body: bytes = b"") -> bytes:
    return f"{key} {len(body)} {hashlib.sha256(body).hexdigest()}".encode()


# -- acts


async def ask(peer: Peer) -> None:
    for _ in range(random.randint(1, 20)):
        key = name()
        await peer.send(get(f"/echo/{key}"))
        expect(await peer.answer(), (200, echoed(key)))


async def nap(peer: Peer) -> None:
    key = name()
    await peer.send(get(f"/nap/{key}"))
    expect(await peer.answer(), (200, key.encode()))


async def pipeline(peer: Peer) -> None:
    keys = [name() for _ in range(random.randint(2, 50))]
    await peer.send(
        b"".join(get(f"/{random.choice(['echo', 'echo', 'nap'])}/{key}") for key in keys)
    )
    for key in keys:
        status, body = await peer.answer()
        expect((status, body.split()[:1]), (200, [key.encode()]))


async def send_bodies(peer: Peer) -> None:
    for _ in range(random.randint(1, 4)):
        key, body = name(), os.urandom(random.choice([0, 1, 1000, 70_000, 400_000]))
        await peer.send(post(f"/echo/{key}", body, chunked=random.random() < 0.5))
        expect(await peer.answer(), (200, echoed(key, body)))


async def upload(peer: Peer) -> None:
    key, body = name(), os.urandom(random.randint(1, 1_000_000))
    await peer.drip(post(f"/upload/{key}", body, chunked=random.random() < 0.5), 20)
    expect(
        await peer.answer(late=True), (200, f"{key} {hashlib.sha256(body).hexdigest()}".encode())
    )


async def write_slowly(peer: Peer) -> None:
    key, body = name(), os.urandom(50)
    await peer.drip(post(f"/echo/{key}", body, chunked=random.random() < 0.5), 30)
    expect(await peer.answer(late=True), (200, echoed(key, body)))


async def read_slowly(peer: Peer) -> None:
    key, size = name(), random.randint(1, 2_000_000)
    kind = random.choice(["large", "stream"])
    await peer.send(get(f"/{kind}/{key}/{size}"))
    expect(await peer.answer(slowly=True), (200, content(key, size)))


async def download(peer: Peer) -> None:
    await peer.send(get("/files/file") * 2)
    for _ in range(2):
        expect(await peer.answer(slowly=True), (200, content("file", FILE_SIZE)))


async def leave_body_unread(peer: Peer) -> None:
    key = name()
    await peer.send(post(f"/unread/{key}", os.urandom(random.choice([10, 100_000]))))
    expect(await peer.answer(), (200, key.encode()))
    await ask(peer)


async def half_close(peer: Peer) -> None:
    key = name()
    await peer.send(get(f"/nap/{key}"))
    peer.writer.write_eof()
    expect(await peer.answer(), (200, key.encode()))
    expect(await peer.rest(), b"")


async def fail(peer: Peer) -> None:
    await peer.send(get("/fail"))
    expect((await peer.answer())[0], 500)


async def take_too_long(peer: Peer) -> None:
    await peer.send(get("/sleep"))
    expect((await peer.answer())[0], 504)


async def stall(peer: Peer) -> None:
    """Stop in the middle of a request, and wait for the verdict."""
    request = post(f"/echo/{name()}", b"x" * 100)
    await peer.send(request[: random.randint(1, len(request) - 1)])
    expect((await peer.answer())[0], 408)
    await peer.rest()


async def say_nothing(peer: Peer) -> None:
    expect(await peer.rest(), b"")


MALFORMED = [
    b"nonsense\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\nHost: a\n\n",
    b"GET / HTTP/3.0\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST /echo/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


async def break_the_rules(peer: Peer) -> None:
    if random.random() < 0.5:
        await ask(peer)
    await peer.send(random.choice([*MALFORMED, os.urandom(200).replace(b"\n", b" ") + b"\r\n\r\n"]))
    status, _ = await peer.answer()
    if not 400 <= status < 600:
        raise Wrong(f"{status} for what is no request")
    await peer.rest()


async def vanish(peer: Peer) -> None:
    """Go away in any phase of any request."""
    key = name()
    request = random.choice(
        [
            get(f"/nap/{key}"),
            get(f"/large/{key}/3000000"),
            get(f"/stream/{key}/3000000"),
            get("/files/file"),
            get("/sleep"),
            get(f"/events/{key}"),
            post(f"/upload/{key}", os.urandom(100_000)),
            post(f"/echo/{key}", os.urandom(1000), chunked=True),
            handshake(key),
        ]
    )
    if random.random() < 0.5:
        request = request[: random.randint(0, len(request))]
    await peer.send(request)
    if random.random() < 0.5:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(random.random() / 5):
                await peer.reader.read(random.randint(1, 100_000))
    if random.random() < 0.5:
        peer.reset()


async def stop_reading(peer: Peer) -> None:
    """Take nothing of a large answer, and wait until the server has had enough."""
    peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await peer.send(get(f"/{random.choice(['large', 'stream'])}/{name()}/8000000"))
    await asyncio.sleep(6)


async def follow_events(peer: Peer) -> None:
    key = name()
    await peer.send(get(f"/events/{key}"))
    await peer.reader.readuntil(b"\r\n\r\n")
    for _ in range(random.randint(1, 20)):
        await peer.reader.readuntil(b"\r\n")
        expect(await peer.reader.readuntil(b"\n\n"), f"data: {key}\n\n".encode())
        await peer.reader.readexactly(2)


def handshake(key: str) -> bytes:
    nonce = base64.b64encode(os.urandom(16)).decode()
    return get(
        f"/websocket/{key}",
        "Connection: upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {nonce}",
    )


def frame(opcode: int, data: bytes) -> bytes:
    """Return a frame of less than 64 KiB with the mask of nought."""
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return bytes([0x80 | opcode]) + size + b"\0\0\0\0" + data


async def receive(peer: Peer) -> tuple[int, bytes]:
    """Return the next frame that is no ping."""
    while True:
        first, size = await peer.reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await peer.reader.readexactly(2), "big")
        data = await peer.reader.readexactly(size)
        if first & 15 == 9:
            await peer.send(frame(10, data))
        else:
            return first & 15, data


async def talk(peer: Peer) -> None:
    key = name()
    await peer.send(handshake(key))
    head = await peer.reader.readuntil(b"\r\n\r\n")
    if b" 503 " in head:
        raise Ended
    expect(head[9:12], b"101")
    for _ in range(random.randint(1, 20)):
        data = os.urandom(random.choice([0, 10, 1000, 30_000]))
        await peer.send(frame(2, data))
        expect(await receive(peer), (2, key.encode() + data))
    ending = random.random()
    if ending < 0.3:
        peer.reset()
    elif ending < 0.5:
        await peer.send(b"\xff\xff")  # reserved bits
        expect((await receive(peer))[0], 8)
    elif ending < 0.6:
        await asyncio.sleep(4)  # no pongs: gone, for the server
    else:
        await peer.send(frame(8, b"\x03\xe8"))
        expect(await receive(peer), (8, b"\x03\xe8"))


Act = Callable[[Peer], Awaitable[None]]
#: Acts, and how often they are played.
ACTS: dict[Act, int] = {
    ask: 20,
    nap: 10,
    pipeline: 8,
    send_bodies: 8,
    upload: 5,
    write_slowly: 5,
    read_slowly: 5,
    download: 4,
    leave_body_unread: 4,
    half_close: 4,
    fail: 2,
    take_too_long: 1,
    stall: 4,
    say_nothing: 4,
    break_the_rules: 8,
    vanish: 20,
    stop_reading: 2,
    follow_events: 4,
    talk: 10,
}


async def play(port: int) -> None:
    """Play one act on a connection of its own."""
    [act] = random.choices(list(ACTS), list(ACTS.values()))
    label = act.__name__
    try:
        async with asyncio.timeout(60):
            peer = Peer(*await asyncio.open_connection("127.0.0.1", port))
            try:
                await act(peer)
            finally:
                peer.writer.transport.abort()
        done[label] += 1
    except Wrong as error:
        raise Wrong(f"{label}: {error}") from None
    except TimeoutError:
        raise Wrong(f"{label}: the server neither answers nor closes") from None
    except (Ended, OSError, asyncio.IncompleteReadError):
        done[f"{label}, ended"] += 1
    except Exception as error:
        raise Wrong(f"{label}: {error!r}") from error
