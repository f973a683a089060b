"""The kernel in plain Python: the specification of the compiled twin, and its types.

Each function here takes bytes and numbers and returns spans and values, or None for "not this":
the head is incomplete, or something is wrong with it. What is wrong is found out elsewhere
(`_lines.py`), once, for both twins; a kernel accepts or it does not. The functions work on whole
buffers (`split`, `translate` with a delete table), as loops over bytes are slow in Python.

A "known" tuple holds the fields that framing needs as pairs (id, value), in their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from ._grammar import FIELD, TARGET, TOKEN

CONNECTION: Final = 1
CONTENT_LENGTH: Final = 2
EXPECT: Final = 3
HOST: Final = 4
TRANSFER_ENCODING: Final = 5
UPGRADE: Final = 6

Known: TypeAlias = tuple[tuple[int, bytes], ...]
# method, target, minor version, start of the fields, end of the head, known fields
RequestHead: TypeAlias = tuple[bytes, bytes, int, int, int, Known]
# status, reason, minor version, start of the fields, end of the head, known fields
ResponseHead: TypeAlias = tuple[int, bytes, int, int, int, Known]

KNOWN: Final = {
    b"connection": CONNECTION,
    b"content-length": CONTENT_LENGTH,
    b"expect": EXPECT,
    b"host": HOST,
    b"transfer-encoding": TRANSFER_ENCODING,
    b"upgrade": UPGRADE,
}
_MINORS: Final = {b"HTTP/1.%d" % minor: minor for minor in range(10)}
_HEX: Final = b"0123456789abcdefABCDEF"
_DIGITS: Final = b"0123456789"
_OWS: Final = b" \t"


def scan_request_head(
    data: bytes, start: int, max_line: int, max_header: int, max_headers: int, max_head: int
) -> RequestHead | None:
    """Scan the request head that begins at *start* of *data*; None if it is not whole and valid.

    The form of the target is not judged here, only its characters.
    """
    end = data.find(b"\r\n\r\n", start)
    if end < 0 or end + 4 - start > max_head:
        return None
    line_end = data.find(b"\r\n", start)
    parts = data[start:line_end].split(b" ")
    if line_end - start > max_line or len(parts) != 3:
        return None
    method, target, version = parts
    minor = _MINORS.get(version)
    if (
        minor is None
        or not method
        or not target
        or method.translate(None, TOKEN)
        or target.translate(None, TARGET)
    ):
        return None
    known = _scan_lines(data[line_end + 2 : end], max_header, max_headers)
    return None if known is None else (method, target, minor, line_end + 2, end + 4, known)


def scan_response_head(
    data: bytes, start: int, max_line: int, max_header: int, max_headers: int, max_head: int
) -> ResponseHead | None:
    """Scan the response head that begins at *start* of *data*; None if not whole and valid."""
    end = data.find(b"\r\n\r\n", start)
    if end < 0 or end + 4 - start > max_head:
        return None
    line_end = data.find(b"\r\n", start)
    parts = data[start:line_end].split(b" ", 2)
    if line_end - start > max_line or len(parts) != 3:
        return None
    version, digits, reason = parts
    minor = _MINORS.get(version)
    if (
        minor is None
        or len(digits) != 3
        or digits.translate(None, _DIGITS)
        or digits[0] == 0x30
        or reason.translate(None, FIELD)
    ):
        return None
    known = _scan_lines(data[line_end + 2 : end], max_header, max_headers)
    return None if known is None else (int(digits), reason, minor, line_end + 2, end + 4, known)


def scan_trailers(
    data: bytes, start: int, max_header: int, max_headers: int, max_trailers: int
) -> tuple[int, Known] | None:
    """Scan a trailer section and return its end and known fields; None if not whole and valid."""
    if data.startswith(b"\r\n", start):
        return (start + 2, ()) if max_trailers >= 2 else None
    end = data.find(b"\r\n\r\n", start)
    if end < 0 or end + 4 - start > max_trailers:
        return None
    known = _scan_lines(data[start:end], max_header, max_headers)
    return None if known is None else (end + 4, known)


def _scan_lines(block: bytes, max_header: int, max_headers: int) -> Known | None:
    """Validate field lines, the CR LF of the last one left away, and return the known fields."""
    if not block:
        return ()
    lines = block.split(b"\r\n")
    count = len(lines)
    if (
        count > max_headers
        # With all allowed characters deleted only the line ends that split() found may be left.
        or block.translate(None, FIELD) != b"\r\n" * (count - 1)
        or max(map(len, lines)) > max_header
    ):
        return None
    parts = [line.partition(b":") for line in lines]
    names = [name for name, colon, _ in parts if name and colon]
    if len(names) != count or b"".join(names).translate(None, TOKEN):
        return None
    lowered = b":".join(names).lower().split(b":")
    return tuple(
        [
            (KNOWN[name], parts[index][2].strip(_OWS))
            for index, name in enumerate(lowered)
            if name in KNOWN
        ]
    )


def split_fields(head: bytes, start: int) -> tuple[tuple[bytes, bytes], ...]:
    """Cut the pairs out of the validated field lines at *start* of *head*, up to an empty line."""
    parts = [line.partition(b":") for line in head[start:].split(b"\r\n")]
    return tuple([(name, value.strip(_OWS)) for name, colon, value in parts if colon])


def scan_chunk_line(data: bytes, start: int) -> tuple[int, int] | None:
    """Return size and end of a chunk line without extensions; None if it is anything else."""
    end = data.find(b"\r\n", start, start + 18)
    digits = data[start:end]
    if end <= start or digits.translate(None, _HEX):
        return None
    size = int(digits, 16)
    return (size, end + 2) if size < 2**63 else None


def serialize_fields(pairs: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, Known] | None:
    """Write field lines and return them with their known fields; None if one is not valid.

    A value must be what would be read back: no white space around it.
    """
    fields = tuple(pairs)
    known: list[tuple[int, bytes]] = []
    for field in fields:
        if type(field) is not tuple or len(field) != 2:
            return None
        name, value = field
        if (
            type(name) is not bytes
            or type(value) is not bytes
            or not name
            or name.translate(None, TOKEN)
            or value.translate(None, FIELD)
            or value.strip(_OWS) != value
        ):
            return None
        lowered = name.lower()
        if lowered in KNOWN:
            known.append((KNOWN[lowered], value))
    return b"".join([b"%b: %b\r\n" % field for field in fields]), tuple(known)
