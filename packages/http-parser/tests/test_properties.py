"""What holds for any input."""

from __future__ import annotations

from cases import ACCEPTED, ACCEPTED_RESPONSES, REFUSED, REFUSED_RESPONSES
from drive import ANSWER, as_events, connection_for, merged, pull, run
from hypothesis import given
from hypothesis import strategies as st

from headrace.http_parser import (
    NEED_DATA,
    PAUSED,
    Connection,
    Data,
    EndOfMessage,
    Event,
    RemoteProtocolError,
    Request,
    Response,
    Role,
)

REQUESTS = st.sampled_from([case.data for case in (*ACCEPTED, *REFUSED)])
RESPONSES = st.sampled_from([case.data for case in (*ACCEPTED_RESPONSES, *REFUSED_RESPONSES)])
REQUEST = Request(b"GET", b"/", ((b"Host", b"a"),))
METHODS = st.sampled_from([b"GET", b"HEAD", b"CONNECT"])


MADE = st.tuples(
    st.sampled_from([b"GET /", b"POST /", b"HEAD /", b"OPTIONS *", b"CONNECT a:1"]),
    st.sampled_from([b" HTTP/1.1\r\nHost: a\r\n"] * 3 + [b" HTTP/1.0\r\nHost: a\r\n"]),
    st.sampled_from([b"", b"X: y\r\n", b"Connection: keep-alive\r\n", b"Connection: close\r\n"])
    | st.sampled_from([b"Expect: 100-continue\r\n", b"Connection: upgrade\r\nUpgrade: b\r\n"]),
    st.sampled_from([b"\r\n", b"Content-Length: 2\r\n\r\nhi", b"Content-Length: 0\r\n\r\n"])
    | st.just(b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
).map(b"".join)


def taken(connection: Connection) -> list[object]:
    """Take the events of one request, or the fault that ends it."""
    events: list[object] = []
    try:
        while (event := connection.next_event()) not in (NEED_DATA, PAUSED):
            events.append(event)
    except RemoteProtocolError as error:
        events.append(error.fault)
    return events


def answered(connection: Connection, streamed: bool) -> list[bytes]:
    if not streamed:
        return [connection.send(Response(404), b"hello")]
    return [connection.send(event) for event in (Response(404), Data(b"hello"), EndOfMessage())]


@st.composite
def mutated(draw: st.DrawFn, messages: st.SearchStrategy[bytes]) -> bytes:
    """A few messages after each other, some of their bytes changed."""
    data = bytearray(b"".join(draw(st.lists(messages, max_size=3))))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
    return bytes(data)


@st.composite
def pieces_of(draw: st.DrawFn, messages: st.SearchStrategy[bytes]) -> list[bytes]:
    data = draw(mutated(messages))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[i:j] for i, j in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@given(pieces=pieces_of(REQUESTS), eof=st.booleans())
def test_any_split_of_requests_gives_the_same(pieces: list[bytes], eof: bool) -> None:
    assert run(pieces, eof=eof) == run([b"".join(pieces)], eof=eof)


@given(pieces=pieces_of(RESPONSES), method=METHODS, eof=st.booleans())
def test_any_split_of_responses_gives_the_same(
    pieces: list[bytes], method: bytes, eof: bool
) -> None:
    whole = run([b"".join(pieces)], method=method, eof=eof)
    assert run(pieces, method=method, eof=eof) == whole


@given(data=st.binary(max_size=100), method=st.none() | METHODS)
def test_anything_gives_events_or_a_documented_error(data: bytes, method: bytes | None) -> None:
    events, fault = run([data], method=method, eof=True)
    assert events or fault is not None or not data.strip(b"\r\n")


@given(pieces=pieces_of(REQUESTS))
def test_the_short_way_to_a_whole_request_tells_the_same(pieces: list[bytes]) -> None:
    short, usual = Connection(Role.SERVER), Connection(Role.SERVER)
    for piece in pieces:
        if usual.trailing_data or usual.our_state is usual.our_state.SWITCHED:
            return
        told: list[Event] = []
        events: list[Event] = []
        whole = short.receive_whole(piece)
        if whole is not None:
            told = as_events(whole)
            written = short.send(ANSWER, b"")
            assert written.endswith(b"Content-Length: 0\r\n\r\n")
        fault = pull(short, told)
        usual.receive_data(piece)
        assert pull(usual, events) is fault
        assert merged(told) == merged(events)
        assert (short.our_state, short.their_state) == (usual.our_state, usual.their_state)
        assert short.keep_alive == usual.keep_alive
        assert short.buffered == usual.buffered


@given(requests=st.lists(MADE, max_size=8), streamed=st.booleans())
def test_requests_read_by_the_short_way_are_answered_the_same(
    requests: list[bytes], streamed: bool
) -> None:
    short, usual = Connection(Role.SERVER), Connection(Role.SERVER)
    for data in requests:
        whole = short.receive_whole(data)
        usual.receive_data(data)
        told = taken(short) if whole is None else as_events(whole)
        assert told == taken(usual)
        if not isinstance(told[0], Request):
            return
        answers = [answered(connection, streamed) for connection in (short, usual)]
        assert answers[0] == answers[1]
        assert (short.our_state, short.their_state) == (usual.our_state, usual.their_state)
        assert short.keep_alive == usual.keep_alive
        if short.our_state is not short.our_state.IDLE:
            return


@given(pieces=pieces_of(RESPONSES), method=METHODS)
def test_the_short_way_to_a_whole_response_tells_the_same(
    pieces: list[bytes], method: bytes
) -> None:
    short, usual = connection_for(method), connection_for(method)
    for piece in pieces:
        if usual.our_state is usual.our_state.SWITCHED:
            return
        told: list[Event] = []
        events: list[Event] = []
        whole = short.receive_whole_response(piece)
        if whole is not None:
            response, body = whole
            told = [response] if response.complete else [response, Data(body), EndOfMessage()]
        fault = pull(short, told)
        usual.receive_data(piece)
        assert pull(usual, events) is fault
        assert merged(told) == merged(events)
        assert (short.our_state, short.their_state) == (usual.our_state, usual.their_state)
        assert short.keep_alive == usual.keep_alive
        assert short.buffered == usual.buffered
        if short.our_state is short.our_state.IDLE:
            assert short.send(REQUEST, b"") == usual.send(REQUEST, b"")
