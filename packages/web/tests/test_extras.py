"""The optional packages."""

from __future__ import annotations

import sys

import brotli
import pytest

from headrace.web import _extras


def test_what_is_installed() -> None:
    assert _extras.import_brotli() is brotli
    assert _extras.import_zstd().__name__.endswith("zstd")


def test_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("brotli", "compression", "compression.zstd", "backports", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    assert _extras.import_brotli() is None
    assert _extras.import_zstd() is None


def test_a_brotli_that_cannot_bound_its_output_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        def process(self, data: bytes) -> bytes:
            return data

    monkeypatch.setattr(brotli, "Decompressor", Old)
    assert _extras.import_brotli() is None
