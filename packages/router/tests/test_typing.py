"""mypy finds exactly the errors that ``typing_api.py`` announces."""

from __future__ import annotations

from pathlib import Path

from mypy import api

API = Path(__file__).with_name("typing_api.py")
STRICT = ["--strict", "--config-file=", "--no-incremental", "--cache-dir=/dev/null"]


def test_the_announced_errors_and_no_others() -> None:
    out, err, status = api.run([*STRICT, str(API)])
    assert (out.strip(), err, status) == ("Success: no issues found in 1 source file", "", 0)


def test_without_the_ignores_each_of_them_is_an_error(tmp_path: Path) -> None:
    text = API.read_text(encoding="utf-8")
    bare = tmp_path / "bare.py"
    bare.write_text(text.replace("# type: ignore", "# "), encoding="utf-8")
    out, _, status = api.run([*STRICT, str(bare)])
    errors = [line for line in out.splitlines() if ": error:" in line]
    assert status == 1
    assert len(errors) == text.count("# type: ignore[")
