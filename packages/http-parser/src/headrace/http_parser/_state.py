"""Legality as tables: who may send what in which state, and what follows.

Each connection has two parties, one that sends requests and one that sends responses. A `Role`
says which of them we are, and each party has a state of its own. `REQUESTER` and `RESPONDER` say
which event a party may send in which state and the state it is in afterwards; what is not in a
table is an error. `KEPT` and `ENDING` say what then
happens to both. No rule of this kind
lives elsewhere.
"""

from __future__ import annotations

import enum
from typing import Final

from ._events import (
    ConnectionClosed,
    Data,
    EndOfMessage,
    Informational,
    Request,
    Response,
)


class Role(enum.Enum):
    """Which side of the connection we are."""

    CLIENT = "client"
    SERVER = "server"


class State(enum.Enum):
    """Where one party of a connection stands."""

    IDLE = "idle"
    SEND_RESPONSE = "send-response"
    SEND_BODY = "send-body"
    DONE = "done"
    MIGHT_SWITCH = "might-switch"
    SWITCHED = "switched"
    MUST_CLOSE = "must-close"
    CLOSED = "closed"
    ERROR = "error"

    # Members are singletons; Enum's own hash is a Python function and these are looked up often.
    __hash__ = object.__hash__


IDLE: Final = State.IDLE
SEND_RESPONSE: Final = State.SEND_RESPONSE
SEND_BODY: Final = State.SEND_BODY
DONE: Final = State.DONE
MIGHT_SWITCH: Final = State.MIGHT_SWITCH
SWITCHED: Final = State.SWITCHED
MUST_CLOSE: Final = State.MUST_CLOSE
CLOSED: Final = State.CLOSED
ERROR: Final = State.ERROR

Table = dict[State, dict[type, State]]

REQUESTER: Final[Table] = {
    IDLE: {Request: SEND_BODY, ConnectionClosed: CLOSED},
    SEND_BODY: {Data: SEND_BODY, EndOfMessage: DONE},
    DONE: {ConnectionClosed: CLOSED},
    MIGHT_SWITCH: {},
    SWITCHED: {},
    MUST_CLOSE: {ConnectionClosed: CLOSED},
    CLOSED: {ConnectionClosed: CLOSED},
    ERROR: {},
}

RESPONDER: Final[Table] = {
    # A final response may come unasked (408 to a silent peer); it ends the connection.
    IDLE: {Response: SEND_BODY, ConnectionClosed: CLOSED},
    SEND_RESPONSE: {Informational: SEND_RESPONSE, Response: SEND_BODY},
    SEND_BODY: {Data: SEND_BODY, EndOfMessage: DONE},
    DONE: {ConnectionClosed: CLOSED},
    SWITCHED: {},
    MUST_CLOSE: {ConnectionClosed: CLOSED},
    CLOSED: {ConnectionClosed: CLOSED},
    ERROR: {},
}


# (requester, responder): the same afterwards, when a message has ended or an answer has begun and
# the connection is to be kept. Pairs that are not listed stay as they are.
KEPT: Final[dict[tuple[State, State], tuple[State, State]]] = {
    (DONE, DONE): (IDLE, IDLE),
    (MIGHT_SWITCH, SEND_BODY): (DONE, SEND_BODY),
    (MIGHT_SWITCH, DONE): (IDLE, IDLE),
}

# The same when the connection is not to be kept.
ENDING: Final[dict[tuple[State, State], tuple[State, State]]] = {
    (DONE, SEND_RESPONSE): (MUST_CLOSE, SEND_RESPONSE),
    (DONE, SEND_BODY): (MUST_CLOSE, SEND_BODY),
    (DONE, DONE): (MUST_CLOSE, MUST_CLOSE),
    (DONE, MUST_CLOSE): (MUST_CLOSE, MUST_CLOSE),
    (MIGHT_SWITCH, SEND_BODY): (MUST_CLOSE, SEND_BODY),
    (MIGHT_SWITCH, DONE): (MUST_CLOSE, MUST_CLOSE),
    (MUST_CLOSE, DONE): (MUST_CLOSE, MUST_CLOSE),
    # The answer is out before the request: what is left of it may still be read.
    (SEND_BODY, DONE): (SEND_BODY, MUST_CLOSE),
    # A peer that was answered unasked, has closed or has broken the rules.
    (IDLE, SEND_BODY): (MUST_CLOSE, SEND_BODY),
    (IDLE, DONE): (MUST_CLOSE, MUST_CLOSE),
    (CLOSED, IDLE): (CLOSED, MUST_CLOSE),
    (CLOSED, DONE): (CLOSED, MUST_CLOSE),
    (ERROR, DONE): (ERROR, MUST_CLOSE),
    (IDLE, CLOSED): (MUST_CLOSE, CLOSED),
    (IDLE, ERROR): (MUST_CLOSE, ERROR),
    (DONE, ERROR): (MUST_CLOSE, ERROR),
    (MIGHT_SWITCH, ERROR): (MUST_CLOSE, ERROR),
}
