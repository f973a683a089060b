"""The queue for a client that is behind, and its policies."""

from __future__ import annotations

import pytest

from headrace.web._outbox import Outbox, SlowClient, check_policy
from headrace.websocket import Binary, Ping, Shared, Text


def drained(outbox: Outbox) -> list[str]:
    found = []
    while outbox:
        event = outbox.pop().event
        assert isinstance(event, Text)
        found.append(event.data)
    return found


def filled(policy: SlowClient, count: int, limit: int) -> tuple[Outbox, list[bool]]:
    outbox = Outbox(limit)
    return outbox, [outbox.put_bounded(Text(str(n)), None, policy) for n in range(count)]


@pytest.mark.parametrize(
    ("policy", "kept", "told"),
    [
        ("drop_oldest", ["3", "4"], [True] * 5),
        ("drop_newest", ["0", "1"], [True] * 5),
        ("close", ["0", "1"], [True, True, False, False, False]),
    ],
)
def test_a_policy_decides_what_is_kept(
    policy: SlowClient, kept: list[str], told: list[bool]
) -> None:
    outbox, answers = filled(policy, 5, 300)  # room for two messages with their overhead
    assert answers == told
    assert outbox.dropped == (0 if policy == "close" else 3)
    assert drained(outbox) == kept
    assert outbox.size == 0


@pytest.mark.parametrize(("policy", "kept"), [("drop_oldest", ["4"]), ("drop_newest", ["0"])])
def test_one_message_fits_always(policy: SlowClient, kept: list[str]) -> None:
    outbox, _ = filled(policy, 5, 0)
    assert drained(outbox) == kept


def test_a_large_message_takes_the_place_of_many() -> None:
    outbox = Outbox(10_000)
    for _ in range(10):
        outbox.put_bounded(Binary(bytes(500)), None, "drop_oldest")
    outbox.put_bounded(Binary(bytes(20_000)), None, "drop_oldest")
    assert (len(outbox), outbox.dropped) == (1, 10)


def test_everything_counts_and_can_be_forgotten() -> None:
    outbox = Outbox(0)
    for event in (Text("ab"), Binary(b"ab"), Ping(b"ab"), Shared(Text("ab"))):
        outbox.put(event, True)
    assert outbox.size == 4 * 130
    assert outbox.pop() == (Text("ab"), True, 130)
    outbox.clear()
    assert (outbox.size, len(outbox), outbox.dropped) == (0, 0, 3)


def test_an_unknown_policy_is_an_error() -> None:
    with pytest.raises(ValueError, match="drop_oldest"):
        check_policy("drop")
