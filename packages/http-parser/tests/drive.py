"""Drive a connection over bytes and collect what comes out."""

from __future__ import annotations

from collections.abc import Iterable

from headrace.http_parser import (
    NEED_DATA,
    PAUSED,
    Connection,
    ConnectionClosed,
    Data,
    EndOfMessage,
    Event,
    Fault,
    Limits,
    RemoteProtocolError,
    Request,
    Response,
    Role,
    State,
    WholeRequest,
)

ANSWER = Response(404)
DEFAULT = Limits()


def merged(events: Iterable[Event]) -> list[Event]:
    """Join neighbouring pieces of a body, as their borders depend on how the input was split."""
    result: list[Event] = []
    for event in events:
        if event == Data(b""):
            continue
        if isinstance(event, Data) and result and isinstance(result[-1], Data):
            event = Data(result.pop().data + event.data)  # type: ignore[union-attr]
        result.append(event)
    return result


def as_events(whole: WholeRequest) -> list[Event]:
    """Return what `next_event` would say of a request that came whole."""
    method, target, headers, body = whole
    lengths = [int(value) for name, value in headers if name.lower() == b"content-length"]
    facts = True, not body, lengths[0] if lengths else None
    request = Request(method.encode(), target.encode(), headers, (1, 1), *facts)
    return [request, Data(body), EndOfMessage()] if body else [request]


def pull(connection: Connection, events: list[Event]) -> Fault | None:
    """Take all events there are; a server answers each request at its end."""
    while True:
        try:
            event = connection.next_event()
        except RemoteProtocolError as error:
            return error.fault
        if event is PAUSED and connection.our_state is State.SEND_RESPONSE:
            connection.send(ANSWER, b"")
        elif event is NEED_DATA or event is PAUSED:
            return None
        else:
            assert not isinstance(event, type(NEED_DATA))
            events.append(event)
            if isinstance(event, ConnectionClosed):
                return None


def connection_for(method: bytes | None, limits: Limits = DEFAULT) -> Connection:
    """A server, or with a *method* a client that has sent its request."""
    if method is None:
        return Connection(Role.SERVER, limits=limits)
    connection = Connection(Role.CLIENT, limits=limits)
    target = b"a:1" if method == b"CONNECT" else b"/"
    connection.send(Request(method, target, ((b"Host", b"a"),)), b"")
    return connection


def run(
    pieces: Iterable[bytes],
    *,
    method: bytes | None = None,
    limits: Limits = DEFAULT,
    eof: bool = False,
) -> tuple[list[Event], Fault | None]:
    """Feed *pieces* and return the events, without their last ConnectionClosed, and the fault."""
    connection = connection_for(method, limits)
    events: list[Event] = []
    fault = None
    for piece in pieces:
        if connection.their_state is State.SWITCHED:
            # What follows a switch is no HTTP; it is told apart by where it stands.
            events.append(Data(piece))
            continue
        connection.receive_data(piece)
        fault = pull(connection, events)
        if fault is not None:
            break
        if connection.their_state is State.SWITCHED:
            events.append(Data(connection.trailing_data))
    if eof and fault is None:
        connection.receive_eof()
        fault = pull(connection, events)
    return [event for event in merged(events) if not isinstance(event, ConnectionClosed)], fault
