"""Middlewares of both dialects: how they are told apart, in which order they run, what they see."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from exchanges import make_request

from headrace import web
from headrace.web._middleware import is_factory

Request = web.Request
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OwnRequest(web.Request):
    pass


def handler_of() -> Any:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="handler")

    return handler


# -- D1: which undecorated callables are middlewares, and which the guide's factories


async def named_request(request, handler):  # type: ignore[no-untyped-def]
    return await handler(request)


async def annotated(req: web.Request, nxt: Any) -> Any:
    return await nxt(req)


async def annotated_with_a_base(req: web.BaseRequest, nxt: Any) -> Any:
    return await nxt(req)


async def annotated_with_an_alias(req: Request, nxt: Any) -> Any:
    return await nxt(req)


async def annotated_with_a_subclass(req: OwnRequest, nxt: Any) -> Any:
    return await nxt(req)


async def annotated_in_quotes(req: "web.Request", nxt: Any) -> Any:  # noqa: UP037
    return await nxt(req)


@web.middleware
async def marked(app: Any, handler: Any) -> Any:
    return await handler(app)


class Instance:
    async def __call__(self, request: Any, handler: Any) -> Any:
        return await handler(request)

    async def method(self, request: Any, handler: Any) -> Any:
        return await handler(request)

    @web.middleware
    async def marked(self, one: Any, two: Any) -> Any:
        return await two(one)

    async def factory(self, app: Any, handler: Any) -> Any:
        return handler


def wrapping(f: Any) -> Any:
    @functools.wraps(f)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await f(*args, **kwargs)

    return wrapper


def renaming(f: Any) -> Any:
    @functools.wraps(f)
    async def wrapper(one: Any, two: Any) -> Any:
        return await f(one, two)

    return wrapper


async def with_more(request: Any, handler: Any, more: int = 1) -> Any:
    return await handler(request)


async def positional(request: Any, handler: Any, /) -> Any:
    return await handler(request)


async def keyword_only(request: Any, *, handler: Any) -> Any:
    return await handler(request)


async def with_option(option: str, request: Any, handler: Any) -> Any:
    return await handler(request)


async def factory(app: Any, handler: Any) -> Any:
    return handler


async def factory_annotated(app: web.Application, handler: Handler) -> Handler:
    return handler


async def factory_of_another_name(application: Any, inner: Any) -> Any:
    return inner


MIDDLEWARES: list[Any] = [
    named_request,
    annotated,
    annotated_with_a_base,
    annotated_with_an_alias,
    annotated_with_a_subclass,
    annotated_in_quotes,
    marked,
    Instance(),
    Instance().method,
    Instance().marked,
    wrapping(named_request),
    wrapping(marked),
    wrapping(annotated),
    renaming(named_request),
    with_more,
    positional,
    keyword_only,
    functools.partial(with_option, "option"),
    web.middleware(functools.partial(with_option, "option")),
]
FACTORIES: list[Any] = [
    factory,
    factory_annotated,
    factory_of_another_name,
    Instance().factory,
    wrapping(factory),
    functools.partial(factory),
]


def called(f: Any) -> str:
    return getattr(f, "__qualname__", None) or type(f).__name__


async def served_through(f: Any) -> str | None:
    """Serve a request through *f* and return the text of the answer."""
    app = web.Application(middlewares=[f])
    app.router.add_get("/", handler_of())
    app.freeze()
    response = await app.dispatch(make_request())
    assert isinstance(response, web.Response)
    return response.text


@pytest.mark.parametrize("f", MIDDLEWARES, ids=called)
async def test_it_is_a_middleware(f: Any) -> None:
    assert not is_factory(f)
    assert await served_through(f) == "handler"


@pytest.mark.parametrize("f", FACTORIES, ids=called)
async def test_it_is_a_factory(f: Any) -> None:
    assert is_factory(f)
    assert await served_through(f) == "handler"


@pytest.mark.parametrize(
    "f",
    [lambda: None, web.middleware(lambda: None), web.middleware(lambda request: None)],
    ids=["nothing", "marked nothing", "one argument"],
)
def test_too_few_arguments_are_an_error_at_the_start(f: Any) -> None:
    app = web.Application(middlewares=[f])
    app.router.add_get("/", handler_of())
    with pytest.raises(TypeError, match=r"expected \(request, handler\)"):
        app.freeze()


def test_the_decorator_returns_the_function() -> None:
    async def f(a: Any, b: Any) -> Any: ...

    assert web.middleware(f) is f


# -- order


def traced(name: str, kind: str, trace: list[str]) -> Any:
    """Return a middleware of one dialect that writes down when it begins and ends."""

    async def middleware(request: Any, handler: Any) -> Any:
        trace.append(f"{name} in")
        response = await handler(request)
        trace.append(f"{name} out")
        return response

    if kind == "middleware":
        return middleware

    async def factory(app: Any, handler: Any) -> Any:
        trace.append(f"{name} made")
        return functools.partial(middleware, handler=handler)

    return factory


ORDERS = [
    (["middleware"] * 3, ["0 in", "1 in", "2 in", "2 out", "1 out", "0 out"]),
    (
        ["factory"] * 2,
        ["0 made", "0 in", "1 made", "1 in", "1 out", "0 out"],
    ),
    (
        ["middleware", "factory", "middleware"],
        ["0 in", "1 made", "1 in", "2 in", "2 out", "1 out", "0 out"],
    ),
    ([], []),
]


@pytest.mark.parametrize(("kinds", "expected"), ORDERS)
async def test_the_first_is_outermost(kinds: list[str], expected: list[str]) -> None:
    trace: list[str] = []
    middlewares = [traced(str(number), kind, trace) for number, kind in enumerate(kinds)]
    app = web.Application(middlewares=middlewares)
    app.router.add_get("/", handler_of())
    app.freeze()
    assert trace == [], "nothing runs before a request"
    for _ in range(2):
        trace.clear()
        await app.dispatch(make_request())
        assert trace == expected, "factories are awaited for each request"


async def test_middlewares_may_be_added_until_the_start() -> None:
    trace: list[str] = []
    app = web.Application()
    app.router.add_get("/", handler_of())
    app.middlewares.append(traced("late", "middleware", trace))
    app.freeze()
    await app.dispatch(make_request())
    assert trace == ["late in", "late out"]


async def test_a_factory_gets_the_application() -> None:
    seen = []

    async def factory(app: Any, handler: Any) -> Any:
        seen.append(app)
        return handler

    app = web.Application(middlewares=[factory])
    app.router.add_get("/", handler_of())
    app.freeze()
    await app.dispatch(make_request())
    assert seen == [app]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/missing", 404), ("PUT", "/", 405)]
)
@pytest.mark.parametrize("kind", ["middleware", "factory"])
async def test_they_see_routing_errors(kind: str, method: str, path: str, status: int) -> None:
    seen = []

    async def middleware(request: Any, handler: Any) -> Any:
        try:
            return await handler(request)
        except web.HTTPException as error:
            seen.append((error.status, request.match_info.http_exception is error))
            return web.Response(text="rendered", status=error.status)

    async def factory(app: Any, handler: Any) -> Any:
        return functools.partial(middleware, handler=handler)

    app = web.Application(middlewares=[middleware if kind == "middleware" else factory])
    app.router.add_route("GET", "/", handler_of())
    app.freeze()
    response = await app.dispatch(make_request(path, method=method))
    assert (response.status, seen) == (status, [(status, True)])


async def test_a_middleware_may_answer_itself() -> None:
    async def forbid(request: Any, handler: Any) -> web.Response:
        return web.HTTPForbidden()

    app = web.Application(middlewares=[forbid])
    app.router.add_get("/", handler_of())
    app.freeze()
    assert (await app.dispatch(make_request())).status == 403


@pytest.mark.parametrize("kind", ["middleware", "factory", "closure"])
async def test_a_handler_carries_its_marks_through_middlewares(kind: str) -> None:
    """Programs mark handlers with attributes that middlewares read."""
    seen = []

    async def reader(request: Any, handler: Any) -> Any:
        seen.append((getattr(handler, "public", False), handler.__name__))
        return await handler(request)

    async def view(request: web.Request) -> web.Response:
        return web.Response()

    view.public = True  # type: ignore[attr-defined]
    inner = {"middleware": named_request, "factory": factory, "closure": positional}[kind]
    app = web.Application(middlewares=[reader, inner])
    app.router.add_get("/", view)
    app.freeze()
    await app.dispatch(make_request())
    assert seen == [(True, "view")]


async def test_a_handler_carries_its_marks_out_of_its_application_and_limits() -> None:
    seen = []

    @web.middleware
    async def reader(request: web.Request, handler: web.Handler) -> web.StreamResponse:
        seen.append(getattr(handler, "public", False))
        return await handler(request)

    async def view(request: web.Request) -> web.Response:
        return web.Response()

    view.public = True  # type: ignore[attr-defined]
    app = web.Application(middlewares=[reader])
    nested = web.Application(middlewares=[reader])
    nested.router.add_get("/", view, timeout=1)
    app.add_subapp("/nested", nested)
    app.freeze()
    await app.dispatch(make_request("/nested/"))
    assert seen == [True, True]


# -- handlers


def plain(request: web.Request) -> web.Response:
    return web.Response(text="handler")


async def coroutine(request: web.Request) -> web.Response:
    return web.Response(text="handler")


class Views:
    def plain(self, request: web.Request) -> web.Response:
        return web.Response(text="handler")

    async def coroutine(self, request: web.Request) -> web.Response:
        return web.Response(text="handler")

    async def __call__(self, request: web.Request) -> web.Response:
        return web.Response(text="handler")


async def with_argument(argument: int, request: web.Request) -> web.Response:
    return web.Response(text="handler")


HANDLERS: list[Any] = [
    plain,
    coroutine,
    Views().plain,
    Views().coroutine,
    Views(),
    functools.partial(with_argument, 1),
    lambda request: coroutine(request),
    wrapping(coroutine),
]


@pytest.mark.parametrize("handler", HANDLERS, ids=called)
@pytest.mark.parametrize("middlewares", [[], [named_request], [factory]], ids=len)
async def test_handlers(handler: Any, middlewares: list[Any]) -> None:
    app = web.Application(middlewares=middlewares)
    route = app.router.add_get("/", handler)
    assert route.handler is handler
    app.freeze()
    response = await app.dispatch(make_request())
    assert isinstance(response, web.Response)
    assert response.text == "handler"


@pytest.mark.parametrize("handler", [None, "handler", 5])
def test_a_handler_must_be_callable(handler: Any) -> None:
    app = web.Application()
    with pytest.raises(TypeError, match="callable"):
        app.router.add_get("/", handler)
