"""Code that must check, and code that must not (with an ignore that is then needed).

It is not run: type checkers in strict mode read it.
"""

from __future__ import annotations

from typing import assert_type

from headrace.websocket import (
    NEED_DATA,
    Acceptance,
    Binary,
    Close,
    Connection,
    Deflate,
    Event,
    Limits,
    NeedData,
    Offer,
    Ping,
    RemoteProtocolError,
    Role,
    State,
    Text,
    accept,
)


def server(headers: list[tuple[bytes, bytes]]) -> Connection:
    accepted = accept(headers, subprotocols=("chat",), deflate=Deflate(), origins={"a", None})
    assert_type(accepted, Acceptance)
    assert_type(accepted.subprotocol, str | None)
    return Connection(Role.SERVER, deflate=accepted.deflate, limits=Limits(max_message=None))


def client(headers: tuple[tuple[bytes, bytes], ...]) -> Deflate | None:
    offer = Offer(origin="https://a.example")
    assert_type(offer.headers, list[tuple[bytes, bytes]])
    return offer.check(headers, status=200).deflate


def events(connection: Connection) -> bytes:
    try:
        event = connection.next_event()
    except RemoteProtocolError as error:
        assert_type(error.code, int)
        return connection.data_to_send()
    assert_type(event, Event | NeedData)
    if event is NEED_DATA:
        return b""
    assert_type(event, Event)
    if isinstance(event, Text):
        assert_type(event.data, str)
    elif isinstance(event, Binary):
        assert_type(event.data, bytes)
    elif isinstance(event, Close):
        assert_type(event.code, int | None)
    return connection.send(event, compress=False)


def state(connection: Connection) -> float | None:
    assert_type(connection.state, State)
    assert_type(connection.close_code, int | None)
    connection.receive_data(bytearray())
    connection.receive_data(memoryview(b""))
    connection.handle_time(1)
    return connection.next_deadline()


def wrong(connection: Connection) -> None:
    connection.send("text")  # type: ignore[arg-type]
    connection.send(NEED_DATA)  # type: ignore[arg-type]
    connection.receive_data("text")  # type: ignore[arg-type]
    Text(b"bytes")  # type: ignore[arg-type]
    Binary("text")  # type: ignore[arg-type]
    Ping("text")  # type: ignore[arg-type]
    Connection("server")  # type: ignore[arg-type]
    Connection(Role.SERVER, None)  # type: ignore[call-arg]
    accept([("Upgrade", "websocket")])  # type: ignore[list-item]
