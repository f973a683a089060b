"""The settings of the documentation's tests: warnings are errors, as everywhere."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", "error")
