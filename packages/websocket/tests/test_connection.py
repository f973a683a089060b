"""What a connection does, both roles, event by event."""

from __future__ import annotations

from typing import Any, cast

import pytest
from wire import KEY, deflated, events_of, masked, outcome_of, plain, state_of

from headrace.websocket import (
    NEED_DATA,
    Binary,
    Close,
    Connection,
    ConnectionClosed,
    Deflate,
    Event,
    Limits,
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
    return Connection(Role.CLIENT, mask_key=lambda: KEY, **options)  # type: ignore[arg-type]


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


# Receiving


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_are_taken(kind: type) -> None:
    connection = server()
    data = kind(masked(0x81, b"a"))
    connection.receive_data(data)
    assert connection.next_event() == Text("a")


def test_a_buffer_may_be_used_again_by_its_owner() -> None:
    connection = server()
    data = bytearray(masked(0x82, b"a"))
    connection.receive_data(data)
    data[:] = bytes(len(data))
    assert connection.next_event() == Binary(b"a")


def test_nothing_comes_of_nothing() -> None:
    connection = server()
    assert connection.next_event() is NEED_DATA
    connection.receive_data(b"")
    assert connection.next_event() is NEED_DATA
    connection.receive_data(masked(0x81, b"a"))
    assert events_of(connection) == [Text("a")]


def test_events_come_one_by_one() -> None:
    connection = server()
    connection.receive_data(masked(0x81, b"a") + masked(0x82, b"b"))
    connection.receive_data(masked(0x89, b"c"))
    assert connection.next_event() == Text("a")
    assert connection.next_event() == Binary(b"b")
    assert connection.next_event() == Ping(b"c")
    assert connection.next_event() is NEED_DATA


def test_a_good_message_before_a_bad_one_is_delivered() -> None:
    connection = server()
    connection.receive_data(masked(0x81, b"a") + b"\xff\xff")
    assert connection.next_event() == Text("a")
    with pytest.raises(RemoteProtocolError):
        connection.next_event()


def test_types_of_messages() -> None:
    connection = server()
    connection.receive_data(masked(0x81, b"a") + masked(0x82, b"b") + masked(0x01) + masked(0x80))
    assert [type(event) for event in events_of(connection)] == [Text, Binary, Text]


def test_text_as_bytes() -> None:
    connection = server(decode_text=False)
    connection.receive_data(masked(0x81, b"a") + masked(0x01, b"\xc3") + masked(0x80, b"\xa9"))
    assert events_of(connection) == [Text(b"a"), Text(b"\xc3\xa9")]  # type: ignore[arg-type]
    connection.receive_data(masked(0x81, b"\xff"))
    assert outcome_of(connection) == ([], 1007)


# Pieces


def test_each_fragment_is_an_event_when_not_assembled() -> None:
    connection = server(assemble=False)
    connection.receive_data(masked(0x01, b"Hel") + masked(0x89, b"") + masked(0x80, b"lo"))
    assert events_of(connection) == [Text("Hel", False), Ping(b""), Text("lo", True)]
    connection.receive_data(masked(0x02) + masked(0x00) + masked(0x80))
    assert events_of(connection) == [Binary(b"", False), Binary(b"", False), Binary(b"", True)]


def test_pieces_come_as_their_bytes_do() -> None:
    connection = server(assemble=False)
    data = masked(0x81, "Hé".encode())
    pieces: list[Event] = []
    for byte in data:
        connection.receive_data(bytes([byte]))
        pieces += events_of(connection)
    assert pieces == [Text("H", False), Text("é", True)]


def test_compressed_pieces() -> None:
    connection = server(assemble=False, deflate=Deflate(client_max_window_bits=15))
    packed = deflated(b"Hello" * 1000)
    connection.receive_data(masked(0x42, packed[:9]) + masked(0x80, packed[9:]))
    events = events_of(connection)
    assert b"".join(event.data for event in events if isinstance(event, Binary)) == b"Hello" * 1000
    assert [event.final for event in events if isinstance(event, Binary)][-2:] == [False, True]


# Sending


@pytest.mark.parametrize(
    ("event", "frame"),
    [
        (Text("é"), plain(0x81, b"\xc3\xa9")),
        (Text(b"\xc3\xa9"), plain(0x81, b"\xc3\xa9")),  # type: ignore[arg-type]
        (Binary(b"\xff"), plain(0x82, b"\xff")),
        (Binary(bytearray(b"\xff")), plain(0x82, b"\xff")),  # type: ignore[arg-type]
        (Ping(b"x"), plain(0x89, b"x")),
        (Pong(bytearray(b"x")), plain(0x8A, b"x")),  # type: ignore[arg-type]
        (Close(), plain(0x88, b"\x03\xe8")),
        (Close(4000, "é"), plain(0x88, b"\x0f\xa0\xc3\xa9")),
        (Close(None), plain(0x88)),
    ],
)
def test_frames(event: Event, frame: bytes) -> None:
    assert server().send(event) == frame
    assert client().send(event)[:2] == bytes([frame[0], frame[1] | 0x80])


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (Text("\ud800"), LocalProtocolError),
        (Text(b"\xff"), LocalProtocolError),  # type: ignore[arg-type]
        (Ping(bytes(126)), LocalProtocolError),
        (Pong(bytes(126)), LocalProtocolError),
        (Close(1005), LocalProtocolError),
        (Close(1000, "x" * 124), LocalProtocolError),
        (Text(5), TypeError),  # type: ignore[arg-type]
        (Binary("x"), TypeError),  # type: ignore[arg-type]
        (Ping("x"), TypeError),  # type: ignore[arg-type]
        (ConnectionClosed(), TypeError),
        ("Text", TypeError),
        (("Text", True), TypeError),
    ],
)
def test_what_cannot_be_sent_leaves_all_as_it_was(event: Event, error: type[Exception]) -> None:
    connection = server()
    with pytest.raises(error):
        connection.send(event)
    assert state_of(connection) is State.OPEN
    assert connection.send(Text("a")) == plain(0x81, b"a")


def test_pieces_are_sent_as_fragments() -> None:
    connection = server()
    assert connection.send(Text("a", False)) == plain(0x01, b"a")
    assert connection.send(Ping(b"")) == plain(0x89)
    assert connection.send(Text("b", False)) == plain(0x00, b"b")
    with pytest.raises(LocalProtocolError):
        connection.send(Binary(b"c"))
    assert connection.send(Text("c")) == plain(0x80, b"c")
    assert connection.send(Binary(b"d")) == plain(0x82, b"d")


def test_long_messages_are_split_when_asked() -> None:
    connection = server(fragment_bytes=8)
    assert connection.send(Text("éé")) == plain(0x81, "éé".encode())
    assert connection.send(Text("x" * 8)) == plain(0x81, b"x" * 8)
    assert connection.send(Text("x" * 9)) == plain(0x01, b"x" * 8) + plain(0x80, b"x")
    assert connection.send(Binary(b"x" * 9)) == plain(0x02, b"x" * 8) + plain(0x80, b"x")
    with pytest.raises(ValueError, match="fragment_bytes"):
        server(fragment_bytes=0)


def test_compression_starts_at_the_threshold() -> None:
    connection = server(deflate=Deflate(threshold=100))
    assert connection.send(Text("x" * 99))[0] == 0x81
    assert connection.send(Text("x" * 100))[0] == 0xC1
    assert connection.send(Text("é" * 50))[0] == 0xC1
    assert connection.send(Text("é" * 49))[0] == 0x81
    assert connection.send(Binary(b"x" * 20), compress=True)[0] == 0xC2
    assert connection.send(Binary(b"x" * 200), compress=False)[0] == 0x82


# Control frames


def test_pongs_answer_pings() -> None:
    connection = server()
    connection.receive_data(masked(0x89, b"1") + masked(0x89, b"2"))
    assert events_of(connection) == [Ping(b"1"), Ping(b"2")]
    assert connection.data_to_send() == plain(0x8A, b"1") + plain(0x8A, b"2")
    assert connection.data_to_send() == b""


@pytest.mark.parametrize(
    ("event", "frame"),
    [
        (Text("a"), plain(0x81, b"a")),
        (Binary(b"a"), plain(0x82, b"a")),
        (Ping(b"a"), plain(0x89, b"a")),
        (Close(1000), plain(0x88, b"\x03\xe8")),
    ],
)
def test_answers_that_wait_go_out_before_what_is_sent(event: Event, frame: bytes) -> None:
    connection = server()
    connection.receive_data(masked(0x89, b"1") + masked(0x89, b"2"))
    events_of(connection)
    with pytest.raises(LocalProtocolError):
        connection.send(Ping(bytes(126)))
    assert connection.send(event) == plain(0x8A, b"1") + plain(0x8A, b"2") + frame
    assert connection.data_to_send() == b""


def test_a_message_may_be_sent_after_the_answers_were() -> None:
    connection = server()
    connection.receive_data(masked(0x89, b"1"))
    events_of(connection)
    assert connection.data_to_send() == plain(0x8A, b"1")
    assert connection.send(Text("a")) == plain(0x81, b"a")


def test_pongs_may_be_left_to_the_caller() -> None:
    connection = server(autopong=False)
    connection.receive_data(masked(0x89, b"1"))
    assert events_of(connection) == [Ping(b"1")]
    assert connection.data_to_send() == b""
    assert connection.send(Pong(b"1")) == plain(0x8A, b"1")


# Closing


def test_close_answered_by_a_server() -> None:
    connection = server()
    connection.receive_data(masked(0x88, b"\x03\xe8bye") + masked(0x81, b"ignored"))
    assert connection.next_event() == Close(1000, "bye")
    assert state_of(connection) is State.CLOSED
    assert connection.data_to_send() == plain(0x88, b"\x03\xe8")
    assert connection.finished
    assert connection.next_event() == connection.next_event() == ConnectionClosed(1000, "bye")
    assert (connection.close_code, connection.close_reason) == (1000, "bye")
    with pytest.raises(LocalProtocolError, match="Text may not be sent: closed"):
        connection.send(Text("late"))


def test_close_begun_by_a_client() -> None:
    connection = client()
    assert connection.send(Close(1001, "")) == masked(0x88, b"\x03\xe9")
    assert state_of(connection) is State.CLOSE_SENT
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


def test_pings_are_answered_while_closing() -> None:  # 5.5.3
    connection = server()
    connection.send(Close(1000))
    connection.receive_data(masked(0x89, b"1"))
    assert events_of(connection) == [Ping(b"1")]
    assert connection.data_to_send() == plain(0x8A, b"1")


@pytest.mark.parametrize("event", [Text("a"), Binary(b"a"), Close(1000)])
def test_nothing_is_said_after_a_close(event: Event) -> None:  # 5.5.1
    connection = server()
    connection.send(Close(1000))
    with pytest.raises(LocalProtocolError, match="close sent"):
        connection.send(event)
    assert connection.send(Ping()) == plain(0x89)


def test_both_sides_close_at_once() -> None:
    ours, theirs = server(), client()
    to_them, to_us = ours.send(Close(1001)), theirs.send(Close(1000))
    ours.receive_data(to_us)
    theirs.receive_data(to_them)
    assert events_of(ours) == [Close(1000), ConnectionClosed(1000)]
    assert events_of(theirs) == [Close(1001), ConnectionClosed(1001)]
    assert ours.data_to_send() == theirs.data_to_send() == b""
    assert state_of(ours) is state_of(theirs) is State.CLOSED


def test_a_close_without_a_code() -> None:  # 7.1.5
    connection = server()
    connection.receive_data(masked(0x88))
    assert events_of(connection) == [Close(None), ConnectionClosed(1005)]
    assert connection.data_to_send() == plain(0x88)


def test_the_answer_to_a_close_may_be_left_to_the_caller() -> None:
    connection = server(autoclose=False)
    connection.send(Text("a", False))
    connection.receive_data(masked(0x88, b"\x03\xe8"))
    assert events_of(connection) == [Close(1000), ConnectionClosed(1000)]
    assert state_of(connection) is State.CLOSE_RECEIVED
    assert not connection.finished
    assert connection.data_to_send() == b""
    # 5.5.1: the message under way may be finished first
    assert connection.send(Text("b")) == plain(0x80, b"b")
    with pytest.raises(LocalProtocolError, match="close received"):
        connection.send(Ping())
    assert connection.send(Close(1001, "done")) == plain(0x88, b"\x03\xe9done")
    assert state_of(connection) is State.CLOSED
    assert connection.close_code == 1000


def test_bytes_after_the_end_are_forgotten() -> None:
    connection = server()
    connection.receive_data(masked(0x88))
    events_of(connection)
    connection.receive_data(b"\xff" * 1000)
    assert connection.next_event() == ConnectionClosed(1005)


# Failing


def test_an_unmasked_frame_from_a_client_fails_the_connection() -> None:
    connection = server()
    connection.receive_data(plain(0x81, b"Hello"))
    with pytest.raises(RemoteProtocolError) as caught:
        connection.next_event()
    assert caught.value.code == 1002
    assert state_of(connection) is State.CLOSED
    assert connection.finished
    answer = plain(0x88, b"\x03\xeaframe of a client is not masked")
    assert connection.data_to_send() == answer
    assert connection.close_code == 1002
    assert connection.next_event() == ConnectionClosed(1002, "frame of a client is not masked")


def test_a_client_that_failed_does_not_wait() -> None:  # 7.1.7
    connection = client()
    connection.receive_data(masked(0x81, b"Hello"))
    assert outcome_of(connection) == ([], 1002)
    assert connection.finished


def test_a_failure_after_our_close_sends_no_second_one() -> None:
    connection = server()
    connection.send(Close(1000))
    connection.receive_data(b"\xff\xff")
    assert outcome_of(connection) == ([], 1002)
    assert connection.data_to_send() == b""
    assert connection.finished


def test_pongs_go_out_before_the_close() -> None:
    connection = server()
    connection.receive_data(masked(0x89, b"1") + b"\xff\xff")
    assert outcome_of(connection) == ([Ping(b"1")], 1002)
    assert connection.data_to_send()[:3] == plain(0x8A, b"1")


# The end of the transport


@pytest.mark.parametrize("data", [b"", masked(0x81, b"Hello")[:-1], masked(0x01, b"a"), b"\x81"])
def test_eof_without_close(data: bytes) -> None:
    connection = server()
    connection.receive_data(data)
    connection.receive_eof()
    assert events_of(connection) == [ConnectionClosed(1006)]
    assert connection.close_code == 1006
    assert connection.finished


def test_eof_of_a_silent_connection() -> None:
    connection = server()
    assert connection.next_event() is NEED_DATA
    connection.receive_eof()
    assert events_of(connection) == [ConnectionClosed(1006)]


def test_what_came_before_eof_is_read() -> None:
    connection = server()
    connection.receive_data(masked(0x81, b"a"))
    connection.receive_eof()
    assert state_of(connection) is State.OPEN
    assert events_of(connection) == [Text("a"), ConnectionClosed(1006)]


def test_eof_after_our_close() -> None:
    connection = client()
    connection.send(Close(1000))
    connection.receive_eof()
    assert events_of(connection) == [ConnectionClosed(1006)]
    assert connection.finished


def test_eof_before_the_caller_answered() -> None:
    connection = server(autoclose=False)
    connection.receive_data(masked(0x88, b"\x03\xe8"))
    events_of(connection)
    connection.receive_eof()
    assert state_of(connection) is State.CLOSED
    assert connection.close_code == 1000


def test_there_is_no_code_before_the_end() -> None:
    connection = server()
    assert (connection.close_code, connection.close_reason) == (None, "")
    assert not connection.finished


# Time


def test_no_deadline_without_timeouts() -> None:
    assert server().next_deadline() is None


def test_pings_are_sent_when_due() -> None:
    connection = server(ping_interval=20.0, ping_timeout=10.0)
    assert connection.next_deadline() == 0.0
    connection.handle_time(1000.0)
    assert connection.data_to_send() == b""
    assert connection.next_deadline() == 1020.0
    connection.handle_time(1020.0)
    assert connection.data_to_send() == plain(0x89)
    connection.receive_data(masked(0x8A))
    connection.handle_time(1030.0)
    assert state_of(connection) is State.OPEN
    assert events_of(connection) == [Pong(b"")]
    assert connection.next_deadline() == 1040.0


def test_a_silent_peer_is_dead() -> None:
    connection = server(ping_interval=20.0, ping_timeout=10.0)
    for now in (0.0, 20.0, 30.0):
        connection.handle_time(now)
    assert state_of(connection) is State.CLOSED
    assert connection.finished
    assert connection.data_to_send() == plain(0x89) + plain(0x88, b"\x03\xf3ping timeout")
    assert events_of(connection) == [ConnectionClosed(1006, "ping timeout")]
    assert connection.next_deadline() is None


def test_a_close_takes_so_long_and_no_longer() -> None:
    connection = client(close_timeout=5.0)
    assert connection.next_deadline() is None
    connection.send(Close(1000))
    assert connection.next_deadline() == 0.0
    connection.handle_time(100.0)
    assert connection.next_deadline() == 105.0
    connection.handle_time(104.0)
    assert state_of(connection) is State.CLOSE_SENT
    connection.handle_time(105.0)
    assert state_of(connection) is State.CLOSED
    assert connection.finished
    assert events_of(connection) == [ConnectionClosed(1006, "close timeout")]


def test_a_client_waits_so_long_for_the_server_to_close() -> None:  # 7.1.1
    connection = client(close_timeout=5.0)
    connection.send(Close(1000))
    connection.receive_data(plain(0x88, b"\x03\xe8"))
    assert events_of(connection) == [Close(1000), ConnectionClosed(1000)]
    connection.handle_time(100.0)
    assert [connection.finished] == [False]
    connection.handle_time(105.0)
    assert [connection.finished] == [True]
    assert connection.close_code == 1000


def test_a_caller_that_never_answers_a_close() -> None:
    connection = server(autoclose=False, close_timeout=5.0)
    connection.receive_data(masked(0x88, b"\x03\xe8"))
    events_of(connection)
    connection.handle_time(100.0)
    connection.handle_time(105.0)
    assert state_of(connection) is State.CLOSED
    assert connection.close_code == 1000


def test_no_pings_while_closing() -> None:
    connection = server(ping_interval=1.0, ping_timeout=1.0, close_timeout=None)
    connection.handle_time(0.0)
    connection.send(Close(1000))
    connection.handle_time(50.0)
    assert connection.data_to_send() == b""
    assert state_of(connection) is State.CLOSE_SENT
    assert connection.next_deadline() is None


def test_options_are_kept() -> None:
    limits = Limits(max_message=5)
    connection = server(limits=limits)
    assert (connection.role, connection.limits) == (Role.SERVER, limits)


def test_a_message_that_comes_alone_is_read_at_once() -> None:
    connection = Connection(Role.SERVER)
    read = connection.reader(("text", ...), ("binary", ...))
    assert read(masked(0x81, b"Hello")) == ("text", "Hello")
    assert read(masked(0x82, b"Hello")) == ("binary", b"Hello")
    assert read(masked(0x81, b"\xff")) is None
    assert connection.at_rest
    assert connection.next_event() is NEED_DATA


def test_readers_make_what_they_were_shown() -> None:
    connection = Connection(Role.SERVER)
    pairs = connection.reader((..., True), (..., True))
    events = connection.reader(Text(cast(Any, ...)), Binary(cast(Any, ...)))
    data = masked(0x81, b"Hello")
    assert [type(pairs(data)), type(events(data))] == [tuple, Text]


@pytest.mark.parametrize(
    ("data", "rests"),
    [
        (masked(0x81, b"one") + masked(0x81, b"two"), True),
        (masked(0x89, b"ping"), True),
        (masked(0x01, b"one"), False),
        (masked(0x81, b"one")[:-1], False),
        (masked(0x81, b"one") + b"\x81", False),
        (masked(0x88), False),
    ],
)
def test_a_connection_rests_between_messages(data: bytes, rests: bool) -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(data)
    assert not connection.at_rest
    for event in iter(connection.next_event, NEED_DATA):
        if isinstance(event, ConnectionClosed):
            break
    assert connection.at_rest is rests


def test_a_connection_does_not_rest_at_its_end() -> None:
    connection = Connection(Role.SERVER)
    connection.receive_eof()
    assert not connection.at_rest
    connection = Connection(Role.SERVER, close_timeout=1.0)
    connection.send(Close(1000))
    connection.handle_time(0.0)
    assert connection.at_rest  # the peer may still send messages
    connection.handle_time(5.0)
    assert not connection.at_rest
    connection = Connection(Role.SERVER)
    connection.receive_data(masked(0x81, b"last"))
    connection.receive_eof()
    assert connection.next_message() == Text("last")
    assert not connection.at_rest


def test_what_was_heard_counts_as_a_sign_of_life() -> None:
    connection = Connection(Role.SERVER, ping_interval=1.0, ping_timeout=1.0)
    connection.handle_time(0.0)
    connection.handle_time(1.0)
    assert connection.data_to_send() != b""
    connection.heard = True
    connection.handle_time(2.0)
    assert state_of(connection) is State.OPEN
    assert not connection.heard


def test_a_whole_frame_may_be_sent_as_far_as_it_is_said() -> None:
    connection = Connection(Role.SERVER, deflate=Deflate(threshold=41))
    assert connection.plain_most == 10
    assert connection.whole_frame(0x81, "text", 10) == connection.send(Text("text"))
    assert connection.whole_frame(0x81, "more of it", 10) == connection.send(Text("more of it"))
    assert connection.whole_frame(0x81, "even more of it", 10) is None
    connection.send(Text("part", False))
    assert connection.plain_most == -1
    assert connection.whole_frame(0x81, "", connection.plain_most) is None
    connection.send(Text("end"))
    assert connection.plain_most == 10
    connection.send(Close())
    assert connection.plain_most == -1


def test_a_whole_frame_of_a_client_is_masked() -> None:
    connection = Connection(Role.CLIENT, mask_key=lambda: KEY)
    assert connection.whole_frame(0x81, "text", 4) == masked(0x81, b"text")
    assert connection.whole_frame(0x82, b"bytes", 5) == masked(0x82, b"bytes")
    for first, payload, most in ((0x81, "text", 3), (0x81, b"text", 9), (0x82, "bytes", 9)):
        assert connection.whole_frame(first, payload, most) is None


def test_messages_can_be_taken_before_what_follows_them() -> None:
    connection = server()
    assert connection.next_message() is NEED_DATA
    connection.receive_data(masked(0x81, b"one") + masked(0x82, b"two") + masked(0x83))
    assert connection.next_message() == Text("one")
    assert connection.next_message() == Binary(b"two")
    assert connection.next_message() is None
    with pytest.raises(RemoteProtocolError, match="reserved opcode"):
        connection.next_event()
    assert connection.next_message() is None
    for data in (masked(0x81, b"\xff"), masked(0x01, b"part")):
        connection = server()
        connection.receive_data(data)
        assert connection.next_message() is None
    connection = server()
    connection.receive_data(masked(0x81, b"last"))
    connection.receive_eof()
    assert connection.next_message() == Text("last")
    assert connection.next_message() is None
    assert connection.next_event() == ConnectionClosed(1006, "")
