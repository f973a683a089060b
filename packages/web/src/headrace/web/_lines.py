"""Lines for a logger: those of one turn of the event loop are written together.

`logging` takes several microseconds for a line: it makes a record, hands it round, formats it and
flushes the stream, to find out each time that the line was all there was to say. Where none but
plain stream handlers listen, the lines of a turn share a record, which is not even made where they
stand alone, and each stream gets them at once, as it would have got them one by one. All other
handlers, formatters, filters and kinds of loggers get a record for each line, when it is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from logging import (
    INFO,
    FileHandler,
    Formatter,
    Logger,
    LogRecord,
    PercentStyle,
    StreamHandler,
)
from typing import Any, Final

#: What a formatter is given in the place of a line.
_MARK: Final = "\0"


class LineWriter:
    """Writes lines to a logger, as ``logger.info`` does.

    Args:
        logger: A `logging.Logger`, or anything with its method ``info``.
    """

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        #: Writes a line. Once one waits for the end of the turn, the others only join it.
        self.write: Callable[[str], None] = self._write_first

    def _write_first(self, line: str) -> None:
        """Write the first line of a turn, or one that is written alone."""
        logger = self._logger
        if not isinstance(logger, Logger):
            logger.info("%s", line)
        elif logger.isEnabledFor(INFO):
            handlers = plain_handlers(logger)
            loop = None if handlers is None else asyncio._get_running_loop()
            if handlers is None or loop is None:
                logger.handle(_make_record(logger, line))
                return
            lines = _Lines(logger, handlers, line)
            loop.call_soon(self._flush, lines)
            self.write = lines.lines.append

    def _flush(self, lines: _Lines) -> None:
        self.write = self._write_first
        lines.write()


class _Lines:
    """The lines of one turn, and the handlers that they go to."""

    __slots__ = ("_handlers", "_logger", "_record", "lines")

    def __init__(self, logger: Logger, handlers: list[StreamHandler[Any]], line: str) -> None:
        self._logger = logger
        self._handlers = handlers
        self.lines = [line]
        # What a handler writes beside the lines, the time above all, is as of now.
        is_bare = all(_is_bare(handler.formatter) for handler in handlers)
        self._record = None if is_bare else _make_record(logger, _MARK)

    def write(self) -> None:
        """Write the lines."""
        for handler in self._handlers:
            self._emit(handler)

    def _emit(self, handler: StreamHandler[Any]) -> None:
        """Do as ``handler.handle`` does with a record for each line."""
        handler.acquire()
        try:
            before, after = "", handler.terminator
            if not _is_bare(handler.formatter):
                before, _, end = handler.format(self._mark()).partition(_MARK)
                after = end + after
            handler.stream.write(before + (after + before).join(self.lines) + after)
            handler.flush()
        except RecursionError:
            raise
        except Exception:
            handler.handleError(self._mark())
        finally:
            handler.release()

    def _mark(self) -> LogRecord:
        """Return the record that stands for all the lines."""
        if self._record is None:
            self._record = _make_record(self._logger, _MARK)
        self._record.msg = _MARK
        return self._record


def _make_record(logger: Logger, line: str) -> LogRecord:
    # To look for the line of the program that logs would take longer than all the rest.
    return logger.makeRecord(logger.name, INFO, __file__, 0, line, (), None, func="write")


def plain_handlers(logger: Logger) -> list[StreamHandler[Any]] | None:
    """Return the handlers that lines of *logger* reach; None if one may do more than write them."""
    if type(logger) is not Logger or logger.filters:
        return None
    found: list[StreamHandler[Any]] = []
    above: Logger | None = logger
    while above is not None:
        for handler in above.handlers:
            if handler.level > INFO:
                continue
            if not (isinstance(handler, StreamHandler) and _is_plain(handler)):
                return None
            found.append(handler)
        above = above.parent if above.propagate else None
    return found


def _is_plain(handler: StreamHandler[Any]) -> bool:
    # A file handler may open its file with the first record.
    is_open = type(handler) is StreamHandler or (
        type(handler) is FileHandler and handler.stream is not None
    )
    return is_open and not handler.filters and _is_plain_format(handler.formatter)


def _is_plain_format(formatter: Formatter | None) -> bool:
    """Tell whether the message stands as it is among what is the same for each line of a turn."""
    return formatter is None or (
        type(formatter) is Formatter
        and type(formatter._style) is PercentStyle
        and formatter._style._fmt.count("%(message)s") == 1
    )


def _is_bare(formatter: Formatter | None) -> bool:
    """Tell whether a plain format is the message and nothing else."""
    return formatter is None or formatter._style._fmt == "%(message)s"
