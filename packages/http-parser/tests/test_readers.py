"""Readers of bodies over a buffer alone."""

from __future__ import annotations

import pytest

from headrace.http_parser import Data, EndOfMessage, Fault, Limits, RemoteProtocolError
from headrace.http_parser._buffer import ReceiveBuffer
from headrace.http_parser._readers import (
    FORBIDDEN_TRAILERS,
    BodyReader,
    ChunkedReader,
    CloseReader,
    LengthReader,
)


def read(reader: BodyReader, *pieces: bytes) -> list[object]:
    """What each piece gives, with a None where the reader wants more."""
    buffer = ReceiveBuffer()
    events: list[object] = []
    for piece in pieces:
        buffer.append(piece)
        while True:
            events.append(reader.read(buffer))
            if events[-1] is None or isinstance(events[-1], EndOfMessage):
                break
    return events


END = EndOfMessage()


def test_a_length() -> None:
    events = read(LengthReader(5), b"abc", b"defgh")
    assert events == [Data(b"abc"), None, Data(b"de"), END]


def test_until_close() -> None:
    assert read(CloseReader(), b"abc", b"", b"d") == [Data(b"abc"), None, None, Data(b"d"), None]


def test_chunks_are_given_as_they_come() -> None:
    events = read(ChunkedReader(Limits()), b"3\r\na", b"bc\r", b"\n1;x\r\nd\r\n0\r", b"\n\r\n")
    assert events == [Data(b"a"), None, Data(b"bc"), None, Data(b"d"), None, END]


@pytest.mark.parametrize("name", sorted(FORBIDDEN_TRAILERS))
def test_forbidden_trailers(name: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        read(ChunkedReader(Limits()), b"0\r\nx: y\r\n%b: z\r\n\r\n" % name.upper())
    assert caught.value.fault is Fault.TRAILER_FORBIDDEN


@pytest.mark.parametrize("size", [b"7fffffffffffffff", b"7FFFFFFFFFFFFFFF"])
def test_the_largest_chunk(size: bytes) -> None:
    assert read(ChunkedReader(Limits()), size + b"\r\nx") == [Data(b"x"), None]


def test_extensions_are_counted_over_all_chunks_to_the_byte() -> None:
    body = b"1;ab\r\nx\r\n1;c\r\ny\r\n0\r\n\r\n"
    limits = Limits(max_chunk_extensions=5)
    assert read(ChunkedReader(limits), body)[-1] == END
    with pytest.raises(RemoteProtocolError) as caught:
        read(ChunkedReader(Limits(max_chunk_extensions=4)), body)
    assert caught.value.fault is Fault.CHUNK_EXTENSIONS_TOO_LARGE
