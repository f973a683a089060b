"""How long a request may take, and for whom: its client, which sends and takes, or its handler.

No clock, no timer and no transport here. The server looks at each connection about once a second;
a connection that is then found at a request gets a `Watch`. A request that is answered between
two looks costs nothing.
"""

from __future__ import annotations

import asyncio
import math
import sys
from enum import Enum, auto
from typing import Final, NamedTuple, final

#: More than any buffer holds: the client has taken something since the last look.
_TAKEN: Final = sys.maxsize


class Overdue(Enum):
    """What has taken too long."""

    BODY = auto()
    TAKING = auto()
    HANDLER = auto()


class Patience(NamedTuple):
    """The time that the parts of a request may take, in seconds; 0 for any time.

    Args:
        body_timeout: In each such span in which the handler waits for the body, some of it must
            arrive (nginx: 60 s).
        min_body_rate: Bytes a second that must arrive on an average over such a span (Kestrel:
            240 bytes a second).
        write_timeout: In each such span the client must take some of what waits for it (nginx:
            60 s).
        handler_timeout: The answer must have begun by then. The time that the client takes to
            send the body does not count.
    """

    body_timeout: float = 30.0
    min_body_rate: float = 240.0
    write_timeout: float = 60.0
    handler_timeout: float = 0.0

    @property
    def shortest(self) -> float:
        """The shortest of the times that are limited."""
        times = (self.body_timeout, self.write_timeout, self.handler_timeout)
        return min(time or math.inf for time in times)

    @property
    def body_share(self) -> float:
        """The bytes of a body that must arrive in each span."""
        return max(1.0, self.min_body_rate * self.body_timeout)


@final
class Watch:
    """What was seen so far of a request that is being served, or of an answer on its way."""

    __slots__ = (
        "_backlog",
        "_body_until",
        "_handler_until",
        "_received",
        "_take_until",
        "task",
        "timed_out",
    )

    def __init__(self, task: asyncio.Task[None] | None, now: float, patience: Patience) -> None:
        #: Whose request it is; None when the handler is done and its answer still on its way.
        self.task: Final = task
        #: Whether the handler was cancelled because its time is up.
        self.timed_out = False
        self._backlog = _TAKEN
        self._take_until = 0.0
        self._received = -1
        self._body_until = 0.0
        self._handler_until = now + (patience.handler_timeout or math.inf)

    def taken(self) -> None:
        """Take note that the client has taken some of what waits for it."""
        self._backlog = _TAKEN

    def look(
        self, now: float, patience: Patience, *, backlog: int, awaited: int, begun: bool
    ) -> Overdue | None:
        """Return what has taken too long, if anything.

        Args:
            now: The time.
            patience: The limits.
            backlog: Bytes that wait for the client.
            awaited: Bytes of the body that have arrived, while the handler waits for more; else -1.
            begun: Whether the answer has begun.
        """
        if self._is_untaken(now, patience.write_timeout, backlog):
            return Overdue.TAKING
        if self._is_stalled(now, patience, awaited):
            return Overdue.BODY
        if begun or awaited >= 0:
            self._handler_until = now + (patience.handler_timeout or math.inf)
        elif now > self._handler_until:
            self._handler_until = math.inf  # once is enough
            return Overdue.HANDLER
        return None

    def _is_untaken(self, now: float, timeout: float, backlog: int) -> bool:
        taking = not backlog or backlog < self._backlog
        self._backlog = backlog
        if taking:
            self._take_until = now + (timeout or math.inf)
        return now > self._take_until

    def _is_stalled(self, now: float, patience: Patience, awaited: int) -> bool:
        waits = self._received >= 0
        if waits and awaited >= 0:
            if now <= self._body_until:
                return False
            if awaited - self._received < patience.body_share:
                return True
        self._received = awaited
        self._body_until = now + (patience.body_timeout or math.inf)
        return False
