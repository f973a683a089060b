"""Errors: facts as attributes, one root, text when asked for."""

from __future__ import annotations

import pickle

import pytest

from headrace.websocket import (
    CloseCode,
    HandshakeError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    WebSocketError,
)


@pytest.mark.parametrize("error", [HandshakeError, LocalProtocolError, RemoteProtocolError])
def test_one_root(error: type[Exception]) -> None:
    assert issubclass(error, WebSocketError)
    assert issubclass(error, ProtocolError) is (error is not HandshakeError)


def test_a_remote_error_has_its_code() -> None:
    error = RemoteProtocolError(CloseCode.TOO_BIG, "frame of 9 bytes, limit is 8")
    assert (error.code, error.detail) == (1009, "frame of 9 bytes, limit is 8")
    assert str(error) == "frame of 9 bytes, limit is 8 (1009)"


def test_a_handshake_error_has_its_status() -> None:
    error = HandshakeError(426, "version", [(b"Sec-WebSocket-Version", b"13")])
    assert (error.status, error.headers) == (426, [(b"Sec-WebSocket-Version", b"13")])
    assert str(error) == "version (426)"


@pytest.mark.parametrize("error", [HandshakeError(400, "x"), RemoteProtocolError(1002, "x")])
def test_errors_can_be_pickled(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.args) == (type(error), str(error), error.args)
