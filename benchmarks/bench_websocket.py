"""Measure echoes of WebSocket messages, server and load on different cores.

nox -s bench -- --scenario ws-text ws-binary --rounds 3
"""

from __future__ import annotations

from measuring.command import run
from measuring.echoes import Echo
from measuring.kinds import Kind
from measuring.servers import Server

KIND = Kind(
    title="WebSocket messages",
    unit="echoes",
    scenarios={
        "ws-text": Echo("text", 64),
        "ws-binary": Echo("binary", 64 * 1024),
    },
    servers=[
        Server("picows_echo"),
        Server("headrace_web"),
        Server("aiohttp_web"),
        Server("websockets_echo"),
        Server("starlette_uvicorn"),
    ],
    ours="headrace_web",
    reference="picows_echo",
)

if __name__ == "__main__":
    run(KIND)
