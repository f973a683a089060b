"""headrace.web: an asyncio HTTP server framework with the names that aiohttp.web's users know.

    from headrace import web

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="Hello, world")

    app = web.Application()
    app.router.add_get("/", hello)
    web.run_app(app)

Requests are strict HTTP/1.1 by RFC 9110 and 9112; what is malformed is refused before a handler
sees it. What a request does not use costs it nothing: headers, URL, query and cookies are built
when first asked for.
"""

import importlib.util
import typing

from . import _headers as hdrs
from ._activation import (
    activated_sockets,
)
from ._app import (
    Application,
    Handler,
    Middleware,
    Request,
)
from ._compression import (
    ContentCoding,
)
from ._compression_middleware import (
    compression_middleware,
)
from ._conditional import (
    check_conditions,
)
from ._dispatcher import (
    AbstractRouteDef,
    AbstractRouter,
    PrefixedSubAppResource,
    RouteGroup,
    UrlDispatcher,
)
from ._errors import (
    CleanupError,
    ClientConnectionResetError,
    NotAppKeyWarning,
    PayloadAccessError,
    RequestPayloadError,
)
from ._etag import (
    ETag,
)
from ._eventstream import (
    EventStreamResponse,
    ServerSentEvent,
)
from ._exceptions import (
    HTTPAccepted,
    HTTPBadGateway,
    HTTPBadRequest,
    HTTPClientError,
    HTTPConflict,
    HTTPCreated,
    HTTPError,
    HTTPException,
    HTTPExpectationFailed,
    HTTPFailedDependency,
    HTTPForbidden,
    HTTPFound,
    HTTPGatewayTimeout,
    HTTPGone,
    HTTPImATeapot,
    HTTPInsufficientStorage,
    HTTPInternalServerError,
    HTTPLengthRequired,
    HTTPLocked,
    HTTPLoopDetected,
    HTTPMethodNotAllowed,
    HTTPMisdirectedRequest,
    HTTPMove,
    HTTPMovedPermanently,
    HTTPMultipleChoices,
    HTTPNetworkAuthenticationRequired,
    HTTPNoContent,
    HTTPNonAuthoritativeInformation,
    HTTPNotAcceptable,
    HTTPNotExtended,
    HTTPNotFound,
    HTTPNotImplemented,
    HTTPNotModified,
    HTTPOk,
    HTTPPartialContent,
    HTTPPaymentRequired,
    HTTPPermanentRedirect,
    HTTPPreconditionFailed,
    HTTPPreconditionRequired,
    HTTPProxyAuthenticationRequired,
    HTTPRedirection,
    HTTPRequestEntityTooLarge,
    HTTPRequestHeaderFieldsTooLarge,
    HTTPRequestRangeNotSatisfiable,
    HTTPRequestTimeout,
    HTTPRequestURITooLong,
    HTTPResetContent,
    HTTPSeeOther,
    HTTPServerError,
    HTTPServiceUnavailable,
    HTTPSuccessful,
    HTTPTemporaryRedirect,
    HTTPTooEarly,
    HTTPTooManyRequests,
    HTTPUnauthorized,
    HTTPUnavailableForLegalReasons,
    HTTPUnprocessableEntity,
    HTTPUnsupportedMediaType,
    HTTPUpgradeRequired,
    HTTPUseProxy,
    HTTPVariantAlsoNegotiates,
    HTTPVersionNotSupported,
)
from ._files import (
    FileResponse,
)
from ._forms import (
    FileField,
)
from ._headers import (
    HttpVersion,
    HttpVersion10,
    HttpVersion11,
)
from ._health import (
    readiness,
)
from ._kernel import (
    IMPLEMENTATION,
)
from ._log import (
    AbstractAccessLogger,
    AccessLogger,
    JSONAccessLogger,
)
from ._media import (
    content_disposition,
)
from ._messages import (
    MsgType,
    WSMessage,
    WSMessageTypeError,
    WSMsgType,
)
from ._middleware import (
    middleware,
)
from ._multipart import (
    BodyPartReader,
    MultipartReader,
)
from ._multipart_writer import (
    BodyPartWriter,
    MultipartWriter,
)
from ._negotiate import (
    by_accept,
)
from ._normalize import (
    normalize_path_middleware,
)
from ._policy import (
    Policy,
)
from ._problem import (
    problem,
)
from ._protocol import (
    RequestHandler,
)
from ._proxy import (
    trusted_proxy_middleware,
)
from ._request import (
    BaseRequest,
)
from ._response import (
    Response,
    json_bytes_response,
    json_response,
)
from ._routedef import (
    RouteDef,
    RouteTableDef,
    StaticDef,
    delete,
    get,
    head,
    options,
    patch,
    post,
    put,
    route,
    static,
    view,
)
from ._routes import (
    AbstractMatchInfo,
    AbstractResource,
    AbstractRoute,
    DynamicResource,
    PlainResource,
    Resource,
    ResourceRoute,
    SystemRoute,
    UrlMappingMatchInfo,
)
from ._run import (
    run_app,
)
from ._runner import (
    AppRunner,
    BaseRunner,
    GracefulExit,
    ServerRunner,
)
from ._serve import (
    Serving,
    serve,
)
from ._server import (
    Server,
)
from ._signals import (
    Signal,
)
from ._sites import (
    BaseSite,
    NamedPipeSite,
    SockSite,
    TCPSite,
    UnixSite,
)
from ._static import (
    StaticResource,
    immutable_when_hashed,
)
from ._store import (
    AppKey,
    RequestKey,
    ResponseKey,
)
from ._stream_response import (
    StreamResponse,
)
from ._streams import (
    StreamReader,
)
from ._tls import (
    TLSContext,
)
from ._view import (
    AbstractView,
    View,
)
from ._websocket import (
    WebSocketReady,
    WebSocketResponse,
    WSCloseCode,
    broadcast,
)

__all__ = [
    "IMPLEMENTATION",
    "AbstractAccessLogger",
    "AbstractMatchInfo",
    "AbstractResource",
    "AbstractRoute",
    "AbstractRouteDef",
    "AbstractRouter",
    "AbstractView",
    "AccessLogger",
    "AppKey",
    "AppRunner",
    "Application",
    "BaseRequest",
    "BaseRunner",
    "BaseSite",
    "BodyPartReader",
    "BodyPartWriter",
    "CleanupError",
    "ClientConnectionResetError",
    "ContentCoding",
    "DynamicResource",
    "ETag",
    "EventStreamResponse",
    "FileField",
    "FileResponse",
    "GracefulExit",
    "HTTPAccepted",
    "HTTPBadGateway",
    "HTTPBadRequest",
    "HTTPClientError",
    "HTTPConflict",
    "HTTPCreated",
    "HTTPError",
    "HTTPException",
    "HTTPExpectationFailed",
    "HTTPFailedDependency",
    "HTTPForbidden",
    "HTTPFound",
    "HTTPGatewayTimeout",
    "HTTPGone",
    "HTTPImATeapot",
    "HTTPInsufficientStorage",
    "HTTPInternalServerError",
    "HTTPLengthRequired",
    "HTTPLocked",
    "HTTPLoopDetected",
    "HTTPMethodNotAllowed",
    "HTTPMisdirectedRequest",
    "HTTPMove",
    "HTTPMovedPermanently",
    "HTTPMultipleChoices",
    "HTTPNetworkAuthenticationRequired",
    "HTTPNoContent",
    "HTTPNonAuthoritativeInformation",
    "HTTPNotAcceptable",
    "HTTPNotExtended",
    "HTTPNotFound",
    "HTTPNotImplemented",
    "HTTPNotModified",
    "HTTPOk",
    "HTTPPartialContent",
    "HTTPPaymentRequired",
    "HTTPPermanentRedirect",
    "HTTPPreconditionFailed",
    "HTTPPreconditionRequired",
    "HTTPProxyAuthenticationRequired",
    "HTTPRedirection",
    "HTTPRequestEntityTooLarge",
    "HTTPRequestHeaderFieldsTooLarge",
    "HTTPRequestRangeNotSatisfiable",
    "HTTPRequestTimeout",
    "HTTPRequestURITooLong",
    "HTTPResetContent",
    "HTTPSeeOther",
    "HTTPServerError",
    "HTTPServiceUnavailable",
    "HTTPSuccessful",
    "HTTPTemporaryRedirect",
    "HTTPTooEarly",
    "HTTPTooManyRequests",
    "HTTPUnauthorized",
    "HTTPUnavailableForLegalReasons",
    "HTTPUnprocessableEntity",
    "HTTPUnsupportedMediaType",
    "HTTPUpgradeRequired",
    "HTTPUseProxy",
    "HTTPVariantAlsoNegotiates",
    "HTTPVersionNotSupported",
    "Handler",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "JSONAccessLogger",
    "Middleware",
    "MsgType",
    "MultipartReader",
    "MultipartWriter",
    "NamedPipeSite",
    "NotAppKeyWarning",
    "PayloadAccessError",
    "PlainResource",
    "Policy",
    "PrefixedSubAppResource",
    "Request",
    "RequestHandler",
    "RequestKey",
    "RequestPayloadError",
    "Resource",
    "ResourceRoute",
    "Response",
    "ResponseKey",
    "RouteDef",
    "RouteGroup",
    "RouteTableDef",
    "Server",
    "ServerRunner",
    "ServerSentEvent",
    "Serving",
    "Signal",
    "SockSite",
    "StaticDef",
    "StaticResource",
    "StreamReader",
    "StreamResponse",
    "SystemRoute",
    "TCPSite",
    "TLSContext",
    "UnixSite",
    "UrlDispatcher",
    "UrlMappingMatchInfo",
    "View",
    "WSCloseCode",
    "WSMessage",
    "WSMessageTypeError",
    "WSMsgType",
    "WebSocketReady",
    "WebSocketResponse",
    "activated_sockets",
    "broadcast",
    "by_accept",
    "check_conditions",
    "compression_middleware",
    "content_disposition",
    "delete",
    "get",
    "hdrs",
    "head",
    "immutable_when_hashed",
    "json_bytes_response",
    "json_response",
    "middleware",
    "normalize_path_middleware",
    "options",
    "patch",
    "post",
    "problem",
    "put",
    "readiness",
    "route",
    "run_app",
    "serve",
    "static",
    "trusted_proxy_middleware",
    "view",
]

# A module with a `__getattr__` is slower at each name, so it has one only where it is of use,
# and until then.
if not typing.TYPE_CHECKING and importlib.util.find_spec("gunicorn") is not None:

    def __getattr__(name: str) -> object:
        # They import gunicorn, which few programs need.
        if name in ("GunicornWebWorker", "GunicornUVLoopWebWorker"):
            from . import _gunicorn

            names = globals()
            names["GunicornWebWorker"] = _gunicorn.GunicornWebWorker
            names["GunicornUVLoopWebWorker"] = _gunicorn.GunicornUVLoopWebWorker
            names.pop("__getattr__", None)
            return names[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
