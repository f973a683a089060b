"""Conditional requests: 304, 412 and If-Range, in the order of RFC 9110, section 13.2.2."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from exchanges import make_request
from serving import Serve

from headrace import web
from headrace.web._conditional import range_applies

UTC = datetime.UTC
CHANGED = datetime.datetime(2024, 5, 6, 7, 8, 9, 500_000, UTC)
THEN = "Mon, 06 May 2024 07:08:09 GMT"
BEFORE = "Mon, 06 May 2024 07:08:08 GMT"
AFTER = "Mon, 06 May 2024 07:08:10 GMT"
ARABIC = "Mon, 06 May 2024 07:08:١٠ GMT"  # noqa: RUF001 (what it tests)

#: method, fields, status; the current tag is "now", weak where the test says so
CONDITIONS: list[tuple[str, dict[str, str], int]] = [
    ("GET", {}, 200),
    ("GET", {"If-None-Match": '"now"'}, 304),
    ("HEAD", {"If-None-Match": '"now"'}, 304),
    ("GET", {"If-None-Match": 'W/"now"'}, 304),
    ("GET", {"If-None-Match": '"old", "now"'}, 304),
    ("GET", {"If-None-Match": "*"}, 304),
    ("GET", {"If-None-Match": '"old"'}, 200),
    ("GET", {"If-None-Match": "now"}, 200),
    ("PUT", {"If-None-Match": '"now"'}, 412),
    ("PUT", {"If-None-Match": "*"}, 412),
    ("PUT", {"If-None-Match": '"old"'}, 200),
    ("GET", {"If-Match": '"now"'}, 200),
    ("GET", {"If-Match": "*"}, 200),
    ("GET", {"If-Match": 'W/"now"'}, 412),
    ("PUT", {"If-Match": '"old"'}, 412),
    ("PUT", {"If-Match": ""}, 412),
    ("GET", {"If-Modified-Since": THEN}, 304),
    ("GET", {"If-Modified-Since": AFTER}, 304),
    ("GET", {"If-Modified-Since": BEFORE}, 200),
    ("GET", {"If-Modified-Since": "yesterday"}, 200),
    ("POST", {"If-Modified-Since": AFTER}, 200),
    ("PUT", {"If-Unmodified-Since": THEN}, 200),
    ("PUT", {"If-Unmodified-Since": BEFORE}, 412),
    ("PUT", {"If-Unmodified-Since": "never"}, 200),
    # the tag goes before the date
    ("GET", {"If-None-Match": '"old"', "If-Modified-Since": AFTER}, 200),
    ("GET", {"If-None-Match": '"now"', "If-Modified-Since": BEFORE}, 304),
    ("PUT", {"If-Match": '"now"', "If-Unmodified-Since": BEFORE}, 200),
    # If-Match goes before If-None-Match
    ("GET", {"If-Match": '"old"', "If-None-Match": '"now"'}, 412),
    ("GET", {"If-Match": '"now"', "If-None-Match": '"now"'}, 304),
]


@pytest.mark.parametrize(("method", "fields", "status"), CONDITIONS)
def test_conditions(method: str, fields: dict[str, str], status: int) -> None:
    request = make_request(method=method, headers=fields)
    if status == 200:
        web.check_conditions(request, etag="now", last_modified=CHANGED)
        return
    with pytest.raises((web.HTTPNotModified, web.HTTPPreconditionFailed)) as caught:
        web.check_conditions(request, etag="now", last_modified=CHANGED)
    assert caught.value.status == status


ABSENT: list[tuple[dict[str, str], dict[str, Any], int]] = [
    ({"If-Match": "*"}, {}, 412),
    ({"If-None-Match": "*"}, {}, 200),
    ({"If-None-Match": "*"}, {"exists": True}, 412),
    ({"If-Match": "*"}, {"last_modified": CHANGED}, 200),
    ({"If-Match": "*"}, {"last_modified": CHANGED, "exists": False}, 412),
    ({"If-Match": '"now"'}, {"etag": web.ETag("now", True)}, 412),
    ({"If-None-Match": '"now"'}, {"etag": web.ETag("now", True)}, 412),
    ({"If-Unmodified-Since": THEN}, {"etag": "now"}, 200),
    ({"If-Unmodified-Since": THEN}, {"last_modified": CHANGED.replace(tzinfo=None)}, 200),
    ({"If-Unmodified-Since": BEFORE}, {"last_modified": CHANGED.replace(tzinfo=None)}, 412),
]


@pytest.mark.parametrize(("fields", "state", "status"), ABSENT)
def test_what_may_not_be_there(fields: dict[str, str], state: dict[str, Any], status: int) -> None:
    request = make_request(method="PUT", headers=fields)
    if status == 200:
        web.check_conditions(request, **state)
        return
    with pytest.raises(web.HTTPPreconditionFailed):
        web.check_conditions(request, **state)


async def test_the_answers(serve: Serve) -> None:
    worked = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal worked
        caching = {"Cache-Control": "max-age=60", "Vary": "Cookie"}
        web.check_conditions(request, etag="v1", last_modified=CHANGED, headers=caching)
        worked += 1
        return web.Response(text="work")

    served = await serve(handler)
    async with served.client.get("/", headers={"If-None-Match": '"v1"'}) as answer:
        assert (answer.status, await answer.read(), worked) == (304, b"", 0)
        assert answer.headers["ETag"] == '"v1"'
        assert answer.headers["Last-Modified"] == THEN
        assert answer.headers["Cache-Control"] == "max-age=60"
        assert answer.headers["Vary"] == "Cookie"
        assert "Content-Type" not in answer.headers
        assert "Content-Length" not in answer.headers
    async with served.client.put("/", data=b"x", headers={"If-Match": '"v0"'}) as answer:
        assert (answer.status, worked) == (412, 0)
    async with served.client.get("/", headers={"If-None-Match": '"v0"'}) as answer:
        assert (answer.status, await answer.text(), worked) == (200, "work", 1)


IF_RANGES = [
    (None, "now", True),
    ('"now"', "now", True),
    ('"old"', "now", False),
    ('W/"now"', "now", False),
    ('"now"', web.ETag("now", True), False),
    ('"now"', None, False),
    (THEN, "now", True),
    (BEFORE, "now", False),
    (AFTER, "now", False),
    ("soon", "now", False),
    (ARABIC, "now", False),
    ('"now" "now"', "now", False),
]


@pytest.mark.parametrize(("value", "tag", "applies"), IF_RANGES)
def test_if_range(value: str | None, tag: Any, applies: bool) -> None:
    headers = {} if value is None else {"If-Range": value}
    tag = web.ETag(tag) if isinstance(tag, str) else tag
    assert range_applies(make_request(headers=headers), tag, CHANGED) is applies


def test_a_date_of_this_very_second_is_no_strong_validator() -> None:
    now = datetime.datetime.now(UTC)
    value = now.strftime("%a, %d %b %Y %H:%M:%S GMT")
    request = make_request(headers={"If-Range": value})
    assert not range_applies(request, None, now)
    assert not range_applies(request, None, None)
