"""The page that shows a failure to its developer, and to nobody else."""

from __future__ import annotations

import pytest
from exchanges import FakeExchange, make_request
from serving import Failures, Serve

from headrace import web
from headrace.web._debug import debug_page, is_local


class Stubborn:
    def __repr__(self) -> str:
        raise ValueError("no")


async def fails(request: web.Request) -> web.Response:
    treasure = "<gold>"
    stubborn = Stubborn()
    raise RuntimeError(f"lost {len(treasure)} & {type(stubborn).__name__}")


async def test_a_local_developer_sees_traceback_source_and_variables(
    serve: Serve, failures: Failures
) -> None:
    app = web.Application(debug=True)
    app.router.add_get("/", fails)
    served = await serve(app)
    async with served.client.get("/?q=<q>") as got:
        assert (got.status, got.content_type) == (500, "text/html")
        page = await got.text()
    assert "<h1>RuntimeError: lost 6 &amp; Stubborn</h1>" in page
    assert "GET /?q=%3Cq%3E" in page
    assert "treasure = &quot;&lt;gold&gt;&quot;" in page
    assert "<td>&#x27;&lt;gold&gt;&#x27;</td>" in page
    assert "&lt;Stubborn instance at" in page
    assert "<gold>" not in page
    assert len(failures()) == 1


async def test_without_debug_nothing_is_shown(serve: Serve, failures: Failures) -> None:
    served = await serve(fails)
    async with served.client.get("/", headers={"Accept": "text/html"}) as got:
        assert got.status == 500
        page = await got.text()
    assert "gold" not in page
    assert "Runtime" not in page
    assert len(failures()) == 1


@pytest.mark.parametrize(
    ("peer", "local"),
    [
        (("127.0.0.1", 1), True),
        (("127.5.6.7", 1), True),
        (("::1", 1, 0, 0), True),
        (("192.0.2.1", 1), False),
        (("fe80::1%eth0", 1, 0, 0), False),
        (("nonsense", 1), False),
        (None, False),
    ],
)
def test_who_is_local(peer: tuple[object, ...] | None, local: bool) -> None:
    request = make_request(exchange=FakeExchange(peername=peer))
    request._remote = "127.0.0.1"  # as a proxy might claim
    assert is_local(request) is local


@pytest.mark.parametrize("name", ["Forwarded", "X-Forwarded-For", "x-real-ip", "Via"])
def test_who_comes_through_a_proxy_on_this_machine_is_not_local(name: str) -> None:
    exchange = FakeExchange(peername=("127.0.0.1", 1))
    assert not is_local(make_request(headers=[(name, "x")], exchange=exchange))


def test_the_innermost_frame_comes_first() -> None:
    def inner() -> None:
        raise KeyError("x")

    def outer() -> None:
        inner()

    try:
        outer()
    except KeyError as error:
        page = debug_page(make_request(), error).text or ""
    assert page.index(".inner</code>") < page.index(".outer</code>")
