"""WebSocket as a protocol without I/O: RFC 6455 and RFC 7692, client and server.

**Handshake.** A server calls `accept` with the header pairs of the request, and answers with the
pairs of the `Acceptance`, or refuses as the `HandshakeError` says. A client sends the pairs of an
`Offer` and lets it ``check`` the answer. Neither parses HTTP.

**Connection.** After the handshake each side has a `Connection`. ``receive_data(data)`` takes bytes
and ``receive_eof()`` the end of the transport; ``next_event()`` returns an event or `NEED_DATA`.
For messages that are one whole plain frame there are shorter ways: a ``reader(...)`` of bytes that
are just one, and ``whole_frame(...)``.
``send(event)`` returns the bytes that send an event. ``data_to_send()`` returns the automatic
answers: pongs, pings that were due, the answer to a Close, the Close that tells of an error. Those
that wait when something is sent go out before it.
When ``finished`` is true, write what there is and close the transport.

```python
from headrace.websocket import NEED_DATA, Close, Connection, ConnectionClosed, Role, Text

client, server = Connection(Role.CLIENT), Connection(Role.SERVER)
server.receive_data(client.send(Text("Hello")) + client.send(Close(1000, "bye")))
assert server.next_event() == Text("Hello")
assert server.next_event() == Close(1000, "bye")
assert server.next_event() == ConnectionClosed(1000, "bye")

client.receive_data(server.data_to_send())
assert client.next_event() == Close(1000, "")
assert server.finished
```

**Events.** `Text`, `Binary`, `Ping`, `Pong` and `Close` go both ways; `ConnectionClosed` is the
last that comes, and comes for ever. Messages arrive whole; with ``assemble=False`` they arrive in
pieces, the last with ``final=True``: one for each frame whose bytes are there, more when a frame's
bytes come bit by bit. ``send(Text("...", final=False))`` sends a piece. `Shared` is a message for
many connections, encoded once.

**Errors.** For any bytes, ``next_event`` raises nothing but `RemoteProtocolError`, and for any
headers the handshake raises nothing but `HandshakeError`. ``send`` raises `LocalProtocolError` for
what the protocol forbids and TypeError for what is no event. All but the latter are
`WebSocketError`.

**Limits.** `Limits` says what a peer may ask for; the default bounds a message to 4 MiB, however
it is cut or compressed. Memory is bounded by the limits, time is linear in the bytes.

**Time.** ``next_deadline()`` says when ``handle_time(now)`` wants to be called. No clock is read.

**Speed.** `IMPLEMENTATION` tells which twin of the leaf functions runs, "c" or "python";
``HEADRACE_EXTENSIONS`` = ``auto``, ``require`` or ``none`` chooses.
"""

from ._codes import CloseCode, Opcode, Role
from ._connection import Connection
from ._deflate import Deflate
from ._errors import (
    HandshakeError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    WebSocketError,
)
from ._events import NEED_DATA, Binary, Close, ConnectionClosed, Event, NeedData, Ping, Pong, Text
from ._framing import IMPLEMENTATION
from ._handshake import Acceptance, Offer, accept
from ._limits import Limits
from ._shared import Shared
from ._state import State

__all__ = [
    "IMPLEMENTATION",
    "NEED_DATA",
    "Acceptance",
    "Binary",
    "Close",
    "CloseCode",
    "Connection",
    "ConnectionClosed",
    "Deflate",
    "Event",
    "HandshakeError",
    "Limits",
    "LocalProtocolError",
    "NeedData",
    "Offer",
    "Opcode",
    "Ping",
    "Pong",
    "ProtocolError",
    "RemoteProtocolError",
    "Role",
    "Shared",
    "State",
    "Text",
    "WebSocketError",
    "accept",
]
