"""Small servers for the tests, made of the two protocol packages and nothing else."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from headrace import http_parser as http
from headrace import websocket as ws

logger = logging.getLogger("headrace.server")


class Asked(NamedTuple):
    """A request with its whole body."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    pairs: tuple[tuple[bytes, bytes], ...]


class Answer(NamedTuple):
    """A response; *stream* is sent piece by piece after *body* would be."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    stream: "Callable[[Writer], Awaitable[None]] | None" = None
    close: bool = False


Handler = Callable[[Asked, "HTTPServerProtocol"], Awaitable[Answer]]


class Writer:
    def __init__(self, protocol: "HTTPServerProtocol") -> None:
        self.protocol = protocol

    async def write(self, data: bytes) -> None:
        self.protocol.send(http.Data(data))
        while self.protocol.paused:
            await self.protocol.resumed.wait()


class HTTPServerProtocol(asyncio.Protocol):
    """An HTTP server that calls *handler* with whole requests."""

    def __init__(self, handler: Handler, half_close: bool = False) -> None:
        self.handler = handler
        self.half_close = half_close
        self.connection = http.Connection(http.Role.SERVER)
        self.wake = asyncio.Event()
        self.paused = False
        self.resumed = asyncio.Event()
        self.lost: BaseException | bool | None = False
        self.transport: asyncio.Transport
        self.task: asyncio.Task[None] | None = None
        self.log: list[str] = []
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.task = asyncio.get_running_loop().create_task(self.serve())

    def data_received(self, data: bytes) -> None:
        self.connection.receive_data(data)
        self.wake.set()

    def eof_received(self) -> bool:
        self.connection.receive_eof()
        self.wake.set()
        return self.half_close

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost = exc or True
        self.resume_writing()
        if self.task is not None:
            self.task.cancel()

    def pause_writing(self) -> None:
        self.paused = True
        self.resumed.clear()
        self.log.append("pause")

    def resume_writing(self) -> None:
        self.paused = False
        self.resumed.set()
        self.log.append("resume")

    def send(self, event: http.Event, body: bytes | None = None) -> None:
        self.transport.write(self.connection.send(event, body))

    async def next_event(self) -> object:
        while True:
            event = self.connection.next_event()
            if event is not http.NEED_DATA and event is not http.PAUSED:
                return event
            self.wake.clear()
            await self.wake.wait()

    async def read(self, request: http.Request) -> Asked:
        body = b""
        if request.expect_continue:
            self.send(http.Informational(100))
        while not request.complete:
            event = await self.next_event()
            if isinstance(event, http.Data):
                body += event.data
            else:
                break
        pairs = tuple(request.headers)
        headers = {name.decode().lower(): value.decode() for name, value in pairs}
        target = request.target.decode()
        return Asked(request.method.decode(), target, headers, body, pairs)

    async def serve(self) -> None:
        try:
            while isinstance(request := await self.next_event(), http.Request):
                await self.answer(await self.read(request))
                if not self.connection.keep_alive:
                    break
        except http.RemoteProtocolError as error:
            self.send(http.Response(error.status), str(error).encode())
        self.transport.close()

    async def answer(self, asked: Asked) -> None:
        try:
            answer = await self.handler(asked, self)
        except Exception:
            logger.exception("handler failed")
            answer = Answer(500, b"500: Internal Server Error")
        headers = [(name.encode(), value.encode()) for name, value in answer.headers]
        head = http.Response(answer.status, headers)
        if answer.close:
            self.transport.close()
        elif answer.stream is None:
            self.send(head, answer.body)
        else:
            self.send(head)
            try:
                await answer.stream(Writer(self))
            except Exception:
                logger.exception("handler failed")
                self.transport.abort()
                return
            self.send(http.EndOfMessage())


def factory(handler: Handler, *, half_close: bool = False) -> Callable[[], HTTPServerProtocol]:
    return lambda: HTTPServerProtocol(handler, half_close)


def wrap_answer(asked: Asked) -> Answer:
    """Answer with what was asked, as text."""
    lines = [f"{asked.method} {asked.target}"]
    lines += [f"{name}: {value}" for name, value in sorted(asked.headers.items())]
    return Answer(body="\n".join([*lines, "", asked.body.decode("latin-1")]).encode())


async def echo(asked: Asked, protocol: HTTPServerProtocol) -> Answer:
    return wrap_answer(asked)


WSHandler = Callable[["ServerWebSocket"], Awaitable[None]]


class ServerWebSocket:
    """The server's side of a WebSocket, for a coroutine to use."""

    def __init__(self, protocol: "WSServerProtocol") -> None:
        self.protocol = protocol

    async def receive(self) -> object:
        return await self.protocol.next_event()

    def send(self, event: ws.Event) -> None:
        self.protocol.transport.write(self.protocol.connection.send(event))


class WSServerProtocol(asyncio.Protocol):
    """A server that accepts every WebSocket handshake and then runs *handler*."""

    def __init__(
        self, handler: WSHandler, subprotocols: tuple[str, ...] = (), deflate: bool = False
    ) -> None:
        self.handler = handler
        self.subprotocols = subprotocols
        self.deflate = ws.Deflate() if deflate else None
        self.http = http.Connection(http.Role.SERVER)
        self.connection: ws.Connection | None = None
        self.wake = asyncio.Event()
        self.lost = False
        self.task: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self.connection is not None:
            self.connection.receive_data(data)
            self.wake.set()
            return
        self.http.receive_data(data)
        event = self.http.next_event()
        if isinstance(event, http.Request):
            self.shake_hands(event)

    def shake_hands(self, request: http.Request) -> None:
        try:
            acceptance = ws.accept(
                request.headers, subprotocols=self.subprotocols, deflate=self.deflate
            )
        except ws.HandshakeError as error:
            head = http.Response(error.status, error.headers)
            self.transport.write(self.http.send(head, str(error).encode()))
            return
        self.transport.write(self.http.send(http.Informational(101, acceptance.headers)))
        self.connection = ws.Connection(ws.Role.SERVER, deflate=acceptance.deflate)
        self.task = asyncio.get_running_loop().create_task(self.serve())
        if rest := self.http.trailing_data:
            self.data_received(rest)

    def eof_received(self) -> bool:
        if self.connection is not None:
            self.connection.receive_eof()
            self.wake.set()
        return False

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost = True
        self.eof_received()

    async def next_event(self) -> object:
        assert self.connection is not None
        while (event := self.connection.next_event()) is ws.NEED_DATA:
            self.flush()
            self.wake.clear()
            await self.wake.wait()
        self.flush()
        return event

    def flush(self) -> None:
        assert self.connection is not None
        if not self.lost:
            self.transport.write(self.connection.data_to_send())
        if self.connection.finished:
            self.transport.close()

    async def serve(self) -> None:
        try:
            await self.handler(ServerWebSocket(self))
            while not isinstance(await self.next_event(), ws.ConnectionClosed):
                pass
        except Exception:
            logger.exception("handler failed")
            self.transport.close()


async def ws_echo(socket: ServerWebSocket) -> None:
    while not isinstance(event := await socket.receive(), ws.ConnectionClosed | ws.Close):
        if isinstance(event, ws.Text | ws.Binary):
            socket.send(event)
