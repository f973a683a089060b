"""Explanations, word by word."""

from __future__ import annotations

import re

import pytest

from headrace.router import Router


@pytest.fixture
def router() -> Router[str]:
    router: Router[str] = Router()
    for method, path in [
        ("GET", "/users/me"),
        ("GET", "/users/{id:int}"),
        ("GET", "/users/{name}"),
        ("*", "/users/{name}"),
        ("POST", r"/users/{name:\w+}"),
        ("GET", "/users/{id:int}/posts"),
        ("PUT", "/files/{tail:.*}"),
    ]:
        router.add_route(method, path, path)
    router.add_prefix("/files", "files", method="GET")
    router.add_host("api.example.org").add_route("GET", "/users/{x}", "api")
    return router


def told(router: Router[str], method: str, path: str, host: str | None = None) -> list[str]:
    text = str(router.explain(method, path, host))
    return [re.sub(r" \(\S+:\d+\)", "", line).strip() for line in text.splitlines()]


BETTER = "a constrained segment goes before a plain variable"
CASES = {
    "GET /users/me": [
        "'/users/me' is a static pattern",
        "GET /users/me is chosen",
        r"GET /users/{name} matches too: at segment 2, a literal goes before a plain variable",
    ],
    "GET /users/42": [
        "no static pattern is '/users/42'",
        "segment 1, 'users': the literal accepts it",
        "segment 2, '42': a constrained segment {:int} accepts it",
        "GET /users/{id:int} is chosen",
        "GET /users/{name} matches too: at segment 2, " + BETTER,
    ],
    "GET /users/ada%21": [
        "no static pattern is '/users/ada!'",
        "segment 1, 'users': the literal accepts it",
        "segment 2, 'ada!': a constrained segment {:int} refuses it",
        r"segment 2, 'ada!': a constrained segment {:\w+} refuses it",
        "segment 2, 'ada!': a plain variable {} accepts it",
        "GET /users/{name} is chosen",
        "* /users/{name} matches too: a method of its own goes before '*'",
    ],
    "GET /users/42/x": [
        "no static pattern is '/users/42/x'",
        "segment 1, 'users': the literal accepts it",
        "segment 2, '42': a constrained segment {:int} accepts it",
        r"segment 2, '42': a constrained segment {:\w+} accepts it",
        "segment 2, '42': a plain variable {} accepts it",
        "below /users/{}, segment 3, 'x', is not known; expected the end of the path",
    ],
    "GET /users": [
        "no static pattern is '/users'",
        "segment 1, 'users': the literal accepts it",
        r"below /users, the end of the path, is not known; expected {:int}, {:\w+}, {}",
    ],
    "GET /nope": [
        "no static pattern is '/nope'",
        "below /, segment 1, 'nope', is not known; expected 'users', 'files'",
    ],
    "POST /files/a/b": [
        "no static pattern is '/files/a/b'",
        "segment 1, 'files': the literal accepts it",
        "from segment 2 on, 'a/b': a rest of the path {:.*} accepts it",
        "PUT /files/{tail:.*} matches, but not for POST",
        "GET /files/... matches, but not for POST",
        "the path is known, the method is not; allowed: GET, PUT",
    ],
    "GET /%zz": ["the path holds a percent-escape that is malformed or not UTF-8: a miss"],
}


@pytest.mark.parametrize("request_line", CASES)
def test_without_a_host(router: Router[str], request_line: str) -> None:
    method, path = request_line.split(" ")
    assert told(router, method, path) == [request_line, *CASES[request_line]]


def test_the_order_of_registration_is_a_reason() -> None:
    router: Router[str] = Router()
    router.add_route("GET", r"/{a:\w+}", "a")
    router.add_route("GET", r"/{b:\d+}", "b")
    assert told(router, "GET", "/7")[-1] == (
        r"GET /{b:\d+} matches too: at segment 1, {:\w+} was added before {:\d+}"
    )


def test_the_end_of_a_path_is_a_reason() -> None:
    router: Router[str] = Router()
    router.add_route("GET", "/a/{x}", "a")
    router.add_prefix("/a/{x}", "b")
    assert told(router, "GET", "/a/b")[-1] == (
        "* /a/{x}/... matches too: at segment 3, the end of the path goes before a rest of the path"
    )


def test_a_host_that_answers(router: Router[str]) -> None:
    lines = told(router, "GET", "/users/42", "API.example.org:80")
    assert lines == [
        "GET /users/42 (host API.example.org:80)",
        "host API.example.org:80 matches api.example.org",
        "no static pattern is '/users/42'",
        "segment 1, 'users': the literal accepts it",
        "segment 2, '42': a plain variable {} accepts it",
        "GET api.example.org/users/{x} is chosen",
    ]


def test_a_host_that_passes_on(router: Router[str]) -> None:
    lines = told(router, "GET", "/users/me", "api.example.org")
    assert "GET api.example.org/users/{x} is chosen" in lines
    lines = told(router, "GET", "/files/x", "api.example.org")
    assert lines.index("the routes of no host") < lines.index("GET /files/... is chosen")


def test_a_host_that_nobody_has(router: Router[str]) -> None:
    assert told(router, "GET", "/nope", "x.example")[1] == "no host pattern matches x.example"


def test_sources_are_named(router: Router[str]) -> None:
    told = router.explain("GET", "/users/me")
    (chosen,) = (step for step in told.steps if step.endswith("is chosen"))
    assert re.search(r"\(.*test_explain\.py:\d+\) is chosen$", chosen)
    assert repr(told).startswith("<Explanation of GET /users/me: Match(")


def test_only_some_literals_are_named() -> None:
    router: Router[int] = Router()
    for index in range(20):
        router.add_route("GET", f"/{index}/{{x}}", index)
    step = router.explain("GET", "/a").steps[-1]
    assert step.endswith("'6', '7', 12 more literals")
