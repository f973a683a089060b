"""The opening handshake, both roles, as tables of header pairs."""

from __future__ import annotations

import pytest

from headrace.websocket import Acceptance, Deflate, HandshakeError, Offer, accept

# RFC 6455, 1.2 and 1.3
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
PROOF = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
REQUEST = {
    b"Host": b"server.example.com",
    b"Upgrade": b"websocket",
    b"Connection": b"Upgrade",
    b"Sec-WebSocket-Key": KEY,
    b"Sec-WebSocket-Version": b"13",
}
ANSWER = {
    b"Upgrade": b"websocket",
    b"Connection": b"Upgrade",
    b"Sec-WebSocket-Accept": PROOF,
}

Pairs = list[tuple[bytes, bytes]]


def pairs(base: dict[bytes, bytes], changes: dict[bytes, bytes | list[bytes] | None]) -> Pairs:
    """Return *base* with headers replaced, removed (None) or repeated (a list)."""
    result: Pairs = []
    for name, value in {**base, **changes}.items():
        if isinstance(value, list):
            result += [(name, each) for each in value]
        elif value is not None:
            result.append((name, value))
    return result


def test_the_example_of_the_rfc() -> None:
    accepted = accept(pairs(REQUEST, {}))
    assert accepted == Acceptance(list(ANSWER.items()), None, None)


ACCEPTED: list[tuple[str, dict[bytes, bytes | list[bytes] | None], str]] = [
    ("field names in any case", {b"Upgrade": None, b"uPGRADE": b"WebSocket"}, "4.2.1, 3"),
    ("Connection with more tokens", {b"Connection": b"keep-alive, Upgrade"}, "4.2.1, 4"),
    ("Connection in two lines", {b"Connection": [b"keep-alive", b"upgrade"]}, "4.2.1, 4"),
    ("Upgrade with more protocols", {b"Upgrade": b"h2c, websocket"}, "4.2.1, 3"),
    ("an Origin when nobody asks", {b"Origin": b"https://elsewhere.example"}, "4.2.1, 7"),
    ("an unknown extension", {b"Sec-WebSocket-Extensions": b"x-webkit-deflate-frame"}, "9.1"),
    ("an empty extension list", {b"Sec-WebSocket-Extensions": b""}, "9.1"),
    ("white space around values", {b"Sec-WebSocket-Version": b" 13\t"}, "RFC 9110, 5.5"),
]


@pytest.mark.parametrize(("changes", "section"), [case[1:] for case in ACCEPTED])
def test_accepted(changes: dict[bytes, bytes | list[bytes] | None], section: str) -> None:
    assert (b"Sec-WebSocket-Accept", PROOF) in accept(pairs(REQUEST, changes)).headers, section


REFUSED: list[tuple[str, dict[bytes, bytes | list[bytes] | None], int, str]] = [
    ("no Upgrade", {b"Upgrade": None}, 400, "4.2.1, 3"),
    ("Upgrade to another protocol", {b"Upgrade": b"h2c"}, 400, "4.2.1, 3"),
    ("Upgrade that only contains the word", {b"Upgrade": b"websockets"}, 400, "4.2.1, 3"),
    ("no Connection", {b"Connection": None}, 400, "4.2.1, 4"),
    ("Connection without the token", {b"Connection": b"keep-alive"}, 400, "4.2.1, 4"),
    ("no key", {b"Sec-WebSocket-Key": None}, 400, "4.2.1, 5"),
    ("two keys", {b"Sec-WebSocket-Key": [KEY, KEY]}, 400, "11.3.1"),
    ("a key of 15 bytes", {b"Sec-WebSocket-Key": b"AAAAAAAAAAAAAAAAAAAA"}, 400, "4.2.1, 5"),
    ("a key of 17 bytes", {b"Sec-WebSocket-Key": b"A" * 23 + b"="}, 400, "4.2.1, 5"),
    ("a key that is no base64", {b"Sec-WebSocket-Key": b"!" * 22 + b"=="}, 400, "4.2.1, 5"),
    ("a key beyond ASCII", {b"Sec-WebSocket-Key": b"\xe9" * 24}, 400, "4.2.1, 5"),
    ("no version", {b"Sec-WebSocket-Version": None}, 400, "4.2.1, 6"),
    ("two versions", {b"Sec-WebSocket-Version": [b"13", b"13"]}, 400, "11.3.5"),
    ("version 8", {b"Sec-WebSocket-Version": b"8"}, 426, "4.4"),
    ("version 14", {b"Sec-WebSocket-Version": b"14"}, 426, "4.4"),
    ("version with a zero", {b"Sec-WebSocket-Version": b"013"}, 426, "4.1"),
    (
        "two origins",
        {b"Origin": [b"https://a.example", b"https://a.example"]},
        400,
        "RFC 6454, 7.3",
    ),
    ("a subprotocol twice", {b"Sec-WebSocket-Protocol": b"chat, chat"}, 400, "4.1, 10"),
    ("a subprotocol that is no token", {b"Sec-WebSocket-Protocol": b"a b"}, 400, "4.1, 10"),
    ("an extension that is no token", {b"Sec-WebSocket-Extensions": b"a b"}, 400, "9.1"),
    ("a parameter without a name", {b"Sec-WebSocket-Extensions": b"a;"}, 400, "9.1"),
    ("a parameter without its value", {b"Sec-WebSocket-Extensions": b"a; b="}, 400, "9.1"),
    ("a quoted value without end", {b"Sec-WebSocket-Extensions": b'a; b="c'}, 400, "9.1"),
    ("a quoted value that is no token", {b"Sec-WebSocket-Extensions": b'a; b="c d"'}, 400, "9.1"),
]


@pytest.mark.parametrize(("changes", "status", "section"), [case[1:] for case in REFUSED])
def test_refused(
    changes: dict[bytes, bytes | list[bytes] | None], status: int, section: str
) -> None:
    with pytest.raises(HandshakeError) as caught:
        accept(pairs(REQUEST, changes), deflate=Deflate())
    assert caught.value.status == status, section
    assert str(caught.value).endswith(f"({status})")


def test_another_version_is_told_the_right_one() -> None:
    with pytest.raises(HandshakeError) as caught:
        accept(pairs(REQUEST, {b"Sec-WebSocket-Version": b"7"}))
    assert (b"Sec-WebSocket-Version", b"13") in caught.value.headers  # 4.4
    assert (b"Upgrade", b"websocket") in caught.value.headers  # RFC 9110, 15.5.22


def test_another_method() -> None:
    with pytest.raises(HandshakeError) as caught:
        accept(pairs(REQUEST, {}), method=b"POST")
    assert (caught.value.status, caught.value.headers) == (405, [(b"Allow", b"GET")])


def test_an_old_http_version() -> None:
    with pytest.raises(HandshakeError) as caught:
        accept(pairs(REQUEST, {}), version=(1, 0))
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("sent", "allowed", "passes"),
    [
        (b"https://a.example", ["https://a.example"], True),
        (b"https://b.example", ["https://a.example"], False),
        (b"https://A.example", ["https://a.example"], False),
        (b"null", ["https://a.example"], False),
        (None, ["https://a.example"], False),
        (None, ["https://a.example", None], True),
        (b"https://b.example", [], False),
    ],
)
def test_origins(sent: bytes | None, allowed: list[str | None], passes: bool) -> None:
    headers = pairs(REQUEST, {b"Origin": sent})
    if passes:
        assert accept(headers, origins=allowed).headers
    else:
        with pytest.raises(HandshakeError) as caught:
            accept(headers, origins=allowed)
        assert caught.value.status == 403


@pytest.mark.parametrize(
    ("asked", "ours", "chosen"),
    [
        (b"chat, superchat", ["superchat", "chat"], "chat"),
        (b"other, superchat", ["superchat", "chat"], "superchat"),
        ([b"other", b"chat"], ["chat"], "chat"),
        (b"Chat", ["chat"], None),
        (b"other", ["chat"], None),
        (b"chat", [], None),
        (None, ["chat"], None),
        (b"chat,, superchat", ["superchat"], "superchat"),
    ],
)
def test_subprotocols(
    asked: bytes | list[bytes] | None, ours: list[str], chosen: str | None
) -> None:
    accepted = accept(pairs(REQUEST, {b"Sec-WebSocket-Protocol": asked}), subprotocols=ours)
    assert accepted.subprotocol == chosen
    told = [value for name, value in accepted.headers if name == b"Sec-WebSocket-Protocol"]
    assert told == ([] if chosen is None else [chosen.encode()])


def test_connect_has_no_upgrade_and_no_key() -> None:  # RFC 8441, 5
    headers = [(b"sec-websocket-version", b"13"), (b"sec-websocket-protocol", b"chat")]
    accepted = accept(
        headers, method=b"CONNECT", version=(2, 0), subprotocols=["chat"], connect=True
    )
    assert accepted.headers == [(b"Sec-WebSocket-Protocol", b"chat")]
    with pytest.raises(HandshakeError) as caught:
        accept(headers, method=b"GET", connect=True)
    assert (caught.value.status, caught.value.headers) == (405, [(b"Allow", b"CONNECT")])


# The client's side


def test_an_offer_is_what_the_rfc_shows() -> None:
    offer = Offer(key=KEY, subprotocols=["chat", "superchat"], origin="http://example.com")
    assert offer.headers == [
        (b"Upgrade", b"websocket"),
        (b"Connection", b"Upgrade"),
        (b"Sec-WebSocket-Key", KEY),
        (b"Sec-WebSocket-Version", b"13"),
        (b"Origin", b"http://example.com"),
        (b"Sec-WebSocket-Protocol", b"chat, superchat"),
    ]


def test_keys_are_fresh() -> None:
    assert Offer().key != Offer().key


@pytest.mark.parametrize(
    "arguments",
    [
        {"key": b"short"},
        {"key": b"\xff" * 24},
        {"subprotocols": ["a", "a"]},
        {"subprotocols": ["a b"]},
        {"subprotocols": [""]},
        {"origin": "https://a.example\r\nX: y"},
        {"origin": "https://\xe9.example"},
    ],
)
def test_an_offer_that_cannot_be_sent(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"key|subprotocols|origin"):
        Offer(**arguments)  # type: ignore[arg-type]


def test_a_good_answer() -> None:
    offer = Offer(key=KEY, subprotocols=["chat"])
    answer = pairs(ANSWER, {b"Sec-WebSocket-Protocol": b"chat"})
    assert offer.check(answer) == Acceptance([], "chat", None)
    assert offer.check(pairs(ANSWER, {})).subprotocol is None


BAD_ANSWERS: list[tuple[str, dict[bytes, bytes | list[bytes] | None], str]] = [
    ("no Upgrade", {b"Upgrade": None}, "4.1, answer 2"),
    ("another Upgrade", {b"Upgrade": b"h2c"}, "4.1, answer 2"),
    ("no Connection", {b"Connection": None}, "4.1, answer 3"),
    ("Connection without the token", {b"Connection": b"close"}, "4.1, answer 3"),
    ("no proof", {b"Sec-WebSocket-Accept": None}, "4.1, answer 4"),
    ("two proofs", {b"Sec-WebSocket-Accept": [PROOF, PROOF]}, "11.3.3"),
    ("a wrong proof", {b"Sec-WebSocket-Accept": PROOF.lower()}, "4.1, answer 4"),
    ("an extension nobody offered", {b"Sec-WebSocket-Extensions": b"other"}, "4.1, answer 5"),
    (
        "compression nobody offered",
        {b"Sec-WebSocket-Extensions": b"permessage-deflate"},
        "4.1, answer 5",
    ),
    ("a malformed extension", {b"Sec-WebSocket-Extensions": b"a;;"}, "9.1"),
    ("a subprotocol nobody offered", {b"Sec-WebSocket-Protocol": b"other"}, "4.1, answer 6"),
    ("two subprotocols", {b"Sec-WebSocket-Protocol": [b"chat", b"chat"]}, "11.3.4"),
    ("a list of subprotocols", {b"Sec-WebSocket-Protocol": b"chat, other"}, "11.3.4"),
]


@pytest.mark.parametrize(("changes", "section"), [case[1:] for case in BAD_ANSWERS])
def test_bad_answers(changes: dict[bytes, bytes | list[bytes] | None], section: str) -> None:
    with pytest.raises(HandshakeError) as caught:
        Offer(key=KEY, subprotocols=["chat"]).check(pairs(ANSWER, changes))
    assert caught.value.status == 101, section


@pytest.mark.parametrize("status", [200, 302, 401, 404, 426, 500])
def test_another_status_is_no_websocket(status: int) -> None:
    with pytest.raises(HandshakeError) as caught:
        Offer(key=KEY).check(pairs(ANSWER, {}), status=status)
    assert caught.value.status == status


def test_both_roles_agree() -> None:
    offer = Offer(subprotocols=["b", "a"], deflate=Deflate(), origin="https://a.example")
    accepted = accept(
        offer.headers, subprotocols=["a"], deflate=Deflate(), origins={"https://a.example"}
    )
    assert offer.check(accepted.headers) == Acceptance([], "a", accepted.deflate)
    assert accepted.deflate is not None


def test_both_roles_agree_over_connect() -> None:  # RFC 8441
    offer = Offer(deflate=Deflate(), connect=True)
    assert offer.key is None
    accepted = accept(offer.headers, method=b"CONNECT", deflate=Deflate(), connect=True)
    assert offer.check(accepted.headers, status=200).deflate == accepted.deflate
