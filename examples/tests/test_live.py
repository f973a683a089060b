"""The live example over real sockets, with aiohttp's client as the independent other side."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from live import Settings, create_app, make_app
from live._pace import Pace
from live._pages import FOLDER
from live._settings import parse
from live._text import Unfit, clean_name, clean_text

from headrace import web

PATIENCE = 10.0  # seconds until a message that does not come fails its test


class Site:
    """A running example, and a client that knows its address."""

    def __init__(self, session: aiohttp.ClientSession, runner: web.AppRunner, url: str) -> None:
        self.session = session
        self.runner = runner
        self.url = url
        self.host, self.port = runner.addresses[0][:2]

    @asynccontextmanager
    async def window(self, name: str) -> AsyncIterator[Window]:
        async with self.session.ws_connect(f"{self.url}/ws") as ws:
            window = Window(ws)
            await ws.send_json({"type": "name", "name": name})
            window.welcome = await window.get("welcome")
            yield window


class Window:
    """A window of the chat."""

    welcome: dict[str, Any]

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def get(self, kind: str) -> dict[str, Any]:
        """Return the next message of a type, and skip those of others."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message: dict[str, Any] = json.loads(await self.ws.receive_str())
                if message["type"] == kind:
                    return message

    async def say(self, text: object) -> None:
        await self.ws.send_json({"type": "say", "text": text})


@asynccontextmanager
async def serve(app: web.Application) -> AsyncIterator[Site]:
    runner = web.AppRunner(app, shutdown_timeout=PATIENCE)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as session:
            yield Site(session, runner, site.name)
    finally:
        await runner.cleanup()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serve(create_app()) as running:
        yield running


# -- the page


@pytest.mark.parametrize(
    ("path", "content_type", "piece"),
    [
        ("/", "text/html", "<h1>headrace</h1>"),
        ("/style.css", "text/css", "prefers-color-scheme"),
        ("/app.js", "text/javascript", "startChat"),
        ("/favicon.svg", "image/svg+xml", "<svg"),
    ],
)
async def test_files_of_the_page(site: Site, path: str, content_type: str, piece: str) -> None:
    async with site.session.get(site.url + path) as response:
        assert response.status == 200
        assert response.content_type == content_type
        assert response.charset == "utf-8"
        assert piece in await response.text()


async def test_all_that_the_page_loads_is_there(site: Site) -> None:
    scripts = [path for path in FOLDER.iterdir() if path.suffix == ".js"]
    imported = {name for path in scripts for name in path.read_text().split('from "./')[1:]}
    names = {"style.css", "app.js", "favicon.svg"} | {name.partition('"')[0] for name in imported}
    assert {path.name for path in FOLDER.iterdir()} == names | {"index.html"}
    for name in names:
        async with site.session.get(f"{site.url}/{name}") as response:
            assert response.status == 200


async def test_page_is_revalidated_by_its_etag(site: Site) -> None:
    async with site.session.get(f"{site.url}/app.js") as first:
        etag = first.headers["ETag"]
    async with site.session.get(f"{site.url}/app.js", headers={"If-None-Match": etag}) as again:
        assert again.status == 304
        assert again.headers["ETag"] == etag
        assert await again.read() == b""
    async with site.session.get(f"{site.url}/app.js", headers={"If-None-Match": '"x"'}) as other:
        assert other.status == 200


@pytest.mark.parametrize("path", ["/", "/api/status", "/missing"])
async def test_every_response_carries_the_policy(site: Site, path: str) -> None:
    async with site.session.get(site.url + path) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_page_has_nothing_that_the_policy_forbids() -> None:
    page = (FOLDER / "index.html").read_text()
    assert "style=" not in page
    assert "onclick" not in page
    assert "<script>" not in page
    for path in FOLDER.glob("*.js"):
        assert "innerHTML" not in path.read_text()


# -- the figures


async def test_status(site: Site) -> None:
    async with site.session.get(f"{site.url}/missing") as missing:
        assert missing.status == 404
    async with site.window("Ada"), site.session.get(f"{site.url}/api/status") as response:
        assert response.content_type == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        figures = await response.json()
    assert figures["requests"] == 3
    assert figures["people_online"] == 1
    assert figures["uptime_seconds"] > 0
    assert set(figures["implementation"].values()) <= {"c", "python"}
    assert figures["python"].startswith("3.")


# -- the chat


async def test_two_windows_talk(site: Site) -> None:
    async with site.window("Ada") as ada, site.window("Grace") as grace:
        joined = await ada.get("joined")
        assert joined["name"] == "Grace"
        assert [person["name"] for person in joined["people"]] == ["Ada", "Grace"]
        await ada.say("  The gate is <b>open</b>. ")
        for window in (ada, grace):
            message = await window.get("message")
            assert message["text"] == "The gate is <b>open</b>."
            assert message["name"] == "Ada"
            assert message["person"] == ada.welcome["you"]
        await grace.say("Good.")
        assert (await ada.get("message"))["text"] == "Good."


async def test_leaving_and_renaming_are_told(site: Site) -> None:
    async with site.window("Ada") as ada:
        async with site.window("Grace") as grace:
            await grace.ws.send_json({"type": "name", "name": "Grace H."})
            renamed = await ada.get("renamed")
            assert (renamed["old"], renamed["name"]) == ("Grace", "Grace H.")
        left = await ada.get("left")
        assert left["name"] == "Grace H."
        assert [person["name"] for person in left["people"]] == ["Ada"]


async def test_newcomer_sees_the_last_messages() -> None:
    async with serve(make_app(Settings(history=3))) as site, site.window("Ada") as ada:
        for number in range(5):
            await ada.say(f"message {number}")
            await ada.get("message")
        async with site.window("Grace") as grace:
            history = grace.welcome["history"]
            assert [message["text"] for message in history] == [
                "message 2",
                "message 3",
                "message 4",
            ]


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ('{"type": "say", "text": "' + "x" * 501 + '"}', "at most 500 characters"),
        ('{"type": "say", "text": " \\u202e "}', "needs some text"),
        ('{"type": "say", "text": 5}', "is a text"),
        ('{"type": "name", "name": "\\n"}', "needs a letter"),
        ('{"type": "shout"}', "no message of this chat"),
        ('{"type": "say"}', "no message of this chat"),
        ("[]", "no message of this chat"),
        ("nonsense", "no message of this chat"),
        ("[" * 10_000, "no message of this chat"),
        ("9" * 5000, "no message of this chat"),
    ],
)
async def test_unfit_messages_are_answered(site: Site, sent: str, answer: str) -> None:
    async with site.window("Ada") as ada:
        await ada.ws.send_str(sent)
        assert answer in (await ada.get("error"))["text"]
        await ada.say("still here")
        assert (await ada.get("message"))["text"] == "still here"


async def test_a_name_comes_first(site: Site) -> None:
    async with site.session.ws_connect(f"{site.url}/ws") as ws:
        await ws.send_json({"type": "say", "text": "boo"})
        assert await ws.receive_json() == {"type": "error", "text": "Tell your name first."}


async def test_message_over_the_frame_limit_closes_only_its_window(site: Site) -> None:
    async with site.window("Ada") as ada, site.window("Grace") as grace:
        await grace.ws.send_str("x" * 20_000)
        async with asyncio.timeout(PATIENCE):
            while not grace.ws.closed:
                await grace.ws.receive()
        assert grace.ws.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        assert (await ada.get("left"))["name"] == "Grace"


async def test_window_that_does_not_read_is_dropped_and_hurts_nobody() -> None:
    settings = Settings(burst=100_000, pace=100_000.0, max_text=4000)
    async with serve(make_app(settings)) as site, site.window("Ada") as ada:
        reader, writer = await raw_window(site, "Deaf")
        await ada.get("joined")
        async with asyncio.timeout(60):
            sent = 0
            kind = ""
            while kind != "left":
                await ada.say("x" * 3900)
                sent += 1
                kind = json.loads(await ada.ws.receive_str())["type"]
        assert sent * 3900 > settings.backlog
        await ada.say("who is left?")
        assert (await ada.get("message"))["text"]
        writer.close()
        del reader


async def test_a_crowd_that_comes_and_talks_at_once_loses_nothing(site: Site) -> None:
    size = 80

    async def visit(number: int) -> set[str]:
        async with site.window(f"visitor {number}") as window:
            await everybody.wait()
            await window.say(f"hello from {number}")
            return {(await window.get("message"))["text"] for _ in range(size)}

    everybody = asyncio.Barrier(size)
    async with asyncio.timeout(60):
        heard = await asyncio.gather(*(visit(number) for number in range(size)))
    assert heard == [{f"hello from {number}" for number in range(size)}] * size


async def raw_window(site: Site, name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Enter the chat by hand with small buffers; nothing is read after the handshake."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (site.host, site.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        % site.host.encode()
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    payload = json.dumps({"type": "name", "name": name}).encode()
    writer.write(bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload)  # masked with zeros
    return reader, writer


async def test_window_whose_cable_is_pulled_leaves() -> None:
    """It says nothing more, not even a pong, and its connection just hangs."""
    async with serve(make_app(Settings(heartbeat=0.2))) as site, site.window("Ada") as ada:
        _, writer = await raw_window(site, "Cut off")
        await ada.get("joined")
        left = await ada.get("left")
        assert left["name"] == "Cut off"
        assert [person["name"] for person in left["people"]] == ["Ada"]
        await ada.say("who is left?")
        assert (await ada.get("message"))["text"]
        writer.close()


async def test_room_has_an_end() -> None:
    async with serve(make_app(Settings(max_people=2))) as site, AsyncExitStack() as stack:
        for name in ("Ada", "Grace"):
            await stack.enter_async_context(site.window(name))
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await site.session.ws_connect(f"{site.url}/ws")
        assert refused.value.status == 503


async def test_place_is_free_again_after_a_plain_request() -> None:
    async with serve(make_app(Settings(max_people=1))) as site:
        async with site.session.get(f"{site.url}/ws") as plain:
            assert 400 <= plain.status < 500
        async with site.window("Ada") as ada:
            assert ada.welcome["people"][0]["name"] == "Ada"


async def test_pages_of_other_sites_are_refused(site: Site) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await site.session.ws_connect(f"{site.url}/ws", origin="http://elsewhere.example")
    assert refused.value.status == 403
    async with site.session.ws_connect(f"{site.url}/ws", origin=site.url) as ws:
        assert not ws.closed


async def test_windows_are_told_when_the_server_goes(site: Site) -> None:
    async with site.window("Ada") as ada:
        stopping = asyncio.create_task(site.runner.cleanup())
        async with asyncio.timeout(PATIENCE):
            while not ada.ws.closed:
                await ada.ws.receive()
            await stopping
        assert ada.ws.close_code == aiohttp.WSCloseCode.GOING_AWAY


# -- the upload


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
async def test_upload_tells_size_and_hash(site: Site, size: int) -> None:
    data = os.urandom(size)
    target = f"{site.url}/upload"
    name = {"name": "drück.bin"}
    async with site.session.post(target, params=name, data=io.BytesIO(data)) as response:
        assert response.status == 200
        assert await response.json() == {
            "name": "drück.bin",
            "size": size,
            "sha256": hashlib.sha256(data).hexdigest(),
        }
    async with site.session.get(f"{site.url}/api/status") as response:
        figures = await response.json()
    assert (figures["uploads"], figures["uploaded_bytes"]) == (1, size)


async def test_upload_in_chunks(site: Site) -> None:
    pieces = [os.urandom(size) for size in (1, 1000, 200_000)]

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async with site.session.post(f"{site.url}/upload", data=body()) as response:
        answer = await response.json()
    assert answer["sha256"] == hashlib.sha256(b"".join(pieces)).hexdigest()


@pytest.mark.parametrize("announced", [True, False])
async def test_upload_over_the_bound_is_413(announced: bool) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield bytes(10_000)

    async with serve(make_app(Settings(max_upload=100_000))) as site:
        data = bytes(300_000) if announced else body()
        async with site.session.post(f"{site.url}/upload", data=data) as response:
            assert response.status == 413
            assert "100000 bytes" in await response.text()
        async with site.session.post(f"{site.url}/upload", data=bytes(100_000)) as response:
            assert response.status == 200


async def test_stalled_upload_is_408() -> None:
    async with serve(make_app(Settings(upload_patience=0.05))) as site:
        reader, writer = await asyncio.open_connection(site.host, site.port)
        writer.write(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        async with asyncio.timeout(PATIENCE):
            assert b" 408 " in await reader.readline()
        writer.close()


# -- the download


@pytest.mark.parametrize("mib", [1, 3])
async def test_download_is_what_it_announces(site: Site, mib: int) -> None:
    async with site.session.get(f"{site.url}/download", params={"mib": mib}) as response:
        assert (response.status, response.content_length) == (200, mib * 1024**2)
        disposition = response.content_disposition
        assert disposition is not None
        assert (disposition.type, disposition.filename) == ("attachment", f"headrace-{mib}-mib.bin")
        sha256 = hashlib.sha256(await response.read()).digest()
        digest = base64.b64encode(sha256).decode()
        assert response.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    async with site.session.head(f"{site.url}/download", params={"mib": mib}) as response:
        assert response.content_length == mib * 1024**2


@pytest.mark.parametrize("mib", ["0", "257", "-1", "1.5", "", "x", "9" * 5000, "\u0661"])
async def test_download_of_no_size(site: Site, mib: str) -> None:
    async with site.session.get(f"{site.url}/download", params={"mib": mib}) as response:
        assert response.status == 400
        assert await response.text() == "A file may have 1 to 256 MiB."


async def test_download_that_nobody_reads_holds_up_nobody(site: Site) -> None:
    reader, writer = await asyncio.open_connection(site.host, site.port, limit=1024)
    writer.write(b"GET /download?mib=256 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b" 200 " in await reader.readline()
    async with site.session.get(f"{site.url}/download?mib=1") as response:
        assert len(await response.read()) == 1024**2
    writer.close()


# -- the parts


def test_pace_lets_a_burst_through_and_then_an_even_flow() -> None:
    pace = Pace(burst=3, rate=2.0)
    assert [pace.delay(100.0) for _ in range(5)] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert pace.delay(200.0) == -1.0


def test_texts_lose_what_cannot_be_seen() -> None:
    assert clean_text(" a\r\nb\n\n\n\nc\x00\u202e\ud800 ", 10) == "a\nb\n\nc"
    assert clean_text("👩‍🚒", 3) == "👩‍🚒"
    assert clean_name(" Ada \n  Lovelace ", 7) == "Ada Lov"
    with pytest.raises(Unfit):
        clean_text("12345", 4)


def test_command_line_changes_the_bounds() -> None:
    settings = parse(["--max-upload-mib", "2", "--history", "7"])
    assert (settings.max_upload, settings.history) == (2 * 1024**2, 7)
