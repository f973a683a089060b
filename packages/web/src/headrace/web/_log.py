"""The access log: one line for each answer, in the format that aiohttp's users know."""

from __future__ import annotations

import datetime
import json
import logging
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from ._lines import LineWriter
from ._log_format import BEGAN, TOOK, Log, compile_format
from ._request import BaseRequest
from ._stream_response import StreamResponse

access_logger: Final = logging.getLogger("headrace.access")


class AbstractAccessLogger(ABC):
    """What `run_app` takes as *access_log_class*."""

    def __init__(self, logger: logging.Logger, log_format: str) -> None:
        self.logger = logger
        self.log_format = log_format

    @abstractmethod
    def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:
        """Log an answer that took *time* seconds."""

    @property
    def enabled(self) -> bool:
        """Whether lines would be written at all."""
        return True


class AccessLogger(AbstractAccessLogger):
    """Writes the atoms ``%a %t %P %r %s %b %T %Tf %D %{X}i %{X}o %{X}e`` of *log_format*.

    Raises:
        ValueError: The format holds an unknown atom.
    """

    LOG_FORMAT = '%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"'

    def __init__(self, logger: logging.Logger, log_format: str = LOG_FORMAT) -> None:
        super().__init__(logger, log_format)
        self._lines = LineWriter(logger)
        self._log = compile_format(log_format, self._lines, TOOK)

    @property
    def enabled(self) -> bool:
        """Whether the logger lets messages of level INFO through."""
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:
        """Log an answer that took *time* seconds."""
        self._log(request, response, time)

    def _begun(self) -> Log:
        """Return what logs an answer to a request that began at a time of its loop."""
        return compile_format(self.log_format, self._lines, BEGAN)


class JSONAccessLogger(AbstractAccessLogger):
    """Writes a JSON object for each answer; *log_format* lists its members, separated by spaces.

    Members: ``time`` (ISO 8601), ``remote``, ``method``, ``path``, ``version``, ``status``,
    ``bytes``, ``seconds``, ``pid``, ``host``, ``referer``, ``user_agent``.

    Raises:
        ValueError: *log_format* names an unknown member.
    """

    LOG_FORMAT = "time remote method path status bytes seconds referer user_agent"

    def __init__(self, logger: logging.Logger, log_format: str = LOG_FORMAT) -> None:
        # `run_app` gives the default format of the other logger where none is asked for.
        names = JSONAccessLogger.LOG_FORMAT if log_format == AccessLogger.LOG_FORMAT else log_format
        super().__init__(logger, names)
        self._lines = LineWriter(logger)
        unknown = set(names.split()) - _MEMBERS.keys()
        if unknown:
            raise ValueError(f"access log has no members {sorted(unknown)}")
        self._members = {name: _MEMBERS[name] for name in names.split()}

    @property
    def enabled(self) -> bool:
        """Whether the logger lets messages of level INFO through."""
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:
        """Log an answer that took *time* seconds."""
        line = {name: atom(request, response, time) for name, atom in self._members.items()}
        self._lines.write(json.dumps(line))


_MEMBERS: Final[dict[str, Callable[[BaseRequest, StreamResponse, float], object]]] = {
    "time": lambda request, response, seconds: _started(seconds).isoformat(),
    "remote": lambda request, response, seconds: request.remote,
    "method": lambda request, response, seconds: request.method,
    "path": lambda request, response, seconds: request.raw_path,
    "version": lambda request, response, seconds: "{}.{}".format(*request.version),
    "status": lambda request, response, seconds: response.status,
    "bytes": lambda request, response, seconds: response.body_length,
    "seconds": lambda request, response, seconds: round(seconds, 6),
    "pid": lambda request, response, seconds: os.getpid(),
    "host": lambda request, response, seconds: request.host,
    "referer": lambda request, response, seconds: request.headers.get("Referer"),
    "user_agent": lambda request, response, seconds: request.headers.get("User-Agent"),
}


def _started(seconds: float) -> datetime.datetime:
    """Return when an answer was begun that has just ended."""
    return datetime.datetime.fromtimestamp(time.time() - seconds).astimezone()


def make_access_log(
    access_log_class: type[AbstractAccessLogger], logger: Any, log_format: str
) -> Log | None:
    """Return what logs an answer to a request that began at a time of its loop.

    None stands for a log that would not be written.
    """
    if logger is None:
        return None
    access_log = access_log_class(logger, log_format)
    if not access_log.enabled:
        return None
    if isinstance(access_log, AccessLogger) and type(access_log).log is AccessLogger.log:
        return access_log._begun()
    log = access_log.log

    def log_begun(request: BaseRequest, response: StreamResponse, started: float) -> None:
        log(request, response, request._exchange.loop.time() - started)

    return log_begun
