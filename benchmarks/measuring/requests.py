"""Scenarios of HTTP: one request that wrk makes again and again."""

from __future__ import annotations

import argparse
import re
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .servers import Running


@dataclass(frozen=True)
class Exchange:
    """A request, and what a server must answer for its rate to count.

    Args:
        path: The target of the request.
        headers: Fields beside Host.
        body: The body of a POST; a GET when empty.
        status: The expected status.
        answer: What the answer's body must be, or with *exactly* False hold.
        connections: How many connections wrk opens; as many as the options say when None.
    """

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    status: int = 200
    answer: bytes = b""
    exactly: bool = True
    connections: int | None = None

    def check(self, server: Running) -> None:
        """Make the request once: a server that answers something else is not measured."""
        head, _, body = self.ask(server.port, self.headers).partition(b"\r\n\r\n")
        is_right = body == self.answer if self.exactly else self.answer in body
        if int(head.split()[1]) != self.status or not is_right:
            raise SystemExit(f"unexpected answer: {head!r} {body[:200]!r}")

    def ask(self, port: int, headers: Mapping[str, str]) -> bytes:
        """Return the whole answer to the request, head and body."""
        lines = [f"{'POST' if self.body else 'GET'} {self.path} HTTP/1.1"]
        fields = {"Host": f"127.0.0.1:{port}", **headers, "Connection": "close"}
        if self.body:
            fields["Content-Length"] = str(len(self.body))
        lines += [f"{name}: {value}" for name, value in fields.items()]
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + self.body)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        if not answer.startswith(b"HTTP/1.1 "):
            raise SystemExit(f"no answer: {answer[:200]!r}")
        return answer

    def rate(self, server: Running, options: argparse.Namespace, core: int) -> float:
        """Return the requests a second that wrk gets."""
        connections = self.connections or options.connections
        wrk = ["wrk", "-t1", f"-c{connections}", f"-d{options.seconds:g}s"]
        for name, value in self.headers.items():
            wrk += ["-H", f"{name}: {value}"]
        with tempfile.TemporaryDirectory() as folder:
            if self.body:
                wrk += ["-s", str(_script(Path(folder), self.body))]
            url = f"http://127.0.0.1:{server.port}{self.path}"
            return _run(["taskset", "-c", str(core), *wrk, url])


def _script(folder: Path, body: bytes) -> Path:
    """Write what makes wrk send *body* and return where it stands."""
    (folder / "body").write_bytes(body)
    script = folder / "post.lua"
    opened = f'io.open("{folder / "body"}", "rb")'
    script.write_text(f'wrk.method = "POST"\nwrk.body = {opened}:read("*a")\n')
    return script


def _run(command: list[str]) -> float:
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*", output)
    if failed:
        raise SystemExit(f"wrk saw failures: {failed[0]}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert found is not None, output
    return float(found[1])
