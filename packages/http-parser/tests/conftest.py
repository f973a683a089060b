"""Which twin runs, and the profiles of hypothesis."""

from __future__ import annotations

import os

from hypothesis import settings

from headrace.http_parser import IMPLEMENTATION

settings.register_profile("quick", max_examples=60, deadline=None)
settings.register_profile("long", max_examples=20_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_report_header() -> str:
    return f"headrace.http_parser: {IMPLEMENTATION} kernel"
