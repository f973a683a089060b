"""What handlers do wrong: their clients learn nothing, the log says what to do."""

from __future__ import annotations

from typing import Any

import pytest
from serving import Serve, Served

from headrace import web

SHARED = web.Response(text="shared")


async def nothing(request: web.Request) -> Any:
    pass


def plainly_nothing(request: web.Request) -> Any:
    pass


async def a_text(request: web.Request) -> Any:
    return "hello"


async def some_bytes(request: web.Request) -> Any:
    return b"hello"


async def a_dict(request: web.Request) -> Any:
    return {"a": 1}


async def a_number(request: web.Request) -> Any:
    return 5


async def a_lot(request: web.Request) -> Any:
    return "x" * 1000


async def not_awaited(request: web.Request) -> Any:
    return nothing(request)


async def a_class(request: web.Request) -> Any:
    return web.HTTPNotFound


class View(web.View):
    async def get(self) -> Any:
        pass


NOT_RESPONSES: list[tuple[Any, str]] = [
    (nothing, "the handler test_mistakes.nothing returned None, which is no response: is a return"),
    (plainly_nothing, "test_mistakes.plainly_nothing, or a middleware around it, returned None, "),
    (a_text, "returned 'hello', which is no response: return web.Response(text=...)"),
    (some_bytes, "returned b'hello', which is no response: return web.Response(body=...)"),
    (a_dict, "returned {'a': 1}, which is no response: return web.json_response(...)"),
    (a_number, "returned 5, which is no response: return a response"),
    (a_lot, "xxx..., which is no response"),
    (not_awaited, "which is no response: is an await missing?"),
    (a_class, "which is no response: return an instance, HTTPNotFound(...)"),
    (View, "test_mistakes.View, or a middleware around it, returned None"),
]


def make_app(handler: Any, **options: Any) -> web.Application:
    app = web.Application()
    app.router.add_get("/", handler, allow_head=False, **options)
    return app


async def check_500(served: Served) -> None:
    async with served.client.get("/") as response:
        assert (response.status, await response.text()) == (500, "500: Internal Server Error")


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        str(record.exc_info[1])
        for record in caplog.records
        if record.exc_info and record.levelname == "ERROR"
    ]


@pytest.mark.parametrize(("handler", "message"), NOT_RESPONSES)
async def test_what_is_no_response(
    serve: Serve, caplog: pytest.LogCaptureFixture, handler: Any, message: str
) -> None:
    handler.__module__ = "test_mistakes"  # under whichever name pytest has imported it
    await check_500(await serve(make_app(handler)))
    (text,) = logged(caplog)
    assert message in text


async def test_a_middleware_that_forgets_to_return(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    @web.middleware
    async def forgetful(request: web.Request, handler: web.Handler) -> Any:
        await handler(request)

    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    await check_500(await serve(make_app(handler, middlewares=[forgetful])))
    assert ".handler, or a middleware around it, returned None" in logged(caplog)[0]


async def test_a_factory_that_forgets_to_return(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async def factory(app: web.Application, handler: web.Handler) -> Any:
        pass

    await check_500(await serve(make_app(nothing, middlewares=[factory])))
    assert "the middleware factory" in logged(caplog)[0]
    assert "returned None, which is no handler" in logged(caplog)[0]


async def test_an_expect_handler_that_returns_anything(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    served = await serve(make_app(nothing, expect_handler=a_text))
    wire = await served.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n")
    assert (await wire.head()).startswith(b"HTTP/1.1 500 ")
    assert "returned 'hello': return a response to refuse the body" in logged(caplog)[0]


async def test_without_an_application_the_handler_has_no_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from exchanges import make_request

    from headrace.web._mistakes import not_a_response

    assert str(not_a_response(None, make_request())).startswith("the handler returned None")


# -- answering twice


async def two_wholes(request: web.Request) -> web.StreamResponse:
    for text in ("one", "two"):
        response = web.Response(text=text)
        await response.prepare(request)
        await response.write_eof()
    return response


async def two_streams(request: web.Request) -> web.StreamResponse:
    for text in (b"one", b"two"):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(text)
    return response


async def another_one(request: web.Request) -> web.StreamResponse:
    await web.StreamResponse().prepare(request)
    return web.Response(text="another one")


async def another_after_the_end(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write_eof(b"one")
    return web.Response(text="another one")


@pytest.mark.parametrize(
    ("handler", "body"),
    [
        (two_wholes, b"one"),
        (two_streams, b"3\r\none\r\n"),
        (another_one, b""),
        (another_after_the_end, b"3\r\none\r\n0\r\n\r\n"),
    ],
)
async def test_two_responses(
    serve: Serve, caplog: pytest.LogCaptureFixture, handler: Any, body: bytes
) -> None:
    served = await serve(make_app(handler))
    answer = await served.raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    head, _, rest = answer.partition(b"\r\n\r\n")
    # The first one counts; what is cut short shows that it is, and no second head follows.
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert rest == body
    (text,) = logged(caplog)
    assert text.startswith("another response was sent to this request before: ")


def notes(caplog: pytest.LogCaptureFixture) -> list[str]:
    errors = [record.exc_info[1] for record in caplog.records if record.exc_info]
    return [note for error in errors for note in getattr(error, "__notes__", [])]


@pytest.mark.parametrize("handler", [nothing, plainly_nothing, View])
async def test_a_middleware_that_uses_the_none_of_a_handler(
    serve: Serve, caplog: pytest.LogCaptureFixture, handler: Any
) -> None:
    @web.middleware
    async def marking(request: web.Request, handler: web.Handler) -> web.StreamResponse:
        response = await handler(request)
        response.headers["X-Mark"] = "1"
        return response

    handler.__module__ = "test_mistakes"
    await check_500(await serve(make_app(handler, middlewares=[marking])))
    (note,) = notes(caplog)
    assert note.startswith(f"If the handler test_mistakes.{handler.__name__}, or a middleware ")
    assert note.endswith(" returned this None: is a return statement missing?")


async def test_none_of_another_kind_is_not_explained(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return request.app.get("missing").headers  # type: ignore[no-any-return, union-attr]

    @web.middleware
    async def failing(request: web.Request, handler: web.Handler) -> web.StreamResponse:
        await handler(request)
        return request.app.get("missing").anything  # type: ignore[no-any-return, union-attr]

    await check_500(await serve(make_app(handler)))
    await check_500(await serve(make_app(nothing, middlewares=[failing])))
    assert notes(caplog) == []


async def test_an_exception_for_two_requests(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    shared = web.HTTPNotFound()

    async def handler(request: web.Request) -> web.Response:
        raise shared

    served = await serve(make_app(handler))
    async with served.client.get("/") as response:
        assert response.status == 404
    assert shared.__traceback__ is None
    await check_500(served)
    assert shared.__traceback__ is None
    (text,) = logged(caplog)
    assert text.startswith("the HTTPNotFound was sent before, to another request: raise a new one")


async def test_a_response_for_two_requests(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    shared = web.Response(text="shared")

    async def handler(request: web.Request) -> web.Response:
        return shared

    served = await serve(make_app(handler))
    async with served.client.get("/") as response:
        assert await response.text() == "shared"
    await check_500(served)
    await check_500(served)
    for text in logged(caplog):
        assert text.startswith("the response was sent before, to another request: ")


async def test_an_exception_that_comes_too_late(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(request: web.Request) -> web.Response:
        await web.StreamResponse().prepare(request)
        raise web.HTTPNotFound

    served = await serve(make_app(handler))
    answer = await served.raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"404" not in answer
    assert "the connection is cut" in caplog.text


async def test_a_websocket_is_returned(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    async def handler(request: web.Request) -> Any:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.close()
        return web.Response(text="done")

    served = await serve(make_app(handler))
    async with served.client.ws_connect("/") as ws:
        assert [message async for message in ws] == []
    await served.idle()
    assert logged(caplog)[0].startswith("another response was sent to this request before")


# -- the rest of what goes wrong early


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"X": 5}, "name and value of a header field are strings, not 'X' and 5"),
        ({"X": None}, "not 'X' and None"),
        ({"X": b"y"}, "not 'X' and b'y'"),
    ],
)
def test_fields_are_strings(headers: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        web.Response(headers=headers)
    assert message in str(caught.value)
