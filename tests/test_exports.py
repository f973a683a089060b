"""What a package exports: all of it by hand, and nothing that is not there."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("package", ["http_parser", "router", "websocket", "web"])
def test_all_lists_what_is_imported(package: str) -> None:
    module = importlib.import_module(f"headrace.{package}")
    folder = ROOT / "packages" / package.replace("_", "-") / "src/headrace" / package
    tree = ast.parse((folder / "__init__.py").read_text())
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(module.__all__) == sorted(imported)
    assert module.__doc__
