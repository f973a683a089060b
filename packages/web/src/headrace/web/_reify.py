"""Attributes that are computed when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Never, TypeVar, overload

T = TypeVar("T")


class reify(Generic[T]):  # noqa: N801 (used as a decorator)
    """A property that is computed once and then stands in the instance's dictionary.

    Unlike `functools.cached_property` of Python 3.11 it takes no lock.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type[object]) -> reify[T]: ...
    @overload
    def __get__(self, instance: object, owner: type[object]) -> T: ...
    def __get__(self, instance: object | None, owner: type[object]) -> reify[T] | T:
        if instance is None:
            return self
        value = self._compute(instance)
        # By way of `__dict__` the attributes would move into a dictionary, for good.
        setattr(instance, self._name, value)
        return value

    if TYPE_CHECKING:
        # For type checkers alone: at run time a method of this name would make each look-up slow.
        def __set__(self, instance: object, value: Never) -> None:
            """Refuse to be assigned to."""
