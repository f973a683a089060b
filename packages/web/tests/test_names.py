"""The names of aiohttp.web: that they are there, and how they are related."""

from __future__ import annotations

import http
from typing import Any

import pytest
from exchanges import make_request

from headrace import web

#: aiohttp.web.__all__ by theme, without the exceptions of single statuses, which have a test below.
NAMES = {
    "application": "AppKey Application CleanupError NotAppKeyWarning",
    "request": "BaseRequest FileField Request RequestKey",
    "response": "Response StreamResponse ResponseKey json_response json_bytes_response",
    "files": "FileResponse",
    "middleware": "middleware normalize_path_middleware",
    "server": "PayloadAccessError RequestHandler RequestPayloadError Server",
    "route tables": "AbstractRouteDef RouteDef RouteTableDef StaticDef delete get head options "
    "patch post put route static view",
    "runners": "AppRunner BaseRunner BaseSite GracefulExit ServerRunner SockSite TCPSite UnixSite "
    "NamedPipeSite run_app",
    "dispatcher": "AbstractResource AbstractRoute DynamicResource PlainResource Resource "
    "PrefixedSubAppResource ResourceRoute StaticResource UrlDispatcher UrlMappingMatchInfo View",
    "WebSockets": "WebSocketReady WebSocketResponse WSMsgType",
    "exceptions": "HTTPException HTTPError HTTPRedirection HTTPSuccessful HTTPMove HTTPClientError "
    "HTTPServerError",
    "from aiohttp": "WSCloseCode WSMessage MsgType HttpVersion HttpVersion10 HttpVersion11 hdrs "
    "ETag MultipartReader BodyPartReader StreamReader WSMessageTypeError "
    "ClientConnectionResetError",
    "from aiohttp.abc": "AbstractAccessLogger AbstractMatchInfo AbstractRouter AbstractView",
    "from aiohttp.typedefs": "Handler Middleware",
}


@pytest.mark.parametrize("name", [name for names in NAMES.values() for name in names.split()])
def test_a_name_is_there(name: str) -> None:
    assert name in web.__all__
    assert getattr(web, name) is not None


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (web.Request, web.BaseRequest),
        (web.Response, web.StreamResponse),
        (web.FileResponse, web.StreamResponse),
        (web.WebSocketResponse, web.StreamResponse),
        (web.HTTPException, web.Response),
        (web.HTTPException, Exception),
        (web.HTTPMove, web.HTTPRedirection),
        (web.PlainResource, web.Resource),
        (web.DynamicResource, web.Resource),
        (web.Resource, web.AbstractResource),
        (web.StaticResource, web.AbstractResource),
        (web.PrefixedSubAppResource, web.AbstractResource),
        (web.ResourceRoute, web.AbstractRoute),
        (web.SystemRoute, web.AbstractRoute),
        (web.UrlDispatcher, web.AbstractRouter),
        (web.UrlMappingMatchInfo, web.AbstractMatchInfo),
        (web.UrlMappingMatchInfo, dict),
        (web.View, web.AbstractView),
        (web.AccessLogger, web.AbstractAccessLogger),
        (web.JSONAccessLogger, web.AbstractAccessLogger),
        (web.AppRunner, web.BaseRunner),
        (web.ServerRunner, web.BaseRunner),
        (web.TCPSite, web.BaseSite),
        (web.UnixSite, web.BaseSite),
        (web.SockSite, web.BaseSite),
        (web.NamedPipeSite, web.BaseSite),
        (web.GracefulExit, SystemExit),
        (web.CleanupError, RuntimeError),
        (web.ClientConnectionResetError, ConnectionResetError),
        (web.NotAppKeyWarning, UserWarning),
    ],
)
def test_relations(narrow: type, wide: type) -> None:
    assert issubclass(narrow, wide)


@pytest.mark.parametrize("status", http.HTTPStatus)
def test_each_final_status_that_is_no_relic_has_its_exception(status: http.HTTPStatus) -> None:
    classes = {
        cls.status_code
        for cls in map(web.__dict__.get, web.__all__)
        if isinstance(cls, type) and issubclass(cls, web.HTTPException)
    }
    relics = {207, 208, 226}  # of WebDAV and the like: nothing that a handler raises
    assert (status in classes) == (status >= 200 and status not in relics)


def test_versions() -> None:
    assert web.HttpVersion11 == (1, 1) == web.HttpVersion(1, 1)
    assert web.HttpVersion10 < web.HttpVersion11
    assert (web.HttpVersion11.major, web.HttpVersion11.minor) == (1, 1)


def test_methods_and_fields_have_names() -> None:
    assert web.hdrs.METH_GET == "GET"
    assert web.hdrs.METH_ANY == "*"
    assert web.hdrs.CONTENT_TYPE == "Content-Type"
    request = make_request(headers={"content-type": "a/b"})
    assert request.headers[web.hdrs.CONTENT_TYPE] == "a/b"


async def test_what_a_router_must_be() -> None:
    class Router(web.AbstractRouter):
        frozen = False  # type: ignore[assignment]

    with pytest.raises(TypeError, match="abstract"):
        Router()  # type: ignore[abstract]
    app = web.Application()

    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    app.router.add_get("/{name}", handler, name="named")
    router: web.AbstractRouter = app.router
    found: Any = await router.resolve(make_request("/x"))
    assert (found["name"], found.route.name, found.handler) == ("x", "named", handler)
    missed: Any = await router.resolve(make_request("/x/y"))
    assert missed.http_exception.status == 404
    assert not router.frozen
    router.freeze()
    assert router.frozen


def test_a_group_stands_in_the_router() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    group = app.router.group("/a")
    assert isinstance(group, web.RouteGroup)
    inner = group.group("/b", metadata={"x": 1})
    routes = inner.add_routes([web.get("/c", handler), web.post("/c", handler)])
    assert [str(route.resource.url_for()) for route in routes if route.resource] == ["/a/b/c"] * 2
    assert routes[0].metadata == {"x": 1}
    assert len(app.router.routes()) == 3
