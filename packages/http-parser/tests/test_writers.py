"""What we write: byte tables for both roles, and what may not be written."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

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
    ResponseTemplate,
    Role,
    State,
)
from headrace.http_parser._state import RESPONDER

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"
OLD_KEEP = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
CONNECT = b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
EXPECT = b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
LENGTH2 = (b"Content-Length", b"2")
CHUNKED = (b"transfer-encoding", b"Chunked")
END = EndOfMessage()
SWITCH = Informational(101, [(b"Upgrade", b"x"), (b"Connection", b"upgrade")])


def asked(data: bytes) -> Connection:
    """A server that has received a request."""
    connection = Connection(Role.SERVER)
    connection.receive_data(data)
    assert isinstance(connection.next_event(), Request)
    return connection


# name, request, response, body, written, whether the connection is kept
WHOLE: list[tuple[str, bytes, Response, bytes, bytes, bool]] = [
    ("usual", GET, Response(200, [(b"A", b"b")]), b"hi",
     b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nhi", True),
    ("empty", GET, Response(404), b"",
     b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", True),
    ("length given", GET, Response(200, [LENGTH2]), b"hi",
     b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", True),
    ("length given with zeros", GET, Response(200, [(b"Content-Length", b"02")]), b"hi",
     b"HTTP/1.1 200 OK\r\nContent-Length: 02\r\n\r\nhi", True),
    ("coding given", GET, Response(200, [CHUNKED]), b"hi",
     b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", True),
    ("reason", GET, Response(200, (), b"Fine \xff"), b"",
     b"HTTP/1.1 200 Fine \xff\r\nContent-Length: 0\r\n\r\n", True),
    ("unknown status", GET, Response(299), b"",
     b"HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n", True),
    ("204", GET, Response(204), b"", b"HTTP/1.1 204 No Content\r\n\r\n", True),
    ("205", GET, Response(205), b"",
     b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", True),
    ("304", GET, Response(304, [(b"ETag", b'"a"')]), b"",
     b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", True),
    ("304, close asked for", CLOSE, Response(304), b"",
     b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", False),
    ("304 with a length", GET, Response(304, [LENGTH2]), b"",
     b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", True),
    ("HEAD", HEAD, Response(200), b"hi", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", True),
    ("HEAD, length given", HEAD, Response(200, [LENGTH2]), b"",
     b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", True),
    ("close asked for", CLOSE, Response(200), b"",
     b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", False),
    ("close asked for, keep-alive given", CLOSE, Response(200, [(b"Connection", b"keep-alive")]),
     b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", False),
    ("close given", GET, Response(200, [(b"Connection", b"Close")]), b"",
     b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", False),
    ("HTTP/1.0", OLD, Response(200), b"hi",
     b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi", False),
    ("HTTP/1.0 with keep-alive", OLD_KEEP, Response(200), b"hi",
     b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi", True),
    ("HTTP/1.0 with keep-alive given", OLD_KEEP, Response(200, [(b"Connection", b"Keep-Alive")]),
     b"", b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", True),
    ("no to CONNECT", CONNECT, Response(403), b"no",
     b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", True),
    ("no to an upgrade", UPGRADE, Response(200), b"",
     b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
    ("no to an expectation", EXPECT, Response(417), b"",
     b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", False),
    ("its version is ours", GET, Response(200, (), b"", (1, 0)), b"",
     b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "response", "body", "written", "kept"),
                         [case[1:] for case in WHOLE], ids=[case[0] for case in WHOLE])  # fmt: skip
def test_response_written_whole(
    request_: bytes, response: Response, body: bytes, written: bytes, kept: bool
) -> None:
    connection = asked(request_)
    assert connection.send(response, body) == written
    assert connection._keep_alive is kept
    if request_ is not EXPECT:
        assert connection.our_state is (State.IDLE if kept else State.MUST_CLOSE)


@pytest.mark.parametrize(("request_", "response", "body", "written", "kept"),
                         [case[1:] for case in WHOLE], ids=[case[0] for case in WHOLE])  # fmt: skip
def test_a_template_is_sent_as_its_response_is(
    request_: bytes, response: Response, body: bytes, written: bytes, kept: bool
) -> None:
    if any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in response[1]):
        with pytest.raises(LocalProtocolError):
            ResponseTemplate(response)
        return
    template = ResponseTemplate(response)
    for _ in range(2):
        connection = asked(request_)
        assert connection.send_template(template, body) == written
        assert connection._keep_alive is kept
        if response.status < 400:
            # What it answers has its answer.
            with pytest.raises(LocalProtocolError):
                connection.send_template(template, body)
            with pytest.raises(LocalProtocolError):
                connection.send(response, body)


def test_a_template_is_sent_with_the_length_of_each_body() -> None:
    response = Response(200, [(b"A", b"b")])
    template = ResponseTemplate(response)
    for body in (b"one", b"three", b"one", b"two", b"", b"one"):
        assert asked(GET).send_template(template, body) == asked(GET).send(response, body)


def test_a_template_is_checked_when_it_is_made() -> None:
    for response in (Response(200, [(b"A", b"b\r\nC: d")]), Response(200, (), b"a\nb")):
        with pytest.raises(LocalProtocolError):
            ResponseTemplate(response)


# name, request, events, written, whether the connection is kept
PIECES: list[tuple[str, bytes, list[Event], bytes, bool]] = [
    ("chunked", GET, [Response(200), Data(b"hi"), Data(b""), Data(b"x" * 16), END],
     (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      b"2\r\nhi\r\n10\r\nxxxxxxxxxxxxxxxx\r\n0\r\n\r\n"), True),
    ("trailers", GET, [Response(200), EndOfMessage([(b"A", b"b")])],
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n", True),
    ("length", GET, [Response(200, [LENGTH2]), Data(b"h"), Data(b"i"), END],
     b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", True),
    ("to HTTP/1.0 until close", OLD_KEEP, [Response(200), Data(b"hi"), END],
     b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhi", False),
    ("HEAD drops its body", HEAD, [Response(200, [LENGTH2]), Data(b"hi"), END],
     b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", True),
    ("HEAD without a length", HEAD, [Response(200), END], b"HTTP/1.1 200 OK\r\n\r\n", True),
    ("204", GET, [Response(204), END], b"HTTP/1.1 204 No Content\r\n\r\n", True),
    ("205", GET, [Response(205), END],
     b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", True),
    ("interim", GET, [Informational(103, [(b"Link", b"x")]), Response(204), END],
     b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", True),
    ("100 as expected", EXPECT, [Informational(100), Response(204), END],
     b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", True),
    ("no to an upgrade", UPGRADE, [Response(204), END],
     b"HTTP/1.1 204 No Content\r\n\r\n", True),
    ("no to an upgrade that closes", UPGRADE.replace(b": upgrade", b": close, upgrade"),
     [Response(204), END], b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "events", "written", "kept"),
    [case[1:] for case in PIECES],
    ids=[case[0] for case in PIECES],
)
def test_response_written_in_pieces(
    request_: bytes, events: list[Event], written: bytes, kept: bool
) -> None:
    connection = asked(request_)
    assert b"".join([connection.send(event) for event in events]) == written
    assert connection._keep_alive is kept


def test_connect_answered_with_2xx_becomes_a_tunnel() -> None:
    connection = asked(CONNECT + b"\x00tunnel")
    assert connection.next_event() is PAUSED
    assert connection.send(Response(200, [(b"A", b"b")]), b"") == b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
    assert (connection.our_state, connection.their_state) == (State.SWITCHED, State.SWITCHED)
    assert (connection.trailing_data, connection.trailing_data) == (b"\x00tunnel", b"")
    assert connection.next_event() is PAUSED
    assert not connection.keep_alive
    with pytest.raises(LocalProtocolError, match="after the end of HTTP"):
        connection.receive_data(b"x")


def test_upgrade_answered_with_101_switches() -> None:
    connection = asked(UPGRADE + b"frames")
    assert connection.next_event() is PAUSED
    assert connection.trailing_data == b""
    written = connection.send(SWITCH)
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    assert written == head
    assert connection.trailing_data == b"frames"


INJECTIONS: list[tuple[str, Iterable[object]]] = [
    ("CR LF in a value", [(b"A", b"b\r\nC: d")]),
    ("CR in a value", [(b"A", b"b\rc")]),
    ("LF in a value", [(b"A", b"b\nc")]),
    ("NUL in a value", [(b"A", b"b\x00")]),
    ("DEL in a value", [(b"A", b"\x7f")]),
    ("space before a value", [(b"A", b" b")]),
    ("tab after a value", [(b"A", b"b\t")]),
    ("empty name", [(b"", b"b")]),
    ("space in a name", [(b"A ", b"b")]),
    ("colon in a name", [(b"A:", b"b")]),
    ("CR LF in a name", [(b"A\r\nB", b"b")]),
    ("name outside ASCII", [(b"\xc3\x84", b"b")]),
    ("text name", [("A", b"b")]),
    ("text value", [(b"A", "b")]),
    ("three parts", [(b"A", b"b", b"c")]),
    ("no pair", [b"A"]),
]


@pytest.mark.parametrize("headers", [case[1] for case in INJECTIONS],
                         ids=[case[0] for case in INJECTIONS])  # fmt: skip
@pytest.mark.parametrize("body", [None, b""])
def test_no_injection_through_headers(headers: list[object], body: bytes | None) -> None:
    connection = asked(GET)
    with pytest.raises(LocalProtocolError, match="header"):
        connection.send(Response(200, headers), body)  # type: ignore[arg-type]
    assert connection.our_state is State.SEND_RESPONSE
    with pytest.raises(LocalProtocolError, match="header"):
        connection.send(Informational(103, headers))  # type: ignore[arg-type]
    client = Connection(Role.CLIENT)
    with pytest.raises(LocalProtocolError, match="header"):
        client.send(Request(b"GET", b"/", headers), body)  # type: ignore[arg-type]
    assert (client.our_state, client.their_state) == (State.IDLE, State.IDLE)


@pytest.mark.parametrize("reason", [b"a\r\nb", b"\n", b"\x00", b"\x7f"])
def test_no_injection_through_reasons(reason: bytes) -> None:
    connection = asked(GET)
    with pytest.raises(LocalProtocolError, match="reason"):
        connection.send(Response(200, (), reason), b"")


# name, request, events before, event, body, text
FORBIDDEN: list[tuple[str, bytes, list[Event], Event, bytes | None, str]] = [
    ("body over its length", GET, [], Response(200, [LENGTH2]), b"hi!", "longer than announced"),
    ("body under its length", GET, [], Response(200, [LENGTH2]), b"h", "shorter than announced"),
    ("data over its length", GET, [Response(200, [LENGTH2]), Data(b"h")], Data(b"i!"), None,
     "longer than announced"),
    ("end before its length", GET, [Response(200, [LENGTH2]), Data(b"h")], END, None,
     "shorter than announced by 1 bytes"),
    ("204 with a body", GET, [], Response(204), b"x", "longer than announced"),
    ("304 with data", GET, [Response(304)], Data(b"x"), None, "longer than announced"),
    ("204 with a length", GET, [], Response(204, [(b"Content-Length", b"0")]), b"", "204"),
    ("204 with a coding", GET, [], Response(204, [CHUNKED]), None, "204"),
    ("103 with a length", GET, [], Informational(103, [LENGTH2]), None, "interim"),
    ("103 with a coding", GET, [], Informational(103, [CHUNKED]), None, "interim"),
    ("coding to HTTP/1.0", OLD, [], Response(200, [CHUNKED]), None, "HTTP/1.0"),
    ("coding in a HEAD's answer to HTTP/1.0", OLD.replace(b"GET", b"HEAD"), [],
     Response(200, [CHUNKED]), None, "HTTP/1.0"),
    ("interim to HTTP/1.0", OLD, [], Informational(100), None, "HTTP/1.0"),
    ("length and coding", GET, [], Response(200, [LENGTH2, CHUNKED]), None, "both"),
    ("two lengths", GET, [], Response(200, [LENGTH2, LENGTH2]), None, "more than once"),
    ("length that is none", GET, [], Response(200, [(b"Content-Length", b"+2")]), b"hi", "digits"),
    ("unknown coding", GET, [], Response(200, [(b"Transfer-Encoding", b"gzip")]), None, "coding"),
    ("Connection that is no list", GET, [], Response(200, [(b"Connection", b"a b")]), b"",
     "tokens"),
    ("status of three digits too many", GET, [], Response(1000), b"", "1000 is not the status"),
    ("interim status as final", GET, [], Response(100), b"", "100 is not the status"),
    ("final status as interim", GET, [], Informational(200), None, "200 is not the status"),
    ("101 unasked", GET, [], SWITCH, None, "no upgrade was asked for"),
    ("101 to CONNECT", CONNECT, [], SWITCH, None, "no upgrade was asked for"),
    ("101 before the request's end", UPGRADE[:-2] + b"Content-Length: 1\r\n\r\n", [],
     SWITCH, None, "its request is not read"),
    ("101 without a protocol", UPGRADE, [], Informational(101), None, "names its protocol"),
    ("101 without the option", UPGRADE, [], Informational(101, [(b"Upgrade", b"x")]), None,
     "names its protocol"),
    ("205 with a body", GET, [], Response(205), b"x", "205"),
    ("205 with a length", GET, [], Response(205, [LENGTH2]), None, "205"),
    ("205 with a coding", GET, [], Response(205, [CHUNKED]), None, "205"),
    ("205 with data", GET, [Response(205)], Data(b"x"), None, "longer than announced"),
    ("tunnel with a body", CONNECT, [], Response(200), b"x", "CONNECT"),
    ("tunnel with a length", CONNECT, [], Response(200, [LENGTH2]), None, "CONNECT"),
    ("trailers without chunks", GET, [Response(200, [LENGTH2]), Data(b"hi")],
     EndOfMessage([(b"A", b"b")]), None, "trailers"),
    ("forbidden trailer", GET, [Response(200)], EndOfMessage([(b"content-length", b"1")]), None,
     "may only stand in the head"),
    ("injection through a trailer", GET, [Response(200)], EndOfMessage([(b"A", b"\r\n")]), None,
     "control"),
    ("data before a head", GET, [], Data(b"x"), None, "Data cannot be sent"),
    ("end before a head", GET, [], END, None, "EndOfMessage cannot be sent"),
    ("request from a server", GET, [], Request(b"GET", b"/"), None, "Request cannot be sent"),
    ("two responses", GET, [Response(200)], Response(200), None, "Response cannot be sent"),
    ("interim after final", GET, [Response(200)], Informational(100), None, "cannot be sent"),
    ("end without a beginning", GET, [], ConnectionClosed(), None, "cannot be sent"),
    ("data with a body", GET, [Response(200)], Data(b""), b"x", "only a request or a response"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "before", "event", "body", "text"),
                         [case[1:] for case in FORBIDDEN],
                         ids=[case[0] for case in FORBIDDEN])  # fmt: skip
def test_what_a_server_may_not_send(
    request_: bytes, before: list[Event], event: Event, body: bytes | None, text: str
) -> None:
    connection = asked(request_)
    for earlier in before:
        connection.send(earlier)
    states = connection.our_state, connection.their_state
    with pytest.raises(LocalProtocolError, match=text):
        connection.send(event, body)
    assert (connection.our_state, connection.their_state) == states


def test_a_server_may_end_a_silent_connection() -> None:
    connection = Connection(Role.SERVER)
    with pytest.raises(LocalProtocolError, match="no request was received"):
        connection.send(Response(200), b"")
    written = connection.send(Response(408), b"")
    head = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    assert written == head
    assert connection.next_event() == ConnectionClosed()


def test_the_answer_to_silence_has_a_body_though_the_last_request_was_head() -> None:
    connection = asked(HEAD)
    connection.send(Response(200), b"hi")
    assert connection.send(Response(408), b"late").endswith(b"\r\n\r\nlate")


HOST = (b"Host", b"a")
# name, request, body, written
REQUESTS: list[tuple[str, Request, bytes | None, bytes]] = [
    ("GET", Request(b"GET", b"/", [HOST]), b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("POST of nothing", Request(b"POST", b"/", [HOST]), b"",
     b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
    ("POST", Request(b"POST", b"/", [HOST]), b"hi",
     b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"),
    ("GET with a body", Request(b"GET", b"/", [HOST]), b"hi",
     b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"),
    ("chunked", Request(b"POST", b"/", [HOST, CHUNKED]), b"hi",
     b"POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
    ("HTTP/1.0", Request(b"GET", b"/", version=(1, 0)), b"", b"GET / HTTP/1.0\r\n\r\n"),
    ("CONNECT", Request(b"CONNECT", b"a:1", [HOST]), b"",
     b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no end yet", Request(b"GET", b"/", [HOST]), None, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "body", "written"), [case[1:] for case in REQUESTS],
                         ids=[case[0] for case in REQUESTS])  # fmt: skip
def test_request_written(event: Request, body: bytes | None, written: bytes) -> None:
    connection = Connection(Role.CLIENT)
    assert connection.send(event, body) == written
    assert connection.their_state is State.SEND_RESPONSE


BAD_REQUESTS: list[tuple[str, Request, bytes | None, str]] = [
    ("no Host", Request(b"GET", b"/"), b"", "Host"),
    ("two Hosts", Request(b"GET", b"/", [HOST, HOST]), b"", "Host"),
    ("bad Host", Request(b"GET", b"/", [(b"Host", b"a/b")]), b"", "Host"),
    ("bad method", Request(b"G T", b"/", [HOST]), b"", "method"),
    ("empty method", Request(b"", b"/", [HOST]), b"", "method"),
    ("CR LF in the target", Request(b"GET", b"/\r\n", [HOST]), b"", "target"),
    ("space in the target", Request(b"GET", b"/ /", [HOST]), b"", "target"),
    ("empty target", Request(b"GET", b"", [HOST]), b"", "target"),
    ("target of no form", Request(b"GET", b"a", [HOST]), b"", "target"),
    ("version 2", Request(b"GET", b"/", [HOST], (2, 0)), b"", "HTTP/1.0 and HTTP/1.1"),
    ("coding in HTTP/1.0", Request(b"POST", b"/", [CHUNKED], (1, 0)), b"", "HTTP/1.0"),
    ("body over its length", Request(b"POST", b"/", [HOST, LENGTH2]), b"hi!", "longer"),
    ("body under its length", Request(b"POST", b"/", [HOST, LENGTH2]), b"h", "shorter"),
    (
        "expectation without a body",
        Request(b"GET", b"/", [HOST, (b"Expect", b"100-continue")]),
        b"",
        "100-continue",
    ),
    ("CONNECT with a body", Request(b"CONNECT", b"a:1", [HOST]), b"x", "CONNECT"),
    ("CONNECT with a length", Request(b"CONNECT", b"a:1", [HOST, LENGTH2]), None, "CONNECT"),
]


@pytest.mark.parametrize(("event", "body", "text"), [case[1:] for case in BAD_REQUESTS],
                         ids=[case[0] for case in BAD_REQUESTS])  # fmt: skip
def test_what_a_client_may_not_send(event: Request, body: bytes | None, text: str) -> None:
    connection = Connection(Role.CLIENT)
    with pytest.raises(LocalProtocolError, match=text):
        connection.send(event, body)
    assert (connection.our_state, connection.their_state) == (State.IDLE, State.IDLE)


def test_a_request_without_an_announced_body_has_none() -> None:
    connection = Connection(Role.CLIENT)
    connection.send(Request(b"GET", b"/", [HOST]))
    with pytest.raises(LocalProtocolError, match="longer than announced"):
        connection.send(Data(b"x"))
    assert connection.send(END) == b""
    assert connection.next_event() is NEED_DATA


def test_the_short_cut_of_send_is_what_the_table_says() -> None:
    assert Response in RESPONDER[State.SEND_RESPONSE]
