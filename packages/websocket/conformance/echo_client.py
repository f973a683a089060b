"""The client that the Autobahn fuzzing server puts to the test: it echoes case after case."""

from __future__ import annotations

import asyncio

from headrace.websocket import (
    NEED_DATA,
    Binary,
    Connection,
    ConnectionClosed,
    Deflate,
    Limits,
    Offer,
    RemoteProtocolError,
    Role,
    Text,
)

MAX_MESSAGE = 64 * 1024 * 1024
READ_BYTES = 256 * 1024


async def connect(
    port: int, path: str, deflate: Deflate | None
) -> tuple[Connection, asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=READ_BYTES)
    offer = Offer(deflate=deflate)
    pairs = [(b"Host", f"127.0.0.1:{port}".encode()), *offer.headers]
    lines = [f"GET {path} HTTP/1.1".encode(), *(b": ".join(pair) for pair in pairs), b"", b""]
    writer.write(b"\r\n".join(lines))
    head = await reader.readuntil(b"\r\n\r\n")
    status_line, *answer = head[:-4].split(b"\r\n")
    headers = [line.partition(b":")[::2] for line in answer]
    status = int(status_line.split(b" ")[1])
    agreed = offer.check([(name, value.strip()) for name, value in headers], status=status)
    limits = Limits(max_message=MAX_MESSAGE)
    return Connection(Role.CLIENT, deflate=agreed.deflate, limits=limits), reader, writer


async def echo(port: int, path: str, deflate: Deflate | None = None) -> list[str]:
    """Echo what comes until the server closes, and return the texts."""
    connection, reader, writer = await connect(port, path, deflate)
    texts = []
    while not connection.finished:
        try:
            data = await reader.read(READ_BYTES)
        except ConnectionError:  # a fuzzer may just hang up
            data = b""
        if data:
            connection.receive_data(data)
        else:
            connection.receive_eof()
        try:
            while (event := connection.next_event()) is not NEED_DATA:
                if isinstance(event, (Text, Binary)):
                    writer.write(connection.send(event))
                if isinstance(event, Text):
                    texts.append(event.data)
                if isinstance(event, ConnectionClosed):
                    break
        except RemoteProtocolError:
            pass
        writer.write(connection.data_to_send())
        try:
            await writer.drain()
        except ConnectionError:
            break
    writer.close()
    try:
        await writer.wait_closed()
    except ConnectionError:
        pass
    return texts


async def run_cases(port: int, agent: str) -> int:
    """Run all cases of the fuzzing server and let it write its report."""
    count = int((await echo(port, "/getCaseCount"))[0])
    for case in range(1, count + 1):
        await echo(port, f"/runCase?case={case}&agent={agent}", Deflate(threshold=0))
    await echo(port, f"/updateReports?agent={agent}")
    return count
