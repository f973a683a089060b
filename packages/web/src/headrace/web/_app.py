"""The application: routes, middlewares, signals, shared values, and the way of a request."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from inspect import isasyncgenfunction, isawaitable
from typing import Any, Final, TypeVar, overload

from headrace.router import Miss

from ._errors import CleanupError
from ._exceptions import HTTPMethodNotAllowed, HTTPNotFound
from ._middleware import AnyMiddleware, Handler, as_handler, compose
from ._request import CLIENT_MAX_SIZE, BaseRequest, Request
from ._response import StreamResponse
from ._routes import AbstractRoute, AbstractRouteDef, MissMatch, SystemRoute, UrlDispatcher
from ._server import Server
from ._signals import Signal
from ._store import Key, Store

web_logger: Final = logging.getLogger("headrace.web")

T = TypeVar("T")

CleanupContext = Callable[
    ["Application"], "AsyncIterator[None] | AbstractAsyncContextManager[None]"
]


class Application(Store):
    """Routes, middlewares and signals, and a mapping for what handlers share.

    Args:
        logger: Where the application logs.
        middlewares: Middlewares of either dialect, the outermost first.
        handler_args: Settings for the `Server`, as `make_handler` takes them.
        client_max_size: Bytes of body that `Request.read` and its like accept; 0 for any.
        loop: Accepted for the guide's programs and ignored.
        debug: Show more of failures.
    """

    def __init__(
        self,
        *,
        logger: logging.Logger = web_logger,
        middlewares: Iterable[AnyMiddleware] = (),
        handler_args: Mapping[str, Any] | None = None,
        client_max_size: int = CLIENT_MAX_SIZE,
        loop: asyncio.AbstractEventLoop | None = None,
        debug: bool = False,
    ) -> None:
        self.logger = logger
        self.debug = debug
        self.on_response_prepare: Final[Signal[Request, StreamResponse]] = Signal()
        self.on_startup: Final[Signal[Application]] = Signal()
        self.on_shutdown: Final[Signal[Application]] = Signal()
        self.on_cleanup: Final[Signal[Application]] = Signal()
        self.cleanup_ctx: Final[list[CleanupContext]] = []
        self._router: Final = UrlDispatcher()
        self._middlewares = list(middlewares)
        self._handler_args = dict(handler_args or {})
        self._client_max_size = client_max_size
        self._finishers: list[Callable[[], Any]] = []
        self._entered: list[AbstractAsyncContextManager[None]] = []
        self._resolve = self._router.resolve
        self._missed: Handler = as_handler(self._raise_miss)
        self._frozen = False
        self._hooked = False  # whether anything listens to on_response_prepare
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

    @property
    def config_dict(self) -> Mapping[str | Key[Any], Any]:
        """The values of the application and of those around it."""
        return dict(self)

    def add_routes(self, routes: Iterable[AbstractRouteDef]) -> list[AbstractRoute]:
        """Add routes that `web.get` and its like describe."""
        return self._router.add_routes(routes)

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
        self._frozen = True
        self._hooked = len(self.on_response_prepare) > 0
        self._router.freeze()
        for signal in (
            self.on_response_prepare,
            self.on_startup,
            self.on_shutdown,
            self.on_cleanup,
        ):
            signal.freeze()
        for route in self._router.routes():
            route.chain = compose(as_handler(route.handler), self._middlewares, self)
        self._missed = compose(as_handler(self._raise_miss), self._middlewares, self)

    def make_handler(self, **settings: Any) -> Server:
        """Return the `Server` of the application, for ``loop.create_server``.

        Freezes the application; does not run `on_startup`. Settings are those of `Server`.
        """
        self.freeze()
        settings = {"debug": self.debug, **self._handler_args, **settings}
        return Server(self.dispatch, request_factory=Request, **settings)

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
        """Run `on_cleanup`, leave the contexts, and run the `register_on_finish` callbacks.

        Raises:
            CleanupError: Several of them failed; all were run.
        """
        errors: list[Exception] = []
        if self._started:
            self._started = False
            for callback in self.on_cleanup:
                await _collect(errors, callback(self))
        while self._entered:
            await _collect(errors, self._entered.pop().__aexit__(None, None, None))
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

    def dispatch(self, request: Request) -> Awaitable[StreamResponse]:
        """Find the route of a request and return what its chain of handlers returns."""
        target = request._target
        if target[0] != "/":
            path = request.encoded_path
        elif "?" in target:
            path = target[: target.index("?")]
        else:
            path = target
        request._app = self
        if self._hooked:
            request._prepare_hook = partial(self.on_response_prepare.send, request)
        if self._client_max_size != CLIENT_MAX_SIZE:
            request._client_max_size = self._client_max_size
        match = self._resolve(request.method, path)
        if isinstance(match, Miss):
            request._matched = self._miss(request, match)
            return self._missed(request)
        request._matched = match
        route = match.value
        if request._expects_continue:
            return self._expect(request, route)
        return route.chain(request)

    async def _expect(self, request: Request, route: AbstractRoute) -> StreamResponse:
        response = await route.handle_expect_header(request)
        return response if response is not None else await route.chain(request)

    def _miss(self, request: BaseRequest, miss: Miss) -> MissMatch:
        exception = (
            HTTPMethodNotAllowed(request.method, miss.allowed) if miss.allowed else HTTPNotFound()
        )
        return MissMatch(SystemRoute(exception))

    async def _raise_miss(self, request: Request) -> StreamResponse:
        """Raise the 404 or 405 of a request that no route matches."""
        exception = request.match_info.http_exception
        assert exception is not None
        raise exception

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


async def _call(func: Callable[[], Any]) -> None:
    result = func()
    if isawaitable(result):
        await result


async def _collect(errors: list[Exception], step: Awaitable[Any]) -> None:
    try:
        await step
    except Exception as error:
        errors.append(error)
