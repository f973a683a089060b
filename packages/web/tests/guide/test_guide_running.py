"""The usage guide's ways to start and to stop a server: whole programs, and step by step.

The programs stand here letter for letter; a test replaces their port by one that is free.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import pytest
from cryptography.fernet import Fernet
from processes import free_port, wait_until_asleep, wait_until_served

from headrace import web

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
old_loops = pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="get_event_loop() makes no loop any more"
)

# -- Run a simple web server

FIRST_EXAMPLE = """
import asyncio
from aiohttp import web

async def hello(request):
    return web.Response(body=b"Hello, world")

app = web.Application()
app.router.add_route('GET', '/', hello)

loop = asyncio.get_event_loop()
handler = app.make_handler()
f = loop.create_server(handler, '0.0.0.0', 8080)
srv = loop.run_until_complete(f)
print('serving on', srv.sockets[0].getsockname())
try:
    loop.run_forever()
except KeyboardInterrupt:
    pass
finally:
    loop.run_until_complete(handler.finish_connections(1.0))
    srv.close()
    loop.run_until_complete(srv.wait_closed())
    loop.run_until_complete(app.finish())
loop.close()
"""

# -- User sessions

KEY = b"Sixteen byte key, and as many more"[:32]
SESSIONS = """
import asyncio
import time
from aiohttp import web
from aiohttp_session import get_session, session_middleware
from aiohttp_session.cookie_storage import EncryptedCookieStorage

async def handler(request):
    session = await get_session(request)
    session['last_visit'] = time.time()
    return web.Response(body=b'OK')

async def init(loop):
    app = web.Application(middlewares=[session_middleware(
        EncryptedCookieStorage(b'Sixteen byte key'))])
    app.router.add_route('GET', '/', handler)
    srv = await loop.create_server(
        app.make_handler(), '0.0.0.0', 8080)
    return srv

loop = asyncio.get_event_loop()
loop.run_until_complete(init(loop))
try:
    loop.run_forever()
except KeyboardInterrupt:
    pass
"""


@contextmanager
def running(program: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a program on a free port; what it imports from aiohttp.web it gets from headrace."""
    port = free_port()
    code = "import aliases; aliases.stand_in()\n" + program.replace("8080", str(port))
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore:There is no current event loop", "-u", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,  # where aliases is
    )
    try:
        yield process, port
    finally:
        process.kill()
        process.communicate()


@old_loops
@pytest.mark.parametrize("connected", [False, True])
def test_the_first_example_runs_until_ctrl_c(connected: bool) -> None:
    with running(FIRST_EXAMPLE) as (process, port):
        assert process.stdout is not None
        assert process.stdout.readline() == f"serving on ('0.0.0.0', {port})\n"
        asyncio.run(check_hello(port))
        with socket.create_connection(("127.0.0.1", port)) as idle:
            if connected:
                idle.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                assert idle.recv(15) == b"HTTP/1.1 200 OK"
            wait_until_asleep(process)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")


async def check_hello(port: int) -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://127.0.0.1:{port}/") as response,
    ):
        assert (response.status, await response.read()) == (200, b"Hello, world")


@old_loops
def test_the_example_of_sessions() -> None:
    # Repaired: Fernet, which the add-on uses today, takes keys of 32 bytes only.
    program = SESSIONS.replace("b'Sixteen byte key'", repr(KEY))
    with running(program) as (process, port):
        wait_until_served(port)
        asyncio.run(check_sessions(port))
        wait_until_asleep(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        # The program ends with its connections open, so what it says at its end is its own.
        assert process.returncode == 0


async def check_sessions(port: int) -> None:
    visits = []
    jar = aiohttp.CookieJar(unsafe=True)  # unsafe: it keeps cookies of bare addresses too
    async with aiohttp.ClientSession(cookie_jar=jar) as client:
        for _ in range(2):
            async with client.get(f"http://127.0.0.1:{port}/") as response:
                assert (response.status, await response.read()) == (200, b"OK")
                cookie = response.cookies["AIOHTTP_SESSION"]
                assert (cookie["httponly"], cookie["path"]) == (True, "/")
            visits.append(Fernet(urlsafe_b64encode(KEY)).decrypt(cookie.value.encode()))
    assert all(b'"last_visit"' in visit for visit in visits)
    assert visits[0] != visits[1]


# -- The steps, one by one


async def hello(request):  # type: ignore[no-untyped-def]
    return web.Response(body=b"Hello, world")


@asynccontextmanager
async def listening(handler: web.Server) -> AsyncIterator[int]:
    srv = await asyncio.get_running_loop().create_server(handler, "127.0.0.1", 0)
    try:
        yield srv.sockets[0].getsockname()[1]
    finally:
        await handler.finish_connections(1.0)
        srv.close()
        await srv.wait_closed()


async def test_what_is_registered_runs_when_the_application_finishes() -> None:
    finished = []

    async def close(app, *args, **kwargs):  # type: ignore[no-untyped-def]
        finished.append((app, args, kwargs))

    app = web.Application(loop=asyncio.get_running_loop())
    app.router.add_route("GET", "/", hello)
    app.register_on_finish(close, 1, name="first")
    app.register_on_finish(lambda app: finished.append("plain"))
    async with listening(app.make_handler()) as port:
        await check_hello(port)
    assert not finished
    await app.finish()
    assert finished == ["plain", (app, (1,), {"name": "first"})]
    await app.finish()
    assert len(finished) == 2


async def test_finish_connections_waits_for_a_handler() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(request):  # type: ignore[no-untyped-def]
        entered.set()
        await leave.wait()
        return web.Response(text="done")

    app = web.Application()
    app.router.add_route("GET", "/", slow)
    handler = app.make_handler()
    async with listening(handler) as port, aiohttp.ClientSession() as client:
        answer = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
        await entered.wait()
        ending = asyncio.create_task(handler.finish_connections(10.0))
        await asyncio.sleep(0)
        leave.set()
        response = await answer
        assert (await response.text(), response.headers["Connection"]) == ("done", "close")
        await ending


async def test_finish_connections_does_not_wait_for_ever() -> None:
    entered, ended = asyncio.Event(), asyncio.Event()

    async def stuck(request):  # type: ignore[no-untyped-def]
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    app = web.Application()
    app.router.add_route("GET", "/", stuck)
    handler = app.make_handler()
    async with listening(handler) as port, aiohttp.ClientSession() as client:
        answer = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
        await entered.wait()
        await handler.finish_connections(0.01)
        assert ended.is_set()
        with pytest.raises(aiohttp.ClientConnectionError):
            await answer


async def test_the_settings_of_make_handler(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "guide.access")
    app = web.Application()
    app.router.add_route("GET", "/", hello)
    handler = app.make_handler(
        secure_proxy_ssl_header=None,
        keep_alive=5,
        keep_alive_on=True,
        timeout=0,
        access_log=logging.getLogger("guide.access"),
        access_log_format='"%r" %s %b',
    )
    assert handler.keepalive_timeout == 5
    assert app.make_handler(keep_alive_on=False).keepalive_timeout == 0
    async with listening(handler) as port:
        await check_hello(port)
    assert caplog.messages == ['"GET / HTTP/1.1" 200 12']


async def test_there_is_no_access_log_unless_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    app = web.Application()
    app.router.add_route("GET", "/", hello)
    async with listening(app.make_handler()) as port:
        await check_hello(port)
    assert caplog.messages == []
