"""Byte tables: what is read and what is refused, each with the section that says so.

They feed the parser tests, the writer tests, the fuzz seeds and the tables in the documentation.
A section is that of RFC 9112 unless another RFC is named; "limit" and "ours" mean that no RFC
says so: a limit of ours, or a choice between what an RFC leaves open.
"""

from __future__ import annotations

from typing import NamedTuple

from headrace.http_parser import (
    Data,
    EndOfMessage,
    Event,
    Fault,
    Informational,
    Limits,
    Request,
    Response,
)


class Accepted(NamedTuple):
    name: str
    data: bytes
    events: tuple[Event, ...]
    section: str


class Refused(NamedTuple):
    name: str
    data: bytes
    fault: Fault
    section: str
    limits: Limits = Limits()


class AcceptedResponse(NamedTuple):
    name: str
    method: bytes
    data: bytes
    events: tuple[Event, ...]
    section: str
    # The body ends with the connection.
    until_close: bool = False


class RefusedResponse(NamedTuple):
    name: str
    method: bytes
    data: bytes
    fault: Fault
    section: str
    limits: Limits = Limits()


HOST = (b"Host", b"a")
TE = (b"Transfer-Encoding", b"chunked")
END = EndOfMessage()


def get(*headers: tuple[bytes, bytes], target: bytes = b"/", **facts: object) -> Request:
    """The event of a GET with a Host and no body."""
    request = Request(b"GET", target, (HOST, *headers), complete=True)
    return request._replace(**facts)  # type: ignore[arg-type]


def chunked(body: bytes, *events: Event, name: str, section: str) -> Accepted:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    request = Request(b"POST", b"/", (HOST, TE))
    return Accepted(name, head + body, (request, *events), section)


def targeted(method: bytes, target: bytes, name: str, section: str) -> Accepted:
    data = b"%b %b HTTP/1.1\r\nHost: a\r\n\r\n" % (method, target)
    return Accepted(name, data, (Request(method, target, (HOST,), complete=True),), section)


def hosted(value: bytes, name: str, section: str = "3.2") -> Accepted:
    data = b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % value
    return Accepted(name, data, (get()._replace(headers=((b"Host", value),)),), section)


ACCEPTED: tuple[Accepted, ...] = (
    Accepted("bare GET", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", (get(),), "3"),
    Accepted("empty line first", b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", (get(),), "2.2"),
    Accepted(
        "method is any token",
        b"!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nHost: a\r\n\r\n",
        (Request(b"!#$%&'*+-.^_`|~09azAZ", b"/", (HOST,), complete=True),),
        "3.1",
    ),
    Accepted(
        "method is case-sensitive",
        b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
        (Request(b"get", b"/", (HOST,), complete=True),),
        "3.1",
    ),
    targeted(b"GET", b"/a/b;c?d=e&f=%20", "origin-form", "3.2.1"),
    targeted(b"GET", b"//a//", "origin-form with empty segments", "3.2.1"),
    targeted(b"GET", b"/?a=[1]|{2}^`\\", "query with what browsers leave raw", "3.2.1, ours"),
    targeted(b"GET", b"http://a/b?c", "absolute-form", "3.2.2"),
    targeted(b"GET", b"http://a?c", "absolute-form without a path", "3.2.2"),
    targeted(b"GET", b"HTTPS://[::1]:8443/", "absolute-form with an IPv6 address", "3.2.2"),
    targeted(b"OPTIONS", b"*", "asterisk-form", "3.2.4"),
    targeted(b"CONNECT", b"example.com:443", "authority-form", "3.2.3"),
    targeted(b"CONNECT", b"[::1]:443", "authority-form with an IPv6 address", "3.2.3"),
    hosted(b"example.com", "Host with a name"),
    hosted(b"example.com:8080", "Host with a port"),
    hosted(b"example.com:", "Host with an empty port"),
    hosted(b"127.0.0.1:80", "Host with an IPv4 address"),
    hosted(b"[::1]", "Host with an IPv6 address"),
    hosted(b"[::ffff:1.2.3.4]:80", "Host with an IPv6 address and port"),
    hosted(b"[v1.a:b]", "Host with a future IP literal"),
    hosted(b"a_b.%41~!$&'()*+,;=", "Host with all a reg-name may hold"),
    hosted(b"", "Host without a value, for a target without authority"),
    Accepted(
        "HTTP/1.0 without Host",
        b"GET / HTTP/1.0\r\n\r\n",
        (Request(b"GET", b"/", (), (1, 0), keep_alive=False, complete=True),),
        "9.3",
    ),
    Accepted(
        "HTTP/1.0 with keep-alive",
        b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        (Request(b"GET", b"/", ((b"Connection", b"Keep-Alive"),), (1, 0), complete=True),),
        "9.3",
    ),
    Accepted(
        "HTTP/1.2 is read as HTTP/1.1",
        b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        (get(version=(1, 2)),),
        "RFC 9110 2.5",
    ),
    Accepted(
        "Connection: close",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        (get((b"Connection", b"close"), keep_alive=False),),
        "9.6",
    ),
    Accepted(
        "close wins over keep-alive, in any case and any line",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nconnection: ,TE , CLOSE\r\n\r\n",
        (get((b"Connection", b"keep-alive"), (b"connection", b",TE , CLOSE"), keep_alive=False),),
        "9.3",
    ),
    Accepted(
        "names keep their case, values lose the white space around them",
        b"GET / HTTP/1.1\r\nhOsT:a\r\nX-y: \t b \t c\t \r\nZ:\r\n\r\n",
        (get()._replace(headers=((b"hOsT", b"a"), (b"X-y", b"b \t c"), (b"Z", b""))),),
        "5.1",
    ),
    Accepted(
        "a repeated header stays repeated and in order",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 2\r\nX: 3\r\n\r\n",
        (get((b"X", b"1"), (b"Y", b"2"), (b"X", b"3")),),
        "RFC 9110 5.3",
    ),
    Accepted(
        "obs-text in a value",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x80\xff\r\n\r\n",
        (get((b"X", b"\x80\xff")),),
        "RFC 9110 5.5",
    ),
    Accepted(
        "a colon in a value",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: b: c:d\r\n\r\n",
        (get((b"X", b"b: c:d")),),
        "5",
    ),
    Accepted(
        "Content-Length",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        (
            Request(b"POST", b"/", (HOST, (b"Content-Length", b"3")), content_length=3),
            Data(b"abc"),
            END,
        ),
        "6.3",
    ),
    Accepted(
        "Content-Length with leading zeros",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0003\r\n\r\nabc",
        (
            Request(b"POST", b"/", (HOST, (b"Content-Length", b"0003")), content_length=3),
            Data(b"abc"),
            END,
        ),
        "RFC 9110 8.6",
    ),
    Accepted(
        "Content-Length of 0",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        (
            Request(
                b"POST", b"/", (HOST, (b"Content-Length", b"0")), complete=True, content_length=0
            ),
        ),
        "6.3",
    ),
    Accepted(
        "a GET with a body",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
        (
            Request(b"GET", b"/", (HOST, (b"Content-Length", b"1")), content_length=1),
            Data(b"x"),
            END,
        ),
        "6",
    ),
    Accepted(
        "Expect: 100-continue",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
        (
            Request(
                b"POST",
                b"/",
                (HOST, (b"Expect", b"100-Continue"), (b"Content-Length", b"1")),
                content_length=1,
                expect_continue=True,
            ),
            Data(b"x"),
            END,
        ),
        "RFC 9110 10.1.1",
    ),
    Accepted(
        "Expect without a body is told all the same",
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
        (get((b"Expect", b"100-continue"))._replace(expect_continue=True),),
        "RFC 9110 10.1.1",
    ),
    Accepted(
        "Expect in HTTP/1.0 is ignored",
        b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        (
            Request(
                b"POST",
                b"/",
                ((b"Expect", b"100-continue"), (b"Content-Length", b"1")),
                (1, 0),
                keep_alive=False,
                content_length=1,
            ),
            Data(b"x"),
            END,
        ),
        "RFC 9110 10.1.1",
    ),
    Accepted(
        "Upgrade",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
        b"Upgrade: websocket, foo/2\r\n\r\n",
        (
            get(
                (b"Connection", b"keep-alive, Upgrade"),
                (b"Upgrade", b"websocket, foo/2"),
                upgrade=b"websocket, foo/2",
            ),
        ),
        "RFC 9110 7.8",
    ),
    Accepted(
        "Upgrade without its connection option is ignored",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
        (get((b"Upgrade", b"websocket")),),
        "RFC 9110 7.8",
    ),
    Accepted(
        "Upgrade in HTTP/1.0 is ignored",
        b"GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        (
            Request(
                b"GET",
                b"/",
                ((b"Upgrade", b"websocket"), (b"Connection", b"upgrade")),
                (1, 0),
                keep_alive=False,
                complete=True,
            ),
        ),
        "RFC 9110 7.8",
    ),
    chunked(b"0\r\n\r\n", END, name="chunked and empty", section="7.1"),
    chunked(
        b"3\r\nabc\r\n0A\r\n0123456789\r\n000\r\n\r\n",
        Data(b"abc"),
        Data(b"0123456789"),
        END,
        name="chunks",
        section="7.1",
    ),
    chunked(
        b'1;a\r\nx\r\n1;b=c;d="e\\"\x80"\r\ny\r\n0;z="\t"\r\n\r\n',
        Data(b"x"),
        Data(b"y"),
        END,
        name="chunk extensions are skipped",
        section="7.1.1",
    ),
    chunked(
        b"1 ;\ta = b\t;c\r\nx\r\n0\r\n\r\n",
        Data(b"x"),
        END,
        name="chunk extensions with white space",
        section="RFC 9110 5.6.3",
    ),
    chunked(
        b"1\r\nx\r\n0\r\nA: b\r\nC:d \r\n\r\n",
        Data(b"x"),
        EndOfMessage(((b"A", b"b"), (b"C", b"d"))),
        name="trailers",
        section="7.1.2",
    ),
    chunked(
        b"0000000000000001\r\nx\r\n0000000000000000\r\n\r\n",
        Data(b"x"),
        END,
        name="chunk sizes of 16 digits",
        section="7.1",
    ),
    Accepted(
        "coding names ignore case",
        b"POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING:\tChunKed \r\n\r\n0\r\n\r\n",
        (Request(b"POST", b"/", (HOST, (b"TRANSFER-ENCODING", b"ChunKed"))), END),
        "7",
    ),
    Accepted(
        "pipelined requests",
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
        b"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx\r\n"
        b"GET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
        (
            get(target=b"/1"),
            Request(b"POST", b"/2", (HOST, (b"Content-Length", b"1")), content_length=1),
            Data(b"x"),
            END,
            get(target=b"/3"),
        ),
        "9.3.2",
    ),
    Accepted(
        "an Upgrade that is not taken goes on as HTTP, body and all",
        b"POST /1 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n"
        b"Content-Length: 2\r\n\r\nhiGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        (
            Request(
                b"POST",
                b"/1",
                (HOST, (b"Connection", b"upgrade"), (b"Upgrade", b"x"), (b"Content-Length", b"2")),
                content_length=2,
                upgrade=b"x",
            ),
            Data(b"hi"),
            END,
            get(target=b"/2"),
        ),
        "RFC 9110 7.8",
    ),
    Accepted(
        "bytes after a message that closes are not read",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        (get((b"Connection", b"close"), keep_alive=False),),
        "9.6",
    ),
)


def line(text: bytes, fault: Fault, name: str, section: str, **limits: int) -> Refused:
    """A request line that is refused."""
    return Refused(name, text + b"\r\nHost: a\r\n\r\n", fault, section, Limits(**limits))


def head(text: bytes, fault: Fault, name: str, section: str, **limits: int) -> Refused:
    """Header lines after the Host that are refused."""
    data = b"POST / HTTP/1.1\r\nHost: a\r\n" + text + b"\r\n\r\n"
    return Refused(name, data, fault, section, Limits(**limits))


def host(value: bytes, name: str, fault: Fault = Fault.HOST) -> Refused:
    return Refused(name, b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % value, fault, "3.2")


def chunk(body: bytes, fault: Fault, name: str, section: str, **limits: int) -> Refused:
    """A chunked body that is refused."""
    data = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    return Refused(name, data, fault, section, Limits(**limits))


def length(value: bytes, name: str, fault: Fault = Fault.CONTENT_LENGTH) -> Refused:
    return head(b"Content-Length: " + value, fault, f"Content-Length {name}", "RFC 9110 8.6")


def coding(value: bytes, name: str, fault: Fault, section: str = "6.1") -> Refused:
    return head(b"Transfer-Encoding: " + value, fault, f"Transfer-Encoding {name}", section)


LINES: tuple[Refused, ...] = (
    Refused("TLS hello", b"\x16\x03\x01\x02\x00\x01", Fault.CONTROL_CHARACTER, "2.2"),
    Refused("lines that end in LF alone", b"GET / HTTP/1.1\nHost: a\n\n", Fault.BARE_LF, "2.2"),
    Refused("LF alone before the request line", b"\nGET / HTTP/1.1", Fault.BARE_LF, "2.2"),
    Refused("CR alone before the request line", b"\rGET / HTTP/1.1", Fault.BARE_CR, "2.2"),
    Refused("two empty lines first", b"\r\n\r\nGET", Fault.EMPTY_LINES, "2.2, limit"),
    Refused(
        "an empty line first, none allowed",
        b"\r\nGET",
        Fault.EMPTY_LINES,
        "2.2, limit",
        Limits(max_leading_empty_lines=0),
    ),
    line(b" GET / HTTP/1.1", Fault.LEADING_SPACE, "space before the request line", "3"),
    line(b"GET / HTTP/1.1 ", Fault.REQUEST_LINE, "space after the request line", "3"),
    line(b"GET  / HTTP/1.1", Fault.REQUEST_LINE, "two spaces in the request line", "3"),
    line(b"GET /a b HTTP/1.1", Fault.REQUEST_LINE, "space in the target", "3.2"),
    line(b"GET\t/ HTTP/1.1", Fault.REQUEST_LINE, "tab in the request line", "3"),
    line(b"GET", Fault.REQUEST_LINE, "method alone", "3"),
    line(b"GET /", Fault.NO_VERSION, "no version (HTTP/0.9)", "3"),
    line(b"GET / HTTP/0.9", Fault.VERSION, "HTTP/0.9 by name", "2.3"),
    line(b"GET / HTTP/2.0", Fault.VERSION, "HTTP/2.0", "2.3"),
    line(b"PRI * HTTP/2.0", Fault.HTTP2_PREFACE, "HTTP/2 preface", "RFC 9113 3.4"),
    line(b"GET / http/1.1", Fault.VERSION_SYNTAX, "version in lower case", "2.3"),
    line(b"GET / HTTP/1", Fault.VERSION_SYNTAX, "version without minor", "2.3"),
    line(b"GET / HTTP/1.10", Fault.VERSION_SYNTAX, "version of three digits", "2.3"),
    line(b"GET / HTTP/1,1", Fault.VERSION_SYNTAX, "version with a comma", "2.3"),
    line(b"GET / HTTP/+1.1", Fault.VERSION_SYNTAX, "version with a sign", "2.3"),
    line(b"GET / HTTPS/1.1", Fault.VERSION_SYNTAX, "version with another name", "2.3"),
    line(b"G(T / HTTP/1.1", Fault.METHOD, "method with a delimiter", "3.1"),
    line(b"G\xc3\x89T / HTTP/1.1", Fault.REQUEST_LINE, "method outside ASCII", "3.1"),
    line(b"G\x00T / HTTP/1.1", Fault.CONTROL_CHARACTER, "NUL in the method", "2.2"),
    line(b"GET /\x00 HTTP/1.1", Fault.CONTROL_CHARACTER, "NUL in the target", "3.2"),
    line(b"GET /\x7f HTTP/1.1", Fault.CONTROL_CHARACTER, "DEL in the target", "3.2"),
    line(b"GET /\xc3\xa9 HTTP/1.1", Fault.REQUEST_LINE, "target outside ASCII", "3.2"),
    line(b"GET /a#b HTTP/1.1", Fault.TARGET, "fragment in the target", "3.2"),
    line(b'GET /" HTTP/1.1', Fault.TARGET, "quote in the target", "3.2"),
    line(b"GET /<> HTTP/1.1", Fault.TARGET, "angle brackets in the target", "3.2"),
    line(b"GET a/b HTTP/1.1", Fault.TARGET, "relative target", "3.2"),
    line(b"GET ?a HTTP/1.1", Fault.TARGET, "query alone as the target", "3.2"),
    line(b"GET * HTTP/1.1", Fault.TARGET, "asterisk-form without OPTIONS", "3.2.4"),
    line(b"GET a:80 HTTP/1.1", Fault.TARGET, "authority-form without CONNECT", "3.2.3"),
    line(b"CONNECT / HTTP/1.1", Fault.TARGET, "CONNECT with a path", "3.2.3"),
    line(b"CONNECT a HTTP/1.1", Fault.TARGET, "CONNECT without a port", "RFC 9110 9.3.6"),
    line(b"CONNECT a: HTTP/1.1", Fault.TARGET, "CONNECT with an empty port", "RFC 9110 9.3.6"),
    line(b"CONNECT a:65536 HTTP/1.1", Fault.TARGET, "CONNECT with port 65536", "RFC 9110 9.3.6"),
    line(b"CONNECT http://a/ HTTP/1.1", Fault.TARGET, "CONNECT with a URI", "3.2.3"),
    line(b"GET http:///a HTTP/1.1", Fault.TARGET, "absolute-form without a host", "RFC 9110 4.2.1"),
    line(b"GET http://u@a/ HTTP/1.1", Fault.TARGET, "userinfo in the target", "RFC 9110 4.2.4"),
    line(b"GET http://a:b/ HTTP/1.1", Fault.TARGET, "absolute-form with a bad port", "3.2.2"),
    line(b"GET urn:a HTTP/1.1", Fault.TARGET, "absolute-form without an authority", "3.2.2, ours"),
    line(
        b"GET /" + b"a" * 30 + b" HTTP/1.1",
        Fault.REQUEST_LINE_TOO_LONG,
        "request line over its limit",
        "3, limit",
        max_request_line=43,
    ),
    Refused(
        "request line over its limit before its end",
        b"GET /" + b"a" * 40,
        Fault.REQUEST_LINE_TOO_LONG,
        "3, limit",
        Limits(max_request_line=44),
    ),
)

FIELDS: tuple[Refused, ...] = (
    head(b"X y: z", Fault.NAME, "space in a name", "RFC 9110 5.1"),
    head(b"X : z", Fault.SPACE_BEFORE_COLON, "space before the colon", "5.1"),
    head(b"X\t: z", Fault.SPACE_BEFORE_COLON, "tab before the colon", "5.1"),
    head(b": z", Fault.EMPTY_NAME, "empty name", "RFC 9110 5.1"),
    head(b"X", Fault.NO_COLON, "no colon", "5"),
    head(b"X(y): z", Fault.NAME, "delimiter in a name", "RFC 9110 5.1"),
    head(b"X\xe9: z", Fault.NAME, "name outside ASCII", "RFC 9110 5.1"),
    head(b"X\x00: z", Fault.CONTROL_CHARACTER, "NUL in a name", "RFC 9110 5.1"),
    head(b"X: \x00", Fault.CONTROL_CHARACTER, "NUL in a value", "RFC 9110 5.5"),
    head(b"X: \x01", Fault.CONTROL_CHARACTER, "control in a value", "RFC 9110 5.5"),
    head(b"X: \x7f", Fault.CONTROL_CHARACTER, "DEL in a value", "RFC 9110 5.5"),
    head(b"X: \x0b", Fault.CONTROL_CHARACTER, "vertical tab in a value", "RFC 9110 5.5"),
    head(b"X: a\rb", Fault.BARE_CR, "bare CR in a value", "2.2"),
    head(b"X: a\nY: b", Fault.BARE_LF, "bare LF in a head", "2.2"),
    head(b"X: a\r\rY: b", Fault.BARE_CR, "CR CR for CR LF", "2.2"),
    head(b"X: a\r\n b", Fault.OBS_FOLD, "obs-fold with a space", "5.2"),
    head(b"X: a\r\n\tb: c", Fault.OBS_FOLD, "obs-fold with a tab", "5.2"),
    Refused(
        "space before the first header",
        b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        Fault.LEADING_SPACE,
        "2.2",
    ),
    Refused(
        "tab before the first header",
        b"GET / HTTP/1.1\r\n\tHost: a\r\n\r\n",
        Fault.LEADING_SPACE,
        "2.2",
    ),
    head(
        b"X: " + b"a" * 30, Fault.HEADER_TOO_LONG, "header over its limit", "limit", max_header=32
    ),
    head(b"X: 1\r\nX: 2", Fault.TOO_MANY_HEADERS, "too many headers", "limit", max_headers=2),
    head(b"X: " + b"a" * 30, Fault.HEAD_TOO_LARGE, "head over its limit", "limit", max_head=62),
    Refused(
        "head over its limit before its end",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100,
        Fault.HEAD_TOO_LARGE,
        "limit",
        Limits(max_head=100),
    ),
)

FRAMING: tuple[Refused, ...] = (
    Refused("no Host", b"GET / HTTP/1.1\r\n\r\n", Fault.HOST_MISSING, "3.2"),
    Refused("no Host in HTTP/1.2", b"GET / HTTP/1.2\r\n\r\n", Fault.HOST_MISSING, "3.2"),
    Refused(
        "no Host though the target names one",
        b"GET http://a/ HTTP/1.1\r\n\r\n",
        Fault.HOST_MISSING,
        "3.2",
    ),
    head(b"Host: a", Fault.HOST_REPEATED, "Host twice", "3.2"),
    host(b"a b", "space in Host"),
    host(b"a\x00b", "NUL in Host", Fault.CONTROL_CHARACTER),
    host(b"a/b", "slash in Host"),
    host(b"a?b", "question mark in Host"),
    host(b"a#b", "hash in Host"),
    host(b"u@a", "userinfo in Host"),
    host(b"a\\b", "backslash in Host"),
    host(b"a,b c", "list in Host"),
    host(b"[::1", "Host with an opening bracket alone"),
    host(b"::1]", "Host with a closing bracket alone"),
    host(b"::1", "IPv6 address in Host without brackets"),
    host(b"[]", "Host with empty brackets"),
    host(b"[1:2]", "Host with half an IPv6 address"),
    host(b"[::1%eth0]", "Host with a zone"),
    host(b"[::1]a", "Host with text after the brackets"),
    host(b":80", "Host without a name but with a port"),
    host(b"a:b", "Host with a port of letters"),
    host(b"a:+80", "Host with a signed port"),
    host(b"a:99999", "Host with a port over 65535"),
    host(b"a:1:2", "Host with two ports"),
    host(b"a%4", "Host with half a percent-encoding"),
    host(b"\xc3\xa9", "Host outside ASCII"),
    host(b"<a>", "Host with angle brackets"),
    length(b"+1", "with a plus"),
    length(b"-1", "with a minus"),
    length(b"1 2", "with a space inside"),
    length(b"1_0", "with an underscore"),
    length(b"\xb2", "with a superscript digit"),
    length(b"\xd9\xa1", "with an Arabic digit"),
    length(b"0x1", "in hexadecimal"),
    length(b"1.0", "with a point"),
    length(b"", "empty"),
    length(b"9223372036854775808", "of 2**63"),
    length(b"00000000000000000001", "of 20 digits"),
    length(b"1, 2", "as a list that differs", Fault.CONTENT_LENGTH_REPEATED),
    length(b"1, 1", "as a list of equals", Fault.CONTENT_LENGTH_REPEATED),
    length(b"1,", "with a comma", Fault.CONTENT_LENGTH_REPEATED),
    length(b"1\r\nContent-Length: 1", "twice and equal", Fault.CONTENT_LENGTH_REPEATED),
    length(b"1\r\ncontent-length: 2", "twice and different", Fault.CONTENT_LENGTH_REPEATED),
    coding(b"chunked\r\nContent-Length: 1", "with a length", Fault.LENGTH_AND_CODING, "6.3"),
    head(
        b"Content-Length: 0\r\nTransfer-Encoding: chunked",
        Fault.LENGTH_AND_CODING,
        "Transfer-Encoding after a length",
        "6.3",
    ),
    Refused(
        "Transfer-Encoding in HTTP/1.0",
        b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
        Fault.CODING_IN_1_0,
        "6.1",
    ),
    head(
        b"Expect: 100-continue, x", Fault.EXPECTATION, "an unknown expectation", "RFC 9110 10.1.1"
    ),
    head(b"Expect: 200-ok", Fault.EXPECTATION, "another expectation", "RFC 9110 10.1.1"),
    coding(b"chunked, chunked", "chunked twice", Fault.CODING_REPEATED),
    coding(b"chunked\r\ntransfer-encoding: chunked", "repeated", Fault.CODING_REPEATED),
    coding(b"chunked, gzip", "that does not end in chunked", Fault.CODING_NOT_FINAL, "6.3"),
    coding(b"chunked\r\nTransfer-Encoding: x", "with x after it", Fault.CODING_NOT_FINAL, "6.3"),
    coding(b"gzip, chunked", "gzip", Fault.CODING_UNKNOWN),
    coding(b"identity", "identity", Fault.CODING_UNKNOWN, "7"),
    coding(b"xchunked", "xchunked", Fault.CODING_UNKNOWN),
    coding(b"chunked-", "chunked-", Fault.CODING_UNKNOWN),
    coding(b"\x0bchunked", "after a vertical tab", Fault.CONTROL_CHARACTER, "2.2"),
    coding(b"\xa0chunked", "after a no-break space", Fault.CODING_SYNTAX),
    coding(b"chu nked", "with a space inside", Fault.CODING_SYNTAX),
    coding(b'"chunked"', "in quotes", Fault.CODING_SYNTAX),
    coding(b"chunked;a=b", "with a parameter", Fault.CODING_SYNTAX, "7.1"),
    coding(b"", "empty", Fault.CODING_SYNTAX),
    coding(b",chunked", "with an empty element", Fault.CODING_SYNTAX, "6.1, ours"),
    head(b"Transfer-Encoding : chunked", Fault.SPACE_BEFORE_COLON, "coding before a space", "5.1"),
    head(b"X: y\r\n Transfer-Encoding: chunked", Fault.OBS_FOLD, "coding in a fold", "5.2"),
    head(b"Connection: keep alive", Fault.CONNECTION, "Connection not of tokens", "RFC 9110 7.6.1"),
    head(
        b"Connection: upgrade\r\nUpgrade: a b",
        Fault.UPGRADE,
        "Upgrade not of protocols",
        "RFC 9110 7.8",
    ),
    head(b"Connection: upgrade\r\nUpgrade: ,", Fault.UPGRADE, "empty Upgrade", "RFC 9110 7.8"),
    Refused(
        "CONNECT with a length",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
        Fault.CONNECT_BODY,
        "RFC 9110 9.3.6",
    ),
    Refused(
        "CONNECT with chunks",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        Fault.CONNECT_BODY,
        "RFC 9110 9.3.6",
    ),
)

CHUNKS: tuple[Refused, ...] = (
    chunk(b"\r\n", Fault.CHUNK_SIZE, "no chunk size", "7.1"),
    chunk(b"g\r\n", Fault.CHUNK_SIZE, "chunk size that is not hexadecimal", "7.1"),
    chunk(b"+1\r\nx", Fault.CHUNK_SIZE, "chunk size with a plus", "7.1"),
    chunk(b"-1\r\nx", Fault.CHUNK_SIZE, "chunk size with a minus", "7.1"),
    chunk(b"0x1\r\nx", Fault.CHUNK_SIZE, "chunk size with 0x", "7.1"),
    chunk(b"1_0\r\nx", Fault.CHUNK_SIZE, "chunk size with an underscore", "7.1"),
    chunk(b" 1\r\nx", Fault.CHUNK_SIZE, "chunk size after a space", "7.1"),
    chunk(b"\xb2\r\nx", Fault.CHUNK_SIZE, "chunk size with a superscript digit", "7.1"),
    chunk(b"00000000000000001\r\nx", Fault.CHUNK_SIZE, "chunk size of 17 digits", "7.1"),
    chunk(b"8000000000000000\r\n", Fault.CHUNK_SIZE_TOO_LARGE, "chunk size of 2**63", "7.1"),
    chunk(b"1\nx", Fault.BARE_LF, "bare LF after a chunk size", "2.2"),
    chunk(b"1\rx", Fault.BARE_CR, "bare CR after a chunk size", "2.2"),
    chunk(b"1 \r\nx", Fault.CHUNK_EXTENSION, "space after a chunk size", "7.1.1"),
    chunk(b"1;a\nx", Fault.BARE_LF, "bare LF in a chunk extension", "7.1.1"),
    chunk(b"1;a\rb\r\nx", Fault.BARE_CR, "bare CR in a chunk extension", "7.1.1"),
    chunk(b"1;a\x00\r\nx", Fault.CONTROL_CHARACTER, "NUL in a chunk extension", "7.1.1"),
    chunk(b'1;a="\x01"\r\nx', Fault.CONTROL_CHARACTER, "control in an extension", "7.1.1"),
    chunk(b"1;\r\nx", Fault.CHUNK_EXTENSION, "chunk extension without a name", "7.1.1"),
    chunk(b"1;a=\r\nx", Fault.CHUNK_EXTENSION, "chunk extension without a value", "7.1.1"),
    chunk(b'1;a="b\r\nx', Fault.CHUNK_EXTENSION, "chunk extension with an open quote", "7.1.1"),
    chunk(b"1 a\r\nx", Fault.CHUNK_EXTENSION, "chunk extension without a semicolon", "7.1.1"),
    chunk(
        b"1;aaaa\r\nx\r\n1;bbb\r\n",
        Fault.CHUNK_EXTENSIONS_TOO_LARGE,
        "chunk extensions over their limit together",
        "7.1.1, limit",
        max_chunk_extensions=8,
    ),
    chunk(
        b"1;" + b"a" * 20,
        Fault.CHUNK_EXTENSIONS_TOO_LARGE,
        "chunk extension over its limit before its end",
        "7.1.1, limit",
        max_chunk_extensions=8,
    ),
    chunk(b"1\r\nxy\r\n", Fault.CHUNK_END, "chunk longer than its size", "7.1"),
    chunk(b"1\r\nx\n", Fault.CHUNK_END, "bare LF after a chunk", "7.1"),
    chunk(b"1\r\nx\r1", Fault.CHUNK_END, "bare CR after a chunk", "7.1"),
    chunk(b"2\r\nx\r\n0\r\n\r\n", Fault.CHUNK_END, "chunk shorter than its size", "7.1"),
    chunk(b"0\r\nX : y\r\n\r\n", Fault.SPACE_BEFORE_COLON, "trailer as bad as a header", "7.1.2"),
    chunk(b"0\r\n X: y\r\n\r\n", Fault.LEADING_SPACE, "space before the first trailer", "7.1.2"),
    chunk(b"0\r\nX: y\nZ: z\r\n\r\n", Fault.BARE_LF, "bare LF in the trailers", "7.1.2"),
    chunk(b"0\r\nX\r\n\r\n", Fault.NO_COLON, "trailer without a colon", "7.1.2"),
    chunk(
        b"0\r\nHost: a\r\n\r\n", Fault.TRAILER_FORBIDDEN, "Host in the trailers", "RFC 9110 6.5.1"
    ),
    chunk(
        b"0\r\nContent-Length: 1\r\n\r\n",
        Fault.TRAILER_FORBIDDEN,
        "Content-Length in the trailers",
        "RFC 9110 6.5.1",
    ),
    chunk(
        b"0\r\nX: y\r\ntransfer-encoding: chunked\r\n\r\n",
        Fault.TRAILER_FORBIDDEN,
        "Transfer-Encoding in the trailers",
        "RFC 9110 6.5.1",
    ),
    chunk(
        b"0\r\nAuthorization: x\r\n\r\n",
        Fault.TRAILER_FORBIDDEN,
        "Authorization in the trailers",
        "RFC 9110 6.5.1",
    ),
    chunk(
        b"0\r\nX: " + b"a" * 20 + b"\r\n\r\n",
        Fault.TRAILERS_TOO_LARGE,
        "trailers over their limit",
        "limit",
        max_trailers=26,
    ),
    chunk(
        b"0\r\nX: 1\r\nX: 2\r\nX: 3\r\n\r\n",
        Fault.TOO_MANY_HEADERS,
        "too many trailers",
        "limit",
        max_headers=2,
    ),
    chunk(
        b"0\r\nX: " + b"a" * 40 + b"\r\n\r\n",
        Fault.HEADER_TOO_LONG,
        "trailer over its limit",
        "limit",
        max_header=42,
    ),
)

REFUSED: tuple[Refused, ...] = (*LINES, *FIELDS, *FRAMING, *CHUNKS)

LEN1 = (b"Content-Length", b"1")

ACCEPTED_RESPONSES: tuple[AcceptedResponse, ...] = (
    AcceptedResponse(
        "Content-Length",
        b"GET",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
        (Response(200, (LEN1,), b"OK", content_length=1), Data(b"x"), END),
        "6.3",
    ),
    AcceptedResponse(
        "empty reason",
        b"GET",
        b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
        (Response(404, ((b"Content-Length", b"0"),), b"", complete=True, content_length=0),),
        "4",
    ),
    AcceptedResponse(
        "reason with obs-text, tab and spaces",
        b"GET",
        b"HTTP/1.1 299 a \tb\xe9\r\nContent-Length: 0\r\n\r\n",
        (
            Response(
                299, ((b"Content-Length", b"0"),), b"a \tb\xe9", complete=True, content_length=0
            ),
        ),
        "4",
    ),
    AcceptedResponse(
        "until close",
        b"GET",
        b"HTTP/1.1 200 OK\r\n\r\nabc",
        (Response(200, (), b"OK", keep_alive=False), Data(b"abc"), END),
        "6.3",
        until_close=True,
    ),
    AcceptedResponse(
        "until close and empty",
        b"GET",
        b"HTTP/1.0 200 OK\r\n\r\n",
        (Response(200, (), b"OK", (1, 0), keep_alive=False), END),
        "6.3",
        until_close=True,
    ),
    AcceptedResponse(
        "chunked with trailers",
        b"GET",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n",
        (Response(200, (TE,), b"OK"), Data(b"x"), EndOfMessage(((b"A", b"b"),))),
        "7.1",
    ),
    AcceptedResponse(
        "HEAD has no body",
        b"HEAD",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n",
        (Response(200, (LEN1,), b"OK", complete=True, content_length=1),),
        "6.3",
    ),
    AcceptedResponse(
        "HEAD has no chunks",
        b"HEAD",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        (Response(200, (TE,), b"OK", complete=True),),
        "6.3",
    ),
    AcceptedResponse(
        "204 has no body",
        b"GET",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        (Response(204, (), b"No Content", complete=True),),
        "6.3",
    ),
    AcceptedResponse(
        "304 has no body whatever its length",
        b"GET",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1\r\n\r\n",
        (Response(304, (LEN1,), b"Not Modified", complete=True, content_length=1),),
        "6.3",
    ),
    AcceptedResponse(
        "interim responses come first",
        b"GET",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        b"HTTP/1.1 204 No Content\r\n\r\n",
        (
            Informational(100, (), b"Continue"),
            Informational(103, ((b"Link", b"x"),), b"Early Hints"),
            Response(204, (), b"No Content", complete=True),
        ),
        "RFC 9110 15.2",
    ),
    AcceptedResponse(
        "Connection: close",
        b"GET",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
        (
            Response(
                200, ((b"Connection", b"close"), LEN1), b"OK", keep_alive=False, content_length=1
            ),
            Data(b"x"),
            END,
        ),
        "9.6",
    ),
    AcceptedResponse(
        "CONNECT is refused with a body",
        b"CONNECT",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 1\r\n\r\nx",
        (Response(403, (LEN1,), b"Forbidden", content_length=1), Data(b"x"), END),
        "RFC 9110 9.3.6",
    ),
    AcceptedResponse(
        "an unknown status of three digits",
        b"GET",
        b"HTTP/1.1 799 x\r\nContent-Length: 0\r\n\r\n",
        (Response(799, ((b"Content-Length", b"0"),), b"x", complete=True, content_length=0),),
        "RFC 9110 15",
    ),
)


def status_line(text: bytes, name: str, fault: Fault = Fault.STATUS_LINE) -> RefusedResponse:
    return RefusedResponse(name, b"GET", text + b"\r\n\r\n", fault, "4")


REFUSED_RESPONSES: tuple[RefusedResponse, ...] = (
    status_line(b"HTTP/1.1 200", "no space after the status"),
    status_line(b"HTTP/1.1  200 OK", "two spaces before the status"),
    status_line(b"HTTP/1.1 20 OK", "status of two digits"),
    status_line(b"HTTP/1.1 2000 OK", "status of four digits"),
    status_line(b"HTTP/1.1 +20 OK", "status with a sign"),
    status_line(b"HTTP/1.1 099 OK", "status under 100"),
    status_line(b"HTTP/1.1 2\xb20 OK", "status with a superscript digit"),
    status_line(b"http/1.1 200 OK", "response version in lower case"),
    status_line(b"ICY 200 OK", "another protocol's status line"),
    status_line(b"", "empty line before the status line"),
    status_line(b" HTTP/1.1 200 OK", "space before the status line", Fault.LEADING_SPACE),
    status_line(b"HTTP/2.0 200 OK", "response version 2.0", Fault.VERSION),
    status_line(b"HTTP/1.1 200 O\x00K", "NUL in a reason", Fault.CONTROL_CHARACTER),
    status_line(b"HTTP/1.1 200 O\rK", "bare CR in a reason", Fault.BARE_CR),
    status_line(b"HTTP/1.1 200 OK\nX: y", "status line that ends in LF alone", Fault.BARE_LF),
    RefusedResponse(
        "status line over its limit",
        b"GET",
        b"HTTP/1.1 200 OK" + b"K" * 20,
        Fault.STATUS_LINE_TOO_LONG,
        "limit",
        Limits(max_request_line=20),
    ),
    RefusedResponse(
        "response with length and coding",
        b"GET",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        Fault.LENGTH_AND_CODING,
        "6.3",
    ),
    RefusedResponse(
        "response with two lengths",
        b"GET",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        Fault.CONTENT_LENGTH_REPEATED,
        "6.3",
    ),
    RefusedResponse(
        "response with an unknown coding",
        b"GET",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        Fault.CODING_UNKNOWN,
        "6.3",
    ),
    RefusedResponse(
        "HTTP/1.0 response with a coding",
        b"GET",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        Fault.CODING_IN_1_0,
        "6.1",
    ),
    RefusedResponse(
        "101 that was not asked for",
        b"GET",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        Fault.SWITCH_UNASKED,
        "RFC 9110 7.8",
    ),
    RefusedResponse(
        "obs-fold in a response",
        b"GET",
        b"HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n",
        Fault.OBS_FOLD,
        "5.2",
    ),
)
