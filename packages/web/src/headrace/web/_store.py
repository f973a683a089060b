"""Typed keys, and the mapping that applications, requests and responses are for their users."""

from __future__ import annotations

import sys
from abc import ABC
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

T = TypeVar("T")
D = TypeVar("D")


class Key(Generic[T]):
    """A key with a type for its value; two keys of the same name are different keys.

    Args:
        name: Shown in messages, after the name of the module that creates the key.
        t: The type of the value, for `repr`; type checkers take it from the annotation.
    """

    __slots__ = ("_name", "_type")

    def __init__(self, name: str, t: type[T] | None = None) -> None:
        frame = sys._getframe(1)
        # ``AppKey[int]("name")`` is called by typing.
        while frame.f_back is not None and frame.f_globals.get("__name__") == "typing":
            frame = frame.f_back
        self._name = f"{frame.f_globals.get('__name__', '?')}.{name}"
        self._type = t

    def __lt__(self, other: object) -> bool:
        """Go by name among keys, and before texts: the keys of a mapping can be sorted."""
        return self._name < other._name if isinstance(other, Key) else True

    def __gt__(self, other: object) -> bool:
        return self._name > other._name if isinstance(other, Key) else False

    def __repr__(self) -> str:
        of = f", type={self._type.__qualname__}" if self._type is not None else ""
        return f"<{type(self).__name__}({self._name}{of})>"


class AppKey(Key[T]):
    """A typed key of an `Application`."""

    __slots__ = ()


class RequestKey(Key[T]):
    """A typed key of a `Request`."""

    __slots__ = ()


class ResponseKey(Key[T]):
    """A typed key of a `StreamResponse`."""

    __slots__ = ()


if TYPE_CHECKING:
    _Mapping = MutableMapping[str | Key[Any], Any]
else:
    # Calls of a class whose metaclass is ABCMeta cannot be made quick, see `quick_calls`.
    _MIXED_IN = {**vars(Mapping), **vars(MutableMapping)}.items()
    _Mapping = type(
        "_Mapping", (), {name: each for name, each in _MIXED_IN if name not in vars(ABC)}
    )


class Store(_Mapping):
    """A mapping whose dictionary is made when something is first stored.

    It compares by identity: two requests that hold the same values are still two requests.
    """

    _values: dict[str | Key[Any], Any] | None = None

    @overload
    def __getitem__(self, key: Key[T]) -> T: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: str | Key[Any]) -> Any:
        if self._values is None:
            raise KeyError(key)
        return self._values[key]

    @overload
    def __setitem__(self, key: Key[T], value: T) -> None: ...
    @overload
    def __setitem__(self, key: str, value: Any) -> None: ...
    def __setitem__(self, key: str | Key[Any], value: Any) -> None:
        if self._values is None:
            self._values = {}
        self._values[key] = value

    def __delitem__(self, key: str | Key[Any]) -> None:
        if self._values is None:
            raise KeyError(key)
        del self._values[key]

    @overload  # type: ignore[override]  # narrower than a mapping's for keys that know their type
    def get(self, key: Key[T], default: None = None) -> T | None: ...
    @overload
    def get(self, key: Key[T], default: D) -> T | D: ...
    @overload
    def get(self, key: str, default: Any = None) -> Any: ...
    def get(self, key: str | Key[Any], default: Any = None) -> Any:
        """Return the value of *key*, or *default* when there is none."""
        return default if self._values is None else self._values.get(key, default)

    def __len__(self) -> int:
        return len(self._values) if self._values is not None else 0

    def __iter__(self) -> Iterator[str | Key[Any]]:
        return iter(self._values if self._values is not None else ())

    def __bool__(self) -> bool:
        return True

    __eq__ = object.__eq__
    __hash__ = object.__hash__


MutableMapping.register(Store)


class Layers(Mapping[str | Key[Any], Any]):
    """The values of several stores at once: the first that has a key counts."""

    def __init__(self, *stores: Store) -> None:
        self._stores = stores

    @overload
    def __getitem__(self, key: Key[T]) -> T: ...
    @overload
    def __getitem__(self, key: str) -> Any: ...
    def __getitem__(self, key: str | Key[Any]) -> Any:
        for store in self._stores:
            if key in store:
                return store[key]
        raise KeyError(key)

    @overload  # type: ignore[override]  # narrower than a mapping's for keys that know their type
    def get(self, key: Key[T], default: None = None) -> T | None: ...
    @overload
    def get(self, key: Key[T], default: D) -> T | D: ...
    @overload
    def get(self, key: str, default: Any = None) -> Any: ...
    def get(self, key: str | Key[Any], default: Any = None) -> Any:
        """Return the value of *key*, or *default* when no store has it."""
        return next((store[key] for store in self._stores if key in store), default)

    def __len__(self) -> int:
        return len({key for store in self._stores for key in store})

    def __iter__(self) -> Iterator[str | Key[Any]]:
        return iter(dict.fromkeys(key for store in self._stores for key in store))

    def __repr__(self) -> str:
        return f"<Layers of {len(self._stores)} stores: {list(self)!r}>"
