"""What a connection does, both roles, event by event."""

from __future__ import annotations

import pytest
from wire import events_of, masked, plain

from headrace.websocket import (
    NEED_DATA,
    Binary,
    Close,
    Connection,
    ConnectionClosed,
    LocalProtocolError,
    Ping,
    Pong,
    RemoteProtocolError,
    Role,
    State,
    Text,
)


def server(**options: object) -> Connection:
    return Connection(Role.SERVER, **options)  # type: ignore[arg-type]


def client(**options: object) -> Connection:
    return Connection(Role.CLIENT, mask_key=lambda: b"\x37\xfa\x21\x3d", **options)  # type: ignore[arg-type]


# RFC 6455, 5.7: the examples, read and written by the role that does


def test_examples_of_the_rfc_from_a_server() -> None:
    connection = client()
    hello = b"\x81\x05\x48\x65\x6c\x6c\x6f"
    connection.receive_data(hello)
    connection.receive_data(b"\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f")
    connection.receive_data(b"\x89\x05\x48\x65\x6c\x6c\x6f")
    connection.receive_data(b"\x82\x7e\x01\x00" + bytes(256))
    connection.receive_data(b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + bytes(65536))
    assert events_of(connection) == [
        Text("Hello"),
        Text("Hello"),
        Ping(b"Hello"),
        Binary(bytes(256)),
        Binary(bytes(65536)),
    ]
    assert connection.data_to_send() == b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
    assert server().send(Text("Hello")) == hello


def test_examples_of_the_rfc_from_a_client() -> None:
    connection = server()
    hello = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
    connection.receive_data(hello)
    connection.receive_data(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")
    assert events_of(connection) == [Text("Hello"), Pong(b"Hello")]
    assert client().send(Text("Hello")) == hello


def test_close_answered_by_a_server() -> None:
    connection = server()
    connection.receive_data(masked(0x88, b"\x03\xe8bye") + masked(0x81, b"ignored"))
    assert connection.next_event() == Close(1000, "bye")
    assert connection.state is State.CLOSED
    assert connection.data_to_send() == b"\x88\x02\x03\xe8"
    assert connection.finished
    assert connection.next_event() == connection.next_event() == ConnectionClosed(1000, "bye")
    with pytest.raises(LocalProtocolError):
        connection.send(Text("late"))


def test_close_begun_by_a_client() -> None:
    connection = client()
    assert connection.send(Close(1001, "")) == masked(0x88, b"\x03\xe9")
    assert connection.state is State.CLOSE_SENT
    connection.receive_data(plain(0x81, b"under way") + plain(0x88, b"\x03\xe9"))
    assert events_of(connection) == [
        Text("under way"),
        Close(1001, ""),
        ConnectionClosed(1001, ""),
    ]
    assert connection.data_to_send() == b""
    assert not connection.finished  # the server closes first (7.1.1)
    connection.receive_eof()
    assert connection.finished


def test_an_unmasked_frame_from_a_client_fails_the_connection() -> None:
    connection = server()
    connection.receive_data(plain(0x81, b"Hello"))
    with pytest.raises(RemoteProtocolError) as caught:
        connection.next_event()
    assert caught.value.code == 1002
    assert connection.state is State.CLOSED
    assert connection.finished
    assert connection.data_to_send() == plain(0x88, b"\x03\xeaframe of a client is not masked")
    assert connection.close_code == 1002


def test_eof_without_close() -> None:
    connection = server()
    connection.receive_data(masked(0x81, b"Hello")[:-1])
    connection.receive_eof()
    assert events_of(connection) == [ConnectionClosed(1006, "")]
    assert connection.close_code == 1006


def test_fragments_are_events_when_not_assembled() -> None:
    connection = server(assemble=False)
    connection.receive_data(masked(0x01, b"Hel") + masked(0x89, b"") + masked(0x80, b"lo"))
    assert events_of(connection) == [Text("Hel", False), Ping(b""), Text("lo", True)]
    assert connection.next_event() is NEED_DATA
