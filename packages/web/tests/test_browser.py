"""What a real browser sends and takes: the guide's upload form, compressed pages, downloads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from browser import chromium
from serving import Serve

from headrace import web

pytestmark = pytest.mark.sockets

FORM = """
<form action="/store_mp3" method="post" accept-charset="utf-8"
      enctype="multipart/form-data">

    <label for="mp3">Mp3</label>
    <input id="mp3" name="mp3" type="file" value="">

    <label for="title">Title</label>
    <input id="title" name="title">

    <input type="submit" value="submit">
</form>
"""


async def form(request: web.Request) -> web.Response:
    return web.Response(text=FORM, content_type="text/html")


async def store_mp3(request: web.Request) -> web.Response:
    data = await request.post()
    mp3 = data["mp3"]
    assert isinstance(mp3, web.FileField)
    content = mp3.file.read()
    text = f"{data['title']}|{mp3.filename}|{mp3.content_type}|{len(content)}|{hash(content)}"
    return web.Response(text=text)


@pytest.mark.parametrize("size", [0, 5_000_000])
async def test_the_upload_form_of_the_guide(serve: Serve, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = tmp_path / 'für "elise".mp3'
    path.write_bytes(content)
    app = web.Application(client_max_size=10**7)
    app.router.add_get("/", form)
    app.router.add_post("/store_mp3", store_mp3)
    served = await serve(app)
    async with chromium() as browser:
        await browser.open(served.url)
        await browser.type("#mp3", str(path))
        await browser.type("#title", "Für Elise")
        await browser.click("[type=submit]")
        text = await browser.until("location.pathname === '/store_mp3' && document.body.innerText")
    assert text == f'Für Elise|für "elise".mp3|audio/mpeg|{size}|{hash(content)}'


async def test_a_refusal_arrives_while_the_browser_still_sends(
    serve: Serve, tmp_path: Path
) -> None:
    path = tmp_path / "large.mp3"
    path.write_bytes(bytes(30_000_000))
    app = web.Application()
    app.router.add_get("/", form)
    app.router.add_post("/store_mp3", store_mp3)
    served = await serve(app)
    async with chromium() as browser:
        await browser.open(served.url)
        await browser.type("#mp3", str(path))
        await browser.click("[type=submit]")
        text = await browser.until("location.pathname === '/store_mp3' && document.body.innerText")
    assert "413" in text


async def test_a_browser_reads_what_is_compressed(serve: Serve) -> None:
    words = "It was a dark and stormy night. " * 10_000

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=f"<title>Night</title><p>{words}", content_type="text/html")

    app = web.Application(middlewares=[web.compression_middleware()])
    app.router.add_get("/", page)
    served = await serve(app)
    async with chromium() as browser:
        await browser.open(served.url)
        entry = "performance.getEntriesByType('navigation')[0]"
        # What came over the wire, and what it stands for.
        encoded, decoded = await browser.run(
            f"return [{entry}.encodedBodySize, {entry}.decodedBodySize]"
        )
        assert encoded < decoded / 20
        assert decoded == len(words) + len("<title>Night</title><p>")
        assert await browser.run("return document.body.innerText.length") > len(words) - 10
