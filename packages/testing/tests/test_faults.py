"""What goes wrong on purpose, over both transports."""

import asyncio

import pytest
from servers import (
    Answer,
    Asked,
    HTTPServerProtocol,
    Writer,
    WSServerProtocol,
    echo,
    factory,
    ws_echo,
)

from headrace.testing import ClientPayloadError, Faults, ServerDisconnectedError, WSMsgType


class Server(asyncio.Protocol):
    """Note what arrives, piece by piece, and answer the end of a head."""

    made: "list[Server]"

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.eof = False
        self.lost: list[Exception | None] = []

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        if b"".join(self.pieces).endswith(b"\r\n\r\n"):
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    def eof_received(self) -> bool:
        self.eof = True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)


@pytest.fixture
def recording(connect):
    """Make a client and the list of its server's protocols."""
    made: list[Server] = []

    def make() -> Server:
        made.append(Server())
        return made[-1]

    return connect(make), made


async def test_a_request_in_small_pieces(recording) -> None:
    client, made = recording
    async with client:
        response = await client.get("/", faults=Faults(write_size=3))
        assert await response.text() == "hello"
    pieces = made[0].pieces
    assert {len(piece) for piece in pieces[:-1]} == {3}
    assert b"".join(pieces).startswith(b"GET / HTTP/1.1\r\n")


async def test_a_request_cut_in_places(recording) -> None:
    client, made = recording
    async with client:
        response = await client.get("/", faults=Faults(write_cuts=(1, 16)))
        assert await response.text() == "hello"
    assert [len(piece) for piece in made[0].pieces[:2]] == [1, 15]
    assert len(made[0].pieces) == 3


async def test_every_cut(recording) -> None:
    client, made = recording
    async with client:
        answers = [await r.text() async for r in client.at_every_cut("GET", "/")]
    size = len(b"".join(made[0].pieces))
    assert answers == ["hello"] * size
    assert [len(server.pieces[0]) for server in made[1:-1]] == list(range(1, size))
    assert {len(piece) for piece in made[-1].pieces} == {1}


async def test_a_slow_writer_follows_the_clock(recording) -> None:
    client, made = recording
    async with client:
        faults = Faults(write_size=10, write_delay=60)
        request = asyncio.create_task(client.get("/", faults=faults))
        await client.clock.settle()
        assert made[0].pieces == [b"GET / HTTP"]
        await client.clock.advance(60)
        assert made[0].pieces == [b"GET / HTTP", b"/1.1\r\nHost"]
        await client.clock.advance(3600)
        assert await (await request).text() == "hello"


async def test_a_slow_reader_follows_the_clock(recording) -> None:
    client, _made = recording
    async with client:
        faults = Faults(read_size=20, read_delay=60)
        request = asyncio.create_task(client.get("/", faults=faults))
        await client.clock.advance(50)
        assert not request.done()
        await client.clock.advance(100)
        assert await (await request).text() == "hello"


async def test_a_reader_that_stops(connect) -> None:
    sent = 0

    async def stream(writer: Writer) -> None:
        nonlocal sent
        while True:
            await writer.write(bytes(65536))
            sent += 65536

    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        return Answer(stream=stream)

    async with connect(factory(handler)) as client:
        response = await client.get("/", faults=Faults(stop_reading_after=1000))
        before = -1
        while sent != before:
            before = sent
            await client.clock.settle()
        assert 0 < sent < 50_000_000
        assert len(response.content.peek(10_000_000)) < 1000
        response.release()


async def test_half_close_after_the_request(connect) -> None:
    async with connect(factory(echo, half_close=True)) as client:
        response = await client.get("/", faults=Faults(half_close=True))
        assert (await response.text()).startswith("GET /\n")


async def test_half_close_in_the_request(recording) -> None:
    client, made = recording
    async with client:
        with pytest.raises(ServerDisconnectedError):
            await client.get("/", faults=Faults(half_close_after=10))
        await client.clock.settle()
    assert b"".join(made[0].pieces) == b"GET / HTTP"
    assert made[0].eof


async def test_reset_after_bytes_sent(recording) -> None:
    client, made = recording
    async with client:
        with pytest.raises(ServerDisconnectedError, match=r"reset by Faults\(reset_after=10\)"):
            await client.get("/", faults=Faults(reset_after=10))
        await client.clock.settle()
    assert [type(error) for error in made[0].lost] == [ConnectionResetError]
    assert b"".join(made[0].pieces) in {b"GET / HTTP", b""}


async def test_reset_after_bytes_received(recording) -> None:
    client, made = recording
    async with client:
        with pytest.raises(ServerDisconnectedError, match="reset by"):
            await client.get("/", faults=Faults(reset_after_received=10))
        response = await client.get("/", faults=Faults(reset_after_received=40))
        with pytest.raises(ClientPayloadError, match="reset by"):
            await response.read()
        await client.clock.settle()
    assert [type(server.lost[0]) for server in made] == [ConnectionResetError] * 2


async def test_black_hole(recording) -> None:
    client, made = recording
    async with client:
        request = asyncio.create_task(client.get("/", faults=Faults(black_hole_after=10)))
        await client.clock.advance(10)
        assert b"".join(made[0].pieces) == b"GET / HTTP"
        made[0].transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await client.clock.advance(10)
        assert not request.done()
        made[0].transport.close()
        with pytest.raises(ServerDisconnectedError):
            await request


async def test_faults_of_a_whole_client(connect) -> None:
    async with connect(factory(echo), faults=Faults(write_size=1, read_size=1)) as client:
        for _ in range(2):
            response = await client.post("/", data=b"body" * 10)
            assert (await response.text()).endswith("\n\n" + "body" * 10)


async def test_a_streamed_body_on_a_slow_line(connect) -> None:
    async def pieces():
        for _ in range(100):
            yield bytes(10_000)

    async with connect(factory(echo)) as client:
        faults = Faults(write_size=1000, read_size=10_000)
        response = await client.post("/", data=pieces(), faults=faults)
        assert (await response.text()).endswith("\0" * 1_000_000)


async def test_websockets_have_faults_too(connect) -> None:
    async with connect(lambda: WSServerProtocol(ws_echo)) as client:
        async with client.ws_connect("/", faults=Faults(write_size=1, read_size=1)) as socket:
            await socket.send_str("split" * 50)
            assert await socket.receive_str() == "split" * 50
        socket = await client.ws_connect("/", faults=Faults(reset_after_received=300))
        await socket.send_bytes(bytes(1000))
        message = await socket.receive()
        assert message.type is WSMsgType.ERROR
        assert isinstance(message.data, ConnectionResetError)
        assert socket.closed
        assert socket.close_code == 1006


async def test_raw_connections_have_faults_too(recording) -> None:
    client, made = recording
    async with client:
        reader, writer = await client.open_connection(faults=Faults(write_size=2))
        writer.write(b"GET /\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()
        await writer.wait_closed()
    assert made[0].pieces == [b"GE", b"T ", b"/\r", b"\n\r", b"\n"]


@pytest.mark.parametrize(
    "wrong", [{"write_size": 0}, {"read_size": -1}, {"reset_after": -1}, {"write_delay": -1.0}]
)
def test_senseless_faults_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match="not"):
        Faults(**wrong)


def test_faults_name_themselves() -> None:
    assert str(Faults(write_size=1, half_close=True)) == "Faults(write_size=1, half_close=True)"
