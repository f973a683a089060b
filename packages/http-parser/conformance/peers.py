"""What other parsers make of the same bytes, in one vocabulary."""

from __future__ import annotations

from typing import NamedTuple

import h11
import httptools

from headrace.http_parser import (
    NEED_DATA,
    PAUSED,
    Connection,
    ConnectionClosed,
    Data,
    EndOfMessage,
    Fault,
    RemoteProtocolError,
    Request,
    Response,
    Role,
    State,
)


class Message(NamedTuple):
    """A request as it was understood: names lowered, bodies joined."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Verdict(NamedTuple):
    """The messages that were read whole, and whether the bytes were refused in the end.

    `why` is our fault, or the peer's words.
    """

    messages: list[Message]
    refused: bool
    why: Fault | str | None = None

    @property
    def accepted(self) -> bool:
        """Whether something was read and nothing refused."""
        return bool(self.messages) and not self.refused


def by_headrace(data: bytes) -> Verdict:
    """Read *data* as a server and answer each request."""
    connection = Connection(Role.SERVER)
    connection.receive_data(data)
    messages: list[Message] = []
    head: Request | None = None
    body = b""
    while True:
        try:
            event = connection.next_event()
        except RemoteProtocolError as error:
            return Verdict(messages, True, error.fault)
        if isinstance(event, Request):
            head, body = event, b""
        elif isinstance(event, Data):
            body += event.data
        if isinstance(event, EndOfMessage) or (isinstance(event, Request) and event.complete):
            assert head is not None
            headers = [(name.lower(), value) for name, value in head.headers]
            messages.append(Message(head.method, head.target, headers, body))
        elif event is PAUSED and connection.our_state is State.SEND_RESPONSE:
            connection.send(Response(404), b"")
        elif event is NEED_DATA or event is PAUSED or isinstance(event, ConnectionClosed):
            return Verdict(messages, False)


def by_h11(data: bytes) -> Verdict:
    """The same with h11."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    messages: list[Message] = []
    head: h11.Request | None = None
    body = b""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            return Verdict(messages, True, str(error))
        if isinstance(event, h11.Request):
            head, body = event, b""
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            messages.append(Message(head.method, head.target, list(head.headers), body))
        elif event is h11.PAUSED and connection.our_state is h11.SEND_RESPONSE:
            connection.send(h11.Response(status_code=404, headers=[("Content-Length", "0")]))
            connection.send(h11.EndOfMessage())
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return Verdict(messages, False)
            connection.start_next_cycle()
        else:
            return Verdict(messages, False)


class _Callbacks:
    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self.target = self.body = b""
        self.headers: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        # The method of a message is known here, and lost with the next one.
        self.method = self.parser.get_method()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.messages.append(Message(self.method, self.target, self.headers, self.body))


def by_httptools(data: bytes) -> Verdict:
    """The same with httptools, which is llhttp."""
    callbacks = _Callbacks()
    try:
        callbacks.parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        return Verdict(callbacks.messages, False)
    except httptools.HttpParserError as error:
        return Verdict(callbacks.messages, True, str(error) or type(error).__name__)
    return Verdict(callbacks.messages, False)
