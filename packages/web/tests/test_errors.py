"""The exceptions that are no answers: what they are kinds of, and what they carry."""

from __future__ import annotations

import pytest

from headrace import web

KINDS = [
    (web.ClientConnectionResetError, ConnectionResetError),
    (web.ClientConnectionResetError, OSError),
    (web.PayloadAccessError, Exception),
    (web.RequestPayloadError, Exception),
    (web.CleanupError, RuntimeError),
    (web.NotAppKeyWarning, UserWarning),
]


@pytest.mark.parametrize(("error", "kind"), KINDS)
def test_kinds(error: type[Exception], kind: type[Exception]) -> None:
    assert issubclass(error, kind)


@pytest.mark.parametrize("error", [web.PayloadAccessError, web.RequestPayloadError])
def test_faults_of_a_body_are_no_answers(error: type[Exception]) -> None:
    assert not issubclass(error, web.HTTPException | OSError)


def test_a_cleanup_error_lists_the_failures() -> None:
    failures = [ValueError("first"), KeyError("second")]
    error = web.CleanupError("several errors", failures)
    assert error.exceptions == failures
    assert "several errors" in str(error)
    error.exceptions.clear()
    assert error.exceptions == failures, "the list is a copy"
