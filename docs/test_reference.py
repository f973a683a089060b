"""Check that the reference of each package mentions every name that the package exports."""

from __future__ import annotations

import importlib
import re

import pytest
from pages import DOCS

PACKAGES = ["http-parser", "router", "websocket", "web", "testing"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_is_mentioned(package: str) -> None:
    module = importlib.import_module(f"headrace.{package.replace('-', '_')}")
    page = DOCS / "reference" / f"{package}.md"
    assert page.exists()
    text = page.read_text("utf-8")
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`", text))))
    assert sorted(set(module.__all__) - words) == []
