"""One HTTP/1.1 connection in the client role: requests out, responses in.

The rules of HTTP are `headrace.http_parser`'s; here bytes move between it and a transport, and
waiting is done. A connection serves one exchange at a time, and goes back to the pool (or is
closed) when the response has been read and the request sent.
"""

import asyncio
import re
import zlib
from collections.abc import AsyncIterable, Callable, Iterable
from typing import NamedTuple, Protocol, final

from yarl import URL

from headrace.http_parser import (
    NEED_DATA,
    PAUSED,
    Connection,
    Data,
    EndOfMessage,
    Informational,
    LocalProtocolError,
    RemoteProtocolError,
    Response,
    Role,
)

from ._body import Buffer, iterate
from ._errors import (
    ClientError,
    ClientPayloadError,
    ResponseTimeoutError,
    ServerDisconnectedError,
)
from ._patience import Patience
from ._report import describe
from ._request import Pair, SentRequest, decoded
from ._response import ClientResponse
from ._stream import StreamReader
from ._transport import MemoryTransport

__all__ = ["HTTPConnection", "Plan"]


class Plan(NamedTuple):
    """How to carry out one exchange."""

    content: "bytes | AsyncIterable[Buffer] | None" = None
    chunked: bool = False
    expect100: bool = False
    timeout: float | None = None
    auto_decompress: bool = True
    raise_handler_errors: bool = True
    half_close: bool = False


class Inflater(Protocol):
    """What undoes a content coding."""

    def decompress(self, data: bytes, /) -> bytes:
        """Return what can be told so far."""
        ...


_NOTHING = SentRequest("GET", URL(), (), None)


@final
class HTTPConnection(asyncio.Protocol):
    """A connection of the client.

    Args:
        patience: What counts the time-outs.
        noted: Called with each response as soon as its head has come.
        told: Called with each response that may set cookies.
        released: Called when the connection may be used again.
    """

    def __init__(
        self,
        patience: Patience,
        noted: Callable[[ClientResponse], None],
        told: Callable[[ClientResponse], None],
        released: "Callable[[HTTPConnection], None]",
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._noted = noted
        self._told = told
        self._released = released
        self._http = Connection(Role.CLIENT)
        self._transport: asyncio.Transport
        self._reusable = True
        self._lost = False
        self._writable: asyncio.Future[None] | None = None
        self.handler_errors: list[BaseException] = []
        self.sent = self.begun = 0
        self.stray = ""
        self._request = _NOTHING
        self._plan = Plan()
        self._waiter: asyncio.Future[ClientResponse] | None = None
        self._upload: asyncio.Task[None] | None = None
        self._content: StreamReader | None = None
        self._error: BaseException | None = None
        self.response: ClientResponse | None = None

    # The exchange

    def begin(self, request: SentRequest, plan: Plan) -> ClientResponse | None:
        """Send *request*; return its response if that has come within the call.

        In memory that is usual. None says that `answer` is to be awaited.

        Raises:
            ValueError: when the request cannot be sent as HTTP.
        """
        self._request = request
        self._plan = plan
        self._waiter = self._upload = self._content = None
        self._continue: asyncio.Future[None] | None = None
        self._inflater: Inflater | None = None
        self._informational: list[Informational] | None = None
        self.begun = self.sent
        self.response = None
        try:
            self._send(request, plan)
        except LocalProtocolError as error:
            self.abort()
            raise ValueError(f"the request cannot be sent: {error}") from error
        except BaseException:
            self.abort()
            raise
        return self.response if self._error is None else None

    async def answer(self) -> ClientResponse:
        """Return the response to what was sent, once its head has come.

        Raises:
            ServerDisconnectedError: when the connection ends before.
            ResponseTimeoutError: when nothing comes for the time-out.
            ClientError: when what comes is not HTTP.
            Exception: what the handler raised, unless the plan says otherwise.
        """
        __tracebackhide__ = True
        error, self._error = self._error, None
        try:
            if error is not None:
                await asyncio.sleep(0)  # Who tries again and again is not to hold up the others.
                raise error
            waiter = self._waiter = self._loop.create_future()
            return await self._patience.wait(waiter, self._plan.timeout, self._silent)
        except BaseException:
            self._stop_upload()
            self.abort()
            raise

    def _send(self, request: SentRequest, plan: Plan) -> None:
        head = request.event
        content = plan.content
        if (content is None or isinstance(content, bytes)) and not (plan.chunked or plan.expect100):
            data = self._http.send(head, content or b"")
            if plan.half_close:
                self._put(data)
                self._transport.write_eof()
            else:
                self.sent += len(data)
                self._write_whole(data)
            return
        if plan.expect100:
            self._continue = self._loop.create_future()
        self._put(self._http.send(head))
        self._upload = self._loop.create_task(
            self._send_body(content, plan), name=f"upload of {request!r}"
        )
        self._upload.add_done_callback(self._upload_done)

    async def _send_body(self, content: "bytes | AsyncIterable[Buffer] | None", plan: Plan) -> None:
        if self._continue is not None:
            await self._continue
        if isinstance(content, bytes):
            self._write(Data(content))
        elif content is not None:
            async for piece in iterate(content):
                self._write(Data(piece))
                await self._drain()
        self._write(EndOfMessage())
        if plan.half_close:
            self._transport.write_eof()

    def _write(self, event: Data | EndOfMessage) -> None:
        if self._lost or self._transport.is_closing():
            raise ServerDisconnectedError("the connection ended while the body was being sent")
        self._put(self._http.send(event))

    def _put(self, data: bytes) -> None:
        self.sent += len(data)
        self._transport.write(data)

    async def _drain(self) -> None:
        if self._writable is not None:
            await asyncio.shield(self._writable)
        else:
            await asyncio.sleep(0)

    def _upload_done(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled() or task is not self._upload:
            return
        self._upload = None
        error = task.exception()
        if error is None:
            if self.response is not None and self.response.content.is_eof():
                self._finish()
        elif isinstance(error, ServerDisconnectedError):
            pass  # What the server said, or that it said nothing, tells more.
        else:
            self._fail(error)
            self.abort()

    async def _wait(self, future: "asyncio.Future[None]") -> None:
        await self._patience.wait(future, self._plan.timeout, self._silent)

    def _silent(self) -> Exception:
        return ResponseTimeoutError(
            f"the server was silent for {self._plan.timeout:g} seconds\n\n{self.describe()}"
        )

    def describe(self) -> str:
        """Return the exchange under way, for failure messages."""
        if self.response is not None:
            return str(self.response)
        return describe(self._request, None, (), b"")

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]
        self._write_whole = self._transport.write
        if isinstance(transport, MemoryTransport):
            # Requests are sent by those who wait for them, and nothing here is in the way of
            # responses: the loop is spared its turns.
            self._write_whole = transport.write_now
            transport.entered_at_once = True

    def data_received(self, data: bytes) -> None:
        """Give bytes to the parser and act on what they say."""
        try:
            whole = self._http.receive_whole_response(data)
            if whole is None:
                self._act()
            elif _TELLING(data) is None:
                # What `_act` does, for a response in one piece with nothing in it for a client.
                self._respond(*whole)
                if self._upload is None:
                    self._finish()
            else:
                self._head(whole[0])
                self._data(whole[1])
                self._end(())
        except (RemoteProtocolError, LocalProtocolError, zlib.error) as error:
            self._malformed(error)

    def eof_received(self) -> bool:
        """Tell the parser; a body may end here."""
        try:
            self._http.receive_eof()
            self._act()
        except RemoteProtocolError as error:
            self._cut_short(error)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is under way."""
        self._lost = True
        self._reusable = False
        self._stop_upload()
        self.resume_writing()
        reason = f": {exc}" if exc is not None else ""
        self._cut_short(ServerDisconnectedError(f"the connection ended{reason}"))

    def pause_writing(self) -> None:
        """Hold the upload."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let the upload go on."""
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    # What the server said

    def _act(self) -> None:
        while (event := self._http.next_event()) is not NEED_DATA and event is not PAUSED:
            if type(event) is Response:
                self._head(event)
                if event.complete:
                    self._end(())
            elif type(event) is Data:
                self._data(event.data)
            elif type(event) is EndOfMessage:
                self._end(event.trailers)
            elif type(event) is Informational:
                if self._interim(event):
                    return
            else:
                self._closed()
                return

    def _head(self, event: Response) -> None:
        content = self._content = StreamReader(self, self._wait)
        if not event.complete and self._plan.auto_decompress:
            self._inflater = _inflater(event.headers)
        self._reusable = self._reusable and event.keep_alive
        if self._continue is not None:
            self._stop_upload()  # RFC 9110 §10.1.1: a final answer in place of 100.
        self._respond(event, content)

    def _respond(self, event: Response, content: StreamReader | bytes) -> None:
        """Make the response and give it to who waits for it."""
        response = self.response = ClientResponse(self._request, event, content, self)
        if self._informational is not None:
            response.informational = tuple(
                (interim.status, decoded(interim.headers)) for interim in self._informational
            )
        self._noted(response)
        if content.__class__ is StreamReader:
            self._told(response)
        error = self.handler_error() if response.status >= 500 else None
        if error is not None:
            self._reusable = False
            self._decide(error)
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(response)

    def _decide(self, error: BaseException) -> None:
        """Let the exchange fail with *error*."""
        waiter = self._waiter
        if waiter is None:
            self._error = error
        elif not waiter.done():
            waiter.set_exception(error)

    def _interim(self, event: Informational) -> bool:
        """Note an interim response; tell whether the connection left HTTP with it."""
        if event.status == 100 and self._continue is not None:
            self._continue.set_result(None)
            self._continue = None
        if event.status != 101:
            self._informational = [*(self._informational or ()), event]
            return False
        self._transport.pause_reading()
        self._reusable = False
        self._head(Response(101, event.headers, event.reason, event.version))
        if self._content is not None:
            self._content.feed_eof()
        return True

    def _data(self, data: bytes) -> None:
        if self._content is not None:
            if self._inflater is not None:
                data = self._inflater.decompress(data)
            if data:
                self._content.feed_data(data)

    def _end(self, trailers: Iterable[Pair]) -> None:
        if self.response is None or self._content is None:
            return
        self.response.trailers = tuple(trailers)
        self._content.feed_eof()
        if not self._reusable:
            self._stop_upload()
        if self._upload is None:
            self._finish()

    def _finish(self) -> None:
        if self._reusable:
            self._released(self)
        else:
            self._transport.close()

    def _closed(self) -> None:
        self._reusable = False
        if self.response is None:
            self._cut_short(ServerDisconnectedError("the server closed the connection"))
        self._transport.close()

    # The end

    @property
    def usable(self) -> bool:
        """Tell whether another request may be sent."""
        return self._reusable and not self._lost and not self._transport.is_closing()

    @property
    def lost(self) -> bool:
        """Tell whether the connection has ended."""
        return self._lost

    @property
    def transport(self) -> asyncio.Transport:
        """The transport, as the connection sees it."""
        return self._transport

    def switched(self) -> bytes:
        """Return the bytes that came after the switch to another protocol."""
        return self._http.trailing_data

    def abandon(self) -> None:
        """Close the connection, for the rest of the body is not wanted."""
        self.close()

    def pause_reading(self) -> None:
        """Let the server feel that the body is not read."""
        if not self._lost:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on reading."""
        if not self._lost:
            self._transport.resume_reading()

    def abort(self) -> None:
        """End the connection at once."""
        self._reusable = False
        if not self._lost:
            self._transport.abort()

    def close(self) -> None:
        """Close the connection."""
        self._reusable = False
        self._stop_upload()
        self._transport.close()

    def _stop_upload(self) -> None:
        upload, self._upload = self._upload, None
        if upload is not None:
            self._reusable = False
            upload.cancel()

    def _malformed(self, error: Exception) -> None:
        self._reusable = False
        if self.response is not None and self.response.content.is_eof():
            self.stray = f"bytes after {self.response!r}, which belong to no response"
        elif self.response is None:
            self._fail(ClientError(f"the response is not HTTP: {error}\n\n{self.describe()}"))
        else:
            self._fail(ClientPayloadError(f"the body of the response is malformed: {error}"))
        self._transport.abort()

    def _cut_short(self, error: Exception) -> None:
        if self.response is None:
            message = f"{error}\n\n{self.describe()}"
            self._fail(ServerDisconnectedError(message))
        else:
            self._fail(ClientPayloadError(f"the body of the response ended early: {error}"))

    def handler_error(self) -> BaseException | None:
        """Return what a handler raised on this connection, once, if that is to be raised."""
        if not self.handler_errors:
            return None
        error = self.handler_errors.pop(0)
        if not self._plan.raise_handler_errors:
            return None
        error.add_note(f"raised by the handler of {self._request.method} {self._request.url}")
        return error

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, ClientError):
            error = self.handler_error() or error
        if self._content is not None:
            self._content.set_exception(error)
        elif self.response is None:
            self._decide(error)


# Finds the fields that tell a client what to do, in most responses none. It may find them in the
# body too, which costs a closer look.
_TELLING = re.compile(rb"\n(?:set-cookie|content-encoding)", re.IGNORECASE).search


def _inflater(headers: Iterable[Pair]) -> Inflater | None:
    """Return what undoes the content coding, None when there is nothing to do."""
    codings = [value for name, value in headers if name.lower() == b"content-encoding"]
    coding = codings[0].lower() if codings else b""
    if coding in {b"gzip", b"x-gzip"}:
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    return Deflated() if coding == b"deflate" else None


@final
class Deflated:
    """Undo the coding ``deflate``, with or without the frame of zlib (RFC 9110 §8.4.1.2)."""

    def __init__(self) -> None:
        self._inflater: Inflater | None = None

    def decompress(self, data: bytes) -> bytes:
        """Return what can be told so far."""
        if self._inflater is None:
            framed = data[0] & 0x0F == 8
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS if framed else -zlib.MAX_WBITS)
        return self._inflater.decompress(data)
