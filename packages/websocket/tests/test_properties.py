"""What holds for all inputs: cuts do not matter, writing and reading are inverse, and nothing
but documented errors leaves the package.
"""

from __future__ import annotations

from itertools import pairwise

from cases import CASES, Case
from hypothesis import given
from hypothesis import strategies as st
from wire import events_of, outcome_of, xor

from headrace.websocket import (
    Binary,
    Close,
    Connection,
    ConnectionClosed,
    Deflate,
    Event,
    HandshakeError,
    Limits,
    LocalProtocolError,
    Offer,
    Ping,
    Pong,
    Role,
    State,
    Text,
    accept,
)

roles = st.sampled_from(Role)
deflates = st.none() | st.builds(
    Deflate,
    server_no_context_takeover=st.booleans(),
    client_no_context_takeover=st.booleans(),
    server_max_window_bits=st.integers(8, 15),
    client_max_window_bits=st.integers(8, 15),
    threshold=st.sampled_from([0, 20]),
    level=st.integers(0, 9),
    mem_level=st.integers(1, 9),
)
texts = st.text() | st.text(max_size=3).map(lambda text: text * 300)
blobs = st.binary() | st.binary(max_size=3).map(lambda data: data * 300)
controls = st.builds(Ping, st.binary(max_size=125)) | st.builds(Pong, st.binary(max_size=125))


@st.composite
def messages(draw: st.DrawFn) -> list[Event]:
    """One message, in one or more pieces, with control frames between them."""
    kind, data = draw(st.sampled_from([(Text, texts), (Binary, blobs)]))
    pieces = draw(st.lists(data, min_size=1, max_size=4))
    events: list[Event] = []
    for at, piece in enumerate(pieces):
        events += draw(st.lists(controls, max_size=1))
        events.append(kind(piece, at == len(pieces) - 1))
    return events


conversations = st.lists(messages(), max_size=5).map(
    lambda parts: [e for part in parts for e in part]
)


def assembled(events: list[Event]) -> list[Event]:
    """Return *events* with the pieces of messages joined."""
    result: list[Event] = []
    pieces: list[str] | list[bytes] = []
    for event in events:
        if not isinstance(event, (Text, Binary)):
            result.append(event)
            continue
        pieces.append(event.data)  # type: ignore[arg-type]
        if event.final:
            whole = type(event.data)().join(pieces)  # type: ignore[arg-type]
            result.append(type(event)(whole))  # type: ignore[arg-type]
            pieces = []
    return result


def cut(data: bytes, at: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(edge % (len(data) + 1) for edge in at)})
    return [data[start:end] for start, end in pairwise(edges)]


def pair(
    sender: Role, deflate: Deflate | None, fragment_bytes: int | None = None, **options: bool
) -> tuple[Connection, Connection]:
    other = Role.CLIENT if sender is Role.SERVER else Role.SERVER
    return (
        Connection(sender, deflate=deflate, fragment_bytes=fragment_bytes),
        Connection(other, deflate=deflate, **options),  # type: ignore[arg-type]
    )


@given(roles, deflates, conversations, st.none() | st.integers(1, 200), st.lists(st.integers(0)))
def test_what_one_side_sends_the_other_receives(
    role: Role,
    deflate: Deflate | None,
    events: list[Event],
    fragment_bytes: int | None,
    cuts: list[int],
) -> None:
    sender, receiver = pair(role, deflate, fragment_bytes)
    data = b"".join(sender.send(event) for event in events)
    received: list[Event] = []
    for part in cut(data, cuts):
        receiver.receive_data(part)
        received += events_of(receiver)
    assert received == assembled(events)


@given(roles, deflates, conversations, st.lists(st.integers(0)))
def test_pieces_add_up(
    role: Role, deflate: Deflate | None, events: list[Event], cuts: list[int]
) -> None:
    sender, receiver = pair(role, deflate, assemble=False)
    data = b"".join(sender.send(event) for event in events)
    received: list[Event] = []
    for part in cut(data, cuts):
        receiver.receive_data(part)
        received += events_of(receiver)
    assert assembled(received) == assembled(events)


@given(roles, deflates, conversations, st.booleans())
def test_text_as_bytes(
    role: Role, deflate: Deflate | None, events: list[Event], assemble: bool
) -> None:
    sender, receiver = pair(role, deflate, assemble=assemble, decode_text=False)
    receiver.receive_data(b"".join(sender.send(event) for event in events))
    received = events_of(receiver)
    encoded = [
        event._replace(data=event.data.encode()) if isinstance(event, Text) else event  # type: ignore[arg-type]
        for event in events
    ]
    assert assembled(received) == assembled(encoded)
    assert not any(isinstance(event.data, str) for event in received if type(event) is Text)


@given(conversations)
def test_a_piece_for_each_fragment(events: list[Event]) -> None:
    sender, receiver = pair(Role.CLIENT, None, assemble=False)
    receiver.receive_data(b"".join(sender.send(event) for event in events))
    assert events_of(receiver) == events


def play(parts: list[bytes], role: Role, deflate: bool, limits: Limits) -> object:
    full = Deflate(server_max_window_bits=15, client_max_window_bits=15)
    connection = Connection(role, deflate=full if deflate else None, limits=limits)
    events: list[Event] = []
    code = None
    sent = b""
    for part in parts:
        connection.receive_data(part)
        more, code = outcome_of(connection)
        events += more
        sent += connection.data_to_send()
        if code is not None or connection.state is State.CLOSED:
            break
    connection.receive_eof()
    events += events_of(connection)[-1:]
    return [event for event in events if not isinstance(event, ConnectionClosed)], code, len(sent)


small = st.builds(
    Limits,
    max_message=st.none() | st.integers(1, 40),
    max_frame=st.none() | st.integers(1, 40),
    max_fragments=st.none() | st.integers(1, 3),
)


@given(
    st.lists(st.sampled_from(CASES), min_size=1, max_size=4),
    roles,
    st.booleans(),
    st.lists(st.integers(0), max_size=30),
    small | st.just(Limits()),
)
def test_cuts_do_not_matter(
    cases: list[Case], role: Role, deflate: bool, cuts: list[int], limits: Limits
) -> None:
    data = b"".join(case.render(role is Role.SERVER) for case in cases)
    whole = play([data], role, deflate, limits)
    assert play(cut(data, cuts), role, deflate, limits) == whole


frame_like = st.builds(
    lambda first, second, rest: bytes([first, second]) + rest,
    st.sampled_from([0x81, 0x82, 0x01, 0x80, 0x88, 0x89, 0xC1, 0x41]) | st.integers(0, 255),
    st.sampled_from([0x80, 0x81, 0x85, 0xFE, 0xFF]) | st.integers(0, 255),
    st.binary(max_size=40),
)


@given(
    st.lists(st.binary(max_size=50) | frame_like, max_size=6),
    roles,
    st.booleans(),
    st.lists(st.integers(0)),
)
def test_garbage_raises_only_documented_errors(
    parts: list[bytes], role: Role, deflate: bool, cuts: list[int]
) -> None:
    data = b"".join(parts)
    whole = play([data], role, deflate, Limits())
    assert play(cut(data, cuts), role, deflate, Limits()) == whole


names = st.sampled_from(
    [
        *(b"Upgrade", b"Connection", b"Origin", b"Sec-WebSocket-Key", b"Sec-WebSocket-Version"),
        *(b"Sec-WebSocket-Extensions", b"Sec-WebSocket-Protocol", b"Sec-WebSocket-Accept"),
    ]
)
header_pairs = st.lists(
    st.tuples(
        names,
        st.sampled_from(
            [
                *(b"websocket", b"upgrade", b"13", b"dGhlIHNhbXBsZSBub25jZQ=="),
                *(b"permessage-deflate; client_max_window_bits", b'a; b="c"', b"a, b"),
            ]
        )
        | st.binary(max_size=20),
    )
)


@given(header_pairs, st.booleans())
def test_header_garbage_raises_only_handshake_errors(
    headers: list[tuple[bytes, bytes]], connect: bool
) -> None:
    method = b"CONNECT" if connect else b"GET"
    refused: list[int] = []
    try:
        accept(headers, method=method, deflate=Deflate(), subprotocols=["a"], connect=connect)
    except HandshakeError as error:
        refused.append(error.status)
    assert set(refused) <= {400, 426}
    try:
        Offer(deflate=Deflate(), subprotocols=["a"], connect=connect).check(headers)
    except HandshakeError as error:
        refused.append(error.status)
    assert set(refused) <= {400, 426, 101}


anything = (
    st.builds(Text, texts, st.booleans())
    | st.builds(Binary, blobs, st.booleans())
    | st.builds(Ping, st.binary(max_size=130))
    | st.builds(Close, st.none() | st.integers(900, 5100) | st.just(1000), st.text(max_size=50))
)


@given(roles, deflates, st.lists(anything, max_size=8), st.lists(st.binary(max_size=9), max_size=3))
def test_calls_in_any_order(
    role: Role, deflate: Deflate | None, events: list[Event], data: list[bytes]
) -> None:
    """Sending anything at any time either works or raises LocalProtocolError, and what was
    sent is never an error for the peer.
    """
    sender, receiver = pair(role, deflate)
    for at, event in enumerate(events):
        if at < len(data):
            sender.receive_data(data[at])
            outcome_of(sender)
        state = sender.state
        try:
            receiver.receive_data(sender.send(event))
        except LocalProtocolError:
            assert sender.state is state
        receiver.receive_data(sender.data_to_send())
        assert outcome_of(receiver)[1] is None


@given(st.binary(min_size=4, max_size=4), texts)
def test_the_masks_of_a_client_are_those_it_was_given(key: bytes, text: str) -> None:
    frame = Connection(Role.CLIENT, mask_key=lambda: key).send(Text(text))
    size = len(text.encode())
    at = 2 if size < 126 else 4
    assert frame[at : at + 4] == key
    assert frame[at + 4 :] == xor(text.encode(), key)
    assert len(frame) == at + 4 + size
