"""The application: routes, middlewares, signals, shared values, and the way of a request.

The request that an application dispatches stands here too: each of the two classes tells of the
other, and what is below knows neither.
"""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial, update_wrapper
from inspect import isasyncgenfunction, isawaitable
from types import EllipsisType
from typing import Any, Final, Self, TypeVar, Unpack, overload

import headrace.web._headers as hdrs
from headrace.router import Match, Miss

from ._addons import ApplicationNames
from ._dispatcher import (
    AbstractRouteDef,
    PrefixedSubAppResource,
    UrlDispatcher,
    miss_match,
    raise_miss,
)
from ._errors import CleanupError
from ._exceptions import HTTPException
from ._forms import CLIENT_MAX_FIELDS
from ._kernel import quick_calls
from ._middleware import AnyMiddleware, as_handler, compose
from ._policy import Policy
from ._request import CLIENT_MAX_SIZE, BaseRequest
from ._response import JSONArguments, JSONEncoder, Response, json_response
from ._routes import (
    AbstractRoute,
    MissMatch,
    MissRoute,
    ResourceRoute,
    SystemRoute,
    UrlMappingMatchInfo,
)
from ._server import Server
from ._signals import FreezableList, Signal
from ._store import Key, Layers, Store
from ._stream_response import StreamResponse

web_logger: Final = logging.getLogger("headrace.web")

T = TypeVar("T")


@quick_calls
class Request(BaseRequest):
    """A request that an application has dispatched."""

    _match_info: UrlMappingMatchInfo | None = None

    def _take_over(self, original: Self) -> None:
        super()._take_over(original)
        self._app = original._app
        hook = original._prepare_hook
        self._prepare_hook = hook.of(self) if isinstance(hook, _PrepareHook) else hook

    @property
    def app(self) -> Application:
        """The application whose middleware or handler is running."""
        app: Application = self._app
        return app

    @property
    def config_dict(self) -> Layers:
        """The values of the application and, where it has none, of those around it."""
        return Layers(*reversed(self.match_info.apps))

    @property
    def match_info(self) -> UrlMappingMatchInfo:
        """What the dispatcher found: a mapping of the path's variables, and the route."""
        found = self._match_info
        if found is None:
            matched = self._matched
            if matched is None:
                raise AttributeError("the request has not been dispatched yet")
            found = self._match_info = matched.value.match_info(self, matched.params)
        return found


Handler = Callable[[Request], Awaitable[StreamResponse]]
Middleware = Callable[[Request, Handler], Awaitable[StreamResponse]]

CleanupContext = Callable[
    ["Application"], "AsyncIterator[None] | AbstractAsyncContextManager[None]"
]


class Application(Store, ApplicationNames):
    """Routes, middlewares and signals, and a mapping for what handlers share.

    Args:
        logger: Where the application logs.
        router: A dispatcher with routes to begin with.
        middlewares: Middlewares of either dialect, the outermost first.
        handler_args: Settings for the `Server`, as `make_handler` takes them.
        client_max_size: Bytes of body that `Request.read` and its like accept; 0 or None for any.
            1 MiB by default, or what the application around this one says.
        client_max_fields: Fields of a form that `Request.post` accepts; 0 or None for any number.
            1000 by default, or what the application around this one says.
        handler_timeout: Seconds that a handler may take, as in `Policy`.
        handler_cancellation: Whether handlers are cancelled when their client disconnects.
        metadata: Facts about all routes, as in `Policy`.
        json_dumps: Encodes what `Application.json_response` is given, to text or bytes.
        loop: Accepted for the guide's programs and ignored.
        debug: Show more of failures.
    """

    def __init__(
        self,
        *,
        logger: logging.Logger = web_logger,
        router: UrlDispatcher | None = None,
        middlewares: Iterable[AnyMiddleware] = (),
        handler_args: Mapping[str, Any] | None = None,
        client_max_size: int | EllipsisType | None = ...,
        client_max_fields: int | EllipsisType | None = ...,
        handler_timeout: float | None = None,
        handler_cancellation: bool | None = None,
        metadata: Mapping[Any, Any] | None = None,
        json_dumps: JSONEncoder = json.dumps,
        loop: asyncio.AbstractEventLoop | None = None,
        debug: bool = False,
    ) -> None:
        self.logger = logger
        self.debug = debug
        self.on_response_prepare: Final[Signal[Request, StreamResponse]] = Signal(self)
        self.on_startup: Final[Signal[Application]] = Signal(self)
        self.on_shutdown: Final[Signal[Application]] = Signal(self)
        self.on_cleanup: Final[Signal[Application]] = Signal(self)
        self.cleanup_ctx: Final[FreezableList[CleanupContext]] = FreezableList()
        self._router: Final = router or UrlDispatcher()
        self._middlewares = list(middlewares)
        self._handler_args = dict(handler_args or {})
        self.json_dumps = json_dumps
        self._policy = Policy(
            client_max_size=_limit_of(client_max_size),
            client_max_fields=_limit_of(client_max_fields),
            timeout=handler_timeout,
            handler_cancellation=handler_cancellation,
            metadata=metadata or {},
        )
        self._finishers: list[Callable[[], Any]] = []
        self._entered: list[AbstractAsyncContextManager[None]] = []
        self._find = self._router.find
        self._static = self._router.static
        #: What serves the requests that no route matches.
        self._missed = AbstractRoute(hdrs.METH_ANY, raise_miss)
        self._frozen = False
        self._starting = False
        self._started = False

    # -- what it is made of

    @property
    def router(self) -> UrlDispatcher:
        """The routes."""
        return self._router

    @property
    def middlewares(self) -> list[AnyMiddleware]:
        """The middlewares, the outermost first; changes count until the application starts."""
        return self._middlewares

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running event loop."""
        return asyncio.get_running_loop()

    def add_routes(self, routes: Iterable[AbstractRouteDef]) -> list[AbstractRoute]:
        """Add routes that `web.get` and its like describe."""
        return self._router.add_routes(routes)

    def json_response(self, data: Any = None, **options: Unpack[JSONArguments]) -> Response:
        """Return `web.json_response` of *data*, encoded as the application does."""
        return json_response(data, dumps=self.json_dumps, **options)

    def add_subapp(self, prefix: str, subapp: Application) -> PrefixedSubAppResource:
        """Serve *subapp* below *prefix*, which may have variables; "/" serves it beside the own.

        Middlewares and signals of this application are around those of *subapp*. No routes can
        be added to *subapp* afterwards.

        Raises:
            RuntimeError: One of the two has started, or is part of an application already.
            ConflictError: A route of *subapp* could never run.
        """
        return self._adopt(subapp, lambda: self._router.mount(prefix, subapp, subapp.router))

    def add_domain(self, domain: str, subapp: Application) -> PrefixedSubAppResource:
        """Serve *subapp* for the hosts of *domain*, as ``"*.example.org"``; see `add_subapp`."""
        return self._adopt(subapp, lambda: self._router.mount_domain(domain, subapp, subapp.router))

    def _adopt(
        self, subapp: Application, mount: Callable[[], PrefixedSubAppResource]
    ) -> PrefixedSubAppResource:
        if self._frozen:
            raise RuntimeError("cannot add a sub-application: the application has started")
        if subapp.router.frozen:
            raise RuntimeError("the sub-application has started or is added already")
        resource = mount()
        subapp.router.freeze()
        # Its life goes on between that of what was registered before and what will be after.
        self.on_startup.append(lambda app: subapp.startup())
        self.on_shutdown.append(lambda app: subapp.shutdown())
        self.on_cleanup.append(lambda app: subapp.cleanup())
        return resource

    @overload
    def __setitem__(self, key: Key[T], value: T) -> None: ...
    @overload
    def __setitem__(self, key: str, value: Any) -> None: ...
    def __setitem__(self, key: Any, value: Any) -> None:
        self._warn_when_started()
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self._warn_when_started()
        super().__delitem__(key)

    def _warn_when_started(self) -> None:
        # What `on_startup` and `cleanup_ctx` store is what they are for.
        if self._frozen and not self._starting:
            warnings.warn(
                "changing a started application is deprecated: set values before it starts",
                DeprecationWarning,
                stacklevel=3,
            )

    # -- life

    @property
    def frozen(self) -> bool:
        """Whether routes, middlewares and signals can no longer be changed."""
        return self._frozen

    def freeze(self) -> None:
        """End the changes and compose each route's handler with the middlewares."""
        if self._frozen:
            return
        default = Policy(client_max_size=CLIENT_MAX_SIZE, client_max_fields=CLIENT_MAX_FIELDS)
        self._arrange((), default)

    def _arrange(self, outer: tuple[Application, ...], around: Policy) -> None:
        """End the changes, inside the applications of *outer* and their policy."""
        self._frozen = True
        self._router.freeze()
        for signal in (
            self.on_response_prepare,
            self.on_startup,
            self.on_shutdown,
            self.on_cleanup,
            self.cleanup_ctx,
        ):
            signal.freeze()
        apps = (*outer, self)
        policy = self._policy.inside(around)
        _prepare(self._missed, apps, policy)
        for resource in self._router.resources():
            if isinstance(resource, PrefixedSubAppResource):
                resource.app._arrange(apps, policy)
                _prepare(resource.missed, (*apps, resource.app), policy)
            else:
                for route in resource:
                    _prepare(route, apps, policy)

    def make_handler(self, **settings: Any) -> Server:
        """Return the `Server` of the application, for ``loop.create_server``.

        Freezes the application; does not run `on_startup`. Settings are those of `Server`.
        """
        self.freeze()
        settings = {"debug": self.debug, **self._handler_args, **settings}
        dispatch = self.dispatch_by_host if self._router.has_domains else self.dispatch
        server = Server(dispatch, request_factory=Request, **settings)
        server.refuse = self.refuse
        return server

    async def startup(self) -> None:
        """Enter the `cleanup_ctx` contexts and run `on_startup`."""
        self.freeze()
        self._started = self._starting = True
        try:
            for context in self.cleanup_ctx:
                entered = _context_manager(context, self)
                await entered.__aenter__()
                self._entered.append(entered)
            await self.on_startup.send(self)
        finally:
            self._starting = False

    async def shutdown(self) -> None:
        """Run `on_shutdown`: time to end what keeps handlers from ending."""
        await self.on_shutdown.send(self)

    async def cleanup(self) -> None:
        """Leave the contexts, the last one first, and run `on_cleanup`; then `register_on_finish`.

        Raises:
            CleanupError: Several of them failed; all were run.
        """
        errors: list[BaseException] = []
        while self._entered:
            await _collect(errors, self._entered.pop().__aexit__(None, None, None))
        if self._started:
            self._started = False
            for callback in self.on_cleanup:
                await _collect(errors, callback(self))
        while self._finishers:
            await _collect(errors, _call(self._finishers.pop()))
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise CleanupError("several errors while the application was cleaned up", errors)

    async def finish(self) -> None:
        """Clean up: the guide's name of `cleanup`; what has run does not run again."""
        await self.cleanup()

    def register_on_finish(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Call ``func(app, *args, **kwargs)`` when the application ends, the last one first."""
        self._finishers.append(partial(func, self, *args, **kwargs))

    # -- the way of a request

    def refuse(self, refusal: HTTPException, request: Request) -> Awaitable[StreamResponse]:
        """Answer a malformed request with *refusal*, which passes the middlewares."""
        request._app = self
        missed = self._missed
        request._matched = MissMatch(SystemRoute(refusal, missed.apps))
        if missed.enter is not None:
            missed.enter(request)
        return missed.chain(request)

    def dispatch(self, request: Request) -> Awaitable[StreamResponse]:
        """Find the route of a request and return what its chain of handlers returns."""
        request._app = self
        target = request._target
        # A target with more than a path, or without one, is none of these paths.
        matches = self._static.get(target)
        match = None if matches is None else matches.get(request.method)
        if match is None:
            if target[0] != "/":
                target = request.encoded_path
            elif "?" in target:
                target = target[: target.index("?")]
            find = self._find  # what an instance has is called quicker by a name of its own
            found = find(request.method, target)
            if isinstance(found, Miss):
                return self._dispatch_miss(request, found)
            match = found
        # The same as `_run`, without its frame.
        request._matched = match
        route = match[0]
        if route.enter is not None or request._expects_continue:
            return self._run(request, match)
        chain = route.chain
        return chain(request)

    def dispatch_by_host(self, request: Request) -> Awaitable[StreamResponse]:
        """Do as `dispatch`, for an application with routes that stand for certain hosts."""
        request._app = self
        match = self._find(request.method, request.encoded_path, request.host)
        if isinstance(match, Miss):
            return self._dispatch_miss(request, match)
        return self._run(request, match)

    def _run(self, request: Request, match: Match[ResourceRoute]) -> Awaitable[StreamResponse]:
        request._matched = match
        route = match.value
        if route.enter is not None:
            route.enter(request)
        if request._expects_continue:
            return _expect(request, route)
        return route.chain(request)

    def _dispatch_miss(self, request: Request, miss: Miss) -> Awaitable[StreamResponse]:
        missed = self._missed
        request._matched = miss_match(request.method, miss, missed.apps)
        if missed.enter is not None:
            missed.enter(request)
        return missed.chain(request)

    def resolves(self, request: Request, path: str) -> bool:
        """Tell whether a request like *request* for another *path* would find a route."""
        found = self._find(request.method, path, *self._host_of(request))
        return isinstance(found, Match) and not isinstance(found.value, MissRoute)

    def _host_of(self, request: Request) -> tuple[str, ...]:
        return (request.host,) if self._router.has_domains else ()

    def __call__(self) -> Self:
        """Return the application: gunicorn wants to be given something that is callable."""
        return self

    def __repr__(self) -> str:
        return f"<Application 0x{id(self):x}>"


def _context_manager(
    context: CleanupContext, app: Application
) -> AbstractAsyncContextManager[None]:
    if isasyncgenfunction(context):
        return asynccontextmanager(context)(app)
    entered = context(app)
    if isinstance(entered, AbstractAsyncContextManager):
        return entered
    raise TypeError(f"cleanup_ctx entry {context!r} is no async generator or context manager")


def _limit_of(given: int | EllipsisType | None) -> int | None:
    """Return a limit as policies have it: None for that of the application around, 0 for none."""
    if given is None:
        return 0
    return None if isinstance(given, EllipsisType) else given


async def _call(func: Callable[[], Any]) -> None:
    result = func()
    if isawaitable(result):
        await result


async def _collect(errors: list[BaseException], step: Awaitable[Any]) -> None:
    try:
        await step
    except (Exception, asyncio.CancelledError) as error:
        errors.append(error)


async def _expect(request: Request, route: AbstractRoute) -> StreamResponse:
    response = await route.handle_expect_header(request)
    return response if response is not None else await route.chain(request)


def _prepare(route: AbstractRoute, apps: tuple[Application, ...], around: Policy) -> None:
    """Compose what a route does for each request, once for all of them."""
    route.apps = apps
    policy = route.policy = route.policy.inside(around)
    chain = compose(as_handler(route.handler), policy.middlewares, apps[-1])
    if policy.timeout:
        chain = _within(policy.timeout, chain)
    for app in reversed(apps):
        chain = compose(chain, app.middlewares, app)
        if app is not apps[0]:
            chain = _inside(app, chain)
    route.chain = chain
    steps = [] if route.enter is None else [route.enter]
    if any(len(app.on_response_prepare) for app in apps):
        steps.append(partial(_set_hook, apps))
    if policy.handler_cancellation is not None or (
        (policy.client_max_size, policy.client_max_fields) != (CLIENT_MAX_SIZE, CLIENT_MAX_FIELDS)
    ):
        steps.append(partial(_limit, policy))
    route.enter = _in_turn(steps)


def _in_turn(steps: list[Callable[[Request], None]]) -> Callable[[Request], None] | None:
    if len(steps) < 2:
        return steps[0] if steps else None

    def enter(request: Request) -> None:
        for step in steps:
            step(request)

    return enter


class _PrepareHook:
    """Sends `on_response_prepare`, of the outermost application first.

    Wherever the answer was made: what is called sees the request of the innermost one.
    """

    __slots__ = ("_apps", "_request")

    def __init__(self, apps: tuple[Application, ...], request: Request) -> None:
        self._apps = apps
        self._request = request

    async def __call__(self, response: StreamResponse) -> None:
        request = self._request
        running, request._app = request._app, self._apps[-1]
        try:
            for app in self._apps:
                await app.on_response_prepare.send(request, response)
        finally:
            request._app = running

    def of(self, request: Request) -> _PrepareHook:
        """Return the same for a clone."""
        return _PrepareHook(self._apps, request)


def _set_hook(apps: tuple[Application, ...], request: Request) -> None:
    request._prepare_hook = _PrepareHook(apps, request)


def _limit(policy: Policy, request: Request) -> None:
    assert policy.client_max_size is not None
    assert policy.client_max_fields is not None
    request._client_max_size = policy.client_max_size
    request._client_max_fields = policy.client_max_fields
    if policy.handler_cancellation is not None:
        request._exchange.cancel_on_disconnect(policy.handler_cancellation)


def _within(timeout: float, inner: Handler) -> Handler:
    async def handler(request: Request) -> StreamResponse:
        async with asyncio.timeout(timeout):
            return await inner(request)

    return update_wrapper(handler, inner)


def _inside(app: Application, inner: Handler) -> Handler:
    """Make *app* the request's application for as long as *inner* runs."""

    async def handler(request: Request) -> StreamResponse:
        outer, request._app = request._app, app
        try:
            return await inner(request)
        finally:
            request._app = outer

    return update_wrapper(handler, inner)
