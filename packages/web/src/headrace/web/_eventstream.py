"""Server-sent events: `EventStreamResponse`, an answer that goes on as long as there is news.

The format is that of the HTML standard, section 9.2 (server-sent events). What would end a line
or a field cannot be put into one: data are cut into lines, names and ids with line ends are
refused.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import Any, Final, NamedTuple

import headrace.web._headers as hdrs

from ._errors import ClientConnectionResetError
from ._request import BaseRequest
from ._stream_response import LooseHeaders, StreamResponse
from ._streams import Exchange

_LINE_END: Final = re.compile("\r\n|\r|\n")
_NOT_IN_FIELD: Final = re.compile("[\r\n\0]")


class ServerSentEvent(NamedTuple):
    """An event of a source that an `EventStreamResponse` sends.

    Attributes:
        data: The data, of any number of lines.
        event: The type; ``message`` for the browser when None.
        id: What the browser tells as ``Last-Event-ID`` when it connects again.
        retry: Seconds after which the browser connects again.
    """

    data: str
    event: str | None = None
    id: str | None = None
    retry: float | None = None

    def encode(self) -> bytes:
        """Return the event as it travels.

        Raises:
            ValueError: The type or the id holds CR, LF or NUL, or *retry* is negative.
        """
        lines = [] if self.id is None else [f"id: {_one_line('id', self.id)}"]
        if self.event is not None:
            lines.append(f"event: {_one_line('event', self.event)}")
        if self.retry is not None:
            lines.append(_retry(self.retry))
        lines += [f"data: {line}" for line in _LINE_END.split(self.data)]
        return "\n".join([*lines, "", ""]).encode()


def _one_line(name: str, value: str) -> str:
    if _NOT_IN_FIELD.search(value):
        raise ValueError(f"the {name} of an event cannot contain CR, LF or NUL")
    return value


def _retry(seconds: float) -> str:
    if not seconds >= 0:
        raise ValueError(f"retry is {seconds} seconds, expected 0 or more")
    return f"retry: {round(seconds * 1000)}"


Events = AsyncIterable[str | ServerSentEvent] | AsyncIterable[str] | AsyncIterable[ServerSentEvent]


class EventStreamResponse(StreamResponse):
    """An answer of server-sent events, for a browser's EventSource.

    Either a handler prepares it and sends, or it is returned with what gives the events. It ends
    when its handler or source does, when the client has gone, and at the server's shutdown. In
    the latter two cases the handler is cancelled wherever it waits, so that it needs not ask.

    Args:
        events: What gives the events: texts, or `ServerSentEvent`. It is closed at the end.
        heartbeat: Seconds without an event after which a comment is sent, which keeps proxies
            from closing the connection and finds out who has gone. None sends none.
        retry: Seconds after which the browser connects again; its own choice when None.
        headers: Fields to send beside those that keep caches and proxies from storing it.
    """

    def __init__(
        self,
        events: Events | None = None,
        *,
        heartbeat: float | None = 15.0,
        retry: float | None = None,
        headers: LooseHeaders | None = None,
    ) -> None:
        super().__init__(headers=headers)
        if heartbeat is not None and not heartbeat > 0:
            raise ValueError(f"heartbeat is {heartbeat}, expected more than 0 or None")
        self.content_type = "text/event-stream"
        self.headers.setdefault(hdrs.CACHE_CONTROL, "no-cache")
        self.headers.setdefault("X-Accel-Buffering", "no")
        self._events = events
        self._heartbeat = heartbeat
        self._first = b"" if retry is None else f"{_retry(retry)}\n\n".encode()
        self._task: asyncio.Task[Any] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._is_ended = False  # by the shutdown
        #: The id of the last event that the client has, from an earlier connection.
        self.last_event_id: str | None = None

    async def prepare(self, request: BaseRequest) -> None:  # type: ignore[override]
        """Send the head; from now on a disconnect and the shutdown cancel the handler."""
        if self.prepared:
            return
        self.last_event_id = request.headers.get("Last-Event-ID")
        await super().prepare(request)
        if request.method == hdrs.METH_HEAD:
            events, self._events = self._events, None
            await _close(events)
            return
        exchange = request._exchange
        exchange.cancel_on_disconnect(True)
        self._task = exchange.task
        if self._task is not None:
            self._keeper = exchange.loop.create_task(self._keep(exchange))
            self._task.add_done_callback(lambda task: self._let_go())
        if self._first:
            await self.write(self._first)

    # -- sending

    def send(
        self,
        data: str,
        *,
        event: str | None = None,
        id: str | None = None,  # noqa: A002
        retry: float | None = None,
    ) -> Awaitable[None]:
        """Queue an event at once; awaiting the result waits for a slow client.

        Args:
            data: The data, of any number of lines.
            event: The type; ``message`` for the browser when None.
            id: What the browser tells as ``Last-Event-ID`` when it connects again.
            retry: Seconds after which the browser connects again.

        Raises:
            ClientConnectionResetError: The client has gone, or the server shuts down.
            ValueError: The type or the id holds CR, LF or NUL, or *retry* is negative.
        """
        return self._send(ServerSentEvent(data, event, id, retry))

    def send_json(
        self,
        data: Any,
        *,
        event: str | None = None,
        id: str | None = None,  # noqa: A002
        retry: float | None = None,
        dumps: Callable[[Any], str] = json.dumps,
    ) -> Awaitable[None]:
        """Send an event with *data* as JSON; otherwise as `send`."""
        return self._send(ServerSentEvent(dumps(data), event, id, retry))

    def comment(self, text: str = "") -> Awaitable[None]:
        """Send a comment, which the browser ignores."""
        lines = [f": {line}" if line else ":" for line in _LINE_END.split(text)]
        return self._write("\n".join([*lines, "", ""]).encode())

    def _send(self, event: ServerSentEvent) -> Awaitable[None]:
        return self._write(event.encode())

    def _write(self, data: bytes) -> Awaitable[None]:
        if self._is_ended:
            raise ClientConnectionResetError("the server is shutting down")
        return self.write(data)

    async def write_eof(self, data: bytes = b"", *, trailers: LooseHeaders | None = None) -> None:
        """Send what the source gives, if there is one, and end the stream."""
        events, self._events = self._events, None
        try:
            if events is not None:
                await self._send_all(events)
        except (asyncio.CancelledError, ClientConnectionResetError):
            # The end that the shutdown has brought is an ordinary one.
            task = self._task
            if not self._is_ended or task is None or (task.cancelling() and task.uncancel()):
                raise
        finally:
            await _close(events)
            self._let_go()
        if not self._is_ended:
            await super().write_eof(data, trailers=trailers)

    async def _send_all(self, events: Events) -> None:
        async for event in events:
            await self._send(ServerSentEvent(event) if isinstance(event, str) else event)

    # -- the heartbeat and the shutdown

    async def _keep(self, exchange: Exchange) -> None:
        length = 0
        while True:
            try:
                async with asyncio.timeout(self._heartbeat):
                    await exchange.wait_for_shutdown()
            except TimeoutError:
                transport = exchange.transport
                if transport is None or transport.is_closing():
                    return None
                if self.body_length == length and not transport.get_write_buffer_size():
                    self.comment()
                length = self.body_length
            else:
                return self._end()

    def _end(self) -> None:
        """End the answer, and the handler wherever it waits."""
        exchange, task = self._exchange, self._task
        if self._eof_sent or task is None or exchange is None or exchange.disconnected:
            return
        self._is_ended = self._eof_sent = True
        exchange.write_eof()
        task.cancel()

    def _let_go(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None


async def _close(events: Events | None) -> None:
    if isinstance(events, AsyncGenerator):
        await events.aclose()
