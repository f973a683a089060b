"""A WebSocket echo server: an asyncio protocol around headrace.websocket, and nothing else.

    python websocket_echo_asyncio.py [--port 8765] [--max-message BYTES]

It shows what a shell around the Sans-I/O connection has to do: find the end of the request's
head, answer the handshake, carry bytes both ways, tell the time, and mind a slow reader.
"""

from __future__ import annotations

import argparse
import asyncio
from http import HTTPStatus

from headrace.websocket import (
    NEED_DATA,
    Binary,
    Connection,
    ConnectionClosed,
    Deflate,
    HandshakeError,
    Limits,
    RemoteProtocolError,
    Role,
    Text,
    accept,
)

MAX_HEAD_BYTES = 16 * 1024


def read_head(head: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return the method and the header pairs: enough HTTP for an example, no more."""
    request_line, *lines = head.split(b"\r\n")
    pairs = [line.partition(b":")[::2] for line in lines]
    return request_line.split(b" ")[0], [(name, value.strip()) for name, value in pairs]


def write_head(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
    phrase = HTTPStatus(status).phrase
    lines = [f"HTTP/1.1 {status} {phrase}".encode(), *(b": ".join(pair) for pair in headers)]
    return b"\r\n".join([*lines, b"", b""])


class EchoServer(asyncio.Protocol):
    def __init__(self, limits: Limits, deflate: Deflate | None) -> None:
        self.limits = limits
        self.deflate = deflate
        self.head = b""
        self.connection: Connection | None = None
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.connection is None:
            self.head += data
            if b"\r\n\r\n" in self.head:
                self.shake_hands(*self.head.split(b"\r\n\r\n", 1))
            elif len(self.head) > MAX_HEAD_BYTES:
                self.transport.close()
        else:
            self.connection.receive_data(data)
            self.echo(self.connection)

    def shake_hands(self, head: bytes, rest: bytes) -> None:
        method, headers = read_head(head)
        try:
            accepted = accept(headers, method=method, deflate=self.deflate)
        except HandshakeError as error:
            length = (b"Content-Length", b"0")
            self.transport.write(write_head(error.status, [*error.headers, length]))
            self.transport.close()
            return
        self.transport.write(write_head(101, accepted.headers))
        self.connection = Connection(
            Role.SERVER,
            deflate=accepted.deflate,
            limits=self.limits,
            ping_interval=20.0,
            ping_timeout=20.0,
        )
        self.connection.receive_data(rest)  # frames may have come with the handshake
        self.echo(self.connection)

    def echo(self, connection: Connection) -> None:
        write = self.transport.write
        try:
            while (event := connection.next_event()) is not NEED_DATA:
                if isinstance(event, (Text, Binary)):
                    write(connection.send(event))
                elif isinstance(event, ConnectionClosed):
                    break
        except RemoteProtocolError:
            pass  # the Close frame that says so is in data_to_send
        self.flush(connection)

    def flush(self, connection: Connection) -> None:
        self.transport.write(connection.data_to_send())
        if connection.finished:
            self.transport.close()
        elif self.timer is None:
            self.set_timer(connection)

    def set_timer(self, connection: Connection) -> None:
        deadline = connection.next_deadline()
        if deadline is not None:
            loop = asyncio.get_running_loop()
            self.timer = loop.call_at(deadline, self.tick, connection)

    def tick(self, connection: Connection) -> None:
        self.timer = None
        connection.handle_time(asyncio.get_running_loop().time())
        self.flush(connection)

    def pause_writing(self) -> None:
        self.transport.pause_reading()  # who does not read is not read

    def resume_writing(self) -> None:
        self.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()


async def serve(port: int, limits: Limits, deflate: Deflate | None) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: EchoServer(limits, deflate), "127.0.0.1", port)
    print("listening on", server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--max-message", type=int, default=4 * 1024 * 1024)
    parser.add_argument("--threshold", type=int, default=1024, help="bytes to compress from")
    options = parser.parse_args()
    limits = Limits(max_message=options.max_message)
    try:
        asyncio.run(serve(options.port, limits, Deflate(threshold=options.threshold)))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
