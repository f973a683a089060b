"""The middleware that compresses: which answers, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from packs import unpack
from serving import Serve
from test_compression import LONG, TEXT, fetch

from headrace import web
from headrace.web._compression_middleware import MINIMUM_SIZE, is_compressible


async def answer(request: web.Request) -> web.StreamResponse:
    """Answer in the way that the path names."""
    kind = request.match_info["kind"]
    if kind == "stream":
        stream = web.StreamResponse(headers={"Content-Type": "text/csv"})
        await stream.prepare(request)
        await stream.write(LONG)
        return stream
    if kind == "raise":
        raise web.HTTPForbidden(text=TEXT)
    if kind == "picture":
        return web.Response(body=LONG, content_type="image/png")
    if kind == "short":
        return web.Response(text=TEXT[: MINIMUM_SIZE - 1])
    if kind == "own":
        response = web.Response(text=TEXT)
        response.enable_compression(web.ContentCoding.deflate)
        return response
    return web.Response(text=TEXT)


def make_app(*outer: Any, **options: Any) -> web.Application:
    app = web.Application(middlewares=[*outer, web.compression_middleware(**options)])
    app.router.add_get("/{kind}", answer)
    return app


@pytest.mark.parametrize(
    ("kind", "coding"),
    [
        ("whole", "br"),
        ("stream", "br"),
        ("raise", "br"),
        ("own", "deflate"),
        ("picture", None),
        ("short", None),
    ],
)
async def test_answers(serve: Serve, kind: str, coding: str | None) -> None:
    served = await serve(make_app())
    fields, body = await fetch(served, "br, gzip", path=f"/{kind}")
    plain, expected = await fetch(served, None, path=f"/{kind}")
    assert fields.get("content-encoding") == coding
    assert unpack(coding, body) == (TEXT.encode() if kind == "own" else expected)
    # What nobody gets compressed depends on nothing.
    assert (
        fields.get("vary") == plain.get("vary") == ("Accept-Encoding" if coding == "br" else None)
    )


@pytest.mark.parametrize("kind", ["whole", "stream", "short", "picture"])
async def test_a_client_that_refuses_plain_bodies(serve: Serve, kind: str) -> None:
    served = await serve(make_app())
    fields, body = await fetch(served, "gzip, identity;q=0", path=f"/{kind}")
    assert unpack(fields["content-encoding"], body)
    fields, _ = await fetch(served, "compress, identity;q=0", path=f"/{kind}")
    assert fields[":status"] == "406"


async def test_the_answer_to_no_route(serve: Serve) -> None:
    served = await serve(make_app(minimum_size=0))
    fields, body = await fetch(served, path="/no/such/page")
    assert fields[":status"] == "404"
    assert unpack(fields["content-encoding"], body) == b"404: Not Found"


async def test_files_of_a_directory(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(LONG)
    (tmp_path / "picture.png").write_bytes(LONG)
    app = make_app()
    app.router.add_static("/static", tmp_path)
    served = await serve(app)
    fields, body = await fetch(served, path="/static/page.html")
    assert unpack(fields["content-encoding"], body) == LONG
    fields, body = await fetch(served, path="/static/picture.png")
    assert (fields.get("content-encoding"), body) == (None, LONG)


async def test_a_request_that_was_cloned(serve: Serve) -> None:
    @web.middleware
    async def clone(request: web.Request, handler: Any) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request.clone())
        return response

    served = await serve(make_app(clone))
    for kind in ("whole", "stream", "raise"):
        fields, body = await fetch(served, path=f"/{kind}")
        assert unpack(fields["content-encoding"], body)


async def test_twice_is_once(serve: Serve) -> None:
    served = await serve(make_app(web.compression_middleware(codings=["gzip"])))
    fields, body = await fetch(served, "br, gzip", path="/whole")
    assert fields["content-encoding"] == "br"
    assert unpack("br", body) == TEXT.encode()


async def test_a_websocket_is_none_of_its_business(serve: Serve) -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_str("hello")
        await ws.close()
        return ws

    app = web.Application(middlewares=[web.compression_middleware()])
    app.router.add_get("/ws", echo)
    served = await serve(app)
    async with served.client.ws_connect("/ws", headers={"Accept-Encoding": "gzip"}) as ws:
        assert await ws.receive_str() == "hello"


async def test_options(serve: Serve) -> None:
    served = await serve(
        make_app(
            minimum_size=10 * len(TEXT),
            codings=[web.ContentCoding.gzip, "deflate"],
            levels={"gzip": 9},
            compressible=lambda media: media == "text/csv",
        )
    )
    fields, body = await fetch(served, "br, deflate, gzip", path="/stream")
    assert unpack(fields["content-encoding"], body) == LONG
    assert fields["content-encoding"] == "gzip"
    assert "content-encoding" not in (await fetch(served, "gzip", path="/whole"))[0]


@pytest.mark.parametrize(
    "options",
    [
        {"codings": ["lzma"]},
        {"levels": {"gzip": 10}},
        {"levels": {"zstd": 20}},
        {"levels": {"lzma": 1}},
    ],
)
def test_options_that_are_none(options: Any) -> None:
    with pytest.raises(ValueError, match=r"lzma|levels"):
        web.compression_middleware(**options)


def test_a_coding_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.web._compression_middleware.compressors", dict)
    with pytest.raises(ValueError, match="not installed"):
        web.compression_middleware(codings=["br"])


@pytest.mark.parametrize(
    ("media", "is_worth_it"),
    [
        ("text/html", True),
        ("text/event-stream", True),
        ("application/json", True),
        ("application/problem+json", True),
        ("image/svg+xml", True),
        ("application/wasm", True),
        ("font/ttf", True),
        ("font/woff2", False),
        ("image/jpeg", False),
        ("video/mp4", False),
        ("application/zip", False),
        ("application/gzip", False),
        ("application/octet-stream", False),
    ],
)
def test_what_is_worth_it(media: str, is_worth_it: bool) -> None:
    assert is_compressible(media) is is_worth_it
