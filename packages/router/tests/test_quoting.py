"""The three forms of a path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.router._quoting import broken_escape, decode, encode, escape, normalize


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("/a", "/a"),
        ("/%61", "/a"),
        ("/%2f%2F", "/%2F%2F"),
        ("/%25", "/%25"),
        ("/%252F", "/%252F"),
        ("/%7B%7d", "/%7B%7D"),
        ("/caf%C3%A9", "/café"),
        ("/%F0%9F%90%8D!", "/🐍!"),
        ("/é", "/é"),
        ("/%", None),
        ("/%4", None),
        ("/%zz", None),
        ("/%ff", None),
        ("/%C3", None),
        ("/%C3x%A9", None),
        ("/%ED%A0%80", None),
    ],
)
def test_normalize(raw: str, normal: str | None) -> None:
    assert normalize(raw) == normal


@given(st.text(alphabet=st.sampled_from("%2F57BDbdfé{}/ a"), max_size=12))
def test_normalizing_twice_is_normalizing_once(raw: str) -> None:
    normal = normalize(raw)
    assert normal is None or normalize(normal) == normal


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_decoding_undoes_escaping(text: str) -> None:
    normal = escape(text)
    assert decode(normal) == text
    assert "/" not in normal
    assert normalize(encode(normal)) == normal
    assert encode(normal).isascii()


@pytest.mark.parametrize(
    ("normal", "raw"),
    [
        ("/a/b", "/a/b"),
        ("/a%2Fb", "/a%2Fb"),
        ("/a b?#", "/a%20b%3F%23"),
        ("/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~"),
    ],
)
def test_encode(normal: str, raw: str) -> None:
    assert encode(normal) == raw


@pytest.mark.parametrize(("raw", "position"), [("/a%zz", 2), ("/ab%", 3), ("/%ff", 0)])
def test_broken_escape(raw: str, position: int) -> None:
    assert broken_escape(raw) == position
