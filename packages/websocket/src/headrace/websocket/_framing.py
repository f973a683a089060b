"""Choose the twin of the leaf functions: compiled when there, readable otherwise.

``HEADRACE_EXTENSIONS`` in the environment: ``auto`` (the default), ``require`` to fail without
the compiled twin, ``none`` to do without it.
"""

from __future__ import annotations

import os

_mode = os.environ.get("HEADRACE_EXTENSIONS", "auto")
if _mode not in ("auto", "require", "none"):
    raise ImportError(f"HEADRACE_EXTENSIONS is {_mode!r}, expected auto, require or none")

try:
    if _mode == "none":
        raise ImportError("switched off")
    from ._framing_c import (
        IMPLEMENTATION,
        MessageReader,
        build_frame,
        parse_head,
        unmask,
        whole_frame,
    )
except ImportError:
    if _mode == "require":
        raise
    from ._framing_py import (
        IMPLEMENTATION,
        MessageReader,
        build_frame,
        parse_head,
        unmask,
        whole_frame,
    )

__all__ = ["IMPLEMENTATION", "MessageReader", "build_frame", "parse_head", "unmask", "whole_frame"]
