"""Runners: a server brought to life, with its sites, and taken down in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from ._app import Application
from ._log import access_logger
from ._server import Server
from ._service import server_logger
from ._sites import BaseSite

#: What tells a program to stop.
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


#: Turns of the loop in which a connection that the system has accepted reaches the server.
TURNS: Final = 5


class GracefulExit(SystemExit):
    """Raised in the main program by some add-ons to end `run_app`."""

    code = 1


def _exit() -> None:
    raise GracefulExit


def on_signals(numbers: Iterable[signal.Signals], callback: Callable[[], None] | None) -> None:
    """Call *callback* from the running loop at these signals; None ends that."""
    loop = asyncio.get_running_loop()
    for number in numbers:
        # On Windows loops have no signals, and elsewhere only those of the main thread.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            if callback is None:
                loop.remove_signal_handler(number)
            else:
                loop.add_signal_handler(number, callback)


class BaseRunner(ABC):
    """Starts a server, holds its sites, and stops all of it in order.

    Args:
        handle_signals: Raise `GracefulExit` from the event loop at SIGINT and SIGTERM.
        shutdown_timeout: Seconds that `on_shutdown` and running handlers get together when the
            runner is cleaned up; None for as long as they take.
        drain_delay: Seconds in which the server still accepts connections when it is to stop,
            but says that it is not ready: time for a load balancer to notice.
        settings: Those of `Server`.
    """

    def __init__(
        self,
        *,
        handle_signals: bool = False,
        shutdown_timeout: float | None = 60.0,
        drain_delay: float = 0.0,
        **settings: Any,
    ) -> None:
        self.handle_signals = handle_signals
        self.shutdown_timeout = shutdown_timeout
        self.drain_delay = drain_delay
        self.sites: Final[set[BaseSite]] = set()
        self._settings = settings
        self._server: Server | None = None
        self._hurried = False
        self._wait: asyncio.Timeout | None = None  # what a stop is waiting for

    @property
    def server(self) -> Server | None:
        """The server; None before `setup` and after `cleanup`."""
        return self._server

    @property
    def addresses(self) -> list[Any]:
        """The addresses of the sites, as the sockets tell them."""
        return [
            sock.getsockname()
            for site in self.sites
            if site._server is not None
            for sock in site._server.sockets
        ]

    @property
    def logger(self) -> logging.Logger:
        """Where the phases of a stop are logged: that of the server."""
        return server_logger if self._server is None else self._server.logger

    @abstractmethod
    async def _make_server(self) -> Server: ...
    @abstractmethod
    async def _shut_down(self) -> None: ...
    @abstractmethod
    async def _clean_up(self) -> None: ...

    async def setup(self) -> None:
        """Start what serves requests; sites can be made afterwards."""
        if self._server is not None:
            raise RuntimeError("the runner is set up already")
        if self.handle_signals:
            on_signals(STOP_SIGNALS, _exit)
        self._hurried = False
        self._server = await self._make_server()

    async def cleanup(self) -> None:
        """Stop, in this order; each phase is logged.

        1. `request.shutting_down` is true, so that `readiness` answers 503; `drain_delay` passes.
        2. The sites stop listening, idle connections close, and answers say that they are the
           last ones of their connections.
        3. `on_shutdown` runs.
        4. Event streams and WebSockets are told to end; handlers get the rest of
           `shutdown_timeout`.
        5. What remains is cancelled.
        6. `on_cleanup` runs, and the contexts are left.
        """
        server = self._server
        if server is None:
            return
        try:
            await self._drain(server)
        finally:
            try:
                await self._close(server)
            finally:
                await self._clean_up()
                if self.handle_signals:
                    on_signals(STOP_SIGNALS, None)
                server.logger.info("stopped")

    def hurry(self) -> None:
        """Let a stop wait no longer: cancel what still runs, and clean up."""
        self._hurried = True
        if self._wait is not None and not self._wait.expired():
            self._wait.reschedule(asyncio.get_running_loop().time())

    async def _drain(self, server: Server) -> None:
        """Say that the server is not ready, while it still is."""
        server.shutting_down = True
        if self.drain_delay:
            server.logger.info("stopping: not ready; listening for %g s more", self.drain_delay)
            await self._within(None, asyncio.sleep(self.drain_delay))

    async def _close(self, server: Server) -> None:
        """End the sites, what the application does beside handlers, and the connections."""
        self._server = None
        for site in list(self.sites):
            server.logger.info("stopping: no longer listening on %s", site.name)
            await site.stop()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        if busy := server.pre_shutdown():
            server.logger.info("stopping: %d connections are at work", busy)
        loop = asyncio.get_running_loop()
        timeout = self.shutdown_timeout
        deadline = None if timeout is None else loop.time() + timeout
        try:
            if not await self._within(timeout, self._shut_down()):
                server.logger.error("on_shutdown was cancelled: it did not end in time")
        finally:
            left = None if deadline is None else max(0.0, deadline - loop.time())
            await self._within(None, server.shutdown(left))

    async def _within(self, timeout: float | None, step: Awaitable[object]) -> bool:
        """Await a step for *timeout* seconds, or until `hurry`; return whether it ended."""
        try:
            async with asyncio.timeout(0.0 if self._hurried else timeout) as self._wait:
                await step
        except TimeoutError:
            if self._wait is None or not self._wait.expired():
                raise
            return False
        finally:
            self._wait = None
        return True


class AppRunner(BaseRunner):
    """Runs an `Application`; settings are those of `BaseRunner` and `Server`.

    The access log goes to ``headrace.access`` unless *access_log* says otherwise.
    """

    def __init__(
        self,
        app: Application,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._app = app

    @property
    def app(self) -> Application:
        """The application."""
        return self._app

    async def _make_server(self) -> Server:
        try:
            await self._app.startup()
        except BaseException:
            await self._app.cleanup()
            raise
        settings = {"access_log": access_logger, **self._app._handler_args, **self._settings}
        return self._app.make_handler(**settings)

    async def _shut_down(self) -> None:
        await self._app.shutdown()

    async def _clean_up(self) -> None:
        await self._app.cleanup()


class ServerRunner(BaseRunner):
    """Runs a `Server` that has no application."""

    def __init__(self, web_server: Server, **settings: Any) -> None:
        super().__init__(**settings)
        self._web_server = web_server

    async def _make_server(self) -> Server:
        return self._web_server

    async def _shut_down(self) -> None: ...

    async def _clean_up(self) -> None: ...
