"""What each converter accepts, and what it writes."""

from __future__ import annotations

import math
import sys
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.router import BuildError, Router
from headrace.router._converters import CONVERTERS

SOME = UUID("12345678-1234-5678-1234-56781234abcd")


def resolve(converter: str, text: str) -> Any:
    router: Router[str] = Router()
    router.add_route("GET", f"/{{x:{converter}}}", "v")
    found = router.resolve("GET", f"/{text}")
    return found.params["x"] if found else None


@pytest.mark.parametrize(
    ("converter", "text", "value"),
    [
        ("int", "0", 0),
        ("int", "007", 7),
        ("int", "-5", -5),
        ("float", "1", 1.0),
        ("float", "-0.50", -0.5),
        ("uuid", str(SOME), SOME),
        ("uuid", str(SOME).upper(), SOME),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("slug", "a-B_9", "a-B_9"),
        ("path", "", ""),
        ("path", "a/b%2Fc", "a/b/c"),
    ],
)
def test_accepted(converter: str, text: str, value: object) -> None:
    found = resolve(converter, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("converter", "text"),
    [
        ("int", "+1"),
        ("int", "1.0"),
        ("int", "1_000"),
        ("int", "--1"),
        ("int", "%D9%A3"),
        ("int", "%201"),
        ("int", "1%0A"),
        ("int", "9" * 5000),
        ("float", "1."),
        ("float", ".5"),
        ("float", "1e5"),
        ("float", "nan"),
        ("float", "inf"),
        ("float", "9" * 400),
        ("uuid", SOME.hex),
        ("uuid", "{12345678-1234-5678-1234-56781234abcd}"),
        ("date", "2023-02-29"),
        ("date", "20240229"),
        ("date", "2024-W01-1"),
        ("slug", "a%20b"),
        ("slug", "%C3%A9"),
    ],
)
def test_refused(converter: str, text: str) -> None:
    assert resolve(converter, text) is None


VALUES: dict[str, st.SearchStrategy[Any]] = {
    # The longest integer that int() reads back without a change of sys.set_int_max_str_digits().
    "int": st.integers(-(10 ** (sys.get_int_max_str_digits() - 1)), 10**100),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "uuid": st.uuids(),
    "date": st.dates(),
    "slug": st.from_regex(r"\A[-a-zA-Z0-9_]+\Z"),
    "path": st.from_regex(r"\A[a-z/]*\Z").filter(lambda text: not text.startswith("/")),
}


def test_every_converter_is_tried() -> None:
    assert VALUES.keys() == CONVERTERS.keys()


@pytest.mark.parametrize("converter", list(VALUES))
@given(data=st.data())
def test_every_value_comes_back(converter: str, data: st.DataObject) -> None:
    router: Router[str] = Router()
    route = router.add_route("GET", f"/{{x:{converter}}}", "v")
    value = data.draw(VALUES[converter])
    found = router.resolve("GET", route.url({"x": value}))
    assert found
    assert found.params["x"] == value


@pytest.mark.parametrize(
    ("converter", "value"),
    [
        ("int", True),
        ("int", 1.5),
        ("int", "007"),
        ("int", "x"),
        ("int", None),
        ("float", math.nan),
        ("float", math.inf),
        ("uuid", 5),
        ("date", datetime(2024, 1, 1, tzinfo=UTC)),
        ("slug", "a b"),
        ("slug", 5),
    ],
)
def test_values_that_would_not_come_back_are_refused(converter: str, value: object) -> None:
    router: Router[str] = Router()
    route = router.add_route("GET", f"/{{x:{converter}}}", "v")
    with pytest.raises(BuildError):
        route.url({"x": value})


@pytest.mark.parametrize(
    ("converter", "value", "url"),
    [
        ("int", "7", "/7"),
        ("float", 5, "/5.0"),
        ("float", 1e22, "/10000000000000000000000"),
        ("float", 1e-7, "/0.0000001"),
        ("date", date(7, 1, 2), "/0007-01-02"),
    ],
)
def test_how_values_are_written(converter: str, value: object, url: str) -> None:
    router: Router[str] = Router()
    route = router.add_route("GET", f"/{{x:{converter}}}", "v")
    assert route.url({"x": value}) == url
