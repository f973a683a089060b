"""Events are tuples with defaults; NEED_DATA is itself."""

from __future__ import annotations

import copy
import pickle

from headrace.websocket import NEED_DATA, Binary, Close, ConnectionClosed, Ping, Pong, Text


def test_defaults() -> None:
    assert Text("a") == ("a", True)
    assert Binary(b"a") == (b"a", True)
    assert Ping() == (b"",)
    assert Pong() == (b"",)
    assert Close() == (1000, "")
    assert ConnectionClosed() == (1006, "")


def test_need_data_is_one() -> None:
    assert copy.deepcopy(NEED_DATA) is NEED_DATA
    assert pickle.loads(pickle.dumps(NEED_DATA)) is NEED_DATA
