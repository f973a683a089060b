"""Resources, routes, matches and misses."""

from __future__ import annotations

import pytest
from yarl import URL

from headrace.router import BuildError, Match, Miss, Router


@pytest.fixture
def router() -> Router[str]:
    router: Router[str] = Router()
    router.add_route("GET", "/users/{user}", "show", name="user")
    router.add_prefix("/static", "files", name="static")
    router.add_prefix("/by/{filename}", "files", name="by")
    return router


def test_a_resource_describes_itself(router: Router[str]) -> None:
    resource = router["user"]
    assert resource.name == "user"
    assert resource.pattern == "/users/{user}"
    assert resource.canonical == "/users/{user}"
    assert resource.variables == ("user",)
    assert resource.host is None
    assert not resource.is_prefix
    assert router["static"].is_prefix
    assert repr(resource) == "<Resource /users/{user} 'user'>"
    assert repr(router["static"]) == "<Resource /static/... 'static'>"
    assert resource.source[0] == __file__


def test_a_route_describes_itself(router: Router[str]) -> None:
    (route,) = router["user"].routes
    assert (route.method, route.value, route.name) == ("GET", "show", "user")
    assert str(route) == "GET /users/{user}"
    assert repr(route) == "<Route GET /users/{user} 'user' -> 'show'>"
    other = router["user"].add_route("post", "change")
    assert (other.method, other.name) == ("POST", "user")
    assert repr(router.add_route("GET", "/x", "x")) == "<Route GET /x -> 'x'>"


def test_a_resource_may_have_several_names(router: Router[str]) -> None:
    route = router.add_route("PUT", "/users/{user}", "put", name="put_user")
    assert route.name == "put_user"
    assert route.resource.name == "user"
    assert router["put_user"] is router["user"]


@pytest.mark.parametrize(
    ("query", "url"),
    [
        (None, "/users/ada"),
        ("", "/users/ada"),
        ({}, "/users/ada"),
        ({"a": "b c", "d": "é&"}, "/users/ada?a=b+c&d=%C3%A9%26"),
        ("?a=b", "/users/ada?a=b"),
        ("a=b", "/users/ada?a=b"),
    ],
)
def test_queries(router: Router[str], query: str | dict[str, str] | None, url: str) -> None:
    assert router["user"].url({"user": "ada"}, query) == url
    assert router["user"].routes[0].url({"user": "ada"}, query) == url


@pytest.mark.parametrize(
    ("filename", "url"),
    [
        ("style.css", "/static/style.css"),
        ("/a/b c", "/static/a/b%20c"),
        ("", "/static/"),
        ("a%2Fb", "/static/a%252Fb"),
    ],
)
def test_files_below_a_prefix(router: Router[str], filename: str, url: str) -> None:
    assert router["static"].url(filename=filename) == url
    assert router["static"].url_for(filename=filename) == URL(url, encoded=True)
    found = router.resolve("GET", url)
    assert found
    assert found.rest == "/" + filename.removeprefix("/")


def test_the_prefix_itself(router: Router[str]) -> None:
    assert router["static"].url() == "/static"
    assert router["by"].url({"filename": "x"}, filename="y") == "/by/x/y"
    assert str(router["by"].url_for(filename="x")) == "/by/x"


def test_a_prefix_of_everything() -> None:
    router: Router[str] = Router()
    everything = router.add_prefix("/", "all")
    assert everything.url() == "/"
    assert everything.url(filename="a") == "/a"
    found = router.resolve("GET", "/a%20b/c")
    assert found
    assert (found.rest, found.raw_rest) == ("/a b/c", "/a%20b/c")
    assert not router.resolve("GET", "a")
    assert not router.resolve("OPTIONS", "*")


@pytest.mark.parametrize("filename", ["..", "a/../b", "./a"])
def test_a_filename_has_no_dot_segments(router: Router[str], filename: str) -> None:
    with pytest.raises(BuildError, match="dot segments"):
        router["static"].url(filename=filename)


def test_only_a_prefix_has_files(router: Router[str]) -> None:
    with pytest.raises(BuildError, match="only a prefix"):
        router["user"].url({"user": "x"}, filename="y")
    with pytest.raises(BuildError, match="expected str"):
        router["static"].url_for(filename=5)
    with pytest.raises(BuildError, match="unknown parts: filename"):
        router["user"].url_for(user="x", filename="y")


def test_a_route_is_called_for_its_url(router: Router[str]) -> None:
    (route,) = router["user"].routes
    assert route(user="ada") == route.url_for(user="ada") == URL("/users/ada")
    with pytest.raises(BuildError, match="missing parts: user; unknown parts: usr"):
        route(usr="ada")


def test_a_match_and_a_miss_are_true_and_false(router: Router[str]) -> None:
    match = router.resolve("GET", "/users/ada")
    assert isinstance(match, Match)
    assert match
    assert match.matched
    miss = router.resolve("PUT", "/users/ada")
    assert isinstance(miss, Miss)
    assert not miss
    assert not miss.matched
    assert repr(miss) == "Miss(allowed=['GET'])"
