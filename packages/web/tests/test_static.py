"""Directories: which file a path means, no way out, URLs with hashes, listings, nesting."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from serving import Failures, Serve, Served
from yarl import URL

from headrace import web
from headrace.router import BuildError, ConflictError
from headrace.web import _static
from headrace.web._disk import OpenFile
from headrace.web._static import IMMUTABLE, split_rest

Get = Callable[..., Awaitable[tuple[int, bytes, bytes]]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a directory beside a secret."""
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "static-other").mkdir()
    (tmp_path / "static-other" / "secret.txt").write_text("secret")
    root = tmp_path / "static"
    for name, text in {
        "style.css": "css",
        "app.3f9a01bc.js": "js",
        "with space & é.txt": "odd",
        "100%.txt": "percent",
        "docs/index.html": "<p>docs",
        "docs/guide.html": "<p>guide",
        "plain/file": "file",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


async def raw_get(served: Served, target: bytes, fields: bytes = b"") -> tuple[int, bytes, bytes]:
    """Ask for a target as it stands, and return status, head and body."""
    wire = await served.connect()
    wire.send(b"GET %b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (target, fields))
    head = await wire.head()
    status = int(head.split()[1])
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return status, head, await wire.reader.readexactly(int(length or b"0"))


@pytest.fixture
async def start(serve: Serve, root: Path) -> Callable[..., Awaitable[Served]]:
    async def start(prefix: str = "/static", **options: Any) -> Served:
        app = web.Application()
        app.router.add_static(prefix, root, **options)
        return await serve(app)

    return start


Start = Callable[..., Awaitable[Served]]

FILES = [
    (b"/static/style.css", b"css"),
    (b"/static/style.css?v=1&x", b"css"),
    (b"/static/%73tyle.css", b"css"),
    (b"/static/with%20space%20&%20%C3%A9.txt", b"odd"),
    (b"/static/100%25.txt", b"percent"),
    (b"/static/docs/guide.html", b"<p>guide"),
    (b"/static/docs/", b"<p>docs"),
    (b"/static/docs/index.html", b"<p>docs"),
    (b"http://a/static/plain/file", b"file"),
]


@pytest.mark.parametrize("prefix", ["/static", "/static/"])
@pytest.mark.parametrize(("target", "body"), FILES)
async def test_files(start: Start, target: bytes, body: bytes, prefix: str) -> None:
    served = await start(prefix)
    for _ in range(2):  # in a thread, and at once
        status, _, found = await raw_get(served, target)
        assert (status, found) == (200, body)


MISSES = [
    b"/static/nothing",
    b"/static/style.css/",
    b"/static/style.css/x",
    b"/static//style.css",
    b"/static/docs//guide.html",
    b"/statics/style.css",
    b"/static" + b"/x" * 3000,
    b"/static/" + b"x" * 3000,
]

TRICKS = {
    "dots": b"/static/../secret.txt",
    "dots inside": b"/static/docs/../style.css",
    "dots at the end": b"/static/docs/..",
    "one dot": b"/static/./style.css",
    "encoded dots": b"/static/%2e%2e/secret.txt",
    "half encoded dots": b"/static/.%2E/secret.txt",
    "double-encoded dots": b"/static/%252e%252e/secret.txt",
    "encoded slash": b"/static/..%2fsecret.txt",
    "all encoded": b"/static/%2e%2e%2fsecret.txt",
    "double-encoded slash": b"/static/..%252fsecret.txt",
    "overlong dots": b"/static/%c0%ae%c0%ae/secret.txt",
    "encoded slash to a file": b"/static/docs%2fguide.html",
    "backslash": b"/static/..\\secret.txt",
    "encoded backslash": b"/static/..%5csecret.txt",
    "backslash inside": b"/static/docs%5Cguide.html",
    "absolute": b"/static//etc/passwd",
    "encoded absolute": b"/static/%2fetc/passwd",
    "absolute in full": b"/static/%2fetc%2fpasswd",
    "network share": b"/static/%5c%5chost%5cshare",
    "drive": b"/static/C:/secret.txt",
    "encoded drive": b"/static/C%3a%5csecret.txt",
    "neighbour with the same beginning": b"/static/../static-other/secret.txt",
    "neighbour without slash": b"/static-other/secret.txt",
    "NUL": b"/static/style.css%00.png",
    "NUL first": b"/static/%00",
    "other case": b"/static/STYLE.CSS",
    "prefix in other case": b"/STATIC/style.css",
    "trailing dot": b"/static/style.css.",
    "trailing encoded dot": b"/static/style.css%2e",
    "trailing space": b"/static/style.css%20",
    "stream": b"/static/style.css::$DATA",
    "three dots": b"/static/.../secret.txt",
    "path parameter": b"/static/..;/secret.txt",
    "fullwidth dots": b"/static/%ef%bc%8e%ef%bc%8e/secret.txt",
}


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("trick", TRICKS)
async def test_no_way_out(start: Start, trick: str, follow: bool) -> None:
    served = await start(follow_symlinks=follow)
    for _ in range(2):
        status, _, body = await raw_get(served, TRICKS[trick])
        assert status in (400, 404)
        for text in (b"secret", b"css", b"guide", b"root:"):
            assert text not in body


@pytest.mark.parametrize("target", MISSES)
async def test_misses(start: Start, target: bytes, failures: Failures) -> None:
    served = await start()
    status, _, body = await raw_get(served, target)
    assert (status, body) == (404, b"404: Not Found")
    assert not failures()


WINDOWS = ["/C:/x", "/a:b", "/x.", "/x ", "/con", "/NUL.txt", "/COM1", "/lpt9.x", "/progra~1/x"]


@pytest.mark.parametrize("rest", WINDOWS)
def test_what_names_something_else_on_windows(rest: str) -> None:
    assert split_rest(rest, windows=True) is None


@pytest.mark.parametrize(
    ("rest", "names"),
    [
        ("", []),
        ("/", [""]),
        ("/a", ["a"]),
        ("/a/", ["a", ""]),
        ("/a/b%20c", ["a", "b c"]),
        ("/console.txt", ["console.txt"]),
        ("/a..b", ["a..b"]),
        ("//", None),
        ("/a//", None),
    ],
)
def test_names(rest: str, names: list[str] | None) -> None:
    assert split_rest(rest, windows=True) == names
    assert split_rest(rest, windows=False) == names


# -- symlinks and special files


async def test_symlinks(start: Start, root: Path) -> None:
    (root / "in.css").symlink_to("style.css")
    (root / "out.txt").symlink_to("../secret.txt")
    (root / "out").symlink_to("..")
    (root / "absolute").symlink_to(root.parent / "secret.txt")
    (root / "twice").symlink_to("out.txt")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nothing")
    (root / "beside").symlink_to("../static-other")
    served = await start(show_index=True)
    assert (await raw_get(served, b"/static/in.css"))[::2] == (200, b"css")
    for name in (
        b"out.txt",
        b"out/secret.txt",
        b"out/",
        b"out",
        b"absolute",
        b"twice",
        b"loop",
        b"dangling",
        b"beside/secret.txt",
    ):
        for _ in range(2):
            assert (await raw_get(served, b"/static/" + name))[::2] == (404, b"404: Not Found")


async def test_symlinks_may_be_followed(start: Start, root: Path) -> None:
    (root / "out.txt").symlink_to("../secret.txt")
    (root / "loop").symlink_to("loop")
    served = await start(follow_symlinks=True)
    assert (await raw_get(served, b"/static/out.txt"))[::2] == (200, b"secret")
    assert (await raw_get(served, b"/static/loop"))[0] == 404


async def test_a_sibling_that_leads_out(start: Start, root: Path) -> None:
    (root / "style.css.gz").symlink_to("../secret.txt")
    served = await start()
    status, head, body = await raw_get(served, b"/static/style.css", b"Accept-Encoding: gzip\r\n")
    assert (status, body, b"Content-Encoding" in head) == (200, b"css", False)


async def test_a_sibling_alone(start: Start, root: Path) -> None:
    (root / "style.css").rename(root / "style.css.gz")
    (root / "docs" / "index.html").rename(root / "docs" / "index.html.gz")
    (root / "out.css.gz").symlink_to("../secret.txt")
    served = await start()
    gzip = b"Accept-Encoding: gzip\r\n"
    for path, content, media in (
        (b"/static/style.css", b"css", b"text/css"),
        (b"/static/docs/", b"<p>docs", b"text/html"),
    ):
        status, head, body = await raw_get(served, path, gzip)
        assert (status, body) == (200, content)
        assert b"\r\nContent-Type: %b; charset=utf-8\r\n" % media in head
        assert b"\r\nContent-Encoding: gzip\r\n" in head
        assert (await raw_get(served, path))[0] in (403, 404)
    for path in (b"/static/out.css", b"/static/nothing.css", b"/static/style.css/"):
        assert (await raw_get(served, path, gzip))[0] == 404


async def test_a_path_that_is_exchanged_for_a_symlink(
    start: Start, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at a path and its opening nothing can be slipped in."""
    served = await start()
    (root / "target").write_text("fine")
    make = OpenFile

    def exchange_and_open(path: str, **arguments: Any) -> OpenFile:
        if path.endswith("target"):
            os.unlink(path)
            os.symlink("../secret.txt", path)
        return make(path, **arguments)

    monkeypatch.setattr("headrace.web._files.OpenFile", exchange_and_open)
    assert (await raw_get(served, b"/static/target"))[0] == 404


@pytest.mark.parametrize("kind", ["pipe", "device", "directory"])
async def test_special_files(start: Start, root: Path, kind: str) -> None:
    path = root / "special"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    served = await start(follow_symlinks=True)
    assert (await raw_get(served, b"/static/special"))[0] == 403


async def test_where_case_does_not_matter_it_does_here(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = _static.real_path
    monkeypatch.setattr(
        _static, "real_path", lambda file: real(file).replace("style.css", "Style.css")
    )
    served = await start()
    assert (await raw_get(served, b"/static/style.css"))[0] == 404
    assert (await raw_get(served, b"/static/docs/"))[0] == 200


# -- directories


async def test_a_directory_without_its_slash(start: Start) -> None:
    served = await start()
    async with served.client.get("/static/docs?a=b%20c", allow_redirects=False) as answer:
        assert answer.status == 301
        assert answer.headers["Location"] == "/static/docs/?a=b%20c"
    async with served.client.get("/static/docs") as answer:
        assert (answer.status, await answer.text()) == (200, "<p>docs")
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("target", ["/static", "/static/", "/static/plain", "/static/plain/"])
async def test_a_directory_is_not_shown(start: Start, target: str) -> None:
    served = await start()
    async with served.client.get(target) as answer:
        assert (answer.status, await answer.text()) == (403, "403: Forbidden")


async def test_without_index(start: Start) -> None:
    served = await start(index=None)
    assert (await raw_get(served, b"/static/docs/"))[0] == 403


async def test_a_listing(start: Start, root: Path) -> None:
    (root / "<b>&\"'.txt").touch()
    (root / os.fsdecode(b"\xff.txt")).touch()
    served = await start(show_index=True)
    status, head, body = await raw_get(served, b"/static/")
    assert status == 200
    assert b"\r\nContent-Type: text/html; charset=utf-8\r\n" in head
    page = body.decode()
    assert "<title>Index of /</title>" in page
    assert '<li><a href="/static/docs/">docs/</a></li>' in page
    assert '<li><a href="/static/100%25.txt">100%.txt</a></li>' in page
    assert '<a href="/static/with%20space%20%26%20%C3%A9.txt">with space &amp; é.txt</a>' in page
    assert "<b>" not in page
    assert ">&lt;b&gt;&amp;&quot;&#x27;.txt</a>" in page
    assert '<a href="/static/%FF.txt">\ufffd.txt</a>' in page
    assert body == (await raw_get(served, b"/static"))[2]
    assert b"<title>Index of /plain</title>" in (await raw_get(served, b"/static/plain/"))[2]
    assert (await raw_get(served, b"/static/docs/"))[2] == b"<p>docs"


async def test_a_listing_is_bounded(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_static, "MAX_LISTED", 2)
    served = await start(show_index=True)
    assert (await raw_get(served, b"/static/"))[2].count(b"<li>") == 2


# -- methods, conditions, caching


async def test_methods(start: Start) -> None:
    served = await start()
    async with served.client.head("/static/style.css") as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, "3")
    async with served.client.post("/static/style.css") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")


async def test_conditions_and_ranges(start: Start) -> None:
    served = await start()
    async with served.client.get("/static/style.css") as answer:
        tag = answer.headers["ETag"]
        assert "Cache-Control" not in answer.headers
    async with served.client.get("/static/style.css", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
    async with served.client.get("/static/style.css", headers={"Range": "bytes=1-"}) as answer:
        assert (answer.status, await answer.text()) == (206, "ss")


HASHES = [
    ("app.3f9a01bc.js", True),
    ("app-3f9a01bc9d.min.css", True),
    ("a/b/chunk_0123456789abcdef.js.map", True),
    ("app.js", False),
    ("bootstrap-datetime.js", False),
    ("report-20240131.csv", False),
    ("feedbeefcafe.js", False),
    ("app.3f9a01b.js", False),
    ("3f9a01bc", False),
    ("x.deadbeef.js", False),
]


@pytest.mark.parametrize(("name", "immutable"), HASHES)
def test_names_with_a_hash(name: str, immutable: bool) -> None:
    rule = web.immutable_when_hashed("max-age=60")
    assert rule(name) == (IMMUTABLE if immutable else "max-age=60")
    assert web.immutable_when_hashed(None)("x.js") is None


def test_names_with_another_kind_of_hash() -> None:
    rule = web.immutable_when_hashed(pattern=r"^assets/.*-[\w-]{8}\.\w+$")
    assert rule("assets/index-BX3f8s_1.js") == IMMUTABLE
    assert rule("index-BX3f8s_1.js") == "no-cache"


async def test_cache_control(start: Start) -> None:
    served = await start(cache_control=web.immutable_when_hashed())
    for target, value in (("style.css", "no-cache"), ("app.3f9a01bc.js", IMMUTABLE)):
        async with served.client.get(f"/static/{target}") as answer:
            assert answer.headers["Cache-Control"] == value
            tag = answer.headers["ETag"]
        async with served.client.get(f"/static/{target}", headers={"If-None-Match": tag}) as answer:
            assert (answer.status, answer.headers["Cache-Control"]) == (304, value)
    async with served.client.get("/static/nothing.3f9a01bc.js") as answer:
        assert (answer.status, "Cache-Control" in answer.headers) == (404, False)


async def test_one_rule_for_all(start: Start) -> None:
    served = await start(cache_control="max-age=60")
    async with served.client.get("/static/docs/") as answer:
        assert answer.headers["Cache-Control"] == "max-age=60"


def hash_of(path: Path) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


async def test_versions(serve: Serve, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = web.Application()
    resource = app.router.add_static("/static", root, append_version=True, name="static")
    hashed = []
    monkeypatch.setattr(
        _static, "_hash", lambda file, real=_static._hash: hashed.append(file.path) or real(file)
    )
    path = root / "style.css"
    first = hash_of(path)
    for _ in range(3):
        url = resource.url_for(filename="style.css")
        assert url == URL("/static/style.css").with_query(v=first)
    assert len(hashed) == 1, "the hash is kept"
    path.write_text("changed")
    url = resource.url_for(filename=Path("style.css"))
    assert url.query["v"] == hash_of(path) != first
    assert str(resource.url_for(filename="style.css", append_version=False)) == "/static/style.css"
    assert str(resource.url_for(filename="nothing")) == "/static/nothing"
    (root / "out").symlink_to("../secret.txt")
    assert str(resource.url_for(filename="out")) == "/static/out"
    served = await serve(app)
    async with served.client.get(url) as answer:
        assert answer.headers["Cache-Control"] == IMMUTABLE
    for other in (f"/static/style.css?v={first}", "/static/style.css?x=1", "/static/style.css"):
        async with served.client.get(other) as answer:
            assert (answer.status, "Cache-Control" in answer.headers) == (200, False)
    resource._versions.clear()  # another process may have made the URL
    async with served.client.get(url) as answer:
        assert answer.headers["Cache-Control"] == IMMUTABLE


# -- the guide's row S19, and today's names


async def test_urls(root: Path) -> None:
    app = web.Application()
    resource = app.router.add_static("/static/", root, name="static")
    assert app.router["static"] is resource
    assert isinstance(resource, web.StaticResource)
    assert app.router["static"].url(filename="/style.css") == "/static/style.css"
    assert resource.url(filename="a b/é.css", query={"a": "b"}) == "/static/a%20b/%C3%A9.css?a=b"
    assert resource.url_for(filename="/style.css") == URL("/static/style.css")
    assert resource.url_for(filename="100%.txt").raw_path == "/static/100%25.txt"
    with pytest.raises(BuildError):
        resource.url_for(filename="../secret.txt")
    info = resource.get_info()
    assert (info["directory"], info["prefix"]) == (root, "/static")
    assert resource.name == "static"
    assert [route.method for route in resource] == ["GET", "HEAD"]
    assert resource in app.router.resources()
    assert next(iter(resource)) in app.router.routes()
    assert repr(resource) == "<StaticResource 'static' /static>"


def test_what_is_no_directory(root: Path) -> None:
    app = web.Application()
    for path in (root / "nothing", root / "style.css"):
        with pytest.raises(ValueError, match="not a directory"):
            app.router.add_static("/static", path)
    app.router.add_static("/static", root)
    with pytest.raises(ConflictError):
        app.router.add_static("/static", root)
    app.freeze()
    with pytest.raises(RuntimeError):
        app.router.add_static("/late", root)


async def test_options_can_be_added(serve: Serve, root: Path) -> None:
    async def preflight(request: web.Request) -> web.Response:
        return web.Response(text=f"may have {request.match_info['filename']}")

    app = web.Application()
    resource = app.router.add_static("/static", root)
    resource.set_options_route(preflight)
    with pytest.raises(RuntimeError):
        resource.set_options_route(preflight)
    assert resource._routes["OPTIONS"].handler is preflight
    served = await serve(app)
    async with served.client.options("/static/docs/a%20b") as answer:
        assert await answer.text() == "may have docs/a b"


async def test_definitions(serve: Serve, root: Path) -> None:
    table = web.RouteTableDef()
    table.static("/two", root, name="two")
    app = web.Application()
    definition = web.static("/one", root, name="one")
    assert isinstance(definition, web.StaticDef)
    assert repr(definition) == f"<StaticDef /one -> {root}>"
    routes = app.add_routes([definition])
    assert [route.method for route in routes] == ["GET", "HEAD"]
    app.add_routes(table)
    assert isinstance(table[0], web.StaticDef)
    app.router.group("/group").group("/in").add_static("/three", root, name="three")
    served = await serve(app)
    for name in ("one", "two", "three"):
        url = app.router[name].url_for(filename="style.css")
        async with served.client.get(url) as answer:
            assert (answer.status, await answer.text()) == (200, "css")
    assert str(url) == "/group/in/three/style.css"


async def test_a_policy(serve: Serve, root: Path) -> None:
    @web.middleware
    async def sign(request: web.Request, handler: Any) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)
        response.headers["X-Signed"] = "yes"
        return response

    app = web.Application()
    app.router.add_static("/static", root, middlewares=[sign])
    served = await serve(app)
    async with served.client.get("/static/style.css") as answer:
        assert (answer.headers["X-Signed"], await answer.text()) == ("yes", "css")


async def test_a_middleware_sees_a_miss_and_may_replace_an_answer(serve: Serve, root: Path) -> None:
    @web.middleware
    async def instead(request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            await handler(request)  # the file that it found is closed
        except web.HTTPNotFound:
            return web.Response(text="instead of nothing")
        return web.Response(text="instead of a file")

    app = web.Application(middlewares=[instead])
    app.router.add_static("/static", root)
    served = await serve(app)
    for name in ("nothing", "a file"):
        target = "/static/style.css" if name == "a file" else "/static/nothing"
        async with served.client.get(target) as answer:
            assert await answer.text() == f"instead of {name}"
    if os.path.exists("/proc/self/fd"):
        open_files = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
        assert str(root / "style.css") not in open_files


@pytest.mark.parametrize("prefixes", [["/sub"], ["/a", "/b/c"], ["/"], ["/{tenant}"]])
async def test_nested(serve: Serve, root: Path, prefixes: list[str]) -> None:
    app = web.Application()
    resource = app.router.add_static("/static", root, name="static")
    for prefix in reversed(prefixes):
        outer = web.Application()
        outer.add_subapp(prefix, app)
        app = outer
    served = await serve(app)
    parts = {"tenant": "t"} if "{" in prefixes[0] else {}
    url = resource.url_for(filename="docs/guide.html", **parts)
    below = "".join(prefixes).replace("{tenant}", "t").removesuffix("/")
    assert str(url) == f"{below}/static/docs/guide.html"
    async with served.client.get(url) as answer:
        assert (answer.status, await answer.text()) == (200, "<p>guide")
    async with served.client.get(f"{below}/static/docs", allow_redirects=False) as answer:
        assert answer.headers["Location"] == f"{below}/static/docs/"
    async with served.client.post(url) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")
    assert (await raw_get(served, f"{below}/static/../secret.txt".encode()))[0] == 404


async def test_everything_at_the_root(serve: Serve, root: Path) -> None:
    (root / "index.html").write_text("home")

    async def api(request: web.Request) -> web.Response:
        return web.Response(text="api")

    app = web.Application()
    app.router.add_static("/", root)
    app.router.add_get("/api/{name}", api)
    served = await serve(app)
    for target, text in (("/", "home"), ("/style.css", "css"), ("/api/x", "api")):
        async with served.client.get(target) as answer:
            assert await answer.text() == text
    for target in (b"//evil.example/docs", b"//docs", b"/%2fdocs"):
        assert (await raw_get(served, target))[0] == 404


# -- a page for what is no file


FALLBACKS: list[tuple[str, str | None, bool]] = [
    ("/users/5", "text/html,*/*;q=0.8", True),
    ("/users/john.doe", "text/html,*/*;q=0.8", True),
    ("/users/5", "*/*", True),
    ("/users/5", None, True),
    ("/missing.js", "*/*", False),
    ("/missing.js", None, False),
    ("/users/5", "application/json", False),
    ("/users/5", "text/html;q=0", False),
    ("/../secret.txt", "text/html", False),
]


@pytest.mark.parametrize(("target", "accept", "is_page"), FALLBACKS)
async def test_a_single_page(
    start: Start, root: Path, target: str, accept: str | None, is_page: bool
) -> None:
    (root / "app.html").write_text("app")
    served = await start("/", fallback="app.html", cache_control="max-age=60")
    fields = b"" if accept is None else b"Accept: %b\r\n" % accept.encode()
    status, head, body = await raw_get(served, target.encode(), fields)
    if is_page:
        assert (status, body) == (200, b"app")
        assert b"\r\nCache-Control: no-cache\r\n" in head
        assert b"\r\nContent-Type: text/html; charset=utf-8\r\n" in head
    else:
        assert status == 404


async def test_a_single_page_that_is_missing(start: Start) -> None:
    served = await start("/", fallback="nothing.html")
    assert (await raw_get(served, b"/users/5"))[0] == 404


async def test_files_are_not_opened_on_the_loop(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where look-ups are slow, none is made on the loop's thread."""
    import threading

    monkeypatch.setattr("headrace.web._disk.QUICK", -1.0)
    monkeypatch.setattr("headrace.web._disk._warm", {})
    loop_thread = threading.get_ident()
    threads = set()
    real_open = os.open

    def note(*args: Any, **kwargs: Any) -> int:
        threads.add(threading.get_ident())
        return real_open(*args, **kwargs)

    monkeypatch.setattr("headrace.web._disk.os.open", note)
    served = await start()
    for _ in range(3):
        assert (await raw_get(served, b"/static/style.css"))[0] == 200
    assert threads
    assert loop_thread not in threads
    await asyncio.sleep(0)


# -- files that are kept


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keep files at once; return what is opened from now on."""
    monkeypatch.setattr("headrace.web._kept.SETTLED", -1.0)
    monkeypatch.setattr("headrace.web._kept.RECENT", 0.0)
    opened: list[str] = []

    real_open = os.open

    def note(path: Any, *args: Any, **kwargs: Any) -> int:
        opened.append(Path(path).name)
        return real_open(path, *args, **kwargs)

    monkeypatch.setattr("headrace.web._disk.os.open", note)
    return opened


async def test_a_small_file_is_opened_once(start: Start, keeping: list[str]) -> None:
    served = await start(cache_control="no-cache")
    first, again = [await raw_get(served, b"/static/docs/") for _ in range(2)]
    assert first[1:] == again[1:]
    assert b"Cache-Control: no-cache\r\n" in again[1]
    assert keeping == ["index.html"]
    tag = again[1].partition(b"ETag: ")[2].partition(b"\r\n")[0]
    for fields, expected in (
        (b"If-None-Match: %b\r\n" % tag, (304, b"")),
        (b"If-None-Match: %b\r\nIf-Modified-Since: x\r\n" % tag, (304, b"")),
        (b"If-None-Match: W/%b\r\n" % tag, (304, b"")),
        (b'If-None-Match: "other"\r\n', (200, b"<p>docs")),
        (b'If-Match: "other"\r\n', (412, b"")),
        (b"If-Match: %b\r\nIf-None-Match: %b\r\n" % (tag, tag), (304, b"")),
        (b"Range: bytes=0-2\r\n", (206, b"<p>")),
        (b"Range: bytes=99-\r\n", (416, b"")),
    ):
        status, head, body = await raw_get(served, b"/static/docs/", fields)
        assert (status, body) == expected
        assert b"Cache-Control: no-cache\r\n" in head
    plain = {"Accept-Encoding": "identity"}
    async with served.client.head("/static/docs/", headers=plain) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, "7")
    assert keeping == ["index.html"]


async def test_a_kept_file_that_changes_is_opened_anew(
    start: Start, root: Path, keeping: list[str]
) -> None:
    served = await start()
    gzip = b"Accept-Encoding: gzip\r\n"
    assert (await raw_get(served, b"/static/style.css", gzip))[2] == b"css"
    (root / "style.css").write_text("other")
    assert (await raw_get(served, b"/static/style.css", gzip))[2] == b"other"
    (root / "style.css.gz").write_bytes(b"packed")
    _, head, body = await raw_get(served, b"/static/style.css", gzip)
    assert (body, b"Content-Encoding: gzip\r\n" in head) == (b"packed", True)
    assert (await raw_get(served, b"/static/style.css"))[2] == b"other"
    (root / "style.css").unlink()
    assert (await raw_get(served, b"/static/style.css", gzip))[2] == b"packed"
    assert (await raw_get(served, b"/static/style.css"))[0] == 404
    (root / "style.css.gz").unlink()
    assert (await raw_get(served, b"/static/style.css", gzip))[0] == 404


async def test_a_large_file_is_searched_for_once_and_opened_each_time(
    start: Start, root: Path, keeping: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[str] = []
    search = web.StaticResource._search

    def note(self: web.StaticResource, path: str, *args: Any) -> Any:
        searched.append(Path(path).name)
        return search(self, path, *args)

    monkeypatch.setattr(web.StaticResource, "_search", note)
    (root / "large.css").write_bytes(large := b"x" * 100_000)
    served = await start(cache_control="no-cache")
    first, again = [await raw_get(served, b"/static/large.css") for _ in range(2)]
    assert first[1:] == again[1:]
    assert again[2] == large
    assert b"Cache-Control: no-cache\r\n" in again[1]
    assert (searched, keeping) == (["large.css"], ["large.css"] * 2)
    assert (await raw_get(served, b"/static/large.css", b"Range: bytes=1-2\r\n"))[2] == b"xx"
    assert len(searched) == 1
    (root / "large.css").write_bytes(other := b"y" * 100_000)
    assert (await raw_get(served, b"/static/large.css"))[2] == other
    assert len(searched) == 2
    (root / "large.css").unlink()
    assert (await raw_get(served, b"/static/large.css"))[0] == 404


async def test_a_large_file_that_goes_between_two_looks(
    start: Start, root: Path, keeping: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "large.css").write_bytes(b"x" * 100_000)
    served = await start()
    assert (await raw_get(served, b"/static/large.css"))[0] == 200
    monkeypatch.setattr("headrace.web._kept.KeptFile.open", lambda self: None)
    assert (await raw_get(served, b"/static/large.css"))[0] == 200
    assert keeping == ["large.css"] * 2


async def test_a_kept_file_that_leads_out(
    start: Start, root: Path, tmp_path: Path, keeping: list[str]
) -> None:
    served = await start()
    assert (await raw_get(served, b"/static/style.css"))[0] == 200
    (root / "style.css").unlink()
    (root / "style.css").symlink_to(tmp_path / "secret.txt")
    assert (await raw_get(served, b"/static/style.css"))[0] == 404


async def test_what_is_said_of_a_kept_file_can_be_changed(
    serve: Serve, root: Path, keeping: list[str]
) -> None:
    seen = []

    @web.middleware
    async def add(request: web.Request, handler: Any) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)
        if request.query_string:
            seen.append(response.headers.get("Cache-Control"))
            response.headers["X-Own"] = "1"
            response.set_cookie("a", "b")
        return response

    app = web.Application(middlewares=[add])
    app.router.add_static("/static", root, cache_control=web.immutable_when_hashed())
    served = await serve(app)
    for target in ("/static/app.3f9a01bc.js", "/static/app.3f9a01bc.js?x", "/static/style.css?x"):
        for _ in range(2):
            async with served.client.get(target) as answer:
                assert ("X-Own" in answer.headers) is ("?" in target)
                assert ("Set-Cookie" in answer.headers) is ("?" in target)
                assert (answer.headers["Cache-Control"] == IMMUTABLE) is ("app" in target)
    assert seen == [*[IMMUTABLE] * 2, *["no-cache"] * 2]


async def test_the_log_sees_what_was_sent(serve: Serve, root: Path, keeping: list[str]) -> None:
    lines = []

    class Logger(web.AbstractAccessLogger):
        def log(self, request: Any, response: web.StreamResponse, time: float) -> None:
            size = response.headers.get("Content-Type"), response.body_length
            lines.append((response.status, *size, "ETag" in response.headers))

    app = web.Application()
    app.router.add_static("/static", root)
    served = await serve(app, access_log_class=Logger, access_log=logging.getLogger("test"))
    assert (await raw_get(served, b"/static/style.css"))[2] == b"css"
    assert lines == [(200, "text/css; charset=utf-8", 3, True)]
