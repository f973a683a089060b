"""The dispatcher: `headrace.router` with handlers as its values, under the names of aiohttp.web."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypedDict, Unpack

import headrace.web._headers as hdrs
from headrace.router import Match, Miss, Router
from headrace.router import Resource as Pattern

from ._exceptions import HTTPMethodNotAllowed, HTTPNotFound
from ._middleware import AnyHandler, AnyMiddleware
from ._policy import NO_POLICY, Policy
from ._request import BaseRequest
from ._routes import (
    AbstractMatchInfo,
    AbstractResource,
    AbstractRoute,
    DynamicResource,
    ExpectHandler,
    MissMatch,
    MissRoute,
    PlainResource,
    Resource,
    ResourceRoute,
    SystemRoute,
    UrlMappingMatchInfo,
)
from ._sendfile import PIECE
from ._static import CacheControl, StaticResource
from ._stream_response import StreamResponse


class PolicyOptions(TypedDict, total=False):
    """The arguments of `Policy`, as methods that add routes take them."""

    middlewares: Sequence[AnyMiddleware]
    client_max_size: int | None
    client_max_fields: int | None
    timeout: float | None
    handler_cancellation: bool | None
    metadata: Mapping[Any, Any]


class RouteOptions(PolicyOptions, total=False):
    """What methods that add a route take beside method, path and handler."""

    name: str | None
    expect_handler: ExpectHandler | None


class ResourcesView:
    """The resources of a dispatcher, in order of registration."""

    def __init__(self, resources: list[AbstractResource]) -> None:
        self._resources = resources

    def __len__(self) -> int:
        return len(self._resources)

    def __iter__(self) -> Iterator[AbstractResource]:
        return iter(self._resources)

    def __contains__(self, resource: object) -> bool:
        return resource in self._resources


class RoutesView:
    """The routes of a dispatcher, in order of their resources."""

    def __init__(self, resources: list[AbstractResource]) -> None:
        self._routes = [route for resource in resources for route in resource]

    def __len__(self) -> int:
        return len(self._routes)

    def __iter__(self) -> Iterator[ResourceRoute]:
        return iter(self._routes)

    def __contains__(self, route: object) -> bool:
        return route in self._routes


class AbstractRouteDef(Protocol):
    """What `UrlDispatcher.add_routes` takes."""

    def register(self, router: Registrar) -> list[AbstractRoute]:
        """Add the described routes to *router*."""


class Registrar(ABC):
    """The methods that add routes; a dispatcher has them, and each of its groups."""

    @abstractmethod
    def add_resource(self, path: str, *, name: str | None = None) -> Resource:
        """Return the resource of *path*, made when there is none yet."""

    @property
    @abstractmethod
    def _policy(self) -> Policy: ...

    def _add(
        self, methods: Sequence[str], path: str, handler: AnyHandler, options: RouteOptions
    ) -> ResourceRoute:
        """Serve several methods with one handler; return the last route."""
        own: dict[str, Any] = {**options}
        resource = self.add_resource(path, name=own.pop("name", None))
        expect_handler = own.pop("expect_handler", None)
        policy = Policy(**own).inside(self._policy)
        routes = [
            resource.add_route(method, handler, expect_handler=expect_handler, policy=policy)
            for method in methods
        ]
        return routes[-1]

    def add_route(
        self, method: str, path: str, handler: AnyHandler, **options: Unpack[RouteOptions]
    ) -> ResourceRoute:
        """Serve *method* (``*`` for any) of *path* with *handler*.

        Options are a *name*, an *expect_handler*, and the arguments of `Policy`.
        """
        return self._add([method], path, handler, options)

    def add_head(
        self, path: str, handler: AnyHandler, **options: Unpack[RouteOptions]
    ) -> ResourceRoute:
        """Serve HEAD of *path*."""
        return self._add([hdrs.METH_HEAD], path, handler, options)

    def add_get(
        self,
        path: str,
        handler: AnyHandler,
        *,
        allow_head: bool = True,
        **options: Unpack[RouteOptions],
    ) -> ResourceRoute:
        """Serve GET of *path*, and HEAD too unless *allow_head* is False."""
        methods = [hdrs.METH_HEAD, hdrs.METH_GET] if allow_head else [hdrs.METH_GET]
        return self._add(methods, path, handler, options)

    def add_post(
        self, path: str, handler: AnyHandler, **options: Unpack[RouteOptions]
    ) -> ResourceRoute:
        """Serve POST of *path*."""
        return self._add([hdrs.METH_POST], path, handler, options)

    def add_put(
        self, path: str, handler: AnyHandler, **options: Unpack[RouteOptions]
    ) -> ResourceRoute:
        """Serve PUT of *path*."""
        return self._add([hdrs.METH_PUT], path, handler, options)

    def add_patch(
        self, path: str, handler: AnyHandler, **options: Unpack[RouteOptions]
    ) -> ResourceRoute:
        """Serve PATCH of *path*."""
        return self._add([hdrs.METH_PATCH], path, handler, options)

    def add_delete(
        self, path: str, handler: AnyHandler, **options: Unpack[RouteOptions]
    ) -> ResourceRoute:
        """Serve DELETE of *path*."""
        return self._add([hdrs.METH_DELETE], path, handler, options)

    def add_options(
        self, path: str, handler: AnyHandler, **options: Unpack[RouteOptions]
    ) -> ResourceRoute:
        """Serve OPTIONS of *path*."""
        return self._add([hdrs.METH_OPTIONS], path, handler, options)

    def add_view(
        self, path: str, handler: AnyHandler, **options: Unpack[RouteOptions]
    ) -> ResourceRoute:
        """Serve all methods of *path* with a class-based view."""
        return self._add([hdrs.METH_ANY], path, handler, options)

    @abstractmethod
    def _add_static(
        self, prefix: str, path: str | os.PathLike[str], policy: Policy, options: dict[str, Any]
    ) -> StaticResource: ...

    def add_static(
        self,
        prefix: str,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        expect_handler: ExpectHandler | None = None,
        chunk_size: int = PIECE,
        show_index: bool = False,
        follow_symlinks: bool = False,
        append_version: bool = False,
        index: str | None = "index.html",
        fallback: str | None = None,
        cache_control: CacheControl = None,
        **policy: Unpack[PolicyOptions],
    ) -> StaticResource:
        """Serve the files of a directory below *prefix*.

        Args:
            prefix: Where the directory stands among the URLs.
            path: The directory.
            name: A name for `url_for`.
            expect_handler: What answers requests with an Expect field.
            chunk_size: Bytes to send at a time.
            show_index: Whether a directory without index file is listed; 403 otherwise.
            follow_symlinks: Whether symlinks may lead out of the directory.
            append_version: Whether `url_for` adds a hash of the file, so that clients may keep
                what they have for ever.
            index: The file that stands for its directory; None for none.
            fallback: The file that answers paths without a file, when a page is asked for: for
                applications that run in the browser and route there.
            cache_control: The Cache-Control of the files, or a function that returns it for
                a path below the directory, as `immutable_when_hashed` makes them.
            policy: The arguments of `Policy`.

        Raises:
            ValueError: *path* is no directory.
            ConflictError: The prefix is taken.
        """
        options = {
            "name": name,
            "expect_handler": expect_handler,
            "chunk_size": chunk_size,
            "show_index": show_index,
            "follow_symlinks": follow_symlinks,
            "append_version": append_version,
            "index": index,
            "fallback": fallback,
            "cache_control": cache_control,
        }
        return self._add_static(prefix, path, Policy(**policy).inside(self._policy), options)

    def add_routes(self, routes: Iterable[AbstractRouteDef]) -> list[AbstractRoute]:
        """Add routes that `web.get` and its like describe."""
        return [route for definition in routes for route in definition.register(self)]


class AbstractRouter(ABC):
    """What finds the routes of requests."""

    @abstractmethod
    async def resolve(self, request: BaseRequest) -> AbstractMatchInfo:
        """Return what *request* finds."""

    @property
    @abstractmethod
    def frozen(self) -> bool:
        """Whether routes can no longer be added."""

    @abstractmethod
    def freeze(self) -> None:
        """Refuse further routes."""


class RouteGroup(Registrar):
    """Adds routes below a prefix, under a policy."""

    def __init__(self, around: Registrar, prefix: str, policy: Policy) -> None:
        self._around = around
        self._prefix = prefix.rstrip("/")
        self._own = policy

    @property
    def _policy(self) -> Policy:
        return self._own.inside(self._around._policy)

    def add_resource(self, path: str, *, name: str | None = None) -> Resource:
        """Return the resource of *path* below the group's prefix."""
        return self._around.add_resource(self._prefix + path, name=name)

    def _add_static(
        self, prefix: str, path: str | os.PathLike[str], policy: Policy, options: dict[str, Any]
    ) -> StaticResource:
        return self._around._add_static(self._prefix + prefix, path, policy, options)

    def group(self, prefix: str = "", **options: Unpack[PolicyOptions]) -> RouteGroup:
        """Return a group inside this one."""
        return RouteGroup(self, prefix, Policy(**options))


async def raise_miss(request: BaseRequest) -> StreamResponse:
    """Raise the 404 or 405 of a request that no route matches."""
    miss = request._matched
    assert isinstance(miss, MissMatch)
    raise miss.value.http_exception


def miss_match(method: str, miss: Match[ResourceRoute] | Miss, apps: tuple[Any, ...]) -> MissMatch:
    """Return what stands for a match: a route that raises the 404 or 405."""
    allowed = miss.allowed if isinstance(miss, Miss) else ()
    exception = HTTPMethodNotAllowed(method, allowed) if allowed else HTTPNotFound()
    exception.of_framework = True
    return MissMatch(SystemRoute(exception, apps))


class PrefixedSubAppResource(AbstractResource):
    """The place of a nested application: its routes, and the 404 and 405 below its prefix.

    The routes of the application stand in the table of the one around it, so that finding them
    costs no more than finding its own; what is below the prefix and matches none of them goes
    through the middlewares of the nested application too.
    """

    def __init__(
        self, table: Router[ResourceRoute], prefix: str, app: Any, inner: UrlDispatcher
    ) -> None:
        self.app = app
        self._inner = inner
        self._routes = []
        self._prefix = ""
        self.missed = MissRoute(hdrs.METH_ANY, raise_miss, resource=self)
        self.missed.enter = self._enter
        self.move(table, prefix)
        self._origin = self._pattern

    def move(self, table: Router[ResourceRoute], prefix: str) -> None:
        """Serve the same routes in *table* below *prefix*."""
        self._prefix = prefix.rstrip("/") + self._prefix
        self._pattern = table.add_prefix(self._prefix, self.missed)
        for resource in self._inner.resources():
            resource.move(table, prefix.rstrip("/"))

    def _enter(self, request: BaseRequest) -> None:
        """Replace the match with the miss that it is."""
        match = request._matched
        assert isinstance(match, Match)
        found = self._inner.find(request.method, match.raw_rest or "/")
        request._matched = miss_match(request.method, found, self.missed.apps)

    def get_info(self) -> Mapping[str, Any]:
        """Return what there is to know about the resource, for display."""
        return {"app": self.app, "prefix": self.canonical}

    def __len__(self) -> int:
        return len(self._inner.routes())

    def __iter__(self) -> Iterator[ResourceRoute]:
        return iter(self._inner.routes())


class UrlDispatcher(AbstractRouter, Registrar, Mapping[str, AbstractResource]):
    """The routes of an application, and a mapping of its named resources."""

    def __init__(self) -> None:
        self._router: Router[ResourceRoute] = Router()
        self._resources: list[AbstractResource] = []
        self._by_pattern: dict[Pattern[ResourceRoute], AbstractResource] = {}
        self.find: Callable[..., Match[ResourceRoute] | Miss] = self._router.resolve
        #: What `find` finds for paths without variables, by path and method.
        self.static = self._router.static
        #: Whether some routes stand for certain hosts only.
        self.has_domains = False

    # -- adding

    @property
    def _policy(self) -> Policy:
        return NO_POLICY

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
        if not isinstance(resource, Resource):
            kind = DynamicResource if pattern.variables else PlainResource
            resource = kind(path, name=name, table=self._router)
            self._take_in(pattern, resource)
        return resource

    def register_resource(self, resource: AbstractResource) -> None:
        """Add a resource that was made apart, ``PlainResource("/path")`` or one with variables.

        Raises:
            TypeError: *resource* is no `Resource`, or wants to be asked what it matches.
            ValueError: The path has a resource already, or the name is taken.
            RuntimeError: The application has started.
        """
        self.refuse_when_frozen()
        if not isinstance(resource, Resource) or hasattr(resource, "resolve"):
            raise TypeError(
                f"cannot register {resource!r}: routes are found by patterns, so a resource must "
                "be a PlainResource or a DynamicResource, without a resolve() of its own"
            )
        if self._router.add_resource(resource._origin.pattern) in self._by_pattern:
            raise ValueError(f"the path of {resource!r} has a resource already")
        resource.settle(self._router)
        self._take_in(resource._origin, resource)

    def _add_static(
        self, prefix: str, path: str | os.PathLike[str], policy: Policy, options: dict[str, Any]
    ) -> StaticResource:
        self.refuse_when_frozen()
        resource = StaticResource(self._router, prefix, path, policy=policy, **options)
        self._take_in(resource._origin, resource)
        return resource

    def group(self, prefix: str = "", **options: Unpack[PolicyOptions]) -> RouteGroup:
        """Return a group: what it adds stands below *prefix* and inherits the policy given."""
        return RouteGroup(self, prefix, Policy(**options))

    def mount(self, prefix: str, app: Any, inner: UrlDispatcher) -> PrefixedSubAppResource:
        """Take in the routes of a nested application below *prefix*."""
        self.refuse_when_frozen()
        return self._mounted(PrefixedSubAppResource(self._router, prefix, app, inner))

    def mount_domain(self, domain: str, app: Any, inner: UrlDispatcher) -> PrefixedSubAppResource:
        """Take in the routes of a nested application for the hosts of *domain*."""
        self.refuse_when_frozen()
        table = self._router.add_host(domain)
        self.has_domains = True
        return self._mounted(PrefixedSubAppResource(table, "", app, inner))

    def _mounted(self, resource: PrefixedSubAppResource) -> PrefixedSubAppResource:
        self._resources.append(resource)
        return resource

    def _take_in(self, pattern: Pattern[ResourceRoute], resource: AbstractResource) -> None:
        self._by_pattern[pattern] = resource
        self._resources.append(resource)

    # -- looking

    async def resolve(self, request: BaseRequest) -> UrlMappingMatchInfo:
        """Return what *request* finds here, a 404 or 405 among that; for add-ons.

        Applications use `find`, which costs less and does not change the request.
        """
        host = (request.host,) if self.has_domains else ()
        found = self.find(request.method, request.encoded_path, *host)
        match = miss_match(request.method, found, ()) if isinstance(found, Miss) else found
        return match.value.match_info(request, match.params)

    def resources(self) -> ResourcesView:
        """Return the resources."""
        return ResourcesView(self._resources)

    def routes(self) -> RoutesView:
        """Return the routes."""
        return RoutesView(self._resources)

    def named_resources(self) -> Mapping[str, AbstractResource]:
        """Return the resources that have a name."""
        named = self._router.named_resources()
        return {name: self._by_pattern[pattern] for name, pattern in named.items()}

    def table(self, format: Literal["text", "json"] = "text") -> str:  # noqa: A002
        """Return all routes as a table: method, path, name, handler, source line."""
        return self._router.table(format)

    def explain(self, method: str, path: str, host: str | None = None) -> object:
        """Return, printable, how *method* and the percent-encoded *path* find their route."""
        return self._router.explain(method, path, host)

    def __getitem__(self, name: str) -> AbstractResource:
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
        """Raise RuntimeError when the application has started or is nested."""
        if self.frozen:
            raise RuntimeError(
                "cannot add a route: the application has started, or is part of another one"
            )

    def __repr__(self) -> str:
        return f"<UrlDispatcher of {len(self._resources)} resources>"
