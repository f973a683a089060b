"""One message on its way in."""

from __future__ import annotations

import pytest
from wire import deflated

from headrace.websocket import Deflate, RemoteProtocolError
from headrace.websocket._compression import Inflater
from headrace.websocket._message import IncomingMessage, not_utf8, too_big


def incoming(
    text: bool = True,
    decode: bool = True,
    inflater: Inflater | None = None,
    limit: int | None = None,
    collect: bool = True,
) -> IncomingMessage:
    return IncomingMessage(text, decode, inflater, limit, collect)


@pytest.mark.parametrize(
    ("text", "decode", "whole"),
    [(True, True, "é€"), (True, False, "é€".encode()), (False, True, "é€".encode())],
)
def test_collected(text: bool, decode: bool, whole: str | bytes) -> None:
    message = incoming(text, decode)
    for byte in "é€".encode():
        assert not message.feed(bytes([byte]))
    assert message.finish() == whole


def test_characters_wait_until_they_are_whole() -> None:
    message = incoming(collect=False)
    assert [message.feed(bytes([byte])) for byte in "é€".encode()] == ["", "é", "", "", "€"]
    assert message.finish() == ""


def test_bytes_of_text_do_not_wait() -> None:
    message = incoming(decode=False, collect=False)
    assert [message.feed(bytes([byte])) for byte in b"\xc3\xa9"] == [b"\xc3", b"\xa9"]
    assert message.finish() == b""


@pytest.mark.parametrize("decode", [True, False])
def test_text_cut_off(decode: bool) -> None:
    message = incoming(decode=decode)
    message.feed("€".encode()[:2])
    with pytest.raises(RemoteProtocolError) as caught:
        message.finish()
    assert caught.value.code == 1007


def test_bad_text_at_once() -> None:
    message = incoming()
    message.feed(b"\xf4")
    with pytest.raises(RemoteProtocolError) as caught:
        message.feed(b"\x90")
    assert caught.value.code == 1007


def test_the_limit() -> None:
    message = incoming(text=False, limit=3)
    message.feed(b"abc")
    with pytest.raises(RemoteProtocolError) as caught:
        message.feed(b"d")
    assert (caught.value.code, message.size) == (1009, 4)


@pytest.mark.parametrize("first", [b"\xff", b"\xff" + b"a" * 9])
def test_bad_text_before_the_limit_wins_however_it_is_cut(first: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        incoming(limit=3).feed(first)
    assert caught.value.code == 1007


def test_compressed() -> None:
    message = incoming(inflater=Inflater(Deflate(), server=True), limit=5)
    message.feed(deflated(b"Hello", -12))
    assert message.finish() == "Hello"
    assert message.size == 5


def test_bad_deflate_data() -> None:
    message = incoming(inflater=Inflater(Deflate(), server=True))
    with pytest.raises(RemoteProtocolError, match="invalid deflate data") as caught:
        message.feed(b"\xff\xff")
    assert caught.value.code == 1007


def test_no_deflate_data() -> None:
    message = incoming(inflater=Inflater(Deflate(), server=True))
    with pytest.raises(RemoteProtocolError, match="invalid deflate data") as caught:
        message.finish()
    assert caught.value.code == 1007


def test_texts_of_errors() -> None:
    assert str(too_big(5, 4)) == "message of 5 bytes, limit is 4 (1009)"
    error = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
    assert str(not_utf8(error)) == "text is not UTF-8: invalid start byte (1007)"
