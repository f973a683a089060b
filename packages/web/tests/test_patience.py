"""How long a request may take: what is overdue, and when."""

from __future__ import annotations

import math

from headrace.web._patience import Overdue, Patience, Watch

PATIENCE = Patience(body_timeout=10.0, min_body_rate=2.0, write_timeout=10.0, handler_timeout=10.0)
#: The same without a limit for handlers.
UNHURRIED = PATIENCE._replace(handler_timeout=0.0)
#: A handler that computes: nothing is on its way in either direction.
QUIET = {"backlog": 0, "awaited": -1, "begun": False}


def look(watch: Watch, now: float, patience: Patience = PATIENCE, **seen: int) -> Overdue | None:
    return watch.look(now, patience, **(QUIET | seen))  # type: ignore[arg-type]


def test_a_handler_has_its_time_until_the_answer_begins() -> None:
    watch = Watch(None, 0.0, PATIENCE)
    assert look(watch, 10.0) is None
    assert look(watch, 10.1) is Overdue.HANDLER
    assert look(watch, 99.0) is None  # it was told once
    streaming = Watch(None, 0.0, PATIENCE)
    assert look(streaming, 9.0, begun=True) is None
    assert look(streaming, 99.0, begun=True) is None


def test_the_time_that_the_client_takes_to_send_is_not_the_handlers() -> None:
    watch = Watch(None, 0.0, PATIENCE)
    assert look(watch, 9.0, awaited=0) is None
    assert look(watch, 18.0, awaited=100) is None
    assert look(watch, 27.0) is None
    assert look(watch, 29.0) is Overdue.HANDLER


def test_a_body_must_make_progress_while_it_is_waited_for() -> None:
    watch = Watch(None, 0.0, UNHURRIED)
    assert look(watch, 1.0, UNHURRIED, awaited=5) is None  # from here on
    assert look(watch, 11.0, UNHURRIED, awaited=5) is None
    assert look(watch, 11.1, UNHURRIED, awaited=25) is None  # 20 bytes in 10 seconds
    assert look(watch, 21.2, UNHURRIED, awaited=44) is Overdue.BODY


def test_a_body_that_the_handler_does_not_wait_for_has_time() -> None:
    watch = Watch(None, 0.0, UNHURRIED)
    assert look(watch, 1.0, UNHURRIED, awaited=5) is None
    assert look(watch, 99.0, UNHURRIED) is None
    assert look(watch, 100.0, UNHURRIED, awaited=5) is None
    assert look(watch, 110.0, UNHURRIED, awaited=5) is None
    assert look(watch, 110.1, UNHURRIED, awaited=5) is Overdue.BODY


def test_without_a_rate_a_byte_is_progress() -> None:
    patience = Patience(body_timeout=10.0, min_body_rate=0.0)
    watch = Watch(None, 0.0, patience)
    assert look(watch, 0.0, patience, awaited=0) is None
    assert look(watch, 10.1, patience, awaited=1) is None
    assert look(watch, 20.3, patience, awaited=1) is Overdue.BODY


def test_a_client_must_take_what_waits_for_it() -> None:
    watch = Watch(None, 0.0, PATIENCE)
    assert look(watch, 0.0, backlog=100, begun=True) is None
    assert look(watch, 9.0, backlog=99, begun=True) is None
    assert look(watch, 19.0, backlog=120, begun=True) is None  # the handler writes on
    assert look(watch, 19.1, backlog=120, begun=True) is Overdue.TAKING


def test_what_was_taken_between_two_looks_counts() -> None:
    watch = Watch(None, 0.0, PATIENCE)
    assert look(watch, 0.0, backlog=100, begun=True) is None
    watch.taken()
    assert look(watch, 9.0, backlog=100, begun=True) is None
    assert look(watch, 19.0, backlog=0, begun=True) is None
    assert look(watch, 28.0, backlog=100, begun=True) is None
    assert look(watch, 29.1, backlog=100, begun=True) is Overdue.TAKING


def test_limits_of_zero_are_none() -> None:
    patience = Patience(0.0, 0.0, 0.0, 0.0)
    watch = Watch(None, 0.0, patience)
    for now in (0.0, 1e9):
        assert look(watch, now, patience, backlog=1) is None
        assert look(watch, now, patience, awaited=0) is None
        assert look(watch, now, patience) is None
    assert patience.shortest == math.inf
    assert Patience().shortest == 30.0
