"""The dispatcher: `headrace.router` with handlers as its values, under the names of aiohttp.web."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from yarl import URL

from headrace.router import Match, Miss, Router
from headrace.router import Resource as Pattern

from . import _headers as hdrs
from ._exceptions import HTTPException, HTTPExpectationFailed
from ._middleware import AnyHandler, Handler, as_handler
from ._request import BaseRequest, Request
from ._response import StreamResponse

ExpectHandler = Callable[[Request], Awaitable[StreamResponse | None]]


async def default_expect_handler(request: Request) -> StreamResponse | None:
    """Answer 100 to ``100-continue``, and 417 to any other expectation.

    The field's value is case-insensitive (RFC 9110, section 10.1.1).
    """
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        raise HTTPExpectationFailed
    await request.send_continue()
    return None


class AbstractRoute:
    """A handler for a method."""

    def __init__(
        self,
        method: str,
        handler: AnyHandler,
        *,
        expect_handler: ExpectHandler | None = None,
        resource: Resource | None = None,
    ) -> None:
        if not callable(handler):
            raise TypeError(f"a handler must be callable, not {handler!r}")
        self._method = method
        self._handler = handler
        self._resource = resource
        self._expect_handler = expect_handler or default_expect_handler
        #: The handler inside its middlewares; composed when the application starts.
        self.chain: Handler = as_handler(handler)

    @property
    def method(self) -> str:
        """The method in capitals, or ``*`` for any."""
        return self._method

    @property
    def handler(self) -> AnyHandler:
        """The handler as it was registered."""
        return self._handler

    @property
    def name(self) -> str | None:
        """The name of the route's resource."""
        return None if self._resource is None else self._resource.name

    @property
    def resource(self) -> Resource | None:
        """The resource to which the route belongs; None for a `SystemRoute`."""
        return self._resource

    def match_info(self, request: BaseRequest, params: Mapping[str, Any]) -> UrlMappingMatchInfo:
        """Build the mapping that handlers see as ``request.match_info``."""
        assert isinstance(request, Request)
        return UrlMappingMatchInfo(params, self, request.app)

    async def handle_expect_header(self, request: Request) -> StreamResponse | None:
        """Run the route's handler for requests that wait with Expect."""
        return await self._expect_handler(request)


class ResourceRoute(AbstractRoute):
    """A route of a resource."""

    _resource: Resource

    def url(self, **kwargs: Any) -> str:
        """Build the URL of the resource, in the guide's form."""
        return self._resource.url(**kwargs)

    def url_for(self, **parts: Any) -> URL:
        """Build the URL of the resource."""
        return self._resource.url_for(**parts)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self._method}] {self._resource!r} -> {self._handler!r}>"


class SystemRoute(AbstractRoute):
    """The route of a request that no route matches: its handler raises the 404 or 405."""

    def __init__(self, http_exception: HTTPException) -> None:
        super().__init__(hdrs.METH_ANY, self._raise)
        self._http_exception = http_exception

    async def _raise(self, request: Request) -> StreamResponse:
        raise self._http_exception

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self._http_exception.status

    @property
    def reason(self) -> str:
        """The reason phrase of the answer."""
        return self._http_exception.reason

    def __repr__(self) -> str:
        return f"<SystemRoute {self.status}: {self.reason}>"


class Resource:
    """A path with the routes that serve its methods."""

    def __init__(self, dispatcher: UrlDispatcher, pattern: Pattern[ResourceRoute]) -> None:
        self._dispatcher = dispatcher
        self._pattern = pattern
        self._routes: list[ResourceRoute] = []

    @property
    def name(self) -> str | None:
        """The name under which `UrlDispatcher` lists the resource."""
        return self._pattern.name

    @property
    def canonical(self) -> str:
        """The path as it was registered, without regular expressions."""
        return self._pattern.canonical

    def add_route(
        self, method: str, handler: AnyHandler, *, expect_handler: ExpectHandler | None = None
    ) -> ResourceRoute:
        """Serve *method* with *handler*.

        Raises:
            RuntimeError: The application has started.
            ConflictError: The route could never run; the message names the other one.
            TypeError: *handler* cannot be called.
        """
        self._dispatcher.refuse_when_frozen()
        method = method.upper()
        route = ResourceRoute(method, handler, expect_handler=expect_handler, resource=self)
        self._pattern.add_route(method, route)
        self._routes.append(route)
        return route

    def url(
        self,
        *,
        parts: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | str | None = None,
        filename: str | None = None,
    ) -> str:
        """Build the URL in the guide's form: *parts* fill the variables."""
        return self._pattern.url(parts=parts, query=query, filename=filename)

    def url_for(self, **parts: Any) -> URL:
        """Build the URL; *parts* fill the variables."""
        return self._pattern.url_for(**parts)

    def get_info(self) -> Mapping[str, Any]:
        """Return what there is to know about the resource, for display."""
        return {"formatter": self.canonical} if "{" in self.canonical else {"path": self.canonical}

    def __len__(self) -> int:
        return len(self._routes)

    def __iter__(self) -> Iterator[ResourceRoute]:
        return iter(self._routes)

    def __repr__(self) -> str:
        name = "" if self.name is None else f"'{self.name}' "
        return f"<{type(self).__name__} {name}{self.canonical}>"


class UrlMappingMatchInfo(dict[str, Any]):
    """The variables of the path, and the route that was found."""

    def __init__(self, values: Mapping[str, Any], route: AbstractRoute, app: Any) -> None:
        super().__init__(values)
        self._route: Final = route
        self._app: Final = app

    @property
    def route(self) -> AbstractRoute:
        """The route that serves the request."""
        return self._route

    @property
    def handler(self) -> AnyHandler:
        """The route's handler."""
        return self._route.handler

    @property
    def http_exception(self) -> HTTPException | None:
        """The 404 or 405 when no route was found."""
        route = self._route
        return route._http_exception if isinstance(route, SystemRoute) else None

    @property
    def apps(self) -> tuple[Any, ...]:
        """The applications around the route, the outermost first."""
        return (self._app,)

    @property
    def current_app(self) -> Any:
        """The innermost of `apps`."""
        return self._app

    def get_info(self) -> Mapping[str, Any]:
        """Return what there is to know about the route's resource."""
        resource = self._route.resource
        return {} if resource is None else resource.get_info()

    def __repr__(self) -> str:
        return f"<MatchInfo {super().__repr__()}: {self._route!r}>"


class MissMatch(NamedTuple):
    """What stands for a match when no route matches."""

    value: SystemRoute
    params: Mapping[str, Any] = MappingProxyType({})


class ResourcesView:
    """The resources of a dispatcher, in order of registration."""

    def __init__(self, resources: list[Resource]) -> None:
        self._resources = resources

    def __len__(self) -> int:
        return len(self._resources)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._resources)

    def __contains__(self, resource: object) -> bool:
        return resource in self._resources


class RoutesView:
    """The routes of a dispatcher, in order of their resources."""

    def __init__(self, resources: list[Resource]) -> None:
        self._routes = [route for resource in resources for route in resource]

    def __len__(self) -> int:
        return len(self._routes)

    def __iter__(self) -> Iterator[ResourceRoute]:
        return iter(self._routes)

    def __contains__(self, route: object) -> bool:
        return route in self._routes


class AbstractRouteDef(Protocol):
    """What `UrlDispatcher.add_routes` takes."""

    def register(self, router: UrlDispatcher) -> list[AbstractRoute]:
        """Add the described routes to *router*."""


class UrlDispatcher(Mapping[str, Resource]):
    """The routes of an application, and a mapping of its named resources."""

    def __init__(self) -> None:
        self._router: Router[ResourceRoute] = Router()
        self._resources: list[Resource] = []
        self._by_pattern: dict[Pattern[ResourceRoute], Resource] = {}
        self.resolve: Callable[[str, str], Match[ResourceRoute] | Miss] = self._router.resolve

    # -- adding

    def add_resource(self, path: str, *, name: str | None = None) -> Resource:
        """Return the resource of *path*, made when there is none yet.

        Raises:
            PatternError: *path* is malformed.
            ValueError: *name* is taken by another resource.
            RuntimeError: The application has started.
        """
        self.refuse_when_frozen()
        pattern = self._router.add_resource(path, name=name)
        resource = self._by_pattern.get(pattern)
        if resource is None:
            resource = self._by_pattern[pattern] = Resource(self, pattern)
            self._resources.append(resource)
        return resource

    def add_route(
        self,
        method: str,
        path: str,
        handler: AnyHandler,
        *,
        name: str | None = None,
        expect_handler: ExpectHandler | None = None,
    ) -> ResourceRoute:
        """Serve *method* (``*`` for any) of *path* with *handler*."""
        resource = self.add_resource(path, name=name)
        return resource.add_route(method, handler, expect_handler=expect_handler)

    def add_head(self, path: str, handler: AnyHandler, **kwargs: Any) -> ResourceRoute:
        """Serve HEAD of *path*."""
        return self.add_route(hdrs.METH_HEAD, path, handler, **kwargs)

    def add_get(
        self,
        path: str,
        handler: AnyHandler,
        *,
        name: str | None = None,
        allow_head: bool = True,
        **kwargs: Any,
    ) -> ResourceRoute:
        """Serve GET of *path*, and HEAD too unless *allow_head* is False."""
        resource = self.add_resource(path, name=name)
        if allow_head:
            resource.add_route(hdrs.METH_HEAD, handler, **kwargs)
        return resource.add_route(hdrs.METH_GET, handler, **kwargs)

    def add_post(self, path: str, handler: AnyHandler, **kwargs: Any) -> ResourceRoute:
        """Serve POST of *path*."""
        return self.add_route(hdrs.METH_POST, path, handler, **kwargs)

    def add_put(self, path: str, handler: AnyHandler, **kwargs: Any) -> ResourceRoute:
        """Serve PUT of *path*."""
        return self.add_route(hdrs.METH_PUT, path, handler, **kwargs)

    def add_patch(self, path: str, handler: AnyHandler, **kwargs: Any) -> ResourceRoute:
        """Serve PATCH of *path*."""
        return self.add_route(hdrs.METH_PATCH, path, handler, **kwargs)

    def add_delete(self, path: str, handler: AnyHandler, **kwargs: Any) -> ResourceRoute:
        """Serve DELETE of *path*."""
        return self.add_route(hdrs.METH_DELETE, path, handler, **kwargs)

    def add_options(self, path: str, handler: AnyHandler, **kwargs: Any) -> ResourceRoute:
        """Serve OPTIONS of *path*."""
        return self.add_route(hdrs.METH_OPTIONS, path, handler, **kwargs)

    def add_routes(self, routes: Iterable[AbstractRouteDef]) -> list[AbstractRoute]:
        """Add routes that `web.get` and its like describe."""
        return [route for definition in routes for route in definition.register(self)]

    # -- looking

    def resources(self) -> ResourcesView:
        """Return the resources."""
        return ResourcesView(self._resources)

    def routes(self) -> RoutesView:
        """Return the routes."""
        return RoutesView(self._resources)

    def named_resources(self) -> Mapping[str, Resource]:
        """Return the resources that have a name."""
        named = self._router.named_resources()
        return {name: self._by_pattern[pattern] for name, pattern in named.items()}

    def __getitem__(self, name: str) -> Resource:
        return self._by_pattern[self._router[name]]

    def __len__(self) -> int:
        return len(self._router)

    def __iter__(self) -> Iterator[str]:
        return iter(self._router)

    def __contains__(self, name: object) -> bool:
        return name in self._router

    def __bool__(self) -> bool:
        # A dispatcher without names is still a dispatcher.
        return True

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    # -- life

    @property
    def frozen(self) -> bool:
        """Whether routes can no longer be added."""
        return self._router.frozen

    def freeze(self) -> None:
        """Refuse further routes."""
        self._router.freeze()

    def refuse_when_frozen(self) -> None:
        """Raise RuntimeError when the application has started."""
        if self.frozen:
            raise RuntimeError("cannot add a route: the application has started")

    def __repr__(self) -> str:
        return f"<UrlDispatcher of {len(self._resources)} resources>"
