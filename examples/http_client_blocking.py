"""An HTTP/1.1 client on blocking sockets: python http_client_blocking.py URL [FILE to POST]

With several requests on one connection, as `fetch` allows, nothing else would change.
"""

import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from headrace import http_parser as http


class Client:
    """One connection to one server."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = http.Connection(http.Role.CLIENT)
        self._sock = socket.create_connection((host, port), timeout=30)
        name = f"[{host}]" if ":" in host else host
        self._host = (b"Host", f"{name}:{port}".encode())

    def fetch(self, method: str, target: str, body: bytes = b"") -> tuple[http.Response, bytes]:
        """Send a request and return the answer with its body."""
        request = http.Request(method.encode(), target.encode(), [self._host])
        self._sock.sendall(self._connection.send(request, body))
        while not isinstance(response := self._next_event(), http.Response):
            pass  # interim responses
        content = b""
        while not response.complete and isinstance(event := self._next_event(), http.Data):
            content += event.data
        if not self._connection.keep_alive:
            self._sock.close()
        return response, content

    def _next_event(self) -> http.Event:
        while isinstance(event := self._connection.next_event(), http.Signal):
            if data := self._sock.recv(65536):
                self._connection.receive_data(data)
            else:
                self._connection.receive_eof()
        return event

    def close(self) -> None:
        self._sock.close()


if __name__ == "__main__":
    url = urlsplit(sys.argv[1])
    content = Path(sys.argv[2]).read_bytes() if sys.argv[2:] else b""
    client = Client(url.hostname or "", url.port or 80)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    response, body = client.fetch("POST" if content else "GET", path, content)
    client.close()
    print(response.status, response.reason.decode("latin-1"), file=sys.stderr)
    for name, value in response.headers:
        print(f"{name.decode()}: {value.decode('latin-1')}", file=sys.stderr)
    sys.stdout.buffer.write(body)
