"""Every case of the byte tables, in both roles, whole and byte by byte."""

from __future__ import annotations

import pytest
from cases import CASES, PLAIN_CASES, Case, Frame
from wire import events_of, outcome_of

from headrace.websocket import (
    Close,
    Connection,
    ConnectionClosed,
    Deflate,
    Event,
    RemoteProtocolError,
    Role,
    State,
)

FULL = Deflate(server_max_window_bits=15, client_max_window_bits=15)


def connect(role: Role, case: Case) -> Connection:
    return Connection(role, deflate=FULL if case.deflate else None)


def without_end(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, ConnectionClosed)]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name} ({case.section})")
def test_cases(case: Case, role: Role) -> None:
    connection = connect(role, case)
    connection.receive_data(case.render(role is Role.SERVER))
    events, code = outcome_of(connection)
    assert without_end(events) == case.events
    assert code == case.code
    if code is not None:
        assert connection.state is State.CLOSED
        assert connection.close_code == code
        assert connection.next_event() == ConnectionClosed(code, connection.close_reason)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name} ({case.section})")
def test_cases_byte_by_byte(case: Case, role: Role) -> None:
    connection = connect(role, case)
    events: list[Event] = []
    code = None
    data = case.render(role is Role.SERVER)
    if len(data) > 10_000:
        data_parts = [data[at : at + 1000] for at in range(0, len(data), 1000)]
    else:
        data_parts = [data[at : at + 1] for at in range(len(data))]
    for part in data_parts:
        connection.receive_data(part)
        more, code = outcome_of(connection)
        events += more
        if code is not None or connection.state is State.CLOSED:
            break
    assert without_end(events) == case.events
    assert code == case.code


@pytest.mark.parametrize("case", PLAIN_CASES, ids=lambda case: f"{case.name} ({case.section})")
def test_what_fails_is_told_with_its_code(case: Case) -> None:
    connection, peer = Connection(Role.SERVER), Connection(Role.CLIENT)
    connection.receive_data(case.render(True))
    _, code = outcome_of(connection)
    peer.receive_data(connection.data_to_send())
    closes = [event.code for event in events_of(peer) if isinstance(event, Close)]
    answered = [event.code for event in case.events if isinstance(event, Close)]
    assert closes == (answered if code is None else [code])


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("first", [0x81, 0x82, 0x01, 0x88, 0x89, 0x8A])
def test_masks_belong_to_clients(role: Role, first: int) -> None:  # 5.1
    connection = Connection(role)
    connection.receive_data(Frame(first, b"").render(mask=role is Role.CLIENT))
    assert outcome_of(connection) == ([], 1002)


FAIL_FAST = [
    ("a reserved opcode", b"\x83\x80", 1002),
    ("a reserved bit", b"\xa1\x80", 1002),
    ("a frame without a mask", b"\x81\x05", 1002),
    ("a long control frame", b"\x89\xfe", 1002),
    ("a continuation of nothing", b"\x80\xff", 1002),
    ("a length of 2**63", b"\x82\xff\x80" + bytes(7), 1002),
    ("a length beyond the limit", b"\x82\xff\x00" + b"\xff" * 7, 1009),
    ("bad text inside a frame", b"\x81\xfe\x10\x00\0\0\0\0" + b"a" * 100 + b"\xff", 1007),
]


@pytest.mark.parametrize(("data", "code"), [case[1:] for case in FAIL_FAST])
def test_failing_does_not_wait_for_the_frame(data: bytes, code: int) -> None:  # 8.1 and 7.1.7
    connection = Connection(Role.SERVER)
    connection.receive_data(data)
    assert outcome_of(connection) == ([], code)


def test_an_error_says_what_was_found() -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(b"\x83\x80")
    with pytest.raises(RemoteProtocolError, match=r"^reserved opcode 0x3 \(1002\)$"):
        connection.next_event()
