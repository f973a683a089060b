"""One URL in several media types."""

from __future__ import annotations

from typing import Any

import pytest
from serving import Serve

from headrace import web


async def as_json(request: web.Request) -> web.Response:
    return web.json_response({"path": request.path})


def as_text(request: web.Request) -> web.Response:
    return web.Response(text=request.path, headers={"Vary": "Cookie"})


class Page(web.View):
    async def get(self) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "text/html"
        await response.prepare(self.request)
        await response.write(b"<h1>page</h1>")
        return response


async def fail(request: web.Request) -> web.Response:
    raise web.HTTPGone


HANDLERS = {
    "application/json": as_json,
    "text/plain": as_text,
    "Text/HTML": Page,
    "image/png": fail,
}


@pytest.mark.parametrize(
    ("accept", "status", "content_type"),
    [
        (None, 200, "application/json"),
        ("*/*", 200, "application/json"),
        ("text/plain", 200, "text/plain"),
        ("text/*", 200, "text/plain"),
        ("text/*;q=0.5, text/html", 200, "text/html"),
        ("text/html;q=0.5, application/json;q=0.4", 200, "text/html"),
        ("application/json;q=0, */*", 200, "text/plain"),
        ("image/png", 410, "text/plain"),
        ("image/gif", 406, "text/plain"),
        ("nonsense,,", 406, "text/plain"),
    ],
)
async def test_the_client_chooses(
    serve: Serve, accept: str | None, status: int, content_type: str
) -> None:
    app = web.Application()
    app.router.add_get("/", web.by_accept(HANDLERS))
    served = await serve(app)
    headers = [] if accept is None else [("Accept", accept)]
    wire = await served.connect()
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
    wire.send(f"GET / HTTP/1.0\r\n{fields}\r\n".encode())
    head = (await wire.head()).decode()
    assert head.startswith(f"HTTP/1.1 {status} ")
    assert f"Content-Type: {content_type}" in head
    plain = status == 200 and content_type == "text/plain"
    assert f"Vary: {'Cookie, Accept' if plain else 'Accept'}\r\n" in head


async def test_what_there_is_stands_in_the_refusal(serve: Serve) -> None:
    served = await serve(web.by_accept(HANDLERS))
    async with served.client.get("/", headers={"Accept": "a/b"}) as response:
        assert await response.text() == (
            "There is application/json, text/plain, text/html, image/png."
        )


async def test_the_signal_comes_after(serve: Serve) -> None:
    seen = []

    async def note(request: web.Request, response: web.StreamResponse) -> None:
        seen.append(response.headers["Vary"])

    app = web.Application()
    app.on_response_prepare.append(note)
    app.router.add_get("/", web.by_accept(HANDLERS))
    served = await serve(app)
    async with served.client.get("/"):
        assert seen == ["Accept"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "Accept"),
        ("Accept", "Accept"),
        ("a, ACCEPT", "a, ACCEPT"),
        ("*", "*"),
        ("a", "a, Accept"),
    ],
)
def test_vary_names_each_field_once(before: str | None, after: str) -> None:
    from headrace.web._negotiate import _add_accept

    response = web.Response(headers={} if before is None else {"Vary": before})
    _add_accept(response)
    assert response.headers["Vary"] == after


@pytest.mark.parametrize("handlers", [{}, {"json": as_json}, {"*/*": as_json}, {"a/b/c": as_json}])
def test_keys_are_media_types(handlers: Any) -> None:
    with pytest.raises(ValueError, match="expected media types"):
        web.by_accept(handlers)
