"""Limits are frozen, documented and positive."""

from __future__ import annotations

import dataclasses

import pytest

from headrace.websocket import Limits


def test_defaults() -> None:
    assert dataclasses.astuple(Limits()) == (4 * 1024 * 1024, None, 128 * 1024, 64)


def test_none_turns_off() -> None:
    assert Limits(max_message=None, max_fragments=None).max_message is None


@pytest.mark.parametrize("name", ["max_message", "max_frame", "max_fragments", "max_control_queue"])
@pytest.mark.parametrize("value", [0, -1])
def test_nothing_below_one(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: value})


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().max_message = 1  # type: ignore[misc]
