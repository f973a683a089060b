"""Run a program of the documentation as it stands, but for its port.

Usage: python serve_block.py PROGRAM. Where the program listens on 8080, the system chooses a
port instead, so that nothing collides; a line ``PORT <number>`` tells which, once it is open.
"""

from __future__ import annotations

import asyncio
import runpy
import socket
import sys
from typing import Any

_create_server = asyncio.BaseEventLoop.create_server


async def create_server(
    loop: asyncio.BaseEventLoop, factory: Any, host: Any = None, port: Any = None, **options: Any
) -> asyncio.Server:
    if port != 8080:
        return await _create_server(loop, factory, host, port, **options)
    server = await _create_server(loop, factory, host, 0, **options)
    for sock in server.sockets:
        if sock.family == socket.AF_INET:
            print("PORT", sock.getsockname()[1], flush=True)
    return server


if __name__ == "__main__":
    asyncio.BaseEventLoop.create_server = create_server  # type: ignore[method-assign, assignment]
    sys.modules["uvloop"] = None  # type: ignore[assignment] # `run_app` would prefer it
    runpy.run_path(sys.argv[1], run_name="__main__")
