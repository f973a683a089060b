"""The public names are complete, and lead nowhere else."""

import ast
import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import headrace.testing

SOURCE = Path(headrace.testing.__file__).parent


def test_all_is_what_is_imported() -> None:
    """The names that type checkers see are those found at run time, in the same modules."""
    tree = ast.parse((SOURCE / "__init__.py").read_text())
    seen = {
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
    }
    homes = headrace.testing._HOMES
    assert seen == {(home, name) for home, names in homes.items() for name in names}
    assert sorted(name for _, name in seen) == sorted(headrace.testing.__all__)
    assert set(headrace.testing.__all__) <= set(dir(headrace.testing))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        headrace.testing.nonsense  # noqa: B018


def test_the_plugin_is_cheap() -> None:
    code = (
        "import sys, pytest, headrace.testing.plugin\n"
        "found = [n for n in sys.modules if n.startswith(('yarl', 'headrace.testing._'))]\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_examples_of_the_package_run() -> None:
    names = {"BlockingClient": headrace.testing.BlockingClient}
    results = doctest.testmod(headrace.testing, extraglobs=names)
    assert results.attempted == 3
    assert results.failed == 0


def test_every_public_name_has_a_docstring() -> None:
    for name in headrace.testing.__all__:
        assert getattr(headrace.testing, name).__doc__, name


def test_web_is_not_imported() -> None:
    code = (
        "import sys, headrace.testing.plugin\n"
        "from headrace.testing import *\n"
        "assert 'headrace.web' not in sys.modules and 'aiohttp' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_only_one_module_knows_web() -> None:
    knowing = {
        path.name
        for path in SOURCE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and (
            (node.module == "headrace" and any(a.name == "web" for a in node.names))
            or (node.module or "").startswith("headrace.web")
        )
        and not (node.module or "").startswith("headrace.websocket")
    }
    assert knowing == {"_web.py"}


def test_each_module_has_a_test() -> None:
    tests = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    covered_elsewhere = {
        "__init__",  # this file
        "_aiohttp_names",  # test_plugin
        "_connection",  # test_client
        "_errors",  # everywhere
        "_factories",  # test_plugin
        "_handshake",  # test_websocket
        "_listeners",  # test_server
        "_report",  # test_response
        "_pairs",  # test_headers, test_cookies
        "_request",  # test_response
        "_session",  # test_client
        "_shape",  # test_server
    }
    modules = {path.stem for path in SOURCE.glob("*.py")}
    assert covered_elsewhere <= modules
    missing = {m for m in modules - covered_elsewhere if f"test_{m.lstrip('_')}.py" not in tests}
    assert missing == set()
