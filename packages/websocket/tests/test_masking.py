"""Masking keys: four bytes, each time other ones, also after a fork."""

from __future__ import annotations

import os

import pytest

from headrace.websocket._masking import KeyPool, next_key


def test_keys_are_four_fresh_bytes() -> None:  # RFC 6455, 5.3
    keys = [next_key() for _ in range(3000)]
    assert {len(key) for key in keys} == {4}
    assert len(set(keys)) > 2990


def test_what_is_forgotten_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", bytes)
    pool = KeyPool()
    assert pool.next_key() == bytes(4)
    monkeypatch.setattr(os, "urandom", lambda size: b"\xff" * size)
    assert pool.next_key() == bytes(4)
    pool.forget()
    assert pool.next_key() == b"\xff" * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_parent_and_child_use_other_keys() -> None:
    next_key()
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write_end, b"".join(next_key() for _ in range(20)))
        os._exit(0)
    os.waitpid(child, 0)
    with os.fdopen(read_end, "rb") as pipe:
        os.close(write_end)
        keys = pipe.read()
    assert keys != b"".join(next_key() for _ in range(20))
    assert len(keys) == 80
