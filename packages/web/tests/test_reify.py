"""Attributes that are computed once."""

from __future__ import annotations

from headrace.web._reify import reify


class Thing:
    computed = 0

    @reify
    def value(self) -> int:
        """What it is."""
        self.computed += 1
        return 42


def test_a_value_is_computed_when_first_asked_for_and_kept() -> None:
    thing = Thing()
    assert "value" not in vars(thing)
    assert (thing.value, thing.value) == (42, 42)
    assert thing.computed == 1


def test_the_class_gives_the_descriptor_with_its_documentation() -> None:
    assert isinstance(Thing.value, reify)
    assert Thing.value.__doc__ == "What it is."
