"""Replacing the worker when a file of the program changes: for development."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from ._supervisor import Link

logger: Final = logging.getLogger("headrace.workers")

#: Milliseconds between two looks whether the supervisor is still there.
PATIENCE: Final = 500


def watcher(paths: Iterable[str | os.PathLike[str]]) -> Callable[[Link], None]:
    """Return what watches the Python files below *paths* and sends SIGHUP when they change.

    Raises:
        RuntimeError: watchfiles is not installed.
    """
    try:
        import watchfiles
    except ImportError:
        raise RuntimeError(
            "--reload needs watchfiles: pip install 'headrace-web[reload]'"
        ) from None
    roots = [Path(path).resolve() for path in paths]

    def watch(link: Link) -> None:
        parent = os.getppid()
        changes = watchfiles.watch(
            *roots,
            watch_filter=watchfiles.PythonFilter(),
            rust_timeout=PATIENCE,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        for number, changed in enumerate(changes):
            if os.getppid() != parent:
                return
            if not number:
                logger.info("watching the Python files below %s", ", ".join(map(str, roots)))
            if changed:
                names = sorted({os.path.relpath(path) for _, path in changed})
                logger.info("changed: %s", ", ".join(names))
                os.kill(parent, signal.SIGHUP)

    return watch
