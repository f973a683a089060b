"""Messages and Close frames on their way out."""

from __future__ import annotations

import sys
import zlib

import pytest
from wire import KEY, masked, plain

from headrace.websocket import Binary, Close, Deflate, LocalProtocolError, Text
from headrace.websocket._compression import Deflater
from headrace.websocket._framing import build_frame
from headrace.websocket._outgoing import (
    Outgoing,
    as_payload,
    close_payload,
    masked_frames,
    read_close,
)

HELLO = b"\xf2\x48\xcd\xc9\xc9\x07\x00"


def outgoing(threshold: int | None = None, fragment_bytes: int | None = None) -> Outgoing:
    agreed = Deflate(server_max_window_bits=15, threshold=threshold or 0)
    deflater = None if threshold is None else Deflater(agreed, server=True)
    return Outgoing(build_frame, deflater, fragment_bytes)


def test_pieces_are_fragments() -> None:  # RFC 6455, 5.4
    out = outgoing()
    assert out.message(Text("a", False), None) == plain(0x01, b"a")
    assert out.message(Text("", False), None) == plain(0x00)
    assert out.message(Text("b", True), None) == plain(0x80, b"b")
    assert out.message(Binary(b"c"), None) == plain(0x82, b"c")


@pytest.mark.parametrize(
    "pair", [(Text("a", False), Binary(b"b")), (Binary(b"a", False), Text("b"))]
)
def test_kinds_are_not_mixed(pair: tuple[Text, Binary]) -> None:
    out = outgoing()
    out.message(pair[0], None)
    with pytest.raises(LocalProtocolError, match="inside a message of"):
        out.message(pair[1], None)
    assert out.message(pair[0]._replace(final=True), None)[0] == 0x80


@pytest.mark.parametrize(
    ("size", "frames"),
    [
        (0, [(0x82, 0)]),
        (4, [(0x82, 4)]),
        (5, [(0x02, 4), (0x80, 1)]),
        (8, [(0x02, 4), (0x80, 4)]),
        (9, [(0x02, 4), (0x00, 4), (0x80, 1)]),
    ],
)
def test_long_messages_are_split(size: int, frames: list[tuple[int, int]]) -> None:
    expected = b"".join(plain(first, b"x" * part) for first, part in frames)
    assert outgoing(fragment_bytes=4).message(Binary(b"x" * size), None) == expected


def test_long_pieces_are_split_too() -> None:
    out = outgoing(fragment_bytes=2)
    assert out.message(Text("abc", False), None) == plain(0x01, b"ab") + plain(0x00, b"c")
    assert out.message(Text("de", True), None) == plain(0x80, b"de")


def test_compressed_messages_are_split_after_compression() -> None:  # RFC 7692, 7.2.1
    out = outgoing(0, 4)
    expected = plain(0x41, HELLO[:4]) + plain(0x80, HELLO[4:])
    assert out.message(Text("Hello"), None) == expected


@pytest.mark.parametrize(
    ("event", "compress", "compressed"),
    [
        (Text("x" * 9), None, False),
        (Text("x" * 10), None, True),
        (Text("é" * 5), None, True),
        (Text("x"), True, True),
        (Text("x" * 99), False, False),
        (Text("x", False), None, True),
        (Text("x", False), False, False),
    ],
)
def test_what_is_compressed(event: Text, compress: bool | None, compressed: bool) -> None:
    frame = outgoing(10).message(event, compress)
    assert bool(frame[0] & 0x40) is compressed


def test_the_first_piece_decides_on_compression() -> None:
    out = outgoing(0)
    assert out.message(Text("x", False), False)[0] == 0x01
    assert out.message(Text("x", True), True) == plain(0x80, b"x")
    assert out.message(Text("x", True), True)[0] == 0xC1


def test_compression_needs_an_agreement() -> None:
    assert outgoing().message(Text("x"), True) == plain(0x81, b"x")


def test_streamed_pieces_can_be_read_as_they_come() -> None:
    out, inflate = outgoing(0), zlib.decompressobj(wbits=-15)
    for piece in (b"one", b"two"):
        frame = out.message(Binary(piece, False), None)
        assert inflate.decompress(frame[2:]) == piece


@pytest.mark.parametrize(
    ("threshold", "fragment_bytes", "most"),
    [(None, None, sys.maxsize), (0, None, -1), (1024, None, 255), (None, 10, 2), (1024, 10, 2)],
)
def test_what_is_plain_for_sure(
    threshold: int | None, fragment_bytes: int | None, most: int
) -> None:
    out = outgoing(threshold, fragment_bytes)
    assert out.plain_most == most
    out.message(Text("x", False), None)
    assert out.plain_most == -1


def test_masked_frames_take_a_new_key_each() -> None:
    keys = iter([KEY, b"abcd"])
    frame = masked_frames(lambda: next(keys))
    assert frame(0x81, "a") == masked(0x81, b"a")
    assert frame(0x82, b"a") == masked(0x82, b"a", b"abcd")


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        (Text("é"), b"\xc3\xa9"),
        (Text(b"\xc3\xa9"), b"\xc3\xa9"),  # type: ignore[arg-type]
        (Binary(b"\xff"), b"\xff"),
        (Binary(bytearray(b"\xff")), b"\xff"),  # type: ignore[arg-type]
        (Binary(memoryview(b"\xff")), b"\xff"),  # type: ignore[arg-type]
    ],
)
def test_payloads(event: Text | Binary, payload: bytes) -> None:
    assert as_payload(event) == payload


@pytest.mark.parametrize("event", [Text("\ud800"), Text(b"\xff")])  # type: ignore[arg-type]
def test_text_that_is_no_utf8(event: Text) -> None:
    with pytest.raises(LocalProtocolError, match="UTF-8"):
        as_payload(event)


@pytest.mark.parametrize("event", [Binary("a"), Binary(5), Text(5), Text(None)])  # type: ignore[arg-type]
def test_other_types(event: Text | Binary) -> None:
    with pytest.raises(TypeError):
        as_payload(event)


@pytest.mark.parametrize(
    ("close", "payload"),
    [
        (Close(None, ""), b""),
        (Close(1000, ""), b"\x03\xe8"),
        (Close(4999, "é"), b"\x13\x87\xc3\xa9"),
        (Close(1001, "x" * 123), b"\x03\xe9" + b"x" * 123),
    ],
)
def test_close_payloads(close: Close, payload: bytes) -> None:
    assert close_payload(*close) == payload
    assert read_close(payload) == close


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (None, "reason"),
        (1005, ""),
        (1006, ""),
        (1015, ""),
        (999, ""),
        (70000, ""),
        (1000, "x" * 124),
        (1000, "é" * 62),
        (1000, "\ud800"),
    ],
)
def test_closes_that_cannot_be_sent(code: int | None, reason: str) -> None:
    with pytest.raises(LocalProtocolError):
        close_payload(code, reason)


@pytest.mark.parametrize(
    ("payload", "code"), [(b"\x03", 1002), (b"\x03\xed", 1002), (b"\x03\xe8\xff", 1007)]
)
def test_bad_closes(payload: bytes, code: int) -> None:
    fault = read_close(payload)
    assert not isinstance(fault, Close)
    assert fault[0] == code
