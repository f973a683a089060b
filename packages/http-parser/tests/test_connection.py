"""The byte tables through a connection, whole and in any pieces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cases import (
    ACCEPTED,
    ACCEPTED_RESPONSES,
    REFUSED,
    REFUSED_RESPONSES,
    Accepted,
    AcceptedResponse,
    Refused,
    RefusedResponse,
)
from drive import merged, run

from headrace.http_parser import (
    NEED_DATA,
    Connection,
    Data,
    EndOfMessage,
    LocalProtocolError,
    Request,
    Response,
    Role,
)

NEXT = ACCEPTED[0]


def splits(data: bytes) -> Iterator[list[bytes]]:
    """The data whole, byte by byte, and cut in two at every place."""
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    for i in range(1, len(data)):
        yield [data[:i], data[i:]]


def named(case: Accepted | Refused | AcceptedResponse | RefusedResponse) -> str:
    return case.name


@pytest.mark.parametrize("case", ACCEPTED, ids=named)
def test_request_is_accepted_however_it_is_split(case: Accepted) -> None:
    for pieces in splits(case.data):
        assert run(pieces) == (merged(case.events), None), pieces


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_request_is_refused_however_it_is_split(case: Refused) -> None:
    events, fault = run([case.data], limits=case.limits)
    assert fault is case.fault
    for pieces in splits(case.data):
        assert run(pieces, limits=case.limits) == (events, case.fault), pieces


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_request_is_refused_with_bytes_after_it(case: Refused) -> None:
    found = run([case.data], limits=case.limits)
    assert run([case.data + NEXT.data], limits=case.limits) == found


@pytest.mark.parametrize("case", ACCEPTED, ids=named)
def test_request_is_accepted_with_another_after_it(case: Accepted) -> None:
    events, fault = run([case.data + NEXT.data])
    assert fault is None
    closes = any(isinstance(event, Request) and not event.keep_alive for event in case.events)
    assert events == merged([*case.events, *(() if closes else NEXT.events)])


@pytest.mark.parametrize("case", ACCEPTED_RESPONSES, ids=named)
def test_response_is_accepted_however_it_is_split(case: AcceptedResponse) -> None:
    for pieces in splits(case.data):
        expected = merged(case.events), None
        assert run(pieces, method=case.method, eof=case.until_close) == expected, pieces


@pytest.mark.parametrize("case", REFUSED_RESPONSES, ids=named)
def test_response_is_refused_however_it_is_split(case: RefusedResponse) -> None:
    for pieces in splits(case.data):
        found = run(pieces, method=case.method, limits=case.limits)
        assert found == ([], case.fault), pieces


GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"


@pytest.mark.parametrize(("data", "body"), [(GET, b""), (POST, b"hi")])
def test_a_whole_request_is_returned_at_once(data: bytes, body: bytes) -> None:
    connection = Connection(Role.SERVER)
    for _ in range(2):
        whole = connection.receive_whole(data)
        assert whole is not None
        request, received = whole
        assert received == body
        assert run([data])[0] == ([request, Data(body), EndOfMessage()] if body else [request])
        assert connection.send(Response(200), b"").startswith(b"HTTP/1.1 200 OK\r\n")
        assert connection.next_event() is NEED_DATA


@pytest.mark.parametrize(
    "data",
    [
        GET[:-1],
        GET + GET,
        POST[:-1],
        POST + b"!",
        GET.replace(b"GET", b"HEAD"),
        GET.replace(b"/a", b"*").replace(b"GET", b"OPTIONS"),
        GET.replace(b"Host", b"Expect: 100-continue\r\nHost"),
        GET.replace(b"Host", b"Connection: upgrade\r\nUpgrade: x\r\nHost"),
        GET.replace(b"Host", b"Connection: close\r\nHost"),
        GET.replace(b"1.1", b"1.0"),
        GET.replace(b"Host: a", b"Host: a\r\nHost: a"),
    ],
)
def test_what_is_not_one_usual_request_is_left_to_next_event(data: bytes) -> None:
    connection = Connection(Role.SERVER)
    assert connection.receive_whole(data) is None
    assert connection.buffered == len(data)
    events, fault = run([data])
    if fault is None and events:
        assert connection.next_event() == events[0]


def test_bytes_on_top_of_an_unfinished_request_are_no_whole_one() -> None:
    connection = Connection(Role.SERVER)
    assert connection.receive_whole(GET[:9]) is None
    assert connection.receive_whole(GET[9:]) is None
    assert isinstance(connection.next_event(), Request)
    assert connection.receive_whole(GET) is None  # it waits for the answer
    connection.send(Response(200), b"")
    assert isinstance(connection.next_event(), Request)
    connection.receive_eof()
    with pytest.raises(LocalProtocolError):
        connection.receive_whole(GET)
