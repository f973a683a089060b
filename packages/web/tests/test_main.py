"""The command line: ``python -m headrace.web package.module:app_or_factory``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from headrace import web
from headrace.web import __main__ as command
from headrace.web._log import access_logger

MODULE = """
from headrace import web

async def hello(request):
    return web.Response(text=request.app.get("argv", "hello"))

def make(argv):
    app = web.Application()
    app["argv"] = repr(argv)
    app.router.add_get("/", hello)
    return app

def make_without_argument():
    return make("none")

async def make_later(argv):
    return make(argv)

def make_nothing(argv):
    return None

async def handler(request):
    return "no app"

app = make("app")
number = 3

async def fail(app):
    raise OSError("no data base")

failing = make("app")
failing.on_startup.append(fail)
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "module.py").write_text(MODULE)
    (package / "broken.py").write_text("import no_such_module\n")
    return tmp_path


def import_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    for name in [name for name in sys.modules if name.partition(".")[0] == "package"]:
        monkeypatch.delitem(sys.modules, name)


def run(cwd: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "headrace.web", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=os.environ | {"PYTHONWARNINGS": "error"},
    )


ENTRIES = {
    "app": ([], "'app'"),
    "make": (["--own-option", "x"], "['--own-option', 'x']"),
    "make_without_argument": (["x"], "'none'"),
    "make_later": (["x"], "['x']"),
}


@pytest.mark.parametrize("entry", ENTRIES)
async def test_an_application_or_a_factory_is_loaded(
    module: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    import_from(module, monkeypatch)
    arguments, argv = ENTRIES[entry]
    app = command.load(f"package.module:{entry}", arguments)
    if not isinstance(app, web.Application):
        app = await app
    assert app["argv"] == argv


@pytest.mark.parametrize("entry", ["app", "make_later"])
def test_an_application_or_a_factory_is_served(module: Path, entry: str) -> None:
    more, body = ENTRIES[entry]
    process = run(module, f"package.module:{entry}", "--host", "127.0.0.1", "--port", "0", *more)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("======== Running on http://127.0.0.1:")
        assert process.stdout.readline() == "(Press CTRL+C to quit)\n"
        with urllib.request.urlopen(line.split()[3]) as response:
            assert response.read().decode() == body
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, output) == (0, "")
    assert errors.startswith("INFO headrace.server: stopping: no longer listening on http://")
    assert errors.endswith("INFO headrace.server: stopped\n")


def test_a_unix_socket_is_served(module: Path) -> None:
    process = run(module, "-U", "here", "package.module:app")
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "======== Running on http://unix:here: ========\n"
        assert (module / "here").exists()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert not (module / "here").exists()


@pytest.mark.parametrize("more", [[], ["-w", "1"]])
def test_it_shows_where_an_application_failed(module: Path, more: list[str]) -> None:
    process = run(module, "-P", "0", *more, "package.module:failing")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "in fail\n" in errors
    assert "OSError: no data base\n" in errors


def test_workers_tell_of_mistakes_in_one_line(module: Path) -> None:
    process = run(module, "-w", "2", "-P", "0", "package.module:handler")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert (
        "\nerror: the factory 'package.module:handler' returned 'no app', not an application\n"
        in errors
    )
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "usage: python -m headrace.web"),
        (["package.module"], 1, "not of the form package.module:app_or_factory"),
        (["package.module:"], 1, "not of the form"),
        (["package.module:missing"], 1, "has no attribute 'missing'"),
        (["package.module:number"], 1, "neither an application nor a factory"),
        (["package.module:make_nothing"], 1, "returned None, not an application"),
        (["package.missing:app"], 1, "No module named 'package.missing'"),
        (["package.broken:app"], 1, "No module named 'no_such_module'"),
        (["-U", "x", "-P", "1", "package.module:app"], 1, "without --host and --port"),
        (["--keyfile", "k", "package.module:app"], 1, "--keyfile goes with --certfile"),
        (["--certfile", "none.pem", "package.module:app"], 1, "No such file or directory"),
        (["--workers", "0", "package.module:app"], 1, "workers is 0, expected at least 1"),
        (["-P", "many", "package.module:app"], 2, "invalid port value: 'many'"),
        (["-P", "65536", "package.module:app"], 2, "invalid port value: '65536'"),
        (["--certfile", "no.pem", "package.module:app"], 1, "certificate and key from 'no.pem'"),
        (["--relaod", "package.module:app"], 1, "unknown option --relaod"),
        (["routes", "package.module:handler"], 1, "returned 'no app', not an application"),
        (["-P", "0", "package.module:handler"], 1, "returned 'no app', not an application"),
        (["-H", "no host", "package.module:app"], 1, "cannot listen on host 'no host': "),
        (["-w", "2", "-H", "no host", "package.module:app"], 1, "listen on host 'no host': "),
    ],
)
def test_mistakes_are_told_in_one_line(
    module: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    import_from(module, monkeypatch)
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    errors = capsys.readouterr().err
    assert caught.value.code == code
    assert message in errors
    if code == 1:
        assert (errors[:7], errors.count("\n"), errors[-1]) == ("error: ", 1, "\n")


# -- looking at the routes without serving them


@pytest.mark.parametrize("entry", ["app", "make", "make_without_argument", "make_later"])
def test_routes_are_listed(
    module: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    entry: str,
) -> None:
    import_from(module, monkeypatch)
    command.main(["routes", f"package.module:{entry}"])
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["method", "pattern", "name", "value", "source"]
    assert [row.split()[:3] for row in rows] == [
        ["HEAD", "/", "package.module.hello"],
        ["GET", "/", "package.module.hello"],
    ]
    assert rows[0].endswith("module.py:10")


def test_routes_are_listed_as_json(
    module: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import_from(module, monkeypatch)
    command.main(["routes", "package.module:app", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert [(row["method"], row["pattern"]) for row in rows] == [("HEAD", "/"), ("GET", "/")]


def test_a_look_up_is_explained(
    module: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import_from(module, monkeypatch)
    for arguments, said in [
        (["get", "/"], "is chosen"),
        (["POST", "/"], "allowed: GET, HEAD"),
        (["GET", "/missing"], "is not known"),
        (["GET", "/", "--host", "example.org"], "is chosen"),
    ]:
        command.main(["explain", "package.module:app", *arguments])
        out = capsys.readouterr().out
        assert out.startswith(f"{arguments[0].upper()} {arguments[1]}")
        assert said in out


@pytest.mark.parametrize("word", ["routes", "explain"])
def test_mistakes_are_told_there_too(
    module: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    word: str,
) -> None:
    import_from(module, monkeypatch)
    arguments = ["GET", "/"] if word == "explain" else []
    with pytest.raises(SystemExit) as caught:
        command.main([word, "package.module:missing", *arguments])
    assert caught.value.code == 1
    errors = capsys.readouterr().err
    assert errors == "error: module 'package.module' has no attribute 'missing'\n"


def test_the_help_tells_of_both(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "the word routes before it" in text
    assert "the word explain" in text


def test_without_address_it_listens_on_localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(command, "run_app", lambda app, **settings: calls.append(settings))
    monkeypatch.setattr(command, "load", lambda entry, argv: web.Application())
    monkeypatch.setattr(command.logging, "basicConfig", lambda **settings: None)
    monkeypatch.setattr(sys, "path", list(sys.path))
    command.main(["a:b"])
    command.main(["a:b", "-H", "::", "-P", "81"])
    command.main(["a:b", "-U", "x", "--unix-mode", "660", "--drain-delay", "2"])
    usual = {"access_log": access_logger, "shutdown_timeout": 60.0, "drain_delay": 0.0}
    assert calls == [
        usual | {"host": "localhost", "port": None},
        usual | {"host": "::", "port": 81},
        usual | {"path": "x", "unix_mode": 0o660, "drain_delay": 2.0},
    ]
