"""Hosts and targets, apart from the messages they stand in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.http_parser._grammar import (
    CONTROL_OR_DEL,
    FIELD,
    is_authority,
    is_chunk_extension,
    is_target,
)


@pytest.mark.parametrize("port", [b"", b":", b":0", b":65535", b":00080"])
@pytest.mark.parametrize("host", [b"a", b"1.2.3.4", b"[::]", b"[1:2:3:4:5:6:7:8]", b"[vF.a:!]"])
def test_authorities(host: bytes, port: bytes) -> None:
    assert is_authority(host + port)
    assert is_authority(host + port, port_required=True) is (len(port) > 1)


@pytest.mark.parametrize(
    "value",
    [
        *b":1 a:1:1 a:-1 a:65536 a:000080 [:::] [v.a] [vG.a] [::]1 a% a%g0 a@b a/".split(),
        *(b"", b"a b", b"a\n", b"[::1]\n", b"a:1\n", b"\xb2", b"[1.2.3.4]"),
    ],
)
def test_what_is_no_authority(value: bytes) -> None:
    assert not is_authority(value)


@given(st.binary(max_size=20))
def test_any_authority_is_judged(value: bytes) -> None:
    assert is_authority(value) in (True, False)


@pytest.mark.parametrize("target", [b"/\n", b"http://a/\n"])
def test_a_target_is_judged_by_form_alone(target: bytes) -> None:
    # Characters are the kernel's matter: what is let through here is stopped there.
    assert is_target(b"GET", target) is (target[:1] == b"/")


def test_the_alphabet_is_told_apart() -> None:
    assert len(CONTROL_OR_DEL) == 30
    assert sorted(CONTROL_OR_DEL + FIELD + b"\r\n") == list(range(256))


def test_a_hostile_chunk_extension_is_judged_in_one_pass() -> None:
    # With a pattern that tried each split of these it would not end.
    assert is_chunk_extension(b";a" * 5000 + b'="') is None
    assert is_chunk_extension(b";" + b" " * 10000 + b"=") is None
    assert is_chunk_extension(b';a="' + b"\\a" * 10000) is None
