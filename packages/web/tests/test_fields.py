"""Header fields that are checked when they are set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from multidict import CIMultiDict

from headrace.web._fields import ResponseHeaders, check_field, checked_reason, encoded_fields

BAD = [
    ("X-Name", "one\r\nSet-Cookie: two"),
    ("X-Name", "one\ntwo"),
    ("X-Name", "one\rtwo"),
    ("X-Name", "one\0two"),
    ("X-Name", "\x7f"),
    ("X Name", "value"),
    ("X-Name:", "value"),
    ("", "value"),
    ("Näme", "value"),
    ("X-Name\r\n", "value"),
]
SETTERS: dict[str, Callable[[ResponseHeaders, str, str], Any]] = {
    "add": lambda headers, name, value: headers.add(name, value),
    "item": lambda headers, name, value: headers.__setitem__(name, value),
    "setdefault": lambda headers, name, value: headers.setdefault(name, value),
    "extend": lambda headers, name, value: headers.extend([(name, value)]),
    "update": lambda headers, name, value: headers.update({name: value}),
    "merge": lambda headers, name, value: headers.merge({name: value}),
    "constructor": lambda headers, name, value: ResponseHeaders({name: value}),
}


@pytest.mark.parametrize(("name", "value"), BAD)
@pytest.mark.parametrize("setter", SETTERS)
def test_no_way_of_setting_lets_a_field_forge_another(setter: str, name: str, value: str) -> None:
    headers = ResponseHeaders({"Kept": "yes"})
    with pytest.raises(ValueError, match=r"header name|the value of"):
        SETTERS[setter](headers, name, value)
    assert list(headers.items()) == [("Kept", "yes")]


@pytest.mark.parametrize("setter", SETTERS.keys() - {"constructor"})
def test_a_proper_field_is_set(setter: str) -> None:
    headers = ResponseHeaders()
    SETTERS[setter](headers, "X-Name", "tab\tand ünïcode")
    assert headers["x-name"] == "tab\tand ünïcode"


def test_the_error_does_not_show_the_value() -> None:
    with pytest.raises(ValueError, match="X-Token contains") as caught:
        check_field("X-Token", "secret\n")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [("X", 1), (1, "x"), ("X", b"x")])
def test_only_strings_are_fields(name: Any, value: Any) -> None:
    with pytest.raises(TypeError, match="strings"):
        check_field(name, value)


def test_it_is_the_multidict_that_people_know() -> None:
    headers = ResponseHeaders([("A", "1"), ("a", "2")])
    assert isinstance(headers, CIMultiDict)
    assert headers.getall("A") == ["1", "2"]
    assert headers.setdefault("A", "3") == "1"


def test_a_reason_phrase_has_one_line() -> None:
    assert checked_reason("Not Ünusual") == "Not Ünusual"
    for reason in ("a\rb", "a\nb", "a\r\nX: y"):
        with pytest.raises(ValueError, match="CR or LF"):
            checked_reason(reason)


def test_fields_keep_their_order_and_their_bytes() -> None:
    headers = ResponseHeaders(
        [("X-B", "ü"), ("X-A", "1"), ("X-B", b"\xff".decode("utf-8", "surrogateescape"))]
    )
    assert encoded_fields(headers) == [(b"X-B", "ü".encode()), (b"X-A", b"1"), (b"X-B", b"\xff")]
