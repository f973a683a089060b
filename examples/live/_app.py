"""The application: its routes, what every response carries, and its end."""

from __future__ import annotations

from collections.abc import Sequence

from headrace import web

from ._chat import ROOM, Room, chat
from ._download import DOWNLOADS, Downloads, download
from ._pages import add_pages
from ._settings import Settings, parse
from ._status import COUNTS, Counts, count_requests, status
from ._upload import UPLOADS, Uploads, upload

#: The page loads nothing from elsewhere, runs no inline code, and is framed by nobody.
POLICY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def add_policy(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers of the policy to every response, errors included."""
    response.headers.update(POLICY)


def make_app(settings: Settings) -> web.Application:
    """Return the application with these bounds."""
    app = web.Application(middlewares=[count_requests])
    app[ROOM] = Room(settings)
    app[UPLOADS] = Uploads(settings)
    app[DOWNLOADS] = Downloads(settings)
    app[COUNTS] = Counts()
    add_pages(app.router)
    app.router.add_get("/ws", chat)
    app.router.add_get("/api/status", status)
    app.router.add_post("/upload", upload)
    app.router.add_get("/download", download)
    app.on_response_prepare.append(add_policy)
    return app


def create_app(argv: Sequence[str] | None = None) -> web.Application:
    """Return the application; *argv* may change its bounds.

    ``--max-upload-mib N`` and ``--history N`` are understood.
    """
    return make_app(parse(list(argv or ())))
