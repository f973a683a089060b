"""The byte tables through a connection, whole and in any pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from drive import as_events, merged, run

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
        assert whole[3] == body
        assert run([data])[0] == as_events(whole)
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


def test_a_whole_request_is_answered_by_its_own_method() -> None:
    connection = Connection(Role.SERVER)
    for method in (b"GET", b"HEAD", b"GET", b"PATCH", b"CONNECT", b"DELETE"):
        data = GET.replace(b"GET", method)
        if method == b"CONNECT":
            data = data.replace(b"/a", b"a:1")
        whole = connection.receive_whole(data)
        assert (whole is None) is (method in (b"HEAD", b"CONNECT"))
        if whole is None:
            request = connection.next_event()
            assert isinstance(request, Request)
            assert request.method == method
        else:
            assert whole[:2] == (method.decode(), "/a")
        written = connection.send(Response(404), b"body")
        assert written.endswith(b"\r\n\r\n" if method == b"HEAD" else b"\r\n\r\nbody")


OK = b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nhi"


def asking(method: bytes = b"GET") -> Connection:
    connection = Connection(Role.CLIENT)
    connection.send(Request(method, b"/", ((b"Host", b"a"),)), b"")
    return connection


def test_whole_responses_are_read_by_the_short_way() -> None:
    connection = Connection(Role.CLIENT)
    for body in (b"", b"hi", b"hi", b"hey"):
        connection.send(Request(b"GET", b"/", ((b"Host", b"a"),)), b"")
        data = OK[:-2].replace(b"2\r\n\r\n", b"%d\r\n\r\n" % len(body)) + body
        whole = connection.receive_whole_response(data)
        assert whole is not None
        response, received = whole
        assert received == body
        events = [response, Data(body), EndOfMessage()] if body else [response]
        assert run([data], method=b"GET")[0] == events
        assert connection.next_event() is NEED_DATA


@pytest.mark.parametrize(
    ("method", "data"),
    [
        (b"GET", OK[:-1]),
        (b"GET", OK + b"!"),
        (b"GET", OK.replace(b"A: b", b"Connection: close")),
        (b"GET", OK.replace(b"A: b", b"Content-Length: 2")),
        (b"GET", OK.replace(b"1.1", b"1.0")),
        (b"GET", OK.replace(b"A: b", b"Transfer-Encoding: chunked")),
        (b"GET", OK.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked")),
        (b"GET", OK.replace(b"200", b"304")),
        (b"GET", b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n"),
        (b"GET", b"HTTP/1.1 204 None\r\nContent-Length: 0\r\n\r\n"),
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        (b"GET", b"HTTP/1.1 200 OK\r\n\r\n"),
        (b"GET", b"nonsense"),
    ],
)
def test_what_is_not_one_usual_response_is_left_to_next_event(method: bytes, data: bytes) -> None:
    connection = asking(method)
    assert connection.receive_whole_response(data) is None
    assert connection.buffered == len(data)
    events, fault = run([data], method=method)
    if fault is None and events:
        assert connection.next_event() == events[0]


def test_an_answer_that_closes_the_connection_early_is_no_usual_one() -> None:
    connection = Connection(Role.CLIENT)
    closing = Request(b"GET", b"/", ((b"Host", b"a"), (b"Connection", b"close")))
    connection.send(closing, b"")
    assert connection.receive_whole_response(OK) is None
    early = Connection(Role.CLIENT)
    early.send(Request(b"POST", b"/", ((b"Host", b"a"), (b"Content-Length", b"9"))))
    assert early.receive_whole_response(OK) is None
    ended = asking()
    ended.receive_eof()
    with pytest.raises(LocalProtocolError):
        ended.receive_whole_response(OK)


def test_bytes_on_top_of_an_unfinished_response_are_no_whole_one() -> None:
    connection = asking()
    assert connection.receive_whole_response(OK[:9]) is None
    assert connection.next_event() is NEED_DATA
    assert connection.receive_whole_response(OK[9:]) is None
    assert isinstance(connection.next_event(), Response)


@pytest.mark.parametrize("headers", [((b"Host", b"a"),), [(b"Host", b"a")]])
@pytest.mark.parametrize("method", [b"GET", b"POST", b"HEAD"])
def test_a_request_may_be_sent_again(method: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
    connection = Connection(Role.CLIENT)
    request = Request(method, b"/", headers)
    other = Request(b"PUT", b"/other", headers)
    written = []
    for event in (request, request, other, request, request):
        written.append(connection.send(event, b""))
        connection.receive_data(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert isinstance(connection.next_event(), Response)
        assert connection.next_event() is NEED_DATA
    assert written[0] == written[1] == written[3] == written[4] != written[2]
    connection.send(request, b"")
    with pytest.raises(LocalProtocolError):
        connection.send(request, b"")


def test_headers_that_changed_are_sent_as_they_are_now() -> None:
    connection = Connection(Role.CLIENT)
    headers = [(b"Host", b"a")]
    request = Request(b"GET", b"/", headers)
    for name in (b"a", b"b"):
        headers[0] = (b"Host", name)
        assert b"Host: " + name in connection.send(request, b"")
        assert connection.receive_whole_response(OK) is not None


def test_a_whole_request_after_an_older_one_is_answered_by_its_own_version() -> None:
    connection = Connection(Role.SERVER)
    kept = GET.replace(b"Host", b"Connection: keep-alive\r\nHost")
    for data, version in ((kept, (1, 1)), (kept.replace(b"1.1", b"1.0"), (1, 0)), (kept, (1, 1))):
        whole = connection.receive_whole(data)
        if whole is None:
            request = connection.next_event()
            assert isinstance(request, Request)
            assert request.version == version
        else:
            assert version == (1, 1)
        streamed = connection.send(Response(200))
        assert (b"Transfer-Encoding: chunked" in streamed) is (version == (1, 1))
        if version == (1, 0):
            # Its answer ends with the connection.
            connection = Connection(Role.SERVER)
            connection.receive_data(data)
            connection.next_event()
            connection.send(Response(200), b"")
        else:
            connection.send(EndOfMessage())
