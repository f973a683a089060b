"""Signatures for URL builders, compared with the pattern when they are given."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import date
from typing import NamedTuple
from uuid import UUID

import pytest
from yarl import URL

from headrace.router import BuildError, Router

PATTERN = "/users/{user}/posts/{post:int}"


class Parts(NamedTuple):
    user: str
    post: int = 1


def keywords(*, user: str, post: int) -> None: ...
def untyped(user, post): ...  # type: ignore[no-untyped-def]
def union(user: str | int, post: int) -> None: ...
def wrong_name(*, usr: str, post: int) -> None: ...
def too_few(*, user: str) -> None: ...
def too_many(*, user: str, post: int, page: int) -> None: ...
def wrong_type(*, user: str, post: str) -> None: ...
def wrong_union(*, user: str, post: int | str) -> None: ...
def spread(**parts: str) -> None: ...


@pytest.mark.parametrize("signature", [Parts, keywords, untyped, union])
def test_a_signature_with_the_names_of_the_pattern(signature: Callable[..., object]) -> None:
    router: Router[str] = Router()
    for routable in (router.get(PATTERN), router.get(PATTERN, "x"), router.add_resource(PATTERN)):
        post_url = routable.typed(signature)
        assert post_url(user="ada", post=7) == URL("/users/ada/posts/7")
        with pytest.raises(TypeError):
            post_url(usr="ada", post=7)


def test_defaults_and_positions_are_those_of_the_signature() -> None:
    post_url = Router[str]().get(PATTERN).typed(Parts)
    assert post_url("ada") == URL("/users/ada/posts/1")
    assert post_url("ada", 2) == URL("/users/ada/posts/2")
    assert inspect.signature(post_url) == inspect.signature(Parts)


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (wrong_name, "missing parts: user; unknown parts: usr"),
        (too_few, "missing parts: post"),
        (too_many, "unknown parts: page"),
        (wrong_type, "parameter 'post' is <class 'str'>, expected int"),
        (wrong_union, "parameter 'post'"),
        (spread, "without \\* and \\*\\*"),
    ],
)
def test_a_signature_that_differs_is_refused_at_once(
    signature: Callable[..., object], reason: str
) -> None:
    with pytest.raises(BuildError, match=reason):
        Router[str]().get(PATTERN).typed(signature)


def test_the_types_of_converters() -> None:
    def parts(*, a: float, b: UUID, c: date, d: str) -> None: ...
    def ints(*, a: int, b: UUID, c: date, d: int) -> None: ...

    pattern = "/{a:float}/{b:uuid}/{c:date}/{d:.*}"
    some = UUID(int=7)
    url = Router[str]().get(pattern).typed(parts)
    assert url(a=0.5, b=some, c=date(2024, 1, 2), d="x/y").path == f"/0.5/{some}/2024-01-02/x/y"
    assert Router[str]().get(pattern).typed(ints)(a=1, b=some, c=date(2024, 1, 2), d=3)
