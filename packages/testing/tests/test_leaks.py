"""What a test leaves open fails it, by name."""

import asyncio
import tempfile

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

from headrace.testing import LeakError, TestClient, TestServer


async def endless(writer: Writer) -> None:
    await writer.write(b"first")
    await asyncio.Event().wait()


async def streaming(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
    return Answer(stream=endless)


async def test_a_task(connect) -> None:
    async def forgotten() -> None:
        await asyncio.Event().wait()

    tasks = []

    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        tasks.append(asyncio.create_task(forgotten(), name="cleaner"))
        return Answer()

    client = connect(factory(handler))
    await client.start_server()
    await client.get("/")
    with pytest.raises(LeakError, match=r"task cleaner \(.*forgotten at test_leaks\.py:\d+\)") as e:
        await client.close()
    assert len(e.value.leaks) == 1
    tasks[0].cancel()


async def test_tasks_that_were_there_before_are_not_ours(connect) -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    async with connect(factory(echo)) as client:
        assert (await client.get("/")).status == 200
    assert not task.done()
    task.cancel()


async def test_tasks_are_judged_when_the_last_server_closes(connect) -> None:
    first, second = connect(factory(echo)), connect(factory(echo))
    await first.start_server()
    await second.start_server()
    await second.get("/")
    await first.close()
    task = asyncio.create_task(asyncio.Event().wait(), name="late")
    with pytest.raises(LeakError, match="task late"):
        await second.close()
    task.cancel()


async def test_a_body_not_read(connect) -> None:
    client = connect(factory(streaming))
    await client.start_server()
    await client.get("/events")
    with pytest.raises(LeakError, match="body of <ClientResponse GET /events -> 200 OK>, not read"):
        await client.close()


async def test_a_small_body_need_not_be_read(connect) -> None:
    async with connect(factory(echo)) as client:
        response = await client.get("/")
    assert response.closed


async def test_a_websocket_not_closed(connect) -> None:
    client = connect(lambda: WSServerProtocol(ws_echo))
    await client.start_server()
    await client.ws_connect("/chat")
    with pytest.raises(LeakError, match="WebSocket GET /chat, not closed"):
        await client.close()


async def test_a_connection_that_the_server_keeps(connect) -> None:
    class Keeping(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")

        def eof_received(self) -> bool:
            return True

    client = connect(Keeping)
    await client.start_server()
    await client.get("/")
    with pytest.raises(LeakError, match=r"connection from 127\.0\.0\.1:\d+, not closed by the"):
        await client.close()


async def test_temporary_files(connect) -> None:
    files = []

    async def handler(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
        files.append(tempfile.TemporaryFile())  # noqa: SIM115
        files.append(tempfile.NamedTemporaryFile(prefix="upload-"))  # noqa: SIM115
        with tempfile.TemporaryFile() as closed:
            closed.write(b"fine")
        return Answer()

    client = connect(factory(handler))
    await client.start_server()
    await client.get("/")
    with pytest.raises(LeakError) as info:
        await client.close()
    for file in files:
        file.close()
    open_ones = [line for line in info.value.leaks if line.endswith("still open")]
    assert len(open_ones) == 2
    assert [line for line in info.value.leaks if line.endswith("not deleted")] == [
        f"temporary file {files[1].name}, not deleted"
    ]


async def test_leaks_may_be_ignored(transport) -> None:
    server = TestServer(factory(streaming), transport=transport, check_leaks=False)
    client = TestClient(server, check_leaks=False)
    async with client:
        await client.get("/")
    assert client.closed


async def test_a_leak_does_not_hide_what_failed_first(connect) -> None:
    async def test() -> None:
        async with connect(factory(streaming)) as client:
            await client.get("/")
            raise LookupError("first")

    with pytest.raises(LookupError, match="first"):
        await test()


async def test_a_server_alone_is_watched_too(transport) -> None:
    tasks = []

    def make() -> asyncio.Protocol:
        raise AssertionError("never connected")

    with pytest.raises(LeakError, match="task stray"):
        async with TestServer(make, transport=transport):
            tasks.append(asyncio.create_task(asyncio.Event().wait(), name="stray"))
    tasks[0].cancel()
