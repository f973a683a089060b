"""An application whose WebSockets echo: what the Autobahn test suite judges.

python echo_app.py --port 9001 --max-message 67108864 --threshold 0
"""

from __future__ import annotations

import argparse

from headrace import web


def make_app(max_message: int, compress: bool | None) -> web.Application:
    """Return the application; *compress* as `send_str` takes it."""

    async def echo(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(max_msg_size=max_message, origins=["*"])
        await ws.prepare(request)
        async for message in ws:
            if message.type is web.WSMsgType.TEXT:
                await ws.send_str(message.data, compress)
            elif message.type is web.WSMsgType.BINARY:
                await ws.send_bytes(message.data, compress)
        return ws

    app = web.Application()
    app.router.add_get("/", echo)
    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--max-message", type=int, default=4 * 1024**2)
    parser.add_argument("--threshold", type=int, default=1024, help="0 compresses all")
    options = parser.parse_args()
    compress = True if options.threshold == 0 else None
    app = make_app(options.max_message, compress)
    web.run_app(app, host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
