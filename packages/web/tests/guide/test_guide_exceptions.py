"""The usage guide's chapter on exceptions: its chart, its constructors, its two ways to answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from serving import Failures, Serve

from headrace import web

pytestmark = pytest.mark.sockets

CHART = """
   Exception
     HTTPException
       HTTPSuccessful
         * 200 - HTTPOk
         * 201 - HTTPCreated
         * 202 - HTTPAccepted
         * 203 - HTTPNonAuthoritativeInformation
         * 204 - HTTPNoContent
         * 205 - HTTPResetContent
         * 206 - HTTPPartialContent
       HTTPRedirection
         * 300 - HTTPMultipleChoices
         * 301 - HTTPMovedPermanently
         * 302 - HTTPFound
         * 303 - HTTPSeeOther
         * 304 - HTTPNotModified
         * 305 - HTTPUseProxy
         * 307 - HTTPTemporaryRedirect
       HTTPError
         HTTPClientError
           * 400 - HTTPBadRequest
           * 401 - HTTPUnauthorized
           * 402 - HTTPPaymentRequired
           * 403 - HTTPForbidden
           * 404 - HTTPNotFound
           * 405 - HTTPMethodNotAllowed
           * 406 - HTTPNotAcceptable
           * 407 - HTTPProxyAuthenticationRequired
           * 408 - HTTPRequestTimeout
           * 409 - HTTPConflict
           * 410 - HTTPGone
           * 411 - HTTPLengthRequired
           * 412 - HTTPPreconditionFailed
           * 413 - HTTPRequestEntityTooLarge
           * 414 - HTTPRequestURITooLong
           * 415 - HTTPUnsupportedMediaType
           * 416 - HTTPRequestRangeNotSatisfiable
           * 417 - HTTPExpectationFailed
         HTTPServerError
           * 500 - HTTPInternalServerError
           * 501 - HTTPNotImplemented
           * 502 - HTTPBadGateway
           * 503 - HTTPServiceUnavailable
           * 504 - HTTPGatewayTimeout
           * 505 - HTTPVersionNotSupported
"""


def read_chart() -> Iterator[tuple[str, str, int | None]]:
    """Yield each class of the chart: its name, the name of its base, its status."""
    above: list[tuple[int, str]] = []
    for line in CHART.strip("\n").splitlines():
        indent, words = len(line) - len(line.lstrip()), line.split()
        above = [(depth, name) for depth, name in above if depth < indent]
        base = above[-1][1] if above else "BaseException"
        yield words[-1], base, int(words[1]) if words[0] == "*" else None
        above.append((indent, words[-1]))


def test_the_chart_of_exceptions() -> None:
    for name, base, status in read_chart():
        cls: Any = getattr(web, name, Exception)
        assert issubclass(cls, getattr(web, base, Exception))
        assert status is None or cls.status_code == status
    assert issubclass(web.HTTPException, web.Response)


def make_exception(name: str) -> web.HTTPException:
    """Make an exception with all arguments of the guide's constructors."""
    cls: Any = getattr(web, name)
    bodiless = cls.status_code in (204, 205, 304)
    common = {
        "headers": {"X-Name": name},
        "reason": f"Because {name}",
        "body": None if bodiless else b"<p>body</p>",
        "text": None,
        "content_type": "text/html",
    }
    if issubclass(cls, web.HTTPRedirection) and cls is not web.HTTPNotModified:
        return cls("/elsewhere", **common)  # type: ignore[no-any-return]
    if cls is web.HTTPMethodNotAllowed:
        return cls("PATCH", ["PUT", "GET"], **common)  # type: ignore[no-any-return]
    return cls(**common)  # type: ignore[no-any-return]


async def test_each_exception_is_an_answer(serve: Serve, failures: Failures) -> None:
    async def handler(request):  # type: ignore[no-untyped-def]
        raise make_exception(request.match_info["name"])

    app = web.Application()
    app.router.add_route("GET", "/{name}", handler)
    served = await serve(app)
    for name, _, status in read_chart():
        if status is None:
            continue
        async with served.client.get(f"/{name}", allow_redirects=False) as response:
            assert (response.status, response.reason) == (status, f"Because {name}")
            assert response.headers["X-Name"] == name
            assert response.headers.get("Allow") == ("GET,PUT" if status == 405 else None)
            moved = status in (300, 301, 302, 303, 305, 307)
            assert response.headers.get("Location") == ("/elsewhere" if moved else None)
            bodiless = status in (204, 205, 304)
            assert await response.read() == (b"" if bodiless else b"<p>body</p>")
            assert response.content_type == "text/html"
    assert failures() == []


async def test_exceptions_are_returned_or_raised(serve: Serve, failures: Failures) -> None:
    async def returning(request):  # type: ignore[no-untyped-def]
        return web.HTTPFound("/redirect")

    async def raising(request):  # type: ignore[no-untyped-def]
        raise web.HTTPFound("/redirect")

    app = web.Application()
    app.router.add_route("GET", "/return", returning)
    app.router.add_route("GET", "/raise", raising)
    served = await serve(app)
    for path in ("/return", "/raise"):
        async with served.client.get(path, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (302, "/redirect")
            assert await response.text() == "302: Found"
    assert failures() == []
