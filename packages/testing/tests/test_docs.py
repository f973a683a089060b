"""The tests that the documentation shows are run as tests, where the documentation is at hand."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "tests"),
    [("docs/tutorial/testing-an-application.md", 8), ("packages/testing/README.md", 3)],
)
def test_pages(pytester: pytest.Pytester, page: str, tests: int) -> None:
    path = ROOT / page
    if not path.exists():
        pytest.skip("the documentation is not here")
    code = "\n".join(BLOCK.findall(path.read_text()))
    if "headrace import web" in code:
        pytest.importorskip("headrace.web")
    pytester.makepyfile(test_page=code)
    pytester.makeini(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "error").assert_outcomes(
        passed=tests
    )
