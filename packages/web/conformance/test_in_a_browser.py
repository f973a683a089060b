"""WebSockets and event streams of an application in Chromium, as its pages show them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from browser import Browser, chromium
from serving_apps import serving

from headrace import web

PAGE = """<!doctype html><title>page</title><ul id="log"></ul><script>
const log = (text) => {
  const item = document.createElement("li");
  item.textContent = text;
  document.getElementById("log").append(item);
};
%s
</script>"""


SHOWN = "[...document.querySelectorAll('#log li')].map((li) => li.textContent)"


async def shows(browser: Browser, line: str) -> list[str]:
    """Wait until the page shows a line, and return all that it shows."""
    await browser.until(f"{SHOWN}.includes({json.dumps(line)})")
    lines: list[str] = await browser.run(f"return {SHOWN}")
    return lines


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as window:
        yield window


def page(script: str) -> Any:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=PAGE % script, content_type="text/html")

    return handler


async def test_a_websocket(browser: Browser) -> None:
    script = """
    const socket = new WebSocket(`ws://${location.host}/ws`, ["other", "mine"]);
    socket.binaryType = "arraybuffer";
    let step = 0;
    const big = "κόσμε 𝄞 ".repeat(20000);
    socket.onopen = () => {
      log(`open ${socket.protocol} ${socket.extensions}`);
      socket.send(big);
    };
    socket.onmessage = ({ data }) => {
      if (step++ === 0) {
        log(`text ${data === big}`);
        socket.send(new Uint8Array(100000).fill(7));
      } else if (typeof data !== "string") {
        log(`bytes ${data.byteLength} ${new Uint8Array(data)[99999]}`);
      } else {
        log(data);
      }
    };
    socket.onclose = ({ code, reason, wasClean }) => log(`close ${code} ${reason} ${wasClean}`);
    """
    fields: list[Any] = []

    async def handler(request: web.Request) -> web.WebSocketResponse:
        fields.append((request.headers["Origin"], request.host))
        ws = web.WebSocketResponse(protocols=["mine"])
        await ws.prepare(request)
        await ws.send_str(await ws.receive_str(), compress=True)
        await ws.send_bytes(await ws.receive_bytes())

        async def pieces() -> AsyncIterator[str]:
            for piece in ("in ", "three ", "pieces"):
                yield piece

        await ws.send_stream(pieces())
        web.broadcast([ws], "to all," * 300)
        await ws.ping()
        await ws.close(code=4000, message="bye")
        return ws

    app = web.Application()
    app.add_routes([web.get("/", page(script)), web.get("/ws", handler)])
    async with serving(app) as port:
        await browser.open(f"http://127.0.0.1:{port}/")
        shown = await shows(browser, "close 4000 bye true")
    assert shown[0].startswith("open mine permessage-deflate")
    assert shown[1:] == [
        "text true",
        "bytes 100000 7",
        "in three pieces",
        "to all," * 300,
        "close 4000 bye true",
    ]
    assert fields[0][0] == f"http://{fields[0][1]}"


async def test_a_page_of_another_site_is_refused(browser: Browser) -> None:
    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(origins=friends)
        await ws.prepare(request)
        await ws.send_str("welcome")
        return ws

    friends: list[str] = []
    app = web.Application()
    app.router.add_get("/ws", handler)
    async with serving(app) as target:
        script = f"""
        const socket = new WebSocket("ws://127.0.0.1:{target}/ws");
        socket.onmessage = ({{ data }}) => log(data);
        socket.onclose = ({{ code }}) => log(`close ${{code}}`);
        """
        other = web.Application()
        other.router.add_get("/", page(script))
        async with serving(other) as port:
            await browser.open(f"http://127.0.0.1:{port}/")
            assert await shows(browser, "close 1006") == ["close 1006"]
            friends.append(f"http://127.0.0.1:{port}")
            await browser.open(f"http://127.0.0.1:{port}/")
            assert await shows(browser, "close 1000") == ["welcome", "close 1000"]


async def test_an_event_source_connects_again(browser: Browser) -> None:
    """After the end of a stream, and after a restart of the server, from where it left off."""
    script = """
    const source = new EventSource("/events");
    source.onmessage = ({ data, lastEventId }) => log(`${lastEventId}: ${data}`);
    source.addEventListener("news", ({ data }) => log(`news ${data}`));
    """

    async def events(request: web.Request) -> web.EventStreamResponse:
        stream = web.EventStreamResponse(retry=0.1)
        await stream.prepare(request)
        number = int(stream.last_event_id or 0) + 1
        await stream.comment("not shown")
        await stream.send(f"line one\nline two after {stream.last_event_id}", id=str(number))
        await stream.send("<b>bold</b>", event="news")
        if number == 2:
            await asyncio.sleep(60)  # until the server goes
        return stream

    def make() -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/", page(script)), web.get("/events", events)])
        return app

    async with serving(make()) as port:
        await browser.open(f"http://127.0.0.1:{port}/")
        await shows(browser, "2: line one\nline two after 1")
    async with serving(make(), port):
        shown = await shows(browser, "3: line one\nline two after 2")
    assert shown[:4] == [
        "1: line one\nline two after None",
        "news <b>bold</b>",
        "2: line one\nline two after 1",
        "news <b>bold</b>",
    ]
