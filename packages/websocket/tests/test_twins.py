"""The compiled twin of the leaf functions does what the readable one does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import masked, plain

from headrace.websocket import Binary, Text
from headrace.websocket import _framing_py as py

c = pytest.importorskip("headrace.websocket._framing_c", exc_type=ImportError)

firsts = st.sampled_from([0x81, 0x82]) | st.integers(0, 255)
lengths = st.sampled_from([0, 1, 125, 126, 127, 65535, 65536]) | st.integers(0, 300)
forms = st.sampled_from([0x7D, 0x7E, 0x7F, 0xFD, 0xFE, 0xFF]) | st.integers(0, 255)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Frames, whole ones and such with odd heads, and bytes around them."""
    payload = draw(st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
    payload += b"a" * draw(lengths)
    frame = draw(st.sampled_from([plain, masked]))(draw(firsts), payload)
    if draw(st.booleans()):
        frame = frame[:1] + bytes([draw(forms)]) + frame[2:]
    return frame[: draw(st.integers(0, len(frame) + 5))] + draw(st.binary(max_size=4))


def outcome(function: object, *arguments: object) -> object:
    try:
        return function(*arguments)  # type: ignore[operator]
    except Exception as error:
        return type(error)


@given(st.binary(min_size=3) | frames(), st.integers(0, 3), st.booleans(), st.booleans(), lengths)
def test_parse(data: bytes, pos: int, has_mask: bool, decode: bool, limit: int) -> None:
    options = (has_mask, limit, decode, Text(...), Binary(...))  # type: ignore[arg-type]
    readable, compiled = py.MessageReader(*options), c.MessageReader(*options)
    assert outcome(readable.read, data, pos) == outcome(compiled.read, data, pos)
    assert readable.read_whole(data[pos:]) == compiled.read_whole(data[pos:])
    assert py.parse_head(data, pos) == c.parse_head(data, pos)


@given(st.binary(), st.integers(0, 3), st.binary(min_size=4, max_size=4), st.data())
def test_unmask(data: bytes, phase: int, key: bytes, drawn: st.DataObject) -> None:
    start = drawn.draw(st.integers(0, len(data)))
    stop = drawn.draw(st.integers(start, len(data)))
    assert py.unmask(data, start, stop, key, phase) == c.unmask(data, start, stop, key, phase)


@given(
    firsts,
    st.binary() | st.text() | st.integers() | st.text(st.characters()),
    st.none() | st.binary(min_size=4, max_size=4),
)
def test_build(first: int, payload: bytes | str, key: bytes | None) -> None:
    arguments = (first, payload, key)
    assert outcome(py.build_frame, *arguments) == outcome(c.build_frame, *arguments)


@given(
    firsts,
    st.binary() | st.text() | st.integers() | st.text(st.characters()),
    st.integers(-1, 20),
)
def test_whole(first: int, payload: object, most: int) -> None:
    arguments = (first, payload, most)
    assert outcome(py.whole_frame, *arguments) == outcome(c.whole_frame, *arguments)
