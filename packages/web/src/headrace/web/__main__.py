"""The command line: serve an application, list its routes, explain a look-up.

python -m headrace.web package.module:app_or_factory --host 0.0.0.0 --port 8080
python -m headrace.web package.module:app_or_factory --workers 4
python -m headrace.web package.module:app_or_factory --reload
python -m headrace.web routes package.module:app_or_factory
python -m headrace.web explain package.module:app_or_factory GET /path
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import sys
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable
from importlib import import_module
from typing import Any, NoReturn

from ._activation import activated_sockets
from ._app import Application
from ._log import access_logger
from ._run import run_app
from ._tls import TLSContext


def fail(message: object) -> NoReturn:
    """End the program with a message, in one piece: workers may fail side by side."""
    sys.stderr.write(f"error: {message}\n")
    sys.exit(1)


class EntryError(ValueError):
    """What the command line names is no application."""


def load(entry: str, argv: list[str]) -> Application | Awaitable[Application]:
    """Return the application that ``module:name`` names.

    A factory is called with *argv* when it takes an argument; it may be a coroutine function.

    Raises:
        ValueError: *entry* has not the form, or names no application; or there are options in
            *argv* and nothing that takes them.
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
    if not isinstance(found, Application) and not callable(found):
        raise ValueError(f"{entry!r} is neither an application nor a factory of one")
    takes_words = callable(found) and bool(inspect.signature(found).parameters)
    unknown = [word for word in argv if word.startswith("-")]
    if unknown and (isinstance(found, Application) or not takes_words):
        raise ValueError(f"unknown option {unknown[0]}, and {entry!r} takes no options of its own")
    if isinstance(found, Application):
        return found
    made = found(argv) if takes_words else found()
    return _checked_later(entry, made) if inspect.isawaitable(made) else checked(entry, made)


def checked(entry: str, made: object) -> Application:
    """Return what the factory *entry* made; raise `EntryError` if it is no application."""
    if not isinstance(made, Application):
        raise EntryError(f"the factory {entry!r} returned {made!r}, not an application")
    return made


async def _checked_later(entry: str, making: Awaitable[object]) -> Application:
    return checked(entry, await making)


def parse(argv: list[str]) -> tuple[Any, list[str]]:
    """Return the arguments, and those that are left for the factory."""
    parser = ArgumentParser(
        prog="python -m headrace.web",
        description="Serve a headrace.web application.",
        epilog="With the word routes before it, list its routes; with the word explain, and METHOD "
        "and PATH after it, tell which route serves a request.",
        allow_abbrev=False,  # what is left goes to the application
    )
    parser.add_argument(
        "entry",
        metavar="package.module:app_or_factory",
        help="an application, or a function, sync or async, that returns one",
    )
    parser.add_argument("-H", "--host", help="TCP host to listen on (default: localhost)")
    parser.add_argument("-P", "--port", type=port, help="TCP port to listen on (default: 8080)")
    parser.add_argument("-U", "--path", help="Unix socket to listen on, instead of TCP")
    parser.add_argument("--unix-mode", type=octal, help="permissions of the Unix socket, as 660")
    parser.add_argument("--certfile", help="certificate and chain (PEM): serve TLS")
    parser.add_argument("--keyfile", help="private key of the certificate (PEM)")
    _add_stopping(parser)
    _add_processes(parser)
    return parser.parse_known_args(argv)


def _add_stopping(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--shutdown-timeout",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="what running handlers get when the server stops (default: 60)",
    )
    parser.add_argument(
        "--drain-delay",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how long the server goes on, not ready, when it is told to stop (default: 0)",
    )


def _add_processes(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-w", "--workers", type=int, metavar="N", help="serve in N processes; SIGHUP replaces them"
    )
    parser.add_argument(
        "--max-requests", type=int, default=0, metavar="N", help="replace a worker after N requests"
    )
    parser.add_argument(
        "--max-memory", type=int, default=0, metavar="MIB", help="replace a worker beyond MIB"
    )
    parser.add_argument(
        "--reload",
        action="store_true",
        help="serve anew when a Python file below the current directory changes",
    )


def port(text: str) -> int:
    """Return the TCP port that *text* tells."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError(text)
    return number


def octal(text: str) -> int:
    """Return the permissions that *text* tells."""
    return int(text, 8)


def load_now(entry: str, argv: list[str]) -> Application:
    """Return the application of *entry*, ready for look-ups, without serving it."""

    async def made() -> Application:
        found = load_or_exit(entry, argv)
        app = found if isinstance(found, Application) else await found
        app.freeze()
        return app

    try:
        return asyncio.run(made())
    except ValueError as error:
        fail(error)


def load_or_exit(entry: str, argv: list[str]) -> Application | Awaitable[Application]:
    """Return what `load` does; end the program with a message when it cannot."""
    sys.path.insert(0, os.getcwd())
    try:
        found = load(entry, argv)
    except (ImportError, ValueError) as error:
        fail(error)
    return found if isinstance(found, Application) else _awaited_or_exit(found)


async def _awaited_or_exit(making: Awaitable[Application]) -> Application:
    try:
        return await making
    except EntryError as error:
        fail(error)


def routes(argv: list[str]) -> None:
    """Print the table of an application's routes."""
    parser = ArgumentParser(
        prog="python -m headrace.web routes", description="List the routes of an application."
    )
    parser.add_argument("entry", metavar="package.module:app_or_factory")
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    arguments, rest = parser.parse_known_args(argv)
    print(load_now(arguments.entry, rest).router.table("json" if arguments.json else "text"))


def explain(argv: list[str]) -> None:
    """Print how a method and a path find their route."""
    parser = ArgumentParser(
        prog="python -m headrace.web explain",
        description="Tell which routes are considered for a request, and which one serves it.",
    )
    parser.add_argument("entry", metavar="package.module:app_or_factory")
    parser.add_argument("method", metavar="METHOD")
    parser.add_argument("path", metavar="PATH", help="percent-encoded, without the query")
    parser.add_argument("--host", help="the Host field, for routes of certain hosts")
    arguments, rest = parser.parse_known_args(argv)
    app = load_now(arguments.entry, rest)
    print(app.router.explain(arguments.method.upper(), arguments.path, arguments.host))


def address_of(arguments: Namespace) -> dict[str, Any]:
    """Return where to listen, as `run_app` takes it; end the program when that is unclear."""
    if arguments.path is not None and (arguments.host is not None or arguments.port is not None):
        fail("--path goes without --host and --port")
    if arguments.keyfile is not None and arguments.certfile is None:
        fail("--keyfile goes with --certfile")
    found: dict[str, Any] = {}
    if arguments.certfile is not None:
        found["ssl_context"] = tls_of(arguments.certfile, arguments.keyfile)
    if arguments.path is not None:
        return found | {"path": arguments.path, "unix_mode": arguments.unix_mode}
    if arguments.host is None and arguments.port is None and (sockets := activated_sockets()):
        return found | {"sock": sockets}
    return found | {"host": arguments.host or "localhost", "port": arguments.port}


def tls_of(certfile: str, keyfile: str | None) -> TLSContext:
    """Return a context with the certificate; end the program when it cannot be loaded."""
    try:
        return TLSContext(certfile, keyfile)
    except OSError as error:
        files = repr(certfile) if keyfile is None else f"{certfile!r} and {keyfile!r}"
        fail(f"cannot load certificate and key from {files}: {error.strerror or error}")


def serve(argv: list[str]) -> None:
    """Serve an application until it is stopped."""
    arguments, rest = parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("headrace.access").setLevel(logging.WARNING)
    settings = {
        "access_log": access_logger,
        "shutdown_timeout": arguments.shutdown_timeout,
        "drain_delay": arguments.drain_delay,
    }
    try:
        settings |= address_of(arguments)
        if arguments.workers is None and not arguments.reload:
            run_app(load_or_exit(arguments.entry, rest), **settings)
        else:
            serve_in_workers(arguments, rest, settings)
    except (OSError, RuntimeError, ValueError) as error:
        if _is_of_application(error):
            raise
        fail(error)


def _is_of_application(error: Exception) -> bool:
    """Tell whether *error* comes out of the application's own code, or of what that uses."""
    ours = {*sys.stdlib_module_names, "headrace", "uvloop"}
    return any(
        frame.f_globals.get("__name__", "").partition(".")[0] not in ours
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def serve_in_workers(arguments: Namespace, rest: list[str], settings: dict[str, Any]) -> None:
    """Serve in processes that import the application themselves: SIGHUP brings its new code."""
    from ._workers import run_workers  # where there is no fork, it cannot be imported

    reload = None
    if arguments.reload:
        from ._reload import watcher

        reload = watcher([os.getcwd()])
    run_workers(
        lambda: load_or_exit(arguments.entry, rest),
        1 if arguments.workers is None else arguments.workers,
        max_requests=arguments.max_requests,
        max_memory=arguments.max_memory * 1024**2,
        announce=print,
        reload=reload,
        **settings,
    )


def main(argv: list[str]) -> None:
    """Run the command line."""
    commands = {"routes": routes, "explain": explain}
    if argv and argv[0] in commands:
        commands[argv[0]](argv[1:])
    else:
        serve(argv)


if __name__ == "__main__":
    main(sys.argv[1:])
