"""The live example in a real browser: files go up and come down, with a bar that tells how far."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from browser import Browser, chromium
from live import Settings, make_app

from headrace import web

#: Notes down what the bars show: files are too quick on one machine to look at them in time.
WATCH = """
window.shares = {};
for (const name of ["upload", "download"]) {
  const bar = document.getElementById(`${name}-bar`);
  const hidden = () => document.getElementById(`${name}-progress`).hidden;
  window.shares[name] = [];
  new MutationObserver(() => hidden() || window.shares[name].push(bar.value))
    .observe(bar, { attributes: true });
}
"""


@pytest.fixture
async def page() -> AsyncIterator[Browser]:
    runner = web.AppRunner(make_app(Settings()), shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with chromium() as browser:
            await browser.open(f"http://127.0.0.1:{site.port}/")
            await browser.run(WATCH)
            yield browser
    finally:
        await runner.cleanup()


async def test_upload(page: Browser, tmp_path: Path) -> None:
    content = os.urandom(20_000_000)
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    await page.type("#file", str(path))
    sha256 = await page.until("document.querySelector('#results code')?.textContent")
    assert sha256 == hashlib.sha256(content).hexdigest()
    assert await page.until("document.querySelector('#results .verdict')?.dataset.same") == "true"
    shares = await page.run("return shares.upload")
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert await page.until("document.getElementById('upload-progress').hidden")


async def test_download(page: Browser) -> None:
    await page.click("[data-mib='16']")
    result = "document.querySelector('#download-result .verdict')"
    assert await page.until(f"{result}?.dataset.same") == "true"
    assert await page.run(f"return {result}.closest('li').querySelector('a').download") == (
        "headrace-16-mib.bin"
    )
    shares = await page.run("return shares.download")
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert await page.until("document.getElementById('download-progress').hidden")
    assert await page.run("return document.getElementById('download-problem').textContent") == ""
