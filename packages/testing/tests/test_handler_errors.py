"""What a handler raises is raised in the test."""

import logging
import traceback

import pytest
from servers import (
    Answer,
    Asked,
    HTTPServerProtocol,
    ServerWebSocket,
    Writer,
    WSServerProtocol,
    factory,
)

from headrace.testing import ClientPayloadError, WSMsgType


async def failing(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
    raise LookupError(f"inside {asked.target}")


async def test_an_error_is_raised_with_its_traceback(connect) -> None:
    async with connect(factory(failing)) as client:
        with pytest.raises(LookupError, match="inside /x") as info:
            await client.get("/x")
    assert "in failing" in "".join(traceback.format_exception(info.value))
    assert info.value.__notes__ == [f"raised by the handler of GET {client.make_url('/x')}"]


async def test_the_connection_of_an_error_is_not_used_again(connect) -> None:
    made: list[HTTPServerProtocol] = []

    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        if protocol not in made:
            made.append(protocol)
        if asked.target == "/":
            raise LookupError("inside")
        return Answer(body=b"fine")

    async with connect(factory(handler)) as client:
        with pytest.raises(LookupError):
            await client.get("/")
        assert await (await client.get("/fine")).text() == "fine"
    assert len(made) == 2


async def test_an_error_may_be_a_response(connect) -> None:
    async with connect(factory(failing), raise_handler_errors=False) as client:
        assert (await client.get("/")).status == 500
        with pytest.raises(LookupError):
            await client.get("/", raise_handler_errors=True)
    async with connect(factory(failing)) as client:
        assert (await client.get("/", raise_handler_errors=False)).status == 500


async def test_a_deliberate_500_is_a_response(connect) -> None:
    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        return Answer(500, b"on purpose")

    async with connect(factory(handler)) as client:
        assert await (await client.get("/")).text() == "on purpose"


async def test_an_error_that_was_not_wanted_is_forgotten(connect) -> None:
    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        if asked.target == "/busy":
            return Answer(503, b"busy")
        raise LookupError("inside")

    async with connect(factory(handler)) as client:
        assert (await client.get("/", raise_handler_errors=False)).status == 500
        assert (await client.get("/busy")).status == 503


async def test_an_error_in_the_middle_of_a_body(connect) -> None:
    async def stream(writer: Writer) -> None:
        await writer.write(b"first")
        raise LookupError("in the middle")

    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        return Answer(stream=stream)

    async with connect(factory(handler)) as client:
        response = await client.get("/")
        with pytest.raises(LookupError, match="in the middle"):
            await response.read()
        response = await client.get("/", raise_handler_errors=False)
        with pytest.raises(ClientPayloadError):
            await response.read()


async def test_an_error_of_a_websocket_handler(connect) -> None:
    async def handler(socket: ServerWebSocket) -> None:
        await socket.receive()
        raise LookupError("in the chat")

    async with connect(lambda: WSServerProtocol(handler)) as client:
        socket = await client.ws_connect("/")
        await socket.send_str("x")
        with pytest.raises(LookupError, match="in the chat"):
            await socket.receive()
        socket = await client.ws_connect("/", raise_handler_errors=False)
        await socket.send_str("x")
        assert (await socket.receive()).type is WSMsgType.CLOSED


async def test_a_protocol_that_fails(connect) -> None:
    class Failing(HTTPServerProtocol):
        def data_received(self, data: bytes) -> None:
            raise LookupError("in the protocol")

    async with connect(lambda: Failing(failing)) as client:
        with pytest.raises(LookupError, match="in the protocol"):
            await client.get("/")


async def test_logs_of_others_are_not_errors(connect) -> None:
    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        try:
            raise LookupError("expected")
        except LookupError:
            logging.getLogger("application").exception("turned into an answer")
        return Answer(500, b"as JSON, say")

    async with connect(factory(handler)) as client:
        assert (await client.get("/")).status == 500


async def test_the_log_is_left_as_it_was(connect, caplog) -> None:
    logger = logging.getLogger("headrace.server")
    before = list(logger.filters)
    async with connect(factory(failing)) as client:
        with pytest.raises(LookupError):
            await client.get("/")
    assert logger.filters == before
    assert [record.getMessage() for record in caplog.records] == ["handler failed"]


async def test_in_memory_errors_belong_to_their_connection() -> None:
    """Two requests fail at the same time: each one gets its own error."""
    import asyncio

    from headrace.testing import TestClient

    barrier = asyncio.Barrier(2)

    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        await barrier.wait()
        if asked.target == "/slow":
            await asyncio.sleep(0.001)
        raise LookupError(asked.target)

    async def ask(path: str) -> str:
        with pytest.raises(LookupError) as info:
            await client.get(path)
        return str(info.value)

    async with TestClient(factory(handler)) as client:
        slow, quick = await asyncio.gather(ask("/slow"), ask("/quick"))
    assert (slow, quick) == ("'/slow'", "'/quick'") or (slow, quick) == ("/slow", "/quick")
