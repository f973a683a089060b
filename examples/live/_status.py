"""``/api/status``: what the server has done and what it runs on."""

from __future__ import annotations

import asyncio
import json
import platform
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

from headrace import http_parser, web, websocket

from ._chat import ROOM
from ._upload import UPLOADS

#: The answer is read by people too.
dumps = partial(json.dumps, indent=2)


class Counts:
    """What is counted from the start of the server."""

    def __init__(self) -> None:
        self.started = datetime.now(UTC)
        self.started_clock = time.monotonic()
        self.requests = 0


COUNTS: web.AppKey[Counts] = web.AppKey("COUNTS", Counts)


@web.middleware
async def count_requests(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Count each request, those that find no route included."""
    request.app[COUNTS].requests += 1
    return await handler(request)


async def status(request: web.Request) -> web.Response:
    """Answer with the figures."""
    app = request.app
    counts, room, uploads = app[COUNTS], app[ROOM], app[UPLOADS]
    figures = {
        "started": counts.started.isoformat(timespec="seconds"),
        "uptime_seconds": round(time.monotonic() - counts.started_clock, 3),
        "requests": counts.requests,
        "people_online": room.online,
        "messages": room.messages,
        "uploads": uploads.files,
        "uploaded_bytes": uploads.size,
        "max_upload_bytes": uploads.max_size,
        "headrace": version("headrace-web"),
        "implementation": {
            "http_parser": http_parser.IMPLEMENTATION,
            "web": web.IMPLEMENTATION,
            "websocket": websocket.IMPLEMENTATION,
        },
        "event_loop": type(asyncio.get_running_loop()).__module__.partition(".")[0],
        "python": platform.python_version(),
    }
    return web.json_response(figures, headers={"Cache-Control": "no-store"}, dumps=dumps)
