"""The pattern language and its complaints."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.router import PatternError
from headrace.router._syntax import (
    Variable,
    can_match_slash,
    flatten,
    parse_pieces,
    split_labels,
)


@pytest.mark.parametrize(
    ("regex", "answer"),
    [
        (r"\d+", False),
        (r"\w+", False),
        (r"[^{}/]+", False),
        (r"[^/]*", False),
        (r"[a-z]{2,4}", False),
        (r"(?:ab|cd)?", False),
        (r"(?P<x>a)(?P=x)", False),
        (r"[]a]", False),
        (r"a\.b", False),
        (r"^a$", False),
        (r".*", True),
        (r".", True),
        (r"\D+", True),
        (r"\S", True),
        (r"[^{}]+", True),
        (r"[!-~]", True),
        (r"a/b", True),
        (r"a\/b", True),
        (r"\x2f", True),
        (r"\u002f", True),
        (r"\057", True),
        (r"\N{SOLIDUS}", True),
        (r"(?:a|b/c)", True),
    ],
)
def test_which_regexes_span_segments(regex: str, answer: bool) -> None:
    assert can_match_slash(regex) is answer


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("a", 0, "starts with '/'"),
        ("/{", 1, "never closed"),
        ("/a/{b:[}]", 3, "never closed"),
        ("/a}", 2, "closes nothing"),
        ("/{a}}", 4, "closes nothing"),
        ("/{}", 2, "identifier, found ''"),
        ("/x/{1a}", 4, "identifier, found '1a'"),
        ("/{a b}", 2, "identifier, found 'a b'"),
        ("/{ a}", 2, "identifier"),
        ("/{a{b}}", 2, "identifier"),
        ("/{a}/{a}", 6, "'a' is there twice"),
        ("/{a:}", 4, "a regex or a converter"),
        (r"/{a:(}", 4, "bad regex"),
        (r"/xy/{a:b**}", 9, "bad regex"),
        (r"/{a:(b)\1}", 7, "backreferences"),
        ("/a%2", 2, "percent-escape"),
        ("/%ff", 0, "percent-escape"),
    ],
)
def test_what_is_refused(text: str, position: int, reason: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_pieces(text)
    assert caught.value.position == position
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("text", "regexes"),
    [
        ("/{a}", ["[^{}/]+"]),
        ("/{a:[^/]+}", ["[^{}/]+"]),
        (r"/{a:\d{4}}-{b:[{}]+}", [r"\d{4}", "[{}]+"]),
        (r"/{a:x\}}", [r"x\}"]),
        ("/{a:int}", ["-?[0-9]+"]),
        ("/{ünï}", ["[^{}/]+"]),
    ],
)
def test_the_regexes_of_variables(text: str, regexes: list[str]) -> None:
    pieces = parse_pieces(text)
    assert [piece.regex for piece in pieces if isinstance(piece, Variable)] == regexes


def test_literals_are_in_normal_form() -> None:
    assert parse_pieces("/caf%c3%a9%2f/é x") == ("/café%2F/é x",)


@pytest.mark.parametrize(
    ("regex", "flat"),
    [
        ("(a+)+", "a+"),
        ("(?:a+)+b", "a+b"),
        ("(a*)+", "a*"),
        ("x(a+)*", "xa*"),
        (r"(\w*)*", r"\w*"),
        ("([^/]+)+-([0-9]+)+", "[^/]+-[0-9]+"),
        ("((a+)+)+", "a+"),
        ("(?:(?:(?:a+)+)*)+", "a*"),
        ("((a+)+b)+", "(a+b)+"),
        ("(a+)++", "(a+)++"),
        ("(a++)+", "(a++)+"),
        ("(a+?)+", "(a+?)+"),
        ("(a+)+?", "(a+)+?"),
        ("(a+b)+", "(a+b)+"),
        ("(a+){2}", "(a+){2}"),
        (r"\(a+\)+", r"\(a+\)+"),
        ("[(]a+[)]+", "[(]a+[)]+"),
        ("(?P<x>a+)+", "(?P<x>a+)+"),
        ("(?i)(a+)+", "(?i)a+"),
        ("(b)(?(1)(a+)+)", "(b)(?(1)(a+)+)"),
        ("(a+", "(a+"),
        ("(", "("),
    ],
)
def test_flatten(regex: str, flat: str) -> None:
    assert flatten(regex) == flat


@given(
    st.lists(
        st.sampled_from(["a", "b", "[ab]", "(", "(?:", ")", "+", "*", "|", "?"]), max_size=12
    ).map("".join)
)
def test_a_flat_regex_accepts_the_same(regex: str) -> None:
    try:
        original = re.compile(regex)
    except re.error:
        return
    flat = re.compile(flatten(regex))
    for length in range(5):
        for letters in itertools.product("ab", repeat=length):
            text = "".join(letters)
            assert bool(original.fullmatch(text)) == bool(flat.fullmatch(text)), text


def test_labels_are_split_outside_of_variables() -> None:
    assert split_labels(r"{a:\w.\w}.b.c") == [r"{a:\w.\w}", "b", "c"]
