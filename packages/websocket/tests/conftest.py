from __future__ import annotations

import importlib
import os
from types import ModuleType

import pytest
from hypothesis import settings

from headrace.websocket import IMPLEMENTATION

settings.register_profile("default", deadline=None, max_examples=100)
settings.register_profile("long", deadline=None, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_report_header() -> str:
    return f"headrace.websocket: {IMPLEMENTATION}"


@pytest.fixture(params=["python", "c"])
def framing(request: pytest.FixtureRequest) -> ModuleType:
    """Each twin of the leaf functions."""
    if request.param == "python":
        return importlib.import_module("headrace.websocket._framing_py")
    if os.environ.get("HEADRACE_EXTENSIONS") == "require":
        return importlib.import_module("headrace.websocket._framing_c")
    compiled: ModuleType = pytest.importorskip(
        "headrace.websocket._framing_c", exc_type=ImportError
    )
    return compiled
