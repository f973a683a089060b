"""Masking keys for the frames of clients."""

from __future__ import annotations

import os
from collections.abc import Iterator
from struct import iter_unpack
from typing import final

_DRAWN_BYTES = 4096


@final
class KeyPool:
    """Four bytes at a time that nobody can predict (RFC 6455, 5.3 and 10.3).

    They are drawn from the system 4 KiB at a time: one call for each frame would cost more than
    the frame.
    """

    __slots__ = ("_keys",)

    def __init__(self) -> None:
        self._keys: Iterator[tuple[bytes]] = iter(())

    def next_key(self) -> bytes:
        """Return the next key."""
        drawn = next(self._keys, None)
        if drawn is None:
            self._keys = iter_unpack("4s", os.urandom(_DRAWN_BYTES))
            drawn = next(self._keys)
        return drawn[0]

    def forget(self) -> None:
        """Use none of the keys that were drawn."""
        self._keys = iter(())


_pool = KeyPool()
next_key = _pool.next_key

if hasattr(os, "register_at_fork"):  # parent and child must not use the same keys
    os.register_at_fork(after_in_child=_pool.forget)
