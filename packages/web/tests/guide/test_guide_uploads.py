"""The usage guide's upload, from aiohttp's client and from curl; and how large a body may be."""

from __future__ import annotations

import asyncio
import io
import os
from typing import Any

import aiohttp
import pytest
from multidict import MultiDict
from serving import Serve, Served

from headrace import web

pytestmark = pytest.mark.sockets


async def store_mp3_view(request: web.Request) -> web.Response:
    """Do as the guide's example, with its defects mended."""
    data: Any = await request.post()

    # filename contains the name of the file in string format.
    filename = data["mp3"].filename

    # input_file contains the actual file data which needs to be
    # stored somewhere.

    input_file = data["mp3"].file

    content = input_file.read()

    return web.Response(
        body=content,
        headers=MultiDict({"CONTENT-DISPOSITION": f"attachment; filename={filename}"}),
    )


async def mp3_store(serve: Serve) -> Served:
    app = web.Application()
    app.router.add_route("POST", "/store_mp3", store_mp3_view)
    return await serve(app)


async def test_the_upload_of_the_guide(serve: Serve) -> None:
    served = await mp3_store(serve)
    content = os.urandom(100_000)
    form = aiohttp.FormData()
    form.add_field("mp3", io.BytesIO(content), filename="song.mp3", content_type="audio/mpeg")
    async with served.client.post("/store_mp3", data=form) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Disposition"] == "attachment; filename=song.mp3"
        assert await answer.read() == content


CURL = (
    b"POST /store_mp3 HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: curl/8.9.1\r\nAccept: */*\r\n"
    b"Content-Length: 241\r\n"
    b"Content-Type: multipart/form-data; boundary=------------------------d74496d66958873e\r\n"
)
CURL_BODY = (
    b"--------------------------d74496d66958873e\r\n"
    b'Content-Disposition: form-data; name="mp3"; filename="song.mp3"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n"
    b"ID3\x04\x00\r\n--------------------------d74496d6695887\r\n"
    b"--------------------------d74496d66958873e--\r\n"
)


async def test_the_upload_of_the_guide_from_curl(serve: Serve) -> None:
    served = await mp3_store(serve)
    head = CURL.replace(b"241", b"%d" % len(CURL_BODY))
    content = CURL_BODY.split(b"\r\n\r\n")[1].rpartition(b"\r\n--")[0]
    wire = await served.connect()
    wire.send(head + b"\r\n" + CURL_BODY)
    answer, body = await wire.answer()
    assert b"attachment; filename=song.mp3\r\n" in answer
    assert body == content
    # As for a large file: curl waits to be told to go on. And slowly: byte by byte.
    wire.send(head + b"Expect: 100-continue\r\n\r\n")
    assert await wire.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    for byte in CURL_BODY:
        wire.send(bytes([byte]))
        await asyncio.sleep(0)
    answer, body = await wire.answer()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert body == content


async def test_a_body_has_a_limit(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def pieces(size: int) -> Any:
        for _ in range(size // 1024):
            yield bytes(1024)

    for limit, size, status in [
        (..., 1024**2, 200),
        (..., 1024**2 + 1024, 413),
        (2048, 2048, 200),
        (2048, 3072, 413),
        (0, 1024**2 + 1024, 200),
        (None, 1024**2 + 1024, 200),
    ]:
        app = web.Application(client_max_size=limit)
        app.router.add_route("POST", "/", handler)
        served = await serve(app)
        for body in (io.BytesIO(bytes(size)), pieces(size)):
            async with served.client.post("/", data=body) as response:
                assert response.status == status
