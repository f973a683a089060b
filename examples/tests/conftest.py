"""Makes the examples importable as `nox -s serve` imports them, and the tests' browser too."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "examples"), str(ROOT / "packages/web/tests")]
