"""An application in several processes, which share the addresses that it listens on."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import random
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from ._app import Application
from ._serve import Address, Serving, at_request, fastest_loop, run, split
from ._server import CANCEL_TIME
from ._sites import bind_unix, name_of, port_or_default, unknown_host
from ._supervisor import Link, Supervisor

#: Seconds between two looks at the memory of a worker.
LOOK_INTERVAL: Final = 1.0
#: Seconds for `on_cleanup`, after which a worker that was told to stop is killed.
CLEANUP_TIME: Final = 30.0
#: Workers that were started together are not replaced together: their limits differ by as much.
JITTER: Final = 0.1

Load = Callable[[], Application | Awaitable[Application]]


def run_workers(
    load: Load,
    number: int,
    *,
    max_requests: int = 0,
    max_memory: int = 0,
    announce: Callable[..., None] | None = None,
    reload: Callable[[Link], None] | None = None,
    **settings: Any,
) -> None:
    """Serve what *load* returns in *number* processes until SIGINT or SIGTERM.

    Args:
        load: Called in each worker.
        number: How many there are.
        max_requests: Requests after which a worker is replaced, and up to a tenth more; 0 for any.
        max_memory: Resident bytes beyond which a worker is replaced; 0 for any number.
        announce: Called with the addresses once all workers serve.
        reload: Runs in a process of its own; the workers are replaced when it sends SIGHUP.
        settings: Those of `serve`.

    Raises:
        OSError: An address cannot be used.
        SystemExit: No worker could start.
    """
    address, rest = split(settings)
    timeout, delay = rest.get("shutdown_timeout", 60.0), rest.get("drain_delay", 0.0)
    with bound(address, number) as groups:
        names = sorted({name_of(sock, address.get("ssl_context")) for sock in groups[0]})

        def work(link: Link, slot: int) -> None:
            where = {**_how(address), "sock": groups[slot]}
            run(_work(link, load, where, rest, limits), fastest_loop())

        limits = (max_requests, max_memory)
        supervisor = Supervisor(
            work,
            number,
            patience=math.inf if timeout is None else delay + timeout + CANCEL_TIME + CLEANUP_TIME,
            when_ready=lambda: _announce(announce, names, number),
            helper=reload,
        )
        status = supervisor.run()
    if status:
        sys.exit(status)


def _announce(announce: Callable[..., None] | None, names: list[str], number: int) -> None:
    if announce is not None:
        announce(
            f"======== Running on {', '.join(names)} ({number} workers) ========\n"
            "(Press CTRL+C to quit)",
            flush=True,
        )


def _how(address: Address) -> dict[str, Any]:
    """Return what the sites in the workers are told: how to listen, not where."""
    names = ("ssl_context", "ssl_handshake_timeout", "ssl_shutdown_timeout", "backlog")
    return {name: address[name] for name in names if name in address}  # type: ignore[literal-required]


# -- the sockets


@contextlib.contextmanager
def bound(address: Address, number: int) -> Iterator[list[list[socket.socket]]]:
    """Give the sockets of each worker, which listen: common ones, or with *reuse_port* its own.

    They outlive the workers, so that no connection is lost that waits in one while a worker is
    replaced.
    """
    reuse_port = bool(address.get("reuse_port"))
    with contextlib.ExitStack() as stack:
        shared = [*_given(address), *_unix(address, stack)]
        tcp = _tcp(address, reuse_port)
        groups = [[*shared, *tcp]]
        for _ in range(number - 1):
            more = [_again(sock) for sock in tcp] if reuse_port else tcp
            groups.append([*shared, *more])
        for sock in {id(sock): sock for group in groups for sock in group}.values():
            stack.callback(sock.close)
            sock.listen(address.get("backlog", 128))
        yield groups


def _given(address: Address) -> list[socket.socket]:
    sock = address.get("sock")
    return [sock] if isinstance(sock, socket.socket) else list(sock or [])


def _unix(address: Address, stack: contextlib.ExitStack) -> list[socket.socket]:
    path = address.get("path")
    paths: Iterable[Any] = [path] if isinstance(path, str | os.PathLike) else path or []
    sockets = []
    for one in map(os.fspath, paths):
        sockets.append(bind_unix(one, address.get("unix_mode")))
        stack.callback(Path(one).unlink, missing_ok=True)
    return sockets


def _tcp(address: Address, reuse_port: bool) -> list[socket.socket]:
    host, port = address.get("host"), address.get("port")
    if host is None and port is None and (address.get("path") or address.get("sock")):
        return []
    hosts: Iterable[str | None] = [host] if host is None or isinstance(host, str) else host
    number = port_or_default(port, address.get("ssl_context"))
    infos = [(info[0], info[4]) for one in hosts for info in _look_up(one, number)]
    return [_bind(family, where, reuse_port) for family, where in dict.fromkeys(infos)]


def _look_up(host: str | None, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as error:
        raise unknown_host(error, host) from None


def _bind(family: int, where: Any, reuse_port: bool) -> socket.socket:
    sock = socket.socket(family)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(where)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"cannot listen on {where[:2]}: {error.strerror}") from None
    return sock


def _again(sock: socket.socket) -> socket.socket:
    """Return another socket with the same address."""
    return _bind(sock.family, sock.getsockname(), True)


# -- a worker


async def _work(
    link: Link, load: Load, address: Any, settings: dict[str, Any], limits: tuple[int, int]
) -> None:
    """Serve until SIGTERM, or until the supervisor has gone."""
    serving = Serving(load(), address, settings, signals=(signal.SIGTERM,))
    loop = asyncio.get_running_loop()
    async with serving:

        def orphaned() -> None:
            loop.remove_reader(link.fileno())
            serving.stop()

        loop.add_reader(link.fileno(), orphaned)
        max_requests, max_memory = limits
        if max_requests:
            assert serving.server is not None
            number = round(max_requests * random.uniform(1, 1 + JITTER))  # noqa: S311 (no secret)
            at_request(serving.server, number, link.retire)
        watching = loop.create_task(_watch_memory(link, max_memory)) if max_memory else None
        link.ready()
        try:
            await serving.wait_stopped()
        finally:
            loop.remove_reader(link.fileno())
            if watching is not None:
                watching.cancel()


async def _watch_memory(link: Link, limit: int) -> None:
    """Ask to be replaced when the process has more resident bytes than *limit*."""
    while resident() <= limit:  # noqa: ASYNC110 (no event tells of memory)
        await asyncio.sleep(LOOK_INTERVAL)
    link.retire()


def resident() -> int:
    """Return the resident bytes of the process; where that is not told, the most it ever had."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return int(pages) * resource.getpagesize()
