"""Whom a server behind proxies believes about its clients."""

from __future__ import annotations

from typing import Any

import pytest
from exchanges import FakeExchange, make_request

from headrace import web

TRUSTED = ["10.0.0.0/8", "2001:db8::/32", "unix"]


async def seen(peer: Any, headers: list[tuple[str, str]], **options: Any) -> tuple[Any, ...]:
    """Return remote, scheme and host as the handler behind the middleware sees them."""
    request = make_request(
        headers=[("Host", "own.example"), *headers], exchange=FakeExchange(peername=peer)
    )

    async def handler(request: web.Request) -> Any:
        return request.remote, request.scheme, request.host

    middleware = web.trusted_proxy_middleware(TRUSTED, **options)
    result: Any = await middleware(request, handler)
    return tuple(result)


PROXY = ("10.0.0.1", 1)
STRANGER = ("203.0.113.9", 1)


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        (PROXY, [], ("10.0.0.1", "http", "own.example")),
        (
            STRANGER,
            [("X-Forwarded-For", "1.2.3.4"), ("Forwarded", "for=1.2.3.4;proto=https")],
            ("203.0.113.9", "http", "own.example"),
        ),
        (PROXY, [("X-Forwarded-For", "1.2.3.4")], ("1.2.3.4", "http", "own.example")),
        (
            PROXY,
            [("X-Forwarded-For", "6.6.6.6, 1.2.3.4, 10.0.0.2")],
            ("1.2.3.4", "http", "own.example"),
        ),
        (
            PROXY,
            [
                ("X-Forwarded-For", "1.2.3.4"),
                ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Host", "www.example"),
            ],
            ("1.2.3.4", "https", "www.example"),
        ),
        (PROXY, [("X-Forwarded-Proto", "javascript")], ("10.0.0.1", "http", "own.example")),
        (PROXY, [("X-Forwarded-Host", "evil/<x>")], ("10.0.0.1", "http", "own.example")),
        (PROXY, [("X-Forwarded-For", "nonsense")], ("10.0.0.1", "http", "own.example")),
        (
            PROXY,
            [("Forwarded", "for=6.6.6.6, for=1.2.3.4;proto=https;host=www.example")],
            ("1.2.3.4", "https", "www.example"),
        ),
        (
            PROXY,
            [("Forwarded", 'for="[2001:db9::7]:4711";proto=https'), ("X-Forwarded-For", "6.6.6.6")],
            ("2001:db9::7", "https", "own.example"),
        ),
        (
            PROXY,
            [("Forwarded", "for=1.2.3.4;proto=https, for=10.0.0.2")],
            ("1.2.3.4", "https", "own.example"),
        ),
        (PROXY, [("Forwarded", "for=_hidden, for=10.9.9.9")], ("10.9.9.9", "http", "own.example")),
        (PROXY, [("Forwarded", "for=1.2.3.4 proto")], ("10.0.0.1", "http", "own.example")),
        (PROXY, [("Forwarded", "for=1.2.3.4:80")], ("1.2.3.4", "http", "own.example")),
        (("::ffff:10.0.0.1", 1, 0, 0), [("X-Forwarded-For", "1.2.3.4")], ("1.2.3.4",)),
        (("2001:db8::1", 1, 0, 0), [("X-Forwarded-For", "1.2.3.4")], ("1.2.3.4",)),
        ("", [("X-Forwarded-For", "1.2.3.4")], ("1.2.3.4",)),
    ],
)
async def test_what_is_believed(
    peer: Any, headers: list[tuple[str, str]], expected: tuple[str, ...]
) -> None:
    assert (await seen(peer, headers))[: len(expected)] == expected


async def test_forwarded_can_be_ignored() -> None:
    headers = [("Forwarded", "for=6.6.6.6"), ("X-Forwarded-For", "1.2.3.4")]
    assert (await seen(PROXY, headers, forwarded=False))[0] == "1.2.3.4"


def test_a_network_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="300"):
        web.trusted_proxy_middleware(["300.0.0.0/8"])
