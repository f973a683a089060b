"""The chat of the live example in a real browser; left out where there is none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from browser import Browser, chromium
from live import create_app

from headrace import web

LINK = "document.getElementById('link').dataset.state"


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[int]:
    runner = web.AppRunner(create_app(), shutdown_timeout=5.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        assert site.port is not None
        yield site.port
    finally:
        await runner.cleanup()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as window:
        yield window


async def say(browser: Browser, text: str) -> None:
    await browser.type("#say", text)
    await browser.click("#send")


async def shows(browser: Browser, text: str) -> None:
    await browser.until(f"document.getElementById('log').innerText.includes({json.dumps(text)})")


async def is_linked(browser: Browser, state: str) -> None:
    await browser.until(f"{LINK} === {json.dumps(state)}")


async def test_the_chat_survives_a_restart_of_the_server(browser: Browser) -> None:
    async with serving() as port:
        await browser.open(f"http://127.0.0.1:{port}/")
        await is_linked(browser, "open")
        await say(browser, "before the restart")
        await shows(browser, "before the restart")
    await browser.until(f"{LINK} !== 'open'")
    async with serving(port):
        await browser.run("document.getElementById('retry').click()")
        await is_linked(browser, "open")
        await shows(browser, "The server has started anew")
        await say(browser, "after the restart")
        await shows(browser, "after the restart")


async def test_the_chat_survives_a_lost_network(browser: Browser) -> None:
    async with serving() as port, aiohttp.ClientSession() as session:
        await browser.open(f"http://127.0.0.1:{port}/")
        await is_linked(browser, "open")
        await browser.set_offline(True)
        await is_linked(browser, "lost")
        await browser.set_offline(False)
        await is_linked(browser, "open")
        async with session.ws_connect(f"http://127.0.0.1:{port}/ws") as other:
            await other.send_json({"type": "name", "name": "Ada"})
            await other.send_json({"type": "say", "text": "there again?"})
            await shows(browser, "there again?")
