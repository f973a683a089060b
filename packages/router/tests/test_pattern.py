"""Patterns alone: kinds, shapes, matching and building."""

from __future__ import annotations

import pytest

from headrace.router import BuildError, PatternError
from headrace.router._pattern import Kind, Pattern


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("", []),
        ("/", [(Kind.LITERAL, "")]),
        ("/a/b/", [(Kind.LITERAL, "a"), (Kind.LITERAL, "b"), (Kind.LITERAL, "")]),
        ("/{x}", [(Kind.PLAIN, "{}")]),
        ("/{x:int}", [(Kind.CONSTRAINED, "{:int}")]),
        ("/v{x}", [(Kind.CONSTRAINED, "v{}")]),
        ("/{x}-{y:slug}", [(Kind.CONSTRAINED, "{}-{:slug}")]),
        ("/{x:path}", [(Kind.REST, "{:.*}")]),
        ("/a/{x:.*}/b/{y}", [(Kind.LITERAL, "a"), (Kind.REST, "{:.*}/b/{}")]),
    ],
)
def test_the_steps_of_a_pattern(text: str, steps: list[tuple[int, str]]) -> None:
    assert [(step.kind, step.shape) for step in Pattern(text).steps] == steps


@pytest.mark.parametrize(
    ("text", "path", "values"),
    [
        ("/{a}{b}", "/xyz", ("xy", "z")),
        ("/{a}{b}", "/x", None),
        ("/{a}-{b}", "/x-y-z", ("x-y", "z")),
        ("/{a}-{b}", "/-x", None),
        ("/{a}-{b}", "/x-", None),
        ("/{a}--{b}", "/x---y", ("x-", "y")),
        ("/{a}--{b}", "/x-y", None),
        ("/<{a}>", "/<x>", ("x",)),
        ("/<{a}>", "/<>", None),
        ("/<{a}>", "/x>", None),
        ("/<{a}>", "/<x", None),
        ("/aa{a}aa", "/aaa", None),
        ("/<{a}.{b}>", "/<x.y.z>", ("x.y", "z")),
        ("/{a}.{b}", "/{.b", None),
        ("/{a}.{b}", "/x%2F.%25", ("x/", "%")),
        (r"/{a:\w+}-{b}", "/x-y", ("x", "y")),
        ("/{a:int}x{b:int}", "/1x2", (1, 2)),
        ("/{a:int}x{b:int}", "/1x", None),
        ("/{a:date}x", "/2023-02-30x", None),
        ("/a", "/a", ()),
        ("/a", "/b", None),
        ("/a", "/a/b", None),
        ("/a/b", "/a", None),
        ("/a/{x:.*}", "/a", None),
        ("/a/{x:.+}-{y}", "/a/b/c-d", ("b/c", "d")),
        ("/a/{x:.+}-{y}", "/a/b/c", None),
        ("/{x:a.b}", "/a\nb", ("a\nb",)),
    ],
)
def test_match(text: str, path: str, values: tuple[object, ...] | None) -> None:
    assert Pattern(text).match(path) == values


@pytest.mark.parametrize(
    ("text", "parts", "path"),
    [
        ("/", {}, "/"),
        ("", {}, ""),
        ("/café", {}, "/caf%C3%A9"),
        ("/{x}", {"x": "a/b"}, "/a%2Fb"),
        ("/{x}", {"x": 7}, "/7"),
        ("/{x}", {"x": "{a}%"}, "/%7Ba%7D%25"),
        ("/{x}", {"x": "?a=b#c"}, "/%3Fa=b%23c"),
        ("/{x:.*}", {"x": "a/b c"}, "/a/b%20c"),
        ("/{x:.*}", {"x": ""}, "/"),
        ("/{x}.{y}", {"x": ".", "y": "a"}, "/..a"),
    ],
)
def test_build(text: str, parts: dict[str, object], path: str) -> None:
    assert Pattern(text).build(parts) == path


@pytest.mark.parametrize(
    ("text", "parts", "reason"),
    [
        ("/{x}", {}, "missing parts: x"),
        ("/{x}", {"x": "a", "y": "b"}, "unknown parts: y"),
        ("/{x}", {"y": "b"}, "missing parts: x; unknown parts: y"),
        ("/a", {"y": "b"}, "unknown parts: y"),
        ("/{x}", {"x": ""}, "do not match"),
        ("/{x}", {"x": None}, "'x' is None, expected str or int"),
        ("/{x}", {"x": True}, "expected str or int"),
        ("/{x}", {"x": b"a"}, "expected str or int"),
        ("/{x}", {"x": "\ud800"}, "surrogate"),
        ("/{x}", {"x": ".."}, "which clients remove"),
        ("/a/{x:.*}", {"x": "../b"}, "which clients remove"),
        ("/{x:.*}", {"x": "/evil.example"}, "name a host"),
        ("//a", {}, "name a host"),
        (r"/{x:\d+}", {"x": "a"}, "do not match"),
        ("/{x:int}", {"x": "a"}, "do not match"),
        ("/{x:int}", {"x": 1.5}, "expected int"),
        ("/{a}-{b}", {"a": "x", "b": "y-z"}, "'a' is 'x' but would be read as 'x-y'"),
    ],
)
def test_what_is_not_built(text: str, parts: dict[str, object], reason: str) -> None:
    with pytest.raises(BuildError, match=reason):
        Pattern(text).build(parts)


def test_canonical_leaves_the_regexes_out() -> None:
    assert Pattern(r"/é/{x:\d+}-{y:int}").canonical == "/%C3%A9/{x}-{y}"


@pytest.mark.parametrize("text", ["/{x:(?P<y>a)}-{y:b}", "/{x:(?i)a}-{y:(?i)b}"])
def test_regexes_that_can_not_stand_together(text: str) -> None:
    with pytest.raises(PatternError, match="can not stand together"):
        Pattern(text)


def test_a_prefix_holds_no_rest() -> None:
    with pytest.raises(PatternError, match="spans segments"):
        Pattern("/{x:.*}", prefix=True)
