"""Content-Transfer-Encoding: what each encoding decodes, in any pieces."""

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace import web
from headrace.web._transfer import decode_all, transfer_decoder


def decoded(encoding: str | None, *pieces: bytes) -> bytes:
    decoder = transfer_decoder(encoding)
    assert decoder is not None
    return b"".join([*(decoder.decode(piece) for piece in pieces), decoder.end()])


CASES = [
    ("base64", b"", b""),
    ("base64", b"aGk=", b"hi"),
    ("BASE64 ", b"aG\r\nk=\r\n", b"hi"),
    ("base64", b" aGkh\t", b"hi!"),
    ("quoted-printable", b"", b""),
    ("quoted-printable", b"a=3Db=C3=BC", "a=bü".encode()),
    ("Quoted-Printable", b"one=\r\ntwo\r\n", b"onetwo\r\n"),
]


@pytest.mark.parametrize(("encoding", "data", "result"), CASES)
def test_decoding_in_any_pieces(encoding: str, data: bytes, result: bytes) -> None:
    assert decoded(encoding, data) == result
    assert decoded(encoding, *(data[n : n + 1] for n in range(len(data)))) == result
    assert decode_all(transfer_decoder(encoding), data) == result


@given(st.binary(max_size=200), st.integers(1, 20))
def test_what_is_encoded_is_decoded(data: bytes, step: int) -> None:
    for encoding, sent in [
        ("base64", base64.encodebytes(data)),
        ("quoted-printable", quopri.encodestring(data)),
    ]:
        pieces = [sent[n : n + step] for n in range(0, len(sent), step)]
        assert decoded(encoding, *pieces) == data


@pytest.mark.parametrize("encoding", [None, "", "7bit", "8bit", "binary", " Binary "])
def test_nothing_to_decode(encoding: str | None) -> None:
    assert transfer_decoder(encoding) is None
    assert decode_all(None, b"as it is") == b"as it is"


@pytest.mark.parametrize("data", [b"a", b"aGk", b"aG!k", b"aGk=aGk=", b"===="])
def test_malformed_base64(data: bytes) -> None:
    with pytest.raises(web.RequestPayloadError):
        decoded("base64", data)


@pytest.mark.parametrize("encoding", ["x-uuencode", "gzip", "base64, base64"])
def test_unknown_encodings(encoding: str) -> None:
    with pytest.raises(web.HTTPUnsupportedMediaType):
        transfer_decoder(encoding)
