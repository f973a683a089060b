"""What handlers raise, seen where every server shows it: in its log.

A server turns an exception of a handler into a 500 and logs it. A filter on the loggers of
servers keeps the exception, so that the client can raise it in the test. Which connection it
belongs to is known from the context in which the protocol runs, in memory; over sockets all
connections of a process share one list.
"""

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from typing import final

__all__ = ["SERVER_LOGGERS", "connection_errors", "watched_loggers"]

connection_errors: ContextVar[list[BaseException] | None] = ContextVar(
    "headrace_connection_errors", default=None
)

# asyncio's own is among them: a protocol that fails is reported there.
SERVER_LOGGERS = (
    "headrace.server",
    "headrace.web",
    "aiohttp.server",
    "uvicorn.error",
    "hypercorn.error",
    "asyncio",
)


@final
class _Keeper(logging.Filter):
    def __init__(self, unassigned: list[BaseException]) -> None:
        super().__init__()
        self._unassigned = unassigned

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, Exception):
            errors = connection_errors.get()
            (self._unassigned if errors is None else errors).append(error)
        return True


@contextlib.contextmanager
def watched_loggers(unassigned: list[BaseException]) -> Iterator[None]:
    """Keep exceptions that servers log; those of no known connection go to *unassigned*."""
    keeper = _Keeper(unassigned)
    loggers = [logging.getLogger(name) for name in SERVER_LOGGERS]
    for logger in loggers:
        logger.addFilter(keeper)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(keeper)
