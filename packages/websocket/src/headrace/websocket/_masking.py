"""Masking keys for the frames of clients."""

from __future__ import annotations

import os
from typing import final

_DRAWN_BYTES = 1024


@final
class KeyPool:
    """Four bytes at a time that nobody can predict (RFC 6455, 5.3 and 10.3).

    They are drawn from the system 1 KiB at a time: one call for each frame would cost more than
    the frame. Threads may share a pool, since a list gives each item once.
    """

    __slots__ = ("_keys",)

    def __init__(self) -> None:
        self._keys: list[bytes] = []

    def next_key(self) -> bytes:
        """Return the next key."""
        try:
            return self._keys.pop()
        except IndexError:
            drawn = os.urandom(_DRAWN_BYTES)
            self._keys += [drawn[at : at + 4] for at in range(4, _DRAWN_BYTES, 4)]
            return drawn[:4]

    def forget(self) -> None:
        """Use none of the keys that were drawn."""
        self._keys = []


_pool = KeyPool()
next_key = _pool.next_key

if hasattr(os, "register_at_fork"):  # parent and child must not use the same keys
    os.register_at_fork(after_in_child=_pool.forget)
