"""Which pages may open a WebSocket."""

from __future__ import annotations

from typing import Any

import pytest
from serving import Failures, Serve

from headrace import testing, web
from headrace.web._origins import Welcome, make_judge


@pytest.mark.parametrize(
    ("host", "origin", "welcome"),
    [
        ("example.org", None, True),  # no browser
        ("example.org", "https://example.org", True),
        ("example.org", "http://example.org", True),
        ("Example.ORG", "http://example.org", True),
        ("example.org:8080", "http://example.org:8080", True),
        ("example.org:443", "https://example.org", True),
        ("example.org:80", "http://example.org", True),
        ("[::1]:8080", "http://[::1]:8080", True),
        ("example.org:80", "https://example.org", False),
        ("example.org", "http://example.org:8080", False),
        ("example.org:8080", "http://example.org", False),
        ("example.org", "https://evil.example", False),
        ("example.org", "https://example.org.evil.example", False),
        ("example.org", "https://evil-example.org", False),
        ("example.org", "null", False),
        ("example.org", "", False),
        ("example.org", "example.org", False),
        ("", "", False),
    ],
)
def test_pages_of_the_same_origin_are_welcome(host: str, origin: str | None, welcome: bool) -> None:
    assert (origin in Welcome(host, make_judge(()))) is welcome


@pytest.mark.parametrize(
    ("origins", "origin", "welcome"),
    [
        (["https://friend.example"], "https://friend.example", True),
        (["HTTPS://Friend.example:443/"[:-1]], "https://friend.example", True),
        (["https://friend.example"], "http://friend.example", False),
        (["https://friend.example"], "https://other.example", False),
        (["https://friend.example"], "https://own.example", True),
        (["null"], "null", True),
        ("*", "https://anybody.example", None),
        (["*"], "https://anybody.example", True),
        (lambda origin: origin.endswith(".example"), "https://a.example", True),
        (lambda origin: origin.endswith(".example"), "https://a.evil", False),
    ],
)
def test_others_can_be_named_or_judged(origins: Any, origin: str, welcome: bool | None) -> None:
    if welcome is None:
        with pytest.raises(TypeError, match="not a str"):
            make_judge(origins)
    else:
        assert (origin in Welcome("own.example", make_judge(origins))) is welcome


async def test_strangers_get_an_ordinary_403(serve: Serve, failures: Failures) -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(origins=lambda origin: asked.append(origin) or False)  # type: ignore[func-returns-value]
        if request.path == "/page" and not ws.can_prepare(request):
            return web.Response(text="a page")
        await ws.prepare(request)
        await ws.send_str("welcome")
        return ws

    served = await serve(handler)
    for origin in (None, served.url):
        async with served.client.ws_connect("/", origin=origin) as ws:
            assert await ws.receive_str() == "welcome"
    assert asked == []
    with pytest.raises(testing.WSServerHandshakeError) as refused:
        await served.client.ws_connect("/", origin="https://evil.example")
    assert refused.value.status == 403
    assert asked == ["https://evil.example"]
    fields = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": "https://evil.example",
    }
    async with served.client.get("/", headers=fields) as response:
        assert response.status == 403
        assert await response.text() == "403: Forbidden: pages of other sites may not connect"
    async with served.client.get("/page", headers=fields) as response:
        assert await response.text() == "a page"
    assert failures() == []
