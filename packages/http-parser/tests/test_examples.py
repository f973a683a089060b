"""The examples of the repository talk to curl and to Python's own HTTP server and client."""

from __future__ import annotations

import http.client
import http.server
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="the repository's examples are away")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of the running example server."""
    command = [sys.executable, str(EXAMPLES / "http_server_blocking.py"), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().split()[-1])
        finally:
            process.terminate()


def curl(port: int, *options: str) -> str:
    command = ["curl", "-sS", "-m", "30", *options, f"http://127.0.0.1:{port}/a?b=c"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


def test_curl_gets(port: int) -> None:
    output = curl(port, "-i", "-A", "me")
    assert output.startswith("HTTP/1.1 200 OK\r\n")
    assert "\r\nTransfer-Encoding: chunked\r\n" in output
    assert f"\r\n\r\nGET /a?b=c\nHost: 127.0.0.1:{port}\nUser-Agent: me\n" in output


def test_curl_reuses_the_connection(port: int) -> None:
    url = f"http://127.0.0.1:{port}/2"
    assert curl(port, "-w", "%{num_connects}", "-o", "/dev/null", "-o", "/dev/null", url) == "10"


def test_curl_posts_what_it_asks_leave_for(port: int, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_text("0123456789" * 20_000)
    output = curl(port, "--data-binary", f"@{body}", "-H", "Expect: 100-continue")
    assert "\nExpect: 100-continue\n" in output
    assert output.endswith("\n\n" + "0123456789" * 20_000)


def test_curl_posts_in_chunks(port: int) -> None:
    output = curl(port, "-d", "abc", "-H", "Transfer-Encoding: chunked")
    assert output.endswith("\n\nabc")


def test_curl_asks_for_the_head(port: int) -> None:
    assert curl(port, "-I").startswith("HTTP/1.1 200 OK\r\n")


def test_curl_speaks_http_1_0(port: int) -> None:
    output = curl(port, "-0", "-i")
    assert "\r\nConnection: close\r\n" in output
    assert "chunked" not in output


def test_python_reads_several_answers(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(3):
        connection.request("PUT", f"/{number}", body=b"x" * number)
        response = connection.getresponse()
        assert response.read().startswith(b"PUT /%d\n" % number)
        assert not response.will_close
    connection.close()


def test_what_is_no_http_is_answered_at_once(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        answer = b""
        while data := sock.recv(4096):
            answer += data
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"\r\nConnection: close\r\n\r\nBad Request")


def fetch(url: str, *options: str) -> tuple[str, bytes]:
    """Run the example client and return its status line and the body."""
    command = [sys.executable, str(EXAMPLES / "http_client_blocking.py"), url, *options]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return done.stderr.decode().partition("\n")[0], done.stdout


def test_the_client_reads_pythons_server(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_bytes(b"content\n" * 20_000)

    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, directory=str(tmp_path), **kwargs)  # type: ignore[arg-type]

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    assert fetch(url + "/file.txt") == ("200 OK", b"content\n" * 20_000)
    assert fetch(url + "/none")[0] == "404 File not found"
    Handler.protocol_version = "HTTP/1.0"
    assert fetch(url + "/file.txt") == ("200 OK", b"content\n" * 20_000)
    server.shutdown()
    server.server_close()


def test_the_client_reads_the_server(port: int, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(bytes(range(256)) * 1000)
    status, echoed = fetch(f"http://localhost:{port}/up", str(body))
    assert status == "200 OK"
    assert echoed.startswith(b"POST /up\n")
    assert echoed.endswith(b"\n\n" + body.read_bytes())


@pytest.mark.parametrize("name", ["http_server_blocking.py", "http_client_blocking.py"])
def test_examples_are_short(name: str) -> None:
    assert len((EXAMPLES / name).read_text().splitlines()) <= 60
