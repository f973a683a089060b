"""granian's own static files, with one worker."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from granian import Granian

FILES = Path(__file__).parents[1] / "files"


async def app(scope: Any, protocol: Any) -> None:
    """Answer what is not below the directory."""
    protocol.response_empty(404, [])


if __name__ == "__main__":
    Granian(
        "granian_static:app",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface="rsgi",
        log_enabled=False,
        working_dir=Path(__file__).parent,
        static_path_route=["/static"],
        static_path_mount=[FILES],
    ).serve()
