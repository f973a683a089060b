"""headrace.web in the place of aiohttp.web, for code that imports the latter: add-ons, programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import aiohttp.abc

from headrace import web

#: Where add-ons import the names of aiohttp.web from.
MODULES = (
    "web",
    "web_app",
    "web_exceptions",
    "web_middlewares",
    "web_request",
    "web_response",
    "web_urldispatcher",
)


def stand_in() -> None:
    """Let whatever is imported from now on find headrace.web where it looks for aiohttp.web."""
    for name in MODULES:
        sys.modules[f"aiohttp.{name}"] = web
        setattr(aiohttp, name, web)
    aiohttp.abc.AbstractView = web.AbstractView  # type: ignore[assignment,misc]


@contextmanager
def standing_in() -> Iterator[None]:
    """Stand in for aiohttp.web, and forget at the end what was imported meanwhile."""
    modules, attributes = dict(sys.modules), dict(vars(aiohttp))
    view = aiohttp.abc.AbstractView
    stand_in()
    try:
        yield
    finally:
        for name in sys.modules.keys() - modules.keys():
            if name.startswith("aiohttp"):
                del sys.modules[name]
        for name in MODULES:
            if name in attributes:
                setattr(aiohttp, name, attributes[name])
            else:
                delattr(aiohttp, name)
        sys.modules.update(modules)
        aiohttp.abc.AbstractView = view  # type: ignore[misc]
