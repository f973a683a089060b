"""The grammar of header values."""

from __future__ import annotations

import pytest

from headrace.websocket._fields import extensions, is_token, tokens, values


def test_values_are_found_in_any_case_and_in_order() -> None:
    headers = [(b"A", b" 1 "), (b"b", b"2"), (b"a", b"\t3"), (b"c", b"4")]
    assert values(headers, frozenset({b"a", b"c", b"d"})) == {
        b"a": ["1", "3"],
        b"c": ["4"],
        b"d": [],
    }


@pytest.mark.parametrize("text", ["a", "permessage-deflate", "!#$%&'*+-.^_`|~09AZaz"])
def test_tokens_of_the_grammar(text: str) -> None:  # RFC 9110, 5.6.2
    assert is_token(text)


@pytest.mark.parametrize("text", ["", "a b", "a,b", "a;b", "a=b", '"a"', "é", "a\n", "a\0"])
def test_no_tokens(text: str) -> None:
    assert not is_token(text)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([""], []),
        (["a"], ["a"]),
        (["a, b ,c"], ["a", "b", "c"]),
        (["a,", ",b"], ["a", "b"]),
    ],
)
def test_lists_of_tokens(lines: list[str], expected: list[str]) -> None:
    assert tokens(lines) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        (" , ,", []),
        ("a", [("a", [])]),
        ("A;B;C=d", [("a", [("b", None), ("c", "d")])]),
        ("a ; b = c", None),
        ('a; b="c"', [("a", [("b", "c")])]),
        ("a; b=1; b=2", [("a", [("b", "1"), ("b", "2")])]),
        ("a, b; c=d,e", [("a", []), ("b", [("c", "d")]), ("e", [])]),
        ("a b", None),
        ("a;", None),
        ("a; =b", None),
        ('a; b="', None),
        ('a; b=""', None),
        ('a; b="c d"', None),
        ('a; b="c\\d"', None),
        ("é", None),
    ],
)
def test_lists_of_extensions(line: str, expected: list[object] | None) -> None:  # 9.1
    if expected is None:
        with pytest.raises(ValueError, match=r"malformed|is not a token"):
            extensions([line])
    else:
        assert extensions([line]) == expected
        assert extensions([line, line]) == expected * 2
