"""The limits themselves; the byte tables show what exceeds them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from headrace.http_parser import Connection, Limits, RemoteProtocolError, Request, Role

NAMES = [field.name for field in fields(Limits)]


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize("value", [-1, 2**31, "1", 1.0, None])
def test_limits_are_numbers(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        Limits(**{field: value})  # type: ignore[arg-type]


def test_limits_are_frozen_and_documented() -> None:
    with pytest.raises(FrozenInstanceError):
        Limits().max_head = 1  # type: ignore[misc]
    assert Limits.__doc__ is not None
    assert all(f"{name}:" in Limits.__doc__ for name in NAMES)


@pytest.mark.parametrize(
    ("field", "data"),
    [
        ("max_request_line", b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * 30)),
        ("max_header", b"GET / HTTP/1.1\r\nHost: a\r\nX: %b\r\n\r\n" % (b"a" * 30)),
        ("max_headers", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 20 + b"\r\n"),
        ("max_head", b"GET / HTTP/1.1\r\nHost: a\r\nX: %b\r\n\r\n" % (b"a" * 30)),
    ],
)
def test_a_limit_is_the_most_that_is_accepted(field: str, data: bytes) -> None:
    """Whole and byte by byte: there is one least limit, and it is the size in question."""
    for pieces in ([data], [data[i : i + 1] for i in range(len(data))]):
        accepted = [limit for limit in range(len(data) + 2) if accepts(pieces, {field: limit})]
        lines = data.split(b"\r\n")
        least = {
            "max_request_line": len(lines[0]),
            "max_header": len(lines[2]),
            "max_headers": 21,
            "max_head": len(data),
        }[field]
        assert accepted == list(range(least, len(data) + 2))


def accepts(pieces: list[bytes], limits: dict[str, int]) -> bool:
    connection = Connection(Role.SERVER, limits=Limits(**limits))
    event: object = None
    try:
        for piece in pieces:
            connection.receive_data(piece)
            event = connection.next_event()
    except RemoteProtocolError:
        return False
    return isinstance(event, Request)
