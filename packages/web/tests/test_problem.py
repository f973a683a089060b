"""The framework's own error answers, and problem documents that programs make."""

from __future__ import annotations

import json

import pytest
from serving import Serve

from headrace import web

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=await request.text())


async def own(request: web.Request) -> web.Response:
    raise web.HTTPConflict(text="my own words")


async def fails(request: web.Request) -> web.Response:
    raise LookupError("the secret of the inside")


def make_app() -> web.Application:
    app = web.Application(client_max_size=10)
    app.router.add_get("/", hello)
    app.router.add_post("/echo", hello)
    app.router.add_get("/own", own)
    app.router.add_get("/fails", fails)
    return app


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "text/plain"),
        ("text/plain", "text/plain"),
        ("image/png", "text/plain"),
        (BROWSER, "text/html"),
        ("application/json", "application/problem+json"),
        ("application/problem+json", "application/problem+json"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("PUT", "/", 405), ("POST", "/echo", 413), ("GET", "/fails", 500)],
)
async def test_an_answer_of_the_framework_has_the_form_that_is_accepted(
    serve: Serve, accept: str, content_type: str, method: str, path: str, status: int
) -> None:
    served = await serve(make_app())
    body = b"x" * 11 if method == "POST" else None
    async with served.client.request(method, path, data=body, headers={"Accept": accept}) as got:
        assert (got.status, got.content_type) == (status, content_type)
        text = await got.text()
    assert "secret" not in text
    if content_type == "text/plain":
        assert text.startswith((f"{status}: ", "Maximum request body size"))
    elif content_type == "text/html":
        assert f"<h1>{status}: {got.reason}</h1>" in text
    else:
        document = json.loads(text)
        assert (document["status"], document["title"]) == (status, got.reason)


async def test_the_fields_of_the_answer_stay(serve: Serve) -> None:
    served = await serve(make_app())
    async with served.client.put("/", headers={"Accept": "application/json"}) as got:
        assert got.headers["Allow"] == "GET,HEAD"


async def test_what_a_program_raises_stays_as_it_is(serve: Serve) -> None:
    served = await serve(make_app())
    async with served.client.get("/own", headers={"Accept": BROWSER}) as got:
        assert (got.status, got.content_type) == (409, "text/plain")
        assert await got.text() == "my own words"


async def test_a_page_escapes_what_it_shows(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        error = web.HTTPBadRequest(text="<script>")
        error.of_framework = True
        raise error

    served = await serve(handler)
    async with served.client.get("/", headers={"Accept": "text/html"}) as got:
        assert "&lt;script&gt;" in await got.text()


async def test_a_problem_document_says_what_it_is_given(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        raise web.problem(
            402, title="Out of credit", detail="30 needed", type="/credit", balance=12
        )

    served = await serve(handler)
    async with served.client.get("/") as got:
        assert (got.status, got.content_type) == (402, "application/problem+json")
        assert await got.json(content_type=None) == {
            "type": "/credit",
            "title": "Out of credit",
            "status": 402,
            "detail": "30 needed",
            "balance": 12,
        }


@pytest.mark.parametrize("status", [99, 302, 405, 799])
def test_not_every_status_makes_a_problem(status: int) -> None:
    with pytest.raises(ValueError, match=f"status {status}"):
        web.problem(status)
