"""The receive buffer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headrace.http_parser._buffer import ReceiveBuffer

STEPS = st.lists(st.binary(max_size=8) | st.integers(0, 12), max_size=30)


@given(STEPS)
def test_what_goes_in_comes_out(steps: list[bytes | int]) -> None:
    buffer = ReceiveBuffer()
    expected = b""
    for step in steps:
        if isinstance(step, bytes):
            buffer.append(step)
            expected += step
        else:
            taken = buffer.take(step)
            assert type(taken) is bytes
            assert taken == expected[:step]
            expected = expected[step:]
        assert len(buffer) == len(expected)
    buffer.clear()
    assert len(buffer) == 0


def test_what_comes_alone_is_not_copied() -> None:
    buffer = ReceiveBuffer()
    data = bytes(100)
    for _ in range(2):
        buffer.append(data)
        assert buffer.take(100) is data


def test_other_kinds_of_bytes_are_copied_at_once() -> None:
    buffer = ReceiveBuffer()
    data = bytearray(b"abc")
    buffer.append(data)
    buffer.append(memoryview(data))
    data[0] = 0
    assert buffer.take(9) == b"abcabc"
