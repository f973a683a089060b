"""Signals: lists of callbacks that are awaited in turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableSequence
from typing import Generic, ParamSpec, SupportsIndex, TypeVar, overload

P = ParamSpec("P")
T = TypeVar("T")


class Signal(MutableSequence[Callable[P, Awaitable[object]]], Generic[P]):
    """A list of callbacks; `freeze` ends its changes, `send` awaits them all in order.

    Args:
        owner: To whom the signal belongs; shown in messages.
    """

    def __init__(self, owner: object = None) -> None:
        self._owner = owner
        self._callbacks: list[Callable[P, Awaitable[object]]] = []
        self._frozen = False

    @property
    def frozen(self) -> bool:
        """Whether the list can no longer be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse further changes."""
        self._frozen = True

    async def send(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Await each callback with the arguments given; the first failure ends it."""
        for callback in self._callbacks:
            await callback(*args, **kwargs)

    def __call__(self, func: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """Add the decorated callback."""
        self.append(func)
        return func

    @overload
    def __getitem__(self, index: SupportsIndex) -> Callable[P, Awaitable[object]]: ...
    @overload
    def __getitem__(self, index: slice) -> MutableSequence[Callable[P, Awaitable[object]]]: ...
    def __getitem__(
        self, index: SupportsIndex | slice
    ) -> Callable[P, Awaitable[object]] | MutableSequence[Callable[P, Awaitable[object]]]:
        return self._callbacks[index]

    @overload
    def __setitem__(self, index: SupportsIndex, value: Callable[P, Awaitable[object]]) -> None: ...
    @overload
    def __setitem__(
        self, index: slice, value: Iterable[Callable[P, Awaitable[object]]]
    ) -> None: ...
    def __setitem__(self, index: SupportsIndex | slice, value: object) -> None:
        self._check()
        self._callbacks[index] = value  # type: ignore[call-overload]

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        self._check()
        del self._callbacks[index]

    def insert(self, index: SupportsIndex, value: Callable[P, Awaitable[object]]) -> None:
        """Add a callback before the one at *index*."""
        self._check()
        self._callbacks.insert(index, value)

    def __len__(self) -> int:
        return len(self._callbacks)

    def __iter__(self) -> Iterator[Callable[P, Awaitable[object]]]:
        return iter(self._callbacks)

    def _check(self) -> None:
        if self._frozen:
            raise RuntimeError("cannot change a signal after the application has started")

    def __repr__(self) -> str:
        return f"<Signal owner={self._owner!r}, frozen={self._frozen}, {self._callbacks!r}>"
