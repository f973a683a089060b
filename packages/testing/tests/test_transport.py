"""The memory transport keeps the promises of asyncio's socket transport.

Most tests run over a pair of transports in memory and over one of sockets.
"""

import asyncio
import contextvars
import socket

import pytest

from headrace.testing._transport import MemoryTransport, connect

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="client")


class Recorder(asyncio.Protocol):
    """Note what the transport says."""

    def __init__(self, *, keep_open: bool = False) -> None:
        self.keep_open = keep_open
        self.data = bytearray()
        self.log: list[str] = []
        self.lost = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.log.append(f"data {len(data)}")

    def eof_received(self) -> bool:
        self.log.append("eof")
        return self.keep_open

    def connection_lost(self, exc: Exception | None) -> None:
        self.log.append(f"lost {type(exc).__name__}")
        self.lost.set_result(exc)

    def pause_writing(self) -> None:
        self.log.append("pause")

    def resume_writing(self) -> None:
        self.log.append("resume")


def in_memory(ours: asyncio.BaseProtocol, theirs: asyncio.BaseProtocol, context=None) -> None:
    left, right = connect(
        asyncio.get_running_loop(),
        ours,
        theirs,
        client_address=("127.0.0.1", 1),
        server_address=("127.0.0.1", 2),
        server_context=context or contextvars.copy_context(),
    )
    ours.connection_made(left)
    theirs.connection_made(right)


@pytest.fixture
def pair(transport):
    """Join two recorders over the transport of the test."""

    async def make(*, keep_open: bool = False) -> tuple[Recorder, Recorder]:
        ours, theirs = Recorder(keep_open=keep_open), Recorder(keep_open=keep_open)
        if transport == "memory":
            in_memory(ours, theirs)
        else:
            loop = asyncio.get_running_loop()
            left, right = socket.socketpair()
            await loop.create_connection(lambda: ours, sock=left)
            await loop.create_connection(lambda: theirs, sock=right)
        return ours, theirs

    return make


async def until(condition) -> None:
    """Let the loop run until *condition* holds."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("the condition never held")


async def spin() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def finish(*protocols: Recorder) -> None:
    for protocol in protocols:
        protocol.transport.abort()
    for protocol in protocols:
        await protocol.lost


async def test_bytes_arrive_in_order(pair) -> None:
    ours, theirs = await pair()
    ours.transport.write(b"one ")
    ours.transport.write(bytearray(b"two "))
    ours.transport.writelines([b"three ", memoryview(b"four")])
    theirs.transport.write(b"answer")
    await until(lambda: theirs.data == b"one two three four" and ours.data == b"answer")
    await finish(ours, theirs)


async def test_write_now_hands_over_within_the_call() -> None:
    ours, theirs = Recorder(), Recorder()
    context = contextvars.copy_context()
    context.run(VARIABLE.set, "server")
    seen = []
    tasks = []

    def received(data: bytes) -> None:
        seen.append((data, VARIABLE.get()))
        tasks.append(asyncio.current_task())

    theirs.data_received = received
    in_memory(ours, theirs, context)
    task = asyncio.current_task()
    ours.transport.write_now(b"now")
    ours.transport.write_now(bytearray(b"as bytes"))
    ours.transport.write_now(b"")
    assert asyncio.current_task() is task
    asyncio.get_running_loop().call_soon(ours.transport.write_now, b"outside")
    await spin()
    assert seen == [(b"now", "server"), (b"as bytes", "server"), (b"outside", "server")]
    assert tasks == [None, None, None]
    assert type(seen[1][0]) is bytes
    await finish(ours, theirs)


async def test_write_now_waits_where_something_is_in_the_way() -> None:
    ours, theirs = Recorder(), Recorder()
    in_memory(ours, theirs)
    ours.transport.write(b"before ")
    ours.transport.write_now(b"after")
    assert theirs.log == []
    await spin()
    assert theirs.data == b"before after"
    theirs.transport.pause_reading()
    ours.transport.write_now(b" paused")
    await spin()
    assert theirs.data == b"before after"
    theirs.transport.resume_reading()
    await spin()
    assert theirs.data == b"before after paused"
    ours.transport.write_now(bytes(2**20))
    assert ours.log == ["pause"]
    await spin()
    assert len(theirs.data) == 2**20 + 19
    ours.transport.write_eof()
    with pytest.raises(RuntimeError):
        ours.transport.write_now(b"x")
    theirs.transport.close()
    theirs.transport.write_now(b"x")
    await finish(ours, theirs)
    assert not ours.data


async def test_who_may_be_entered_at_once_receives_at_once() -> None:
    ours, theirs = Recorder(), Recorder()
    in_memory(ours, theirs)
    ours.transport.entered_at_once = True
    theirs.transport.write(b"one ")
    assert ours.data == b"one "
    ours.transport.pause_reading()
    theirs.transport.write(b"two ")
    assert ours.data == b"one "
    ours.transport.resume_reading()
    theirs.transport.write(b"three ")
    assert ours.data == b"one "
    await spin()
    assert ours.data == b"one two three "
    theirs.transport.write(b"four")
    theirs.transport.close()
    assert ours.data == b"one two three four"
    await spin()
    assert ours.log[-2:] == ["eof", "lost NoneType"]


async def test_what_fails_when_entered_at_once_ends_the_connection() -> None:
    unseen = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: unseen.append(context))
    ours, theirs = Recorder(), Recorder()
    in_memory(ours, theirs)
    theirs.data_received = lambda data: 1 / 0
    ours.transport.write_now(b"x")
    assert type(unseen[0]["exception"]) is ZeroDivisionError
    await asyncio.wait_for(theirs.lost, 1)
    await finish(ours)


async def test_a_protocol_is_never_entered_while_it_runs() -> None:
    ours, theirs = Recorder(), Recorder()
    in_memory(ours, theirs)
    ours.transport.write(b"x")
    assert theirs.log == []
    await spin()
    assert theirs.log == ["data 1"]
    await finish(ours, theirs)


async def test_large_writes_arrive_in_pieces(pair) -> None:
    ours, theirs = await pair()
    data = bytes(range(256)) * 4096
    ours.transport.write(data)
    await until(lambda: len(theirs.data) == len(data))
    assert theirs.data == data
    assert max(int(line.split()[1]) for line in theirs.log) <= 256 * 1024
    await finish(ours, theirs)


async def test_close_lets_the_bytes_through(pair) -> None:
    ours, theirs = await pair()
    ours.transport.write(b"last words")
    ours.transport.close()
    ours.transport.write(b"after the end")
    assert ours.transport.is_closing()
    assert await ours.lost is None
    assert await theirs.lost is None
    assert theirs.data == b"last words"
    assert theirs.log[-2:] == ["eof", "lost NoneType"]
    assert ours.log == ["lost NoneType"]


async def test_half_close(pair) -> None:
    ours, theirs = await pair(keep_open=True)
    assert ours.transport.can_write_eof()
    ours.transport.write(b"question")
    ours.transport.write_eof()
    with pytest.raises(RuntimeError):
        ours.transport.write(b"more")
    await until(lambda: "eof" in theirs.log)
    assert theirs.data == b"question"
    theirs.transport.write(b"answer")
    theirs.transport.close()
    await until(lambda: "eof" in ours.log)
    assert ours.data == b"answer"
    assert await theirs.lost is None
    await finish(ours)


async def test_eof_closes_a_protocol_that_does_not_keep_open(pair) -> None:
    ours, theirs = await pair()
    ours.transport.write_eof()
    assert await theirs.lost is None
    assert await ours.lost is None
    assert theirs.log == ["eof", "lost NoneType"]


async def test_writing_is_paused_while_nobody_reads(pair) -> None:
    ours, theirs = await pair()
    theirs.transport.pause_reading()
    assert not theirs.transport.is_reading()
    sent = 0
    while "pause" not in ours.log:
        ours.transport.write(bytes(65536))
        sent += 65536
        await asyncio.sleep(0)
    assert ours.transport.get_write_buffer_size() > 64 * 1024
    await spin()
    assert theirs.log == []
    theirs.transport.resume_reading()
    assert theirs.transport.is_reading()
    await until(lambda: len(theirs.data) == sent)
    await until(lambda: ours.log == ["pause", "resume"])
    assert ours.transport.get_write_buffer_size() == 0
    await finish(ours, theirs)


async def test_write_buffer_limits(pair) -> None:
    ours, theirs = await pair()
    assert ours.transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
    ours.transport.set_write_buffer_limits(high=100)
    assert ours.transport.get_write_buffer_limits() == (25, 100)
    ours.transport.set_write_buffer_limits(low=10)
    assert ours.transport.get_write_buffer_limits() == (10, 40)
    ours.transport.set_write_buffer_limits()
    assert ours.transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
    with pytest.raises(ValueError, match="must be >="):
        ours.transport.set_write_buffer_limits(high=1, low=2)
    await finish(ours, theirs)


async def test_close_waits_for_a_slow_reader(pair) -> None:
    ours, theirs = await pair()
    theirs.transport.pause_reading()
    data = bytes(1024 * 1024)
    ours.transport.write(data)
    ours.transport.close()
    await spin()
    assert not ours.lost.done()
    theirs.transport.resume_reading()
    await until(lambda: len(theirs.data) == len(data))
    assert await ours.lost is None
    assert await theirs.lost is None


async def test_close_does_not_wait_for_what_a_kernel_would_hold(pair) -> None:
    ours, theirs = await pair()
    theirs.transport.pause_reading()
    ours.transport.write(b"small")
    ours.transport.close()
    assert await ours.lost is None
    assert theirs.log == []
    theirs.transport.resume_reading()
    assert await theirs.lost is None
    assert theirs.data == b"small"


async def test_writing_to_a_side_that_is_gone(pair) -> None:
    ours, theirs = await pair(keep_open=True)
    theirs.transport.close()
    await until(lambda: "eof" in ours.log)
    for _ in range(5):
        ours.transport.write(b"anybody?")
        await asyncio.sleep(0)
    assert isinstance(await ours.lost, ConnectionError)


async def test_abort_is_an_end_like_any_other_when_all_was_read(pair) -> None:
    ours, theirs = await pair()
    ours.transport.write(b"sent already")
    await until(lambda: theirs.data == b"sent already")
    ours.transport.abort()
    ours.transport.abort()
    assert await ours.lost is None
    assert await theirs.lost is None
    assert theirs.log[-2:] == ["eof", "lost NoneType"]


async def test_reset() -> None:
    ours, theirs = Recorder(), Recorder()
    in_memory(ours, theirs)
    ours.transport.write(b"sent already")
    ours.transport.reset()
    ours.transport.reset()
    assert ours.transport.is_closing()
    assert await ours.lost is None
    assert isinstance(await theirs.lost, ConnectionResetError)
    assert theirs.data == b"sent already"
    assert "eof" not in theirs.log


async def test_abort_with_something_unread_is_a_reset() -> None:
    ours, theirs = Recorder(), Recorder()
    in_memory(ours, theirs)
    ours.transport.write(b"sent already")
    theirs.transport.write(b"never read")
    ours.transport.abort()
    ours.transport.abort()
    assert await ours.lost is None
    assert isinstance(await theirs.lost, ConnectionResetError)
    assert theirs.data == b"sent already"
    assert ours.data == b""


async def test_abort_drops_what_a_kernel_would_not_hold() -> None:
    ours, theirs = Recorder(), Recorder()
    in_memory(ours, theirs)
    theirs.transport.pause_reading()
    for _ in range(4):
        ours.transport.write(bytes(32 * 1024))
    ours.transport.abort()
    assert await ours.lost is None
    assert not theirs.lost.done()
    theirs.transport.resume_reading()
    assert await theirs.lost is None
    assert len(theirs.data) == 64 * 1024


async def test_a_reset_wakes_a_side_that_waits_to_write() -> None:
    ours, theirs = Recorder(), Recorder()
    in_memory(ours, theirs)
    ours.transport.pause_reading()
    theirs.transport.pause_reading()
    theirs.transport.write(bytes(100_000))
    ours.transport.abort()
    await ours.lost
    assert isinstance(await theirs.lost, ConnectionResetError)
    assert theirs.log == ["pause", "lost ConnectionResetError"]


async def test_closing_without_reading_all_is_a_reset(pair) -> None:
    ours, theirs = await pair(keep_open=True)
    ours.transport.pause_reading()
    while "pause" not in theirs.log:
        theirs.transport.write(bytes(65536))
        await asyncio.sleep(0)
    ours.transport.close()
    assert isinstance(await theirs.lost, ConnectionError)
    assert "resume" not in theirs.log
    await ours.lost


@pytest.mark.parametrize("method", ["data_received", "eof_received", "pause_writing"])
async def test_an_error_in_a_protocol_is_reported(pair, method: str) -> None:
    reported = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: reported.append(context))
    ours, theirs = await pair()

    def fail(*args: object) -> None:
        raise LookupError(method)

    if method == "pause_writing":
        setattr(ours, method, fail)
        ours.transport.write(bytes(10_000_000))
    else:
        setattr(theirs, method, fail)
        ours.transport.write(b"x")
        ours.transport.write_eof()
        await theirs.lost
    assert [str(context["exception"]) for context in reported] == [method]
    ours.transport.abort()
    theirs.transport.abort()
    await ours.lost


async def test_extra_info() -> None:
    ours, theirs = Recorder(), Recorder()
    in_memory(ours, theirs)
    assert ours.transport.get_extra_info("peername") == ("127.0.0.1", 2)
    assert ours.transport.get_extra_info("sockname") == ("127.0.0.1", 1)
    assert theirs.transport.get_extra_info("peername") == ("127.0.0.1", 1)
    assert theirs.transport.get_extra_info("socket") is None
    assert theirs.transport.get_extra_info("other", 3) == 3
    await finish(ours, theirs)


async def test_each_side_runs_in_its_own_context() -> None:
    seen = []

    class Seeing(Recorder):
        def data_received(self, data: bytes) -> None:
            seen.append(VARIABLE.get())
            self.transport.write(data)

    ours, theirs = Seeing(), Seeing()
    context = contextvars.copy_context()
    context.run(VARIABLE.set, "server")
    in_memory(ours, theirs, context)
    ours.transport.write(b"x")
    await until(lambda: len(seen) == 4)
    assert seen == ["server", "client", "server", "client"]
    await finish(ours, theirs)


async def test_buffered_protocols_are_filled(pair) -> None:
    class Buffered(asyncio.BufferedProtocol):
        def __init__(self) -> None:
            self.buffer = bytearray(3)
            self.data = bytearray()
            self.sizes: list[int] = []

        def get_buffer(self, sizehint: int) -> bytearray:
            return self.buffer

        def buffer_updated(self, nbytes: int) -> None:
            self.data += self.buffer[:nbytes]
            self.sizes.append(nbytes)

    ours, theirs = await pair()
    buffered = Buffered()
    theirs.transport.set_protocol(buffered)
    assert theirs.transport.get_protocol() is buffered
    ours.transport.write(b"eight by")
    await until(lambda: buffered.data == b"eight by")
    assert buffered.sizes == [3, 3, 2]
    theirs.transport.set_protocol(theirs)
    await finish(ours, theirs)


async def test_only_bytes_are_written(pair) -> None:
    ours, theirs = await pair()
    with pytest.raises(TypeError):
        ours.transport.write("text")
    ours.transport.write(b"")
    await finish(ours, theirs)


async def test_deliveries_repeat_exactly() -> None:
    """The same calls give the same pieces in the same order, each time."""

    async def run() -> list[str]:
        ours, theirs = Recorder(), Recorder()
        in_memory(ours, theirs)
        for size in (1, 100_000, 3, 300_000):
            ours.transport.write(bytes(size))
            await asyncio.sleep(0)
        ours.transport.close()
        await theirs.lost
        return theirs.log + ours.log

    first = await run()
    assert "pause" in first
    assert await run() == first


def test_it_is_a_transport() -> None:
    assert issubclass(MemoryTransport, asyncio.Transport)
