"""Deadlines, with the time passed in."""

from __future__ import annotations

import pytest

from headrace.websocket._heartbeat import Heartbeat, Verdict

NOTHING, PING, DEAD, OVERDUE = Verdict


def test_nothing_is_due_without_timeouts() -> None:
    heartbeat = Heartbeat(None, None, None)
    assert heartbeat.due(closing=False) is None
    assert heartbeat.due(closing=True) is None
    assert heartbeat.tick(1e9, closing=False, heard=False) is NOTHING
    assert heartbeat.tick(1e9, closing=True, heard=False) is NOTHING


def test_the_first_tick_starts_the_interval() -> None:
    heartbeat = Heartbeat(20.0, None, None)
    assert heartbeat.due(closing=False) == 0.0
    assert heartbeat.tick(100.0, closing=False, heard=False) is NOTHING
    assert heartbeat.due(closing=False) == 120.0
    assert heartbeat.tick(119.9, closing=False, heard=False) is NOTHING
    assert heartbeat.tick(120.0, closing=False, heard=False) is PING
    assert heartbeat.due(closing=False) == 140.0


def test_silence_after_a_ping_is_death() -> None:
    heartbeat = Heartbeat(20.0, 5.0, None)
    heartbeat.tick(0.0, closing=False, heard=True)
    assert heartbeat.tick(20.0, closing=False, heard=True) is PING
    assert heartbeat.due(closing=False) == 25.0
    assert heartbeat.tick(24.0, closing=False, heard=False) is NOTHING
    assert heartbeat.tick(25.0, closing=False, heard=False) is DEAD


def test_any_byte_is_a_sign_of_life() -> None:
    heartbeat = Heartbeat(20.0, 5.0, None)
    heartbeat.tick(0.0, closing=False, heard=False)
    assert heartbeat.tick(20.0, closing=False, heard=False) is PING
    assert heartbeat.tick(25.0, closing=False, heard=True) is NOTHING
    assert heartbeat.due(closing=False) == 40.0


def test_a_timeout_longer_than_the_interval() -> None:
    heartbeat = Heartbeat(10.0, 25.0, None)
    heartbeat.tick(0.0, closing=False, heard=False)
    ticks = [heartbeat.tick(now, closing=False, heard=False) for now in (10.0, 20.0, 30.0, 35.0)]
    assert ticks == [PING, PING, PING, DEAD]


def test_closing_is_due_once_and_for_all() -> None:
    heartbeat = Heartbeat(20.0, 5.0, 10.0)
    heartbeat.tick(100.0, closing=False, heard=False)
    assert heartbeat.due(closing=True) == 100.0
    assert heartbeat.tick(101.0, closing=True, heard=True) is NOTHING
    assert heartbeat.due(closing=True) == 111.0
    assert heartbeat.tick(110.0, closing=True, heard=True) is NOTHING
    assert heartbeat.tick(111.0, closing=True, heard=True) is OVERDUE


@pytest.mark.parametrize("name", ["ping_interval", "ping_timeout", "close_timeout"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan")])
def test_timeouts_are_more_than_nothing(name: str, value: float) -> None:
    values = {"ping_interval": None, "ping_timeout": None, "close_timeout": None, name: value}
    with pytest.raises(ValueError, match=name):
        Heartbeat(*values.values())
