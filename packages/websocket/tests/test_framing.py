"""The leaf functions, both twins over one battery."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

import pytest
from wire import KEY, length_of, masked, plain, xor

SIZES = [0, 1, 2, 3, 4, 7, 8, 9, 31, 32, 33, 63, 64, 125, 126, 127, 65535, 65536, 65537, 100_001]


@pytest.mark.parametrize("phase", range(4))
@pytest.mark.parametrize("size", SIZES)
def test_unmask(framing: ModuleType, size: int, phase: int) -> None:
    data = os.urandom(size + 5)
    key = KEY[phase:] + KEY[:phase]
    assert framing.unmask(data, 3, size + 3, KEY, phase) == xor(data[3 : size + 3], key)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", None),
        (b"\x81", None),
        (b"\x81\x05", (0x81, 0x05, 5, 2)),
        (b"\x81\x85", (0x81, 0x85, 5, 2)),
        (b"\x82\x7e", (0x82, 0x7E, -1, 2)),
        (b"\x82\x7e\x01", (0x82, 0x7E, -1, 2)),
        (b"\x82\x7e\x01\x02", (0x82, 0x7E, 258, 4)),
        (b"\x82\xff" + bytes(7), (0x82, 0xFF, -1, 2)),
        (b"\x82\x7f" + bytes(7) + b"\x09", (0x82, 0x7F, 9, 10)),
        (b"\x82\x7f" + b"\xff" * 8, (0x82, 0x7F, 2**64 - 1, 10)),
    ],
)
def test_parse_head(
    framing: ModuleType, data: bytes, expected: tuple[int, int, int, int] | None
) -> None:
    assert framing.parse_head(data, 0) == expected
    if expected is not None:
        *fields, end = expected
        assert framing.parse_head(b"xyz" + data, 3) == (*fields, end + 3)


class T(tuple[object, ...]):
    __slots__ = ()


class B(tuple[object, ...]):
    __slots__ = ()


def read(
    framing: ModuleType, data: bytes, pos: int, masked: bool, limit: int, decode: bool
) -> tuple[tuple[object, bool], int] | None:
    found: tuple[tuple[object, bool], int] | None = framing.MessageReader(
        masked, limit, decode, T((..., True)), B((..., True))
    ).read(data, pos)
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [T, B])
def test_a_whole_frame_is_read_where_it_stands(
    framing: ModuleType, kind: type[T | B], size: int
) -> None:
    payload = b"a" * size
    first = 0x81 if kind is T else 0x82
    for frame, has_mask in ((plain(first, payload), False), (masked(first, payload), True)):
        data, end = b"xy" + frame + b"z", len(frame) + 2
        bare = read(framing, data, 2, has_mask, size, False)
        assert bare == ((payload, True), end)
        assert type(bare[0]) is kind
        decoded = payload.decode() if kind is T else payload
        assert read(framing, data, 2, has_mask, size, True) == ((decoded, True), end)
        assert read(framing, data[:-1], 2, has_mask, size, True) == ((decoded, True), 0)
        assert read(framing, data[:-2], 2, has_mask, size, True) is None
        assert read(framing, data, 2, not has_mask, size, True) is None
        if size:
            assert read(framing, data, 2, has_mask, size - 1, True) is None


@pytest.mark.parametrize(
    "head",
    [
        b"\x82\x7e\x00\x01",
        b"\x82\x7e\x00\x7d",
        b"\x82\x7f" + bytes(7) + b"\x01",
        b"\x82\x7f" + bytes(6) + b"\xff\xff",
        b"\x82\x7f" + b"\xff" * 8,
        b"\x82\x7f\x80" + bytes(7),
        b"\x82\x7f\x7f" + b"\xff" * 7,
    ],
)
def test_long_forms_of_length_are_left_to_the_tables(framing: ModuleType, head: bytes) -> None:
    assert read(framing, head + bytes(70_000), 0, False, sys.maxsize, True) is None


@pytest.mark.parametrize("first", sorted(set(range(256)) - {0x81, 0x82}))
def test_what_is_no_whole_message_is_left_to_the_tables(framing: ModuleType, first: int) -> None:
    assert read(framing, plain(first, b"abc"), 0, False, 100, True) is None


@pytest.mark.parametrize("text", ["é", "a" * 70 + "€", "𝄞" * 9, "\x00", ""])
def test_text_beyond_ascii(framing: ModuleType, text: str) -> None:
    for frame, has_mask in (
        (plain(0x81, text.encode()), False),
        (masked(0x81, text.encode()), True),
    ):
        assert read(framing, frame, 0, has_mask, 1000, True) == ((text, True), 0)
        assert read(framing, frame, 0, has_mask, 1000, False) == ((text.encode(), True), 0)
    assert framing.build_frame(0x81, text) == plain(0x81, text.encode())


@pytest.mark.parametrize("decode", [True, False])
@pytest.mark.parametrize("data", [b"\xff", b"a" * 40 + b"\xc3", b"\xed\xa0\x80", b"\xc0\x80"])
def test_text_that_is_none(framing: ModuleType, data: bytes, decode: bool) -> None:
    for frame, has_mask in ((plain(0x81, data), False), (masked(0x81, data), True)):
        with pytest.raises(UnicodeDecodeError):
            read(framing, frame, 0, has_mask, 100, decode)
        binary = b"\x82" + frame[1:]
        assert read(framing, binary, 0, has_mask, 100, decode) == ((data, True), 0)


def test_messages_are_tuples_with_a_place_for_the_payload(framing: ModuleType) -> None:
    for text, error in (([...], TypeError), ((1, 2), ValueError)):
        with pytest.raises(error):
            framing.MessageReader(True, 1, True, text, (...,))
        with pytest.raises(error):
            framing.MessageReader(True, 1, True, (...,), text)


def test_messages_are_like_their_examples(framing: ModuleType) -> None:
    reader = framing.MessageReader(False, 10, True, (1, ..., None), B((2, 3, ...)))
    assert reader.read(plain(0x81, b"text"), 0) == ((1, "text", None), 0)
    message = reader.read_whole(plain(0x82, b"bytes"))
    assert message == (2, 3, b"bytes")
    assert type(message) is B


@pytest.mark.parametrize(
    "data",
    [
        b"",
        plain(0x81, b"text")[:-1],
        plain(0x81, b"text") + b"x",
        plain(0x81, b"\xff"),
        plain(0x89, b"ping"),
    ],
)
def test_bytes_that_are_not_one_message_are_none(framing: ModuleType, data: bytes) -> None:
    assert framing.MessageReader(False, 10, True, (...,), (...,)).read_whole(data) is None


@pytest.mark.parametrize("size", SIZES)
def test_build_frame(framing: ModuleType, size: int) -> None:
    payload = os.urandom(size)
    assert framing.build_frame(0x02, payload) == b"\x02" + length_of(size, 0) + payload
    assert framing.build_frame(0x82, payload, KEY) == masked(0x82, payload)
    assert framing.build_frame(0x82, bytearray(payload), KEY) == masked(0x82, payload)
    assert framing.build_frame(0x82, memoryview(payload)) == plain(0x82, payload)
    assert framing.build_frame(0x81, "a" * size, KEY) == masked(0x81, b"a" * size)


@pytest.mark.parametrize("payload", ["text", 5, None, ["a"]])
def test_build_frame_refuses_other_payloads(framing: ModuleType, payload: object) -> None:
    with pytest.raises(TypeError):
        framing.build_frame(0x82, payload)


def test_build_frame_refuses_lone_surrogates(framing: ModuleType) -> None:
    with pytest.raises(UnicodeEncodeError):
        framing.build_frame(0x81, "\ud800")


@pytest.mark.parametrize("size", SIZES)
def test_whole_frame(framing: ModuleType, size: int) -> None:
    payload = os.urandom(size)
    assert framing.whole_frame(0x82, payload, size) == plain(0x82, payload)
    assert framing.whole_frame(0x82, payload, size - 1) is None
    for text in ("a" * size, "é" * size):
        assert framing.whole_frame(0x81, text, sys.maxsize) == plain(0x81, text.encode())
        assert framing.whole_frame(0x81, text, size - 1) is None


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("first", "payload"),
    [
        (0x81, b"bytes"),
        (0x82, "text"),
        (0x82, bytearray(b"bytes")),
        (0x81, Text("of a subclass")),
        (0x01, "text"),
        (0x02, b"bytes"),
        (0x88, b"bytes"),
        (0x81, None),
        (0x82, 5),
    ],
)
def test_what_makes_no_whole_frame_is_left_to_others(
    framing: ModuleType, first: int, payload: object
) -> None:
    assert framing.whole_frame(first, payload, 1000) is None


def test_whole_frame_refuses_lone_surrogates(framing: ModuleType) -> None:
    with pytest.raises(UnicodeEncodeError):
        framing.whole_frame(0x81, "\ud800", 1)


def choose(monkeypatch: pytest.MonkeyPatch, mode: str, built: bool) -> str:
    """Import the module that chooses the twin once more, and tell what it chose."""
    compiled = ModuleType("headrace.websocket._framing_c")
    for name in ("MessageReader", "build_frame", "parse_head", "unmask", "whole_frame"):
        setattr(compiled, name, None)
    compiled.IMPLEMENTATION = "c"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, compiled.__name__, compiled if built else None)
    monkeypatch.setenv("HEADRACE_EXTENSIONS", mode)
    monkeypatch.delitem(sys.modules, "headrace.websocket._framing")
    chosen: str = importlib.import_module("headrace.websocket._framing").IMPLEMENTATION
    return chosen


@pytest.mark.parametrize(
    ("mode", "built", "chosen"),
    [
        ("auto", True, "c"),
        ("auto", False, "python"),
        ("none", True, "python"),
        ("none", False, "python"),
        ("require", True, "c"),
    ],
)
def test_the_switch(monkeypatch: pytest.MonkeyPatch, mode: str, built: bool, chosen: str) -> None:
    assert choose(monkeypatch, mode, built) == chosen


@pytest.mark.parametrize(
    ("mode", "built", "message"),
    [("require", False, "_framing_c"), ("nonsense", True, "expected auto, require or none")],
)
def test_the_switch_refuses(
    monkeypatch: pytest.MonkeyPatch, mode: str, built: bool, message: str
) -> None:
    with pytest.raises(ImportError, match=message):
        choose(monkeypatch, mode, built)
