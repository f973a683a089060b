"""Both roles at once: what one side writes the other reads back, whatever the wire does."""

from __future__ import annotations

from drive import merged
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from headrace.http_parser import (
    NEED_DATA,
    PAUSED,
    Connection,
    ConnectionClosed,
    Data,
    EndOfMessage,
    Event,
    Informational,
    LocalProtocolError,
    Request,
    Response,
    Role,
    State,
)
from headrace.http_parser._grammar import FIELD, TARGET, TOKEN

TOKENS = st.lists(st.sampled_from(TOKEN), min_size=1, max_size=8).map(bytes)
VALUES = st.lists(st.sampled_from(FIELD), max_size=12).map(lambda v: bytes(v).strip(b" \t"))
NAMES = TOKENS.map(lambda name: b"x-" + name)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=4)
TARGETS = st.lists(st.sampled_from(TARGET), max_size=8).map(lambda t: b"/" + bytes(t))
METHODS = st.sampled_from([b"GET", b"HEAD", b"POST", b"OPTIONS"]) | TOKENS.filter(
    lambda method: method != b"CONNECT"
)
BODIES = st.lists(st.binary(max_size=20), max_size=4)
FRAMINGS = st.sampled_from(["whole", "length", "chunked"])
STATUSES = st.sampled_from([200, 201, 204, 206, 304, 404, 500, 799])
LENGTH = b"Content-Length"
CODING = (b"Transfer-Encoding", b"chunked")


def pulled(connection: Connection) -> list[Event]:
    """All events there are, the pieces of a body joined."""
    events: list[Event] = []
    while True:
        event = connection.next_event()
        if event is NEED_DATA or event is PAUSED:
            return merged(events)
        assert not isinstance(event, type(NEED_DATA))
        events.append(event)
        if isinstance(event, ConnectionClosed):
            return merged(events)


def send_message(
    connection: Connection, head: Request | Response, body: list[bytes], framing: str
) -> bytes:
    """Write a message framed in one of three ways."""
    whole = b"".join(body)
    if framing == "whole":
        return connection.send(head, whole)
    field = CODING if framing == "chunked" else (LENGTH, b"%d" % len(whole))
    head = head._replace(headers=[*head.headers, field])
    pieces = [connection.send(head), *(connection.send(Data(piece)) for piece in body)]
    return b"".join([*pieces, connection.send(EndOfMessage())])


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


SWITCH = [(b"Connection", b"upgrade"), (b"Upgrade", b"x")]
SIZES = st.lists(st.integers(1, 40), max_size=4)


@given(method=METHODS, target=TARGETS, fields=FIELDS, body=BODIES, framing=FRAMINGS, sizes=SIZES)
def test_a_request_is_read_back(
    method: bytes,
    target: bytes,
    fields: list[tuple[bytes, bytes]],
    body: list[bytes],
    framing: str,
    sizes: list[int],
) -> None:
    client, server = Connection(Role.CLIENT), Connection(Role.SERVER)
    head = Request(method, target, [(b"Host", b"a"), *fields])
    for piece in cut(send_message(client, head, body, framing), sizes):
        server.receive_data(piece)
    request, *rest = pulled(server)
    assert isinstance(request, Request)
    assert (request.method, request.target) == (method, target)
    assert [pair for pair in request.headers if pair[0].startswith(b"x-")] == fields
    expected = [] if request.complete else [EndOfMessage()]
    assert rest == merged([Data(b"".join(body)), *expected])


@given(
    method=METHODS,
    status=STATUSES,
    fields=FIELDS,
    reason=VALUES,
    body=BODIES,
    framing=FRAMINGS,
    sizes=SIZES,
)
def test_a_response_is_read_back(
    method: bytes,
    status: int,
    fields: list[tuple[bytes, bytes]],
    reason: bytes,
    body: list[bytes],
    framing: str,
    sizes: list[int],
) -> None:
    client, server = Connection(Role.CLIENT), Connection(Role.SERVER)
    server.receive_data(client.send(Request(method, b"/", [(b"Host", b"a")]), b""))
    assert isinstance(server.next_event(), Request)
    if status in (204, 304):
        body, framing = [], "whole"
    written = send_message(server, Response(status, fields, reason), body, framing)
    for piece in cut(written, sizes):
        client.receive_data(piece)
    response, *rest = pulled(client)
    assert isinstance(response, Response)
    assert response.status == status
    assert not reason or response.reason == reason
    assert [pair for pair in response.headers if pair[0].startswith(b"x-")] == fields
    expected = [] if response.complete else [EndOfMessage()]
    received = b"" if method == b"HEAD" else b"".join(body)
    assert rest == merged([Data(received), *expected])
    assert client.our_state is client.their_state is State.IDLE
    assert server.our_state is server.their_state is State.IDLE


class TwoConnections(RuleBasedStateMachine):
    """Any order of sends that the tables allow, legal or not in its content, and of deliveries.

    After each step either side knows a state of the other that the other was in, and no error but
    LocalProtocolError is raised to a caller; what was sent legally is never refused by the reader.
    """

    @initialize()
    def begin(self) -> None:
        self.client = Connection(Role.CLIENT)
        self.server = Connection(Role.SERVER)
        self.to_server = bytearray()
        self.to_client = bytearray()
        self.sent: list[Event] = []
        self.read: list[Event] = []

    def attempt(self, connection: Connection, event: Event, body: bytes | None) -> bytes:
        before = connection.our_state, connection.their_state, connection.keep_alive
        try:
            return connection.send(event, body)
        except LocalProtocolError:
            after = connection.our_state, connection.their_state, connection.keep_alive
            assert after == before
            return b""

    @rule(
        method=st.sampled_from([b"GET", b"HEAD", b"POST", b"CONNECT"]),
        extra=st.sampled_from(
            [
                [],
                [CODING],
                [(LENGTH, b"3")],
                [(b"Connection", b"close")],
                [(b"Connection", b"upgrade"), (b"Upgrade", b"x")],
                [(b"Expect", b"100-continue"), (LENGTH, b"3")],
            ]
        ),
        body=st.sampled_from([None, b"", b"abc"]),
        minor=st.sampled_from([1, 1, 1, 0]),
    )
    def request(
        self, method: bytes, extra: list[tuple[bytes, bytes]], body: bytes | None, minor: int
    ) -> None:
        target = b"a:1" if method == b"CONNECT" else b"/"
        event = Request(method, target, [(b"Host", b"a"), *extra], (1, minor))
        self.to_server += self.attempt(self.client, event, body)

    @rule(
        status=st.sampled_from([100, 101, 103, 200, 204, 304, 404]),
        extra=st.sampled_from(
            [[], [CODING], [(LENGTH, b"3")], [(b"Connection", b"close")], SWITCH]
        ),
        body=st.sampled_from([None, b"", b"abc"]),
    )
    def respond(self, status: int, extra: list[tuple[bytes, bytes]], body: bytes | None) -> None:
        if self.server.our_state is State.IDLE:
            # A final response to nothing is legal, and unexpected by its reader.
            return
        if status < 200:
            self.to_client += self.attempt(self.server, Informational(status, extra), None)
        else:
            self.to_client += self.attempt(self.server, Response(status, extra), body)

    @rule(size=st.integers(0, 3), by_client=st.booleans())
    def data(self, size: int, by_client: bool) -> None:
        sender, wire = self.ours(by_client)
        wire += self.attempt(sender, Data(b"x" * size), None)

    @rule(by_client=st.booleans(), trailers=st.sampled_from([(), [(b"A", b"b")]]))
    def end(self, by_client: bool, trailers: list[tuple[bytes, bytes]]) -> None:
        sender, wire = self.ours(by_client)
        wire += self.attempt(sender, EndOfMessage(trailers), None)

    def ours(self, by_client: bool) -> tuple[Connection, bytearray]:
        return (self.client, self.to_server) if by_client else (self.server, self.to_client)

    @rule(size=st.integers(1, 200))
    def deliver_to_server(self, size: int) -> None:
        self.deliver(self.server, self.to_server, size)

    @rule(size=st.integers(1, 200))
    def deliver_to_client(self, size: int) -> None:
        self.deliver(self.client, self.to_client, size)

    @precondition(lambda self: not self.to_client and not self.to_server)
    @rule()
    def both_sides_agree(self) -> None:
        pulled(self.server)
        pulled(self.client)
        switched = {self.client.our_state, self.client.their_state, self.server.our_state}
        assert (State.SWITCHED in switched) == (switched == {State.SWITCHED})
        if self.server.our_state is State.IDLE and self.server.their_state is State.IDLE:
            assert self.client.our_state in (State.IDLE, State.SEND_BODY)

    def deliver(self, receiver: Connection, wire: bytearray, size: int) -> None:
        if receiver.their_state is State.SWITCHED or receiver.their_state is State.CLOSED:
            wire.clear()
            return
        receiver.receive_data(bytes(wire[:size]))
        del wire[:size]
        pulled(receiver)


TestTwoConnections = TwoConnections.TestCase
