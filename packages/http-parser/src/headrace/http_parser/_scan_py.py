"""The kernel in plain Python: the specification of the compiled twin, and its types.

Each function here takes bytes and numbers and returns spans and values, or None for "not this":
the head is incomplete, or something is wrong with it. What is wrong is found out elsewhere
(`_lines.py`), once, for both twins; a kernel accepts or it does not. One pattern reads a whole
head: loops over bytes are slow in Python. Its repetitions are possessive, so it never tries again.

A "known" tuple holds the fields that framing needs as pairs (id, value), in their order. A function
that makes one takes the *last* one and returns it itself if it would make an equal one, which it
then need not make.
"""

from __future__ import annotations

import re
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
# method, target, start of the fields, end of the head, known fields
WholeHead: TypeAlias = tuple[str, str, int, int, Known]
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
#: The methods whose answers have no body, or begin a tunnel.
SPECIAL_METHODS: Final = frozenset({b"HEAD", b"CONNECT"})
_HEX: Final = b"0123456789abcdefABCDEF"
_OWS: Final = b" \t"


def _one_of(characters: bytes) -> bytes:
    return b"[" + re.escape(characters) + b"]"


def _either_case(word: bytes) -> bytes:
    return b"".join(
        [b"[%b%b]" % (word[i : i + 1].upper(), word[i : i + 1]) for i in range(len(word))]
    )


_FIELD_LINE: Final = rb"%b++:%b*+" % (_one_of(TOKEN), _one_of(FIELD))
# Each field line is taken from the LF before it to its CR.
_LINES: Final = rb"\r((?:\n%b\r)*+)\n\r\n" % _FIELD_LINE
_request_head: Final = re.compile(
    rb"(%b++) (%b++) HTTP/1\.([0-9])%b" % (_one_of(TOKEN), _one_of(TARGET), _LINES)
).match
_response_head: Final = re.compile(
    rb"HTTP/1\.([0-9]) ([1-9][0-9]{2}) (%b*+)%b" % (_one_of(FIELD), _LINES)
).match
_trailers: Final = re.compile(rb"((?:%b\r\n)*+)\r\n" % _FIELD_LINE).match
# The first letters are looked at before the names are tried.
_known: Final = re.compile(
    rb"\n(?=%b)(%b):[ \t]*+([^\r]*)"
    % (
        _one_of(b"".join({name[:1] + name[:1].upper() for name in KNOWN})),
        b"|".join([_either_case(name) for name in KNOWN]),
    )
).findall


def scan_request_head(
    data: bytes,
    start: int,
    max_line: int,
    max_header: int,
    max_headers: int,
    max_head: int,
    last: Known,
) -> RequestHead | None:
    """Scan the request head that begins at *start* of *data*; None if it is not whole and valid.

    The form of the target is not judged here, only its characters.
    """
    match = _request_head(data, start)
    if match is None:
        return None
    method, target, minor, lines = match.groups()
    end = match.end()
    if (
        match.end(3) - start > max_line
        or end - start > max_head
        or _exceeds(lines, max_header, max_headers)
    ):
        return None
    return method, target, int(minor), match.start(4) + 1, end, _known_of(lines, last)


def scan_whole_request(
    data: bytes, limits: tuple[int, int, int, int], usual: Known, length: int
) -> WholeHead | None:
    """Scan *data*, which may be one request of the usual kind; None if it is not.

    That is a valid head, in *limits* as for `scan_request_head`, of HTTP/1.1, with a path as target
    and none of `SPECIAL_METHODS`. Where its known fields are the *usual* ones, *length* bytes, and
    no more, come after it; what follows other known fields is not judged here.
    """
    found = scan_request_head(data, 0, *limits, usual)
    if found is None:
        return None
    method, target, minor, start, end, known = found
    if (
        minor != 1
        or not target.startswith(b"/")
        or method in SPECIAL_METHODS
        or (known is usual and len(data) - end != length)
    ):
        return None
    return method.decode("ascii"), target.decode("ascii"), start, end, known


def scan_response_head(
    data: bytes,
    start: int,
    max_line: int,
    max_header: int,
    max_headers: int,
    max_head: int,
    last: Known,
) -> ResponseHead | None:
    """Scan the response head that begins at *start* of *data*; None if not whole and valid."""
    match = _response_head(data, start)
    if match is None:
        return None
    minor, status, reason, lines = match.groups()
    end = match.end()
    if (
        match.end(3) - start > max_line
        or end - start > max_head
        or _exceeds(lines, max_header, max_headers)
    ):
        return None
    return int(status), reason, int(minor), match.start(4) + 1, end, _known_of(lines, last)


def scan_trailers(
    data: bytes, start: int, max_header: int, max_headers: int, max_trailers: int
) -> int | None:
    """Scan a trailer section and return its end; None if it is not whole and valid."""
    match = _trailers(data, start)
    if match is None:
        return None
    end = match.end()
    if end - start > max_trailers or _exceeds(match[1], max_header, max_headers):
        return None
    return end


def _exceeds(lines: bytes, max_header: int, max_headers: int) -> bool:
    """Say whether lines, each with one byte of its end, are too many or one of them too long."""
    return lines.count(b"\n") > max_headers or (
        len(lines) > max_header and max(map(len, lines.split(b"\n"))) > max_header + 1
    )


def _known_of(lines: bytes, last: Known) -> Known:
    known = tuple([(KNOWN[name.lower()], value.rstrip(_OWS)) for name, value in _known(lines)])
    return last if known == last else known


def split_fields(head: bytes, start: int) -> tuple[tuple[bytes, bytes], ...]:
    """Cut the pairs out of the validated field lines at *start* of *head*, up to an empty line."""
    # The line before the first field ends where the search begins: there may be no field at all.
    end = head.find(b"\r\n\r\n", start - 2 if start > 1 else 0)
    lines = head[start:] if end < 0 else head[start:end]
    parts = [line.partition(b":") for line in lines.split(b"\r\n")]
    return tuple([(name, value.strip(_OWS)) for name, colon, value in parts if colon])


def find_field(head: bytes, start: int, name: bytes) -> bytes | None:
    """Return the first value that `split_fields` would give for a name, which is in lower case."""
    lowered = head.lower()
    if lowered.startswith(name + b":", start):
        at = start + len(name) + 1
    else:
        end = head.find(b"\r\n\r\n", start - 2 if start > 1 else 0)
        line = lowered.find(b"\r\n" + name + b":", start, len(head) if end < 0 else end)
        if line < 0:
            return None
        at = line + len(name) + 3
    end = head.find(b"\r\n", at)
    return head[at : len(head) if end < 0 else end].strip(_OWS)


def find_fields(head: bytes, start: int, names: tuple[bytes, ...]) -> tuple[bytes | None, ...]:
    """Return what `find_field` gives for each of the names."""
    return tuple([find_field(head, start, name) for name in names])


def split_text(
    head: bytes, start: int, names: tuple[str | None, ...] = ()
) -> tuple[tuple[str, str], ...]:
    """Do as `split_fields`, and decode: values from UTF-8, its other bytes kept as surrogates.

    A name may be the object that stands for it in *names*, which is a `name_table` or empty;
    here it would take longer to find one than to decode it.
    """
    return tuple(
        [
            (name.decode("ascii"), value.decode("utf-8", "surrogateescape"))
            for name, value in split_fields(head, start)
        ]
    )


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
