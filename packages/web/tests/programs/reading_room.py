"""A reading room: books, reviews, covers and a conversation, as one writes for aiohttp.web today.

The tests run it twice, on aiohttp and, its import replaced, on headrace, and compare all answers.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# -- what is stored


@dataclass
class Book:
    title: str
    author: str
    reviews: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Library:
    books: dict[int, Book] = field(default_factory=dict)
    covers: dict[int, tuple[str, str, bytes]] = field(default_factory=dict)


LIBRARY = web.AppKey("library", Library)
JOURNAL = web.AppKey("journal", list[str])
SOCKETS = web.AppKey("sockets", set[web.WebSocketResponse])
NAME = web.AppKey("name", str)
FILES = web.AppKey("files", Path)
USER = web.RequestKey("user", str)
PRIVATE = web.ResponseKey("private", bool)

routes = web.RouteTableDef()


def find(request: web.Request) -> tuple[int, Book]:
    isbn = int(request.match_info["isbn"])
    try:
        return isbn, request.config_dict[LIBRARY].books[isbn]
    except KeyError:
        raise web.HTTPNotFound(text=f"There is no book {isbn}.") from None


# -- pages


@routes.get("/", name="index")
async def index(request: web.Request) -> web.Response:
    router = request.app.router
    links = [
        router["book"].url_for(isbn="12"),
        router["book"].url_for(isbn="12").with_query(page=2),
        router["files"].url_for(filename="a b.txt"),
        router["user"].url_for(name="jörg"),
    ]
    items = "".join(f"<li>{link}" for link in links)
    return web.Response(text=f"<ul>{items}</ul>", content_type="text/html")


@routes.get("/users/{name}", name="user")
async def show_user(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.match_info['name']} at {request.path}")


@routes.get("/about/")
async def about(request: web.Request) -> web.Response:
    response = web.Response(body="Über uns".encode("latin-1"), content_type="text/plain")
    response.charset = "latin-1"
    response.last_modified = datetime(2024, 2, 29, 12, tzinfo=UTC)
    return response


@routes.route("*", "/mirror/{tail:.*}")
async def mirror(request: web.Request) -> web.Response:
    shown = {
        "method": request.method,
        "path": request.path,
        "raw_path": request.raw_path,
        "rel_url": str(request.rel_url),
        "url": request.url.path_qs,
        "query": list(request.query.items()),
        "scheme": request.scheme,
        "remote": request.remote,
        "secure": request.secure,
        "version": list(request.version),
        "keep_alive": request.keep_alive,
        "content_type": request.content_type,
        "charset": request.charset,
        "content_length": request.content_length,
        "body_exists": request.body_exists,
        "can_read_body": request.can_read_body,
        "cookies": dict(request.cookies),
        "x": request.headers.getall("X-Value", []),
        "tail": request.match_info["tail"],
        "body": await request.text(),
        "user": request.get(USER),
        "route": request.match_info.route.method,
        "resource": request.match_info.get_info().get("formatter"),
    }
    return web.json_response(shown, dumps=lambda value: json.dumps(value, sort_keys=True))


# -- books


async def list_books(request: web.Request) -> web.Response:
    author = request.query.get("author")
    books = request.app[LIBRARY].books
    found = {isbn: asdict(book) for isbn, book in books.items() if author in (None, book.author)}
    return web.json_response(found)


async def add_book(request: web.Request) -> web.StreamResponse:
    data = await request.post()
    if not data.get("title"):
        raise web.HTTPUnprocessableEntity(text="A book has a title.")
    isbn = int(str(data["isbn"]))
    request.app[LIBRARY].books[isbn] = Book(str(data["title"]), str(data.get("author", "?")))
    raise web.HTTPSeeOther(request.app.router["book"].url_for(isbn=str(isbn)))


async def show_book(request: web.Request) -> web.Response:
    isbn, book = find(request)
    text = json.dumps({"isbn": isbn, **asdict(book)})
    tag = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    if any(each.value == tag for each in request.if_none_match or ()):
        raise web.HTTPNotModified(headers={"ETag": f'"{tag}"'})
    response = web.Response(text=text, content_type="application/json")
    response.etag = tag
    return response


class Reviews(web.View):
    async def get(self) -> web.Response:
        _, book = find(self.request)
        return web.json_response(book.reviews)

    async def post(self) -> web.Response:
        _, book = find(self.request)
        try:
            book.reviews.append(await self.request.json())
        except json.JSONDecodeError:
            raise web.HTTPBadRequest(text="A review is JSON.") from None
        return web.json_response({"count": len(book.reviews)}, status=201, reason="Reviewed")

    async def delete(self) -> web.Response:
        find(self.request)[1].reviews.clear()
        return web.Response(status=204)


# -- covers: uploads in three ways


async def check_cover(request: web.Request) -> web.StreamResponse | None:
    if "Authorization" not in request.headers:
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Basic"})
    assert request.transport is not None
    request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return None


async def put_cover(request: web.Request) -> web.Response:
    isbn, _ = find(request)
    digest, size = hashlib.sha256(), 0
    async for chunk in request.content.iter_chunked(4096):
        digest.update(chunk)
        size += len(chunk)
    request.app[LIBRARY].covers[isbn] = (request.content_type, "cover.bin", b"%d" % size)
    return web.Response(text=f"{size} {digest.hexdigest()}")


async def post_cover(request: web.Request) -> web.Response:
    isbn, _ = find(request)
    data = await request.post()
    cover = data["cover"]
    assert isinstance(cover, web.FileField)
    content = cover.file.read()
    request.app[LIBRARY].covers[isbn] = (cover.content_type, cover.filename, content)
    others = sorted(f"{name}={value}" for name, value in data.items() if isinstance(value, str))
    return web.Response(text=f"{cover.name} {cover.filename} {len(content)} {others}")


async def show_cover(request: web.Request) -> web.Response:
    isbn, _ = find(request)
    media, filename, content = request.app[LIBRARY].covers[isbn]
    disposition = f'attachment; filename="{filename}"'
    headers = {"Content-Disposition": disposition, "Content-Type": media}
    return web.Response(body=content, headers=headers)


async def import_parts(request: web.Request) -> web.Response:
    seen = []
    part: Any
    async for part in await request.multipart():
        size = 0
        while chunk := await part.read_chunk(1000):
            size += len(chunk)
        seen.append([part.name, part.filename, part.headers.get("Content-Type"), size])
    return web.json_response(seen)


@routes.get("/file")
async def answer_file(request: web.Request) -> web.FileResponse:
    path = request.app[FILES] / "data.bin"
    return web.FileResponse(path, chunk_size=1000, headers={"X-File": path.name})


# -- streams


@routes.get("/export", allow_head=False)
async def export(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"X-Format": "csv"})
    response.content_type = "text/csv"
    response[PRIVATE] = True
    await response.prepare(request)
    for isbn, book in request.app[LIBRARY].books.items():
        await response.write(f"{isbn},{book.title}\r\n".encode())
    await response.write_eof(b"end\r\n")
    return response


@routes.get("/octets")
async def octets(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=203, reason="As Is")
    response.content_length = 6
    await response.prepare(request)
    await response.write(b"abc")
    await response.write(b"def")
    return response


@routes.get("/generated")
async def generated(request: web.Request) -> web.Response:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(3):
            await asyncio.sleep(0)
            yield b"%d;" % number

    return web.Response(body=pieces(), content_type="text/plain")


@routes.get("/talk")
async def talk(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(protocols=("talk.v2", "talk.v1"), max_msg_size=1000)
    ready = ws.can_prepare(request)
    if not ready.ok:
        raise web.HTTPUpgradeRequired(text="Come with a WebSocket.")
    await ws.prepare(request)
    everybody = request.app[SOCKETS]
    everybody.add(ws)
    try:
        await ws.send_json({"protocol": ws.ws_protocol, "people": len(everybody)})
        async for message in ws:
            if message.type == web.WSMsgType.BINARY:
                await ws.send_bytes(message.data[::-1])
            elif message.data == "leave":
                await ws.close(code=4000, message=b"goodbye")
            elif message.type == web.WSMsgType.TEXT:
                for each in everybody:
                    await each.send_str(message.data.upper())
    finally:
        everybody.discard(ws)
        request.app[JOURNAL].append(f"left with {ws.close_code}")
    return ws


# -- who comes, and what goes wrong


@routes.get("/login")
async def login(request: web.Request) -> web.StreamResponse:
    response = web.HTTPFound(request.app.router["index"].url_for())
    response.set_cookie("user", request.query["name"], httponly=True, samesite="Lax", max_age=60)
    raise response


@routes.get("/logout")
async def logout(request: web.Request) -> web.Response:
    response = web.Response(text="Goodbye")
    response.del_cookie("user")
    response.force_close()
    return response


@routes.get("/wrong/{kind}")
async def wrong(request: web.Request) -> web.StreamResponse:
    match request.match_info["kind"]:
        case "time":
            raise TimeoutError
        case "law":
            raise web.HTTPUnavailableForLegalReasons("https://court.example/", text="Forbidden.")
        case "method":
            raise web.HTTPMethodNotAllowed("GET", ["PUT", "DELETE"])
        case "large":
            raise web.HTTPRequestEntityTooLarge(max_size=10, actual_size=11)
        case "range":
            return web.Response(text=f"nothing but {request.http_range}")
    raise KeyError("the inside")


@web.middleware
async def know_the_user(request: web.Request, handler: Handler) -> web.StreamResponse:
    if name := request.cookies.get("user"):
        request[USER] = name
    if request.headers.get("X-Pretend") == "tls":
        request = request.clone(scheme="https", remote="192.0.2.1")
    response = await handler(request)
    if not response.prepared:
        response.headers["X-Route"] = str(request.match_info.route.name)
    return response


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return web.json_response(
            {"error": error.reason, "app": request.app[NAME]}, status=error.status
        )


# -- nested applications


async def stats(request: web.Request) -> web.Response:
    names = [app.get(NAME) for app in request.match_info.apps]
    books = len(request.config_dict[LIBRARY].books)
    return web.json_response({"apps": names, "books": books, "own": request.app[NAME]})


async def fail(request: web.Request) -> web.Response:
    raise web.HTTPForbidden


def make_api(journal: list[str]) -> web.Application:
    admin = web.Application()
    admin[NAME] = "admin"
    admin.router.add_get("/stats", stats)
    api = web.Application(middlewares=[errors_as_json])
    api[NAME] = "api"

    async def started(app: web.Application) -> None:
        journal.append(f"{app[NAME]} started")

    async def mark(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Api"] = request.app[NAME]

    api.on_startup.append(started)
    api.on_response_prepare.append(mark)
    api.add_routes(
        [
            web.get("/stats", stats, name="stats"),
            web.get("/fail", fail),
            web.put("/books/{isbn:[0-9]+}", show_book),
            web.post("/length", mirror_length),
        ]
    )
    api.add_subapp("/admin", admin)
    return api


async def mirror_length(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await request.read())))


async def tenant(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.app[NAME]}: {request.host} {request.match_info['page']}")


# -- all of it


async def open_library(app: web.Application) -> AsyncIterator[None]:
    app[LIBRARY].books[1] = Book("Dune", "Herbert")
    app[JOURNAL].append("opened")
    yield
    app[JOURNAL].append("closed")


async def say_goodbye(app: web.Application) -> None:
    app[JOURNAL].append(f"shutdown with {len(app[SOCKETS])} sockets")


async def sign(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["X-Signed"] = "yes"
    if response.get(PRIVATE):
        response.headers["Cache-Control"] = "private"


def make_app(files: Path) -> web.Application:
    slashes = web.normalize_path_middleware(append_slash=True)
    app = web.Application(middlewares=[slashes, know_the_user], client_max_size=20_000)
    app[LIBRARY] = Library()
    app[JOURNAL] = []
    app[SOCKETS] = set()
    app[NAME] = "room"
    app[FILES] = files
    app.on_response_prepare.append(sign)
    app.cleanup_ctx.append(open_library)
    app.on_shutdown.append(say_goodbye)
    app.add_routes(routes)
    app.add_routes(
        [
            web.get("/books", list_books),
            web.post("/books", add_book),
            web.get(r"/books/{isbn:\d+}", show_book, name="book"),
            web.view(r"/books/{isbn:\d+}/reviews", Reviews),
            web.post("/import", import_parts),
            web.static("/files", files, name="files", show_index=False),
        ]
    )
    cover = app.router.add_resource(r"/books/{isbn:\d+}/cover", name="cover")
    cover.add_route("PUT", put_cover, expect_handler=check_cover)
    cover.add_route("POST", post_cover)
    cover.add_route("GET", show_cover)
    app.add_subapp("/api", make_api(app[JOURNAL]))
    tenants = web.Application()
    tenants[NAME] = "tenants"
    tenants.router.add_get("/{page}", tenant)
    app.add_domain("*.example.org", tenants)
    return app
