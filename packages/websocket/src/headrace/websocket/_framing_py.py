"""Leaf functions over the bytes of frames: the readable twin, and the specification.

They take bytes and numbers and return bytes, text and numbers. They know lengths and masks and
nothing of what a frame means: a frame that is incomplete, unusual or wrong is answered with
None, and the connection looks into it with its tables.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

_T = TypeVar("_T", bound=tuple[Any, ...])
_B = TypeVar("_B", bound=tuple[Any, ...])

IMPLEMENTATION = "python"

# Measured: the XOR of two large integers is the fastest up to about a kilobyte, a translation of
# each fourth byte beyond, in blocks that stay in the cache.
_SHORT = 1024
_BLOCK = 64 * 1024
_XOR_TABLES = [bytes(byte ^ mask for byte in range(256)) for mask in range(256)]


def unmask(data: bytes, start: int, stop: int, key: bytes, phase: int) -> bytes:
    """Return ``data[start:stop]`` with *key* applied (RFC 6455, 5.3).

    *phase* is the index into *key* for the first byte, 0 to 3. Masking and unmasking are the
    same operation.
    """
    return bytes(_apply(data, start, stop, key[phase:] + key[:phase]))


def _apply(data: bytes, start: int, stop: int, key: bytes) -> bytes | bytearray:
    size = stop - start
    if size <= _SHORT:
        masked = int.from_bytes(data[start:stop], "little")
        pattern = int.from_bytes((key * (size + 3 >> 2))[:size], "little")
        return (masked ^ pattern).to_bytes(size, "little")
    result = bytearray(memoryview(data)[start:stop])
    tables = [_XOR_TABLES[mask] for mask in key]
    for at in range(0, size, _BLOCK):
        end = at + _BLOCK
        for first, table in enumerate(tables, at):
            result[first:end:4] = result[first:end:4].translate(table)
    return result


def parse_head(data: bytes, pos: int) -> tuple[int, int, int, int] | None:
    """Read the fixed part and the length of the frame at *pos*.

    Returns (first byte, second byte, length of the payload, position after the length), with a
    length of -1 while its extended form is incomplete, or None when two bytes are not there.
    """
    size = len(data)
    if size - pos < 2:
        return None
    first, second = data[pos], data[pos + 1]
    length, pos = second & 0x7F, pos + 2
    if length >= 126:
        end = pos + (2 if length == 126 else 8)
        if size < end:
            return first, second, -1, pos
        length, pos = int.from_bytes(data[pos:end], "big"), end
    return first, second, length, pos


class MessageReader(Generic[_T, _B]):
    """Read messages that are one whole plain frame: uncompressed, unfragmented, all there.

    Args:
        masked: the peer masks its frames.
        limit: the most payload bytes.
        decode: give text as str; else as the bytes, checked all the same.
        text: what a text message is like: a tuple with ``...`` in the place of the payload.
        binary: what a binary message is like.

    What messages are like is handed in, and copied without a call, because the tuple around
    the payload is half of the cost of a short message.
    """

    __slots__ = ("_binary", "_decode", "_limit", "_masked", "_text")

    def __init__(self, masked: bool, limit: int, decode: bool, text: _T, binary: _B) -> None:
        self._masked = masked
        self._limit = limit
        self._decode = decode
        self._text = _split(text)
        self._binary = _split(binary)

    def read(self, data: bytes, pos: int) -> tuple[_T | _B, int] | None:
        """Return the message at *pos*, and where to go on: 0 when nothing is left.

        None when what stands there is anything else, is not masked as it should be, is beyond
        the limit, has a length not in its shortest form, or is incomplete.

        Raises:
            UnicodeDecodeError: a text is not UTF-8.
        """
        size = len(data)
        if size - pos < 2:
            return None
        first, length = data[pos], data[pos + 1]
        if (first != 0x81 and first != 0x82) or (length >= 0x80) is not self._masked:
            return None
        start, length = pos + 2, length & 0x7F
        if length >= 126:
            at, least = start, 126 if length == 126 else 65536
            start += 2 if length == 126 else 8
            length = int.from_bytes(data[at:start], "big")
            if start > size or length < least:
                return None
        if self._masked:
            start += 4
        end = start + length
        if end > size or length > self._limit:
            return None
        return self._message(first, data, start, end), end if end < size else 0

    def read_whole(self, data: bytes) -> _T | _B | None:
        """Return the message that *data* is, as `read` does, None when it is anything else."""
        try:
            found = self.read(data, 0)
        except UnicodeDecodeError:
            return None
        return None if found is None or found[1] else found[0]

    def _message(self, first: int, data: bytes, start: int, end: int) -> _T | _B:
        payload: bytes | bytearray
        if self._masked:
            payload = _apply(data, start, end, data[start - 4 : start])
        else:
            payload = data[start:end]
        if first == 0x82:
            return _made(self._binary, bytes(payload))
        text = payload.decode()
        return _made(self._text, text if self._decode else bytes(payload))


_Parts = tuple[type[_T], tuple[Any, ...], tuple[Any, ...]]


def _split(example: _T) -> _Parts[_T]:
    """Return the type of a message, what stands before its payload, and what after."""
    if not isinstance(example, tuple):
        raise TypeError("messages must be tuples")
    place = tuple.index(example, ...)
    return type(example), example[:place], example[place + 1 :]


def _made(parts: _Parts[_T], payload: str | bytes) -> _T:
    kind, before, after = parts
    return tuple.__new__(kind, (*before, payload, *after))


def build_frame(first: int, payload: bytes | str, key: bytes | None = None) -> bytes:
    """Return the frame with *first* as its first byte, masked with the four bytes of *key*.

    *payload* is str only for a text frame (opcode 1), else bytes, bytearray or memoryview.

    Raises:
        TypeError: *payload* is of another type.
        UnicodeEncodeError: the text holds a lone surrogate.
    """
    if isinstance(payload, str):
        if first & 0x0F != 1:
            raise TypeError("a str payload needs a text frame")
        payload = payload.encode()
    elif type(payload) is not bytes:
        payload = bytes(memoryview(payload))
    size = len(payload)
    mask_bit = 0 if key is None else 0x80
    if size < 126:
        head = bytes((first, mask_bit | size))
    elif size < 65536:
        head = bytes((first, mask_bit | 126, size >> 8, size & 0xFF))
    else:
        head = bytes((first, mask_bit | 127)) + size.to_bytes(8, "big")
    if key is None:
        return head + payload
    return b"".join((head, key, _apply(payload, 0, size, key)))


def whole_frame(first: int, payload: bytes | str, most: int) -> bytes | None:
    """Return the frame of a whole message, *first* being 0x81 for a text and 0x82 for a binary.

    None when *payload* is not exactly a str for a text or bytes for a binary, or has more than
    *most* characters or bytes.

    Raises:
        UnicodeEncodeError: the text holds a lone surrogate.
    """
    if first not in (0x81, 0x82) or type(payload) is not (str if first == 0x81 else bytes):
        return None
    return build_frame(first, payload) if len(payload) <= most else None
