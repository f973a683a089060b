"""Let Atheris look for bytes that a connection or a handshake cannot stand.

    python fuzz/fuzz_connection.py [SECONDS [corpus folders and libFuzzer options]]

Needs the dependency group ``fuzz``. The first byte of an input chooses role, options and limits,
the rest is what a peer sends. Found is what must not be: an undocumented error, another outcome
when the same bytes come in other cuts, an event that cannot be sent again, a peer that cannot read
what we answered, or memory beyond the limits. The byte tables of the tests are the seeds. With
``HEADRACE_EXTENSIONS=none`` the readable twin is what runs, and its branches guide the search.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["headrace.websocket"]):
    from headrace.websocket import (
        NEED_DATA,
        Binary,
        Close,
        Connection,
        ConnectionClosed,
        Deflate,
        Event,
        HandshakeError,
        Limits,
        Offer,
        Ping,
        Pong,
        RemoteProtocolError,
        Role,
        Text,
        accept,
    )

FULL = Deflate(server_max_window_bits=15, client_max_window_bits=15, threshold=0)
LIMITS = [Limits(), Limits(max_message=64), Limits(max_frame=20, max_fragments=3)]
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
Outcome = tuple[list[Event], int | None, bytes]


def connect(options: int) -> Connection:
    return Connection(
        Role.CLIENT if options & 1 else Role.SERVER,
        deflate=FULL if options & 2 else None,
        decode_text=not options & 4,
        limits=LIMITS[(options >> 4) % 3],
        mask_key=lambda: b"\x37\xfa\x21\x3d",
    )


def play(connection: Connection, parts: Iterator[bytes]) -> Outcome:
    events: list[Event] = []
    answers = b""
    for part in parts:
        connection.receive_data(part)
        try:
            while (event := connection.next_event()) is not NEED_DATA:
                events.append(event)
                # At once: of many pongs that wait, only the latest are kept.
                answers += connection.data_to_send()
                if isinstance(event, ConnectionClosed):
                    return events, None, answers
        except RemoteProtocolError as error:
            return events, int(error.code), answers + connection.data_to_send()
        answers += connection.data_to_send()
    return events, None, answers


def cuts(data: bytes) -> Iterator[bytes]:
    edges = sorted({0, len(data), *(byte * 3 % (len(data) + 1) for byte in data[:8])})
    return (data[start:end] for start, end in pairwise(edges))


def check_connection(options: int, data: bytes) -> None:
    events, code, answers = play(connect(options), iter([data]))
    again, code_again, answers_again = play(connect(options), cuts(data))
    assert (events, code) == (again, code_again), (events, code, again, code_again)
    if code is None:  # the text of an error may tell how far the bytes had come
        assert answers == answers_again
    check_answers(options, answers)
    check_echo(options, events)
    most = LIMITS[(options >> 4) % 3].max_message or 0
    assert all(len(event.data) <= most for event in events if isinstance(event, (Text, Binary)))


def check_answers(options: int, answers: bytes) -> None:
    """What we answer is what a peer can read: pongs, and a Close at the end."""
    peer, code, _ = play(connect(options & 0x0F ^ 1), iter([answers]))
    assert code is None
    assert all(isinstance(event, (Pong, Close, ConnectionClosed)) for event in peer)


def check_echo(options: int, events: list[Event]) -> None:
    """What was received can be sent, and arrives as it was."""
    ours, theirs = connect(options & 0x0F), connect(options & 0x0F ^ 1)
    sendable = [event for event in events if isinstance(event, (Text, Binary, Ping, Pong))]
    echoed, code, _ = play(theirs, iter([b"".join(map(ours.send, sendable))]))
    assert (echoed, code) == (sendable, None)


def check_handshake(data: bytes) -> None:
    lines = data.split(b"\n")
    headers = [(name, value) for name, _, value in (line.partition(b":") for line in lines)]
    statuses = []
    try:
        accept(headers, deflate=FULL, subprotocols=["chat"])
    except HandshakeError as error:
        statuses.append(error.status)
    try:
        Offer(key=KEY, deflate=FULL, subprotocols=["chat"]).check(headers)
    except HandshakeError as error:
        statuses.append(error.status)
    assert statuses in ([], [101], [400], [426], [400, 101], [426, 101])


def test_one_input(data: bytes) -> None:
    if not data:
        return
    options, rest = data[0], data[1:]
    if options & 8:
        check_handshake(rest)
    else:
        check_connection(options, rest)


def write_seeds(folder: Path) -> None:
    """Write the byte tables of the tests as inputs."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from cases import CASES

    for number, case in enumerate(CASES):
        for options in (0, 1):
            seed = bytes([options | (2 if case.deflate else 0)]) + case.render(mask=options == 0)
            if len(seed) < 4096:
                (folder / f"case-{number}-{options}").write_bytes(seed)
    offer = b"\n".join(b":".join(pair) for pair in Offer(deflate=FULL, key=KEY).headers)
    (folder / "offer").write_bytes(b"\x08" + offer)
    answer = accept(Offer(deflate=FULL, key=KEY).headers, deflate=FULL).headers
    (folder / "answer").write_bytes(b"\x08" + b"\n".join(b":".join(pair) for pair in answer))


def main() -> None:
    seconds = sys.argv[1] if len(sys.argv) > 1 else "600"
    with tempfile.TemporaryDirectory() as folder:
        write_seeds(Path(folder))
        command = [sys.argv[0], f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=1024"]
        atheris.Setup([*command, *sys.argv[2:], folder], test_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
