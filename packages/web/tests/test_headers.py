"""The words of HTTP: istr names, methods, versions that are pairs."""

from __future__ import annotations

import aiohttp.hdrs
import pytest
from multidict import CIMultiDict, istr

from headrace import web

NAMES = {name: value for name, value in vars(web.hdrs).items() if isinstance(value, istr)}


def test_every_name_of_aiohttp_is_there() -> None:
    theirs = {
        name: value
        for name, value in vars(aiohttp.hdrs).items()
        if name.isupper() and isinstance(value, str)
    }
    assert theirs
    ours = vars(web.hdrs)
    assert {name: value for name, value in theirs.items() if name not in ours} == {}
    assert {
        name: ours[name] for name, value in theirs.items() if ours[name].lower() != value.lower()
    } == {}


def test_a_constant_is_called_like_its_field() -> None:
    unlike = {
        name: value
        for name, value in NAMES.items()
        if name.replace("_", "-").lower() != value.lower()
    }
    # The one word that is not separated in its field.
    assert set(unlike) <= {"SEC_WEBSOCKET_KEY1"}


def test_names_find_fields_in_any_case() -> None:
    fields = CIMultiDict({name.lower(): "here" for name in NAMES.values()})
    assert [name for name in NAMES.values() if fields.get(name) != "here"] == []


def test_methods() -> None:
    methods = {value for name, value in vars(web.hdrs).items() if name.startswith("METH_")} - {
        web.hdrs.METH_ANY,
        web.hdrs.METH_ALL,
    }
    assert methods == web.hdrs.METH_ALL
    assert web.hdrs.METH_ANY == "*"
    assert all(method == method.upper() for method in methods)


@pytest.mark.parametrize(
    ("version", "pair"), [(web.HttpVersion10, (1, 0)), (web.HttpVersion11, (1, 1))]
)
def test_a_version_is_a_pair(version: web.HttpVersion, pair: tuple[int, int]) -> None:
    assert version == pair
    assert (version.major, version.minor) == pair
    assert web.HttpVersion(*pair) == version


def test_versions_are_ordered() -> None:
    assert web.HttpVersion10 < web.HttpVersion11 < (2, 0)
    assert web.HttpVersion10 != web.HttpVersion11
