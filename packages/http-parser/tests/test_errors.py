"""The table of faults."""

from __future__ import annotations

import pytest
from cases import REFUSED, REFUSED_RESPONSES

from headrace.http_parser import Fault, LocalProtocolError, ProtocolError, RemoteProtocolError
from headrace.http_parser._errors import FAULTS


def test_each_fault_has_a_status_and_a_sentence_of_its_own() -> None:
    assert list(FAULTS) == list(Fault)
    assert {status for status, _ in FAULTS.values()} == {400, 414, 417, 431, 501, 502, 505}
    assert len({text for _, text in FAULTS.values()}) == len(Fault)


@pytest.mark.parametrize("fault", Fault)
def test_a_remote_error_says_its_fault(fault: Fault) -> None:
    error = RemoteProtocolError(fault)
    assert (error.fault, error.status, str(error)) == (fault, *FAULTS[fault])
    assert isinstance(error, ProtocolError)
    assert not isinstance(error, LocalProtocolError)


def test_each_fault_has_a_case() -> None:
    cased = {case.fault for case in (*REFUSED, *REFUSED_RESPONSES)}
    # What has no bytes of its own is shown in test_course.py.
    assert set(Fault) - cased == {Fault.EOF_IN_HEAD, Fault.EOF_IN_BODY, Fault.UNEXPECTED_DATA}
