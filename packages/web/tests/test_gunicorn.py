"""Workers for gunicorn, with the real one."""

from __future__ import annotations

import signal
import ssl
import sys
from pathlib import Path

import pytest
from certificates import OPENSSL, make_certificate
from launching import GET, Program, connect, exchange

pytest.importorskip("gunicorn")

MODULE = """
import asyncio, os
from headrace import web

async def hello(request):
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    return web.Response(text=f"{loop} {os.getpid()}")

async def slow(request):
    await asyncio.sleep(0.2)
    return web.Response(text="promised")

def make():
    app = web.Application()
    app.router.add_get("/", hello)
    app.router.add_get("/slow", slow)
    return app

async def make_later():
    return make()

app = make()
"""
SOURCE = "import sys; from gunicorn.app.wsgiapp import run; sys.exit(run())"


def gunicorn(folder: Path, entry: str, *options: str, worker: str = "GunicornWebWorker") -> Program:
    (folder / "module.py").write_text(MODULE)
    return Program(
        SOURCE,
        *[f"module:{entry}", "-b", "unix:s", "-k", f"headrace.web.{worker}", *options],
        cwd=folder,
    )


@pytest.mark.parametrize(
    ("entry", "worker", "loop"),
    [
        ("app", "GunicornWebWorker", "asyncio"),
        ("make_later", "GunicornUVLoopWebWorker", "uvloop"),
    ],
)
def test_gunicorn_serves(tmp_path: Path, entry: str, worker: str, loop: str) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    with gunicorn(tmp_path, entry, "--access-logfile", "-", worker=worker) as running:
        running.wait_for("Booting worker")
        assert exchange(tmp_path / "s", GET).partition(b"\r\n\r\n")[2].startswith(loop.encode())
        slow = connect(tmp_path / "s", b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        with slow:
            running.wait_for('"GET / HTTP/1.1" 200')
            code, output = running.end(signal.SIGTERM)
            assert code == 0, output
            assert slow.recv(4096).endswith(b"promised")
    assert "Traceback" not in output


def test_gunicorn_replaces_a_worker_after_its_requests(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "app", "--max-requests", "1") as running:
        running.wait_for("Booting worker")
        first = exchange(tmp_path / "s", GET)
        running.wait_for("is replaced after 1 requests")
        running.wait_for("Booting worker")
        assert exchange(tmp_path / "s", GET) != first
        assert running.end(signal.SIGINT)[0] == 0


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl")
def test_gunicorn_serves_tls(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    with gunicorn(
        tmp_path, "app", "--certfile", str(certificate), "--keyfile", str(key)
    ) as running:
        running.wait_for("Booting worker")
        trusting = ssl.create_default_context(cafile=str(certificate))
        trusting.check_hostname = False
        with connect(tmp_path / "s", b"") as plain, trusting.wrap_socket(plain) as client:
            client.sendall(GET)
            assert client.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
        assert running.end(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize("name", ["GunicornWebWorker", "GunicornUVLoopWebWorker"])
def test_gunicorn_is_imported_only_when_it_is_asked_for(tmp_path: Path, name: str) -> None:
    source = f"""
    import sys
    from headrace import web
    print("gunicorn" in sys.modules)
    try:
        web.NoSuchName
    except AttributeError as error:
        print(error)
    print(web.{name}.__name__, "gunicorn" in sys.modules)
    print(web.GunicornWebWorker in web.GunicornUVLoopWebWorker.mro())
    try:
        web.NoSuchName
    except AttributeError as error:
        print(error)
    """
    missing = "module 'headrace.web' has no attribute 'NoSuchName'"
    with Program(source, cwd=tmp_path) as running:
        code, output = running.end()
    assert code == 0, sys.version
    assert output.splitlines() == ["False", missing, f"{name} True", "True", missing]


def test_without_gunicorn_there_is_no_worker_for_it(tmp_path: Path) -> None:
    source = """
    import sys
    sys.modules["gunicorn"] = None
    from headrace import web
    print(hasattr(web, "GunicornWebWorker"), hasattr(web, "__getattr__"))
    try:
        from headrace.web import GunicornWebWorker
    except ImportError:
        print("not installed")
    """
    with Program(source, cwd=tmp_path) as running:
        code, output = running.end()
    assert code == 0, sys.version
    assert output == "False False\nnot installed\n"
