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
    trailing = case.data + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    _, fault = run([trailing], limits=case.limits)
    assert fault is not None


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
