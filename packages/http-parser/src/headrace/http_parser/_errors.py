"""What can go wrong, each thing once: a member of `Fault`, its status and its sentence.

Only the three exception classes here leave the package. A text never echoes the input, so that
it can be logged or sent without a thought.
"""

from __future__ import annotations

import enum
from typing import Final


class Fault(enum.Enum):
    """What the peer did wrong; `RemoteProtocolError.fault` carries one."""

    # The form of a line.
    CONTROL_CHARACTER = "control-character"
    BARE_CR = "bare-cr"
    BARE_LF = "bare-lf"
    LEADING_SPACE = "leading-space"
    EMPTY_LINES = "empty-lines"
    # The request line.
    REQUEST_LINE = "request-line"
    REQUEST_LINE_TOO_LONG = "request-line-too-long"
    METHOD = "method"
    TARGET = "target"
    NO_VERSION = "no-version"
    VERSION_SYNTAX = "version-syntax"
    VERSION = "version"
    HTTP2_PREFACE = "http2-preface"
    # The status line.
    STATUS_LINE = "status-line"
    STATUS_LINE_TOO_LONG = "status-line-too-long"
    # The fields.
    NO_COLON = "no-colon"
    EMPTY_NAME = "empty-name"
    NAME = "name"
    SPACE_BEFORE_COLON = "space-before-colon"
    OBS_FOLD = "obs-fold"
    HEADER_TOO_LONG = "header-too-long"
    TOO_MANY_HEADERS = "too-many-headers"
    HEAD_TOO_LARGE = "head-too-large"
    # The fields that frame a message or route it.
    HOST_MISSING = "host-missing"
    HOST_REPEATED = "host-repeated"
    HOST = "host"
    CONNECTION = "connection"
    UPGRADE = "upgrade"
    CONTENT_LENGTH = "content-length"
    CONTENT_LENGTH_REPEATED = "content-length-repeated"
    LENGTH_AND_CODING = "length-and-coding"
    CODING_SYNTAX = "coding-syntax"
    EXPECTATION = "expectation"
    CODING_UNKNOWN = "coding-unknown"
    CODING_NOT_FINAL = "coding-not-final"
    CODING_REPEATED = "coding-repeated"
    CODING_IN_1_0 = "coding-in-1.0"
    CONNECT_BODY = "connect-body"
    # The chunked coding.
    CHUNK_SIZE = "chunk-size"
    CHUNK_SIZE_TOO_LARGE = "chunk-size-too-large"
    CHUNK_EXTENSION = "chunk-extension"
    CHUNK_EXTENSIONS_TOO_LARGE = "chunk-extensions-too-large"
    CHUNK_END = "chunk-end"
    TRAILER_FORBIDDEN = "trailer-forbidden"
    TRAILERS_TOO_LARGE = "trailers-too-large"
    # The course of the connection.
    EOF_IN_HEAD = "eof-in-head"
    EOF_IN_BODY = "eof-in-body"
    UNEXPECTED_DATA = "unexpected-data"
    SWITCH_UNASKED = "switch-unasked"


# fault: (status to answer with, what was found and what was expected)
FAULTS: Final[dict[Fault, tuple[int, str]]] = {
    Fault.CONTROL_CHARACTER: (400, "a control character stands in a line"),
    Fault.BARE_CR: (400, "a CR is not followed by LF"),
    Fault.BARE_LF: (400, "a line ends in LF alone, expected CR LF"),
    Fault.LEADING_SPACE: (400, "white space stands before the first line or the first header"),
    Fault.EMPTY_LINES: (400, "too many empty lines stand before the request line"),
    Fault.REQUEST_LINE: (400, "the request line is not: method, space, target, space, version"),
    Fault.REQUEST_LINE_TOO_LONG: (414, "the request line is longer than max_request_line"),
    Fault.METHOD: (400, "the method is not a token"),
    Fault.TARGET: (400, "the target has none of the four forms that suit its method"),
    Fault.NO_VERSION: (400, "the request line ends without a version, as in HTTP/0.9"),
    Fault.VERSION_SYNTAX: (400, "the version is not HTTP/digit.digit"),
    Fault.VERSION: (505, "the version is not one of HTTP/1"),
    Fault.HTTP2_PREFACE: (505, "the connection opens with HTTP/2's preface, expected HTTP/1.1"),
    Fault.STATUS_LINE: (502, "the status line is not: version, space, three digits, space, reason"),
    Fault.STATUS_LINE_TOO_LONG: (502, "the status line is longer than max_request_line"),
    Fault.NO_COLON: (400, "a header line has no colon"),
    Fault.EMPTY_NAME: (400, "a header name is empty"),
    Fault.NAME: (400, "a header name is not a token"),
    Fault.SPACE_BEFORE_COLON: (400, "white space stands before the colon of a header"),
    Fault.OBS_FOLD: (400, "a header is folded over lines"),
    Fault.HEADER_TOO_LONG: (431, "a header line is longer than max_header"),
    Fault.TOO_MANY_HEADERS: (431, "there are more headers than max_headers"),
    Fault.HEAD_TOO_LARGE: (431, "the head is larger than max_head"),
    Fault.HOST_MISSING: (400, "an HTTP/1.1 request has no Host"),
    Fault.HOST_REPEATED: (400, "Host is given more than once"),
    Fault.HOST: (400, "Host is not a host name or address with an optional port"),
    Fault.CONNECTION: (400, "Connection is not a list of tokens"),
    Fault.UPGRADE: (400, "Upgrade is not a list of protocols"),
    Fault.CONTENT_LENGTH: (400, "Content-Length is not a number of ASCII digits below 2**63"),
    Fault.CONTENT_LENGTH_REPEATED: (400, "Content-Length is given more than once"),
    Fault.LENGTH_AND_CODING: (400, "Content-Length and Transfer-Encoding are both given"),
    Fault.CODING_SYNTAX: (400, "Transfer-Encoding is not a list of codings"),
    Fault.EXPECTATION: (417, "Expect holds another expectation than 100-continue"),
    Fault.CODING_UNKNOWN: (501, "Transfer-Encoding holds another coding than chunked"),
    Fault.CODING_NOT_FINAL: (400, "Transfer-Encoding does not end in chunked"),
    Fault.CODING_REPEATED: (400, "Transfer-Encoding holds chunked more than once"),
    Fault.CODING_IN_1_0: (400, "Transfer-Encoding is given in HTTP/1.0"),
    Fault.CONNECT_BODY: (400, "a CONNECT request announces a body"),
    Fault.CHUNK_SIZE: (400, "a chunk size is not 1 to 16 hexadecimal digits"),
    Fault.CHUNK_SIZE_TOO_LARGE: (400, "a chunk size is not below 2**63"),
    Fault.CHUNK_EXTENSION: (400, "a chunk extension is malformed"),
    Fault.CHUNK_EXTENSIONS_TOO_LARGE: (400, "chunk extensions exceed max_chunk_extensions"),
    Fault.CHUNK_END: (400, "a chunk is not followed by CR LF"),
    Fault.TRAILER_FORBIDDEN: (400, "a trailer field may only stand in the head"),
    Fault.TRAILERS_TOO_LARGE: (431, "the trailers are larger than max_trailers"),
    Fault.EOF_IN_HEAD: (400, "the connection ended inside a head"),
    Fault.EOF_IN_BODY: (400, "the connection ended inside a body"),
    Fault.UNEXPECTED_DATA: (502, "bytes arrived although no request was under way"),
    Fault.SWITCH_UNASKED: (502, "101 arrived although no upgrade was asked for"),
}


class ProtocolError(Exception):
    """The root: somebody broke the rules of HTTP."""


class LocalProtocolError(ProtocolError):
    """The caller broke the rules: what it asked for was not done and nothing was written."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the rules: answer with `status`, then close.

    Attributes:
        fault: what was found.
        status: the HTTP status to answer with; in the client role, what a gateway would answer.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Final = fault
        self.status: Final = FAULTS[fault][0]

    def __str__(self) -> str:
        return FAULTS[self.fault][1]
