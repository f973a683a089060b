"""Workers for gunicorn: ``gunicorn -k headrace.web.GunicornWebWorker package.module:app``.

Imported when it is asked for, as gunicorn is installed by those who use it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections.abc import Callable
from typing import Any, Final

from gunicorn.config import AccessLogFormat
from gunicorn.workers.base import Worker

from ._log import AccessLogger
from ._runner import on_signals
from ._serve import Address, Serving, at_request, run
from ._tls import TLSContext

#: Seconds between two signs of life for gunicorn.
HEARTBEAT: Final = 1.0


class GunicornWebWorker(Worker):  # type: ignore[misc]  # gunicorn is not typed
    """Serves an `Application`, or what a function without arguments returns or awaits of one."""

    def loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop] | None:
        """Return what makes the loop; None for asyncio's own."""
        return None

    def init_signals(self) -> None:
        """Leave signals to the loop; until it runs they end the worker."""
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def run(self) -> None:
        """Serve until gunicorn says that it is enough."""
        run(self._serve(), self.loop_factory())

    async def _serve(self) -> None:
        living = asyncio.create_task(self._live())
        serving = Serving(self.wsgi(), self._address(), self._settings())
        async with serving:
            self._listen_to_signals(serving)
            assert serving.server is not None
            at_request(serving.server, self.max_requests, self._end)
            while self.alive and self.ppid == os.getppid():
                await asyncio.wait([living], timeout=HEARTBEAT)
        living.cancel()

    async def _live(self) -> None:
        """Show that the loop turns, up to the end of the stop."""
        while True:
            self.notify()
            await asyncio.sleep(HEARTBEAT)

    def _end(self) -> None:
        self.log.info("Worker %s is replaced after %d requests", self.pid, self.max_requests)
        self.alive = False

    def _listen_to_signals(self, serving: Serving) -> None:
        def stop() -> None:
            self.alive = False

        def quit_now() -> None:
            self.alive = False
            self.cfg.worker_int(self)
            serving.runner.hurry()

        on_signals((signal.SIGTERM,), stop)
        on_signals((signal.SIGINT, signal.SIGQUIT), quit_now)
        on_signals((signal.SIGUSR1,), self.log.reopen_files)
        # Gunicorn's verdict that the loop hangs: no matter for the loop.
        signal.signal(signal.SIGABRT, self.handle_abort)

    def _address(self) -> Address:
        address = Address(sock=[one.sock for one in self.sockets], backlog=self.cfg.backlog)
        if self.cfg.is_ssl:
            address["ssl_context"] = self._tls()
        return address

    def _tls(self) -> ssl.SSLContext:
        cfg = self.cfg
        context = TLSContext(cfg.certfile, cfg.keyfile)
        if cfg.ca_certs:
            context.load_verify_locations(cfg.ca_certs)
        context.verify_mode = ssl.VerifyMode(cfg.cert_reqs)
        if cfg.ciphers:
            context.set_ciphers(cfg.ciphers)
        return context

    def _settings(self) -> dict[str, Any]:
        cfg = self.cfg
        # Gunicorn's own format names other things than that of the access log here.
        own = cfg.access_log_format == AccessLogFormat.default
        return {
            "keepalive_timeout": float(cfg.keepalive),
            # Some of the time is for what follows the handlers; then gunicorn kills.
            "shutdown_timeout": cfg.graceful_timeout * 0.9,
            "access_log": self.log.access_log if cfg.accesslog else None,
            "access_log_format": AccessLogger.LOG_FORMAT if own else cfg.access_log_format,
        }


class GunicornUVLoopWebWorker(GunicornWebWorker):
    """Does the same on uvloop."""

    def loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop]:
        """Return what makes uvloop's loop."""
        import uvloop

        return uvloop.new_event_loop
