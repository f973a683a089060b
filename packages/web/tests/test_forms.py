"""Forms: what their fields are, which limits hold, and that files are closed whatever happens."""

from __future__ import annotations

import asyncio
import io
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from exchanges import make_request
from hypothesis import given
from hypothesis import strategies as st
from multiparts import BOUNDARY, END, bytewise, calls, field, file, multipart_request
from serving import Failures, Serve

from headrace import web
from headrace.web import _spool
from headrace.web._forms import parse_urlencoded, safe_filename
from headrace.web._spool import SPOOL_LEAST, SPOOL_SIZE

URLENCODED = "application/x-www-form-urlencoded"


def urlencoded(body: bytes, content_type: str = URLENCODED, **settings: Any) -> web.Request:
    settings = {"method": "POST", "headers": {"Content-Type": content_type}, **settings}
    return make_request(body=body, **settings)


def facts(value: str | bytes | web.FileField) -> Any:
    """Return what a field holds; a file's content in place of the file."""
    if not isinstance(value, web.FileField):
        return value
    return (value.filename, value.content_type, value.file.read())


async def posted(request: web.Request) -> list[tuple[str, Any]]:
    return [(name, facts(value)) for name, value in (await request.post()).items()]


# -- urlencoded forms

PAIRS = [
    (b"", []),
    (b"a=1", [("a", "1")]),
    (b"a=1&b=2&a=3\r\n", [("a", "1"), ("b", "2"), ("a", "3")]),
    (b"a", [("a", "")]),
    (b"a=&=b&&c=d=e", [("a", ""), ("", "b"), ("c", "d=e")]),
    (b"a+b=c+%2B%20%26", [("a b", "c + &")]),
    (b"a=%C3%BC&b=\xc3\xbc", [("a", "ü"), ("b", "ü")]),
    (b"a=%FF%", [("a", "\ufffd%")]),
    (b"a;b=c;d", [("a;b", "c;d")]),
]


@pytest.mark.parametrize(("body", "pairs"), PAIRS)
async def test_urlencoded(body: bytes, pairs: list[tuple[str, str]]) -> None:
    assert await posted(urlencoded(body)) == pairs


async def test_urlencoded_in_a_charset() -> None:
    content_type = f"{URLENCODED}; charset=iso-8859-1"
    assert await posted(urlencoded(b"a=%FC&b=\xfc", content_type)) == [("a", "ü"), ("b", "ü")]


FAULTS: list[tuple[bytes, str, type[Exception], int]] = [
    (b"a=\xff", "utf-8", UnicodeError, 400),
    (b"a=b", "klingon", LookupError, 415),
    (b"a=b", "punycode", LookupError, 415),
]


@pytest.mark.parametrize(("body", "charset", "error", "status"), FAULTS)
async def test_the_client_is_to_blame(
    body: bytes, charset: str, error: type[Exception], status: int
) -> None:
    request = urlencoded(body, f"{URLENCODED}; charset={charset}")
    with pytest.raises(error) as caught:
        await request.post()
    assert request._client_fault == (caught.value, status)


@given(st.lists(st.tuples(st.text(), st.text()), max_size=20))
async def test_what_is_encoded_is_read_back(pairs: list[tuple[str, str]]) -> None:
    pairs = [(n, v) for n, v in pairs if not any(0xD800 <= ord(c) <= 0xDFFF for c in n + v)]
    assert await posted(urlencoded(urlencode(pairs).encode())) == pairs


@pytest.mark.parametrize("body", [b"&" * 100_000, b"a=b&" * 100_000, b"&" * 1000, b"=&" * 1000])
async def test_too_many_urlencoded_fields(body: bytes) -> None:
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        await urlencoded(body).post()


def test_the_number_of_urlencoded_fields() -> None:
    assert len(parse_urlencoded(b"&".join([b"a=b"] * 1000), None, 1000)) == 1000
    assert len(parse_urlencoded(b"a=b&" * 100_000, None, 0)) == 100_000
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        parse_urlencoded(b"&".join([b"a=b"] * 1001), None, 1000)


async def test_work_for_urlencoded_fields_grows_with_their_number() -> None:
    async def work(fields: int) -> int:
        async def parse() -> None:
            parse_urlencoded(b"a=%20&" * fields, None, 0)

        return await calls(parse)

    few, many = await work(100), await work(400)
    assert few > 100
    assert many < 4.2 * few


# -- multipart forms

FORM = (
    field("text", "ü".encode())
    + field("text", b"\xfc", "Content-Type: text/plain; charset=latin-1")
    + field("json", b"{}", "Content-Type: application/json")
    + field("base64", b"aGk=", "Content-Transfer-Encoding: base64")
    + file("empty", "", b"", "Content-Type: application/octet-stream")
    + file("file", "a.mp3", b"\0\r\n--", "Content-Type: Audio/MPEG; x=y")
    + file("file", "b", b"aGk=", "Content-Transfer-Encoding: base64")
    + END
)
FIELDS = [
    ("text", "ü"),
    ("text", "ü"),
    ("json", b"{}"),
    ("base64", "hi"),
    ("empty", b""),
    ("file", ("a.mp3", "Audio/MPEG; x=y", b"\0\r\n--")),
    ("file", ("b", "application/octet-stream", b"hi")),
]


@pytest.mark.parametrize("pieces", [[FORM], bytewise(FORM), [FORM[:200], FORM[200:]]], ids=len)
async def test_multipart(pieces: list[bytes]) -> None:
    request = multipart_request(*pieces)
    assert await posted(request) == FIELDS
    assert await request.post() is await request.post()
    value = (await request.post())["file"]
    assert isinstance(value, web.FileField)
    assert (value.name, value.filename, value.safe_filename) == ("file", "a.mp3", "a.mp3")
    assert value.headers["content-type"] == "Audio/MPEG; x=y"
    assert not request.can_read_body


async def test_a_form_that_was_read_as_bytes_before() -> None:
    request = multipart_request(FORM)
    assert await request.read() == FORM
    assert await posted(request) == FIELDS


async def test_the_charset_field_is_a_field_like_others() -> None:
    body = field("_charset_", b"latin-1") + field("a", "ü".encode()) + END
    assert await posted(multipart_request(body)) == [("_charset_", "latin-1"), ("a", "ü")]


async def test_a_multipart_body_inside_a_form_is_not_looked_into() -> None:
    body = field("a", b"--I--", "Content-Type: multipart/mixed; boundary=I") + END
    assert await posted(multipart_request(body)) == [("a", b"--I--")]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
async def test_methods_with_forms(method: str) -> None:
    assert await posted(urlencoded(b"a=b", method=method)) == [("a", "b")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "QUERY"])
async def test_methods_without_forms(method: str) -> None:
    assert await posted(urlencoded(b"a=b", method=method)) == []


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/mixed; boundary=x"])
async def test_bodies_that_are_no_forms(content_type: str) -> None:
    request = urlencoded(b"a=b", content_type)
    assert await posted(request) == []
    assert await request.read() == b"a=b"


MALFORMED = [
    ("nothing", b""),
    ("no parts", b"a=b"),
    ("no end", field("a", b"b")),
    ("no name", file("a", "b", b"").replace(b'name="a"; ', b"") + END),
    ("no disposition", field("a", b"").replace(b"Content-Disposition", b"X") + END),
    ("no charset", field("a", b"\xff") + END),
    ("base64", field("a", b"!", "Content-Transfer-Encoding: base64") + END),
    ("base64 of a file", file("a", "b", b"aG!k", "Content-Transfer-Encoding: base64") + END),
    ("base64 cut short", file("a", "b", b"aG", "Content-Transfer-Encoding: base64") + END),
]


@pytest.mark.parametrize("body", [c[1] for c in MALFORMED], ids=[c[0] for c in MALFORMED])
async def test_malformed_forms(body: bytes) -> None:
    with pytest.raises(web.RequestPayloadError):
        await multipart_request(*([body] if body else [])).post()


@pytest.mark.parametrize(
    "body",
    [
        field("a", b"b", "Content-Type: text/plain; charset=klingon") + END,
        field("a", b"b", "Content-Transfer-Encoding: x-klingon") + END,
        file("a", "b", b"c", "Content-Transfer-Encoding: x-klingon") + END,
    ],
)
async def test_unknown_encodings(body: bytes) -> None:
    with pytest.raises(web.HTTPUnsupportedMediaType):
        await multipart_request(body).post()


@pytest.mark.parametrize("parameter", ["", ";boundary", f";boundary={'x' * 71}"])
async def test_boundaries_that_are_none(parameter: str) -> None:
    with pytest.raises(web.RequestPayloadError):
        await urlencoded(FORM, f"multipart/form-data{parameter}").post()


@given(st.lists(st.sampled_from([FORM[:50], FORM[50:170], END, b"\r\n", b"--", b"\xff", b"x=y"])))
async def test_garbage_gets_a_status_of_the_client(pieces: list[bytes]) -> None:
    try:
        form = await multipart_request(*pieces).post()
    except (web.RequestPayloadError, web.HTTPClientError):
        return
    assert all(isinstance(value, str | bytes | web.FileField) for value in form.values())


# -- limits


async def test_the_size_of_a_form() -> None:
    for pieces in [[FORM], bytewise(FORM)]:
        request = multipart_request(*pieces)
        request._client_max_size = len(FORM)
        assert len(await request.post()) == len(FIELDS)
        request = multipart_request(*pieces)
        request._client_max_size = len(FORM) - 1
        with pytest.raises(web.HTTPRequestEntityTooLarge):
            await request.post()


async def test_a_size_that_is_announced_is_refused_before_anything_arrives() -> None:
    request = multipart_request(eof=False)
    request._body_length = 1024**2 + 1
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        await request.post()


async def test_any_size() -> None:
    request = multipart_request(field("a", b"x" * 3_000_000) + END)
    request._client_max_size = 0
    assert len(str((await request.post())["a"])) == 3_000_000


@pytest.mark.parametrize("one", [field("a", b""), file("a", "b", b"")])
async def test_the_number_of_fields(one: bytes) -> None:
    assert len(await multipart_request(one * 1000 + END).post()) == 1000
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        await multipart_request(one * 1001 + END).post()
    request = multipart_request(one * 3 + END)
    request._client_max_fields = 2
    assert request.client_max_fields == 2
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        await request.post()
    request = multipart_request(one * 1001 + END)
    request._client_max_fields = 0
    assert len(await request.post()) == 1001


@pytest.mark.parametrize("step", [1, 1000])
async def test_work_grows_with_the_number_of_fields(step: int) -> None:
    async def work(fields: int) -> int:
        body = b"".join(file(f"{n:05}", "f", b"xy") for n in range(fields)) + END
        pieces = [body[n : n + step] for n in range(0, len(body), step)]
        return await calls(multipart_request(*pieces).post)

    few, many = await work(50), await work(200)
    assert few > 100
    assert many < 4.2 * few


async def test_memory_of_a_value_that_comes_byte_by_byte() -> None:
    body = field("a", b"x" * 100_000) + END
    request = multipart_request(*bytewise(body))
    tracemalloc.start()
    try:
        await request.post()
        assert tracemalloc.get_traced_memory()[1] < 4 * len(body)
    finally:
        tracemalloc.stop()


# -- where files are held


CONTENT = b"x" * 2 * 1024**2
#: Bytes of a file that goes to the disk.
LARGE = SPOOL_SIZE + 1


def is_on_disk(value: Any) -> bool:
    assert isinstance(value, web.FileField)
    return value.file.writable()


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files of some size go to the disk."""
    monkeypatch.setattr(_spool, "SPOOL_SIZE", SPOOL_LEAST)


@pytest.fixture
def descriptors() -> Callable[[], int]:
    """Return a function that counts the open files."""

    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    return count


def close(request: web.Request) -> None:
    """Close the files of a form, as the end of a request does."""
    assert request._post is not None
    for value in request._post.values():
        if isinstance(value, web.FileField):
            value.file.close()


@pytest.mark.parametrize("step", [1000, 100_000, 10**9])
@pytest.mark.parametrize(("size", "expected"), [(0, False), (3_000_000, False), (LARGE, True)])
async def test_large_files_are_on_disk(size: int, expected: bool, step: int) -> None:
    content = os.urandom(size)
    body = file("f", "f", content) + field("a", b"after") + END
    request = multipart_request(*(body[n : n + step] for n in range(0, len(body), step)))
    request._client_max_size = 0
    form = await request.post()
    assert is_on_disk(form["f"]) is expected
    assert facts(form["f"])[2] == content
    assert form["a"] == "after"
    close(request)


@pytest.mark.usefixtures("little_room")
async def test_a_disk_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Full(io.BytesIO):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

        def writelines(self, lines: Any) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(_spool, "TemporaryFile", Full)
    request = multipart_request(file("f", "f", CONTENT) + END)
    request._client_max_size = 0
    with pytest.raises(OSError, match="No space left"):
        await request.post()
    async with asyncio.timeout(10):
        while not made[0].closed:
            await asyncio.sleep(0.001)


def head_of(length: int) -> bytes:
    return (
        f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    ).encode()


def upload_app(handler: Any) -> web.Application:
    app = web.Application(client_max_size=0)
    app.router.add_post("/", handler)
    return app


async def fewer_than(count: Any, before: int) -> None:
    async with asyncio.timeout(10):
        while count() > before:
            await asyncio.sleep(0.001)


@pytest.mark.usefixtures("little_room")
@pytest.mark.parametrize("ending", ["answer", "error", "exception", "waits"])
@pytest.mark.parametrize("content", [b"small", CONTENT], ids=len)
async def test_files_are_closed_when_the_request_ends(
    serve: Serve, failures: Failures, ending: str, content: bytes
) -> None:
    files: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        if ending == "waits":
            await asyncio.sleep(0)
        value = (await request.post())["f"]
        assert isinstance(value, web.FileField)
        files.append(value.file)
        assert value.file.read() == content
        if ending == "error":
            raise RuntimeError("wrong")
        if ending == "exception":
            raise web.HTTPForbidden
        return web.Response()

    served = await serve(upload_app(handler))
    form = aiohttp.FormData()
    form.add_field("f", io.BytesIO(content), filename="f")
    statuses = {"error": 500, "exception": 403}
    async with served.client.post("/", data=form) as answer:
        assert answer.status == statuses.get(ending, 200)
    await served.until(lambda: files[0].closed)
    assert failures() == (["Error handling POST /: RuntimeError"] if ending == "error" else [])


@pytest.mark.usefixtures("little_room")
@pytest.mark.parametrize("end", ["disconnect", "malformed", "too large"])
async def test_files_are_closed_when_the_form_fails(
    serve: Serve, failures: Failures, descriptors: Any, end: str
) -> None:
    errors: list[type[BaseException]] = []

    async def handler(request: web.Request) -> web.Response:
        if end == "too large":
            request._client_max_size = 3 * len(CONTENT)
        try:
            await request.post()
        except Exception as error:
            errors.append(type(error))
            raise
        raise AssertionError("the form was accepted")

    served = await serve(upload_app(handler))
    before = descriptors()
    wire = await served.connect()
    ends = 0 if wire.writer.get_extra_info("socket") is None else 2
    start = file("f", "f", CONTENT) + field("a", b"b") + file("g", "g", CONTENT)[:-2]
    # One chunk, so that the size is not announced.
    head = head_of(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    wire.send(head + b"%x\r\n" % (10 * len(CONTENT)) + start)
    # The connection's two ends, and a file on the disk.
    await served.until(lambda: descriptors() >= before + ends + 1)
    if end == "disconnect":
        await wire.close()
        expected: type[Exception] = web.RequestPayloadError
    elif end == "malformed":
        wire.send(f"\r\n--{BOUNDARY}oops".encode() + bytes(100))
        assert (await wire.head()).startswith(b"HTTP/1.1 400 ")
        expected = web.RequestPayloadError
    else:
        wire.send(CONTENT)
        wire.send(CONTENT)
        assert (await wire.head()).startswith(b"HTTP/1.1 413 ")
        expected = web.HTTPRequestEntityTooLarge
    await wire.close()
    await served.until(lambda: errors == [expected])
    await fewer_than(descriptors, before)
    assert failures() == []


@pytest.mark.usefixtures("little_room")
async def test_files_are_closed_when_the_handler_is_cancelled_while_one_is_written(
    serve: Serve, descriptors: Any
) -> None:
    async def handler(request: web.Request) -> web.Response:
        await request.post()
        raise AssertionError("the form was accepted")

    served = await serve(upload_app(handler), handler_cancellation=True)
    before = descriptors()
    for _ in range(10):
        wire = await served.connect()
        wire.send(head_of(10 * len(CONTENT)) + file("f", "f", CONTENT))
        await served.until(lambda: bool(served.server.connections))
        await wire.close()
    await served.idle()
    await fewer_than(descriptors, before)


async def test_files_of_a_mocked_request_need_no_task() -> None:
    request = multipart_request(FORM)
    request._exchange = type("NoTask", (), {"task": None})()
    assert await posted(request) == FIELDS
    close(request)


# -- file names

NAMES = [
    ("a.mp3", "a.mp3"),
    ("día ü.txt", "día ü.txt"),
    ("", "unnamed"),
    (None, "unnamed"),
    (".", "unnamed"),
    ("..", "unnamed"),
    ("../../etc/passwd", "passwd"),
    ("..\\..\\boot.ini", "boot.ini"),
    ("/etc/", "unnamed"),
    ("C:\\dir\\a.txt", "a.txt"),
    ("C:a.txt", "Ca.txt"),
    (".htaccess", "htaccess"),
    ("a.txt. . ", "a.txt"),
    ("a\0b\r\n\x85.txt", "ab.txt"),
    ('<a>:"|?*', "a"),
    ("con", "_con"),
    ("NUL.tar.gz", "_NUL.tar.gz"),
    ("console", "console"),
    ("exe.\u202etxt", "exe.txt"),
    ("x\udcff", "x"),
    ("x" * 300, "x" * 255),
    ("ü" * 300, "ü" * 127),
]


@pytest.mark.parametrize(("filename", "expected"), NAMES)
def test_names_to_store_under(filename: str | None, expected: str) -> None:
    assert safe_filename(filename) == expected


@given(st.text())
def test_any_name_is_made_safe(filename: str) -> None:
    name = safe_filename(filename)
    assert 0 < len(name.encode()) <= 256
    assert not set(name) & set('/\\\0\r\n:"<>|?*')
    assert name.strip(" .") == name
    assert safe_filename(name) == name


# -- whole applications


async def test_answers_to_bad_forms(serve: Serve, failures: Failures) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.post())))

    app = web.Application()
    app.router.add_post("/", handler)
    app.router.add_post("/two", handler, client_max_fields=2)
    app.router.add_post("/small", handler, client_max_size=10)
    served = await serve(app)
    multipart = f"multipart/form-data; boundary={BOUNDARY}"
    cases = [
        ("/", multipart, FORM, 200),
        ("/", multipart, FORM[:-10], 400),
        ("/", multipart, b"", 400),
        ("/", "multipart/form-data", FORM, 400),
        ("/", multipart, field("a", b"") * 1001 + END, 413),
        ("/two", multipart, field("a", b"") * 3 + END, 413),
        ("/small", multipart, FORM, 413),
        ("/", URLENCODED, b"a=b", 200),
        ("/", URLENCODED, b"a=\xff", 400),
        ("/", f"{URLENCODED}; charset=klingon", b"a=b", 415),
        ("/", URLENCODED, b"&" * 100_000, 413),
        ("/two", URLENCODED, b"a&b", 200),
        ("/two", URLENCODED, b"a&b&c", 413),
        ("/small", URLENCODED, b"a=234567890", 413),
        ("/", "text/plain", b"a=b", 200),
    ]
    for path, content_type, body, status in cases:
        headers = {"Content-Type": content_type}
        async with served.client.post(path, data=body, headers=headers) as answer:
            assert (answer.status, body[:50]) == (status, body[:50])
    assert failures() == []


def test_limits_are_checked_and_inherited() -> None:
    with pytest.raises(ValueError, match="client_max_fields is -1"):
        web.Policy(client_max_fields=-1)
    inner = web.Policy(client_max_fields=5).inside(web.Policy(client_max_fields=7))
    assert inner.client_max_fields == 5
    assert web.Policy().inside(web.Policy(client_max_fields=7)).client_max_fields == 7


async def test_a_clone_keeps_its_limits_or_gets_others() -> None:
    request = urlencoded(b"a&b")
    request._client_max_fields = 5
    assert request.clone().client_max_fields == 5
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        await request.clone(client_max_fields=1).post()
