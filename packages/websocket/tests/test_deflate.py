"""Negotiating permessage-deflate (RFC 7692, 7.1), both roles."""

from __future__ import annotations

import pytest

from headrace.websocket import Deflate, HandshakeError, Offer, accept

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = [
    (b"Upgrade", b"websocket"),
    (b"Connection", b"Upgrade"),
    (b"Sec-WebSocket-Key", KEY),
    (b"Sec-WebSocket-Version", b"13"),
]
ANSWER = [
    (b"Upgrade", b"websocket"),
    (b"Connection", b"Upgrade"),
    (b"Sec-WebSocket-Accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
]
NAME = b"Sec-WebSocket-Extensions"
FULL = Deflate(server_max_window_bits=15, client_max_window_bits=15)
PMD = "permessage-deflate"
LIMITED = f"{PMD}; client_max_window_bits=12"
NO_TAKEOVER = "server_no_context_takeover; client_no_context_takeover"


def answer_to(offer: str, wanted: Deflate | None) -> tuple[str | None, Deflate | None]:
    accepted = accept([*REQUEST, (NAME, offer.encode())], deflate=wanted)
    told = dict(accepted.headers).get(NAME)
    return None if told is None else told.decode(), accepted.deflate


def bits_of(agreed: Deflate) -> tuple[bool, bool, int, int]:
    return (
        agreed.server_no_context_takeover,
        agreed.client_no_context_takeover,
        agreed.server_max_window_bits,
        agreed.client_max_window_bits,
    )


@pytest.mark.parametrize(
    ("offer", "wanted", "told", "agreed"),
    [
        (PMD, FULL, PMD, (False, False, 15, 15)),
        ("x, " + PMD, FULL, PMD, (False, False, 15, 15)),
        (PMD.upper(), FULL, PMD, (False, False, 15, 15)),
        # 7.1.1.1
        (
            f"{PMD}; server_no_context_takeover",
            FULL,
            f"{PMD}; server_no_context_takeover",
            (True, False, 15, 15),
        ),
        (
            PMD,
            Deflate(True, True, 15, 15),
            f"{PMD}; {NO_TAKEOVER}",
            (True, True, 15, 15),
        ),
        # 7.1.1.2
        (
            f"{PMD}; client_no_context_takeover",
            FULL,
            f"{PMD}; client_no_context_takeover",
            (False, True, 15, 15),
        ),
        # 7.1.2.1: the same or a smaller value, and told when it was asked for
        (
            f"{PMD}; server_max_window_bits=10",
            FULL,
            f"{PMD}; server_max_window_bits=10",
            (False, False, 10, 15),
        ),
        (
            f'{PMD}; server_max_window_bits="8"',
            FULL,
            f"{PMD}; server_max_window_bits=8",
            (False, False, 8, 15),
        ),
        (
            f"{PMD}; server_max_window_bits=15",
            FULL,
            f"{PMD}; server_max_window_bits=15",
            (False, False, 15, 15),
        ),
        (
            f"{PMD}; server_max_window_bits=14",
            Deflate(server_max_window_bits=9, client_max_window_bits=15),
            f"{PMD}; server_max_window_bits=9",
            (False, False, 9, 15),
        ),
        (PMD, Deflate(), f"{PMD}; server_max_window_bits=12", (False, False, 12, 15)),
        # 7.1.2.2: the client's window may be limited only when it says that it can
        (f"{PMD}; client_max_window_bits", FULL, PMD, (False, False, 15, 15)),
        (
            f"{PMD}; client_max_window_bits",
            Deflate(server_max_window_bits=15),
            f"{PMD}; client_max_window_bits=12",
            (False, False, 15, 12),
        ),
        (
            f"{PMD}; client_max_window_bits=10",
            FULL,
            f"{PMD}; client_max_window_bits=10",
            (False, False, 15, 10),
        ),
        (
            f"{PMD}; client_max_window_bits=15",
            Deflate(server_max_window_bits=15, client_max_window_bits=8),
            f"{PMD}; client_max_window_bits=8",
            (False, False, 15, 8),
        ),
        # 9.1: the first offer that can be accepted
        (
            f"{PMD}; server_max_window_bits=7, {PMD}; server_no_context_takeover, {PMD}",
            FULL,
            f"{PMD}; server_no_context_takeover",
            (True, False, 15, 15),
        ),
    ],
)
def test_accepted_offers(
    offer: str, wanted: Deflate, told: str, agreed: tuple[bool, bool, int, int]
) -> None:
    element, result = answer_to(offer, wanted)
    assert element == told
    assert result is not None
    assert bits_of(result) == agreed


@pytest.mark.parametrize(
    "parameters",
    [
        "unknown",
        "unknown=1",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits=10; server_max_window_bits=10",
        "client_max_window_bits; client_max_window_bits",
        "client_max_window_bits; client_max_window_bits=9",
        "server_no_context_takeover=1",
        "client_no_context_takeover=true",
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=08",
        "server_max_window_bits=+9",
        "server_max_window_bits=9.0",
        "server_max_window_bits=a",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=0",
        "client_max_window_bits=010",
    ],
)
def test_declined_offers(parameters: str) -> None:  # 7.1: MUST decline
    assert answer_to(f"{PMD}; {parameters}", FULL) == (None, None)
    told, agreed = answer_to(f"{PMD}; {parameters}, {PMD}", FULL)
    assert (told, agreed) == (PMD, FULL)


@pytest.mark.parametrize("offer", ["", "x-webkit-deflate-frame", "permessage-bzip2", "foo; bar=1"])
def test_other_extensions_are_declined(offer: str) -> None:
    assert answer_to(offer, FULL) == (None, None)


def test_nothing_is_agreed_without_a_wish() -> None:
    assert answer_to(PMD, None) == (None, None)


def test_what_stays_is_the_sides_own() -> None:
    wanted = Deflate(threshold=7, level=1, mem_level=9)
    _, agreed = answer_to(PMD, wanted)
    assert agreed is not None
    assert (agreed.threshold, agreed.level, agreed.mem_level) == (7, 1, 9)


# The client's side


@pytest.mark.parametrize(
    ("wanted", "offers"),
    [
        (FULL, f"{PMD}; client_max_window_bits"),
        (
            Deflate(),
            f"{LIMITED}; server_max_window_bits=12, {LIMITED}",
        ),
        (
            Deflate(True, True, 15, 9),
            f"{PMD}; {NO_TAKEOVER}; client_max_window_bits=9",
        ),
    ],
)
def test_offers(wanted: Deflate, offers: str) -> None:
    assert dict(Offer(deflate=wanted).headers)[NAME] == offers.encode()


def checked(wanted: Deflate, answer: str) -> Deflate | None:
    return Offer(key=KEY, deflate=wanted).check([*ANSWER, (NAME, answer.encode())]).deflate


@pytest.mark.parametrize(
    ("wanted", "answer", "agreed"),
    [
        (FULL, PMD, (False, False, 15, 15)),
        (FULL, f"{PMD}; server_no_context_takeover", (True, False, 15, 15)),
        (FULL, f"{PMD}; client_no_context_takeover", (False, True, 15, 15)),
        (FULL, f"{PMD}; server_max_window_bits=9", (False, False, 9, 15)),
        (FULL, f"{PMD}; client_max_window_bits=9", (False, False, 15, 9)),
        (Deflate(), f"{PMD}; server_max_window_bits=12", (False, False, 12, 12)),
        (Deflate(), PMD, (False, False, 15, 12)),
        (Deflate(), f"{PMD}; client_max_window_bits=15", (False, False, 15, 12)),
        (Deflate(False, True, 15, 15), PMD, (False, True, 15, 15)),
    ],
)
def test_good_answers(wanted: Deflate, answer: str, agreed: tuple[bool, bool, int, int]) -> None:
    result = checked(wanted, answer)
    assert result is not None
    assert bits_of(result) == agreed


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        (FULL, f"{PMD}; unknown"),
        (FULL, f"{PMD}; server_max_window_bits"),
        (FULL, f"{PMD}; client_max_window_bits"),
        (FULL, f"{PMD}; client_max_window_bits=7"),
        (FULL, f"{PMD}; server_max_window_bits=9; server_max_window_bits=9"),
        (FULL, f"{PMD}; server_no_context_takeover=1"),
        (FULL, f"{PMD}, {PMD}"),
        (FULL, f"{PMD}, other"),
        (Deflate(True), PMD),
        (Deflate(), f"{PMD}; server_max_window_bits=13"),
    ],
)
def test_bad_answers(wanted: Deflate, answer: str) -> None:  # 7.1: MUST fail the connection
    with pytest.raises(HandshakeError):
        checked(wanted, answer)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server_max_window_bits", 7),
        ("server_max_window_bits", 16),
        ("client_max_window_bits", 7),
        ("client_max_window_bits", 16),
        ("level", -1),
        ("level", 10),
        ("mem_level", 0),
        ("mem_level", 10),
        ("threshold", -1),
    ],
)
def test_parameters_in_range(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        Deflate(**{name: value})  # type: ignore[arg-type]
