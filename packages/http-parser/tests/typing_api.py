"""Code that must check, and code that must not (with an ignore that is then needed).

It is not run: type checkers in strict mode read it.
"""

from __future__ import annotations

from typing import assert_never, assert_type

from headrace.http_parser import (
    NEED_DATA,
    PAUSED,
    Connection,
    ConnectionClosed,
    Data,
    EndOfMessage,
    Event,
    Fault,
    Headers,
    Informational,
    Limits,
    RemoteProtocolError,
    Request,
    Response,
    Role,
    State,
)


def server() -> Connection:
    return Connection(Role.SERVER, limits=Limits(max_head=10_000))


def all_events(connection: Connection) -> bytes:
    event = connection.next_event()
    if event is NEED_DATA or event is PAUSED:
        return b""
    assert_type(event, Event)
    match event:
        case Request(method=method, expect_continue=expected):
            assert_type(expected, bool)
            return method
        case Informational(status=status) | Response(status=status):
            return b"%d" % status
        case Data(data=data):
            return data
        case EndOfMessage(trailers=trailers):
            return b"".join(name for name, _ in trailers)
        case ConnectionClosed():
            return b""
        case _:
            assert_never(event)


def facts(request: Request, response: Response) -> None:
    assert_type(request.content_length, int | None)
    assert_type(request.upgrade, bytes | None)
    assert_type(response.version, tuple[int, int])
    request.method = b"POST"  # type: ignore[misc]


def sending(connection: Connection) -> bytes:
    assert_type(connection.our_state, State)
    connection.send(Response(200, [(b"A", b"b")]), b"body")
    connection.send(Response(200, Headers([(b"A", b"b")])))
    connection.send(Response(200, {"A": "b"}))  # type: ignore[arg-type]
    connection.send(Response("200"))  # type: ignore[arg-type]
    connection.send(b"body")  # type: ignore[arg-type]
    return connection.send(EndOfMessage())


def errors(error: RemoteProtocolError) -> int:
    assert_type(error.fault, Fault)
    error.status = 200  # type: ignore[misc]
    return error.status
