"""Declared routes: one line each, or decorators."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from yarl import URL

from headrace.router import BuildError, ConflictError, PatternError, Router, RouterError


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_a_verb_adds_a_route(method: str) -> None:
    router: Router[str] = Router()
    route = getattr(router, method.lower())("/a", "value", name="a")
    assert (route.method, route.value, route.name) == (method, "value", "a")
    assert router.resolve(method, "/a").matched
    assert route.source[0] == __file__


def test_a_decorator_adds_the_value_and_returns_it() -> None:
    router: Router[Callable[[], str]] = Router()

    @router.get("/a", name="a")
    def show() -> str:
        return "shown"

    found = router.resolve("GET", "/a")
    assert found
    assert found.value is show
    assert show() == "shown"
    assert found.route.name == "a"
    assert found.route.source[0] == __file__


def test_a_declared_route_builds_urls_before_it_has_a_value() -> None:
    router: Router[str] = Router()
    post = router.get("/users/{user}/posts/{post:int}")
    assert post(user="ada", post=7) == URL("/users/ada/posts/7")
    assert router.routes() == ()
    assert not router.resolve("GET", "/users/ada/posts/7")
    assert post("value") == "value"
    assert post.route is not None
    assert router.resolve("GET", "/users/ada/posts/7").matched
    assert repr(post) == "<Declared GET /users/{user}/posts/{post:int}>"


def test_a_wrong_name_is_refused() -> None:
    post = Router[str]().get("/users/{user}/posts/{post:int}")
    with pytest.raises(BuildError, match="missing parts: post; unknown parts: pots"):
        post(user="ada", pots=7)
    with pytest.raises(TypeError, match="not both"):
        post("value", user="ada")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="at most one value"):
        post("value", "another")  # type: ignore[call-overload]


def test_none_is_a_value() -> None:
    router: Router[None] = Router()
    assert router.get("/a", None).value is None


def test_a_bad_pattern_is_refused_when_it_is_declared() -> None:
    with pytest.raises(PatternError):
        Router[str]().get("/{")


def test_a_declared_route_without_a_value_can_not_be_frozen() -> None:
    router: Router[str] = Router()
    declared = router.get("/a")
    with pytest.raises(RouterError, match=r"GET /a> \(.*test_declare\.py:\d+\) was never given"):
        router.freeze()
    assert not router.frozen
    declared("value")
    router.freeze()
    assert router.frozen


def test_a_declared_route_takes_one_value() -> None:
    declared = Router[str]().get("/a")
    declared("one")
    with pytest.raises(ConflictError):
        declared("two")
