"""Leaf functions over the bytes of frames: the readable twin, and the specification.

They take bytes and numbers and return bytes, text and numbers. They know lengths and masks and
nothing of what a frame means: a frame that is incomplete, unusual or wrong is answered with
None, and the connection looks into it with its tables.
"""

from __future__ import annotations

IMPLEMENTATION = "python"

# Whole-buffer operations on large integers beat any loop over bytes; beyond this size the key
# pattern and the intermediate integers no longer fit the caches.
_BLOCK = 32 * 1024


def unmask(data: bytes, start: int, stop: int, key: bytes, phase: int) -> bytes:
    """Return ``data[start:stop]`` with *key* applied (RFC 6455, 5.3).

    *phase* is the index into *key* for the first byte, 0 to 3. Masking and unmasking are the
    same operation.
    """
    size = stop - start
    if phase:
        key = key[phase:] + key[:phase]
    if size <= _BLOCK:
        pattern = (key * ((size >> 2) + 1))[:size]
        masked = int.from_bytes(data[start:stop], "little")
        return (masked ^ int.from_bytes(pattern, "little")).to_bytes(size, "little")
    pattern_bits = int.from_bytes(key * (_BLOCK >> 2), "little")
    blocks = []
    for at in range(start, stop - _BLOCK + 1, _BLOCK):
        masked = int.from_bytes(data[at : at + _BLOCK], "little")
        blocks.append((masked ^ pattern_bits).to_bytes(_BLOCK, "little"))
    rest = stop - size % _BLOCK
    if rest != stop:
        blocks.append(unmask(data, rest, stop, key, 0))
    return b"".join(blocks)


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


def parse_frame(
    data: bytes, pos: int, masked: bool, limit: int, decode: bool
) -> tuple[int, bytes | str, int] | None:
    """Read the frame at *pos* if it is a whole, uncompressed, unfragmented message.

    Returns (first byte, unmasked payload, position after the frame), with the payload of a text
    frame as str when *decode*; None when the frame is anything else, is not *masked* as it
    should be, is longer than *limit*, has a length not in its shortest form, or is incomplete.

    Raises:
        UnicodeDecodeError: the payload of a text frame to decode is not UTF-8.
    """
    size = len(data)
    if size - pos < 2:
        return None
    first, length = data[pos], data[pos + 1]
    if (first != 0x81 and first != 0x82) or (length >= 0x80) is not masked:
        return None
    length &= 0x7F
    start = pos + 2
    if length >= 126:
        at, start, least = start, start + (2 if length == 126 else 8), 126
        if start - at == 8:
            least = 65536
        if start > size:
            return None
        length = int.from_bytes(data[at:start], "big")
        if length < least:
            return None
    if masked:
        start += 4
    end = start + length
    if end > size or length > limit:
        return None
    payload = unmask(data, start, end, data[start - 4 : start], 0) if masked else data[start:end]
    if decode and first == 0x81:
        return first, payload.decode(), end
    return first, payload, end


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
    return b"".join((head, key, unmask(payload, 0, size, key, 0)))
