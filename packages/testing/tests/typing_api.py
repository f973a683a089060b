"""What must, and what must not, pass a type checker; checked by mypy, never run.

An ignore that is not needed is an error, so each one says: this line must be refused.
"""

import asyncio
from typing import assert_type

from headrace.testing import (
    BlockingClient,
    BlockingResponse,
    ClientFactory,
    ClientResponse,
    ClientWebSocketResponse,
    Faults,
    FormData,
    ServerFactory,
    TestClient,
    TestServer,
    WSMessage,
)


class App:
    def make_handler(self, **kwargs: object) -> object: ...

    async def startup(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def cleanup(self) -> None: ...


def protocol() -> asyncio.Protocol:
    return asyncio.Protocol()


async def requests() -> None:
    async with TestClient(App()) as client:
        assert_type(client, TestClient)
        response = await client.get("/", params={"a": 1}, headers=[("X", "1")])
        assert_type(response, ClientResponse)
        assert_type(response.status, int)
        assert_type(await response.text(), str)
        assert_type(await response.read(), bytes)
        async with client.post("/", json={"a": [1]}, faults=Faults(write_size=1)) as response:
            assert_type(response, ClientResponse)
        await client.put("/", data=FormData({"a": "b"}), timeout=None)
        await client.get("/", auth=("user", "word"), cookies={"a": "b"})
        async for again in client.at_every_cut("GET", "/"):
            assert_type(again, ClientResponse)
        await client.get(b"/")  # type: ignore[arg-type]
        await client.get("/", parms={})  # type: ignore[call-arg]
        await client.get("/", timeout="soon")  # type: ignore[arg-type]
        await client.clock.advance("60")  # type: ignore[arg-type]
        client.get("/").text()  # type: ignore[attr-defined]


async def websockets() -> None:
    async with (
        TestClient(protocol, transport="socket") as client,
        client.ws_connect("/", protocols=["a"], compress=True) as socket,
    ):
        assert_type(socket, ClientWebSocketResponse)
        assert_type(await socket.receive(), WSMessage)
        assert_type(await socket.receive_str(), str)
        async for message in socket:
            assert_type(message, WSMessage)
        await socket.send_str(b"x")  # type: ignore[arg-type]
        await client.ws_connect("/", protocol="a")  # type: ignore[call-arg]


async def fixtures(headrace_client: ClientFactory, headrace_server: ServerFactory) -> None:
    assert_type(await headrace_client(App(), timeout=5.0), TestClient)
    server = await headrace_server(protocol, server_kwargs={"keepalive_timeout": 60})
    assert_type(server, TestServer)
    assert_type(await headrace_client(server), TestClient)
    await headrace_client("app")  # type: ignore[arg-type]


def blocking() -> None:
    with BlockingClient(App()) as client:
        response = client.get("/")
        assert_type(response, BlockingResponse)
        assert_type(response.text(), str)
        with client.ws_connect("/") as socket:
            assert_type(socket.receive_bytes(), bytes)


TestClient(object())  # type: ignore[arg-type]
TestClient(App(), transport="pigeon")  # type: ignore[arg-type]
Faults(write_size="1")  # type: ignore[arg-type]
Faults(1)  # type: ignore[call-arg]
