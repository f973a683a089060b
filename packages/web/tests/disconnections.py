"""What happens when a client goes, and when: a table that the tests run and the docs show.

    python disconnections.py --write     brings the page up to date

Each case has a handler that tells what it meets, in the words of the page. `test_disconnections`
lets a client go as the case says, and compares what was told, what was logged, and that nothing
is left; a test of the docs compares the page with this table.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace import web

#: Tells what the handler met.
Tell = Callable[[str], None]
#: Waits until the client has been told to go, and has.
Gone = Callable[[], Awaitable[None]]
Handler = Callable[[web.Request, Tell, Gone], Awaitable[web.StreamResponse]]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf"
WEBSOCKET = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CLOSE = b"\x88\x82\0\0\0\0\x03\xe8"
MUCH = bytes(300_000)
PAGE = Path(__file__).parents[3] / "docs/how-to/web-clients-that-vanish.md"
BEGIN, END = "<!-- begin of the table of disconnections -->", "<!-- end of the table -->"


async def attempt(tell: Tell, what: str, action: Awaitable[Any]) -> Any:
    """Do something, and tell how it ended."""
    try:
        result = await action
    except BaseException as error:
        tell(f"`{what}` raises `{type(error).__name__}`")
        raise
    tell(f"`{what}` returns")
    return result


async def never(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    tell("runs")
    return web.Response()


async def reads(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    await attempt(tell, "request.read()", request.read())
    return web.Response()


async def works(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    await gone()
    tell(f"`request.disconnected` is `{request.disconnected}`")
    return web.Response(text="late")


async def watches(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    going = asyncio.ensure_future(gone())
    await attempt(tell, "request.wait_for_disconnection()", request.wait_for_disconnection())
    await going
    return web.Response(text="late")


async def sleeps(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    going = asyncio.ensure_future(gone())
    try:
        await attempt(tell, "await …", asyncio.sleep(60))
    finally:
        await going
    return web.Response()


async def shields(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    async def pay() -> None:
        await gone()
        await asyncio.sleep(0)
        tell("what is shielded goes on")

    paying = asyncio.ensure_future(pay())
    try:
        await attempt(tell, "asyncio.shield()", asyncio.shield(paying))
    finally:
        await paying
    return web.Response()


async def fails(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    await gone()
    tell("it raises an error of its own")
    raise LookupError


async def streams(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"some")
    await gone()
    await attempt(tell, "response.write()", _write(response))
    return response


async def waits_in_write(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    going = asyncio.ensure_future(gone())
    await attempt(tell, "response.write()", _write_for_ever(response))
    await going
    return response


async def ends(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await gone()
    await attempt(tell, "response.write_eof()", response.write_eof())
    return response


async def _write(response: web.StreamResponse) -> None:
    await response.write(b"more")


async def _write_for_ever(response: web.StreamResponse) -> None:
    while True:
        await response.write(MUCH)


async def sends_a_body(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield b"some"
            await gone()
            while True:
                yield MUCH
        finally:
            tell("the source of the body is closed")

    return web.Response(body=pieces())


async def sends_events(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    async def events() -> AsyncIterator[str]:
        yield "one"
        going = asyncio.ensure_future(gone())
        try:
            await attempt(tell, "await …", asyncio.sleep(60))
        finally:
            await going

    return web.EventStreamResponse(events())


async def answers(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    return web.Response(text="in time")


async def receives(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    going = asyncio.ensure_future(gone())
    message = await ws.receive()
    tell(f"`ws.receive()` returns `{message.type.name}`")
    tell(f"`ws.close_code` is `{ws.close_code}`")
    await going
    return ws


async def sends(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    await gone()
    await attempt(tell, "ws.send_str()", _send(ws))
    return ws


async def waits_in_send(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    going = asyncio.ensure_future(gone())
    await attempt(tell, "ws.send_bytes()", _send_for_ever(ws))
    await going
    return ws


async def closes(request: web.Request, tell: Tell, gone: Gone) -> web.StreamResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    await gone()
    await attempt(tell, "ws.close()", ws.close())
    return ws


async def _send(ws: web.WebSocketResponse) -> None:
    await ws.send_str("late")


async def _send_for_ever(ws: web.WebSocketResponse) -> None:
    while True:
        await ws.send_bytes(MUCH)


@dataclass(frozen=True)
class Case:
    """A row of the table.

    Attributes:
        when: When the client goes.
        doing: What the handler does.
        handler: The handler.
        told: What it tells; nothing when it does not run.
        logged: The levels of what is logged.
        sent: What the client sends before.
        awaited: What it reads before it goes.
        how: ``reset``, ``half`` (it stops sending, and still reads) or ``close`` (of WebSocket).
        cancels: Whether the route has ``cancel_on_disconnect``.
    """

    when: str
    doing: str
    handler: Handler
    told: tuple[str, ...] = ()
    logged: tuple[str, ...] = ()
    sent: bytes = GET
    awaited: bytes = b""
    how: str = "reset"
    cancels: bool = False


RESET = "ClientConnectionResetError"
DEBUG = ("DEBUG",)
BEFORE = "before its request is whole"
WORKING = "while the handler works"
SENDING = "while it is answered"
SILENTLY = "from its WebSocket, without a word"
CANCELLED = "`await …` raises `CancelledError`"

CASES = {
    "head": Case(BEFORE, "does not run", never, sent=GET[:-2]),
    "body": Case(
        BEFORE, "reads the body", reads, (f"`request.read()` raises `{RESET}`",), DEBUG, POST
    ),
    "works": Case(WORKING, "looks", works, ("`request.disconnected` is `True`",), DEBUG),
    "watches": Case(
        WORKING, "waits for it", watches, ("`request.wait_for_disconnection()` returns",), DEBUG
    ),
    "fails": Case(
        WORKING, "fails by itself", fails, ("it raises an error of its own",), ("ERROR", "DEBUG")
    ),
    "sleeps": Case(WORKING, "is cancelled on disconnect", sleeps, (CANCELLED,), cancels=True),
    "shields": Case(
        WORKING,
        "is cancelled, a part is shielded",
        shields,
        ("`asyncio.shield()` raises `CancelledError`", "what is shielded goes on"),
        cancels=True,
    ),
    "half": Case(
        "only its sending half, while the handler works",
        "answers: the answer arrives",
        works,
        ("`request.disconnected` is `True`",),
        how="half",
    ),
    "streams": Case(
        SENDING,
        "writes",
        streams,
        (f"`response.write()` raises `{RESET}`",),
        DEBUG,
        awaited=b"some",
    ),
    "slow": Case(
        SENDING,
        "waits in a write",
        waits_in_write,
        (f"`response.write()` raises `{RESET}`",),
        DEBUG,
        awaited=b"HTTP",
    ),
    "ends": Case(
        SENDING,
        "ends the answer",
        ends,
        (f"`response.write_eof()` raises `{RESET}`",),
        DEBUG,
        awaited=b"HTTP",
    ),
    "source": Case(
        SENDING,
        "has returned a source",
        sends_a_body,
        ("the source of the body is closed",),
        DEBUG,
        awaited=b"some",
    ),
    "events": Case(SENDING, "streams events", sends_events, (CANCELLED,), awaited=b"one"),
    "after": Case("after it was answered", "has ended", answers, awaited=b"in time"),
    "receives": Case(
        SILENTLY,
        "receives",
        receives,
        ("`ws.receive()` returns `CLOSED`", "`ws.close_code` is `1006`"),
        sent=WEBSOCKET,
        awaited=b"\r\n\r\n",
    ),
    "sends": Case(
        SILENTLY,
        "sends",
        sends,
        (f"`ws.send_str()` raises `{RESET}`",),
        DEBUG,
        WEBSOCKET,
        b"\r\n\r\n",
    ),
    "behind": Case(
        SILENTLY,
        "waits in a send",
        waits_in_send,
        (f"`ws.send_bytes()` raises `{RESET}`",),
        DEBUG,
        WEBSOCKET,
        b"\r\n\r\n",
    ),
    "closes": Case(
        SILENTLY,
        "closes",
        closes,
        ("`ws.close()` returns",),
        (),
        WEBSOCKET,
        b"\r\n\r\n",
    ),
    "closing": Case(
        "from its WebSocket, with a close",
        "receives",
        receives,
        ("`ws.receive()` returns `CLOSE`", "`ws.close_code` is `1000`"),
        (),
        WEBSOCKET,
        b"\r\n\r\n",
        "close",
    ),
}


def table() -> str:
    """Return the table as the page shows it."""
    rows = [
        "| the client goes | the handler | what happens | what is logged |",
        "|---|---|---|---|",
    ]
    for case in CASES.values():
        told = "; ".join(case.told) or "nothing"
        rows.append(
            f"| {case.when} | {case.doing} | {told} | {', '.join(case.logged) or 'nothing'} |"
        )
    return "\n".join([BEGIN, "", *rows, "", END])


def with_table(page: str) -> str:
    """Return the text of the page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    return before + table() + rest.partition(END)[2]


if __name__ == "__main__":
    page = with_table(PAGE.read_text())
    if "--write" in sys.argv:
        PAGE.write_text(page)
    else:
        print(table())
