"""The receiving half of a WebSocket: whole messages and pieces, one reader, bounded memory."""

from __future__ import annotations

import asyncio
import random
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import Failures, Serve
from wsframes import frame, handshake, open_wire, receive, socket_handler

from headrace import testing, web
from headrace.web import WSMsgType
from headrace.web._receiving import MAX_QUEUED_BYTES, Receiving
from headrace.web._waker import Waker
from headrace.websocket import Binary, Text

MIB = 1024**2
COMPRESSED = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


async def read(message: web.WSMessage) -> list[Any]:
    return [piece async for piece in message.data]


@pytest.mark.parametrize("compress", [0, 15])
async def test_a_big_message_comes_in_pieces(serve: Serve, compress: int) -> None:
    data = random.Random(1).randbytes(3 * MIB) + bytes(5 * MIB)
    most = 0
    queued = 0

    async def body(ws: web.WebSocketResponse) -> None:
        nonlocal most, queued
        message = await ws.receive_stream()
        assert message.type is WSMsgType.BINARY
        size = checksum = 0
        async for piece in message.data:
            size += len(piece)
            checksum = zlib.crc32(piece, checksum)
            most = max(most, len(piece))
            queued = max(queued, ws._queued_bytes)
            await asyncio.sleep(0)
        await ws.send_json([size, checksum])
        await ws.send_json(await ws.receive_str())

    served = await serve(socket_handler(body, max_msg_size=0))
    async with served.client.ws_connect("/", compress=compress) as ws:
        await ws.send_bytes(data)
        assert await ws.receive_json() == [len(data), zlib.crc32(data)]
        await ws.send_str("after it")
        assert await ws.receive_json() == "after it"
    assert most < 2 * MIB
    assert queued < 2 * MIB


async def test_pieces_come_before_the_message_is_whole(serve: Serve) -> None:
    async def body(ws: web.WebSocketResponse) -> None:
        message = await ws.receive_stream()
        pieces = aiter(message.data)
        for _ in range(3):
            await ws.send_str(await anext(pieces))
        assert [piece async for piece in pieces] == []

    served = await serve(socket_handler(body))
    wire = await open_wire(served)
    text = "zwölf".encode()
    for opcode, part, fin, answer in (
        (1, text[:3], False, b"zw"),  # what is cut off of a character waits for the rest
        (0, text[3:], False, "ölf".encode()),
        (0, b"!", True, b"!"),
    ):
        wire.send(frame(opcode, part, fin=fin))
        assert await receive(wire) == (1, answer)
    assert (await receive(wire))[0] == 8


async def test_a_message_that_is_there_already_is_one_piece(serve: Serve) -> None:
    got: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        await ws.receive()
        for _ in range(3):
            message = await ws.receive_stream()
            got.append((message.type.name, await read(message)))
        message = await ws.receive_stream()
        got.append((message.type.name, message.data))

    served = await serve(socket_handler(body))
    wire = await open_wire(served)
    wire.send(frame(1, b"first") + frame(1, b"text") + frame(2, b"bytes") + frame(2))
    wire.send(frame(8, struct.pack("!H", 4000)))
    await wire.rest()
    await served.idle()
    assert got == [("TEXT", ["text"]), ("BINARY", [b"bytes"]), ("BINARY", []), ("CLOSE", 4000)]


async def test_what_is_not_read_of_a_message_is_skipped(serve: Serve) -> None:
    got: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        for last in (False, True):
            message = await ws.receive_stream()
            got.append(len(await anext(aiter(message.data))) > 0)
            if last:
                got.append(await ws.receive_str())
            else:
                got.append(await read(await ws.receive_stream()))
            got.append(await read(message))  # nothing is left of it

    served = await serve(socket_handler(body, max_msg_size=0))
    async with served.client.ws_connect("/") as ws:
        for _ in range(2):
            await ws.send_bytes(bytes(4 * MIB))
            await ws.send_str("next")
        await ws.receive()
    assert got == [True, ["next"], [], True, "next", []]


async def test_a_message_may_be_collected_or_streamed_at_any_time(serve: Serve) -> None:
    got: list[Any] = []
    looked: list[bool] = []
    begun = asyncio.Event()

    async def body(ws: web.WebSocketResponse) -> None:
        await begun.wait()
        looked.append(ws._under_way is not None)
        got.append(await read(await ws.receive_stream()))
        got.append(await ws.receive_str())

    served = await serve(socket_handler(body))
    wire = await open_wire(served)
    wire.send(frame(1, b"be", fin=False) + frame(0, b"gun", fin=False) + frame(9))
    assert await receive(wire) == (10, b"")
    begun.set()
    await served.until(lambda: looked == [True])
    wire.send(frame(0, b" and ended"))
    wire.send(frame(1, b"a", fin=False) + frame(0, fin=False) + frame(0, b"b"))
    await receive(wire)
    assert "".join(got[0]) == "begun and ended"
    assert got[1] == "ab"


@pytest.mark.parametrize("how", ["reset", "close", "breach", "own close"])
async def test_an_end_inside_of_a_message_is_an_error(
    serve: Serve, failures: Failures, how: str
) -> None:
    caught: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        message = await ws.receive_stream()
        pieces = aiter(message.data)
        await anext(pieces)
        await (ws.close(code=4000) if how == "own close" else ws.send_str("go on"))
        with pytest.raises(web.ClientConnectionResetError, match="inside of a message") as error:
            await anext(pieces)
        caught.append((error.value.__cause__, ws.exception()))
        caught.append((await ws.receive()).type)

    served = await serve(socket_handler(body))
    wire = await open_wire(served)
    wire.send(frame(2, b"part", fin=False))
    await receive(wire)
    if how == "reset":
        wire.reset()
    elif how == "breach":
        wire.send(frame(3))
    else:
        wire.send(frame(8))
    await served.idle()
    assert caught[0][0] is caught[0][1]
    assert (caught[0][0] is None) == (how in ("close", "own close"))
    ends = {"reset": "CLOSED", "close": "CLOSE", "breach": "ERROR", "own close": "CLOSED"}
    assert caught[1].name == ends[how]
    assert failures() == []


async def test_only_one_task_reads_pieces(serve: Serve) -> None:
    done: list[bool] = []

    async def body(ws: web.WebSocketResponse) -> None:
        message = await ws.receive_stream()
        pieces = aiter(message.data)
        assert await anext(pieces) == "one"
        reading = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0)
        for other in (ws.receive, ws.receive_stream, pieces.__anext__):
            with pytest.raises(RuntimeError, match="another task"):
                await other()
        ws.send_str("go on")
        assert await reading == "two"
        done.append(True)

    served = await serve(socket_handler(body))
    wire = await open_wire(served)
    wire.send(frame(1, b"one", fin=False))
    await receive(wire)
    wire.send(frame(0, b"two"))
    await receive(wire)
    assert done == [True]


async def test_each_piece_has_the_timeout(serve: Serve) -> None:
    done: list[bool] = []

    async def body(ws: web.WebSocketResponse) -> None:
        message = await ws.receive_stream(0.01)
        pieces = aiter(message.data)
        await anext(pieces)
        with pytest.raises(TimeoutError):
            await anext(pieces)
        with pytest.raises(TimeoutError):
            await ws.receive_stream(0.01)
        done.append(True)

    served = await serve(socket_handler(body))
    wire = await open_wire(served, more=frame(1, b"one", fin=False))
    await receive(wire)
    assert done == [True]


@pytest.mark.parametrize("fragments", [True, False])
async def test_a_message_nobody_receives_yet_is_not_collected_without_bound(
    serve: Serve, fragments: bool
) -> None:
    gate = asyncio.Event()
    seen: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        seen.append(ws)
        await gate.wait()
        seen.append(len(await ws.receive_bytes()))
        seen.append(await ws.receive_str())
        await ws.send_str("done")

    served = await serve(socket_handler(body, max_msg_size=0))
    wire = await open_wire(served)
    size = 8 * MIB
    if fragments:
        wire.send(frame(2, fin=False) + frame(0, bytes(MIB), fin=False) * 8 + frame(0))
    else:
        wire.send(frame(2, bytes(size)))
    wire.send(frame(1, b"after"))
    await served.until(lambda: bool(seen) and seen[0]._channel.is_reading_paused)
    assert MAX_QUEUED_BYTES < seen[0]._queued_bytes < 2 * MAX_QUEUED_BYTES
    gate.set()
    assert await receive(wire) == (1, b"done")
    assert seen[1:] == [size, "after"]


async def test_a_bomb_is_read_as_slowly_as_the_handler_wants(serve: Serve) -> None:
    most = 0

    async def body(ws: web.WebSocketResponse) -> None:
        nonlocal most
        message = await ws.receive_stream()
        size = 0
        async for piece in message.data:
            size += len(piece)
            most = max(most, len(piece), ws._queued_bytes)
        await ws.send_str(str(size))

    served = await serve(socket_handler(body, max_msg_size=0))
    wire = await served.connect()
    compress = zlib.compressobj(wbits=-15)
    bomb = compress.compress(bytes(100 * MIB)) + compress.flush(zlib.Z_SYNC_FLUSH)
    wire.send(handshake(more=COMPRESSED))
    await wire.head()
    wire.send(frame(0x42, bomb[:-4]))
    assert await receive(wire) == (1, b"%d" % (100 * MIB))
    assert most < 2 * MIB


async def test_what_came_before_a_loss_is_still_received(serve: Serve) -> None:
    got: list[Any] = []
    gate = asyncio.Event()

    async def body(ws: web.WebSocketResponse) -> None:
        await gate.wait()
        got.extend([message.data async for message in ws])
        got.append(ws.close_code)

    served = await serve(socket_handler(body))
    wire = await open_wire(served, more=b"".join(frame(1, b"%d" % n) for n in range(1000)))
    wire.writer.write_eof()
    await served.until(lambda: all(c.upgraded for c in served.server.connections))
    wire.writer.close()
    gate.set()
    await served.idle()
    assert got == [str(n) for n in range(1000)] + [1006]


async def test_a_close_does_not_wait_for_messages_that_nobody_reads(serve: Serve) -> None:
    done: list[bool] = []

    async def body(ws: web.WebSocketResponse) -> None:
        await served.until(lambda: ws._channel is not None and ws._channel.is_reading_paused)
        done.append(await ws.close(code=4000))
        done.append(ws.close_code == 4000)

    served = await serve(socket_handler(body))
    wire = await open_wire(served, more=frame(1, b"x") * 1000)
    assert await receive(wire) == (8, struct.pack("!H", 4000))
    wire.send(frame(8, struct.pack("!H", 4000)))
    await wire.rest()
    await served.idle()
    assert done == [True, True]


class FakeChannel:
    """Takes note of the flow."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.waker: Waker[web.WSMessage] = Waker(self.loop)
        self.is_reading_paused = False

    def pause_reading(self) -> None:
        self.is_reading_paused = True

    def resume_reading(self) -> None:
        self.is_reading_paused = False


HOWS = st.sampled_from(["whole", "next", "pieces", "skip"])
PIECES = st.lists(st.tuples(st.binary(max_size=5), st.integers(0, 3)), min_size=1, max_size=4)


async def take(receiving: Receiving, how: str, expected: bytes) -> None:
    if how == "whole":
        assert await receiving.receive_bytes() == expected
        return
    if how == "next":
        assert (await anext(receiving)).data == expected
        return
    message = await receiving.receive_stream()
    if how == "pieces":
        assert b"".join([piece async for piece in message.data]) == expected


@settings(deadline=None)
@given(st.lists(st.tuples(PIECES, HOWS), max_size=6))
def test_any_way_of_reading_gives_the_messages_in_order(
    messages: list[tuple[list[tuple[bytes, int]], str]],
) -> None:
    async def main() -> None:
        receiving = Receiving(None, True, True)
        channel = FakeChannel()
        receiving._open(channel)  # type: ignore[arg-type]

        def come(piece: bytes, alone: bool, last: bool) -> None:
            message = web.WSMessage(WSMsgType.BINARY, piece, None)
            if not alone:
                receiving.event_received(Binary(piece, last))
            elif not channel.waker.give(message):
                receiving.message_received(message)

        async def feed() -> None:
            for pieces, _ in messages:
                for number, (piece, turns) in enumerate(pieces, 1):
                    alone, last = len(pieces) == 1, number == len(pieces)
                    channel.loop.call_soon(come, piece, alone, last)
                    for _ in range(turns):
                        await asyncio.sleep(0)

        feeding = asyncio.ensure_future(feed())
        for pieces, how in messages:
            await take(receiving, how, b"".join(piece for piece, _ in pieces))
        await feeding
        if receiving._handed_over is None:
            assert receiving._queued_bytes == 0
        assert not receiving._queue

    asyncio.run(main())


async def test_text_pieces_may_be_left_undecoded(serve: Serve) -> None:
    got: list[Any] = []

    async def body(ws: web.WebSocketResponse) -> None:
        got.append(b"".join(await read(await ws.receive_stream())))
        got.append((await ws.receive()).data)

    served = await serve(socket_handler(body, decode_text=False))
    async with served.client.ws_connect("/") as ws:
        await ws.send_str("zwölf")
        await ws.send_str("")
        assert (await ws.receive()).type is testing.WSMsgType.CLOSE
    assert got == ["zwölf".encode(), b""]


async def test_an_event_of_text_is_collected_as_text() -> None:
    receiving = Receiving(None, True, True)
    receiving._open(FakeChannel())  # type: ignore[arg-type]
    for event in (Text("a", False), Text("", False), Text("b", True), Text("", False), Text("")):
        receiving.event_received(event)
    assert [(await receiving.receive()).data for _ in range(2)] == ["ab", ""]


async def test_an_iteration_may_be_waited_for_beside_something_else() -> None:
    receiving = Receiving(None, True, True)
    receiving._open(FakeChannel())  # type: ignore[arg-type]
    waiting = asyncio.ensure_future(anext(receiving))
    await asyncio.wait([waiting], timeout=0.001)
    assert not waiting.done()
    receiving.event_received(Text("late"))
    assert (await waiting).data == "late"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(receiving), 0.001)
    receiving.event_received(Text("later"))
    assert (await anext(receiving)).data == "later"


@pytest.mark.parametrize("seed", range(4))
async def test_who_stops_waiting_loses_no_message(serve: Serve, seed: int) -> None:
    count = 300
    dice = random.Random(seed)
    got: list[str] = []

    async def body(ws: web.WebSocketResponse) -> None:
        while len(got) < count:
            patience = dice.choice([0.0002, 0.001, 0.005])
            way = dice.randrange(3)
            coming = ws.receive_str(timeout=patience if way == 1 else None)
            task = asyncio.ensure_future(asyncio.wait_for(coming, patience) if way == 2 else coming)
            await asyncio.sleep(0)
            if dice.random() < 0.2:
                task.cancel()
            try:
                got.append(await task)
            except (TimeoutError, asyncio.CancelledError):
                await ws.send_str("nothing yet")
        await ws.send_str("all")

    served = await serve(socket_handler(body))
    async with served.client.ws_connect("/") as ws:
        for number in range(count):
            await ws.send_str(str(number))
            if dice.random() < 0.3:
                await asyncio.sleep(dice.choice([0, 0.0005, 0.002]))
        while await ws.receive_str() != "all":
            pass
    assert got == [str(number) for number in range(count)]
