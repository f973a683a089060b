"""Host patterns."""

from __future__ import annotations

import pytest

from headrace.router import FrozenError, PatternError, Router
from headrace.router._hosts import Hosts, normal_host


def resolve(router: Router[str], host: str) -> tuple[str, dict[str, object]] | None:
    found = router.resolve("GET", "/", host)
    return (found.value, dict(found.params)) if found else None


@pytest.mark.parametrize(
    ("pattern", "host", "params"),
    [
        ("example.org", "example.org", {}),
        ("example.org", "EXAMPLE.org:8080", {}),
        ("Example.ORG", "example.org.", {}),
        ("bücher.example", "xn--bcher-kva.example", {}),
        ("*.example.org", "a.example.org", {}),
        ("*.example.org", "a.b.example.org", {}),
        ("{t}.example.org", "ada.example.org", {"t": "ada"}),
        ("{a}.{b}.example.org", "x.y.example.org", {"a": "x", "b": "y"}),
        ("*.{b}.example.org", "x.y.z.example.org", {"b": "z"}),
        (r"{n:\w+}-{z:int}.example.org", "a-7.example.org", {"n": "a", "z": 7}),
        (r"{n:[^.]+}.example.org", "a.example.org", {"n": "a"}),
        (r"{n:.*}.example.org", "a.example.org", {"n": "a"}),
        ("API-{n}.example.org", "api-V1.example.org", {"n": "v1"}),
        ("[::1]", "[::1]:80", {}),
        ("127.0.0.1", "127.0.0.1", {}),
        ("localhost", "localhost:8080", {}),
    ],
)
def test_a_host_matches(pattern: str, host: str, params: dict[str, object]) -> None:
    router: Router[str] = Router()
    router.add_host(pattern).add_route("GET", "/", "here")
    assert resolve(router, host) == ("here", params)


@pytest.mark.parametrize(
    ("pattern", "host"),
    [
        ("example.org", "example.org.evil"),
        ("example.org", "www.example.org"),
        ("*.example.org", "example.org"),
        ("*.example.org", ".example.org"),
        ("{t}.example.org", "a.b.example.org"),
        ("{t:.*}.example.org", "a.b.example.org"),
        ("{t}.example.org", "%61.example.org"),
        ("example.org", ""),
        ("{t}", "a b"),
        ("*.org", "a/b.org"),
    ],
)
def test_a_host_does_not_match(pattern: str, host: str) -> None:
    router: Router[str] = Router()
    router.add_host(pattern).add_route("GET", "/", "here")
    assert resolve(router, host) is None
    assert not router.resolve("GET", "/")


@pytest.mark.parametrize(
    ("pattern", "position", "reason"),
    [
        ("", 0, "labels"),
        ("*", 0, "labels"),
        ("a..b", 0, "labels"),
        ("a.*.b", 2, "stands alone"),
        ("a*.b", 1, "stands alone"),
        ("{a", 0, "never closed"),
        ("{a}.{a}.org", 4, "twice"),
        (r"x.{a:(}.org", 5, "bad regex"),
        ("x/y.org", 0, "no label"),
        ("a b.org", 0, "no label"),
        ("a." + "ü" * 80, 2, ""),
    ],
)
def test_what_is_refused(pattern: str, position: int, reason: str) -> None:
    with pytest.raises(PatternError) as caught:
        Router[str]().add_host(pattern)
    assert caught.value.pattern == pattern
    assert caught.value.position == position
    assert reason in caught.value.reason


def test_parameters_of_host_and_path_come_together() -> None:
    router: Router[str] = Router()
    table = router.add_host("{tenant}.example.org")
    table.add_route("GET", "/{page}", "page", name="page")
    found = router.resolve("GET", "/a%20b", "ada.example.org")
    assert found
    assert found.params == {"tenant": "ada", "page": "a b"}
    assert found.route.resource.host == "{tenant}.example.org"
    assert str(found.route) == "GET {tenant}.example.org/{page}"
    assert router["page"].url({"page": "x"}) == "/x"
    with pytest.raises(PatternError, match="'tenant' is a variable of the host"):
        table.add_route("GET", "/by/{tenant}", "page")


def test_one_pattern_is_one_table() -> None:
    router: Router[str] = Router()
    table = router.add_host("{a}.example.org")
    assert router.add_host("{a}.example.org") is table
    assert router.add_host("{a}.Example.org") is table
    with pytest.raises(PatternError, match="with the names"):
        router.add_host("{b}.example.org")


def test_the_tables_of_hosts_belong_to_the_router() -> None:
    router: Router[str] = Router()
    table = router.add_host("example.org")
    route = table.add_route("GET", "/a", "here", name="a")
    assert router.routes() == (route,)
    assert router.resources() == (route.resource,)
    assert router["a"] is route.resource
    with pytest.raises(FrozenError, match="no hosts of its own"):
        table.add_host("example.net")
    router.freeze()
    assert table.frozen
    with pytest.raises(FrozenError):
        router.add_host("example.net")
    with pytest.raises(FrozenError):
        table.add_route("GET", "/b", "there")


def test_misses_are_united() -> None:
    router: Router[str] = Router()
    router.add_host("example.org").add_route("GET", "/", "a")
    router.add_host("{x}.org").add_route("PUT", "/", "b")
    router.add_route("POST", "/", "c")
    found = router.resolve("DELETE", "/", "example.org")
    assert not found
    assert found.allowed == {"GET", "PUT", "POST"}
    unknown = router.resolve("DELETE", "/x", "example.org")
    assert not unknown
    assert unknown.allowed == frozenset()


def test_exact_hosts_are_found_beside_variable_ones() -> None:
    router: Router[str] = Router()
    router.add_host("www.example.org").add_route("GET", "/", "www")
    assert resolve(router, "www.example.org") == ("www", {})
    assert resolve(router, "WWW.example.org.:80") == ("www", {})
    assert resolve(router, "a.example.org") is None
    router.add_host("{x}.example.org").add_route("GET", "/", "x")
    assert resolve(router, "www.example.org") == ("www", {})
    assert resolve(router, "a.example.org") == ("x", {"x": "a"})


def test_normal_host() -> None:
    assert normal_host("A.B:80") == "a.b"
    assert normal_host("[::1]:") == "[::1]"


def test_no_hosts_is_false() -> None:
    hosts: Hosts[str] = Hosts()
    assert not hosts
    hosts.add("a.b", "x")
    assert hosts
    assert hosts.get("a.b") == "x"
    assert hosts.tables() == ("x",)
