"""The tests that the documentation shows are run as tests."""

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "tests"),
    [
        ("docs/tutorial/testing-an-application.md", 8),
        ("docs/how-to/testing-the-guides-examples.md", 24),
        ("packages/testing/README.md", 3),
    ],
)
def test_pages(pytester: pytest.Pytester, page: str, tests: int) -> None:
    code = "\n".join(BLOCK.findall((ROOT / page).read_text()))
    pytester.makepyfile(test_page=code)
    pytester.makeini(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "error").assert_outcomes(
        passed=tests
    )
