"""One HTTP/1.1 connection, either side of it.

What lives here: the order of things. Which event is legal when stands in the tables of
`_state.py`; what a head means, in `_framing.py`; what a body is made of, in `_readers.py` and
`_writers.py`. The methods here look these up, carry the data between them and keep what must be
remembered of the message under way.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, Literal, final

from ._buffer import ReceiveBuffer
from ._errors import Fault, LocalProtocolError, RemoteProtocolError
from ._events import (
    NEED_DATA,
    PAUSED,
    ConnectionClosed,
    Data,
    EndOfMessage,
    Event,
    Headers,
    Informational,
    Request,
    Response,
    Signal,
    WholeRequest,
    received_headers,
)
from ._framing import PLAIN, Framing, request_framing, response_framing
from ._grammar import is_target
from ._limits import Limits
from ._lines import LineCheck, Section
from ._readers import BodyReader, ChunkedReader, CloseReader, LengthReader
from ._scan import scan_request_head, scan_response_head, scan_whole_request, serialize_fields
from ._scan_py import CONTENT_LENGTH, SPECIAL_METHODS, Known, RequestHead, ResponseHead
from ._state import (
    CLOSED,
    DONE,
    ENDING,
    ERROR,
    IDLE,
    KEPT,
    MIGHT_SWITCH,
    MUST_CLOSE,
    REQUESTER,
    RESPONDER,
    SEND_BODY,
    SEND_RESPONSE,
    SWITCHED,
    Role,
    State,
    Table,
)
from ._writers import (
    BODY_STATUS_LINES,
    BODYLESS,
    Asked,
    BodyWriter,
    ResponseTemplate,
    has_body_fields,
    own_framing,
    plan_request,
    plan_response,
    request_line,
    serialize,
    status_line,
    without_keep_alive,
)

_VERSIONS: Final = tuple((1, minor) for minor in range(10))
_UNREACHABLE: Final = 2**63 - 1
# Not what the kernel returns for a head without known fields.
_NOTHING: Final[Known] = ((0, b""),)
_CLOSED_EVENT: Final = ConnectionClosed()
_new: Final = tuple.__new__
_new_headers: Final = Headers.__new__

# Known fields, minor version, and what both come to.
Memo = tuple[Known, int, Framing]
_latest: Final[list[Memo]] = [((), -1, PLAIN)]

NextEvent = Event | Literal[Signal.NEED_DATA, Signal.PAUSED]


@final
class Connection:
    """Turn the bytes of one connection into events, and our events into bytes.

    It does no I/O: give it what was received, write what `send` returns.

    Args:
        role: which side we are.
        limits: what the peer may send at most.
    """

    __slots__ = (
        "_asked_upgrade",
        "_buffer",
        "_eof",
        "_expecting",
        "_fault",
        "_head_limits",
        "_is_server",
        "_keep_alive",
        "_limits",
        "_lines",
        "_memo",
        "_memo_known",
        "_memo_minor",
        "_method",
        "_peer_minor",
        "_plain",
        "_reader",
        "_readers",
        "_sent_whole",
        "_usual_known",
        "_usual_length",
        "_writer",
        "our_state",
        "their_state",
    )

    def __init__(self, role: Role, *, limits: Limits = Limits()) -> None:  # noqa: B008 (frozen)
        self._is_server = role is Role.SERVER
        self._limits = limits
        self._head_limits = (
            limits.max_request_line,
            limits.max_header,
            limits.max_headers,
            limits.max_head,
        )
        self._readers = _READERS[role]
        self.our_state = IDLE
        self.their_state = IDLE
        self._buffer = ReceiveBuffer()
        self._eof = False
        self._fault: Fault | None = None
        # The head or trailer section that is judged line by line, if one is.
        self._lines: LineCheck | None = None
        self._reader: BodyReader | None = None
        self._writer: BodyWriter | None = None
        # Of the message under way.
        self._keep_alive = True
        self._method = b""
        self._peer_minor = 1
        self._expecting = False
        self._asked_upgrade = False
        self._plain = False
        # The request that was sent last, if it may be sent again as it is.
        self._sent_whole: tuple[Request, bytes] | None = None
        # The last known fields and what they came to, on this connection or, for its first
        # request, on any: peers tend to repeat themselves and each other.
        self._memo_known, self._memo_minor, self._memo = _latest[0]
        # The known fields of the last whole request and the length of its body.
        self._usual_known: Known = _NOTHING
        self._usual_length = _UNREACHABLE

    # What was received.

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes from the peer; `next_event` then says what they mean.

        Raises:
            LocalProtocolError: after `receive_eof`, or after a switch of protocols.
        """
        buffer = self._buffer
        state = self.their_state
        if state is IDLE and not buffer.data and type(data) is bytes and not self._eof:
            # The usual case, which comes to the same as what follows.
            buffer.data = data
            return
        if self._eof or state is SWITCHED:
            raise LocalProtocolError("bytes were given after the end of HTTP on this connection")
        # RFC 9112 section 9.6: nothing that follows a closing message is processed.
        if state is not MUST_CLOSE and state is not CLOSED and state is not ERROR:
            buffer.append(data)

    def receive_eof(self) -> None:
        """Note that the peer will send nothing more."""
        self._eof = True

    def receive_whole(self, data: bytes) -> WholeRequest | None:
        """Do as `receive_data`; return the message if *data* is one whole HTTP/1.1 request.

        It is a shorter way to what `next_event` says of such a request, of which neither `Data` nor
        `EndOfMessage` are left to be read. None says that `next_event` is to be asked: the request
        is not whole, not alone, not well-formed, or not of the usual kind, which is kept alive
        and without `Expect`, `Upgrade`, HEAD and chunked coding. Method and target are text here.

        Raises:
            LocalProtocolError: as `receive_data`.
        """
        if self.their_state is IDLE and not self._buffer.data and not self._eof:
            usual = self._usual_known
            found = scan_whole_request(data, self._head_limits, usual, self._usual_length)
            if found is not None:
                method, target, start, end, known = found
                if known is usual or self._learn(known) == len(data) - end:
                    self.our_state = SEND_RESPONSE
                    self.their_state = DONE
                    headers = _new_headers(Headers)
                    headers._start = start
                    headers._pairs = None
                    if not self._usual_length:
                        headers._head = data
                        return method, target, headers, b""
                    headers._head = data[:end]
                    return method, target, headers, data[end:]
        self.receive_data(data)
        return None

    def receive_whole_response(self, data: bytes) -> tuple[Response, bytes] | None:
        """Do as `receive_data`; return the message and its body if *data* is one whole response.

        What `receive_whole` is to a request. None says that `next_event` is to be asked: what came
        is not whole, not alone, not well-formed, or not of the usual kind, which is final, has a
        Content-Length, is kept alive, and answers a request that is sent to its end.

        Raises:
            LocalProtocolError: as `receive_data`.
        """
        sent = self.our_state is DONE and self.their_state is SEND_RESPONSE
        if sent and not self._buffer.data and self._lines is None and not self._eof:
            last = self._memo_known
            found = scan_response_head(data, 0, *self._head_limits, last)
            if found is not None:
                status, reason, minor, start, end, known = found
                if (
                    ((known is last and minor == self._memo_minor) or self._learn_response(found))
                    and self._memo.plain
                    and self._memo.length == len(data) - end
                    and status >= 200
                    and status not in BODYLESS
                    and self._method not in SPECIAL_METHODS
                    and self._keep_alive
                ):
                    self._peer_minor = minor
                    self.our_state, self.their_state = _KEPT_DONE
                    length = len(data) - end
                    headers = received_headers(data, start)
                    facts = status, headers, reason, _VERSIONS[minor], True, not length, length
                    return _new(Response, facts), data[end:]
        self.receive_data(data)
        return None

    @property
    def buffered(self) -> int:
        """Bytes received and not yet turned into events."""
        buffer = self._buffer
        return len(buffer.data) - buffer.pos

    @property
    def trailing_data(self) -> bytes:
        """The bytes received after a switch of protocols, handed over once."""
        return self._buffer.take(len(self._buffer)) if self.their_state is SWITCHED else b""

    @property
    def keep_alive(self) -> bool:
        """Whether another message can follow the one under way, as agreed so far.

        False too while a request is not read to its end that is answered already.
        """
        if self.our_state is DONE and self.their_state is SEND_BODY:
            return False
        return self._keep_alive

    def next_event(self) -> NextEvent:
        """Return what comes next, or `NEED_DATA`, or `PAUSED` until we have sent our part.

        Raises:
            RemoteProtocolError: the peer broke the rules; answer with its status if no answer was
                begun, then close. Each further call raises it again.
        """
        return self._readers[self.their_state](self)

    def _fail(self, fault: Fault) -> RemoteProtocolError:
        self._fault = fault
        self._keep_alive = self._plain = False
        self.their_state = ERROR
        self._buffer.clear()
        self._lines = None
        self._settle()
        return RemoteProtocolError(fault)

    # Reading heads.

    def _read_request(self) -> NextEvent:
        buffer = self._buffer
        data = buffer.data
        pos = buffer.pos
        if self._lines is not None or type(data) is not bytes:
            return self._read_gathered_request()
        found = scan_request_head(data, pos, *self._head_limits, self._memo_known)
        if found is None:
            return self._read_gathered_request()
        start, end = found[3], found[4]
        return self._receive_request(buffer.take(end - pos), start - pos, found)

    def _read_gathered_request(self) -> NextEvent:
        try:
            head = self._gather(Section.REQUEST)
            if head is None:
                return self._wait_for_head()
        except RemoteProtocolError as error:
            raise self._fail(error.fault) from None
        found = scan_request_head(head, 0, *self._head_limits, self._memo_known)
        assert found is not None, "the kernel refuses what the line check accepts"
        return self._receive_request(head, found[3], found)

    def _gather(self, section: Section) -> bytes | None:
        """Return a head that did not come in one piece, or came after empty lines."""
        buffer = self._buffer
        lines = self._lines
        if lines is None:
            if not len(buffer):
                return None
            lines = self._lines = LineCheck(section, self._limits)
        size = lines.feed(buffer.data, buffer.pos)
        if size is None:
            return None
        self._lines = None
        buffer.pos += lines.begin
        return buffer.take(size - lines.begin)

    def _wait_for_head(self) -> NextEvent:
        if not self._eof:
            return NEED_DATA
        skipped = 0 if self._lines is None else self._lines.begin
        if len(self._buffer) > skipped or not self._is_server:
            raise RemoteProtocolError(Fault.EOF_IN_HEAD)
        self._close_theirs()
        return _CLOSED_EVENT

    def _receive_request(self, head: bytes, start: int, found: RequestHead) -> Request:
        try:
            framing = self._judge_request(found)
        except RemoteProtocolError as error:
            raise self._fail(error.fault) from None
        method, target, minor, _, _, _ = found
        keep_alive, length, chunked, expecting, upgrade, plain = framing
        complete = not length and not chunked
        special = method in SPECIAL_METHODS
        self._plain = plain and not special
        self._keep_alive = keep_alive
        self._method = method
        if special:
            self._usual_known = _NOTHING
        self._peer_minor = minor
        self._asked_upgrade = upgrade is not None
        self._expecting = expecting and not complete
        self.our_state = SEND_RESPONSE
        if complete:
            self.their_state = DONE
            if special or not plain:
                self._end_theirs()
        else:
            self._reader = ChunkedReader(self._limits) if chunked else LengthReader(length or 0)
            self.their_state = SEND_BODY
        headers = received_headers(head, start)
        version = _VERSIONS[minor]
        facts = keep_alive, complete, length, expecting, upgrade
        return _new(Request, (method, target, headers, version, *facts))

    def _judge_request(self, found: RequestHead) -> Framing:
        method, target, minor, _, _, known = found
        framing = self._framing_of(known, minor)
        if (target[0] != 0x2F or method == b"CONNECT") and not is_target(method, target):
            raise RemoteProtocolError(Fault.TARGET)
        if method == b"CONNECT" and (framing.length or framing.chunked):
            # RFC 9110 section 9.3.6: a CONNECT request has no content.
            raise RemoteProtocolError(Fault.CONNECT_BODY)
        return framing

    def _framing_of(self, known: Known, minor: int) -> Framing:
        """Judge known fields of a request, which often are the last ones again."""
        if known != self._memo_known or minor != self._memo_minor:
            _latest[0] = memo = known, minor, request_framing(known, minor)
            self._memo_known, self._memo_minor, self._memo = memo
            self._usual_known = _NOTHING
        return self._memo

    def _learn(self, known: Known) -> int:
        """Judge known fields that are not like the last ones; return the length of the body.

        It is out of reach where they are not those of the usual kind, see `receive_whole`.
        """
        try:
            framing = self._framing_of(known, 1)
        except RemoteProtocolError:
            return _UNREACHABLE
        self._usual_known, self._usual_length = known, _UNREACHABLE
        if framing.plain and not framing.chunked:
            self._usual_length = framing.length or 0
            # What holds for all such requests, until one of another kind comes. Which method it is
            # is only asked of the special ones.
            self._keep_alive = self._plain = True
            self._method = b"GET"
            self._peer_minor = 1
            self._asked_upgrade = self._expecting = False
        return self._usual_length

    def _learn_response(self, found: ResponseHead) -> bool:
        """Judge known fields that are not like the last ones; say whether they are right."""
        _, _, minor, _, _, known = found
        try:
            framing = response_framing(known, minor)
        except RemoteProtocolError:
            return False
        self._memo_known, self._memo_minor, self._memo = known, minor, framing
        return True

    def _read_response(self) -> NextEvent:
        buffer = self._buffer
        data = buffer.data
        pos = buffer.pos
        line, header, headers, whole = self._head_limits
        try:
            if self._lines is None and type(data) is bytes:
                found = scan_response_head(
                    data, pos, line, header, headers, whole, self._memo_known
                )
                if found is not None:
                    buffer.pos = found[4]
                    return self._receive_response(data[pos : found[4]], found[3] - pos, found)
            head = self._gather(Section.RESPONSE)
            if head is None:
                return self._wait_for_head()
            found = scan_response_head(head, 0, line, header, headers, whole, self._memo_known)
            assert found is not None, "the kernel refuses what the line check accepts"
            return self._receive_response(head, found[3], found)
        except RemoteProtocolError as error:
            raise self._fail(error.fault) from None

    def _receive_response(
        self, head: bytes, start: int, found: ResponseHead
    ) -> Informational | Response:
        status, reason, minor, _, _, known = found
        headers = received_headers(head, start)
        if self._method == b"CONNECT" and 200 <= status < 300:
            # RFC 9110 section 9.3.6: a tunnel begins, Content-Length and coding are ignored, and
            # the request, which has no content, is at its end even where we have not said so.
            self._switch()
            return Response(status, headers, reason, _VERSIONS[minor], False, True, None)
        framing = response_framing(known, minor)
        if status < 200:
            if status == HTTPStatus.SWITCHING_PROTOCOLS:
                # RFC 9110 section 7.8: only to a protocol that was asked for.
                if not self._asked_upgrade or self.our_state is not MIGHT_SWITCH:
                    raise RemoteProtocolError(Fault.SWITCH_UNASKED)
                self._switch()
            return Informational(status, headers, reason, _VERSIONS[minor])
        self._peer_minor = minor
        complete, length = self._begin_response_body(status, framing)
        if complete:
            self.their_state = DONE
            self._end_theirs()
        elif self.our_state is MIGHT_SWITCH:
            self._settle()
        keep_alive = framing.keep_alive and type(self._reader) is not CloseReader
        return Response(status, headers, reason, _VERSIONS[minor], keep_alive, complete, length)

    def _begin_response_body(self, status: int, framing: Framing) -> tuple[bool, int | None]:
        """Choose how a body is read (RFC 9112 section 6.3); say if it is empty, and its length."""
        self._keep_alive = self._keep_alive and framing.keep_alive
        self._reader = None
        self.their_state = SEND_BODY
        if self._method == b"HEAD" or status in (204, 304):
            return True, framing.length
        if framing.chunked:
            self._reader = ChunkedReader(self._limits)
        elif framing.length is None:
            self._reader = CloseReader()
            self._keep_alive = False
        elif framing.length:
            self._reader = LengthReader(framing.length)
        return self._reader is None, framing.length

    # Reading bodies, and where nothing is read.

    def _read_body(self) -> NextEvent:
        reader = self._reader
        assert reader is not None
        try:
            event = reader.read(self._buffer)
            if event is None:
                if not self._eof:
                    return NEED_DATA
                # RFC 9112 section 8: a message that ends early is incomplete.
                if type(reader) is not CloseReader:
                    raise RemoteProtocolError(Fault.EOF_IN_BODY)
                event = EndOfMessage()
        except RemoteProtocolError as error:
            raise self._fail(error.fault) from None
        self._expecting = False
        if type(event) is EndOfMessage:
            self._reader = None
            self.their_state = DONE
            self._end_theirs()
        return event

    def _read_nothing(self) -> NextEvent:
        return PAUSED

    def _read_idle(self) -> NextEvent:
        if len(self._buffer):
            raise self._fail(Fault.UNEXPECTED_DATA)
        return self._read_end() if self._eof else NEED_DATA

    def _read_end(self) -> NextEvent:
        # A server may still owe its answer to the last request.
        if self._is_server and self.our_state in _ANSWERING:
            return PAUSED
        self._close_theirs()
        return _CLOSED_EVENT

    def _read_fault(self) -> NextEvent:
        assert self._fault is not None
        raise RemoteProtocolError(self._fault)

    # What follows from a message that has ended.

    def _end_theirs(self) -> None:
        if self._is_server and self.our_state is SEND_RESPONSE and self._may_switch():
            self.their_state = MIGHT_SWITCH
        else:
            self._settle()

    def _may_switch(self) -> bool:
        return self._asked_upgrade or self._method == b"CONNECT"

    def _settle(self) -> None:
        table = KEPT if self._keep_alive else ENDING
        if self._is_server:
            states = table.get((self.their_state, self.our_state))
            if states is not None:
                self.their_state, self.our_state = states
        else:
            states = table.get((self.our_state, self.their_state))
            if states is not None:
                self.our_state, self.their_state = states

    def _close_theirs(self) -> None:
        self.their_state = CLOSED
        self._keep_alive = False
        self._buffer.clear()
        self._lines = None
        self._settle()

    def _switch(self) -> None:
        self.our_state = self.their_state = SWITCHED
        self._keep_alive = False

    # What we send.

    def send(self, event: Event, body: bytes | None = None) -> bytes:
        """Return the bytes of *event*; with *body*, those of the whole message.

        What is missing of its framing is added to a head: Content-Length if *body* is given; else,
        to a response without it, chunked coding, or the end of the connection for an HTTP/1.0
        peer. So is the Connection field that says what becomes of the connection. The answer to
        HEAD is framed like one with a body, which is then dropped. A response is always written
        as HTTP/1.1, whatever its `version`.

        Raises:
            LocalProtocolError: the event is not legal now or not valid; nothing has changed.
        """
        # In this state the table allows a response.
        if self.our_state is SEND_RESPONSE and isinstance(event, Response):
            return self._send_response(event, body)
        kind = type(event)
        table: Table = RESPONDER if self._is_server else REQUESTER
        if kind not in table[self.our_state]:
            raise LocalProtocolError(
                f"{kind.__name__} cannot be sent in the state {self.our_state.value}"
            )
        if body is not None and kind is not Request and kind is not Response:
            raise LocalProtocolError("only a request or a response has a body")
        return _SENDERS[kind](self, event, body)

    def send_template(self, template: ResponseTemplate, body: bytes) -> bytes:
        """Return the bytes of a response, the same as ``send(template.response, body)``.

        Raises:
            LocalProtocolError: as `send`.
        """
        if not self._plain or self.our_state is not SEND_RESPONSE:
            return self.send(template.response, body)
        length, head = template._head
        if length != len(body):
            found = template._head_for(body)
            if found is None:
                return self.send(template.response, body)
            head = found
        if self.their_state is DONE:
            self.their_state, self.our_state = _KEPT_DONE
        else:
            self.our_state = DONE
        return head + body

    def _send_response(self, event: Response, body: bytes | None) -> bytes:
        # The usual case, which comes to the same as the plan of the general one.
        if body is not None and self._plain and not event[2]:
            line = BODY_STATUS_LINES.get(event[0])
            found = serialize_fields(event[1])
            if line is not None and found is not None:
                block, known = found
                length = b"%d" % len(body)
                if not known:
                    data = b"".join((line, block, b"Content-Length: ", length, b"\r\n\r\n", body))
                elif known == ((CONTENT_LENGTH, length),):
                    data = b"".join((line, block, b"\r\n", body))
                else:
                    return self._send_planned(event, body)
                if self.their_state is DONE:
                    self.their_state, self.our_state = _KEPT_DONE
                else:
                    self.our_state = DONE
                return data
        return self._send_planned(event, body)

    def _send_planned(self, event: Response, body: bytes | None) -> bytes:
        status = event.status
        asked = self._asked(status)
        line = status_line(status, event.reason)
        headers = tuple(event.headers)
        block, known = serialize(headers)
        if asked.method == b"CONNECT" and status < 300:
            return self._send_connected(line + block, known, body)
        plan = plan_response(status, known, body, asked)
        if known and not plan.keep_alive:
            block, _ = serialize(without_keep_alive(headers))
        tail = b"" if body is None else plan.writer.data(body) + plan.writer.end(())
        data = b"%b%b%b\r\n%b" % (line, block, plan.lines, tail)
        self._method, self._peer_minor = asked.method, asked.minor
        self._keep_alive = plan.keep_alive
        self._asked_upgrade = False
        self._writer = plan.writer
        self.our_state = SEND_BODY
        if body is None:
            self._settle()
        else:
            self._finish_ours()
        return data

    def _asked(self, status: int) -> Asked:
        """Return what a final response answers to."""
        if not 200 <= status <= 999:
            raise LocalProtocolError(f"{status} is not the status of a final response")
        if self.our_state is IDLE:
            # RFC 9110 section 15.5.9: a server may end an idle connection with 408.
            if status < 400:
                raise LocalProtocolError(f"no request was received that {status} could answer")
            return Asked(b"", 1, False)
        # RFC 9110 section 10.1.1: whether the body follows is the client's choice if no 100 was
        # sent, so that what comes next could be either.
        undecided = self._expecting and self.their_state is SEND_BODY
        return Asked(self._method, self._peer_minor, self._keep_alive and not undecided)

    def _send_connected(self, head: bytes, known: Known, body: bytes | None) -> bytes:
        # RFC 9110 section 9.3.6: neither Content-Length nor Transfer-Encoding, nor content.
        if body or has_body_fields(own_framing(known)):
            raise LocalProtocolError("a successful answer to CONNECT has no body and no length")
        self._switch()
        return head + b"\r\n"

    def _send_informational(self, event: Informational, body: bytes | None) -> bytes:
        status = event.status
        if not 100 <= status <= 199:
            raise LocalProtocolError(f"{status} is not the status of an interim response")
        if not self._peer_minor:
            # RFC 9110 section 15.2.
            raise LocalProtocolError("an HTTP/1.0 peer takes no interim response")
        block, known = serialize(event.headers)
        framing = own_framing(known)
        if has_body_fields(framing):
            # RFC 9112 section 6.1, RFC 9110 section 8.6.
            raise LocalProtocolError("an interim response has neither Content-Length nor coding")
        data = b"%b%b\r\n" % (status_line(status, event.reason), block)
        if status == HTTPStatus.SWITCHING_PROTOCOLS:
            # RFC 9110 section 7.8: it names the protocol, which was asked for, and the request has
            # been received.
            if framing.upgrade is None:
                raise LocalProtocolError("101 names its protocol in Upgrade and Connection")
            if self.their_state is not MIGHT_SWITCH or not self._asked_upgrade:
                raise LocalProtocolError("no upgrade was asked for, or its request is not read")
            self._switch()
        elif status == HTTPStatus.CONTINUE:
            self._expecting = False
        return data

    def _send_request(self, event: Request, body: bytes | None) -> bytes:
        again = self._sent_whole
        if again is not None and event is again[0] and body == b"":
            # What cannot have changed comes to the same bytes and states.
            self.our_state, self.their_state = DONE, SEND_RESPONSE
            return again[1]
        line = request_line(event.method, event.target, event.version)
        block, known = serialize(event.headers)
        framing = own_framing(known, request=True, minor=event.version[1])
        plan = plan_request(event.method, framing, body)
        tail = b"" if body is None else plan.writer.data(body) + plan.writer.end(())
        data = b"%b%b%b\r\n%b" % (line, block, plan.lines, tail)
        self._method = event.method
        self._keep_alive = plan.keep_alive
        self._asked_upgrade = framing.upgrade is not None
        self._writer = plan.writer
        self.our_state, self.their_state = SEND_BODY, SEND_RESPONSE
        usual = body == b"" and framing.plain and event.method != b"CONNECT"
        self._sent_whole = (event, data) if usual and type(event.headers) is tuple else None
        if body is not None:
            self._finish_ours()
        return data

    def _send_data(self, event: Data, body: bytes | None) -> bytes:
        assert self._writer is not None
        return self._writer.data(event.data)

    def _send_end(self, event: EndOfMessage, body: bytes | None) -> bytes:
        assert self._writer is not None
        tail = self._writer.end(event.trailers)
        self._finish_ours()
        return tail

    def _send_closed(self, event: ConnectionClosed, body: bytes | None) -> bytes:
        self.our_state = CLOSED
        self._keep_alive = False
        return b""

    def _finish_ours(self) -> None:
        self._writer = None
        if not self._is_server and self._may_switch() and self.their_state is SEND_RESPONSE:
            self.our_state = MIGHT_SWITCH
            return
        self.our_state = DONE
        self._settle()


_ANSWERING: Final = frozenset({SEND_RESPONSE, SEND_BODY})
_KEPT_DONE: Final = KEPT[DONE, DONE]

_READERS: Final[dict[Role, dict[State, Callable[[Connection], NextEvent]]]] = {
    Role.SERVER: {
        IDLE: Connection._read_request,
        SEND_BODY: Connection._read_body,
        DONE: Connection._read_nothing,
        MIGHT_SWITCH: Connection._read_nothing,
        SWITCHED: Connection._read_nothing,
        MUST_CLOSE: Connection._read_end,
        CLOSED: Connection._read_end,
        ERROR: Connection._read_fault,
    },
    Role.CLIENT: {
        IDLE: Connection._read_idle,
        SEND_RESPONSE: Connection._read_response,
        SEND_BODY: Connection._read_body,
        DONE: Connection._read_nothing,
        SWITCHED: Connection._read_nothing,
        MUST_CLOSE: Connection._read_end,
        CLOSED: Connection._read_end,
        ERROR: Connection._read_fault,
    },
}

_SENDERS: Final[dict[type, Callable[[Connection, Any, bytes | None], bytes]]] = {
    Response: Connection._send_planned,
    Request: Connection._send_request,
    Informational: Connection._send_informational,
    Data: Connection._send_data,
    EndOfMessage: Connection._send_end,
    ConnectionClosed: Connection._send_closed,
}
