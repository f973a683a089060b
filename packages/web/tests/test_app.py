"""The application: its life, its routes, and the way of a request through it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from serving import Failures, Serve

from headrace import web


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=f"hello {request.path}")


def test_the_arguments_of_the_guide_are_accepted() -> None:
    loop = asyncio.new_event_loop()
    app = web.Application(loop=loop, middlewares=[], logger=logging.getLogger("x"), debug=True)
    loop.close()
    assert app.debug
    assert app.logger.name == "x"
    assert not app.frozen


def test_an_application_is_true_and_compares_by_identity() -> None:
    assert web.Application()
    assert web.Application() != web.Application()
    assert len({web.Application(), web.Application()}) == 2


async def test_an_application_is_a_mapping_of_the_users_values() -> None:
    app = web.Application()
    key = web.AppKey("key", int)
    app["name"] = "value"
    app[key] = 3
    assert dict(app) == {"name": "value", key: 3}
    assert (len(app), app.get("missing"), "name" in app) == (2, None, True)
    del app["name"]
    assert list(app) == [key]
    app.freeze()
    with pytest.warns(DeprecationWarning, match="started"):
        app["late"] = 1
    assert app["late"] == 1
    with pytest.warns(DeprecationWarning, match="started"):
        del app["late"]


async def test_what_may_not_change_after_the_start() -> None:
    app = web.Application()
    app.make_handler()
    assert app.frozen
    assert app.router.frozen
    with pytest.raises(RuntimeError):
        app.router.add_get("/", hello)
    with pytest.raises(RuntimeError):
        app.on_startup.append(hello)  # type: ignore[arg-type]
    app.freeze()


def test_make_handler_needs_no_loop() -> None:
    app = web.Application(handler_args={"keepalive_timeout": 3.0, "head_timeout": 4.0})
    server = app.make_handler(head_timeout=5.0)
    assert (server.keepalive_timeout, server.head_timeout) == (3.0, 5.0)
    with pytest.raises(RuntimeError):
        server()  # a protocol does need one


async def test_the_loop_is_the_running_one() -> None:
    assert web.Application().loop is asyncio.get_running_loop()


def recorder(log: list[str], name: str) -> Any:
    async def callback(app: web.Application) -> None:
        log.append(name)

    return callback


def context(log: list[str], name: str) -> Any:
    async def generator(app: web.Application) -> AsyncIterator[None]:
        log.append(f"enter {name}")
        yield
        log.append(f"leave {name}")

    return generator


async def test_the_order_of_a_life() -> None:
    log: list[str] = []
    app = web.Application()
    app.on_startup.append(recorder(log, "startup 1"))
    app.on_startup.append(recorder(log, "startup 2"))
    app.on_shutdown.append(recorder(log, "shutdown"))
    app.on_cleanup.append(recorder(log, "cleanup"))
    app.cleanup_ctx.append(context(log, "a"))
    app.cleanup_ctx.append(contextlib.asynccontextmanager(context(log, "b")))
    app.register_on_finish(lambda app, *args, **kwargs: log.append(f"finish {args} {kwargs}"), 1)

    async def finish(app: web.Application, *, key: str) -> None:
        log.append(f"finish {key}")

    app.register_on_finish(finish, key="last first")
    runner = web.AppRunner(app)
    await runner.setup()
    assert log == ["enter a", "enter b", "startup 1", "startup 2"]
    log.clear()
    await runner.cleanup()
    await app.finish()
    await runner.cleanup()
    assert log == [
        "shutdown",
        "leave b",
        "leave a",
        "cleanup",
        "finish last first",
        "finish (1,) {}",
    ]


async def test_a_nested_application_lives_between_what_comes_before_and_after_it() -> None:
    log: list[str] = []
    app, nested = web.Application(), web.Application()
    for each, name in ((app, "outer 1"), (nested, "nested")):
        each.on_startup.append(recorder(log, f"start {name}"))
        each.on_cleanup.append(recorder(log, f"end {name}"))
        each.cleanup_ctx.append(context(log, name))
    app.add_subapp("/nested", nested)
    app.on_startup.append(recorder(log, "start outer 2"))
    app.on_cleanup.append(recorder(log, "end outer 2"))
    app.cleanup_ctx.append(context(log, "outer 2"))
    await app.startup()
    assert log == [
        *("enter outer 1", "enter outer 2"),
        *("start outer 1", "enter nested", "start nested", "start outer 2"),
    ]
    log.clear()
    await app.shutdown()
    await app.cleanup()
    assert log == [
        *("leave outer 2", "leave outer 1"),
        *("end outer 1", "leave nested", "end nested", "end outer 2"),
    ]


async def test_what_fails_while_cleaning_up_keeps_nothing_else_from_it() -> None:
    log: list[str] = []

    async def failing(app: web.Application) -> None:
        log.append("failing")
        raise ValueError("cleanup")

    async def broken(app: web.Application) -> AsyncIterator[None]:
        yield
        log.append("broken")
        raise KeyError("context")

    app = web.Application()
    app.on_cleanup.extend([failing, recorder(log, "cleanup")])
    app.cleanup_ctx.extend([context(log, "a"), broken])
    app.register_on_finish(lambda app: log.append("finish"))
    await app.startup()
    with pytest.raises(web.CleanupError) as caught:
        await app.cleanup()
    assert [type(error) for error in caught.value.exceptions] == [KeyError, ValueError]
    assert log == ["enter a", "broken", "leave a", "failing", "cleanup", "finish"]


async def test_a_cancelled_context_keeps_no_other_from_being_left() -> None:
    log: list[str] = []

    async def cancelled(app: web.Application) -> AsyncIterator[None]:
        yield
        raise asyncio.CancelledError

    app = web.Application()
    app.cleanup_ctx.extend([context(log, "a"), cancelled])
    app.on_cleanup.append(recorder(log, "cleanup"))
    await app.startup()
    with pytest.raises(asyncio.CancelledError):
        await app.cleanup()
    assert log == ["enter a", "leave a", "cleanup"]


def test_contexts_are_frozen_with_the_application() -> None:
    app = web.Application()
    assert not app.cleanup_ctx.frozen
    app.freeze()
    assert app.cleanup_ctx.frozen
    with pytest.raises(RuntimeError, match="cannot change a signal or contexts"):
        app.cleanup_ctx.append(context([], "late"))


async def test_a_failing_start_is_cleaned_up() -> None:
    log: list[str] = []

    async def broken(app: web.Application) -> AsyncIterator[None]:
        raise ValueError("no database")
        yield

    app = web.Application()
    app.cleanup_ctx.extend([context(log, "a"), broken, context(log, "never")])
    app.on_cleanup.append(recorder(log, "cleanup"))
    runner = web.AppRunner(app)
    with pytest.raises(ValueError, match="no database"):
        await runner.setup()
    assert log == ["enter a", "leave a", "cleanup"]
    assert runner.server is None


async def test_a_context_must_be_one() -> None:
    app = web.Application()
    app.cleanup_ctx.append(lambda app: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match="cleanup_ctx"):
        await app.startup()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/plain", "hello /plain"),
        ("/plain?a=b", "hello /plain"),
        ("/plain?", "hello /plain"),
        ("/with%20space", "hello /with space"),
        ("http://a/plain?x=/other", "hello /plain"),
        ("/other", "404: Not Found"),
        ("/plain/", "404: Not Found"),
        ("//plain", "404: Not Found"),
    ],
)
async def test_the_path_chooses_the_route(serve: Serve, target: str, expected: str) -> None:
    app = web.Application()
    app.router.add_get("/plain", hello)
    app.router.add_get("/with space", hello)
    served = await serve(app)
    wire = await served.connect()
    wire.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert (await wire.answer())[1].decode() == expected


async def test_a_miss_has_a_match_that_says_so(serve: Serve, failures: Failures) -> None:
    seen: list[Any] = []

    @web.middleware
    async def look(request: web.Request, handler: Any) -> web.StreamResponse:
        seen.append(type(request.match_info.http_exception))
        response: web.StreamResponse = await handler(request)
        return response

    app = web.Application(middlewares=[look])
    app.router.add_get("/", hello)
    served = await serve(app)
    for method, path, status in [("GET", "/", 200), ("GET", "/a", 404), ("PUT", "/", 405)]:
        async with served.client.request(method, path) as response:
            assert response.status == status
    assert seen == [type(None), web.HTTPNotFound, web.HTTPMethodNotAllowed]
    assert failures() == []


async def test_an_expectation_on_a_missing_route_is_no_reason_to_ask_for_the_body(
    serve: Serve,
) -> None:
    served = await serve(web.Application())
    wire = await served.connect()
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert (await wire.head()).startswith(b"HTTP/1.1 404 ")
    assert await wire.rest() == b"404: Not Found"


@pytest.mark.parametrize(("limit", "status"), [(10, 413), (1000, 200), (0, 200)])
@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_have_a_limit(serve: Serve, limit: int, status: int, chunked: bool) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def pieces() -> Any:
        yield bytes(11)

    app = web.Application(client_max_size=limit)
    app.router.add_post("/", handler)
    served = await serve(app)
    async with served.client.post("/", data=pieces() if chunked else bytes(11)) as response:
        assert response.status == status


async def test_the_prepare_signal_goes_to_every_answer(serve: Serve) -> None:
    seen: list[tuple[str, int]] = []

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        seen.append((request.path, response.status))
        response.headers["X-Seen"] = "yes"

    async def failing(request: web.Request) -> web.Response:
        raise ValueError

    app = web.Application()
    app.on_response_prepare.append(on_prepare)
    app.router.add_get("/", hello)
    app.router.add_get("/fail", failing)
    served = await serve(app)
    for path in ("/", "/fail", "/missing"):
        async with served.client.get(path) as response:
            assert response.headers["X-Seen"] == "yes"
    assert seen == [("/", 200), ("/fail", 500), ("/missing", 404)]
