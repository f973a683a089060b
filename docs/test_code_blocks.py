"""Run the code of the documentation.

The ``python`` blocks of a page run in order in one namespace. A block marked ``python server``
serves for ever: it runs as a program of its own, after the page's other blocks before it, and
answers the ``curl`` commands of the ``console`` block that follows it. Where it keeps its last
line under ``if __name__ == "__main__":``, it belongs to the namespace as well.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest
from pages import DOCS, Block, blocks, name, pages

SERVER = "python server"

curl = ArgumentParser(prog="curl")
curl.add_argument("curl", choices=["curl"])
curl.add_argument("-X", dest="method")
curl.add_argument("-H", dest="headers", action="append", default=[])
curl.add_argument("-d", dest="data")
curl.add_argument("url")


def padded(block: Block) -> str:
    """Return the code of a block, with the line numbers of its page."""
    return "\n" * (block.line - 1) + block.code


def is_importable(block: Block) -> bool:
    return block.info == "python" or (
        block.info == SERVER and 'if __name__ == "__main__":' in block.code
    )


def with_blocks(wanted: str) -> list[object]:
    found = [page for page in pages() if wanted in [block.info for block in blocks(page)]]
    return [pytest.param(page, id=name(page)) for page in found]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("page", with_blocks("python"))
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    monkeypatch.chdir(tmp_path)
    ran = 0
    for block in blocks(page):
        if is_importable(block):
            code = compile(padded(block), str(page), "exec")
            exec(code, module.__dict__)  # noqa: S102 (what the test is for)
            ran += 1
    assert ran


@pytest.mark.timeout(60)
@pytest.mark.parametrize("page", with_blocks(SERVER))
def test_servers_answer(page: Path, tmp_path: Path) -> None:
    found = blocks(page)
    before: list[Block] = []
    for block, following in zip(found, [*found[1:], Block("", "", 0)], strict=True):
        if block.info == SERVER:
            assert following.info == "console", f"line {block.line}: no console block follows"
            program = tmp_path / "program.py"
            program.write_text("\n".join(each.code for each in [*before, block]))
            check_program(program, following.code)
        elif block.info == "python":
            before.append(block)


def check_program(program: Path, console: str) -> None:
    """Start a program, compare its answers with the console, and stop it as Ctrl-C does."""
    process = subprocess.Popen(  # noqa: S603 (a page of ours)
        [sys.executable, "-W", "error", str(DOCS / "serve_block.py"), str(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, port = read_port(process)
        answers = [
            (command, expected, ask(command, port)) for command, expected in commands(console)
        ]
        process.send_signal(signal.SIGINT)
        output += process.communicate()[0]
    finally:
        process.kill()
        process.wait()
    assert answers
    for command, expected, answer in answers:
        assert answer.rstrip("\n") == expected.rstrip("\n"), command
    assert process.returncode == 0, output


def read_port(process: subprocess.Popen[str]) -> tuple[str, int]:
    """Return what a program printed until its port was open, and the port."""
    assert process.stdout is not None
    output = ""
    for line in process.stdout:
        if line.startswith("PORT "):
            return output, int(line.split()[1])
        output += line
    pytest.fail(f"the program ended before it listened:\n{output}")


def commands(console: str) -> Iterator[tuple[str, str]]:
    """Split a console block into its commands and what each prints."""
    for part in ("\n" + console).split("\n$ ")[1:]:
        command, _, expected = part.partition("\n")
        yield command, expected


def ask(command: str, port: int) -> str:
    """Return the body that a ``curl`` command prints."""
    arguments = curl.parse_args(shlex.split(command))
    url = urlsplit(arguments.url)
    assert (url.hostname, url.port) == ("127.0.0.1", 8080), command
    headers = dict(header.split(": ", 1) for header in arguments.headers)
    if arguments.data is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    method = arguments.method or ("GET" if arguments.data is None else "POST")
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        target = url.path + (f"?{url.query}" if url.query else "")
        connection.request(method, target, body=arguments.data, headers=headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()
