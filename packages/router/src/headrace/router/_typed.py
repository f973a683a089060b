"""URL building whose parameters a type checker knows.

Python's types can not read a pattern, so the parameters come from a signature: any function,
class or named tuple that takes them. At run time the signature is compared with the pattern once,
when it is given; the type checker compares it with every call.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from yarl import URL

from ._errors import BuildError
from ._pattern import Pattern

__all__ = ["typed"]

P = ParamSpec("P")

_SPREAD = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def typed(
    pattern: Pattern, url_for: Callable[..., URL], signature: Callable[P, object]
) -> Callable[P, URL]:
    """Return ``url_for`` with the parameters of ``signature``.

    Raises:
        BuildError: the signature's names are not the pattern's, or the type of one is not what its
            converter takes.
    """
    shape = inspect.signature(signature)
    names = tuple(shape.parameters)
    if any(parameter.kind in _SPREAD for parameter in shape.parameters.values()):
        raise BuildError(pattern.text, "a signature names its parameters, without * and **")
    missing = tuple(name for name in pattern.names if name not in names)
    extra = tuple(name for name in names if name not in pattern.names)
    if missing or extra:
        raise BuildError(pattern.text, "the signature differs", missing=missing, extra=extra)
    _check_types(pattern, signature)

    @wraps(signature, updated=())
    def build(*args: P.args, **kwargs: P.kwargs) -> URL:
        bound = shape.bind(*args, **kwargs)
        bound.apply_defaults()
        return url_for(**bound.arguments)

    return build


def _check_types(pattern: Pattern, signature: Callable[..., object]) -> None:
    hints = typing.get_type_hints(signature)
    for variable in pattern.variables:
        wanted = variable.converter.type if variable.converter else str
        hint = hints.get(variable.name, wanted)
        if not _takes(hint, wanted):
            raise BuildError(
                pattern.text, f"parameter {variable.name!r} is {hint!r}, expected {wanted.__name__}"
            )


def _takes(hint: object, wanted: type) -> bool:
    """Say whether one of the types of ``hint`` can be given for ``wanted``."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return all(_takes(option, wanted) for option in typing.get_args(hint))
    if wanted is float and hint is int:
        return True
    # A plain variable takes the text of an int as well; what is no class is the checker's business.
    return not isinstance(hint, type) or issubclass(
        hint, (wanted, int) if wanted is str else wanted
    )
