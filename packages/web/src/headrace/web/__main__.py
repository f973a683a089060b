"""``python -m headrace.web package.module:app_or_factory``: serve an application."""

from __future__ import annotations

import inspect
import logging
import os
import sys
from argparse import ArgumentParser
from collections.abc import Awaitable
from importlib import import_module
from typing import Any

from ._app import Application
from ._runner import run_app


def load(entry: str, argv: list[str]) -> Application | Awaitable[Application]:
    """Return the application that ``module:name`` names.

    A factory is called with *argv* when it takes an argument; it may be a coroutine function.

    Raises:
        ValueError: *entry* has not the form, or names no application.
        ImportError: The module cannot be imported.
    """
    module_name, colon, name = entry.partition(":")
    if not colon or not module_name or not name:
        raise ValueError(f"{entry!r} is not of the form package.module:app_or_factory")
    module = import_module(module_name)
    try:
        found: Any = getattr(module, name)
    except AttributeError:
        raise ValueError(f"module {module_name!r} has no attribute {name!r}") from None
    if isinstance(found, Application):
        return found
    if not callable(found):
        raise ValueError(f"{entry!r} is neither an application nor a factory of one")
    made = found(argv) if inspect.signature(found).parameters else found()
    if not isinstance(made, Application) and not inspect.isawaitable(made):
        raise ValueError(f"the factory {entry!r} returned {made!r}, not an application")
    return made


def parse(argv: list[str]) -> tuple[Any, list[str]]:
    """Return the arguments, and those that are left for the factory."""
    parser = ArgumentParser(
        prog="python -m headrace.web", description="Serve a headrace.web application."
    )
    parser.add_argument(
        "entry",
        metavar="package.module:app_or_factory",
        help="an application, or a function, sync or async, that returns one",
    )
    parser.add_argument("-H", "--host", help="TCP host to listen on (default: localhost)")
    parser.add_argument("-P", "--port", type=int, help="TCP port to listen on (default: 8080)")
    parser.add_argument("-U", "--path", help="Unix socket to listen on, instead of TCP")
    return parser.parse_known_args(argv)


def main(argv: list[str]) -> None:
    """Run the command line."""
    arguments, rest = parse(argv)
    if arguments.path is not None and (arguments.host is not None or arguments.port is not None):
        sys.exit("error: --path goes without --host and --port")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("headrace.access").setLevel(logging.WARNING)
    sys.path.insert(0, os.getcwd())
    try:
        app = load(arguments.entry, rest)
    except (ImportError, ValueError) as error:
        sys.exit(f"error: {error}")
    if arguments.path is not None:
        run_app(app, path=arguments.path)
    else:
        run_app(app, host=arguments.host or "localhost", port=arguments.port)


if __name__ == "__main__":
    main(sys.argv[1:])
