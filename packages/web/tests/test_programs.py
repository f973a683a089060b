"""Whole programs, written with ``from aiohttp import web``: only that line is replaced."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import aiohttp
import aiohttp.web
import pytest
from processes import free_port, wait_until_asleep
from yarl import URL

from headrace import web

PROGRAMS = Path(__file__).parent / "programs"
#: Fields that say which server it is, or when.
OWN = {"date", "server"}
CONDITIONS = {"Range", "If-Modified-Since", "If-Unmodified-Since"}


def source_of(name: str, framework: str) -> str:
    """Return a program for aiohttp or for headrace."""
    source = (PROGRAMS / f"{name}.py").read_text()
    line = "from aiohttp import web\n"
    assert re.findall(r"^(?:from|import) aiohttp.*\n", source, re.MULTILINE) == [line]
    return source.replace(line, f"from {framework} import web\n")


def load(name: str, framework: str) -> Any:
    """Return a program as a module, on top of aiohttp or of headrace."""
    module = ModuleType(f"{name}_on_{framework}")
    sys.modules[module.__name__] = module  # dataclasses look there
    code = compile(source_of(name, framework), str(PROGRAMS / f"{name}.py"), "exec")
    exec(code, module.__dict__)
    return module


# -- today's dialect, on both


class Answer(NamedTuple):
    """What a client sees of an answer."""

    step: str
    status: int
    reason: str | None
    fields: list[tuple[str, str]]
    body: bytes


Step = tuple[str, str, dict[str, Any]]


def steps() -> list[Step]:
    """Return the requests, each with new bodies: a client uses them up."""
    content = bytes(range(256)) * 40
    multipart = aiohttp.MultipartWriter("form-data", boundary="b0undary")
    for name, body in [("one", b"1" * 10), ("two", b"2" * 5000)]:
        part = multipart.append(body, {"Content-Type": "text/x-part"})  # type: ignore[arg-type]
        part.set_content_disposition("form-data", name=name, filename=f"{name}.txt")
    upload = aiohttp.FormData()
    upload.add_field("note", "first, second")
    upload.add_field("cover", io.BytesIO(content), filename="c.png", content_type="image/png")
    tag = hashlib.md5(
        b'{"isbn": 1, "title": "Dune", "author": "Herbert", "reviews": []}', usedforsecurity=False
    ).hexdigest()

    def h(**headers: str) -> dict[str, Any]:
        return {"headers": {name.replace("_", "-"): value for name, value in headers.items()}}

    return [
        ("GET", "/", {}),
        ("HEAD", "/", {}),
        ("GET", "/users/J%C3%B6rg%2FX", {}),
        ("GET", "/about/", {}),
        ("GET", "/about", {}),
        ("GET", "//about", {}),
        ("GET", "/nowhere", {}),
        ("POST", "/about/", {}),
        ("GET", "/mirror/a/b?x=1&x=2&y=%20z&empty=", h(X_Value="1", Cookie="a=b; c=d")),
        (
            "POST",
            "/mirror/",
            {"data": "söme", "headers": {"Content-Type": "text/plain; charset=utf-8"}},
        ),
        ("PURGE", "/mirror/%2Fx%20y", h(X_Pretend="tls")),
        ("GET", "/books", {}),
        ("GET", "/books?author=Nobody", {}),
        ("POST", "/books", {"data": {"isbn": "12", "title": "Ülysses", "author": "Joyce"}}),
        ("POST", "/books", {"data": {"isbn": "13"}}),
        ("GET", "/books/12", {}),
        ("GET", "/books/13", {}),
        ("GET", "/books/x", {}),
        ("GET", "/books/1", h(If_None_Match=f'"{tag}"')),
        ("GET", "/books/1", h(If_None_Match='W/"other"')),
        ("DELETE", "/books/1", {}),
        ("GET", "/books/1/reviews", {}),
        ("POST", "/books/1/reviews", {"json": {"stars": 5}}),
        ("POST", "/books/1/reviews", {"data": b"{"}),
        ("PUT", "/books/1/reviews", {}),
        ("GET", "/books/1/reviews", {}),
        ("DELETE", "/books/1/reviews", {}),
        ("PUT", "/books/1/cover", {"data": content, "expect100": True}),
        ("PUT", "/books/1/cover", {"data": content, "expect100": True, **h(Authorization="x")}),
        ("PUT", "/books/1/cover", {"data": content}),
        ("POST", "/books/1/cover", {"data": upload}),
        ("GET", "/books/1/cover", {}),
        ("POST", "/import", {"data": multipart}),
        ("GET", "/export", {}),
        ("HEAD", "/export", {}),
        ("GET", "/octets", {}),
        ("GET", "/generated", {}),
        ("GET", "/talk", {}),
        ("GET", "/login?name=ann", {}),
        ("GET", "/mirror/me", h(Cookie='user="a\\"nn"')),
        ("GET", "/logout", {}),
        ("GET", "/wrong/time", {}),
        ("GET", "/wrong/law", {}),
        ("GET", "/wrong/method", {}),
        ("GET", "/wrong/large", {}),
        ("GET", "/wrong/anything", {}),
        ("GET", "/wrong/range", h(Range="bytes=5-9")),
        ("GET", "/files/a%20b.txt", {}),
        ("GET", "/files/missing", {}),
        ("GET", "/files/", {}),
        ("GET", "/files/../secret", {}),
        ("GET", "/file", {}),
        ("HEAD", "/file", {}),
        ("GET", "/file", h(Range="bytes=100-199")),
        ("GET", "/file", h(Range="bytes=-10")),
        ("GET", "/file", h(Range="bytes=100000-")),
        ("GET", "/file", h(If_Modified_Since="Sun, 06 Nov 2044 08:49:37 GMT")),
        ("GET", "/file", h(If_Unmodified_Since="Sun, 06 Nov 1994 08:49:37 GMT")),
        ("GET", "/api/stats", {}),
        ("GET", "/api/admin/stats", {}),
        ("GET", "/api/fail", {}),
        ("GET", "/api/missing", {}),
        ("POST", "/api/stats", {}),
        ("PUT", "/api/books/12", {}),
        ("PUT", "/api/books/14", {}),
        ("POST", "/api/length", {"data": b"x" * 20_000}),
        ("POST", "/api/length", {"data": b"x" * 20_001}),
        ("GET", "/page", h(Host="one.example.org")),
        ("GET", "/nothing/here", h(Host="one.example.org")),
        ("GET", "/", h(Host="example.com")),
    ]


LENGTH_AND_BODY = {"Content-Length", "body"}
VALIDATORS = {"Etag", "Last-Modified"}
#: What is answered otherwise than by aiohttp, on purpose; statuses and reasons are the same.
DIFFERENT = {
    # The client may or may not send the body that it was not asked for: no next request can follow.
    "PUT /books/1/cover expecting": {"Connection"},
    # The texts of failures are all of one form.
    "GET /wrong/time": {"Connection", "Content-Type", *LENGTH_AND_BODY},
    "GET /wrong/anything": LENGTH_AND_BODY,
    "GET /wrong/large": LENGTH_AND_BODY,
    # Text files tell their charset.
    "GET /files/a%20b.txt": {"Content-Type"},
    # A file that is missing is an exception like any other.
    "GET /files/missing": {"Content-Type", "Transfer-Encoding", "X-Route", *LENGTH_AND_BODY},
    # These tell the client what it needs to ask better.
    "GET /file bytes=100000-": {
        *("Accept-Ranges", "Content-Length", "Content-Type", "Transfer-Encoding"),
        *VALIDATORS,
    },
    "GET /file Sun, 06 Nov 1994 08:49:37 GMT": VALIDATORS,
}


def differing(one: Answer, other: Answer) -> set[str]:
    """Return the names of the fields in which two answers differ, and "body" if that does."""
    names = {name for name, _ in set(one.fields) ^ set(other.fields)}
    return names | {"body"} if one.body != other.body else names


@asynccontextmanager
async def on_aiohttp(app: Any) -> AsyncIterator[int]:
    runner = aiohttp.web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


@asynccontextmanager
async def on_headrace(app: Any) -> AsyncIterator[int]:
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


async def ask(client: aiohttp.ClientSession, port: int, step: Step) -> Answer:
    method, path, options = step
    url = URL(f"http://127.0.0.1:{port}{path}", encoded=True)
    async with client.request(method, url, allow_redirects=False, **options) as response:
        fields = sorted(
            (name.title(), value)
            for name, value in response.headers.items()
            if name.lower() not in OWN
        )
        body = await response.read()
        waits = ["expecting"] if "expect100" in options and response.status == 401 else []
        conditions = [v for k, v in options.get("headers", {}).items() if k in CONDITIONS]
        asked = " ".join([method, path, *waits, *conditions])
        return Answer(asked, response.status, response.reason, fields, body)


async def converse(client: aiohttp.ClientSession) -> list[Any]:
    """Let two people talk; return what each hears."""
    heard: list[Any] = []
    async with client.ws_connect("/talk", protocols=("talk.v1", "talk.v2")) as ann:
        heard.append([ann.protocol, await ann.receive_json()])
        async with client.ws_connect("/talk") as bob:
            heard.append([bob.protocol, await bob.receive_json()])
            await ann.send_str("hello")
            heard += [await ann.receive_str(), await bob.receive_str()]
            await bob.send_bytes(b"abc")
            heard.append(await bob.receive_bytes())
            await bob.send_str("leave")
            message = await bob.receive()
            heard.append((int(message.type), message.data, message.extra))
        await ann.send_str("x" * 1001)
        message = await ann.receive()
        heard.append((int(message.type), message.data))
    return heard


async def run(framework: str, files: Path) -> tuple[list[Answer], list[Any], list[str]]:
    program = load("reading_room", framework)
    app = program.make_app(files)
    serving = on_aiohttp if framework == "aiohttp" else on_headrace
    jar = aiohttp.DummyCookieJar()
    async with (
        serving(app) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", cookie_jar=jar) as client,
    ):
        answers = [await ask(client, port, step) for step in steps()]
        heard = await converse(client)
    return answers, heard, app[program.JOURNAL]


async def test_a_program_of_today_answers_as_on_aiohttp(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a b.txt").write_text("a and b")
    (tmp_path / "data.bin").write_bytes(os.urandom(5000))
    for path in tmp_path.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    expected, expected_talk, expected_journal = await run("aiohttp", tmp_path)
    answers, talk, journal = await run("headrace", tmp_path)
    differences = {}
    for theirs, ours in zip(expected, answers, strict=True):
        assert (ours.step, ours.status, ours.reason) == (theirs.step, theirs.status, theirs.reason)
        if names := differing(theirs, ours):
            differences[ours.step] = names
    assert differences == DIFFERENT
    assert talk == expected_talk
    # aiohttp calls it abnormal that a client which is refused a message says nothing more.
    assert journal == [line.replace("1006", "1009") for line in expected_journal]
    assert journal[0] == "opened"
    assert journal[-1] == "closed"


# -- the guide's dialect, as a whole program


@contextmanager
def message_board(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run the program of old on headrace, up to Ctrl-C."""
    port = free_port()
    program = tmp_path / "program.py"
    program.write_text(source_of("message_board", "headrace").replace("8080", str(port)))
    static = tmp_path / "static"
    static.mkdir()
    (static / "style.css").write_text("a {}")
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-u", str(program), str(static)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "13 routes\n"
        assert process.stdout.readline() == f"serving on ('127.0.0.1', {port})\n"
        yield process, port
    finally:
        process.kill()
        process.communicate()


OLD_STEPS: list[tuple[Step, int, bytes, dict[str, str]]] = [
    (
        ("GET", "/", {}),
        200,
        b"/\n/boards/python\n/boards/python/1?a=b&c=d\n/boards/python/2?a=b\n/static/style.css",
        {"Content-Type": "text/plain; charset=utf-8"},
    ),
    (("GET", "/static/style.css", {}), 200, b"a {}", {"My-Header": "value"}),
    (
        ("PURGE", "/echo/a%20b?c", {"data": b"body", "headers": {"Cookie": "token=t"}}),
        200,
        b"body",
        {"X-Method": "PURGE", "X-Path": "/echo/a b", "X-Token": "t"},
    ),
    (("GET", "/boards", {}), 200, b"", {}),
    (
        ("POST", "/boards/x", {"data": {"text": "h\u00e9llo"}, "headers": {"Cookie": "user=bob"}}),
        302,
        b"302: Found",
        {"Location": "/boards/x/1", "X-User": "bob"},
    ),
    (("POST", "/boards/x", {"data": {"no": "text"}}), 400, b"a message has a text", {}),
    (("GET", "/boards/x", {}), 200, "bob: h\u00e9llo\n".encode(), {}),
    (("GET", "/boards/x/1", {}), 200, "bob: h\u00e9llo".encode(), {"Content-Type": "text/plain"}),
    (("GET", "/boards/x/2", {}), 404, b"There is no /boards/x/2", {}),
    (("GET", "/boards/x/y", {}), 404, b"There is no /boards/x/y", {}),
    (("PUT", "/boards", {}), 405, b"405: Method Not Allowed", {"Allow": "GET"}),
    (("GET", "/status", {"headers": {"Accept": "text/plain"}}), 200, b"visits: 2", {}),
    (
        ("GET", "/status", {"headers": {"Accept": "application/json"}}),
        200,
        b'{"visits": 2}',
        {"Content-Type": "application/json; charset=utf-8"},
    ),
    (("GET", "/status", {"headers": {"Accept": "a/b"}}), 406, b"406: Not Acceptable", {}),
    (
        ("GET", "/stream", {}),
        200,
        b"".join(b"%03d\n" % number for number in range(100)),
        {"Transfer-Encoding": "chunked", "My-Header": "value"},
    ),
    (("GET", "/ws", {}), 400, b"no WebSocket", {}),
    (
        ("GET", "/go/login", {}),
        303,
        b"303: See Other",
        {"Location": "/", "Set-Cookie": "user=ann; HttpOnly; Max-Age=60; Path=/"},
    ),
    (("GET", "/go/logout", {}), 200, b"bye", {}),
    (("GET", "/go/moved", {}), 301, b"gone there", {"Location": "/moved", "X-Why": "moved"}),
    (
        ("GET", "/go/method", {}),
        405,
        b"<p>no</p>",
        {"Allow": "GET,HEAD", "Content-Type": "text/html"},
    ),
    (("GET", "/go/wrong", {}), 500, b"500: Internal Server Error", {"Connection": "close"}),
    (("GET", "/go/away", {}), 410, b"410: Really Gone", {}),
    (("GET", "/secret", {}), 403, b"403: Forbidden", {"My-Header": "value"}),
]


async def use_message_board(port: int) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        for step, status, body, fields in OLD_STEPS:
            answer = await ask(client, port, step)
            assert (answer.status, answer.body) == (status, body), step
            assert fields.items() <= dict(answer.fields).items()
        url = f"http://127.0.0.1:{port}"
        await upload_a_song(client, url)
        await talk_of_old(client, url)


async def upload_a_song(client: aiohttp.ClientSession, url: str) -> None:
    content = bytes(range(256)) * 1000
    for headers, status in [({}, 403), ({"Authorization": "x"}, 200)]:
        form = aiohttp.FormData()
        form.add_field("mp3", io.BytesIO(content), filename="s.mp3", content_type="audio/mpeg")
        async with client.post(
            f"{url}/store_mp3", data=form, headers=headers, expect100=True
        ) as response:
            assert response.status == status
            if status == 200:
                assert response.headers["Content-Disposition"] == 'attachment; filename="s.mp3"'
                assert (response.content_type, await response.read()) == ("audio/mpeg", content)


async def talk_of_old(client: aiohttp.ClientSession, url: str) -> None:
    async with (
        client.ws_connect(f"{url}/ws", protocols=("board",)) as ann,
        client.ws_connect(f"{url}/ws") as bob,
    ):
        await ann.send_str("protocol")
        assert await ann.receive_str() == "board board"
        await bob.send_bytes(b"\0")
        assert await bob.receive_bytes() == b"\0/answer"
        await bob.send_str("hello")
        assert await bob.receive_str() == await ann.receive_str() == "hello/answer"
        await bob.send_str("close")
        assert (await bob.receive()).data == 1000


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
async def test_a_program_of_old_runs(tmp_path: Path) -> None:
    with message_board(tmp_path) as (process, port):
        await use_message_board(port)
        await asyncio.to_thread(wait_until_asleep, process)
        process.send_signal(signal.SIGINT)
        output, errors = await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == 0, errors
    assert output.splitlines() == [
        "websocket connection closed",
        "websocket connection closed",
        "closing 0 sockets",
        "finished after 17 requests",
    ]
    assert errors.count("Traceback") == 1
    assert "KeyError: 'the inside'" in errors
