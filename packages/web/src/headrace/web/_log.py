"""The access log: one line for each answer, in the format that aiohttp's users know."""

from __future__ import annotations

import datetime
import json
import logging
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from ._request import BaseRequest
from ._stream_response import StreamResponse

access_logger: Final = logging.getLogger("headrace.access")

Atom = Callable[[BaseRequest, StreamResponse, float], object]

_ATOM = re.compile(r"%(?:\{([A-Za-z0-9\-_]+)\}([ioe])|(Tf|[atPrsbTD%]))")


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


def _start_time(request: BaseRequest, response: StreamResponse, seconds: float) -> str:
    return _stamp(int(time.time() - seconds))


@lru_cache(maxsize=8)
def _stamp(second: int) -> str:
    """Format a second since the epoch, once for all the answers of that second."""
    local = datetime.datetime.fromtimestamp(second).astimezone()
    return local.strftime("[%d/%b/%Y:%H:%M:%S %z]")


def _request_line(request: BaseRequest, response: StreamResponse, seconds: float) -> str:
    major, minor = request.version
    return f"{request.method} {request.raw_path} HTTP/{major}.{minor}"


_ATOMS: Final[dict[str, Atom]] = {
    "%": lambda request, response, seconds: "%",
    "a": lambda request, response, seconds: request.remote or "-",
    "t": _start_time,
    "P": lambda request, response, seconds: f"<{os.getpid()}>",
    "r": _request_line,
    "s": lambda request, response, seconds: response.status,
    "b": lambda request, response, seconds: response.body_length,
    "T": lambda request, response, seconds: round(seconds),
    "Tf": lambda request, response, seconds: f"{seconds:06f}",
    "D": lambda request, response, seconds: round(seconds * 1_000_000),
}


def _field_atom(name: str, source: str) -> Atom:
    if source == "i":
        return lambda request, response, seconds: request.headers.get(name, "-")
    if source == "o":
        return lambda request, response, seconds: response.headers.get(name, "-")
    return lambda request, response, seconds: os.environ.get(name, "-")


class AccessLogger(AbstractAccessLogger):
    """Writes the atoms ``%a %t %P %r %s %b %T %Tf %D %{X}i %{X}o %{X}e`` of *log_format*.

    Raises:
        ValueError: The format holds an unknown atom.
    """

    LOG_FORMAT = '%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"'

    def __init__(self, logger: logging.Logger, log_format: str = LOG_FORMAT) -> None:
        super().__init__(logger, log_format)
        self._atoms: list[Atom] = []
        pieces = []
        position = 0
        for match in _ATOM.finditer(log_format):
            pieces += [log_format[position : match.start()], "%s"]
            position = match.end()
            name, source, letter = match.groups()
            self._atoms.append(_field_atom(name, source) if name else _ATOMS[letter])
        pieces.append(log_format[position:])
        if any("%" in literal for literal in pieces[::2]):
            raise ValueError(f"access log format {log_format!r} has an unknown atom")
        self._template = "".join(pieces)

    @property
    def enabled(self) -> bool:
        """Whether the logger lets messages of level INFO through."""
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:
        """Log an answer that took *time* seconds."""
        values = [_printable(atom(request, response, time)) for atom in self._atoms]
        _write(self.logger, self._template, *values)


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
        _write(self.logger, "%s", json.dumps(line))


_MEMBERS: Final[dict[str, Atom]] = {
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


def _printable(value: object) -> object:
    """Escape what could end a quoted field or the line: a request must not forge a log entry."""
    if not isinstance(value, str):
        return value
    if value.isprintable():
        if '"' not in value and "\\" not in value:
            return value
        value = value.replace("\\", "\\\\")
    else:
        value = value.encode("unicode_escape").decode("ascii")
    return value.replace('"', '\\"')


def _write(logger: logging.Logger, message: str, *values: object) -> None:
    """Do as ``logger.info``, without looking for the line of the program that logs."""
    if logger.isEnabledFor(logging.INFO):
        record = logger.makeRecord(
            logger.name, logging.INFO, __file__, 0, message, values, None, func="log"
        )
        logger.handle(record)


def make_access_log(
    access_log_class: type[AbstractAccessLogger], logger: Any, log_format: str
) -> Callable[[BaseRequest, StreamResponse, float], None] | None:
    """Return what logs an answer, or None when nothing would be written."""
    if logger is None:
        return None
    access_log = access_log_class(logger, log_format)
    return access_log.log if access_log.enabled else None
