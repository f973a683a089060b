"""A stand-in for a connection: what requests and responses need of one, and what they told it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from headrace import web
from headrace.web._streams import DONE, Field, Fields, StreamReader, address_of


class FakeExchange:
    """Records what is sent; answers facts about the transport from a dictionary."""

    def __init__(self, **info: Any) -> None:
        self.info = info
        self.transport: asyncio.Transport | None = None
        self.keep_alive = True
        self.auto_decompress = True
        self.begun: object = None
        self.sent: list[tuple[Any, ...]] = []
        self.flow: list[str] = []

    @property
    def remote(self) -> str | None:
        return address_of(self.info.get("peername"))

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    @property
    def task(self) -> asyncio.Task[Any] | None:
        return asyncio.current_task()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.info.get(name, default)

    def send_informational(self, status: int, fields: Fields = ()) -> None:
        self.sent.append(("informational", status, list(fields)))

    def send_head(self, status: int, reason: str | None, fields: list[Field]) -> None:
        self.sent.append(("head", status, reason, fields))

    def send_whole(self, status: int, reason: str | None, fields: list[Field], body: bytes) -> None:
        self.sent.append(("whole", status, reason, fields, body))

    def send_usual(self, status: int, fields: tuple[Field, ...], body: bytes) -> None:
        self.send_whole(status, None, list(fields), body)

    def write(self, data: bytes | bytearray | memoryview) -> Awaitable[None]:
        self.sent.append(("data", bytes(data)))
        return DONE

    def write_eof(self, trailers: Fields = ()) -> Awaitable[None]:
        self.sent.append(("eof", *trailers))
        return DONE

    def drain(self) -> Awaitable[None]:
        self.sent.append(("drain",))
        return DONE

    def upgrade(self, fields: list[Field], protocol: asyncio.Protocol) -> None:
        self.sent.append(("upgrade", fields, protocol))

    def connection_lost(self, exc: BaseException | None) -> None:
        self.sent.append(("lost", exc))

    # -- the side that fills a body

    def pause_body(self) -> None:
        self.flow.append("pause")

    def resume_body(self) -> None:
        self.flow.append("resume")

    def fields(self) -> dict[str, str]:
        """Return the header fields of the answer that was sent last, names in lower case."""
        kinds = [entry for entry in self.sent if entry[0] in ("head", "whole")]
        return {name.decode().lower(): value.decode() for name, value in kinds[-1][3]}


def make_request(
    target: str = "/",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    body: bytes | None = None,
    version: web.HttpVersion = web.HttpVersion11,
    exchange: FakeExchange | None = None,
    app: web.Application | None = None,
) -> web.Request:
    """Return a request as a server makes them, with its body already there."""
    exchange = exchange or FakeExchange()
    content = None
    if body is not None:
        content = StreamReader(exchange)
        content.feed_data(body)
        content.feed_eof()
    pairs = list(headers.items()) if isinstance(headers, Mapping) else headers or []
    if not any(name.lower() == "host" for name, _ in pairs):
        pairs = [("Host", "example.org"), *pairs]
    raw = [(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in pairs]
    request = web.Request(method, target, version, raw, content, exchange)
    length = request.headers.get("Content-Length")
    if body is not None and length is not None:
        request._body_length = int(length)
    if app is not None:
        request._app = app
    return request
