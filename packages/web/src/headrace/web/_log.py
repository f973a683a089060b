"""The access log: one line for each answer, in the format that aiohttp's users know."""

from __future__ import annotations

import ast
import datetime
import json
import logging
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from ._headers import HttpVersion, HttpVersion11
from ._lines import LineWriter
from ._request import BaseRequest
from ._stream_response import StreamResponse

access_logger: Final = logging.getLogger("headrace.access")

_ATOM = re.compile(r"%(?:\{([A-Za-z0-9\-_]+)\}([ioe])|(Tf|[atPrsbTD%]))")


#: Logs an answer that took a time in seconds.
Log = Callable[[BaseRequest, StreamResponse, float], None]


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


class _Kept(dict[Any, str]):
    """What *make* made of the values that came lately, *size* at the most.

    Requests are much the same again and again. To ask `get` first takes a fraction of a call.
    """

    def __init__(self, make: Callable[[Any], str], size: int) -> None:
        super().__init__()
        self._make = make
        self._size = size

    def add(self, value: Any) -> str:
        """Make something of *value*, which is not here, and keep it."""
        if len(self) >= self._size:
            self.clear()
        made = self[value] = self._make(value)
        return made


def _stamp(second: int) -> str:
    """Format a second since the epoch."""
    local = datetime.datetime.fromtimestamp(second).astimezone()
    return local.strftime("[%d/%b/%Y:%H:%M:%S %z]")


def _printable(value: str) -> str:
    """Escape what could end a quoted field or the line: a request must not forge a log entry."""
    if not value.isprintable():
        value = value.encode("unicode_escape").decode("ascii")
    else:
        value = value.replace("\\", "\\\\")
    return value.replace('"', '\\"')


def _received(value: bytes | None) -> str:
    return "-" if value is None else _printable(value.decode("utf-8", "surrogateescape"))


def _protocol(version: HttpVersion) -> str:
    return "HTTP/{}.{}".format(*version)


#: What stands for an atom: f-strings.
_ATOMS: Final = {
    "%": "%",
    "a": "{client(a := request._remote or request._exchange.remote) or new_client(a)}",
    "t": "{stamp if since <= (t := time() - seconds) < until else new_stamp(t)}",
    "P": "<{getpid()}>",
    "r": "{request.method} {target(r := request._target) or new_target(r)} "
    "{'HTTP/1.1' if request.version is http11 else protocol(request.version)}",
    "s": "{numbers[response._status]}",
    "b": "{numbers[b] if (b := response.body_length) < 1000 else b}",
    "T": "{round(seconds)}",
    "Tf": "{seconds:06f}",
    "D": "{round(seconds * 1_000_000)}",
}
_FIELDS: Final = {
    "i": "{field(i := find(%(lower)r)) or new_field(i)}",
    "o": "{printable(response.headers.get(%(name)r, '-'))}",
    "e": "{printable(environ.get(%(name)r, '-'))}",
}


#: What is kept, and how many of it: 4 MiB at the very most.
_KEPT: Final[dict[str, tuple[Callable[[Any], str], int]]] = {
    "client": (lambda remote: _printable(remote or "-"), 1024),
    "field": (_received, 256),
    "target": (_printable, 256),
}
_NUMBERS: Final = [*map(str, range(1000))]


def _names(lines: LineWriter) -> dict[str, Any]:
    """Return what the f-strings name."""

    def new_stamp(moment: float) -> str:
        """Format a moment, and keep that for all of its second."""
        second = int(moment)
        names["stamp"] = stamp = _stamp(second)
        names["since"], names["until"] = second, second + 1
        return stamp

    names = {
        "environ": os.environ,
        "getpid": os.getpid,
        "http11": HttpVersion11,
        "lines": lines,
        "new_stamp": new_stamp,
        "numbers": _NUMBERS,
        "printable": _printable,
        "protocol": _protocol,
        "since": 0,
        "time": time.time,
        "until": 0,
    }
    for name, (make, size) in _KEPT.items():
        kept = _Kept(make, size)
        names |= {name: kept.get, f"new_{name}": kept.add}
    return names


# Fields as they were received are asked without a detour; those of other requests have no `find`.
# What an instance has is called quicker when it was given a name first.
_FUNCTION: Final = """
def log(request, response, seconds):
    try:
        find = request._raw_headers.find
    except AttributeError:
        find = request._find
    write = lines.write
    write("")
"""


def _compile(log_format: str, lines: LineWriter) -> Log:
    """Make a format into a function with one f-string: a line costs no more than what it says.

    Raises:
        ValueError: The format holds an unknown atom.
    """
    pieces: list[ast.expr] = []
    position = 0
    for match in _ATOM.finditer(log_format):
        pieces += _literal(log_format[position : match.start()], log_format)
        position = match.end()
        name, source, letter = match.groups()
        field = {"name": name, "lower": name.lower().encode()} if name else {}
        pieces += _pieces(_FIELDS[source] % field if name else _ATOMS[letter])
    pieces += _literal(log_format[position:], log_format)
    module: Any = ast.parse(_FUNCTION)
    statements = module.body[0].body
    statements[-1].value.args = [ast.JoinedStr(pieces)]
    if "}i" not in log_format:
        del statements[0]
    names = _names(lines)
    exec(compile(ast.fix_missing_locations(module), "<access log format>", "exec"), names)  # noqa: S102 (of our own atoms)
    log: Log = names["log"]
    return log


def _literal(literal: str, log_format: str) -> list[ast.expr]:
    if "%" in literal:
        raise ValueError(f"access log format {log_format!r} has an unknown atom")
    return [ast.Constant(literal)] if literal else []


def _pieces(source: str) -> list[ast.expr]:
    """Return the pieces of an f-string."""
    parsed = ast.parse(f'f"""{source}"""', mode="eval").body
    assert isinstance(parsed, ast.JoinedStr)
    return parsed.values


class AccessLogger(AbstractAccessLogger):
    """Writes the atoms ``%a %t %P %r %s %b %T %Tf %D %{X}i %{X}o %{X}e`` of *log_format*.

    Raises:
        ValueError: The format holds an unknown atom.
    """

    LOG_FORMAT = '%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"'

    def __init__(self, logger: logging.Logger, log_format: str = LOG_FORMAT) -> None:
        super().__init__(logger, log_format)
        self._log = _compile(log_format, LineWriter(logger))

    @property
    def enabled(self) -> bool:
        """Whether the logger lets messages of level INFO through."""
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:
        """Log an answer that took *time* seconds."""
        self._log(request, response, time)


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
    """Return what logs an answer, or None when nothing would be written."""
    if logger is None:
        return None
    access_log = access_log_class(logger, log_format)
    if not access_log.enabled:
        return None
    if isinstance(access_log, AccessLogger) and type(access_log).log is AccessLogger.log:
        return access_log._log  # a call less
    return access_log.log
