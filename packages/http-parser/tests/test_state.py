"""The tables of states, apart from their use."""

from __future__ import annotations

import pytest

from headrace.http_parser import ConnectionClosed, Role, State
from headrace.http_parser._connection import _READERS, _SENDERS
from headrace.http_parser._state import ENDING, KEPT, REQUESTER, RESPONDER, Table


@pytest.mark.parametrize("table", [REQUESTER, RESPONDER])
def test_a_table_names_no_state_without_a_row(table: Table) -> None:
    targets = {state for row in table.values() for state in row.values()}
    assert targets <= set(table)
    assert set(table) <= set(State)


@pytest.mark.parametrize("table", [REQUESTER, RESPONDER])
def test_each_event_that_is_legal_has_a_sender(table: Table) -> None:
    assert {kind for row in table.values() for kind in row} <= set(_SENDERS)


def test_each_state_of_the_other_side_has_a_reader() -> None:
    assert set(_READERS[Role.SERVER]) == set(REQUESTER)
    assert set(_READERS[Role.CLIENT]) == set(RESPONDER)


@pytest.mark.parametrize("table", [KEPT, ENDING])
def test_what_follows_for_both_is_a_state_of_each_and_stays(
    table: dict[tuple[State, State], tuple[State, State]],
) -> None:
    for before, after in table.items():
        assert {before[0], after[0]} <= set(REQUESTER)
        assert {before[1], after[1]} <= set(RESPONDER)
        assert before != after
        assert after not in table


def test_a_closed_side_stays_closed() -> None:
    for table in (REQUESTER, RESPONDER):
        assert table[State.CLOSED] == {ConnectionClosed: State.CLOSED}
        assert all(not table[state] for state in (State.ERROR, State.SWITCHED))
