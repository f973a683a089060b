"""The Cookie field read leniently, Set-Cookie written strictly, and that the two fit."""

from __future__ import annotations

from typing import Any

import pytest
from exchanges import make_request
from hypothesis import given
from hypothesis import strategies as st

from headrace import web
from headrace.web._cookies import _parse_unusual_cookies, parse_cookies

FIELDS = [
    ("", {}),
    ("a=1", {"a": "1"}),
    ("a=1; b=2", {"a": "1", "b": "2"}),
    ("a=1;b=2", {"a": "1", "b": "2"}),
    (" \ta = 1 ;\tb=2 ", {"a": "1", "b": "2"}),
    ("a=", {"a": ""}),
    ("a=x=y", {"a": "x=y"}),
    # The first one: browsers send the cookie of the longest path first.
    ("a=1; a=2", {"a": "1"}),
    # What is malformed does not hide the others.
    ("a=1; junk; b=2", {"a": "1", "b": "2"}),
    ("; ;=x; a=1", {"a": "1"}),
    ("a[b]=1; c d=2; é=3", {"a[b]": "1", "c d": "2", "é": "3"}),
    ('a={"k":1}', {"a": '{"k":1}'}),
    ("path=/x; expires=never", {"path": "/x", "expires": "never"}),
    # Quotes are no part of the value; the escapes are those that SimpleCookie writes.
    ('a="x y"', {"a": "x y"}),
    ('a=""', {"a": ""}),
    ('a="', {"a": '"'}),
    (r'a="x\054y\073z\"\\"', {"a": 'x,y;z"\\'}),
    (r'a="\351"', {"a": "é"}),
    (r"a=x\054y", {"a": r"x\054y"}),
    (r'a="\9"', {"a": "9"}),
]


@pytest.mark.parametrize(("field", "cookies"), FIELDS)
def test_reading(field: str, cookies: dict[str, str]) -> None:
    assert parse_cookies(field) == cookies


@given(st.text(alphabet='ab=; \t"\\', max_size=20))
def test_the_usual_is_read_like_all_else(field: str) -> None:
    assert parse_cookies(field) == _parse_unusual_cookies(field)


def written(name: str, value: str, **attributes: object) -> str:
    response = web.Response()
    response.set_cookie(name, value, **attributes)
    return str(response.cookies[name].OutputString())


ATTRIBUTES = [
    ({}, "a=b; Path=/"),
    ({"path": None}, "a=b"),
    ({"path": "/x"}, "a=b; Path=/x"),
    ({"domain": "example.org", "path": None}, "a=b; Domain=example.org"),
    ({"max_age": 60, "path": None}, "a=b; Max-Age=60"),
    ({"max_age": "60", "path": None}, "a=b; Max-Age=60"),
    ({"max_age": 0, "path": None}, "a=b; Max-Age=0"),
    (
        {"expires": "Thu, 01 Jan 1970 00:00:00 GMT", "path": None},
        "a=b; expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ),
    ({"secure": True, "path": None}, "a=b; Secure"),
    ({"secure": False, "path": None}, "a=b"),
    ({"httponly": True, "path": None}, "a=b; HttpOnly"),
    ({"samesite": "Lax", "path": None}, "a=b; SameSite=Lax"),
    ({"partitioned": True, "secure": True, "path": None}, "a=b; Partitioned; Secure"),
]


@pytest.mark.parametrize(("attributes", "text"), ATTRIBUTES)
def test_writing(attributes: dict[str, object], text: str) -> None:
    assert written("a", "b", **attributes) == text


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", "a\r\nb", "é", 'a"', "a,b", "(a)"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    response = web.Response()
    with pytest.raises(ValueError, match="is not a token"):
        response.set_cookie(name, "x")
    assert not response.cookies


def test_a_name_that_the_standard_library_reserves_is_refused() -> None:
    with pytest.raises(ValueError, match="reserved"):
        web.Response().set_cookie("Path", "x")


@pytest.mark.parametrize("key", ["expires", "domain", "max_age", "path"])
@pytest.mark.parametrize("value", ["x; Domain=evil", "x\r\nSet-Cookie: a=b", "\x00", "\x7f"])
def test_an_attribute_cannot_bring_others(key: str, value: str) -> None:
    response = web.Response()
    response.set_cookie("a", "before")
    with pytest.raises(ValueError, match="semicolon or a control"):
        response.set_cookie("a", "after", **{key: value})
    assert response.cookies["a"].value == "before"


@pytest.mark.parametrize(
    ("name", "attributes", "message"),
    [
        ("__Secure-a", {}, "__Secure-a must be secure"),
        ("__secure-a", {}, "must be secure"),
        ("__Host-a", {}, "__Host-a must be secure"),
        ("__Host-a", {"secure": True, "path": "/x"}, 'must have the path "/" and no domain'),
        ("__Host-a", {"secure": True, "path": None}, 'must have the path "/" and no domain'),
        ("__HOST-a", {"secure": True, "domain": "example.org"}, "no domain"),
        ("a", {"partitioned": True}, "a partitioned cookie must be secure"),
        ("a", {"samesite": "Sometimes"}, "samesite is 'Sometimes', expected Strict, Lax or None"),
        ("a", {"samesite": "Lax; Domain=evil"}, "expected Strict"),
    ],
)
def test_what_browsers_would_drop_is_refused(
    name: str, attributes: dict[str, Any], message: str
) -> None:
    response = web.Response()
    with pytest.raises(ValueError, match=message):
        response.set_cookie(name, "x", **attributes)
    assert not response.cookies


def test_prefixes_whose_rules_are_kept() -> None:
    assert written("__Secure-a", "b", secure=True, path="/x") == "__Secure-a=b; Path=/x; Secure"
    assert written("__Host-a", "b", secure=True) == "__Host-a=b; Path=/; Secure"
    assert written("a", "b", samesite="none", path=None) == "a=b; SameSite=none"


def test_the_last_of_one_name_is_set() -> None:
    response = web.Response()
    response.set_cookie("a", "1", domain="example.org")
    response.set_cookie("b", "2", path=None)
    response.set_cookie("a", "3", path=None)
    assert [morsel.OutputString() for morsel in response.cookies.values()] == ["b=2", "a=3"]


def test_forgetting_a_cookie() -> None:
    response = web.Response()
    response.del_cookie("__Host-a", secure=True, httponly=True, samesite="Strict")
    assert response.cookies["__Host-a"].OutputString() == (
        '__Host-a=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Max-Age=0; Path=/; '
        "SameSite=Strict; Secure"
    )
    response.del_cookie("__Secure-a", path="/x")
    assert response.cookies["__Secure-a"].OutputString().endswith("Path=/x; Secure")
    response.del_cookie("a", domain="example.org", path="/x")
    assert "Secure" not in response.cookies["a"].OutputString()
    assert "Domain=example.org" in response.cookies["a"].OutputString()
    assert "Path=/x" in response.cookies["a"].OutputString()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_what_is_set_comes_back(value: str) -> None:
    response = web.Response()
    response.set_cookie("name", value, path=None)
    field = response.cookies["name"].OutputString()
    assert not set(field) & set("\r\n\0")
    request = make_request(headers={"Cookie": f"other=1; {field}; last=2"})
    assert request.cookies == {"other": "1", "name": value, "last": "2"}
