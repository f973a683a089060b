"""The optional packages of the extra ``compression``, as far as they are installed."""

from __future__ import annotations

from typing import Any


def import_brotli() -> Any:
    """Return the module `brotli` where it is installed and can bound its output, else None."""
    try:
        import brotli

        brotli.Decompressor().process(b"", output_buffer_limit=1)
    except (ImportError, TypeError):
        return None
    return brotli


def import_zstd() -> Any:
    """Return `compression.zstd` (Python 3.14) or its backport, None where there is neither."""
    try:
        from compression import zstd
    except ImportError:
        try:
            from backports import zstd
        except ImportError:
            return None
    return zstd
