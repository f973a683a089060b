"""One message on its way in: from unmasked payload to checked text or bytes.

Holds what is true between the frames of a message: its kind, its size so far, the undecoded end
of its text. Breaking a rule raises RemoteProtocolError; nothing here knows of connections.
"""

from __future__ import annotations

import zlib
from codecs import utf_8_decode
from io import BytesIO, StringIO
from typing import final

from ._codes import CloseCode
from ._compression import Inflater
from ._errors import RemoteProtocolError


@final
class IncomingMessage:
    """Take a message's payload piece by piece, and give it back checked.

    Args:
        text: the payload is UTF-8 and is checked as it comes (RFC 6455, 8.1).
        decode: give text back as str, not bytes.
        inflater: decompresses the payload; None for a plain message.
        limit: bytes of the whole message, or None.
        collect: keep the pieces until `finish`; without it each `feed` gives back its own.
    """

    __slots__ = ("_sink", "_tail", "decode", "fragments", "inflater", "limit", "size", "text")

    def __init__(
        self, text: bool, decode: bool, inflater: Inflater | None, limit: int | None, collect: bool
    ) -> None:
        self.text = text
        self.decode = decode and text
        self.inflater = inflater
        self.limit = limit
        self.size = 0
        self.fragments = 1
        self._tail = b""
        self._sink: StringIO | BytesIO | None = None
        if collect:
            self._sink = StringIO() if self.decode else BytesIO()

    def feed(self, data: bytes) -> str | bytes:
        """Take the next payload bytes.

        Returns what they add to the message, "" or b"" when that is kept for `finish`.

        Raises:
            RemoteProtocolError: with 1007 for what is no UTF-8 or no deflate stream, with 1009
                for a message beyond its limit.
        """
        inflater = self.inflater
        if inflater is not None:
            try:
                data = inflater.piece(data, self._room())
            except zlib.error as error:
                raise RemoteProtocolError(CloseCode.INVALID_DATA, f"invalid deflate data: {error}")
        return self._take(data, False)

    def finish(self) -> str | bytes:
        """End the message and return the whole of it, or the last piece when not collecting.

        Raises:
            RemoteProtocolError: as `feed` does; also when the text ends inside a character.
        """
        rest = b""
        if self.inflater is not None:
            try:
                rest = self.inflater.end(self._room())
            except zlib.error as error:
                raise RemoteProtocolError(CloseCode.INVALID_DATA, f"invalid deflate data: {error}")
        last = self._take(rest, True)
        return last if self._sink is None else self._sink.getvalue()

    def _room(self) -> int:
        return -1 if self.limit is None else self.limit - self.size

    def _take(self, data: bytes, final: bool) -> str | bytes:
        self.size += len(data)
        piece = self._check(data, final) if self.text else data
        # Checked after the text, so that how the stream was cut does not change the verdict.
        if self.limit is not None and self.size > self.limit:
            raise too_big(self.size, self.limit)
        sink = self._sink
        if sink is None:
            return piece
        sink.write(piece)  # type: ignore[arg-type]
        return piece[:0]

    def _check(self, data: bytes, final: bool) -> str | bytes:
        """Decode as far as characters are complete; what is cut off waits in the tail."""
        whole = self._tail + data if self._tail else data
        try:
            text, used = utf_8_decode(whole, "strict", final)
        except UnicodeDecodeError as error:
            raise not_utf8(error)
        self._tail = whole[used:]
        return text if self.decode else data


def not_utf8(error: UnicodeDecodeError) -> RemoteProtocolError:
    """Return the error for text that is not UTF-8 (RFC 6455, 8.1)."""
    return RemoteProtocolError(CloseCode.INVALID_DATA, f"text is not UTF-8: {error.reason}")


def too_big(size: int, limit: int) -> RemoteProtocolError:
    """Return the error for a message beyond its limit (RFC 6455, 7.4.1)."""
    return RemoteProtocolError(CloseCode.TOO_BIG, f"message of {size} bytes, limit is {limit}")
