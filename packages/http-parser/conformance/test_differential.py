"""Our judgement against that of h11 and of httptools (llhttp), over valid and mutated messages."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator

import pytest
from cases import ACCEPTED, REFUSED, Accepted, Refused
from differences import BOTH_REFUSE, LENIENT, LENIENT_FAULTS, READ_OTHERWISE, STRICTER
from peers import Verdict, by_h11, by_headrace, by_httptools

from headrace.http_parser import Fault, Limits

PEERS: dict[str, Callable[[bytes], Verdict]] = {"h11": by_h11, "httptools": by_httptools}
REFUSED_BY_DEFAULT = [case for case in REFUSED if case.limits == Limits()]
SECOND = b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"
FRAGMENTS = (
    *(b"\r\n", b"\r", b"\n", b" ", b"\t", b"\x00", b"\x0b", b"\x80", b":", b";", b",", b'"', b"0"),
    *(b"1", b"a", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n"),
)
SEED = int(os.environ.get("CONFORMANCE_SEED", "1"))
COUNT = int(os.environ.get("CONFORMANCE_COUNT", "40000"))


def word_for(peer: str, why: object) -> str | None:
    """Return what the RFC says to a peer's refusal."""
    return next((word for text, word in STRICTER[peer].items() if text in str(why)), None)


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_what_we_accept(case: Accepted, peer: str) -> None:
    ours, theirs = by_headrace(case.data), PEERS[peer](case.data)
    assert ours.accepted
    if theirs.accepted:
        differs = ours.messages != theirs.messages
        assert differs == (case.name in READ_OTHERWISE[peer])
    else:
        assert word_for(peer, theirs.why) is not None, theirs.why


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_what_both_refuse_we_accept_by_name_alone(case: Accepted) -> None:
    both = all(judge(case.data).refused for judge in PEERS.values())
    assert both == (case.name in BOTH_REFUSE)


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("case", REFUSED_BY_DEFAULT, ids=lambda case: case.name)
def test_what_we_refuse(case: Refused, peer: str) -> None:
    lenient = not PEERS[peer](case.data).refused
    assert lenient == (case.name in LENIENT[peer])
    if lenient:
        assert case.fault in LENIENT_FAULTS


def test_the_tables_name_nothing_else() -> None:
    accepted = {case.name for case in ACCEPTED}
    refused = {case.name for case in REFUSED_BY_DEFAULT}
    assert set(BOTH_REFUSE) <= accepted
    for peer in PEERS:
        assert set(READ_OTHERWISE[peer]) <= accepted
        assert LENIENT[peer] <= refused


def mutated() -> Iterator[bytes]:
    """Messages of the byte tables, changed in one to three places, each with a second behind it."""
    choose = random.Random(SEED)  # noqa: S311 (not for secrets)
    seeds = [case.data for case in (*ACCEPTED, *REFUSED_BY_DEFAULT)]
    for _ in range(COUNT):
        data = bytearray(choose.choice(seeds))
        for _ in range(choose.randint(1, 3)):
            at = choose.randrange(len(data) + 1)
            other = choose.randrange(len(data) + 1)
            change = choose.randrange(4)
            if change == 0:
                data[at : at + 1] = bytes([choose.randrange(256)])
            elif change == 1:
                data[at:at] = choose.choice(FRAGMENTS)
            elif change == 2:
                del data[at : at + choose.randint(1, 4)]
            else:
                data[at:at] = data[min(at, other) : max(at, other)][:20]
        yield bytes(data) + SECOND


def essence(verdict: Verdict) -> list[tuple[bytes, bytes, bytes]]:
    return [(message.method, message.target, message.body) for message in verdict.messages]


def stops_early(ours: Verdict, theirs: Verdict) -> bool:
    """Say whether httptools stopped at the head of a request that may switch protocols, as it does.

    The body of that request is lost with it.
    """
    read = len(theirs.messages)
    heads = [message[:2] for message in ours.messages[:read]]
    if not read or heads != [message[:2] for message in theirs.messages]:
        return False
    last = ours.messages[read - 1]
    return last.method == b"CONNECT" or b"upgrade" in dict(last.headers)


def finding_of(peer: str, ours: Verdict, theirs: Verdict) -> object:
    """Return the difference between two verdicts if the tables do not explain it."""
    if ours.accepted and theirs.refused:
        return None if word_for(peer, theirs.why) else theirs.why
    if ours.refused:
        assert isinstance(ours.why, Fault)
        explained = len(theirs.messages) <= len(ours.messages) or ours.why in LENIENT_FAULTS
        return None if explained else ours.why
    if essence(ours) == essence(theirs) or (peer == "httptools" and stops_early(ours, theirs)):
        return None
    return "reads otherwise"


def test_mutated_messages() -> None:
    """What is not in the tables is a finding: read the RFC, then change the parser or the table."""
    findings: list[tuple[str, object, bytes]] = []
    compared = 0
    for data in mutated():
        ours = by_headrace(data)
        for peer, judge in PEERS.items():
            theirs = judge(data)
            compared += 1
            finding = finding_of(peer, ours, theirs)
            if finding is not None:
                findings.append((peer, finding, data))
    assert compared == 2 * COUNT
    assert findings == []
