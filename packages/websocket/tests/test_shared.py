"""One message for many connections."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.websocket import (
    NEED_DATA,
    Binary,
    Connection,
    Deflate,
    LocalProtocolError,
    Ping,
    Role,
    Shared,
    Text,
)

LONG = "to be or not to be, " * 200
AGREED = Deflate(threshold=100)


def pair(deflate: Deflate | None = AGREED) -> tuple[Connection, Connection]:
    return (
        Connection(Role.SERVER, deflate=deflate),
        Connection(Role.CLIENT, deflate=deflate),
    )


def received(connection: Connection, data: bytes) -> list[object]:
    connection.receive_data(data)
    return list(iter(connection.next_event, NEED_DATA))


@pytest.mark.parametrize("message", [Text("short"), Text(LONG), Binary(LONG.encode()), Text("")])
@pytest.mark.parametrize("deflate", [None, AGREED, Deflate(True, True, threshold=100)])
def test_connections_with_the_same_parameters_get_the_same_bytes(
    message: Text | Binary, deflate: Deflate | None
) -> None:
    shared = Shared(message)
    pairs = [pair(deflate) for _ in range(3)]
    frames = [server.send(shared) for server, _ in pairs]
    assert frames[0] is frames[1] is frames[2]
    for (_, client), data in zip(pairs, frames, strict=True):
        assert received(client, data) == [message]


def test_each_set_of_parameters_has_frames_of_its_own() -> None:
    shared = Shared(Text(LONG))
    settings = [None, AGREED, Deflate(server_max_window_bits=9, threshold=100)]
    frames = []
    for deflate in settings:
        server, client = pair(deflate)
        frames.append(server.send(shared))
        assert received(client, frames[-1]) == [shared.message]
    assert len({id(data) for data in frames}) == 3
    server = Connection(Role.SERVER, fragment_bytes=100)
    assert len(server.send(shared)) > len(frames[0])
    assert server.send(shared, compress=True) == server.send(shared)


def test_whether_to_compress_may_be_said() -> None:
    server, client = pair()
    short, long = Shared(Text("a" * 50)), Shared(Text("a" * 500))
    compressed = server.send(short, compress=True)
    assert len(compressed) < 20
    plain = server.send(long, compress=False)
    assert len(plain) > 500
    assert received(client, compressed + plain) == [short.message, long.message]


@given(
    st.lists(st.tuples(st.sampled_from([LONG, LONG[::-1], LONG[7:900], "x"]), st.booleans())),
    st.sampled_from([8, 9, 12, 15]),
    st.booleans(),
)
def test_shared_and_own_messages_may_follow_in_any_order(
    messages: list[tuple[str, bool]], bits: int, takeover: bool
) -> None:
    """The connection's own messages never refer back across a shared one."""
    server, client = pair(Deflate(not takeover, False, bits, bits, threshold=0))
    for text, is_shared in messages:
        message = Text(text)
        data = server.send(Shared(message) if is_shared else message)
        assert received(client, data) == [message]


def test_masks_are_never_shared() -> None:  # RFC 6455, 5.3
    keys = itertools.count(1)
    shared = Shared(Text("Hello"))
    client = Connection(Role.CLIENT, mask_key=lambda: next(keys).to_bytes(4, "big"))
    assert client.send(shared)[2:6] == b"\0\0\0\1"
    assert client.send(shared)[2:6] == b"\0\0\0\2"


def test_a_shared_message_stays_out_of_a_message_in_pieces() -> None:
    server, client = pair()
    first = server.send(Text("a", final=False))
    with pytest.raises(LocalProtocolError, match="whole message inside"):
        server.send(Shared(Text("b")))
    data = first + server.send(Text("c"))
    assert "".join(event.data for event in received(client, data)) == "ac"  # type: ignore[attr-defined]


def test_what_may_be_shared() -> None:
    with pytest.raises(TypeError, match="Ping"):
        Shared(Ping())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="whole"):
        Shared(Text("a", final=False))
    with pytest.raises(LocalProtocolError, match="UTF-8"):
        Connection(Role.SERVER).send(Shared(Text("\ud800")))
