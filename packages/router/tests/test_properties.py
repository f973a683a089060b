"""What must hold for any table and any path."""

from __future__ import annotations

import os
from string import hexdigits
from urllib.parse import quote

import naive
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.router import BuildError, ConflictError, Match, Miss, PatternError, Router

settings.register_profile("default", max_examples=100, deadline=None)
settings.register_profile("long", max_examples=20_000, deadline=None)
settings.load_profile(os.environ.get("HEADRACE_HYPOTHESIS", "default"))

SHAPES = [
    *("a", "b", "ab", "1", "a-b", "", "caf%C3%A9", "%2F"),
    *(
        "{}",
        "{}",
        "{:int}",
        "{:slug}",
        "{:[ab]+}",
        r"{:\d+}",
        "x{}",
        "{}-{}",
        "{}.{:int}",
        "{:a|b}b",
    ),
    *("{:.*}", "{:path}", "{:.+}", "x{:[^{}]*}"),
]
TEXTS = [
    *("a", "b", "ab", "1", "-1", "12", "a-b", "", "x", "xa", "caf%C3%A9", "a.1", "a.1.2", "é"),
    *("%2F", "%2f", "a%2Fb", "%25", "%7Ba%7D", "{a}", "%0A", "%zz", "%ff", "a--b", "-", "bb"),
]


@st.composite
def patterns(draw: st.DrawFn) -> str:
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=4))
    text = "".join(f"/{shape}" for shape in shapes)
    count = 0
    while "{}" in text.replace("[^{}", "") or "{:" in text:
        at = min(i for i in (text.replace("[^{}", "[^..").find("{}"), text.find("{:")) if i >= 0)
        text = f"{text[: at + 1]}v{count}{text[at + 1 :]}"
        count += 1
    return text


methods = st.sampled_from(["GET", "POST", "*"])
paths = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=5).map(
    lambda texts: "".join(f"/{text}" for text in texts)
)
tables = st.lists(st.tuples(methods, patterns(), st.booleans()), min_size=1, max_size=8)


def build(
    table: list[tuple[str, str, bool]],
) -> tuple[Router[object], list[naive.NaiveRoute]]:
    router: Router[object] = Router()
    routes: list[naive.NaiveRoute] = []
    for index, (method, pattern, prefix) in enumerate(table):
        prefix = (
            prefix and ".*" not in pattern and naive.REST not in map(naive.kind, pattern.split("/"))
        )
        if prefix:
            pattern = pattern.rstrip("/")
        try:
            if prefix:
                router.add_prefix(pattern, index, method=method)
            else:
                router.add_route(method, pattern, index)
        except ConflictError:
            continue
        segments = tuple(pattern.split("/")[1:])
        routes.append(naive.NaiveRoute(method, segments, prefix, index))
    return router, routes


@given(tables, st.lists(paths, min_size=1, max_size=8), st.sampled_from(["GET", "POST", "PUT"]))
def test_the_tree_agrees_with_the_naive_matcher(
    table: list[tuple[str, str, bool]], texts: list[str], method: str
) -> None:
    router, routes = build(table)
    for path in texts:
        found = router.resolve(method, path)
        answer = (found.value, dict(found.params)) if found else found.allowed
        assert answer == naive.resolve(routes, method, path), (path, routes)


@given(tables, paths, methods)
def test_an_explanation_ends_in_what_resolve_answers(
    table: list[tuple[str, str, bool]], path: str, method: str
) -> None:
    router, _ = build(table)
    told = router.explain(method, path)
    found = router.resolve(method, path)
    chosen = [step for step in told.steps if step.endswith(") is chosen")]
    if found:
        assert isinstance(told.result, Match)
        assert told.result.route is found.route
        assert len(chosen) == 1
        assert chosen[0].startswith(f"{found.route} (")
    else:
        assert chosen == []
        assert isinstance(told.result, Miss)
        assert told.result.allowed == found.allowed


@given(st.text(max_size=30), st.text(max_size=5), tables)
def test_resolving_never_raises(path: str, method: str, table: list[tuple[str, str, bool]]) -> None:
    router, _ = build(table)
    for text in (path, f"/{path}", quote(path, safe="/%", errors="replace")):
        assert router.resolve(method, text).matched in (True, False)
        assert str(router.explain(method, text))


VALUES = st.text(
    alphabet=st.characters(codec="utf-8") | st.sampled_from("/%{}?#.- é" + hexdigits), max_size=12
)


@given(patterns(), st.lists(VALUES, min_size=12, max_size=12), st.integers())
def test_every_url_resolves_back(pattern: str, texts: list[str], number: int) -> None:
    router: Router[str] = Router()
    route = router.add_route("GET", pattern, "value")
    parts: dict[str, object] = dict(zip(route.resource.variables, texts, strict=False))
    parts.update((name, number) for name in parts if f"{name}:int" in pattern)
    try:
        url = route.url(parts)
    except BuildError:
        return
    found = router.resolve("GET", url)
    assert isinstance(found, Match), url
    assert found.route is route
    assert dict(found.params) == parts
    assert url.isascii()
    assert str(route.url_for(**parts)) == url


@given(VALUES)
def test_any_text_but_dots_has_a_url(text: str) -> None:
    router: Router[str] = Router()
    one = router.add_route("GET", "/a/{x}/b", "one")
    rest = router.add_route("GET", "/f/{x:path}", "rest")
    if text not in ("", ".", ".."):
        found = router.resolve("GET", one.url({"x": text}))
        assert isinstance(found, Match)
        assert found.params["x"] == text
    if {".", ".."}.isdisjoint(text.split("/")):
        found = router.resolve("GET", rest.url({"x": text}))
        assert isinstance(found, Match)
        assert found.params["x"] == text


@given(st.text(max_size=40))
def test_a_pattern_is_understood_or_refused_with_a_position(text: str) -> None:
    router: Router[str] = Router()
    position = None
    try:
        router.add_route("GET", text, "value")
    except PatternError as error:
        position = error.position
    assert len(router.routes()) == (position is None)
    assert position is None or 0 <= position <= len(text)
