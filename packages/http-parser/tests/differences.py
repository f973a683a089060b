"""Where other parsers judge otherwise than we do, by name, with the RFC's word on it.

`test_differential.py` proves that these tables are complete. The sections are of RFC 9112 unless
another RFC is named.
"""

from __future__ import annotations

from typing import Final

from headrace.http_parser import Fault

# What a peer refuses and we accept, by words of its error, on any input.
STRICTER: Final[dict[str, dict[str, str]]] = {
    "h11": {
        "no request line received": "2.2: a server SHOULD ignore at least one empty line before"
        " the request line",
        "illegal chunk header": "7.1.1: white space around a semicolon or equals sign is BWS,"
        " which RFC 9110 5.6.3 says a recipient MUST parse and remove",
        "Got data when expecting EOF": "9.6: what follows a closing message MUST NOT be processed;"
        " we drop it and answer, h11 raises before the answer can be sent",
    },
    "httptools": {
        "Invalid method encountered": "RFC 9110 9.1: a method is any token; which are implemented"
        " is for the server to answer with 501",
        "Expected space after method": "RFC 9110 9.1: the same, for a method that begins like a"
        " known one",
        "Invalid HTTP version": "RFC 9110 2.5: a recipient of a higher minor version processes"
        " the message as its own highest of that major version",
        "Invalid character in chunk size": "7.1.1: BWS before a semicolon, as for h11",
        "Invalid character in chunk extensions": "7.1.1: BWS or a quoted string there is legal",
        "Request has invalid `Transfer-Encoding`": "5: white space after a value is no part of it",
        "Data after `Connection: close`": "9.6: MUST NOT be processed; we drop it and answer",
        "Unexpected char in url schema": "3.2.2 and RFC 3986 3.1: a scheme may hold digits and"
        " '+-.'",
    },
}

# What we refuse and a peer accepts, by our fault, on any input.
LENIENT_FAULTS: Final[dict[Fault, str]] = {
    Fault.BARE_CR: "2.2: a recipient of a bare CR MUST consider the element invalid or replace it",
    Fault.BARE_LF: "2.2: a recipient MAY take a single LF for a line end; ours is to refuse it, as"
    " two readers that differ would read two different messages",
    Fault.CHUNK_EXTENSION: "7.1.1: the grammar",
    Fault.CHUNK_SIZE: "7.1: a recipient MUST guard against overlong numbers; ours is 16 digits",
    Fault.CHUNK_SIZE_TOO_LARGE: "7.1: a recipient MUST guard against an overflow",
    Fault.CODING_IN_1_0: "6.1: MUST be treated as faulty framing",
    Fault.CODING_SYNTAX: "6.1: a list of codings; ours is that it holds no empty elements",
    Fault.CODING_UNKNOWN: "6.1: SHOULD respond with 501",
    Fault.CONNECTION: "RFC 9110 7.6.1: a list of tokens",
    Fault.CONNECT_BODY: "RFC 9110 9.3.6: a CONNECT request has no content",
    Fault.CONTENT_LENGTH: "RFC 9110 8.6: a recipient MUST anticipate large numbers and prevent"
    " overflow",
    Fault.CONTENT_LENGTH_REPEATED: "6.3: equal values may be accepted or rejected",
    Fault.CONTROL_CHARACTER: "RFC 9110 5.5: invalid in a value; a recipient MUST refuse or replace"
    " CR, LF and NUL, the others are in no production",
    Fault.EMPTY_LINES: "2.2: at least one empty line; ours is max_leading_empty_lines",
    Fault.EXPECTATION: "RFC 9110 10.1.1: an unknown expectation may be answered with 417",
    Fault.HOST: "3.2: a server MUST respond with 400 to an invalid Host",
    Fault.HOST_MISSING: "3.2: a server MUST respond with 400",
    Fault.HOST_REPEATED: "3.2: a server MUST respond with 400",
    Fault.HTTP2_PREFACE: "2.3: another major version; RFC 9113 3.4 is its preface",
    Fault.LENGTH_AND_CODING: "6.3: ought to be handled as an error",
    Fault.NO_VERSION: "2.3, 3: HTTP/0.9 is no form of HTTP/1.1",
    Fault.OBS_FOLD: "5.2: a server MUST reject it or replace it",
    Fault.REQUEST_LINE: "3: single spaces; leniency MAY be, and is a risk that section 11.2 names",
    Fault.TARGET: "3.2: the four forms, and which method takes which",
    Fault.TRAILER_FORBIDDEN: "RFC 9110 6.5.1: MUST NOT be generated, and MUST NOT be merged",
    Fault.UPGRADE: "RFC 9110 7.8: the grammar",
    Fault.VERSION: "RFC 9110 2.5, 15.6.6: another major version is answered with 505",
}

# Byte tables that both peers refuse and we accept.
BOTH_REFUSE: Final[dict[str, str]] = {
    "chunk extensions with white space": "7.1.1: BWS, which RFC 9110 5.6.3 says a recipient MUST"
    " parse and remove",
    "bytes after a message that closes are not read": "9.6: MUST NOT be processed; both raise an"
    " error over bytes that we do not look at",
}

# Byte tables that both accept and read differently.
READ_OTHERWISE: Final[dict[str, dict[str, str]]] = {
    "h11": {
        "coding names ignore case": "h11 lowers the value; RFC 9110 5.5 does not ask for it",
    },
    "httptools": {
        "names keep their case, values lose the white space around them": "5.1: white space after"
        " the value is no part of it, httptools leaves it there",
        "coding names ignore case": "5.1: the same",
        "trailers": "7.1.2: trailers are to be kept apart; httptools gives them as headers",
        "an Upgrade that is not taken goes on as HTTP, body and all": "RFC 9110 7.8:"
        " the server chooses; httptools stops at the head and loses the body",
    },
}

# Byte tables that we refuse and a peer does not.
LENIENT: Final[dict[str, frozenset[str]]] = {
    "h11": frozenset(
        (
            "an unknown expectation",
            "another expectation",
            "lines that end in LF alone",
            "HTTP/0.9 by name",
            "HTTP/2.0",
            "HTTP/2 preface",
            "fragment in the target",
            "quote in the target",
            "angle brackets in the target",
            "relative target",
            "query alone as the target",
            "asterisk-form without OPTIONS",
            "authority-form without CONNECT",
            "CONNECT with a path",
            "CONNECT without a port",
            "CONNECT with an empty port",
            "CONNECT with port 65536",
            "CONNECT with a URI",
            "absolute-form without a host",
            "userinfo in the target",
            "absolute-form with a bad port",
            "absolute-form without an authority",
            "control in a value",
            "DEL in a value",
            "bare LF in a head",
            "obs-fold with a space",
            "obs-fold with a tab",
            "no Host in HTTP/1.2",
            "space in Host",
            "slash in Host",
            "question mark in Host",
            "hash in Host",
            "userinfo in Host",
            "backslash in Host",
            "list in Host",
            "Host with an opening bracket alone",
            "Host with a closing bracket alone",
            "IPv6 address in Host without brackets",
            "Host with empty brackets",
            "Host with half an IPv6 address",
            "Host with a zone",
            "Host with text after the brackets",
            "Host without a name but with a port",
            "Host with a port of letters",
            "Host with a signed port",
            "Host with a port over 65535",
            "Host with two ports",
            "Host with half a percent-encoding",
            "Host outside ASCII",
            "Host with angle brackets",
            "Content-Length of 2**63",
            "Content-Length of 20 digits",
            "Content-Length as a list of equals",
            "Content-Length twice and equal",
            "Transfer-Encoding with a length",
            "Transfer-Encoding after a length",
            "Transfer-Encoding in HTTP/1.0",
            "coding in a fold",
            "Connection not of tokens",
            "Upgrade not of protocols",
            "empty Upgrade",
            "CONNECT with a length",
            "CONNECT with chunks",
            "chunk size of 17 digits",
            "chunk size of 2**63",
            "bare LF after a chunk size",
            "bare CR after a chunk size",
            "space after a chunk size",
            "bare LF in a chunk extension",
            "bare CR in a chunk extension",
            "NUL in a chunk extension",
            "control in an extension",
            "chunk extension without a name",
            "chunk extension without a value",
            "chunk extension with an open quote",
            "bare LF in the trailers",
            "Host in the trailers",
            "Content-Length in the trailers",
            "Transfer-Encoding in the trailers",
            "Authorization in the trailers",
        )
    ),
    "httptools": frozenset(
        (
            "an unknown expectation",
            "another expectation",
            "LF alone before the request line",
            "CR alone before the request line",
            "two empty lines first",
            "two spaces in the request line",
            "no version (HTTP/0.9)",
            "HTTP/0.9 by name",
            "HTTP/2.0",
            "fragment in the target",
            "quote in the target",
            "angle brackets in the target",
            "asterisk-form without OPTIONS",
            "CONNECT with a path",
            "CONNECT without a port",
            "CONNECT with an empty port",
            "CONNECT with port 65536",
            "CONNECT with a URI",
            "absolute-form without a host",
            "userinfo in the target",
            "absolute-form with a bad port",
            "no Host",
            "no Host though the target names one",
            "Host twice",
            "space in Host",
            "slash in Host",
            "question mark in Host",
            "hash in Host",
            "userinfo in Host",
            "backslash in Host",
            "list in Host",
            "Host with an opening bracket alone",
            "Host with a closing bracket alone",
            "IPv6 address in Host without brackets",
            "Host with empty brackets",
            "Host with half an IPv6 address",
            "Host with a zone",
            "Host with text after the brackets",
            "Host without a name but with a port",
            "Host with a port of letters",
            "Host with a signed port",
            "Host with a port over 65535",
            "Host with two ports",
            "Host with half a percent-encoding",
            "Host outside ASCII",
            "Host with angle brackets",
            "Content-Length of 2**63",
            "Content-Length of 20 digits",
            "Transfer-Encoding in HTTP/1.0",
            "Transfer-Encoding gzip",
            "Transfer-Encoding with an empty element",
            "Connection not of tokens",
            "Upgrade not of protocols",
            "empty Upgrade",
            "CONNECT with a length",
            "CONNECT with chunks",
            "chunk size of 17 digits",
            "chunk size of 2**63",
            "chunk extension without a value",
            "Host in the trailers",
            "Authorization in the trailers",
        )
    ),
}
