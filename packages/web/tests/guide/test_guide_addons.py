"""The usage guide's examples with add-ons: these import aiohttp.web and get headrace.web.

The add-ons are the real ones, of today. Where they have changed a spelling of the guide's, a few
lines here give it back.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import pytest
from aliases import standing_in
from serving import Serve

from headrace import web

pytestmark = pytest.mark.sockets


@pytest.fixture
def addons() -> Iterator[dict[str, ModuleType]]:
    """Import the add-ons on top of headrace.web."""
    with standing_in():
        import aiohttp_cors
        import aiohttp_debugtoolbar
        import aiohttp_jinja2
        import aiohttp_session
        import jinja2

        yield {
            "aiohttp_cors": aiohttp_cors,
            "aiohttp_debugtoolbar": aiohttp_debugtoolbar,
            "aiohttp_jinja2": aiohttp_jinja2,
            "aiohttp_session": aiohttp_session,
            "jinja2": jinja2,
        }


def test_afterwards_aiohttp_is_itself_again() -> None:
    with standing_in():
        from aiohttp import web as inside
    from aiohttp import web as outside

    assert inside is web
    assert outside.__name__ == "aiohttp.web"  # type: ignore[comparison-overlap]
    assert aiohttp.abc.AbstractView is not web.AbstractView


# -- Template rendering


@pytest.fixture
def aiohttp_jinja2(addons: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the add-on, whose `template` takes plain functions as it did in the guide's days."""
    module = addons["aiohttp_jinja2"]
    of_today = module.template

    def template(name):  # type: ignore[no-untyped-def]
        def decorate(func):  # type: ignore[no-untyped-def]
            async def coroutine(request):  # type: ignore[no-untyped-def]
                context = func(request)
                return await context if inspect.isawaitable(context) else context

            return of_today(name)(coroutine)

        return decorate

    monkeypatch.setattr(module, "template", template)
    return module


async def test_templates(
    serve: Serve, addons: dict[str, ModuleType], aiohttp_jinja2: Any, tmp_path: Path
) -> None:
    jinja2: Any = addons["jinja2"]
    (tmp_path / "tmpl.jinja2").write_text("<h1>{{ name }} {{ surname }}</h1> {{ url('here') }}")
    loop = asyncio.get_running_loop()

    app = web.Application(loop=loop)
    aiohttp_jinja2.setup(app,
        loader=jinja2.FileSystemLoader(str(tmp_path)))  # fmt: skip

    @aiohttp_jinja2.template('tmpl.jinja2')  # fmt: skip
    def handler(request):  # type: ignore[no-untyped-def]
        return {'name': 'Andrew', 'surname': 'Svetlov'}  # fmt: skip

    app.router.add_route("GET", "/here", handler, name="here")
    served = await serve(app)
    async with served.client.get("/here") as response:
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert await response.text() == "<h1>Andrew Svetlov</h1> /here"


async def test_a_template_of_a_view(serve: Serve, addons: dict[str, ModuleType]) -> None:
    aiohttp_jinja2: Any = addons["aiohttp_jinja2"]

    class Page(web.View):
        @aiohttp_jinja2.template("page")  # type: ignore[untyped-decorator]
        async def get(self) -> dict[str, str]:
            return {"path": self.request.path}

    app = web.Application()
    aiohttp_jinja2.setup(app, loader=addons["jinja2"].DictLoader({"page": "at {{ path }}"}))
    app.router.add_view("/page", Page)
    served = await serve(app)
    async with served.client.get("/page") as response:
        assert await response.text() == "at /page"


# -- User sessions; test_guide_running has the guide's whole program


async def test_a_session_is_kept_from_request_to_request(
    serve: Serve, addons: dict[str, ModuleType]
) -> None:
    aiohttp_session: Any = addons["aiohttp_session"]

    async def count(request: web.Request) -> web.Response:
        session = await aiohttp_session.get_session(request)
        session["count"] = session.get("count", 0) + 1
        if request.query:
            raise web.HTTPFound("/")
        return web.Response(text=str(session["count"]))

    app = web.Application()
    aiohttp_session.setup(app, aiohttp_session.SimpleCookieStorage())
    app.router.add_get("/", count)
    served = await serve(app)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(served.url, cookie_jar=jar) as client:
        counts = []
        for path in ("/", "/", "/?redirect=1", "/"):
            async with client.get(path) as response:
                counts.append(await response.text())
    # The redirecting request counts too, and so does the one to which it leads.
    assert counts == ["1", "2", "4", "5"]


# -- Debug toolbar


@pytest.fixture
def aiohttp_debugtoolbar(
    addons: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> ModuleType:
    """Return the add-on with its middleware under the guide's name, and in the guide's form."""
    module: Any = addons["aiohttp_debugtoolbar"]
    of_today = module.middleware

    async def toolbar_middleware_factory(app, handler):  # type: ignore[no-untyped-def]
        async def middleware(request):  # type: ignore[no-untyped-def]
            return await of_today(request, handler)

        return middleware

    monkeypatch.setattr(module, "toolbar_middleware_factory", toolbar_middleware_factory, False)
    # `setup` adds the middleware where it is not in the list yet.
    monkeypatch.setattr(module.main, "middleware", toolbar_middleware_factory)
    return module  # type: ignore[no-any-return]


async def test_the_debug_toolbar(serve: Serve, aiohttp_debugtoolbar: Any) -> None:
    async def page(request):  # type: ignore[no-untyped-def]
        return web.Response(text="<html><body>Hello</body></html>", content_type="text/html")

    async def fail(request):  # type: ignore[no-untyped-def]
        raise KeyError("the reason")

    async def redirect(request):  # type: ignore[no-untyped-def]
        raise web.HTTPFound("/page")

    loop = asyncio.get_running_loop()
    toolbar_middleware_factory = aiohttp_debugtoolbar.toolbar_middleware_factory

    app = web.Application(loop=loop,
                          middlewares=[toolbar_middleware_factory])  # fmt: skip
    aiohttp_debugtoolbar.setup(app)

    app.router.add_route("GET", "/page", page)
    app.router.add_route("GET", "/fail", fail)
    app.router.add_route("GET", "/redirect", redirect)
    served = await serve(app)
    for path, status, text in [
        ("/page", 200, "Hello"),
        ("/fail", 500, "KeyError"),
        ("/redirect", 200, "Redirect intercepted"),
    ]:
        async with served.client.get(path, allow_redirects=False) as response:
            body = await response.text()
            assert (response.status, response.content_type) == (status, "text/html")
            assert text in body
            assert body.count('id="pDebugToolbarHandle"') == 1
    # The toolbar's own pages: what it has recorded, its routes panel, its files.
    async with served.client.get("/_debugtoolbar") as response:
        body = await response.text()
        assert response.status == 200
        assert all(name in body for name in ("/page", "/fail", "/redirect"))
    async with served.client.get("/_debugtoolbar/static/css/toolbar.css") as response:
        assert (response.status, response.content_type) == (200, "text/css")


# -- Cross-origin requests, which the guide leaves to middlewares: the add-on reads private names


async def test_cross_origin_requests(
    serve: Serve, addons: dict[str, ModuleType], tmp_path: Path
) -> None:
    aiohttp_cors: Any = addons["aiohttp_cors"]

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    class Page(web.View, aiohttp_cors.CorsViewMixin):  # type: ignore[misc]
        async def get(self) -> web.Response:
            return web.Response(text="view")

    (tmp_path / "file.txt").write_text("file")
    app = web.Application()
    options = aiohttp_cors.ResourceOptions(allow_methods=["GET"], expose_headers="*")
    cors = aiohttp_cors.setup(app, defaults={"https://friend.example": options})
    resource = cors.add(app.router.add_resource("/hello"))
    cors.add(resource.add_route("GET", hello))
    cors.add(app.router.add_view("/view", Page))
    cors.add(app.router.add_static("/files", tmp_path))
    served = await serve(app)
    preflight = {"Access-Control-Request-Method": "GET"}
    for path, text in [("/hello", "hello"), ("/view", "view"), ("/files/file.txt", "file")]:
        friend = {"Origin": "https://friend.example"}
        async with served.client.get(path, headers=friend) as response:
            assert (response.status, await response.text()) == (200, text)
            assert response.headers["Access-Control-Allow-Origin"] == "https://friend.example"
        async with served.client.options(path, headers=friend | preflight) as response:
            assert response.status == 200
            assert response.headers["Access-Control-Allow-Methods"] == "GET"
        stranger = {"Origin": "https://stranger.example"}
        async with served.client.options(path, headers=stranger | preflight) as response:
            assert response.status == 403
