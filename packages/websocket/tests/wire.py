"""Frames built by hand, byte for byte, so that no test leans on the code under test."""

from __future__ import annotations

import zlib

from headrace.websocket import (
    NEED_DATA,
    Connection,
    ConnectionClosed,
    Event,
    RemoteProtocolError,
    State,
)

KEY = b"\x37\xfa\x21\x3d"  # the key of the examples in RFC 6455, 5.7


def xor(data: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[at % 4] for at, byte in enumerate(data))


def length_of(size: int, mask_bit: int) -> bytes:
    if size < 126:
        return bytes([mask_bit | size])
    if size < 65536:
        return bytes([mask_bit | 126]) + size.to_bytes(2, "big")
    return bytes([mask_bit | 127]) + size.to_bytes(8, "big")


def plain(first: int, payload: bytes = b"") -> bytes:
    """Return the frame of a server."""
    return bytes([first]) + length_of(len(payload), 0) + payload


def masked(first: int, payload: bytes = b"", key: bytes = KEY) -> bytes:
    """Return the frame of a client."""
    return bytes([first]) + length_of(len(payload), 0x80) + key + xor(payload, key)


def deflated(data: bytes, bits: int = -15) -> bytes:
    compress = zlib.compressobj(wbits=bits)
    return (compress.compress(data) + compress.flush(zlib.Z_SYNC_FLUSH))[:-4]


def events_of(connection: Connection) -> list[Event]:
    """Return the events up to NEED_DATA or the end."""
    events: list[Event] = []
    while True:
        event = connection.next_event()
        if event is NEED_DATA:
            return events
        events.append(event)
        if isinstance(event, ConnectionClosed):
            return events


def outcome_of(connection: Connection) -> tuple[list[Event], int | None]:
    """Return the events, and the code of the error that ended them."""
    events: list[Event] = []
    try:
        while True:
            event = connection.next_event()
            if event is NEED_DATA:
                return events, None
            events.append(event)
            if isinstance(event, ConnectionClosed):
                return events, None
    except RemoteProtocolError as error:
        return events, error.code


def state_of(connection: Connection) -> State:
    """Return the state as it is now: a type checker holds on to what it once compared."""
    return connection.state
