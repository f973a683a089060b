"""The course of a connection: cycles, ends, errors, what is paused and what is dropped."""

from __future__ import annotations

import pytest

from headrace.http_parser import (
    NEED_DATA,
    PAUSED,
    Connection,
    ConnectionClosed,
    Data,
    EndOfMessage,
    Fault,
    Informational,
    LocalProtocolError,
    RemoteProtocolError,
    Request,
    Response,
    Role,
    State,
)

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
HOST = [(b"Host", b"a")]
END = EndOfMessage()
CLOSED = ConnectionClosed()


def server(data: bytes = b"") -> Connection:
    connection = Connection(Role.SERVER)
    if data:
        connection.receive_data(data)
    return connection


def client(method: bytes = b"GET", target: bytes = b"/") -> Connection:
    connection = Connection(Role.CLIENT)
    connection.send(Request(method, target, HOST), b"")
    return connection


def fault_of(connection: Connection) -> Fault:
    with pytest.raises(RemoteProtocolError) as caught:
        connection.next_event()
    return caught.value.fault


def test_a_server_pauses_until_it_has_answered_then_goes_on_by_itself() -> None:
    connection = server(GET + GET)
    for left in (len(GET), 0):
        assert isinstance(connection.next_event(), Request)
        assert connection.next_event() is PAUSED
        assert connection.buffered == left
        connection.send(Response(200))
        assert connection.next_event() is PAUSED
        connection.send(END)
    assert connection.next_event() is NEED_DATA


def test_eof_between_messages_is_the_end() -> None:
    connection = server()
    connection.receive_eof()
    assert (connection.next_event(), connection.next_event()) == (CLOSED, CLOSED)
    assert (connection.our_state, connection.their_state) == (State.MUST_CLOSE, State.CLOSED)
    assert not connection.keep_alive
    assert connection.send(CLOSED) == b""
    assert connection.our_state is State.CLOSED
    with pytest.raises(LocalProtocolError, match="after the end"):
        connection.receive_data(b"x")


def test_eof_after_an_empty_line_is_the_end_too() -> None:
    connection = server(b"\r\n")
    assert connection.next_event() is NEED_DATA
    connection.receive_eof()
    assert connection.next_event() == CLOSED


def test_eof_after_a_request_leaves_time_to_answer() -> None:
    connection = server(GET + GET)
    connection.receive_eof()
    for _ in range(2):
        assert isinstance(connection.next_event(), Request)
        assert connection.next_event() is PAUSED
        connection.send(Response(200), b"")
    assert connection.next_event() == CLOSED


@pytest.mark.parametrize("data", [GET[:-1], b"G", b"\r\n\r", b"\r"])
def test_eof_inside_a_head_is_an_error(data: bytes) -> None:
    connection = server(data)
    connection.receive_eof()
    assert fault_of(connection) is Fault.EOF_IN_HEAD


@pytest.mark.parametrize(
    "data",
    [
        POST + b"abc",
        POST,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n",
    ],
)
def test_eof_inside_a_body_is_an_error(data: bytes) -> None:
    connection = server(data)
    assert isinstance(connection.next_event(), Request)
    while connection.next_event() is not NEED_DATA:
        pass
    connection.receive_eof()
    assert fault_of(connection) is Fault.EOF_IN_BODY


def test_a_server_that_closes_pauses_until_it_has_answered_then_ends() -> None:
    connection = server(GET[:-2] + b"Connection: close\r\n\r\n" + GET)
    request = connection.next_event()
    assert isinstance(request, Request)
    assert not request.keep_alive
    assert connection.next_event() is PAUSED
    connection.receive_data(GET)
    connection.send(Response(200), b"")
    assert (connection.next_event(), connection.next_event()) == (CLOSED, CLOSED)
    assert connection.buffered == 0
    connection.receive_data(GET)
    assert connection.buffered == 0
    with pytest.raises(LocalProtocolError, match="must-close"):
        connection.send(Response(200), b"")


def test_the_rest_of_a_body_can_be_drained_after_its_answer() -> None:
    connection = server(POST + b"ab")
    connection.next_event()
    assert b"close" not in connection.send(Response(200), b"")
    assert not connection.keep_alive
    assert (connection.our_state, connection.their_state) == (State.DONE, State.SEND_BODY)
    assert connection.next_event() == Data(b"ab")
    connection.receive_data(b"cd" + GET)
    assert [connection.next_event(), connection.next_event()] == [Data(b"cd"), END]
    assert connection.keep_alive
    assert isinstance(connection.next_event(), Request)


def test_an_expectation_that_was_not_met_ends_the_connection_but_can_be_drained() -> None:
    connection = server(POST[:-2] + b"Expect: 100-continue\r\n\r\n")
    request = connection.next_event()
    assert isinstance(request, Request)
    assert request.expect_continue
    assert b"Connection: close" in connection.send(Response(200), b"")
    assert connection.next_event() is NEED_DATA
    connection.receive_data(b"abcd" + GET)
    events = [connection.next_event() for _ in range(4)]
    assert events == [Data(b"abcd"), END, CLOSED, CLOSED]


@pytest.mark.parametrize("met", [True, False])
def test_an_expectation_is_over_with_100_or_with_the_body(met: bool) -> None:
    connection = server(POST[:-2] + b"Expect: 100-continue\r\n\r\n")
    connection.next_event()
    if met:
        assert connection.send(Informational(100)) == b"HTTP/1.1 100 Continue\r\n\r\n"
    else:
        connection.receive_data(b"a")
        assert connection.next_event() == Data(b"a")
    assert b"close" not in connection.send(Response(200), b"")


def test_an_error_is_answered_once_with_its_status() -> None:
    connection = server(b"GET / HTTP/3.0\r\n")
    with pytest.raises(RemoteProtocolError) as caught:
        connection.next_event()
    assert (caught.value.status, caught.value.fault) == (505, Fault.VERSION)
    assert fault_of(connection) is Fault.VERSION
    assert not connection.keep_alive
    connection.receive_data(GET)
    assert connection.buffered == 0
    written = connection.send(Response(505, [(b"Connection", b"keep-alive")]), b"no")
    assert written == (
        b"HTTP/1.1 505 HTTP Version Not Supported\r\n"
        b"Content-Length: 2\r\nConnection: close\r\n\r\nno"
    )
    with pytest.raises(LocalProtocolError, match="must-close"):
        connection.send(Response(505), b"")


def test_an_error_in_a_body_is_answered_if_no_answer_was_begun() -> None:
    connection = server(POST.replace(b"Content-Length: 4", b"Transfer-Encoding: chunked") + b"x")
    connection.next_event()
    assert fault_of(connection) is Fault.CHUNK_SIZE
    assert connection.send(Response(400), b"").endswith(b"Connection: close\r\n\r\n")
    assert connection.our_state is State.MUST_CLOSE


def test_an_error_after_the_answer_leaves_nothing_to_say() -> None:
    connection = server(POST.replace(b"Content-Length: 4", b"Transfer-Encoding: chunked") + b"x")
    connection.next_event()
    connection.send(Response(200), b"")
    assert fault_of(connection) is Fault.CHUNK_SIZE
    assert connection.our_state is State.MUST_CLOSE
    with pytest.raises(LocalProtocolError, match="must-close"):
        connection.send(Response(400), b"")


def test_an_error_never_echoes_what_was_received() -> None:
    for fault in Fault:
        assert "secret" not in str(RemoteProtocolError(fault))
    connection = server(b"GET /secret\x00 HTTP/1.1\r\n")
    with pytest.raises(RemoteProtocolError) as caught:
        connection.next_event()
    assert "secret" not in f"{caught.value!s}{caught.value!r}"


def test_a_client_goes_on_by_itself() -> None:
    connection = client()
    for _ in range(2):
        assert connection.next_event() is NEED_DATA
        connection.receive_data(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        assert isinstance(connection.next_event(), Response)
        assert [connection.next_event(), connection.next_event()] == [Data(b"x"), END]
        assert connection.keep_alive
        assert connection.next_event() is NEED_DATA
        connection.send(Request(b"GET", b"/", HOST), b"")


def test_a_client_pauses_until_its_request_is_sent() -> None:
    connection = Connection(Role.CLIENT)
    connection.send(Request(b"POST", b"/", [*HOST, (b"Content-Length", b"1")]))
    connection.receive_data(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
    response = connection.next_event()
    assert isinstance(response, Response)
    assert response.complete
    assert connection.next_event() is PAUSED
    connection.send(Data(b"x"))
    connection.send(END)
    assert connection.our_state is State.IDLE


def test_a_client_whose_server_closes_early_can_still_end_its_request() -> None:
    connection = Connection(Role.CLIENT)
    connection.send(Request(b"POST", b"/", [*HOST, (b"Content-Length", b"1")]))
    connection.receive_data(b"HTTP/1.1 413 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    assert isinstance(connection.next_event(), Response)
    assert connection.next_event() == CLOSED
    assert connection.send(Data(b"x")) == b"x"
    assert connection.send(END) == b""
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        connection.send(Request(b"GET", b"/", HOST), b"")


@pytest.mark.parametrize(
    "head", [b"Connection: close\r\nContent-Length: 0\r\n", b"Content-Length: 0\r\n"]
)
def test_a_client_does_not_reuse_what_either_side_closes(head: bytes) -> None:
    connection = Connection(Role.CLIENT)
    ours = [] if b"close" in head else [(b"Connection", b"close")]
    connection.send(Request(b"GET", b"/", [*HOST, *ours]), b"")
    connection.receive_data(b"HTTP/1.1 200 OK\r\n" + head + b"\r\nmore")
    assert isinstance(connection.next_event(), Response)
    assert not connection.keep_alive
    assert connection.next_event() == CLOSED
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        connection.send(Request(b"GET", b"/", HOST), b"")


def test_bytes_that_a_client_did_not_ask_for_are_an_error() -> None:
    connection = client()
    connection.receive_data(b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
    assert isinstance(connection.next_event(), Response)
    assert fault_of(connection) is Fault.UNEXPECTED_DATA
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        connection.send(Request(b"GET", b"/", HOST), b"")


def test_a_client_sees_the_end_of_an_idle_connection() -> None:
    connection = Connection(Role.CLIENT)
    assert connection.next_event() is NEED_DATA
    connection.receive_eof()
    assert connection.next_event() == CLOSED
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        connection.send(Request(b"GET", b"/", HOST), b"")


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_client_without_a_whole_answer_sees_an_error(data: bytes) -> None:
    connection = client()
    connection.receive_data(data)
    connection.receive_eof()
    if b"100" in data:
        assert isinstance(connection.next_event(), Informational)
    assert fault_of(connection) is Fault.EOF_IN_HEAD


def test_a_client_is_told_of_a_switch() -> None:
    connection = Connection(Role.CLIENT)
    headers = [*HOST, (b"Connection", b"upgrade"), (b"Upgrade", b"x")]
    connection.send(Request(b"GET", b"/", headers), b"")
    assert connection.our_state is State.MIGHT_SWITCH
    connection.receive_data(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nrest")
    assert connection.next_event() == Informational(
        101, ((b"Upgrade", b"x"),), b"Switching Protocols"
    )
    assert (connection.trailing_data, connection.trailing_data) == (b"rest", b"")
    assert connection.next_event() is PAUSED


@pytest.mark.parametrize("body", [b"", b"Content-Length: 2\r\n"])
def test_a_client_whose_upgrade_is_declined_goes_on(body: bytes) -> None:
    connection = Connection(Role.CLIENT)
    headers = [*HOST, (b"Connection", b"upgrade"), (b"Upgrade", b"x")]
    connection.send(Request(b"GET", b"/", headers), b"")
    if body:
        connection.receive_data(b"HTTP/1.1 200 OK\r\n" + body + b"\r\nhi")
        assert isinstance(connection.next_event(), Response)
        assert [connection.next_event(), connection.next_event()] == [Data(b"hi"), END]
    else:
        connection.receive_data(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert isinstance(connection.next_event(), Response)
    assert (connection.our_state, connection.their_state) == (State.IDLE, State.IDLE)


def test_a_tunnel_ignores_the_length_of_its_answer() -> None:
    connection = client(b"CONNECT", b"a:1")
    head = b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"
    connection.receive_data(b"HTTP/1.1 200 OK\r\n" + head + b"\r\nabc")
    response = connection.next_event()
    assert isinstance(response, Response)
    assert response.complete
    assert connection.trailing_data == b"abc"
    assert connection.our_state is State.SWITCHED


def test_a_switch_before_our_request_is_sent_is_an_error() -> None:
    connection = Connection(Role.CLIENT)
    headers = [*HOST, (b"Connection", b"upgrade"), (b"Upgrade", b"x"), (b"Content-Length", b"1")]
    connection.send(Request(b"POST", b"/", headers))
    connection.receive_data(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    assert fault_of(connection) is Fault.SWITCH_UNASKED


def test_a_tunnel_begins_before_we_have_said_that_the_request_is_at_its_end() -> None:
    connection = Connection(Role.CLIENT)
    connection.send(Request(b"CONNECT", b"a:1", HOST))
    connection.receive_data(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert isinstance(connection.next_event(), Response)
    assert connection.trailing_data == b"abc"
    assert connection.our_state is connection.their_state is State.SWITCHED
    with pytest.raises(LocalProtocolError):
        connection.send(EndOfMessage())


def test_a_request_that_closes_can_still_switch() -> None:
    connection = server(
        GET[:-2] + b"Connection: close, upgrade\r\nUpgrade: x\r\n\r\nrest",
    )
    connection.next_event()
    connection.send(Informational(101, [(b"Connection", b"upgrade"), (b"Upgrade", b"x")]))
    assert connection.trailing_data == b"rest"


def test_a_request_that_closes_and_is_declined_ends() -> None:
    connection = server(GET[:-2] + b"Connection: close, upgrade\r\nUpgrade: x\r\n\r\n")
    connection.next_event()
    connection.send(Response(200), b"")
    assert connection.next_event() == CLOSED


def test_what_is_known_of_one_request_is_not_used_for_another() -> None:
    connection = server()
    for data, version in ((GET, (1, 1)), (GET.replace(b"1.1", b"1.0"), (1, 0)), (GET, (1, 1))):
        other = Connection(Role.SERVER) if version == (1, 1) else connection
        other.receive_data(data)
        request = other.next_event()
        assert isinstance(request, Request)
        assert (request.version, request.keep_alive) == (version, version == (1, 1))


def test_what_is_known_of_one_connection_tells_another_nothing_new() -> None:
    heads = [
        (GET, True),
        (GET[:-2] + b"Connection: close\r\n\r\n", False),
        (GET.replace(b"1.1", b"1.0"), False),
        (GET.replace(b"GET", b"HEAD"), True),
    ]
    for before, _ in heads:
        for data, kept in heads:
            server(before).next_event()
            connection = server(data)
            request = connection.next_event()
            assert isinstance(request, Request)
            assert request.keep_alive is connection.keep_alive is kept
            written = connection.send(Response(200), b"x")
            assert (b"Connection: close" in written) is not kept
            assert written.endswith(b"x") is not data.startswith(b"HEAD")


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_any_kind_of_bytes_may_be_received(kind: type) -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(kind(GET[:5]))
    assert connection.next_event() is NEED_DATA
    connection.receive_data(kind(GET[5:] + POST + b"abcd"))
    assert isinstance(connection.next_event(), Request)
    connection.send(Response(200), b"")
    assert isinstance(connection.next_event(), Request)
    event = connection.next_event()
    assert event == Data(b"abcd")
    assert isinstance(event, Data)
    assert type(event.data) is bytes
