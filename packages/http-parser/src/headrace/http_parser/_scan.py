"""Choose the kernel: the compiled twin if it is there and wanted, else the pure one.

``HEADRACE_EXTENSIONS`` decides at import: ``auto`` takes what is there, ``require`` fails without
the compiled twin, ``none`` takes the pure one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Literal

_MODE: Final = os.environ.get("HEADRACE_EXTENSIONS", "auto")
IMPLEMENTATION: Literal["c", "python"]

if _MODE not in ("auto", "require", "none"):
    raise ValueError(f"HEADRACE_EXTENSIONS is {_MODE!r}, expected auto, require or none")

if TYPE_CHECKING or _MODE == "none":
    from ._scan_py import (
        find_field,
        find_fields,
        scan_chunk_line,
        scan_request_head,
        scan_response_head,
        scan_trailers,
        scan_whole_request,
        serialize_fields,
        split_fields,
        split_text,
    )

    IMPLEMENTATION = "python"
else:
    try:
        from ._scan_c import (
            find_field,
            find_fields,
            scan_chunk_line,
            scan_request_head,
            scan_response_head,
            scan_trailers,
            scan_whole_request,
            serialize_fields,
            split_fields,
            split_text,
        )

        IMPLEMENTATION = "c"
    except ImportError:
        if _MODE == "require":
            raise
        from ._scan_py import (
            find_field,
            find_fields,
            scan_chunk_line,
            scan_request_head,
            scan_response_head,
            scan_trailers,
            scan_whole_request,
            serialize_fields,
            split_fields,
            split_text,
        )

        IMPLEMENTATION = "python"

__all__ = [
    "IMPLEMENTATION",
    "find_field",
    "find_fields",
    "scan_chunk_line",
    "scan_request_head",
    "scan_response_head",
    "scan_trailers",
    "scan_whole_request",
    "serialize_fields",
    "split_fields",
    "split_text",
]
