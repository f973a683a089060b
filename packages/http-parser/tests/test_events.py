"""Events and their headers."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Sequence

import pytest

from headrace.http_parser import (
    ConnectionClosed,
    Data,
    EndOfMessage,
    Event,
    Headers,
    Informational,
    Request,
    Response,
)
from headrace.http_parser._events import Pair, received_headers

PAIRS = ((b"Host", b"a"), (b"X", b""))
MAKERS: list[Callable[[], Headers]] = [
    lambda: Headers(PAIRS),
    lambda: Headers(iter(PAIRS)),
    lambda: received_headers(b"....Host: a\r\nX:\r\n\r\n", 4),
    lambda: pickle.loads(pickle.dumps(received_headers(b"Host: a\r\nX:\r\n\r\n", 0))),
    lambda: copy.copy(Headers(PAIRS)),
]


@pytest.mark.parametrize("make", MAKERS)
def test_headers_are_a_sequence_of_pairs(make: Callable[[], Headers]) -> None:
    assert isinstance(make(), Sequence)
    assert list(make()) == list(PAIRS)
    assert len(make()) == 2
    assert make()[0] == (b"Host", b"a")
    assert make()[-1:] == ((b"X", b""),)
    assert (b"X", b"") in make()
    assert make().index((b"X", b"")) == 1
    assert list(reversed(make())) == [(b"X", b""), (b"Host", b"a")]
    assert repr(make()) == "Headers([(b'Host', b'a'), (b'X', b'')])"


@pytest.mark.parametrize("make", MAKERS)
def test_find(make: Callable[[], Headers]) -> None:
    assert make().find(b"host") == b"a"
    assert make().find(b"x") == b""
    assert make().find(b"y") is None
    assert make().find_each((b"y", b"x", b"host", b"x")) == (None, b"", b"a", b"")


@pytest.mark.parametrize("make", MAKERS)
def test_headers_as_text(make: Callable[[], Headers]) -> None:
    headers = make()
    for _ in range(2):
        assert headers.text() == (("Host", "a"), ("X", ""))
        assert len(headers) == 2  # cut now


@pytest.mark.parametrize("make", MAKERS)
def test_headers_as_a_block(make: Callable[[], Headers]) -> None:
    headers = make()
    again = received_headers(headers.block(), 0)
    assert (again == headers, len(headers)) == (True, 2)  # cut now
    assert headers.block() == b"Host: a\r\nX: \r\n\r\n"
    assert received_headers(b"GET\r\nX:\t1\r\n\r\n", 5).block() == b"X:\t1\r\n\r\n"


def test_text_keeps_what_is_no_utf_8() -> None:
    for headers in (
        received_headers(b"A: \xc3\xa9\xff\r\n\r\n", 0),
        Headers([(b"A", b"\xc3\xa9\xff")]),
    ):
        assert headers.text() == (("A", "\xe9\udcff"),)


@pytest.mark.parametrize("make", MAKERS)
def test_headers_equal_what_has_equal_pairs(make: Callable[[], Headers]) -> None:
    assert make() == Headers(PAIRS)
    assert make() == PAIRS
    assert make() == list(PAIRS)
    assert make() != Headers()
    assert make() != "text"
    assert hash(make()) == hash(Headers(PAIRS))


def test_headers_cannot_be_changed() -> None:
    headers: Sequence[Pair] = Headers(PAIRS)
    with pytest.raises(TypeError):
        headers[0] = (b"A", b"b")  # type: ignore[index]
    with pytest.raises(AttributeError):
        headers.extra = 1  # type: ignore[attr-defined]


EVENTS: list[Event] = [
    Request(b"GET", b"/"),
    Informational(100),
    Response(200),
    Data(b""),
    EndOfMessage(),
    ConnectionClosed(),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_are_slotted_and_frozen(event: Event) -> None:
    assert not hasattr(event, "__dict__")
    with pytest.raises(AttributeError):
        event.headers = ()  # type: ignore[misc, union-attr]
    assert pickle.loads(pickle.dumps(event)) == event
