"""Lines for a logger: those of one turn of the event loop are written together.

`logging` takes several microseconds for a line: it makes a record, hands it round, formats it and
flushes the stream, to find out each time that the line was all there was to say. Where none but
plain stream handlers listen, one record stands for all the lines of a turn, and each stream gets
them at once, as it would have got them one by one. All other handlers, formatters, filters and
kinds of loggers get a record for each line, when it is written.
"""

from __future__ import annotations

import asyncio
import logging
from logging import INFO, FileHandler, Formatter, Logger, PercentStyle, StreamHandler
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
        self._lines: list[str] = []
        self._handlers: list[StreamHandler[Any]] = []
        self._record: logging.LogRecord

    def write(self, line: str) -> None:
        """Write a line."""
        if self._lines:
            self._lines.append(line)
        elif not isinstance(self._logger, Logger):
            self._logger.info("%s", line)
        elif self._logger.isEnabledFor(INFO):
            self._write_first(self._logger, line)

    def _write_first(self, logger: Logger, line: str) -> None:
        """Write the first line of a turn, or one that is written alone."""
        # To look for the line of the program that logs would take longer than all the rest.
        record = logger.makeRecord(logger.name, INFO, __file__, 0, line, (), None, func="write")
        handlers = plain_handlers(logger)
        if handlers is None:
            logger.handle(record)
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            logger.handle(record)
            return
        self._handlers, self._record = handlers, record
        self._lines.append(line)
        loop.call_soon(self._flush)

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        for handler in self._handlers:
            _emit(handler, self._record, lines)


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


def _emit(handler: StreamHandler[Any], record: logging.LogRecord, lines: list[str]) -> None:
    """Do as ``handler.handle`` does with a record for each line."""
    record.msg = _MARK
    handler.acquire()
    try:
        before, _, after = handler.format(record).partition(_MARK)
        after += handler.terminator
        handler.stream.write(before + (after + before).join(lines) + after)
        handler.flush()
    except RecursionError:
        raise
    except Exception:
        handler.handleError(record)
    finally:
        handler.release()
