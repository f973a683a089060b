"""Makes the examples importable as `nox -s serve` imports them: from their folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
