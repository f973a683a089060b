"""The files of the page: read once, answered from memory, revalidated by their ETag."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from headrace import web

FOLDER = Path(__file__).parent / "page"
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class Page(NamedTuple):
    """A file of the page, as a handler."""

    body: bytes
    content_type: str
    etag: str

    async def get(self, request: web.Request) -> web.Response:
        """Answer with the file, or with 304 when the browser's copy is still good."""
        headers = {"ETag": f'"{self.etag}"', "Cache-Control": "no-cache"}
        known = request.if_none_match
        if known and any(tag.value in (self.etag, "*") for tag in known):
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=self.body, content_type=self.content_type, charset="utf-8", headers=headers
        )


def read_page(path: Path) -> Page:
    """Read a file of the page.

    Raises:
        KeyError: Its suffix is none of `TYPES`.
    """
    body = path.read_bytes()
    return Page(body, TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:20])


def add_pages(router: web.UrlDispatcher) -> None:
    """Route each file of the page under its name, and the page itself under ``/``."""
    for path in sorted(FOLDER.iterdir()):
        page = read_page(path)
        router.add_get("/" if path.name == "index.html" else f"/{path.name}", page.get)
