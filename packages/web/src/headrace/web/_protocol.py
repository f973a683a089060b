"""One HTTP/1 connection: the glue between a transport, the parser and the application layer.

This module and `_exchange` alone know the machinery of `headrace.http_parser`. The parser decides
what is legal and how messages are framed; this module moves what comes in, runs one task for each
request, and closes connections. Requests on one connection are served one after the other: what
a client pipelines waits in the parser, and reading pauses when it is much.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, cast

import headrace.web._headers as hdrs
from headrace.http_parser import (
    NEED_DATA,
    ConnectionClosed,
    Data,
    EndOfMessage,
    RemoteProtocolError,
    State,
)
from headrace.http_parser import Request as RequestHead
from headrace.http_parser import Response as ResponseHead

from ._debug import debug_page, is_local
from ._errors import ClientConnectionResetError, PayloadAccessError, RequestPayloadError
from ._exceptions import HTTPException, HTTPInternalServerError, framework_answer
from ._exchange import MAX_DRAIN, HTTPExchange
from ._headers import HttpVersion, HttpVersion10, HttpVersion11
from ._mistakes import explain_late, explain_none, not_a_response, sent_before
from ._patience import Overdue, Watch
from ._problem import render
from ._request import BaseRequest
from ._response import Response
from ._service import Service
from ._stream_response import StreamResponse
from ._streams import StreamReader, address_of, lost_connection

#: Bytes of pipelined requests that wait in the parser before reading pauses.
MAX_PIPELINED: Final = 64 * 1024
#: Pipelined requests that are served in one turn of the loop.
TURN: Final = 64
#: Seconds for which a connection counts as used just now, and for which a request that may be on
#: its way is waited for when the server stops.
RECENT: Final = 3.0
MOMENT: Final = 0.25
#: What the access log tells of a request that got no answer: nginx's "client closed request".
CLIENT_CLOSED: Final = 499

# Looked up for each request, and quicker to find than a member of the enum.
IDLE: Final = State.IDLE
SEND_RESPONSE: Final = State.SEND_RESPONSE

_METHODS: Final = {method.encode(): method for method in hdrs.METH_ALL}
_VERSIONS: Final = (HttpVersion10, HttpVersion11, *(HttpVersion(1, n) for n in range(2, 10)))


class RequestHandler(HTTPExchange, asyncio.Protocol):
    """The protocol of one connection: what comes in, whose turn it is, and the end."""

    __slots__ = (
        "__weakref__",
        "_deadline",
        "_in_head",
        "_lingering",
        "_pumping",
        "_unread",
        "_watch",
        "requests",
    )

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(service, loop)
        self._deadline = 0.0
        self._in_head = False  # whether the time for the head of a request is running
        self._lingering = False
        self._pumping = False
        self._unread = 0  # bytes of an unread body that may still be dropped
        self._watch: Watch | None = None  # made when a sweep finds a request that is being served
        #: The requests that were served; counted only where their number is limited.
        self.requests = 0

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface, but not the base class.
        self._transport = cast(asyncio.Transport, transport)
        self.remote = address_of(transport.get_extra_info("peername"))
        service = self._service = self._service.opened(self)
        self._deadline = service.idle_until
        if service.tcp_keepalive:
            _probe_when_idle(self._transport)
        if not service.accepting:
            self._close()
        elif service.closing and service.shutting_down:
            self.shut_down()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._transport = None
        task = self._task
        if task is None:
            self._service.closed(self)
        content = self._content
        if content is not None:
            content.set_exception(lost_connection())
        self._wake_writers()
        self._wake_for_disconnection()
        if task is not None and self._cancels:
            task.cancel()

    def data_received(self, data: bytes) -> None:
        if self._task or self._pumping or self._closing or self._paused_writing:
            self._receive(data)
            return
        whole = self._parser.receive_whole(data)
        if whole is None:
            self._pump()
            return
        # A request that has come in one piece: the same as `_pump` does, by a shorter way.
        method, target, fields, body = whole
        service = self._service
        make_request = service.request_factory
        self._pumping = True
        try:
            request = make_request(method, target, HttpVersion11, fields, body or None, self)
            self._task = service.starter.start(self._serve(request, service.handler))
        finally:
            self._pumping = False
        if self._task is None and not self._closing:
            self._deadline = service.idle_until
            if self._eof:
                self._pump()

    def _receive(self, data: bytes) -> None:
        """Take what arrives while something is going on."""
        if self._lingering:
            return
        parser = self._parser
        parser.receive_data(data)
        if self._content is not None:
            self._pump_body()
        elif parser.buffered > MAX_PIPELINED:
            self._pause_reading()
        elif self._pumping and self._task is None:
            # It came out of the handler, as bytes in memory do: not before its request is served.
            self._loop.call_soon(self._resume_pump)

    def eof_received(self) -> bool:
        """Keep the connection for the answers of a client that only stopped sending."""
        self._eof = True
        self._wake_for_disconnection()
        if self._lingering:
            return False
        self._parser.receive_eof()
        if self._task is None:
            self._pump()
        elif self._content is not None:
            self._pump_body()
        if self._task is not None and self._cancels:
            self._task.cancel()
        # A TLS connection cannot be half-closed, and asyncio warns of the attempt.
        is_done = self._task is None and self._closing
        return not is_done and self.get_extra_info("sslcontext") is None

    def pause_writing(self) -> None:
        self._paused_writing = True

    def resume_writing(self) -> None:
        self._paused_writing = False
        if self._watch is not None:
            self._watch.taken()
        self._wake_writers()
        if self._task is None and not self._closing:
            self._loop.call_soon(self._resume_pump)

    # -- requests in

    def _pump(self) -> None:
        """Serve what has arrived, until a request has to wait for something.

        A client that does not take its answers gets no further ones, and one that sends many
        requests at once lets those of others have their turns.
        """
        self._pumping = True
        left = TURN
        try:
            while self._task is None and not self._closing and not self._paused_writing:
                event = self._parser.next_event()
                if event.__class__ is RequestHead:
                    self._begin(event)
                    left -= 1
                    if not left:
                        self._go_on_later()
                        break
                elif event is NEED_DATA:
                    self._wait()
                    break
                elif event.__class__ is Data:
                    self._drop(event)
                elif event.__class__ is EndOfMessage:
                    self._unread = 0
                else:
                    assert event.__class__ is ConnectionClosed
                    self._close()
        except RemoteProtocolError as error:
            self._refuse(error)
        finally:
            self._pumping = False

    def _wait(self) -> None:
        """Wait for the client, with the patience that the state of things deserves."""
        service = self._service
        if self._unread:
            pass  # the time for all of it is running
        elif not self._parser.buffered:
            self._deadline = service.idle_until
        elif not self._in_head:
            # From its first byte on: to send the rest in drops does not buy time.
            self._in_head = True
            self._deadline = service.now + service.head_timeout
        if self._paused_reading:
            self._resume_reading()

    def _drop(self, event: Data) -> None:
        """Read past what is left of a body whose request was answered, within bounds."""
        self._unread -= len(event.data)
        if self._unread < 0:
            self._close(linger=True)

    def _begin(self, head: RequestHead) -> None:
        """Make the request, whose body follows if it has one, and start its task."""
        method, target, fields, version, _, complete, length, expects_continue, _ = head
        service = self._service
        self._in_head = False
        content = None
        if not complete:
            content = self._content = StreamReader(self)
            self._announced = length or 0
            self._pump_body()
        request = service.request_factory(
            _METHODS.get(method) or method.decode("ascii"),
            target.decode("ascii"),
            _VERSIONS[version[1]],
            fields,
            content,
            self,
        )
        request._body_length = length
        if expects_continue:
            request._expects_continue = True
        self._task = service.starter.start(self._serve(request, service.handler))

    def _pump_body(self) -> None:
        """Move what has arrived of the body into the request's stream."""
        content = self._content
        assert content is not None
        parser = self._parser
        try:
            while True:
                event = parser.next_event()
                if event.__class__ is Data:
                    content.feed_data(event.data)
                elif event.__class__ is EndOfMessage:
                    content.feed_eof()
                    self._content = None
                    return
                else:
                    return
        except RemoteProtocolError as error:
            self._closing = True
            self._content = None
            content.set_exception(RequestPayloadError(str(error)))

    # -- answers out

    async def _serve(
        self, request: BaseRequest, handler: Callable[[Any], Awaitable[StreamResponse]]
    ) -> None:
        """Run the handler and see its answer out; the one task of the request."""
        service = self._service
        log_access = service.log_access
        started = self._loop.time() if log_access is not None else 0.0
        try:
            try:
                response = await handler(request)
                if (
                    response.__class__ is not Response
                    or (body := response._body).__class__ is not bytes
                    or response._exchange is not None
                    or request._prepare_hook is not None
                ):
                    await self._answer(request, response)
                elif (
                    response._extended
                    or (kind := response._type) is None
                    or (template := service.templates.get((response._status, kind.fields))) is None
                    or self._closing
                    or self._content is not None
                    or (transport := self._transport) is None
                    or self._parser.our_state is not SEND_RESPONSE
                ):
                    response._start(request)
                else:
                    # The same as `_start` does, with what an answer like it has left.
                    response._exchange = self
                    response._eof_sent = True
                    response.body_length = len(body)
                    transport.write(self._parser.send_template(template, body))
            except (Exception, asyncio.CancelledError) as error:
                response = await self._answer_error(request, error)
        except BaseException as error:
            self._cut_short(request, error, started)
            if isinstance(error, asyncio.CancelledError):
                raise
            return
        finally:
            self._task = None
            if self._transport is None:
                service.closed(self)
        if log_access is not None:
            try:
                log_access(request, response, started)
            except Exception:
                service.logger.exception("the access log failed")
        self._cancels = service.handler_cancellation
        if (
            not self._pumping
            or self._content is not None
            or self._parser.our_state is not IDLE
            or self._closing
            or service.closing
        ):
            self._finished()

    async def _answer(self, request: BaseRequest, response: StreamResponse) -> None:
        """Send what the handler has not sent yet of its response."""
        if not isinstance(response, StreamResponse):
            raise not_a_response(response, request)
        if response._exchange is not None and (
            response._exchange is not self or self._parser.our_state is State.SEND_RESPONSE
        ):
            raise sent_before(response)
        self.begun = response
        if isinstance(response, HTTPException) and response.of_framework:
            render(response, request)
        await response.prepare(request)
        await response.write_eof()
        self.begun = None

    async def _answer_error(self, request: BaseRequest, error: BaseException) -> StreamResponse:
        """Answer for a handler that raised, as far as nothing has been sent."""
        if self._timed_out(error):
            error = TimeoutError("the handler took longer than the server gives it")
        elif self._is_end(error):
            raise error
        response = self._response_for(request, error)
        state = self._parser.our_state
        if state is State.SEND_RESPONSE or (
            state is State.IDLE and self._parser.their_state is State.ERROR
        ):
            return await self._send_error(request, response)
        if isinstance(error, HTTPException):
            explain_late(error)
            self._log_failure(request, error)
        self._closing = True
        if self.upgraded is not None:
            self.upgraded.fail()
        elif state is State.SEND_BODY:
            # A part of an answer is out: all that is left is to cut it short, visibly.
            self._abort()
        return response

    def _is_end(self, error: BaseException) -> bool:
        """Tell whether the handler ended because its client or the server did."""
        if isinstance(error, asyncio.CancelledError):
            # One that the handler caught from another task is a failure like any other.
            task = asyncio.current_task()
            return task is None or task.cancelling() > 0
        if isinstance(error, ClientConnectionResetError):
            transport = self._transport
            return transport is None or transport.is_closing() or self.upgraded is not None
        return False

    async def _send_error(self, request: BaseRequest, response: StreamResponse) -> StreamResponse:
        """Send the answer to a failure, or a plain 500 when that cannot be sent."""
        try:
            await self._answer(request, response)
        except ClientConnectionResetError:
            raise
        except Exception as error:
            if self._parser.our_state is not State.SEND_RESPONSE:
                raise
            self._log_failure(request, error)
            failure = HTTPInternalServerError()
            failure.force_close()
            failure._start(request)
            return failure
        finally:
            if isinstance(response, HTTPException):
                # It refers to frames that refer to the exception, and an exception that is raised
                # again keeps what it went through before.
                response.__traceback__ = None
        return response

    def _response_for(self, request: BaseRequest, error: BaseException) -> StreamResponse:
        if isinstance(error, HTTPException):
            return error
        fault = request._client_fault
        if isinstance(error, RequestPayloadError):
            return framework_answer(error.status)
        if fault is not None and fault[0] is error:
            return framework_answer(fault[1])
        explain_none(error, request)
        self._log_failure(request, error)
        if isinstance(error, TimeoutError):
            return framework_answer(504)
        if self._service.debug and is_local(request):
            response: HTTPException = debug_page(request, error)
        else:
            response = framework_answer(500)
        response.force_close()
        return response

    def _log_failure(self, request: BaseRequest, error: BaseException) -> None:
        self._service.logger.error(
            "Error handling %s %s", request.method, request.encoded_path, exc_info=error
        )

    def _cut_short(self, request: BaseRequest, error: BaseException, started: float) -> None:
        """See to a request whose answer could not be sent, or not all of it."""
        self._abort()
        logger = self._service.logger
        if isinstance(error, ClientConnectionResetError):
            logger.debug("the client closed the connection before the answer was sent")
        elif isinstance(error, Exception):
            logger.error("the answer to a failed request failed too", exc_info=error)
        elif not isinstance(error, asyncio.CancelledError):
            # The end of the program is the loop's business: a task would keep it for
            # whoever awaits the task, and uvloop logs what a protocol raises and goes on.
            self._loop.call_soon(_raise, error)
            return
        self._log_cut(request, started)

    def _log_cut(self, request: BaseRequest, started: float) -> None:
        """Log an answer that was cut short, or as 499, as nginx does, that there was none."""
        response, self.begun = self.begun, None
        if self._parser.our_state is State.SEND_RESPONSE or not isinstance(
            response, StreamResponse
        ):
            response = StreamResponse(status=CLIENT_CLOSED)
        log_access = self._service.log_access
        if log_access is None:
            return
        try:
            log_access(request, response, started)
        except Exception:
            self._service.logger.exception("the access log failed")

    def _finished(self) -> None:
        """Go on after an answer: with the next request, with what is left of a body, or not.

        In the usual case, who pumps goes on anyway.
        """
        service, parser, content = self._service, self._parser, self._content
        if self.upgraded is not None:
            self._closing = True
            return
        if content is not None:
            self._content = None
            content.set_exception(PayloadAccessError("the request has been answered already"))
            self._unread = MAX_DRAIN
            self._deadline = service.now + service.lingering_time
            # RFC 9112, section 9.6: the answer said that it is the last one.
            self._closing = self._closing or parser.our_state is State.MUST_CLOSE
        elif not parser.keep_alive:
            self._closing = True
        if self._closing or service.closing:
            self._close(linger=content is not None or parser.their_state is State.ERROR)
        elif self._pumping:
            return
        elif self._unread or self._eof or parser.buffered or self._paused_reading:
            self._go_on_later()
        else:
            self._deadline = service.idle_until

    def _go_on_later(self) -> None:
        """Go on with what has arrived, but neither in the task of a request nor in this turn."""
        if not self._unread:
            self._deadline = self._service.idle_until
        if self._parser.buffered > MAX_PIPELINED:
            self._pause_reading()
        self._loop.call_soon(self._resume_pump)

    def _resume_pump(self) -> None:
        if self._task is None and self._transport is not None:
            self._pump()

    def _refuse(self, error: RemoteProtocolError) -> None:
        """Answer a malformed request and close.

        The answer comes from the application, whose middlewares may have a say in its form; what
        there was of the request is not shown to them.
        """
        service = self._service
        service.logger.debug("refused a request: %s", error)
        # A fault in a body that is only read past comes after the answer.
        if self._transport is None or not self._may_refuse:
            self._close(linger=True)
            return
        self._closing = True
        request = service.request_factory("UNKNOWN", "/", HttpVersion10, (), None, self)
        refuse = partial(service.refuse, framework_answer(error.status))
        self._task = service.starter.start(self._serve(request, refuse))

    @property
    def _may_refuse(self) -> bool:
        """Whether an answer can be begun: to a request, or to what is none."""
        state = self._parser.our_state
        return state is State.IDLE or state is State.SEND_RESPONSE

    # -- the end

    def shut_down(self) -> bool:
        """Close an idle connection; return whether a request is still being served.

        A request may be on its way: where it has begun, or where the connection is new or was used
        just now, there is a moment for it.
        """
        if self._task is not None:
            return True
        service = self._service
        in_use = self._deadline > service.idle_until - RECENT
        if (in_use or self._parser.buffered) and not self._closing:
            self._loop.call_later(MOMENT, self._close_if_idle)
        else:
            self._close()
        return False

    def _close_if_idle(self) -> None:
        if self._task is None:
            self._close()

    def cancel(self) -> asyncio.Task[None] | None:
        """Cancel the request that is being served and drop the connection."""
        task = self._task
        if task is not None:
            task.cancel()
        self._abort()
        return task

    @property
    def running(self) -> asyncio.Task[None] | None:
        """The task of the request that is being served."""
        return self._task

    def sweep(self) -> None:
        """Look at what takes time: the client, which may be silent, or the handler."""
        transport, task = self._transport, self._task
        if self.upgraded is not None:
            return
        backlog = 0 if transport is None else transport.get_write_buffer_size()
        if task is not None or backlog:
            self._look_at(task, backlog)
            return
        self._watch = None
        if transport is None or self._service.now <= self._deadline:
            return
        if self._lingering or not self._parser.buffered or not self._may_refuse:
            self._abort()
        else:
            self._time_out()

    def _look_at(self, task: asyncio.Task[None] | None, backlog: int) -> None:
        """Look at a request that is being served, or at an answer that is on its way."""
        service, content = self._service, self._content
        now = service.now
        watch = self._watch
        if watch is None or watch.task is not task:
            watch = self._watch = Watch(task, now, service.patience)
        overdue = watch.look(
            now,
            service.patience,
            backlog=backlog,
            awaited=-1 if content is None else content.awaited_from,
            begun=self._parser.our_state is not State.SEND_RESPONSE,
        )
        if task is None:
            # The time of a client that is silent begins when it has taken its answer.
            time = service.lingering_time if self._lingering else service.keepalive_timeout
            self._deadline = now + time
        if overdue is Overdue.TAKING:
            self._abort()
        elif overdue is Overdue.BODY:
            self._give_up_body()
        elif overdue is Overdue.HANDLER and task is not None:
            watch.timed_out = True
            task.cancel()

    def _give_up_body(self) -> None:
        """Tell the handler that the body does not arrive in time; 408 if it has no answer."""
        assert self._content is not None
        error = RequestPayloadError("the body did not arrive in time")
        error.status = 408
        self._closing = True
        self._content.set_exception(error)

    def _timed_out(self, error: BaseException) -> bool:
        """Tell whether *error* is the end of the handler's time, and take that back if it is."""
        watch, task = self._watch, self._task
        if watch is None or task is None or watch.task is not task or not watch.timed_out:
            return False
        if not isinstance(error, asyncio.CancelledError):
            return False
        watch.timed_out = False
        # Unless it was cancelled a second time, by its client or the end of the server.
        return task.uncancel() == 0

    def count_request(self, limit: int) -> None:
        """Count a request; make the answer to the last one that is allowed end the connection."""
        self.requests += 1
        if self.requests >= limit:
            self._closing = True

    def _time_out(self) -> None:
        """Answer 408 to a head that did not arrive in time (RFC 9110, section 15.5.9)."""
        fields = [(b"Connection", b"close"), *self._service.fields]
        if self._transport is not None:
            self._transport.write(self._parser.send(ResponseHead(408, fields), b""))
        self._close()

    def _close(self, *, linger: bool = False) -> None:
        """Close when what was written is out.

        With *linger* the client may still be sending: closing at once would reset the
        connection and could destroy the answer on its way (RFC 9112, section 9.6).
        """
        transport = self._transport
        self._closing = True
        if transport is None or transport.is_closing():
            return
        if linger and not self._eof and transport.can_write_eof():
            self._lingering = True
            self._deadline = self._service.now + self._service.lingering_time
            self._resume_reading()
            try:
                transport.write_eof()
            except OSError:  # reset by the client, as the transport is about to find out
                transport.abort()
        else:
            transport.close()


def _raise(error: BaseException) -> None:
    raise error


def _probe_when_idle(transport: asyncio.Transport) -> None:
    """Let the system find out about clients that vanished (SO_KEEPALIVE)."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
