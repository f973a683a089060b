"""Sans-I/O HTTP/1.1: bytes to events and events to bytes, for servers and for clients.

A `Connection` is one side of one connection. It opens no socket, runs no loop and reads no clock:
give it what was received, write what `Connection.send` returns.

```python
from headrace.http_parser import PAUSED, Connection, Request, Response, Role

server = Connection(Role.SERVER)
server.receive_data(b"GET /hello HTTP/1.1\\r\\nHost: example.com\\r\\n\\r\\n")
request = server.next_event()
assert isinstance(request, Request)
assert (request.method, request.target) == (b"GET", b"/hello")
assert list(request.headers) == [(b"Host", b"example.com")]
assert request.complete and request.keep_alive

assert server.next_event() is PAUSED  # until it is answered
written = server.send(Response(200, [(b"Content-Type", b"text/plain")]), b"Hello")
assert written.endswith(b"\\r\\nContent-Length: 5\\r\\n\\r\\nHello")
```

**What comes in.** `Connection.next_event` returns one of

* `Request` in a server; `Informational` (1xx), then `Response` in a client: a head. If it says
  `complete`, the message has no body and nothing more of it follows;
* `Data`, then `EndOfMessage` with the trailers, if it has one;
* `ConnectionClosed`: nothing will come any more, now and for ever;
* `NEED_DATA`: call `receive_data`, or `receive_eof` at the end of the input;
* `PAUSED`: the next message is ours. After it the next cycle begins by itself.

It raises `RemoteProtocolError` for what breaks the rules, and nothing else for any input. The error
has a `status`: `send` a `Response` with it, unless an answer was begun, and close. Names, values,
methods and targets are bytes as they were received; values are without the white space around them.

**What goes out.** `send(event)` returns bytes, `send(head, body)` those of a whole message. The
core adds Content-Length, chunked coding and Connection where they are missing, and checks all the
rest: it raises `LocalProtocolError`, having written nothing, for what HTTP does not allow.

**Short ways.** `Connection.receive_whole` reads a request that comes in one piece with one call,
`receive_whole_response` a response; a `ResponseTemplate` is a head that is checked once and sent
often. All do what the others do.

**Switches.** After 101, or 2xx to CONNECT, both states are `State.SWITCHED`, and
`Connection.trailing_data` has the bytes that are no HTTP any more.

**Limits.** `Limits` bounds what a peer can make us hold; all its limits are on from the start.
`Connection.buffered` counts bytes that wait for us to answer: stop receiving when it grows.

What is refused, by name and section, stands in the documentation under "What HTTP we speak".
Each `Fault` has its status and its sentence, which never repeats the input.

`IMPLEMENTATION` tells which twin of the kernel runs, ``"c"`` or ``"python"``: they do the same.
"""

from ._connection import Connection
from ._errors import Fault, LocalProtocolError, ProtocolError, RemoteProtocolError
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
)
from ._limits import Limits
from ._scan import IMPLEMENTATION
from ._state import Role, State
from ._writers import ResponseTemplate

__all__ = [
    "IMPLEMENTATION",
    "NEED_DATA",
    "PAUSED",
    "Connection",
    "ConnectionClosed",
    "Data",
    "EndOfMessage",
    "Event",
    "Fault",
    "Headers",
    "Informational",
    "Limits",
    "LocalProtocolError",
    "ProtocolError",
    "RemoteProtocolError",
    "Request",
    "Response",
    "ResponseTemplate",
    "Role",
    "Signal",
    "State",
    "WholeRequest",
]
