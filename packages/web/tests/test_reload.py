"""Serving anew when a file changes."""

from __future__ import annotations

import builtins
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from launching import GET, Program, exchange

if sys.platform == "win32":
    pytest.skip("there is no fork", allow_module_level=True)

from headrace.web import _reload

MODULE = """
from headrace import web

async def hello(request):
    return web.Response(text="{word}")

app = web.Application()
app.router.add_get("/", hello)
"""
SOURCE = """
import sys
from headrace.web.__main__ import main

sys.dont_write_bytecode = True
main(sys.argv[1:])
"""


def test_a_change_is_served_and_a_mistake_is_not(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    module = tmp_path / "module.py"
    module.write_text(MODULE.format(word="first"))
    with Program(SOURCE, "--reload", "-U", "s", "module:app", cwd=tmp_path) as running:
        running.wait_for("INFO headrace.workers: watching")
        assert exchange(tmp_path / "s", GET).endswith(b"first")
        (tmp_path / "notes.txt").write_text("no code")
        module.write_text(MODULE.format(word="second"))
        running.wait_for("changed: module.py")
        running.wait_for(" ended")
        assert exchange(tmp_path / "s", GET).endswith(b"second")
        module.write_text("a mistake")
        running.wait_for("SyntaxError")
        running.wait_for("died with status 1")
        assert exchange(tmp_path / "s", GET).endswith(b"second")
        module.write_text(MODULE.format(word="third"))
        running.wait_for(" ended")
        assert exchange(tmp_path / "s", GET).endswith(b"third")
        assert running.end(signal.SIGINT)[0] == 0


def test_without_watchfiles_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def no_watchfiles(name: str, *rest: Any) -> Any:
        if name == "watchfiles":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", no_watchfiles)
    with pytest.raises(RuntimeError, match=r"headrace-web\[reload\]"):
        _reload.watcher([os.curdir])
