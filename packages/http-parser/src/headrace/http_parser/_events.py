"""Events: what a peer said, and what we say to it.

They are named tuples: slotted, frozen, quick to make. The core makes them with `tuple.__new__`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias, final, overload

from ._names import name_table
from ._scan import find_field, find_fields, split_fields, split_text

Pair: TypeAlias = tuple[bytes, bytes]


@final
class Headers(Sequence[Pair]):
    """An immutable sequence of (name, value) byte pairs in the order they were received.

    Received names keep their case; values are without the white space around them. The pairs of
    a received head are cut out of it when first looked at: a head is validated as a whole before
    an event is made, so this cannot fail.
    """

    __slots__ = ("_head", "_pairs", "_start")

    _head: bytes
    _start: int
    _pairs: tuple[Pair, ...] | None

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self._pairs = tuple(pairs)

    def _cut(self) -> tuple[Pair, ...]:
        pairs = self._pairs
        if pairs is None:
            pairs = self._pairs = split_fields(self._head, self._start)
            self._head = b""
        return pairs

    def find(self, name: bytes) -> bytes | None:
        """Return the value of the first field with *name*, or None; nothing else is cut out.

        Args:
            name: The name in lower case.
        """
        if self._pairs is None:
            return find_field(self._head, self._start, name)
        for each, value in self._pairs:
            if each.lower() == name:
                return value
        return None

    def find_each(self, names: tuple[bytes, ...]) -> tuple[bytes | None, ...]:
        """Return for each of *names* what `find` does, with one look at the lines for all of them.

        Args:
            names: The names in lower case.
        """
        if self._pairs is None:
            return find_fields(self._head, self._start, names)
        return tuple([self.find(name) for name in names])

    def block(self) -> bytes:
        """Return the field lines as they were received, up to and with the empty line.

        Those that were not received, or have been cut, are written anew.
        """
        if self._pairs is None:
            return self._head[self._start :]
        return b"".join([*map(b"%b: %b\r\n".__mod__, self._pairs), b"\r\n"])

    def text(self, name: Callable[[str], str] = str) -> tuple[tuple[str, str], ...]:
        """Return the pairs as text: UTF-8, of which bytes that are none are kept as surrogates.

        Names may be what *name* makes of them. It is called once for each common name, so that
        pairs share what is costly to make, and not at all for others; what it returns has to be
        equal to what it is given, as multidict's ``istr`` is.
        """
        if self._pairs is None:
            return split_text(self._head, self._start, name_table(name))
        return tuple(
            [
                (name.decode("ascii"), value.decode("utf-8", "surrogateescape"))
                for name, value in self._pairs
            ]
        )

    @overload
    def __getitem__(self, index: int) -> Pair: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Pair, ...]: ...

    def __getitem__(self, index: int | slice) -> Pair | tuple[Pair, ...]:
        return self._cut()[index]

    def __len__(self) -> int:
        return len(self._cut())

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._cut())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Headers):
            return self._cut() == other._cut()
        if isinstance(other, tuple | list):
            return self._cut() == tuple(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._cut())

    def __repr__(self) -> str:
        return f"Headers({list(self._cut())!r})"


def received_headers(head: bytes, start: int) -> Headers:
    """Return the headers of a validated *head* whose field lines begin at *start*."""
    headers = Headers.__new__(Headers)
    headers._head = head
    headers._start = start
    headers._pairs = None
    return headers


class Request(NamedTuple):
    """The head of a request.

    To send one, give method, target and headers. The other fields say what the core found in a
    received one: `complete` means that it has no body, and that neither `Data` nor `EndOfMessage`
    follow; `content_length` is None when the body is chunked or absent; `expect_continue` means
    that the peer asked for a 100, which a request without a body has no use for; `upgrade` is the
    value of Upgrade if Connection lists it, else None.
    """

    method: bytes
    target: bytes
    headers: Sequence[Pair] = ()
    version: tuple[int, int] = (1, 1)
    keep_alive: bool = True
    complete: bool = False
    content_length: int | None = None
    expect_continue: bool = False
    upgrade: bytes | None = None


#: Method and target, both as text, headers and body of a request; see `Connection.receive_whole`.
WholeRequest: TypeAlias = tuple[str, str, Headers, bytes]


class Informational(NamedTuple):
    """The head of an interim response, status 100 to 199; 101 switches the protocol."""

    status: int
    headers: Sequence[Pair] = ()
    reason: bytes = b""
    version: tuple[int, int] = (1, 1)


class Response(NamedTuple):
    """The head of a final response, status 200 and above.

    An empty reason is replaced by the standard phrase when it is written. A received one carries
    `complete`, `keep_alive` and `content_length`, see `Request`.
    """

    status: int
    headers: Sequence[Pair] = ()
    reason: bytes = b""
    version: tuple[int, int] = (1, 1)
    keep_alive: bool = True
    complete: bool = False
    content_length: int | None = None


class Data(NamedTuple):
    """A piece of a body, its framing removed."""

    data: bytes


class EndOfMessage(NamedTuple):
    """The end of a message that has a body, with the trailers of a chunked one."""

    trailers: Sequence[Pair] = ()


class ConnectionClosed(NamedTuple):
    """Nothing more will come: the peer ended the connection, or it is not to be reused."""


class Signal(enum.Enum):
    """What `Connection.next_event` returns when there is no event."""

    NEED_DATA = "need-data"
    PAUSED = "paused"


NEED_DATA: Final[Literal[Signal.NEED_DATA]] = Signal.NEED_DATA
PAUSED: Final[Literal[Signal.PAUSED]] = Signal.PAUSED

Event: TypeAlias = Request | Informational | Response | Data | EndOfMessage | ConnectionClosed
