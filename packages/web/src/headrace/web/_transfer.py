"""Content-Transfer-Encoding of the parts of a multipart body (RFC 2045, section 6).

Forms should not use it (RFC 7578, section 4.7), mail-like messages do.
"""

from __future__ import annotations

import binascii
from typing import Final, Protocol

from ._errors import RequestPayloadError
from ._exceptions import framework_answer

_SPACE: Final = b" \t\r\n"


class TransferDecoder(Protocol):
    """Decodes a body in pieces."""

    def decode(self, data: bytes) -> bytes: ...
    def end(self) -> bytes: ...


class Base64Decoder:
    """Decodes base64 (RFC 2045, section 6.8), line ends and spaces left out."""

    def __init__(self) -> None:
        self._rest = b""

    def decode(self, data: bytes) -> bytes:
        data = self._rest + data.translate(None, _SPACE)
        end = len(data) - len(data) % 4
        self._rest = data[end:]
        try:
            return binascii.a2b_base64(data[:end], strict_mode=True)
        except binascii.Error as error:
            raise RequestPayloadError(f"malformed base64 in a part: {error}")

    def end(self) -> bytes:
        if self._rest:
            raise RequestPayloadError("base64 of a part was cut short")
        return b""


class QuotedPrintableDecoder:
    """Decodes quoted-printable (RFC 2045, section 6.7)."""

    def __init__(self) -> None:
        self._rest = b""

    def decode(self, data: bytes) -> bytes:
        data = self._rest + data
        # What an escape means is known two bytes after its beginning.
        escape = data.find(b"=", max(0, len(data) - 2))
        end = len(data) if escape < 0 else escape
        self._rest = data[end:]
        return binascii.a2b_qp(data[:end])

    def end(self) -> bytes:
        return binascii.a2b_qp(self._rest)


def transfer_decoder(encoding: str | None) -> TransferDecoder | None:
    """Return what decodes *encoding*, or None where there is nothing to decode.

    Raises:
        HTTPUnsupportedMediaType: The encoding is unknown: 415.
    """
    name = (encoding or "binary").strip(" \t").lower()
    if name in ("binary", "8bit", "7bit"):
        return None
    if name == "base64":
        return Base64Decoder()
    if name == "quoted-printable":
        return QuotedPrintableDecoder()
    raise framework_answer(415)


def decode_all(decoder: TransferDecoder | None, data: bytes) -> bytes:
    """Return *data* decoded as a whole."""
    return data if decoder is None else decoder.decode(data) + decoder.end()
