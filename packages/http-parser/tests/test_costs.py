"""Work and memory are bounded; counted, not timed."""

from __future__ import annotations

import tracemalloc

import pytest

from headrace.http_parser import (
    NEED_DATA,
    Connection,
    Data,
    EndOfMessage,
    Fault,
    Limits,
    RemoteProtocolError,
    Request,
    Response,
    Role,
    _lines,
    _readers,
)

PIECE = bytes(65536)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of bytes that each check of characters was given."""
    sizes: list[int] = []
    check = _lines.first_bad_byte

    def counted(piece: bytes | bytearray, *, request_line: bool = False) -> tuple[int, Fault]:
        sizes.append(len(piece))
        return check(piece, request_line=request_line)

    monkeypatch.setattr(_lines, "first_bad_byte", counted)
    monkeypatch.setattr(_readers, "first_bad_byte", counted)
    return sizes


def fed_bytewise(data: bytes, limits: Limits) -> list[object]:
    connection = Connection(Role.SERVER, limits=limits)
    events: list[object] = []
    for i in range(len(data)):
        connection.receive_data(data[i : i + 1])
        event = connection.next_event()
        if event is not NEED_DATA:
            events.append(event)
    return events


@pytest.mark.parametrize(
    "lines", [b"X: y\r\n" * 2000, b"X: " + b"y" * 12000 + b"\r\n"], ids=["many lines", "long line"]
)
def test_a_head_that_comes_byte_by_byte_costs_little_more(
    lines: bytes, looked_at: list[int]
) -> None:
    data = b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n"
    limits = Limits(max_header=13000, max_headers=3000)
    (request,) = fed_bytewise(data, limits)
    assert isinstance(request, Request)
    # Each byte with the one before it.
    assert sum(looked_at) <= 2 * len(data)


def test_a_chunk_extension_that_comes_byte_by_byte_costs_little_more(looked_at: list[int]) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    extension = b";a=" + b"b" * 12000
    events = fed_bytewise(head + b"1" + extension + b"\r\nx\r\n0\r\n\r\n", Limits())
    assert events[1:] == [Data(b"x"), EndOfMessage()]
    assert sum(looked_at) <= 2 * (len(head) + len(extension) + 20)


def test_ten_thousand_headers_up_to_the_limit() -> None:
    data = b"GET / HTTP/1.1\r\n" + b"Host: a\r\n" + b"a: b\r\n" * 9999 + b"\r\n"
    connection = Connection(Role.SERVER, limits=Limits(max_headers=10_000))
    connection.receive_data(data)
    request = connection.next_event()
    assert isinstance(request, Request)
    assert len(request.headers) == 10_000
    connection = Connection(Role.SERVER, limits=Limits(max_headers=9_999))
    connection.receive_data(data)
    with pytest.raises(RemoteProtocolError) as caught:
        connection.next_event()
    assert caught.value.fault is Fault.TOO_MANY_HEADERS


def test_a_body_of_a_gibibyte_is_never_copied() -> None:
    connection = Connection(Role.SERVER)
    pieces = 2**30 // len(PIECE)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % 2**30
    connection.receive_data(head)
    assert isinstance(connection.next_event(), Request)
    for _ in range(pieces):
        connection.receive_data(PIECE)
        event = connection.next_event()
        assert isinstance(event, Data)
        assert event.data is PIECE
    assert connection.next_event() == EndOfMessage()


@pytest.mark.parametrize(
    "field", [b"Content-Length: 67108864", b"Transfer-Encoding: chunked"], ids=["length", "chunked"]
)
def test_a_body_is_copied_by_the_slice(field: bytes) -> None:
    connection = Connection(Role.SERVER)
    # The head shares a piece with the body, so that each slice is off by some bytes.
    data = b"POST / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n\r\n"
    data += b"4000000\r\n" if b"chunked" in field else b""
    connection.receive_data(data + PIECE[: len(PIECE) - len(data)])
    read = 0
    tracemalloc.start()
    while read < 60_000_000:
        event = connection.next_event()
        if event is NEED_DATA:
            connection.receive_data(PIECE)
        elif isinstance(event, Data):
            read += len(event.data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * len(PIECE)


def test_a_backlog_is_copied_a_bounded_number_of_times() -> None:
    connection = Connection(Role.SERVER)
    one = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    connection.receive_data(one * 2000)
    assert isinstance(connection.next_event(), Request)
    connection.receive_data(one[:3])
    backlog = connection._buffer.data
    for _ in range(1000):
        connection.send(Response(200), b"")
        assert isinstance(connection.next_event(), Request)
        connection.receive_data(b"")
        # What is gathered stays in one place; only its front is given back.
        assert connection._buffer.data is backlog


def test_an_idle_connection_holds_on_to_nothing() -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
    events = [connection.next_event() for _ in range(3)]
    assert events[1:] == [Data(b"hello"), EndOfMessage()]
    connection.send(Response(200), b"")
    assert connection._buffer.data == b""
