"""Lists that freeze when the application starts: signals, whose callbacks are awaited in turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableSequence
from typing import Any, Generic, ParamSpec, SupportsIndex, TypeVar, overload

P = ParamSpec("P")
T = TypeVar("T")


class FreezableList(MutableSequence[T]):
    """A list that can be changed until `freeze`."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._frozen = False

    @property
    def frozen(self) -> bool:
        """Whether the list can no longer be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse further changes."""
        self._frozen = True

    @overload
    def __getitem__(self, index: SupportsIndex) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> MutableSequence[T]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> T | MutableSequence[T]:
        return self._items[index]

    @overload
    def __setitem__(self, index: SupportsIndex, value: T) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[T]) -> None: ...
    def __setitem__(self, index: SupportsIndex | slice, value: Any) -> None:
        self._check()
        self._items[index] = value

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        self._check()
        del self._items[index]

    def insert(self, index: SupportsIndex, value: T) -> None:
        """Add an item before the one at *index*."""
        self._check()
        self._items.insert(index, value)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def _check(self) -> None:
        if self._frozen:
            raise RuntimeError("cannot change a signal or contexts: the application has started")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} frozen={self._frozen}, {self._items!r}>"


class Signal(FreezableList[Callable[P, Awaitable[object]]], Generic[P]):
    """A list of callbacks; `freeze` ends its changes, `send` awaits them all in order.

    Args:
        owner: To whom the signal belongs; shown in messages.
    """

    def __init__(self, owner: object = None) -> None:
        super().__init__()
        self._owner = owner

    async def send(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Await each callback with the arguments given; the first failure ends it."""
        for callback in self._items:
            await callback(*args, **kwargs)

    def __call__(self, func: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """Add the decorated callback."""
        self.append(func)
        return func

    def __repr__(self) -> str:
        return f"<Signal owner={self._owner!r}, frozen={self._frozen}, {self._items!r}>"
