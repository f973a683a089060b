"""Signals: lists of callbacks that are awaited in order, until they are frozen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from headrace import web
from headrace.web._signals import FreezableList


def callbacks(count: int) -> tuple[list[tuple[int, Any]], list[Callable[..., Awaitable[None]]]]:
    calls: list[tuple[int, Any]] = []

    def make(number: int) -> Callable[..., Awaitable[None]]:
        async def callback(*args: Any, **kwargs: Any) -> None:
            calls.append((number, (args, kwargs)))

        return callback

    return calls, [make(number) for number in range(count)]


async def test_sends_in_order() -> None:
    calls, functions = callbacks(3)
    signal: web.Signal[[int, str]] = web.Signal()
    signal.extend(functions)
    await signal.send(1, "x")
    assert calls == [(number, ((1, "x"), {})) for number in range(3)]


async def test_an_empty_signal_sends_nothing() -> None:
    signal: web.Signal[[]] = web.Signal()
    assert not signal
    assert await signal.send() is None


async def test_the_first_failure_ends_it() -> None:
    calls, (first, last) = callbacks(2)

    async def fail() -> None:
        raise ValueError("no")

    signal: web.Signal[[]] = web.Signal()
    signal.extend([first, fail, last])
    with pytest.raises(ValueError, match="no"):
        await signal.send()
    assert [number for number, _ in calls] == [0]


def test_it_is_a_list() -> None:
    _, (a, b, c) = callbacks(3)
    signal: web.Signal[[]] = web.Signal()
    signal.append(a)
    signal.insert(0, b)
    signal += [c]
    assert list(signal) == [b, a, c]
    assert (signal[0], signal[-1], len(signal), a in signal) == (b, c, 3, True)
    signal[0] = c
    del signal[1:]
    assert list(signal) == [c]
    signal.remove(c)
    assert not signal


CHANGES: list[Callable[[Any, Any], object]] = [
    lambda signal, callback: signal.append(callback),
    lambda signal, callback: signal.insert(0, callback),
    lambda signal, callback: signal.extend([callback]),
    lambda signal, callback: signal.remove(callback),
    lambda signal, callback: signal.pop(),
    lambda signal, callback: signal.clear(),
    lambda signal, callback: signal.__setitem__(0, callback),
    lambda signal, callback: signal.__setitem__(slice(None), []),
    lambda signal, callback: signal.__delitem__(0),
]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_frozen_signal_cannot_be_changed(change: Callable[[Any, Any], object]) -> None:
    calls, (callback,) = callbacks(1)
    signal: web.Signal[[]] = web.Signal()
    signal.append(callback)
    assert not signal.frozen
    signal.freeze()
    assert signal.frozen
    with pytest.raises(RuntimeError, match="cannot change a signal or contexts"):
        change(signal, callback)
    await signal.send()
    assert len(calls) == 1


async def test_it_decorates() -> None:
    calls: list[int] = []
    signal: web.Signal[[int]] = web.Signal()

    @signal
    async def callback(number: int) -> None:
        calls.append(number)

    assert list(signal) == [callback]
    await signal.send(5)
    await callback(6)
    assert calls == [5, 6]


def test_a_list_of_anything_freezes() -> None:
    items: FreezableList[int] = FreezableList()
    items.extend([1, 2, 3])
    items[0:2] = [5]
    assert list(items) == [5, 3]
    assert repr(items) == "<FreezableList frozen=False, [5, 3]>"
    items.freeze()
    with pytest.raises(RuntimeError, match="has started"):
        items.append(4)


def test_repr() -> None:
    assert repr(web.Signal()) == "<Signal owner=None, frozen=False, []>"
    signal: web.Signal[[]] = web.Signal("the owner")
    signal.freeze()
    assert repr(signal) == "<Signal owner='the owner', frozen=True, []>"
    app = web.Application()
    assert repr(app.on_startup).startswith(f"<Signal owner={app!r}, ")
