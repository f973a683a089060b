"""The kernel: which twin is imported, and classes that are called quicker do as they did.

How coroutines are started is in test_start.py.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from headrace import web
from headrace.web import _kernel_py

COMPILED = importlib.util.find_spec("headrace.web._kernel_c") is not None
TELL = "from headrace.web import IMPLEMENTATION; print(IMPLEMENTATION)"
# As if it had not been built.
WITHOUT = "import sys; sys.modules['headrace.web._kernel_c'] = None; "


def told(mode: str, code: str = TELL) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HEADRACE_EXTENSIONS": mode}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("mode", "code", "twin"),
    [
        ("none", TELL, "python"),
        ("auto", WITHOUT + TELL, "python"),
        ("auto", TELL, "c" if COMPILED else "python"),
    ],
)
def test_which_twin_is_taken(mode: str, code: str, twin: str) -> None:
    assert told(mode, code).stdout == f"{twin}\n"


def test_require_takes_the_compiled_twins_or_fails() -> None:
    done = told("require", WITHOUT + TELL)
    assert done.returncode != 0
    assert "_c" in done.stderr


@pytest.mark.skipif(not COMPILED, reason="the compiled twin is not built")
def test_another_word_is_an_error() -> None:
    done = told("yes")
    assert done.returncode != 0
    assert "HEADRACE_EXTENSIONS" in done.stderr


Quick = Callable[[Any], Any]


def _twins() -> dict[str, Quick]:
    twins: dict[str, Quick] = {"pure": _kernel_py.quick_calls}
    if COMPILED:
        twins["compiled"] = importlib.import_module("headrace.web._kernel_c").quick_calls
    return twins


@pytest.fixture(params=_twins())
def quick(request: pytest.FixtureRequest) -> Quick:
    return _twins()[request.param]


def make_class(quick: Quick) -> Any:
    @quick
    class Thing:
        def __init__(self, first: int = 1, *rest: int, word: str = "a", **others: int) -> None:
            self.all = (first, rest, word, others)
            if first < 0:
                raise ValueError("negative")

    return Thing


CALLS: list[tuple[Any, Any]] = [
    ((), {}),
    ((2,), {}),
    ((2, 3, 4), {}),
    ((), {"first": 5}),
    ((2, 3), {"word": "b", "other": 6}),
    ((), {"word": "c"}),
    (tuple(range(40)), {f"n{i}": i for i in range(40)}),
]


@pytest.mark.parametrize(("args", "named"), CALLS)
def test_arguments_arrive(quick: Quick, args: tuple[int, ...], named: dict[str, Any]) -> None:
    thing, plain = make_class(quick), make_class(lambda cls: cls)
    expected = plain(*args, **named).all
    assert thing(*args, **named).all == expected
    assert partial(thing, *args)(**named).all == expected
    assert partial(thing, **named)(*args).all == expected
    assert type.__call__(thing, *args, **named).all == expected
    assert type(thing.__call__(*args, **named)) is thing


def test_calls_without_a_detour(quick: Quick) -> None:
    thing = make_class(quick)
    for number in range(1000):  # till the interpreter has made up its mind
        assert thing(number, word="x").all == (number, (), "x", {})
        assert thing().all == (1, (), "a", {})
    assert [each.all[0] for each in map(thing, range(3))] == [0, 1, 2]


@pytest.mark.parametrize(("args", "named"), [((), {"first": -1}), ((-1,), {"word": "b"})])
def test_what_the_class_raises_comes_out(
    quick: Quick, args: tuple[int, ...], named: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="negative"):
        make_class(quick)(*args, **named)


def test_wrong_arguments_are_refused(quick: Quick) -> None:
    with pytest.raises(TypeError, match=r"__init__\(\) got multiple values for argument 'first'"):
        make_class(quick)(1, first=2)


def test_init_returns_nothing(quick: Quick) -> None:
    @quick
    class Wrong:
        def __init__(self) -> None:
            return 1  # type: ignore[return-value]  # noqa: PLE0101

    with pytest.raises(TypeError, match=r"__init__\(\) should return None"):
        Wrong()


def test_subclasses_are_called_as_ever(quick: Quick) -> None:
    thing = make_class(quick)

    class Below(thing):  # type: ignore[misc]
        def __init__(self, more: int, **others: Any) -> None:
            super().__init__(more + 1, **others)

    class New(thing):  # type: ignore[misc]
        def __new__(cls, *args: Any) -> Any:
            return "else"

    assert Below(1, word="z").all == (2, (), "z", {})
    assert New(1) == "else"


def test_a_new_of_its_own_is_asked(quick: Quick) -> None:
    @quick
    class Single:
        made: Any = None

        def __new__(cls) -> Any:
            cls.made = cls.made or super().__new__(cls)
            return cls.made

    assert Single() is Single()


def test_init_may_be_replaced(quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    thing = make_class(quick)
    seen: list[Any] = []
    monkeypatch.setattr(thing, "__init__", lambda self, *args, **named: seen.append((args, named)))
    thing(1, word="b")

    class Init:
        def __get__(self, instance: Any, owner: Any) -> Any:
            return lambda *args, **named: seen.append((type(instance), args, named))

    monkeypatch.setattr(thing, "__init__", Init())
    thing(2, word="c")
    monkeypatch.delattr(thing, "__init__")
    assert isinstance(thing(), thing)
    assert seen == [((1,), {"word": "b"}), (thing, (2,), {"word": "c"})]


def test_instances_have_their_own_attributes_and_go_away(quick: Quick) -> None:
    thing = make_class(quick)
    one, other = thing(), thing()
    one.extra = 1
    assert vars(one) == {"all": (1, (), "a", {}), "extra": 1}
    assert not hasattr(other, "extra")
    before = sys.getrefcount(thing)
    things = [thing(number, word="w") for number in range(10)]
    assert sys.getrefcount(thing) == before + 10
    del things
    assert sys.getrefcount(thing) == before


def test_requests_and_responses_are_called_so() -> None:
    """Positional arguments, unknown ones and those that exclude each other are told as ever."""
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        web.Response("text")  # type: ignore[misc]
    with pytest.raises(TypeError, match="unexpected keyword argument 'txt'"):
        web.Response(txt="text")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="body and text are not allowed together"):
        web.Response(text="a", body=b"b")
