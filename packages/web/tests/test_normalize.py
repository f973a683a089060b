"""Redirects from almost-right paths to right ones."""

from __future__ import annotations

from typing import Any

import pytest
from serving import Serve

from headrace import web


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=request.path)


def make_app(**options: Any) -> web.Application:
    app = web.Application(middlewares=[web.normalize_path_middleware(**options)])
    app.router.add_get("/with/slash/", hello)
    app.router.add_get("/without", hello)
    app.router.add_get("/b/{name}/", hello)
    inner = web.Application()
    inner.router.add_get("/page/", hello)
    app.add_subapp("/inner", inner)
    return app


APPEND: dict[str, Any] = {}
REMOVE = {"append_slash": False, "remove_slash": True}
MERGE = {"append_slash": False}


@pytest.mark.parametrize(
    ("options", "path", "status", "location"),
    [
        (APPEND, "/with/slash", 308, "/with/slash/"),
        (APPEND, "/with/slash?a=1&b=%2F", 308, "/with/slash/?a=1&b=%2F"),
        (APPEND, "//with///slash", 308, "/with/slash/"),
        (APPEND, "/with//slash/", 308, "/with/slash/"),
        (APPEND, "/b/a%2Fc", 308, "/b/a%2Fc/"),
        (APPEND, "/inner/page", 308, "/inner/page/"),
        (APPEND, "/inner/nothing", 404, None),
        (APPEND, "/with/slash/", 200, None),
        (APPEND, "/without/", 404, None),
        (APPEND, "/nothing", 404, None),
        (REMOVE, "/without/", 308, "/without"),
        (REMOVE, "//without/", 308, "/without"),
        (REMOVE, "/with/slash", 404, None),
        (MERGE, "//without", 308, "/without"),
        (MERGE, "/with/slash", 404, None),
        ({"redirect_class": web.HTTPMovedPermanently}, "/with/slash", 301, "/with/slash/"),
    ],
)
async def test_where_a_path_leads(
    serve: Serve, options: dict[str, Any], path: str, status: int, location: str | None
) -> None:
    served = await serve(make_app(**options))
    answer = await served.raw(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    )
    head = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[0].split()[1] == str(status)
    assert [line[10:] for line in head if line.startswith("Location: ")] == [location] * bool(
        location
    )


@pytest.mark.parametrize("path", ["//evil.example/x", "///evil.example/x", "//evil.example/x/"])
async def test_no_redirect_leads_to_another_host(serve: Serve, path: str) -> None:
    app = web.Application(middlewares=[web.normalize_path_middleware()])
    app.router.add_get("/evil.example/x/", hello)
    app.router.add_get("/{tail:.*}/deep/", hello)
    served = await serve(app)
    answer = await served.raw(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    )
    assert b"Location: //" not in answer
    assert b"Location: /evil.example/x/\r\n" in answer


def test_slashes_are_not_both_appended_and_removed() -> None:
    with pytest.raises(ValueError, match="both remove and append"):
        web.normalize_path_middleware(append_slash=True, remove_slash=True)
