"""Check that the reference of each package mentions every name that the package exports."""

from __future__ import annotations

import importlib

import pytest
from pages import DOCS, code_words

PACKAGES = ["http-parser", "router", "websocket", "web", "testing"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_is_mentioned(package: str) -> None:
    module = importlib.import_module(f"headrace.{package.replace('-', '_')}")
    page = DOCS / "reference" / f"{package}.md"
    assert page.exists()
    assert sorted(set(module.__all__) - code_words(page)) == []
