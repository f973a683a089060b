"""The shape of the tree: one namespace, one build hook, one licence."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ["http-parser", "router", "testing", "web", "websocket"]


def test_these_are_the_packages() -> None:
    assert sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml")) == FOLDERS


def test_headrace_is_a_namespace_without_a_file_of_its_own() -> None:
    assert not list(ROOT.glob("packages/*/src/headrace/__init__.py"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_package_is_typed_licensed_and_documented(folder: str) -> None:
    package = ROOT / "packages" / folder
    module = package / "src/headrace" / folder.replace("-", "_")
    assert (module / "py.typed").is_file()
    assert (package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert (package / "CHANGELOG.md").read_text().startswith(f"# Changelog of headrace-{folder}")
    assert (ROOT / f"docs/reference/{folder}.md").is_file()


def test_every_accelerated_package_has_the_same_build_hook() -> None:
    accelerated = {path.parents[3] for path in ROOT.glob("packages/*/src/headrace/*/_*_c.pyx")}
    hooks = {path.parent: path.read_bytes() for path in ROOT.glob("packages/*/hatch_build.py")}
    assert hooks.keys() == accelerated
    assert len(set(hooks.values())) == 1


def test_every_compiled_twin_has_a_pure_one_and_a_chooser() -> None:
    for compiled in ROOT.glob("packages/*/src/headrace/*/_*_c.pyx"):
        stem = compiled.stem.removesuffix("_c")
        assert compiled.with_name(f"{stem}_py.py").is_file()
        assert compiled.with_name(f"{stem}.py").is_file()
