"""``/upload``: the size and the SHA-256 of a file, computed while it arrives.

The body of the request is the file itself. It is read as a stream, a piece at a time, and
forgotten: memory stays the same for any size. A stream is not held to the application's
``client_max_size``, which is meant for `Request.read` and its like, so the bound is kept here.
"""

from __future__ import annotations

import asyncio
import hashlib

from headrace import web

from ._settings import Settings

#: Characters of a file's name that are given back.
MAX_FILE_NAME = 200


class Uploads:
    """The bounds of uploads, and how many there were."""

    def __init__(self, settings: Settings) -> None:
        self.max_size = settings.max_upload
        self.patience = settings.upload_patience
        self.files = 0
        self.size = 0


UPLOADS: web.AppKey[Uploads] = web.AppKey("UPLOADS", Uploads)


def too_large(uploads: Uploads) -> web.HTTPException:
    """Return the answer for a file over the bound."""
    return web.HTTPRequestEntityTooLarge(
        uploads.max_size, text=f"A file may have at most {uploads.max_size} bytes."
    )


async def digest(request: web.Request, uploads: Uploads) -> tuple[int, str]:
    """Return the size and the SHA-256 of the body.

    Raises:
        HTTPRequestEntityTooLarge: It is over the bound.
        TimeoutError: Nothing arrived for as long as `Settings.upload_patience`.
    """
    loop = asyncio.get_running_loop()
    sha256 = hashlib.sha256()
    size = 0
    async with asyncio.timeout(uploads.patience) as deadline:
        async for chunk in request.content.iter_any():
            size += len(chunk)
            if size > uploads.max_size:
                raise too_large(uploads)
            sha256.update(chunk)
            deadline.reschedule(loop.time() + uploads.patience)
    return size, sha256.hexdigest()


async def upload(request: web.Request) -> web.Response:
    """Answer with the name, the size and the SHA-256 of what is sent."""
    uploads = request.app[UPLOADS]
    announced = request.content_length
    if announced is not None and announced > uploads.max_size:
        raise too_large(uploads)
    try:
        size, sha256 = await digest(request, uploads)
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The upload stalled.")
    uploads.files += 1
    uploads.size += size
    answer = {
        "name": request.query.get("name", "")[:MAX_FILE_NAME],
        "size": size,
        "sha256": sha256,
    }
    return web.json_response(answer, headers={"Cache-Control": "no-store"})
