"""The client without async."""

import asyncio

import pytest
from servers import (
    Answer,
    Asked,
    HTTPServerProtocol,
    Writer,
    WSServerProtocol,
    echo,
    factory,
    ws_echo,
)

from headrace.testing import (
    BlockingClient,
    ClientResponseError,
    LeakError,
    TestServer,
    WSMsgType,
)


@pytest.fixture
def blocking(transport):
    """Make a blocking client over the transport of the test."""
    return lambda app, **options: BlockingClient(app, transport=transport, **options)


@pytest.mark.parametrize("method", ["get", "options", "post", "put", "patch", "delete"])
def test_requests(blocking, method: str) -> None:
    with blocking(factory(echo)) as client:
        response = getattr(client, method)("/x", params={"a": "1"})
        assert response.status == 200
        assert response.text().startswith(f"{method.upper()} /x?a=1\n")
        assert response.url == client.make_url("/x?a=1")


def test_a_response_tells_what_it_is(blocking) -> None:
    headers = (("Content-Type", "application/json"), ("Set-Cookie", "a=b"))

    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        return Answer(404, b"[1]", headers)

    with blocking(factory(handler)) as client:
        response = client.get("/")
        assert (response.status, response.reason, response.ok) == (404, "Not Found", False)
        assert response.json() == [1]
        assert response.read() == b"[1]"
        assert response.headers["content-type"] == response.content_type == "application/json"
        assert response.cookies["a"].value == "b"
        assert response.history == ()
        assert response.request.method == "GET"
        assert [morsel.key for morsel in client.cookies] == ["a"]
        assert repr(response) == "<BlockingResponse GET / -> 404 Not Found>"
        assert str(response).endswith("[1]")
        assert client.exchanges == (response.response,)
        with pytest.raises(ClientResponseError):
            response.raise_for_status()
        assert client.head("/").status == 404


def test_streams(blocking) -> None:
    async def stream(writer: Writer) -> None:
        for line in (b"one\n", b"two\n", b"three"):
            await writer.write(line)
            await asyncio.sleep(0.001)

    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        return Answer(stream=stream)

    with blocking(factory(handler)) as client:
        assert list(client.get("/").iter_lines()) == [b"one\n", b"two\n", b"three"]
        assert b"".join(client.get("/").iter_any()) == b"one\ntwo\nthree"
        with client.get("/") as response:
            assert next(response.iter_any()) == b"one\n"


def test_websockets(blocking) -> None:
    with blocking(lambda: WSServerProtocol(ws_echo, subprotocols=("x",))) as client:
        with client.ws_connect("/", protocols=("x",)) as socket:
            assert socket.protocol == "x"
            socket.send_str("a")
            assert socket.receive_str() == "a"
            socket.send_bytes(b"b")
            assert socket.receive_bytes() == b"b"
            socket.send_json([1])
            assert socket.receive_json() == [1]
            socket.ping(b"p")
            socket.send_str("end")
            assert socket.receive().type is WSMsgType.TEXT
            assert not socket.closed
        assert socket.closed
        assert socket.close_code == 1000
        assert list(socket) == []


def test_iterating_over_messages(blocking) -> None:
    from headrace.websocket import Close, Text

    async def handler(socket) -> None:
        socket.send(Text("one"))
        socket.send(Text("two"))
        socket.send(Close(1000))

    with blocking(lambda: WSServerProtocol(handler)) as client:
        socket = client.ws_connect("/")
        assert [message.data for message in socket] == ["one", "two"]
        assert socket.close() is False


def test_the_clock(blocking) -> None:
    rang = []

    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        asyncio.get_running_loop().call_later(3600, rang.append, 1)
        return Answer()

    with blocking(factory(handler)) as client:
        client.get("/")
        client.advance(3599)
        assert rang == []
        client.advance(1)
        assert rang == [1]


def test_coroutines_of_the_application_run_on_the_loop(blocking) -> None:
    async def loop_of_the_server(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        loops.append(asyncio.get_running_loop())
        return Answer()

    async def ours() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    loops: list[asyncio.AbstractEventLoop] = []
    with blocking(factory(loop_of_the_server)) as client:
        client.get("/")
        assert client.run(ours()) is loops[0]


def test_errors_of_handlers_are_raised(blocking) -> None:
    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        raise LookupError("inside")

    with blocking(factory(handler)) as client, pytest.raises(LookupError, match="inside"):
        client.get("/")


def test_leaks_are_failures(blocking) -> None:
    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        leaked.append(asyncio.create_task(asyncio.Event().wait(), name="forgotten"))
        return Answer()

    leaked: list[asyncio.Task[object]] = []
    with pytest.raises(LeakError, match="task forgotten"), blocking(factory(handler)) as client:
        client.get("/")


def test_closing_twice(blocking) -> None:
    client = blocking(factory(echo))
    client.start()
    client.close()
    client.close()
    assert client.client.closed


async def test_not_inside_of_a_loop() -> None:
    client = BlockingClient(factory(echo))
    with pytest.raises(RuntimeError, match="an event loop is running here"):
        client.__enter__()


def test_a_server_is_taken_as_it_is() -> None:
    with BlockingClient(TestServer(factory(echo), transport="memory")) as client:
        assert client.get("/").status == 200
