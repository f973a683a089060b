"""The table of what happens when clients go is the one that the tests run."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "packages/web/tests/disconnections.py"


def test_the_table_of_disconnections_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("disconnections", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["disconnections"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = module.PAGE.read_text()
    hint = f"run: python {SOURCE.relative_to(Path(__file__).parents[1])} --write"
    assert module.BEGIN in page
    assert page == module.with_table(page), hint
