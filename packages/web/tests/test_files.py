"""Files as responses: fields, conditions, ranges, siblings, and what is not served."""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from exchanges import FakeExchange, make_request
from serving import Failures, Serve, Served

from headrace import web
from headrace.web import _disk, _files
from headrace.web._disk import OpenFile

DATA = bytes(range(256)) * 20
BIG = bytes(range(251)) * 1500  # more than goes in one write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data.txt"
    path.write_bytes(DATA)
    os.utime(path, ns=(0, 1_600_000_000_123_456_789))
    return path


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "big.bin"
    path.write_bytes(BIG)
    return path


@pytest.fixture
async def send(serve: Serve) -> Callable[..., Awaitable[Served]]:
    async def start(path: Path | str, **arguments: Any) -> Served:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.FileResponse(path, **arguments)

        return await serve(handler)

    return start


Send = Callable[..., Awaitable[Served]]

TAG = f'"{1_600_000_000_123_456_789:x}-{len(DATA):x}"'
DATE = "Sun, 13 Sep 2020 12:26:40 GMT"


async def test_a_file(send: Send, path: Path) -> None:
    served = await send(path, headers={"X-A": "b"})
    async with served.client.get("/") as answer:
        assert (answer.status, answer.reason) == (200, "OK")
        assert await answer.read() == DATA
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Content-Length"] == str(len(DATA))
        assert answer.headers["ETag"] == TAG
        assert answer.headers["Last-Modified"] == DATE
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["X-A"] == "b"
        assert "Vary" not in answer.headers
        assert "Transfer-Encoding" not in answer.headers


@pytest.mark.parametrize("name", ["data.txt", "big.bin"])
async def test_head(send: Send, path: Path, big: Path, name: str) -> None:
    served = await send(path.with_name(name))
    wire = await served.connect()
    for _ in range(2):  # nothing of a body gets in the way of the next answer
        wire.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        head = await wire.head()
        size = path.with_name(name).stat().st_size
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nContent-Length: %d\r\n" % size in head
        assert b"\r\nETag: " in head


async def test_an_empty_file(send: Send, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    served = await send(tmp_path / "empty")
    async with served.client.get("/") as answer:
        assert (answer.status, await answer.read()) == (200, b"")
        assert answer.headers["Content-Length"] == "0"
    async with served.client.get("/", headers={"Range": "bytes=0-"}) as answer:
        assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */0")


async def test_an_old_client(send: Send, big: Path) -> None:
    served = await send(big)
    head, _, body = (await served.raw(b"GET / HTTP/1.0\r\n\r\n")).partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(BIG) in head
    assert body == BIG


async def test_status_reason_and_fields_are_the_callers(send: Send, path: Path) -> None:
    fields = {"Content-Type": "text/plain; charset=latin-1", "Vary": "Cookie"}
    served = await send(path, status=404, reason="Nope", headers=fields)
    conditions = {"If-None-Match": TAG, "Range": "bytes=0-1"}
    async with served.client.get("/", headers=conditions) as answer:
        # RFC 9110, section 13.2.1: conditions count where the answer would be a success.
        assert (answer.status, answer.reason) == (404, "Nope")
        assert await answer.read() == DATA
        assert answer.headers["Content-Type"] == "text/plain; charset=latin-1"
        assert answer.headers["Vary"] == "Cookie"


def test_arguments_that_are_none() -> None:
    with pytest.raises(ValueError, match="chunk_size"):
        web.FileResponse("x", chunk_size=0)
    with pytest.raises(TypeError):
        web.FileResponse(None)  # type: ignore[arg-type]


CONDITIONS: list[tuple[str, dict[str, str], int]] = [
    ("GET", {"If-None-Match": TAG}, 304),
    ("HEAD", {"If-None-Match": TAG}, 304),
    ("GET", {"If-None-Match": f"W/{TAG}"}, 304),
    ("GET", {"If-None-Match": '"other"'}, 200),
    ("GET", {"If-Modified-Since": DATE}, 304),
    ("GET", {"If-Modified-Since": "Sun, 13 Sep 2020 12:26:39 GMT"}, 200),
    ("GET", {"If-Match": TAG}, 200),
    ("GET", {"If-Match": '"other"'}, 412),
    ("GET", {"If-Unmodified-Since": "Sun, 13 Sep 2020 12:26:39 GMT"}, 412),
    ("GET", {"If-Unmodified-Since": DATE}, 200),
    ("POST", {"If-None-Match": TAG}, 200),
    # a condition goes before a range
    ("GET", {"If-None-Match": TAG, "Range": "bytes=0-1"}, 304),
    ("GET", {"If-Match": '"other"', "Range": "bytes=99999-"}, 412),
]


@pytest.mark.parametrize(("method", "fields", "status"), CONDITIONS)
async def test_conditions(
    send: Send, path: Path, method: str, fields: dict[str, str], status: int
) -> None:
    served = await send(path, headers={"Cache-Control": "no-cache"})
    async with served.client.request(method, "/", headers=fields) as answer:
        assert answer.status == status
        assert await answer.read() == (DATA if status == 200 and method != "HEAD" else b"")
        assert answer.headers["ETag"] == TAG
        assert answer.headers["Cache-Control"] == "no-cache"
        if status != 200:
            assert "Content-Type" not in answer.headers
            assert answer.headers.get("Content-Length", "0") == "0"


#: field, status, Content-Range, start and stop of the body
RANGES: list[tuple[dict[str, str], int, str | None, slice]] = [
    ({"Range": "bytes=0-0"}, 206, "bytes 0-0/5120", slice(0, 1)),
    ({"Range": "bytes=100-199"}, 206, "bytes 100-199/5120", slice(100, 200)),
    ({"Range": "bytes=5000-"}, 206, "bytes 5000-5119/5120", slice(5000, None)),
    ({"Range": "bytes=-20"}, 206, "bytes 5100-5119/5120", slice(5100, None)),
    ({"Range": "bytes=0-9,5-19"}, 206, "bytes 0-19/5120", slice(0, 20)),
    ({"Range": "bytes=5120-"}, 416, "bytes */5120", slice(0)),
    ({"Range": "bytes=2-1"}, 416, "bytes */5120", slice(0)),
    ({"Range": "lines=1-2"}, 200, None, slice(None)),
    ({"Range": "bytes=1-2", "If-Range": TAG}, 206, "bytes 1-2/5120", slice(1, 3)),
    ({"Range": "bytes=1-2", "If-Range": DATE}, 206, "bytes 1-2/5120", slice(1, 3)),
    ({"Range": "bytes=1-2", "If-Range": f"W/{TAG}"}, 200, None, slice(None)),
    ({"Range": "bytes=1-2", "If-Range": '"other"'}, 200, None, slice(None)),
    ({"Range": "bytes=9999-", "If-Range": '"other"'}, 200, None, slice(None)),
    (
        {"Range": "bytes=1-2", "If-Range": "Sun, 13 Sep 2020 12:26:41 GMT"},
        200,
        None,
        slice(None),
    ),
]


@pytest.mark.parametrize(("fields", "status", "content_range", "part"), RANGES)
async def test_ranges(
    send: Send,
    path: Path,
    fields: dict[str, str],
    status: int,
    content_range: str | None,
    part: slice,
) -> None:
    served = await send(path)
    async with served.client.get("/", headers=fields) as answer:
        assert answer.status == status
        body = await answer.read()
        assert body == (DATA[part] if status != 416 else b"")
        assert answer.headers.get("Content-Range") == content_range
        assert int(answer.headers["Content-Length"]) == len(body)
    async with served.client.head("/", headers=fields) as answer:
        # RFC 9110, section 14.2: Range counts for GET alone.
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(DATA)))


@pytest.mark.parametrize("wanted", ["bytes=3-5,100000-200000,-7", "bytes=3-5,9-10"])
async def test_several_ranges(send: Send, big: Path, wanted: str) -> None:
    served = await send(big)
    async with served.client.get("/", headers={"Range": wanted}) as answer:
        assert answer.status == 206
        body = await answer.read()
        assert len(body) == int(answer.headers["Content-Length"])
        kind = answer.headers["Content-Type"]
        assert "Content-Range" not in answer.headers
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    assert message.get_content_type() == "multipart/byteranges"
    parts = message.get_payload()
    assert isinstance(parts, list)
    assert len(parts) == wanted.count(",") + 1
    for part in parts:
        start, stop = part["Content-Range"].removeprefix("bytes ").partition("/")[0].split("-")
        piece = BIG[int(start) : int(stop) + 1]
        assert b"\r\n\r\n" + piece + b"\r\n--" in body
        assert part.get_content_type() == "application/octet-stream"


# -- siblings

NEGOTIATIONS = [
    (None, None),
    ("gzip", "gzip"),
    ("br", "br"),
    ("zstd, br, gzip", "zstd"),
    ("gzip, br;q=0.9", "gzip"),
    ("gzip;q=0", None),
    ("*", "zstd"),
    ("identity, gzip;q=0.5", None),
]


@pytest.mark.parametrize(("accept", "coding"), NEGOTIATIONS)
async def test_siblings(send: Send, path: Path, accept: str | None, coding: str | None) -> None:
    bodies: dict[str | None, bytes] = {None: DATA}
    for name, extension in (("gzip", ".gz"), ("br", ".br"), ("zstd", ".zst")):
        bodies[name] = f"as {name}".encode()
        path.with_name(path.name + extension).write_bytes(bodies[name])
    served = await send(path, headers={"Vary": "Cookie"})
    fields = b"" if accept is None else b"Accept-Encoding: %b\r\n" % accept.encode()
    wire = await served.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n" % fields)
    head, body = await wire.answer()
    assert body == bodies[coding]
    assert (b"Content-Encoding: " in head) == (coding is not None)
    assert coding is None or b"\r\nContent-Encoding: %b\r\n" % coding.encode() in head
    assert b"\r\nVary: Cookie, Accept-Encoding\r\n" in head
    assert b"\r\nContent-Type: text/plain; charset=utf-8\r\n" in head
    tag = head.partition(b"ETag: ")[2].partition(b"\r\n")[0]
    assert tag.endswith(b'"' if coding is None else b'-%b"' % coding.encode())
    wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n%bIf-None-Match: %b\r\n\r\n" % (fields, tag))
    head = await wire.head()
    assert head.startswith(b"HTTP/1.1 304 ")
    assert b"\r\nVary: Cookie, Accept-Encoding\r\n" in head
    assert b"Content-Encoding" not in head


async def test_a_range_of_a_sibling(send: Send, path: Path) -> None:
    path.with_name("data.txt.gz").write_bytes(compressed := gzip.compress(DATA))
    served = await send(path)
    fields = {"Range": "bytes=2-5", "Accept-Encoding": "gzip"}
    async with served.client.get("/", headers=fields) as answer:
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes 2-5/{len(compressed)}"


async def test_a_sibling_alone(send: Send, path: Path) -> None:
    path.with_name("data.txt.br").write_bytes(b"packed")
    path.unlink()
    served = await send(path)
    for accept, expected in (("gzip, br", 200), ("gzip", 404), ("identity", 404), ("*", 200)):
        wire = await served.connect()
        wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %b\r\n\r\n" % accept.encode())
        head, body = await wire.answer()
        assert head.startswith(b"HTTP/1.1 %d " % expected)
        assert (body == b"packed") == (expected == 200)
        assert (b"\r\nContent-Encoding: br\r\n" in head) == (expected == 200)
        assert (b"\r\nVary: Accept-Encoding\r\n" in head) == (expected == 200)
        await wire.close()


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: os.mkfifo(path)])
async def test_a_sibling_does_not_stand_for_what_is_no_file(
    send: Send, path: Path, make: Any
) -> None:
    path.with_name("data.txt.gz").write_bytes(b"packed")
    path.unlink()
    make(path)
    served = await send(path)
    async with served.client.get("/") as answer:
        assert answer.status == 403


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: os.mkfifo(path)])
async def test_a_sibling_that_is_no_file(send: Send, path: Path, make: Any) -> None:
    make(path.with_name("data.txt.gz"))
    served = await send(path)
    async with served.client.get("/") as answer:
        assert (await answer.read(), "Vary" in answer.headers) == (DATA, False)


async def test_what_is_encoded_already_has_no_siblings(send: Send, path: Path) -> None:
    path.with_name("data.txt.gz").write_bytes(b"never")
    path.write_bytes(compressed := gzip.compress(DATA))
    served = await send(path, headers={"Content-Encoding": "gzip"})
    async with served.client.get("/") as answer:
        assert await answer.read() == DATA
        assert answer.headers["Content-Length"] == str(len(compressed))


# -- what is not served


@pytest.mark.parametrize("where", ["nothing", "data.txt/nothing", "x" * 300, "a\0b", "loop"])
async def test_no_such_file(send: Send, path: Path, where: str, failures: Failures) -> None:
    path.with_name("loop").symlink_to("loop")
    served = await send(f"{path.parent}/{where}")
    async with served.client.get("/") as answer:
        assert (answer.status, await answer.text()) == (404, "404: Not Found")
        assert "ETag" not in answer.headers
    assert not failures()


@pytest.mark.parametrize("kind", ["directory", "pipe", "socket", "device"])
async def test_special_files(send: Send, tmp_path: Path, kind: str, failures: Failures) -> None:
    path = tmp_path / "special"
    with socket.socket(socket.AF_UNIX) as sock:
        if kind == "directory":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "socket":
            sock.bind(str(path))
        else:
            path = Path("/dev/zero")
        served = await send(path)
        async with served.client.get("/") as answer:
            assert (answer.status, await answer.text()) == (403, "403: Forbidden")
    assert not failures()


async def test_a_file_that_may_not_be_read(
    send: Send, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> int:
        raise PermissionError(13, "denied")  # to root nothing is denied

    served = await send(path)
    monkeypatch.setattr(_disk.os, "open", refuse)
    async with served.client.get("/") as answer:
        assert answer.status == 403


async def test_too_many_open_files_is_the_servers_fault(
    send: Send, path: Path, monkeypatch: pytest.MonkeyPatch, failures: Failures
) -> None:
    def refuse(*args: Any) -> int:
        raise OSError(24, "too many")

    served = await send(path)
    monkeypatch.setattr(_disk.os, "open", refuse)
    async with served.client.get("/") as answer:
        assert answer.status == 500
    assert failures() == ["Error handling GET /: OSError"]


async def test_no_such_file_is_an_exception_for_handlers(serve: Serve, tmp_path: Path) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.FileResponse(tmp_path / "nothing")
        try:
            await response.prepare(request)
        except web.HTTPNotFound:
            return web.Response(text="instead")
        return response

    served = await serve(handler)
    async with served.client.get("/") as answer:
        assert await answer.text() == "instead"


# -- on the way


async def test_the_signal_sees_and_changes_the_fields(serve: Serve, big: Path) -> None:
    async def sign(request: web.Request, response: web.StreamResponse) -> None:
        assert response.headers["ETag"]
        assert response.content_length == len(BIG)
        response.headers["X-Signed"] = "yes"

    app = web.Application()
    app.on_response_prepare.append(sign)

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.FileResponse(big)
        await response.prepare(request)
        assert response.prepared
        await response.prepare(request)
        return response

    app.router.add_get("/", handler)
    served = await serve(app)
    async with served.client.get("/") as answer:
        assert (answer.headers["X-Signed"], await answer.read()) == ("yes", BIG)


async def test_a_download(serve: Serve, big: Path) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        name = {"Content-Disposition": web.content_disposition("größe.bin")}
        return web.FileResponse(big, chunk_size=1000, headers=name)

    served = await serve(handler)
    async with served.client.get("/") as answer:
        assert answer.content_disposition is not None
        assert answer.content_disposition.filename == "größe.bin"
        assert await answer.read() == BIG


@pytest.mark.parametrize("name", ["data.txt", "big.bin"])
async def test_every_file_is_closed(
    send: Send, path: Path, big: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[OpenFile] = []

    class Watched:
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            files.append(OpenFile(*args, **kwargs))
            return files[-1]

    monkeypatch.setattr(_files, "OpenFile", Watched)
    served = await send(path.with_name(name))
    for fields in (
        {},
        {"Range": "bytes=1-2"},
        {"Range": "bytes=1-2,4-5"},
        {"Range": "bytes=9999999-"},
    ):
        async with served.client.get("/", headers=fields) as answer:
            await answer.read()
        async with served.client.head("/", headers=fields) as answer:
            assert answer.status == 200
    assert len(files) == 8
    assert {file.fileno() for file in files} == {-1}


async def test_a_small_file_that_changes_is_read_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = 1
    read = OpenFile.read

    async def change_and_read(self: OpenFile, offset: int, size: int) -> bytes:
        nonlocal changes
        if changes:
            changes -= 1
            path.write_bytes(b"changed")
        return await read(self, offset, size)

    monkeypatch.setattr(OpenFile, "read", change_and_read)
    exchange = FakeExchange()
    await web.FileResponse(path).prepare(make_request(exchange=exchange))
    ((kind, status, _, _, body),) = exchange.sent
    assert (kind, status, body) == ("whole", 200, b"changed")
    for number, _ in enumerate(range(3)):
        os.utime(path, ns=(0, number))
    changes = 99
    monkeypatch.setattr(path.__class__, "write_bytes", lambda self, data: os.utime(self))
    with pytest.raises(_disk.FileChangedError):
        await web.FileResponse(path).prepare(make_request(exchange=FakeExchange()))


@pytest.mark.parametrize("seconds", [-5, 0, 10**9])
async def test_old_dates(send: Send, path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))
    served = await send(path)
    async with served.client.get("/") as answer:
        assert answer.headers["Last-Modified"] == formatdate(seconds, usegmt=True)


async def test_a_date_to_come(send: Send, path: Path) -> None:
    os.utime(path, (2**33, 2**33))
    served = await send(path)
    async with served.client.get("/") as answer:
        changed = parsedate_to_datetime(answer.headers["Last-Modified"])
        assert changed <= parsedate_to_datetime(answer.headers["Date"])
