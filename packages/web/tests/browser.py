"""A real browser for tests: Chromium without a window, driven by chromedriver over WebDriver."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

PATIENCE = 30.0  # seconds
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key that WebDriver gives to elements
_ARGUMENTS = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage"]
_NAMES = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """A window of the browser."""

    def __init__(self, session: aiohttp.ClientSession, path: str) -> None:
        self._session = session
        self._path = path

    async def _do(self, command: str, **arguments: Any) -> Any:
        async with self._session.post(f"{self._path}/{command}", json=arguments) as answer:
            value = (await answer.json())["value"]
            assert answer.status == 200, value
            return value

    async def open(self, url: str) -> None:
        """Load a page."""
        await self._do("url", url=url)

    async def _find(self, selector: str) -> str:
        found = await self._do("element", using="css selector", value=selector)
        return str(found[_ELEMENT])

    async def type(self, selector: str, text: str) -> None:
        """Type into a field; what is typed into one for files is the path of a file."""
        await self._do(f"element/{await self._find(selector)}/value", text=text)

    async def click(self, selector: str) -> None:
        """Click on an element."""
        await self._do(f"element/{await self._find(selector)}/click")

    async def run(self, script: str) -> Any:
        """Run JavaScript and return what it returns."""
        return await self._do("execute/sync", script=script, args=[])

    async def until(self, expression: str) -> Any:
        """Wait until a JavaScript expression is true, and return its value."""
        async with asyncio.timeout(PATIENCE):
            while not (value := await self.run(f"return {expression}")):
                await asyncio.sleep(0.02)
        return value

    async def set_offline(self, offline: bool) -> None:
        """Take the network away, or give it back."""
        conditions = {"offline": offline, "latency": 0, "throughput": -1}
        await self._do("chromium/network_conditions", network_conditions=conditions)

    async def screenshot(self, path: Path) -> None:
        """Write a picture of the window."""
        async with self._session.get(f"{self._path}/screenshot") as answer:
            path.write_bytes(base64.b64decode((await answer.json())["value"]))


def _programs() -> tuple[str, str]:
    driver = shutil.which("chromedriver")
    chromium = next(filter(None, map(shutil.which, _NAMES)), None)
    if driver is None or chromium is None:
        pytest.skip("needs chromium and chromedriver (Debian: apt-get install chromium-driver)")
    return driver, chromium


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a browser; skip the test where there is none."""
    driver, binary = _programs()
    process = await asyncio.create_subprocess_exec(
        driver, "--port=0", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(PATIENCE):
            port = await _port_of(process)
        timeout = aiohttp.ClientTimeout(PATIENCE)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=timeout) as session:
            root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
            options = {"binary": binary, "args": [*_ARGUMENTS, *root]}
            wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
            async with session.post("/session", json={"capabilities": wanted}) as answer:
                value = (await answer.json())["value"]
                assert answer.status == 200, value
            path = f"/session/{value['sessionId']}"
            try:
                yield Browser(session, path)
            finally:
                async with session.delete(path):
                    pass
    finally:
        process.terminate()
        await process.communicate()


async def _port_of(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        found = re.search(rb"successfully on port (\d+)", line)
        if found is not None:
            return int(found[1])
    raise AssertionError("chromedriver did not start")
