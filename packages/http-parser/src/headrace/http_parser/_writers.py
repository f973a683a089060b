"""Writers: how a message of ours is framed, and the bytes of its body.

A plan is made from a head that was serialized: which header lines are to be added to it, and which
writer takes the body. What the caller may not do raises `LocalProtocolError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple, final

from ._errors import LocalProtocolError, RemoteProtocolError
from ._events import Pair, Response
from ._framing import Framing, connection_options, request_framing, response_framing
from ._grammar import TARGET, is_field_value, is_target, is_token
from ._readers import FORBIDDEN_TRAILERS
from ._scan import serialize_fields
from ._scan_py import CONNECTION, Known

# RFC 9112 section 6.3: these have no body, whatever their fields say.
BODYLESS: Final = frozenset({204, 304})
STATUS_LINES: Final[dict[int, bytes]] = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}
# Those of final responses that may have a body.
BODY_STATUS_LINES: Final = {
    status: line
    for status, line in STATUS_LINES.items()
    if status >= 200 and status not in BODYLESS and status != 205
}
# RFC 9110 section 8.6: a request of these says so when its content is empty.
_METHODS_WITH_CONTENT: Final = (b"POST", b"PUT", b"PATCH")


class LengthWriter:
    """Write a body of the length that was announced."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    def data(self, data: bytes) -> bytes:
        if len(data) > self._left:
            raise LocalProtocolError(
                f"the body is longer than announced: {self._left} bytes are left, not {len(data)}"
            )
        self._left -= len(data)
        return data

    def end(self, trailers: Sequence[Pair]) -> bytes:
        if self._left:
            raise LocalProtocolError(f"the body is shorter than announced by {self._left} bytes")
        return _no_trailers(trailers)


class ChunkedWriter:
    """Write a body in the chunked coding."""

    __slots__ = ()

    def data(self, data: bytes) -> bytes:
        # An empty chunk would end the body.
        return b"%x\r\n%b\r\n" % (len(data), data) if data else b""

    def end(self, trailers: Sequence[Pair]) -> bytes:
        if not trailers:
            return b"0\r\n\r\n"
        block, _ = serialize(trailers)
        if any(name.lower() in FORBIDDEN_TRAILERS for name, _ in trailers):
            raise LocalProtocolError("a trailer field may only stand in the head")
        return b"0\r\n%b\r\n" % block


class CloseWriter:
    """Write a body that ends with the connection."""

    __slots__ = ()

    def data(self, data: bytes) -> bytes:
        return data

    def end(self, trailers: Sequence[Pair]) -> bytes:
        return _no_trailers(trailers)


class DropWriter:
    """Write nothing: the answer to HEAD is framed as if its body followed."""

    __slots__ = ()

    def data(self, data: bytes) -> bytes:
        return b""

    def end(self, trailers: Sequence[Pair]) -> bytes:
        return b""


BodyWriter = LengthWriter | ChunkedWriter | CloseWriter | DropWriter


def _no_trailers(trailers: Sequence[Pair]) -> bytes:
    if trailers:
        raise LocalProtocolError("only a chunked body can have trailers")
    return b""


class Plan(NamedTuple):
    """How a message is written: lines to add to its head, and what writes its body."""

    lines: bytes
    writer: BodyWriter
    keep_alive: bool


def serialize(headers: Iterable[Pair]) -> tuple[bytes, Known]:
    """Write the lines of *headers* and return them with their known fields."""
    pairs = tuple(headers)
    found = serialize_fields(pairs)
    if found is None:
        raise LocalProtocolError(_fault_of(pairs))
    return found


def _fault_of(pairs: tuple[object, ...]) -> str:
    for index, pair in enumerate(pairs):
        if type(pair) is not tuple or [type(part) for part in pair] != [bytes, bytes]:
            return f"header {index} is not a tuple of two bytes objects"
        name, value = pair
        if is_token(name) is None:
            return f"the name of header {index} is not a token"
        # RFC 9110 section 5.5: CR, LF and NUL would let the value write headers of its own.
        if is_field_value(value) is None:
            return f"the value of header {index} holds a control character"
    return "a header value begins or ends with white space"


def status_line(status: int, reason: bytes) -> bytes:
    """Write a status line, with the standard phrase if *reason* is empty."""
    if not reason:
        line = STATUS_LINES.get(status)
        # RFC 9112 section 4: the space stays when the phrase is empty.
        return b"HTTP/1.1 %d \r\n" % status if line is None else line
    if is_field_value(reason) is None:
        raise LocalProtocolError("the reason holds a control character")
    return b"HTTP/1.1 %d %b\r\n" % (status, reason)


def request_line(method: bytes, target: bytes, version: tuple[int, int]) -> bytes:
    """Write a request line."""
    if is_token(method) is None:
        raise LocalProtocolError("the method is not a token")
    if not target or target.translate(None, TARGET) or not is_target(method, target):
        raise LocalProtocolError("the target has none of the four forms that suit its method")
    if version not in ((1, 0), (1, 1)):
        raise LocalProtocolError("only HTTP/1.0 and HTTP/1.1 can be sent")
    return b"%b %b HTTP/1.%d\r\n" % (method, target, version[1])


def without_keep_alive(headers: Iterable[Pair]) -> list[Pair]:
    """Leave away Connection fields that would promise what cannot be kept."""
    return [
        (name, value)
        for name, value in headers
        if name.lower() != b"connection" or value.lower() != b"keep-alive"
    ]


def own_framing(known: Known, *, request: bool = False, minor: int = 1) -> Framing:
    """Judge the known fields of a head of ours as its reader would."""
    try:
        return request_framing(known, minor) if request else response_framing(known, minor)
    except RemoteProtocolError as error:
        raise LocalProtocolError(str(error)) from None


def plan_request(method: bytes, framing: Framing, body: bytes | None) -> Plan:
    """Plan a request; without a length and without *body* it has no body."""
    keep_alive = framing.keep_alive
    if method == b"CONNECT" and (body or framing.length or framing.chunked):
        # RFC 9110 section 9.3.6.
        raise LocalProtocolError("a CONNECT request has no body")
    if framing.expect_continue and not (body or framing.length or framing.chunked):
        # RFC 9110 section 10.1.1.
        raise LocalProtocolError("a request without a body expects no 100-continue")
    if framing.chunked:
        return Plan(b"", ChunkedWriter(), keep_alive)
    if framing.length is not None or body is None:
        return Plan(b"", LengthWriter(framing.length or 0), keep_alive)
    if body or method in _METHODS_WITH_CONTENT:
        line = b"Content-Length: %d\r\n" % len(body)
        return Plan(line, LengthWriter(len(body)), keep_alive)
    return Plan(b"", LengthWriter(0), keep_alive)


@final
class ResponseTemplate:
    """The head of a response, checked once, to be sent any number of times, with any body.

    Any number of connections may share it; `Connection.send_template` sends it.

    Args:
        response: the head, without Content-Length and Transfer-Encoding.

    Raises:
        LocalProtocolError: the head is not valid.
    """

    __slots__ = ("_head", "_start", "response")

    def __init__(self, response: Response) -> None:
        line = status_line(response.status, response.reason)
        block, known = serialize(response.headers)
        if has_body_fields(own_framing(known)):
            raise LocalProtocolError("the length of a template's body is not known beforehand")
        self.response = response
        # What is written up to the length, where nothing else depends on what it answers.
        usual = response.status in BODY_STATUS_LINES and not known
        self._start = b"%b%bContent-Length: " % (line, block) if usual else None
        # The head with the length of the last body: it is likely to be that of the next one.
        self._head = (-1, b"")
        if response.status == 304 and not known:
            # It is nothing but its head, and has no length of its own.
            self._head = (0, b"%b%b\r\n" % (line, block))

    def _head_for(self, body: bytes) -> bytes | None:
        """Return the head before *body*, which is not the kept one; None if that takes a plan."""
        if self._start is None:
            return None
        head = b"%b%d\r\n\r\n" % (self._start, len(body))
        self._head = (len(body), head)
        return head


class Asked(NamedTuple):
    """What a response answers to."""

    method: bytes
    minor: int
    keep_alive: bool


def plan_response(status: int, known: Known, body: bytes | None, asked: Asked) -> Plan:
    """Plan a final response to *asked*, see `Connection.send`."""
    framing = own_framing(known)
    lines = b""
    keep_alive = asked.keep_alive and framing.keep_alive
    writer: BodyWriter
    if framing.chunked and asked.minor == 0:
        # RFC 9112 section 6.1: never to a peer that is not known to speak HTTP/1.1.
        raise LocalProtocolError("the peer speaks HTTP/1.0, which has no chunked coding")
    if status == 204 and has_body_fields(framing):
        # RFC 9112 section 6.1, RFC 9110 section 8.6.
        raise LocalProtocolError("a 204 response has neither Content-Length nor coding")
    if status == 205:
        # RFC 9110 section 15.3.6: no content, and that is said by a length or an empty chunk.
        if body or framing.length or framing.chunked:
            raise LocalProtocolError("a 205 response has no content")
        body = b""
    if status in BODYLESS:
        writer = LengthWriter(0)
    elif asked.method == b"HEAD":
        # RFC 9110 section 9.3.2: the fields of the answer to GET, without its content.
        lines = b"" if body is None else _plan_body(framing, body, asked.minor)[0]
        writer = DropWriter()
    else:
        lines, writer = _plan_body(framing, body, asked.minor)
        keep_alive = keep_alive and type(writer) is not CloseWriter
    return Plan(lines + _connection_line(known, keep_alive, asked.minor), writer, keep_alive)


def has_body_fields(framing: Framing) -> bool:
    """Say whether Content-Length or Transfer-Encoding was given."""
    return framing.chunked or framing.length is not None


def _plan_body(framing: Framing, body: bytes | None, minor: int) -> tuple[bytes, BodyWriter]:
    if framing.chunked:
        return b"", ChunkedWriter()
    if framing.length is not None:
        return b"", LengthWriter(framing.length)
    if body is not None:
        return b"Content-Length: %d\r\n" % len(body), LengthWriter(len(body))
    if minor == 0:
        return b"", CloseWriter()
    return b"Transfer-Encoding: chunked\r\n", ChunkedWriter()


def _connection_line(known: Known, keep_alive: bool, minor: int) -> bytes:
    """Return the Connection line to add (RFC 9112 sections 9.3 and 9.6)."""
    options = connection_options([value for field, value in known if field == CONNECTION])
    if not keep_alive:
        return b"" if b"close" in options else b"Connection: close\r\n"
    if minor == 0 and b"keep-alive" not in options:
        return b"Connection: keep-alive\r\n"
    return b""
