"""Code that must check, and code that must not: read by mypy and pyright, not run.

Each marked line is an error that a type checker has to find; strict mode complains when it does
not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, assert_type

from yarl import URL

from headrace.router import Declared, Explanation, Match, Miss, Resource, Route, Router

router: Router[int] = Router()
route = router.add_route("GET", "/users/{user}", 1, name="user")
assert_type(route, Route[int])
assert_type(route.value, int)
assert_type(route.resource, Resource[int])
assert_type(router["user"], Resource[int])
assert_type(router.routes(), tuple[Route[int], ...])
assert_type(router.named_resources(), Mapping[str, Resource[int]])
assert_type(router.add_host("*.example.org"), Router[int])
assert_type(router.explain("GET", "/"), Explanation[int])
assert_type(router.get("/a", 1), Route[int])
assert_type(router.get("/b"), Declared[int])
router.add_route("GET", "/c", "text")  # type: ignore[arg-type]
router.get("/d", "text")  # type: ignore[call-overload]
router.get(5)  # type: ignore[call-overload]

found = router.resolve("GET", "/users/ada")
assert_type(found, Match[int] | Miss)
if found:
    assert_type(found, Match[int])
    assert_type(found.value, int)
    assert_type(found.params, Mapping[str, Any])
    found.params["user"] = "x"  # type: ignore[index]
else:
    assert_type(found, Miss)
    assert_type(found.allowed, frozenset[str])
if found.matched:  # mypy narrows by a property, pyright by a condition or isinstance
    assert_type(found, Match[int])  # pyright: ignore[reportAssertTypeFailure]
else:
    assert_type(found, Miss)  # pyright: ignore[reportAssertTypeFailure]
if isinstance(found, Match):
    assert_type(found.rest, str | None)

# A declared route is a decorator that keeps the type of what it decorates.
calls: Router[Any] = Router()


@calls.get("/users/{user}/posts/{post:int}")
def show(user: str, post: int) -> bytes:
    return b""


assert_type(show("ada", 1), bytes)

# URLs whose parts are checked.
declared = router.get("/users/{user}/posts/{post:int}")
assert_type(declared(user="ada", post=7), URL)


class PostParts(NamedTuple):
    user: str
    post: int


post_url = declared.typed(PostParts)
assert_type(post_url(user="ada", post=7), URL)
assert_type(post_url("ada", 7), URL)
post_url(usr="ada", post=7)  # type: ignore[call-arg]
post_url(user="ada")  # type: ignore[call-arg]
post_url(user="ada", post="7")  # type: ignore[arg-type]


def keyword_parts(*, user: str, post: int) -> None: ...


keyword_url = route.typed(keyword_parts)
keyword_url(user="ada", post=7)
keyword_url("ada", 7)  # type: ignore[call-arg]
keyword_url(user="ada", post=7, page=1)  # type: ignore[call-arg]
