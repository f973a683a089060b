"""The examples of the repository do over real sockets what they say."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headrace.websocket import (
    NEED_DATA,
    Binary,
    Close,
    Connection,
    ConnectionClosed,
    Deflate,
    Event,
    Offer,
    Ping,
    Pong,
    Role,
    Text,
)

EXAMPLES = Path(__file__).parents[3] / "examples"

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="the repository's examples are away")


@contextmanager
def running(name: str, *options: str) -> Iterator[int]:
    """Run an example and give its port."""
    command = [sys.executable, str(EXAMPLES / name), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().split()[-1])
        finally:
            process.terminate()


class Client:
    """A client that waits for one event after the other."""

    def __init__(self, port: int, deflate: Deflate | None = None, extra: bytes = b"") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        offer = Offer(deflate=deflate)
        lines = [b"GET / HTTP/1.1", *(b": ".join(pair) for pair in offer.headers), b"", b""]
        self.socket.sendall(b"\r\n".join(lines) + extra)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(65536)
        head, _, rest = data.partition(b"\r\n\r\n")
        first, *answer = head.split(b"\r\n")
        pairs = [line.partition(b":")[::2] for line in answer]
        agreed = offer.check(
            [(name, value.strip()) for name, value in pairs], status=int(first.split()[1])
        )
        self.connection = Connection(Role.CLIENT, deflate=agreed.deflate)
        self.connection.receive_data(rest)

    def send(self, event: Event) -> None:
        self.socket.sendall(self.connection.send(event))

    def receive(self) -> Event:
        while (event := self.connection.next_event()) is NEED_DATA:
            data = self.socket.recv(65536)
            if data:
                self.connection.receive_data(data)
            else:
                self.connection.receive_eof()
        return event

    def close(self) -> list[Event]:
        self.send(Close(1000))
        events = [self.receive()]
        while not isinstance(events[-1], ConnectionClosed):
            events.append(self.receive())
        self.socket.close()
        return events


def test_echo() -> None:
    with running("websocket_echo_asyncio.py", "--port", "0") as port:
        client = Client(port, Deflate())
        assert client.connection.send(Text("x" * 2000))[0] == 0xC1  # compression was agreed on
        client.socket.sendall(Connection(Role.CLIENT).send(Ping(b"here?")))
        assert client.receive() == Pong(b"here?")
        for event in (Text("é"), Binary(bytes(100_000)), Text("")):
            client.send(event)
            assert client.receive() == event
        assert client.close() == [Close(1000), ConnectionClosed(1000)]


def test_echo_of_what_came_with_the_handshake() -> None:
    with running("websocket_echo_asyncio.py", "--port", "0") as port:
        client = Client(port, extra=Connection(Role.CLIENT).send(Text("early")))
        assert client.receive() == Text("early")
        client.close()


def test_echo_tells_what_was_wrong() -> None:
    with running("websocket_echo_asyncio.py", "--port", "0") as port:
        client = Client(port)
        client.socket.sendall(b"\xff\xff")
        close = client.receive()
        assert isinstance(close, Close)
        assert close.code == 1002
        client.socket.close()


@pytest.mark.parametrize("name", ["websocket_echo_asyncio.py", "websocket_chat_sockets.py"])
def test_refusals(name: str) -> None:
    options = ["--port", "0"] if "echo" in name else ["0"]
    with (
        running(name, *options) as port,
        socket.create_connection(("127.0.0.1", port), timeout=30) as sock,
    ):
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = b""
        while data := sock.recv(4096):
            answer += data
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_chat() -> None:
    with running("websocket_chat_sockets.py", "0") as port:
        ann, ben, eve = Client(port), Client(port), Client(port)
        for client in (ann, ben, eve):  # a pong shows that the server knows the client
            client.send(Ping(b"here?"))
            assert client.receive() == Pong(b"here?")
        ann.send(Text("hello"))
        assert ben.receive() == eve.receive() == Text("hello")
        eve.socket.sendall(b"\xff\xff")
        assert isinstance(gone := eve.receive(), Close)
        assert gone.code == 1002
        ben.send(Text("hello, Ann"))
        assert ann.receive() == Text("hello, Ann")
        assert ann.close() == [Close(1000), ConnectionClosed(1000)]
        eve.socket.close()
        ben.close()


def test_the_chat_has_sixty_lines() -> None:
    assert len((EXAMPLES / "websocket_chat_sockets.py").read_text().splitlines()) <= 60
