"""The router as its users see it."""

from __future__ import annotations

import pytest

from headrace.router import ConflictError, Match, Miss, PatternError, Router


def matched(router: Router[object], method: str, path: str) -> Match[object]:
    found = router.resolve(method, path)
    assert isinstance(found, Match), (method, path, found)
    return found


class TestResolve:
    def test_a_static_match_is_prebuilt(self) -> None:
        router: Router[object] = Router()
        route = router.add_route("GET", "/users/me", "me")
        first = matched(router, "GET", "/users/me")
        assert first.value == "me"
        assert first.route is route
        assert first.matched is True
        assert first.params == {}
        assert router.resolve("GET", "/users/me") is first

    def test_static_matches_can_be_looked_up_without_a_call(self) -> None:
        router: Router[object] = Router()
        static = router.static
        router.add_route("GET", "/a", "a")
        router.add_route("*", "/a", "any")
        router.add_route("POST", "/100%25", "b")
        router.add_route("GET", "/{name}", "name")
        router.add_route("GET", "/is/it%3Fso", "not the query of /is/it")
        router.add_host("example.org").add_route("GET", "/h", "h")
        paths = {path: sorted(matches) for path, matches in static.items()}
        assert paths == {"/a": ["*", "GET"], "/100%25": ["POST"]}
        assert static["/a"]["GET"] is router.resolve("GET", "/a")
        assert static["/100%25"]["POST"] is router.resolve("POST", "/100%25")

    def test_the_parameters_of_a_static_match_can_not_be_written(self) -> None:
        router: Router[object] = Router()
        router.add_route("GET", "/", "root")
        with pytest.raises(TypeError):
            matched(router, "GET", "/").params["x"] = 1  # type: ignore[index]

    @pytest.mark.parametrize(
        ("pattern", "path", "params"),
        [
            ("/{name}", "/ada", {"name": "ada"}),
            ("/a/{name}/c", "/a/b/c", {"name": "b"}),
            ("/a/{name}/c", "/a/b%2Fd/c", {"name": "b/d"}),
            ("/{a}/{b}", "/%25/%C3%A9", {"a": "%", "b": "é"}),
            ("/{name}", "/%7Bx%7D", {"name": "{x}"}),
            (r"/{id:\d+}", "/42", {"id": "42"}),
            (r"/{id:\d{2}}", "/42", {"id": "42"}),
            ("/{id:int}/x", "/-42/x", {"id": -42}),
            (
                "/{year}-{month}.{ext}",
                "/2024-05.tar",
                {"year": "2024", "month": "05", "ext": "tar"},
            ),
            ("/{tail:.*}", "/", {"tail": ""}),
            ("/f/{tail:.*}", "/f/a/b%2Fc", {"tail": "a/b/c"}),
            ("/f/{tail:.+}/edit", "/f/a/b/edit", {"tail": "a/b"}),
            ("/caf%C3%A9/{x}", "/caf%c3%a9/y", {"x": "y"}),
            ("/café/{x}", "/caf%C3%A9/y", {"x": "y"}),
        ],
    )
    def test_a_pattern_matches(self, pattern: str, path: str, params: dict[str, object]) -> None:
        router: Router[object] = Router()
        router.add_route("GET", pattern, "v")
        assert dict(matched(router, "GET", path).params) == params

    @pytest.mark.parametrize(
        ("pattern", "path"),
        [
            ("/{name}", "/"),
            ("/{name}", "/a/b"),
            ("/{name}", "/a/"),
            ("/{name}", "/{x}"),
            ("/{name}", "/%zz"),
            ("/{name}", "/%ff"),
            (r"/{id:\d+}", "/x"),
            ("/{id:int}", "/1.0"),
            ("/f/{tail:.*}", "/f"),
            ("/a", "/a/"),
            ("/a", "a"),
            ("/{a}", ""),
        ],
    )
    def test_a_pattern_does_not_match(self, pattern: str, path: str) -> None:
        router: Router[object] = Router()
        router.add_route("GET", pattern, "v")
        found = router.resolve("GET", path)
        assert isinstance(found, Miss)
        assert not found
        assert found.matched is False
        assert found.allowed == frozenset()

    @pytest.mark.parametrize("path", ["", "*", "b", "name", "example.org:80", "//b"])
    def test_a_path_without_its_slash_is_a_miss(self, path: str) -> None:
        router: Router[str] = Router()
        router.add_route("GET", "/{name}", "variable")
        router.add_route("GET", "/b", "static")
        assert not router.resolve("GET", path)

    def test_a_miss_carries_the_union_of_the_methods(self) -> None:
        router: Router[object] = Router()
        router.add_route("GET", "/a", 1)
        router.add_route("POST", "/a", 2)
        router.add_route("PUT", "/{x}", 3)
        router.add_route("PATCH", "/{tail:.*}", 4)
        found = router.resolve("DELETE", "/a")
        assert isinstance(found, Miss)
        assert found.allowed == {"GET", "POST", "PUT", "PATCH"}

    def test_a_method_of_its_own_wins_over_the_star(self) -> None:
        router: Router[object] = Router()
        router.add_route("*", "/a", "any")
        router.add_route("GET", "/a", "get")
        assert matched(router, "GET", "/a").value == "get"
        assert matched(router, "PUT", "/a").value == "any"

    @pytest.mark.parametrize(
        ("path", "rest", "raw"),
        [
            ("/static", "", ""),
            ("/static/", "/", "/"),
            ("/static/a%20b/c%2Fd", "/a b/c/d", "/a%20b/c%2Fd"),
        ],
    )
    def test_a_prefix_carries_the_rest(self, path: str, rest: str, raw: str) -> None:
        router: Router[object] = Router()
        router.add_prefix("/static", "files")
        found = matched(router, "GET", path)
        assert (found.value, found.rest, found.raw_rest) == ("files", rest, raw)

    def test_a_prefix_ends_at_a_slash(self) -> None:
        router: Router[object] = Router()
        router.add_prefix("/static", "files")
        assert not router.resolve("GET", "/statics")


class TestAdding:
    def test_a_route_that_can_never_run_is_refused(self) -> None:
        router: Router[object] = Router()
        router.add_route("GET", "/a/{x}", 1)
        with pytest.raises(ConflictError) as caught:
            router.add_route("GET", "/a/{y}", 2)
        text = str(caught.value)
        assert "GET /a/{x}" in text
        assert "GET /a/{y}" in text
        assert text.count("test_router.py:") == 2

    def test_one_pattern_is_one_resource(self) -> None:
        router: Router[object] = Router()
        get = router.add_route("GET", "/a", 1)
        router.add_route("GET", "/b", 2)
        post = router.add_route("POST", "/a", 3)
        assert get.resource is post.resource
        assert get.resource.routes == (get, post)
        assert len(router.routes()) == 3
        assert len(router.resources()) == 2

    def test_a_frozen_router_refuses_routes(self) -> None:
        router: Router[object] = Router()
        resource = router.add_resource("/a")
        router.freeze()
        assert router.frozen
        with pytest.raises(RuntimeError):
            router.add_route("GET", "/a", 1)
        with pytest.raises(RuntimeError):
            resource.add_route("GET", 1)

    def test_a_bad_method_is_refused(self) -> None:
        with pytest.raises(PatternError):
            Router[object]().add_route("GE T", "/a", 1)


class TestNames:
    def test_the_router_is_a_mapping_of_names(self) -> None:
        router: Router[object] = Router()
        assert router
        route = router.add_route("GET", "/root", 1, name="root")
        assert router["root"] is route.resource
        assert list(router) == ["root"]
        assert len(router) == 1
        assert "root" in router
        assert dict(router.named_resources()) == {"root": route.resource}

    def test_a_duplicate_name_is_refused(self) -> None:
        router: Router[object] = Router()
        router.add_route("GET", "/a", 1, name="x")
        router.add_route("POST", "/a", 1, name="x")
        with pytest.raises(ConflictError, match="duplicate name 'x'"):
            router.add_route("GET", "/b", 1, name="x")
        assert not router.resolve("GET", "/b")

    @pytest.mark.parametrize("name", ["", "1a", "a b", "a..b", "class"])
    def test_a_name_is_identifiers_with_separators(self, name: str) -> None:
        with pytest.raises(PatternError):
            Router[object]().add_route("GET", "/a", 1, name=name)


class TestBuilding:
    def test_the_guides_calls(self) -> None:
        router: Router[object] = Router()
        router.add_route("GET", "/root", 1, name="root")
        router.add_route("GET", r"/{user}/info", 1, name="handler")
        router.add_prefix("/static", 1, name="static")
        assert router["root"].url(query={"a": "b", "c": "d"}) == "/root?a=b&c=d"
        assert (
            router["handler"].url(parts={"user": "john_doe"}, query="?a=b") == "/john_doe/info?a=b"
        )
        assert router["static"].url(filename="/style.css") == "/static/style.css"
        assert str(router["handler"].url_for(user="a/b")) == "/a%2Fb/info"

    def test_a_router_describes_itself(self) -> None:
        router: Router[object] = Router()
        router.add_route("GET", "/", 1)
        assert repr(router) == "<Router of 1 routes>"
