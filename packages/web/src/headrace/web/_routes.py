"""Routes and resources as programs see them, and what a request finds: its `match_info`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from weakref import ref

from yarl import URL

import headrace.web._headers as hdrs
from headrace.router import Resource as Pattern
from headrace.router import Router

from ._exceptions import HTTPException
from ._middleware import AnyHandler, Handler, as_handler
from ._policy import NO_POLICY, Policy
from ._request import BaseRequest
from ._stream_response import StreamResponse

ExpectHandler = Callable[[Any], Awaitable[StreamResponse | None]]


async def default_expect_handler(request: BaseRequest) -> StreamResponse | None:
    """Answer 100; any expectation but ``100-continue`` is refused before (417)."""
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
        resource: AbstractResource | None = None,
        policy: Policy = NO_POLICY,
    ) -> None:
        if not callable(handler):
            raise TypeError(f"a handler must be callable, not {handler!r}")
        self._method = method
        self._handler = handler
        # In tables a route goes by the name of its handler.
        self.__module__ = getattr(handler, "__module__", "")
        self.__qualname__ = getattr(handler, "__qualname__", None) or repr(handler)
        self._resource = resource
        self._expect_handler = expect_handler or default_expect_handler
        self.policy = policy
        #: The applications around the route, the outermost first.
        self.apps: tuple[Any, ...] = ()
        #: The handler inside its middlewares; composed when the application starts.
        self.chain: Handler = as_handler(handler)
        #: What is to be done for a request before `chain`; None for the usual route.
        self.enter: Callable[[Any], None] | None = None

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
    def resource(self) -> AbstractResource | None:
        """The resource to which the route belongs; None for a `SystemRoute`."""
        return self._resource

    @property
    def metadata(self) -> Mapping[Any, Any]:
        """The facts that the route's policy states for others to read."""
        return self.policy.metadata

    def get_info(self) -> Mapping[str, Any]:
        """Return what there is to know about the route's resource, for display."""
        return {} if self._resource is None else self._resource.get_info()

    def match_info(self, request: BaseRequest, params: Mapping[str, Any]) -> UrlMappingMatchInfo:
        """Build the mapping that handlers see as ``request.match_info``."""
        return UrlMappingMatchInfo(params, self, request)

    async def handle_expect_header(self, request: BaseRequest) -> StreamResponse | None:
        """Run the route's handler for requests that wait with Expect."""
        response = await self._expect_handler(request)
        if response is not None and not isinstance(response, StreamResponse):
            raise TypeError(
                f"the expect handler {self._expect_handler!r} returned {response!r}: "
                "return a response to refuse the body, None to go on"
            )
        return response


class ResourceRoute(AbstractRoute):
    """A route of a resource."""

    _resource: AbstractResource

    def url(self, **kwargs: Any) -> str:
        """Build the URL of the resource, in the guide's form."""
        return self._resource.url(**kwargs)

    def url_for(self, **parts: Any) -> URL:
        """Build the URL of the resource."""
        return self._resource.url_for(**parts)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self._method}] {self._resource!r} -> {self._handler!r}>"


class MissRoute(ResourceRoute):
    """What serves the paths of a nested application that none of its routes matches."""


class SystemRoute(AbstractRoute):
    """The route of a request that no route matches: its handler raises the 404 or 405."""

    def __init__(self, http_exception: HTTPException, apps: tuple[Any, ...] = ()) -> None:
        super().__init__(hdrs.METH_ANY, self._raise)
        self._http_exception = http_exception
        self.apps = apps

    async def _raise(self, request: BaseRequest) -> StreamResponse:
        raise self._http_exception

    @property
    def http_exception(self) -> HTTPException:
        """The answer."""
        return self._http_exception

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self._http_exception.status

    @property
    def reason(self) -> str:
        """The reason phrase of the answer."""
        return self._http_exception.reason

    def url_for(self, **parts: Any) -> URL:
        """Raise RuntimeError: there is no URL of what was not found."""
        raise RuntimeError(f"{self!r} has no URL: no route matches the request")

    def get_info(self) -> Mapping[str, Any]:
        """Return the answer, for display."""
        return {"http_exception": self._http_exception}

    def __repr__(self) -> str:
        return f"<SystemRoute {self.status}: {self.reason}>"


class AbstractResource:
    """A path, or all paths below one, with the routes that serve its methods.

    Args:
        path: The pattern of the path.
        name: The name under which `UrlDispatcher` lists the resource.
        table: Where it is found; one of its own until `UrlDispatcher.register_resource`.
    """

    def __init__(
        self, path: str, *, name: str | None = None, table: Router[ResourceRoute] | None = None
    ) -> None:
        if table is None:
            table = Router()
        #: The place as the application itself has it, with its name.
        self._origin: Pattern[ResourceRoute] = table.add_resource(path, name=name)
        #: The place as the outermost application has it, for URLs.
        self._pattern = self._origin
        self._routes: list[ResourceRoute] = []

    @property
    def name(self) -> str | None:
        """The name under which `UrlDispatcher` lists the resource."""
        return self._origin.name

    @property
    def canonical(self) -> str:
        """The path as it was registered, without regular expressions."""
        return self._pattern.canonical

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
        return {"path": self.canonical}

    def move(self, table: Router[ResourceRoute], prefix: str) -> None:
        """Serve the same routes in *table* below *prefix*: URLs are built with it from now on."""
        self._stand_at(table.add_resource(prefix + self._pattern.pattern))

    def _stand_at(self, pattern: Pattern[ResourceRoute]) -> None:
        self._pattern = pattern
        for route in self._routes:
            pattern.add_route(route.method, route)

    def __len__(self) -> int:
        return len(self._routes)

    def __iter__(self) -> Iterator[ResourceRoute]:
        return iter(self._routes)

    def __repr__(self) -> str:
        name = "" if self.name is None else f"'{self.name}' "
        return f"<{type(self).__name__} {name}{self.canonical}>"


class Resource(AbstractResource):
    """A path with the routes that serve its methods."""

    def settle(self, table: Router[ResourceRoute]) -> None:
        """Stand in *table* from now on, under its own name."""
        self._origin = table.add_resource(self._origin.pattern, name=self.name)
        self._stand_at(self._origin)

    def add_route(
        self,
        method: str,
        handler: AnyHandler,
        *,
        expect_handler: ExpectHandler | None = None,
        policy: Policy = NO_POLICY,
    ) -> ResourceRoute:
        """Serve *method* with *handler*.

        Raises:
            FrozenError: The application has started.
            ConflictError: The route could never run; the message names the other one.
            TypeError: *handler* cannot be called.
        """
        method = method.upper()
        route = ResourceRoute(
            method, handler, expect_handler=expect_handler, resource=self, policy=policy
        )
        self._pattern.add_route(method, route)
        self._routes.append(route)
        return route


class PlainResource(Resource):
    """A path without variables."""


class DynamicResource(Resource):
    """A path with variables."""

    def get_info(self) -> Mapping[str, Any]:
        """Return what there is to know about the resource, for display."""
        return {"formatter": self.canonical, "pattern": self._pattern.pattern}


class AbstractMatchInfo(ABC):
    """What a router found for a request."""

    @property
    @abstractmethod
    def route(self) -> AbstractRoute:
        """The route that serves the request."""

    @property
    @abstractmethod
    def handler(self) -> AnyHandler:
        """The route's handler."""

    @property
    @abstractmethod
    def http_exception(self) -> HTTPException | None:
        """The 404 or 405 when no route was found."""

    @property
    @abstractmethod
    def apps(self) -> tuple[Any, ...]:
        """The applications around the route, the outermost first."""

    @abstractmethod
    def get_info(self) -> Mapping[str, Any]:
        """Return what there is to know about the route's resource."""


class UrlMappingMatchInfo(dict[str, Any], AbstractMatchInfo):
    """The variables of the path, and the route that was found."""

    def __init__(
        self, values: Mapping[str, Any], route: AbstractRoute, request: BaseRequest
    ) -> None:
        dict.__init__(self, values)
        self._route: Final = route
        # The request keeps this: a reference back would leave both to the garbage collector.
        self._request: Final = ref(request)

    @property
    def route(self) -> AbstractRoute:
        """The route that serves the request."""
        return self._route

    @property
    def handler(self) -> AnyHandler:
        """The route's handler."""
        return self._route.handler

    @property
    def expect_handler(self) -> ExpectHandler:
        """The route's handler for requests that wait with Expect."""
        return self._route.handle_expect_header

    @property
    def http_exception(self) -> HTTPException | None:
        """The 404 or 405 when no route was found."""
        route = self._route
        return route.http_exception if isinstance(route, SystemRoute) else None

    @property
    def apps(self) -> tuple[Any, ...]:
        """The applications around the route, the outermost first."""
        return self._route.apps or (self.current_app,)

    @property
    def current_app(self) -> Any:
        """The application whose middleware or handler is running."""
        request = self._request()
        return self._route.apps[-1] if request is None else request._app

    def get_info(self) -> Mapping[str, Any]:
        """Return what there is to know about the route's resource."""
        return self._route.get_info()

    def __repr__(self) -> str:
        return f"<MatchInfo {super().__repr__()}: {self._route!r}>"


class MissMatch(NamedTuple):
    """What stands for a match when no route matches."""

    value: SystemRoute
    params: Mapping[str, Any] = MappingProxyType({})
