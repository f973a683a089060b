"""Which twin is imported, in a fresh interpreter each."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

COMPILED = importlib.util.find_spec("headrace.http_parser._scan_c") is not None
TELL = "from headrace.http_parser import IMPLEMENTATION; print(IMPLEMENTATION)"
# As if it had not been built.
WITHOUT = "import sys; sys.modules['headrace.http_parser._scan_c'] = None; "


def told(mode: str, code: str = TELL) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HEADRACE_EXTENSIONS": mode}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )


def test_none_takes_the_pure_twin() -> None:
    assert told("none").stdout == "python\n"


def test_auto_takes_what_is_there() -> None:
    assert told("auto").stdout == ("c\n" if COMPILED else "python\n")
    assert told("auto", WITHOUT + TELL).stdout == "python\n"


def test_require_takes_the_compiled_twin_or_fails() -> None:
    done = told("require", WITHOUT + TELL)
    assert done.returncode != 0
    assert "_scan_c" in done.stderr
    assert told("require").stdout == ("c\n" if COMPILED else "")


@pytest.mark.parametrize("mode", ["", "yes"])
def test_another_word_is_an_error(mode: str) -> None:
    done = told(mode)
    assert done.returncode != 0
    assert "HEADRACE_EXTENSIONS" in done.stderr
