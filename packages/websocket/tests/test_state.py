"""The tables of legality are whole and say what the RFC says."""

from __future__ import annotations

import pytest

from headrace.websocket import Binary, Close, Opcode, Ping, Pong, RemoteProtocolError, State, Text
from headrace.websocket._state import (
    FRAME_ORDER,
    HEADS,
    READING,
    SENDABLE,
    TRANSITIONS,
    Head,
    Step,
    check_head,
    check_length,
)


def test_each_state_ends() -> None:
    assert all(TRANSITIONS[state, Step.END] is State.CLOSED for state in State)


def test_nothing_leaves_the_closed_state() -> None:
    assert {to for (state, _), to in TRANSITIONS.items() if state is State.CLOSED} == {State.CLOSED}


def test_a_close_goes_once_in_each_direction() -> None:  # 5.5.1, 7.1.2
    for first, second in (
        (Step.SEND_CLOSE, Step.RECEIVE_CLOSE),
        (Step.RECEIVE_CLOSE, Step.SEND_CLOSE),
    ):
        half_way = TRANSITIONS[State.OPEN, first]
        assert (half_way, first) not in TRANSITIONS
        assert TRANSITIONS[half_way, second] is State.CLOSED


def test_no_data_after_our_close() -> None:  # 5.5.1
    assert SENDABLE[State.CLOSE_SENT] == {Ping, Pong}
    assert SENDABLE[State.CLOSE_RECEIVED] == {Text, Binary, Close}
    assert not SENDABLE[State.CLOSED]
    assert {State.OPEN, State.CLOSE_SENT} == READING


def test_heads_of_all_first_bytes() -> None:
    legal = {first for first in range(256) if isinstance(HEADS[first], Head)}
    final_data = {0x80, 0x81, 0x82, 0xC1, 0xC2}
    assert legal == final_data | {first & 0x7F for first in final_data} | {0x88, 0x89, 0x8A}
    assert HEADS[0x41] == Head(Opcode.TEXT, final=False, compressed=True)


def test_order_of_frames() -> None:  # 5.4
    begin, go_on = {Opcode.TEXT, Opcode.BINARY}, {Opcode.CONTINUATION}
    assert {opcode for under_way, opcode in FRAME_ORDER if under_way} == begin
    assert {opcode for under_way, opcode in FRAME_ORDER if not under_way} == go_on


@pytest.mark.parametrize(
    ("first", "second", "masked", "under_way", "deflate", "fault"),
    [
        (0x81, 0x05, True, False, False, "frame of a client is not masked"),
        (0x81, 0x85, False, False, False, "frame of a server is masked"),
        (0x89, 0xFE, True, False, False, "PING frame with more than 125 bytes"),
        (0xC1, 0x85, True, False, False, "RSV1 is set and no extension was agreed on"),
        (0x80, 0x85, True, False, False, "continuation frame without a message to continue"),
        (0x81, 0x85, True, True, False, "new text message inside a fragmented message"),
        (0x82, 0x85, True, True, False, "new binary message inside a fragmented message"),
        (0x08, 0x80, True, False, False, "fragmented CLOSE frame"),
        (0xC9, 0x80, True, False, True, "RSV1 is set on a PING frame"),
        (0xC0, 0x80, True, True, True, "RSV1 is set on a continuation frame"),
    ],
)
def test_faults_of_heads(
    first: int, second: int, masked: bool, under_way: bool, deflate: bool, fault: str
) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        check_head(first, second, masked, under_way, deflate)
    assert (caught.value.code, caught.value.detail) == (1002, fault)


def test_good_heads() -> None:
    assert check_head(0xC1, 0xFF, True, False, True) == Head(Opcode.TEXT, True, True)
    assert check_head(0x00, 0x7E, False, True, False) == Head(Opcode.CONTINUATION, False, False)


@pytest.mark.parametrize(
    ("second", "length"), [(0x7E, 125), (0xFE, 0), (0x7F, 65535), (0xFF, 1 << 63), (0x7F, 0)]
)
def test_bad_lengths(second: int, length: int) -> None:  # 5.2
    with pytest.raises(RemoteProtocolError) as caught:
        check_length(second, length)
    assert caught.value.code == 1002


@pytest.mark.parametrize(
    ("second", "length"), [(0x7D, 125), (0, 0), (0x7E, 126), (0xFF, 65536), (0x7F, (1 << 63) - 1)]
)
def test_good_lengths(second: int, length: int) -> None:
    check_length(second, length)
    assert length >> 63 == 0
