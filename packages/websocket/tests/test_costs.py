"""What a peer can make a connection spend: limits hold exactly, memory stays bounded.

Memory is measured with tracemalloc, which sees zlib's state too.
"""

from __future__ import annotations

import gc
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from wire import deflated, events_of, masked, outcome_of, plain

from headrace.websocket import (
    NEED_DATA,
    Binary,
    Connection,
    Deflate,
    Limits,
    Ping,
    Pong,
    RemoteProtocolError,
    Role,
    Text,
)

KIB, MIB = 1024, 1024 * 1024


class Peak:
    bytes = 0


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure the most memory taken inside the block, above what was taken before."""
    peak = Peak()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        yield peak
        peak.bytes = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def server(limits: Limits = Limits(), **options: object) -> Connection:  # noqa: B008
    return Connection(Role.SERVER, limits=limits, **options)  # type: ignore[arg-type]


# Limits, exactly


@pytest.mark.parametrize("first", [0x81, 0x82])
@pytest.mark.parametrize("size", [1, 125, 126, 1000, 65536])
def test_a_message_of_exactly_the_limit(first: int, size: int) -> None:
    connection = server(Limits(max_message=size))
    connection.receive_data(masked(first, b"x" * size))
    assert len(events_of(connection)[0].data) == size  # type: ignore[union-attr]
    connection.receive_data(masked(first, b"x" * (size + 1)))
    assert outcome_of(connection) == ([], 1009)


def test_fragments_of_exactly_the_limit() -> None:
    connection = server(Limits(max_message=10))
    fragments = [masked(0x01, b"12345"), masked(0x00, b"6789"), masked(0x80, b"0")]
    connection.receive_data(b"".join(fragments))
    assert events_of(connection) == [Text("1234567890")]
    connection.receive_data(fragments[0] + fragments[1] + masked(0x80, b"01"))
    assert outcome_of(connection) == ([], 1009)


@pytest.mark.parametrize("takeover", [True, False])
def test_a_compressed_message_of_exactly_the_limit(takeover: bool) -> None:
    agreed = Deflate(client_no_context_takeover=not takeover, client_max_window_bits=15)
    connection = server(Limits(max_message=1000), deflate=agreed)
    connection.receive_data(masked(0xC2, deflated(b"x" * 1000)))
    assert events_of(connection) == [Binary(b"x" * 1000)]
    connection.receive_data(masked(0xC2, deflated(b"x" * 1001)))
    assert outcome_of(connection) == ([], 1009)


def test_a_limit_counts_bytes_not_characters() -> None:
    connection = server(Limits(max_message=4))
    connection.receive_data(masked(0x81, "éé".encode()) + masked(0x81, "éé!".encode()))
    assert outcome_of(connection) == ([Text("éé")], 1009)


@pytest.mark.parametrize("deflate", [None, Deflate(client_max_window_bits=15)])
def test_frames_of_exactly_the_limit(deflate: Deflate | None) -> None:
    connection = server(Limits(max_frame=100), deflate=deflate)
    connection.receive_data(masked(0x82, b"x" * 100) + masked(0x02, b"x" * 100))
    connection.receive_data(masked(0x80, b"x" * 101))
    assert outcome_of(connection) == ([Binary(b"x" * 100)], 1009)


def test_a_compressed_frame_may_be_longer_than_its_message() -> None:
    agreed = Deflate(client_max_window_bits=15)
    connection = server(Limits(max_message=64), deflate=agreed)
    stored = zlib.compressobj(level=0, wbits=-15)
    packed = (stored.compress(bytes(range(64))) + stored.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert len(packed) > 64
    connection.receive_data(masked(0xC2, packed))
    assert events_of(connection) == [Binary(bytes(range(64)))]
    connection.receive_data(masked(0xC2, bytes(129)))
    assert outcome_of(connection) == ([], 1009)


def test_as_many_fragments_as_the_limit() -> None:
    connection = server(Limits(max_fragments=3))
    connection.receive_data((masked(0x01) + masked(0x00) + masked(0x80, b"x")) * 2)
    assert events_of(connection) == [Text("x"), Text("x")]
    connection.receive_data(masked(0x01) + masked(0x00) * 3)
    assert outcome_of(connection) == ([], 1009)


def test_no_limits() -> None:
    limits = Limits(max_message=None, max_fragments=None)
    connection = server(limits, deflate=Deflate(client_max_window_bits=15))
    connection.receive_data(masked(0x82, bytes(5 * MIB)))
    connection.receive_data(masked(0xC2, deflated(bytes(5 * MIB))))
    assert events_of(connection) == [Binary(bytes(5 * MIB))] * 2


# Bombs


def bomb(size: int) -> bytes:
    """Deflate *size* zeros: after a full flush, the same mebibyte packs the same way again."""
    compress = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = compress.compress(bytes(MIB)) + compress.flush(zlib.Z_FULL_FLUSH)
    return (block * (size // MIB))[:-4]


@pytest.fixture(scope="module")
def gigabyte() -> bytes:
    """1 GiB of zeros in 1 MiB."""
    packed = bomb(1024 * MIB)
    assert len(packed) < 1.05 * MIB
    return packed


@pytest.mark.parametrize("assemble", [True, False])
@pytest.mark.parametrize("in_frames", [1, 50])
def test_a_bomb_costs_the_limit(gigabyte: bytes, in_frames: int, assemble: bool) -> None:
    connection = server(deflate=Deflate(client_max_window_bits=15), assemble=assemble)
    size = -(-len(gigabyte) // in_frames)
    data = b""
    for at in range(0, len(gigabyte), size):
        first = (0x42 if at == 0 else 0) | (0x80 if at + size >= len(gigabyte) else 0)
        data += masked(first, gigabyte[at : at + size])
    total, code = 0, None
    with peak_memory() as peak:
        connection.receive_data(data)
        try:
            while (event := connection.next_event()) is not NEED_DATA:
                assert isinstance(event, Binary)
                total += len(event.data)
        except RemoteProtocolError as error:
            code = error.code
    assert code == 1009
    assert total <= 4 * MIB
    assert peak.bytes < 9 * MIB  # the limit once in the buffer that grows, once in a step


def test_streaming_a_bomb_without_limit_gives_small_pieces(gigabyte: bytes) -> None:
    limits = Limits(max_message=None)
    agreed = Deflate(client_max_window_bits=15)
    connection = server(limits, deflate=agreed, assemble=False)
    total = 0
    with peak_memory() as peak:
        connection.receive_data(masked(0xC2, gigabyte)[: 20 * KIB])
        while (event := connection.next_event()) is not NEED_DATA:
            assert isinstance(event, Binary)
            total += len(event.data)
    assert total > 18 * MIB
    assert peak.bytes < 4 * MIB


# Floods


def test_a_hundred_thousand_empty_fragments() -> None:
    connection = server()
    flood = masked(0x00) * 1000
    connection.receive_data(masked(0x01, b"a"))

    def send_flood(times: int) -> None:
        for _ in range(times):
            connection.receive_data(flood)
            assert connection.next_event() is NEED_DATA

    send_flood(95)
    with peak_memory() as peak:
        send_flood(5)
    assert peak.bytes < 8 * KIB
    connection.receive_data(masked(0x80, b"b"))
    assert events_of(connection) == [Text("ab")]


@pytest.mark.parametrize(
    ("first", "deflate", "pack"),
    [(0x81, None, bytes), (0x82, None, bytes), (0xC1, Deflate(), deflated)],
    ids=["text", "binary", "compressed"],
)
def test_a_dribble_of_single_bytes(
    first: int, deflate: Deflate | None, pack: Callable[[bytes], bytes]
) -> None:
    size = 100_000
    connection = server(deflate=deflate)
    data = masked(first, pack(b"x" * size))

    def dribble(part: bytes) -> None:
        for byte in part:
            connection.receive_data(bytes([byte]))
            assert connection.next_event() is NEED_DATA

    dribble(data[:-5000])
    with peak_memory() as peak:
        dribble(data[-5000:-1])
    assert peak.bytes < 2 * size  # what is collected may be moved once as it grows
    connection.receive_data(data[-1:])
    (event,) = events_of(connection)
    assert len(event.data) == size  # type: ignore[union-attr]


def test_bytes_that_are_not_read_are_joined_once() -> None:
    connection = server()
    data = masked(0x82, bytes(100_000))
    with peak_memory() as peak:
        for byte in data:
            connection.receive_data(bytes([byte]))
        assert events_of(connection) == [Binary(bytes(100_000))]
    assert peak.bytes < 128 * len(data)


@pytest.mark.parametrize("queue", [1, 64])
def test_a_flood_of_pings(queue: int) -> None:
    connection = server(Limits(max_control_queue=queue))
    flood = b"".join(masked(0x89, str(at).encode().rjust(125)) for at in range(1000))
    with peak_memory() as peak:
        for _ in range(3):
            connection.receive_data(flood)
            while (event := connection.next_event()) is not NEED_DATA:
                assert type(event) is Ping
    assert peak.bytes < 128 * KIB
    peer = Connection(Role.CLIENT)
    peer.receive_data(connection.data_to_send())
    pongs = events_of(peer)
    # 5.5.3: the latest pings are those answered
    assert pongs == [Pong(str(at).encode().rjust(125)) for at in range(1000 - queue, 1000)]
    assert connection.data_to_send() == b""


def test_pings_of_its_own_do_not_pile_up() -> None:
    connection = server(Limits(max_control_queue=4), ping_interval=1.0)
    for now in range(100):
        connection.handle_time(float(now))
    assert connection.data_to_send() == plain(0x89) * 4


# Idle connections


def test_an_idle_connection_keeps_no_bytes() -> None:
    connections = [server() for _ in range(100)]
    data = masked(0x82, bytes(64 * KIB))
    with peak_memory() as peak:
        for connection in connections:
            connection.receive_data(bytes(bytearray(data)))
            assert events_of(connection) == [Binary(bytes(64 * KIB))]
        del connection
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
    assert kept < 100 * KIB
    assert peak.bytes < 100 * KIB + 4 * 64 * KIB


def kept_by(use: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = use()
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        assert kept is not None
        return after - before
    finally:
        tracemalloc.stop()


def used(agreed: Deflate) -> list[Connection]:
    connections = []
    for _ in range(10):
        connection = server(deflate=agreed)
        connection.receive_data(masked(0xC1, deflated(b"x" * 5000, -12)))
        assert events_of(connection) == [Text("x" * 5000)]
        connection.send(Text("x" * 5000))
        connections.append(connection)
    return connections


def test_memory_of_compression_is_as_documented() -> None:
    unused = kept_by(lambda: [server(deflate=Deflate()) for _ in range(10)])
    both = kept_by(lambda: used(Deflate()))
    neither = Deflate(client_no_context_takeover=True, server_no_context_takeover=True)
    assert unused < 10 * 2 * KIB
    assert 10 * 30 * KIB < both < 10 * 52 * KIB
    assert kept_by(lambda: used(neither)) < 10 * 3 * KIB
