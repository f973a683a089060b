"""The byte tables through a connection, whole and in any pieces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cases import (
    ACCEPTED,
    ACCEPTED_RESPONSES,
    REFUSED,
    REFUSED_RESPONSES,
    Accepted,
    AcceptedResponse,
    Refused,
    RefusedResponse,
)
from drive import merged, run

from headrace.http_parser import Request

NEXT = ACCEPTED[0]


def splits(data: bytes) -> Iterator[list[bytes]]:
    """The data whole, byte by byte, and cut in two at every place."""
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    for i in range(1, len(data)):
        yield [data[:i], data[i:]]


def named(case: Accepted | Refused | AcceptedResponse | RefusedResponse) -> str:
    return case.name


@pytest.mark.parametrize("case", ACCEPTED, ids=named)
def test_request_is_accepted_however_it_is_split(case: Accepted) -> None:
    for pieces in splits(case.data):
        assert run(pieces) == (merged(case.events), None), pieces


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_request_is_refused_however_it_is_split(case: Refused) -> None:
    events, fault = run([case.data], limits=case.limits)
    assert fault is case.fault
    for pieces in splits(case.data):
        assert run(pieces, limits=case.limits) == (events, case.fault), pieces


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_request_is_refused_with_bytes_after_it(case: Refused) -> None:
    found = run([case.data], limits=case.limits)
    assert run([case.data + NEXT.data], limits=case.limits) == found


@pytest.mark.parametrize("case", ACCEPTED, ids=named)
def test_request_is_accepted_with_another_after_it(case: Accepted) -> None:
    events, fault = run([case.data + NEXT.data])
    assert fault is None
    closes = any(isinstance(event, Request) and not event.keep_alive for event in case.events)
    assert events == merged([*case.events, *(() if closes else NEXT.events)])


@pytest.mark.parametrize("case", ACCEPTED_RESPONSES, ids=named)
def test_response_is_accepted_however_it_is_split(case: AcceptedResponse) -> None:
    for pieces in splits(case.data):
        expected = merged(case.events), None
        assert run(pieces, method=case.method, eof=case.until_close) == expected, pieces


@pytest.mark.parametrize("case", REFUSED_RESPONSES, ids=named)
def test_response_is_refused_however_it_is_split(case: RefusedResponse) -> None:
    for pieces in splits(case.data):
        found = run(pieces, method=case.method, limits=case.limits)
        assert found == ([], case.fault), pieces
