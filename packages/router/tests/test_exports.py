"""What the package exports is what its modules mean to export."""

from __future__ import annotations

import inspect

import headrace.router


def test_all_is_complete_and_sorted() -> None:
    public = {
        name
        for name, value in vars(headrace.router).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert set(headrace.router.__all__) == public
    assert sorted(headrace.router.__all__) == headrace.router.__all__


def test_every_export_and_every_method_has_a_docstring() -> None:
    bare = []
    for name in headrace.router.__all__:
        value = getattr(headrace.router, name)
        bare += [name] if not value.__doc__ else []
        bare += [
            f"{name}.{key}"
            for key, member in vars(value).items()
            if not key.startswith("_") and callable(member) and not member.__doc__
        ]
    assert bare == []
