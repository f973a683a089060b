"""Scenarios of HTTP: one request that wrk makes again and again."""

from __future__ import annotations

import argparse
import http.client
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
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

    def check(self, server: Running) -> str | None:
        """Make the request once: a server that answers something else is not measured."""
        status, fields, body = self.ask(server.port)
        is_right = body == self.answer if self.exactly else self.answer in body
        if status != self.status or not is_right:
            raise SystemExit(f"unexpected answer: {status} {fields} {body[:200]!r}")
        return None

    def ask(self, port: int) -> tuple[int, Message, bytes]:
        """Return status, fields and body of the answer to the request."""
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            headers = {**self.headers, "Connection": "close"}
            client.request(self._method, self.path, self.body or None, headers)
            answer = client.getresponse()
            return answer.status, answer.msg, answer.read()
        finally:
            client.close()

    @property
    def _method(self) -> str:
        return "POST" if self.body else "GET"

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
