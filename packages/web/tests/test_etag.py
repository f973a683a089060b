"""Entity tags: lists of them, writing one, and the two comparisons of RFC 9110."""

from __future__ import annotations

from typing import Any

import pytest
from exchanges import make_request

from headrace import web
from headrace.web._etag import ETag, format_etag, matches, parse_etags

LISTS: list[tuple[str | None, tuple[ETag, ...] | None]] = [
    (None, None),
    ("*", (ETag("*"),)),
    ('"a"', (ETag("a"),)),
    ('W/"a", "b"', (ETag("a", True), ETag("b"))),
    (',"a",,"b"', (ETag("a"), ETag("b"))),
    ('""', (ETag(""),)),
    ("a", ()),
    ('"a" "b"', ()),
    ('w/"a"', ()),
]


@pytest.mark.parametrize(("value", "tags"), LISTS)
def test_parse_etags(value: str | None, tags: tuple[ETag, ...] | None) -> None:
    assert parse_etags(value) == tags


# RFC 9110, section 8.8.3.2: the table of its examples
COMPARISONS = [
    (ETag("1", True), ETag("1", True), False, True),
    (ETag("1", True), ETag("2", True), False, False),
    (ETag("1", True), ETag("1"), False, True),
    (ETag("1"), ETag("1", True), False, True),
    (ETag("1"), ETag("1"), True, True),
]


@pytest.mark.parametrize(("listed", "current", "strong", "weak"), COMPARISONS)
def test_comparisons(listed: ETag, current: ETag, strong: bool, weak: bool) -> None:
    assert matches((listed,), current, weak=False) is strong
    assert matches((ETag("x"), listed), current, weak=True) is weak


def test_nothing_matches_a_tag_that_is_not_there() -> None:
    assert not matches((ETag("1"),), None, weak=True)


@pytest.mark.parametrize(
    ("tag", "field"), [("a", '"a"'), (ETag("a"), '"a"'), (ETag("a", True), 'W/"a"'), ("", '""')]
)
def test_a_response_has_a_tag(tag: Any, field: str) -> None:
    response = web.Response()
    assert response.etag is None
    response.etag = tag
    assert response.headers["ETag"] == field == format_etag(tag)
    assert response.etag == (ETag(tag) if isinstance(tag, str) else tag)
    response.etag = None
    assert "ETag" not in response.headers


@pytest.mark.parametrize("tag", ['a"b', "a b", "a\r\nb", ETag("\x00"), 1, b"a"])
def test_what_is_no_tag_is_refused(tag: Any) -> None:
    response = web.Response()
    with pytest.raises(ValueError, match="entity tag"):
        response.etag = tag
    assert "ETag" not in response.headers


async def test_a_tag_that_comes_too_late() -> None:
    response = web.Response()
    await response.prepare(make_request())
    with pytest.raises(RuntimeError, match="entity tag"):
        response.etag = "late"
