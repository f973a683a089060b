"""The public names."""

from __future__ import annotations

from pathlib import Path

import headrace.http_parser as package


def test_all_is_complete_and_sorted_as_it_is_bound() -> None:
    public = {name for name in vars(package) if not name.startswith("_")}
    assert public == set(package.__all__)
    assert len(package.__all__) == len(public) == 22


def test_all_names_say_the_public_module_in_their_documentation() -> None:
    for name in package.__all__:
        value = getattr(package, name)
        if isinstance(value, type):
            assert value.__doc__, name


def test_the_namespace_has_no_file_of_its_own() -> None:
    folder = Path(package.__file__).parent
    assert not (folder.parent / "__init__.py").exists()
    assert (folder / "py.typed").exists()
