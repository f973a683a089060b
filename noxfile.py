# /// script
# dependencies = ["nox[uv]>=2025.5"]
# ///
"""The one entry to everything: test matrix, checks, benchmarks, and the example application.

``nox --list`` explains the sessions, ``nox`` runs the default ones, and one cell runs as
``nox -s "tests-3.13(router)"``. The script block above lets nox bring uv along.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import sys
import sysconfig
import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PACKAGES = ["http-parser", "router", "websocket", "testing", "web"]
#: Packages with compiled twins of their own.
ACCELERATED = ["http-parser", "websocket", "web"]
PYTHONS = nox.project.python_versions(nox.project.load_toml(ROOT / "packages/web/pyproject.toml"))
#: Packages without I/O, which are measured beside others of their kind.
SANS_IO = ["http-parser", "websocket", "router"]
#: Those of them that read what strangers send, byte by byte.
FUZZED = ["http-parser", "websocket"]
#: One interpreter for what does not depend on it.
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TOOLS = {"mypy": "mypy==2.4.1", "ruff": "ruff==0.17.5"}

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
# A matrix covers the interpreters that are found; the hosted CI demands each of its own.
nox.options.error_on_missing_interpreters = False

os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")


def see_pyenv_versions() -> None:
    """Let each interpreter be found that pyenv has, not only the chosen one."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    versions = [path.name for path in (root / "versions").glob("3.*") if path.is_dir()]
    wanted = [name for name in versions if ".".join(name.split(".")[:2]) in PYTHONS]
    wanted.sort(key=lambda name: (not name.startswith(f"{PYTHON}."), name))
    if wanted:
        # The shim that runs this sets the variable to its own version alone.
        chosen = os.environ.get("PYENV_VERSION", "").split(":")
        os.environ["PYENV_VERSION"] = ":".join(filter(None, dict.fromkeys([*chosen, *wanted])))
    # Where the shims are not on the path, the versions themselves are found.
    folders = [str(root / "versions" / name / "bin") for name in wanted]
    os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *folders])


see_pyenv_versions()


def has_compiler() -> bool:
    """Tell whether extensions can be compiled here."""
    command = (sysconfig.get_config_var("CC") or "cc").split()[0]
    return os.name == "nt" or any(map(shutil.which, (os.environ.get("CC", command), command)))


def project(package: str) -> dict[str, object]:
    """Return the metadata of a package."""
    return tomllib.loads((ROOT / "packages" / package / "pyproject.toml").read_text())


def split_siblings(requirements: list[str]) -> tuple[list[str], list[str]]:
    """Split requirements into the folders of siblings and those from the index."""
    siblings, others = [], []
    for requirement in requirements:
        match = re.match(r"headrace-([a-z-]*[a-z])", requirement)
        (siblings if match else others).append(match[1] if match else requirement)
    return siblings, others


def with_siblings(packages: list[str]) -> list[str]:
    """Return *packages* and all siblings that they depend on."""
    found: list[str] = []
    queue = list(packages)
    while queue:
        package = queue.pop()
        if package not in found:
            found.append(package)
            queue += split_siblings(project(package)["project"]["dependencies"])[0]
    return sorted(found)


def fingerprint(package: str) -> str:
    """Return a digest of all that goes into the wheel of a package."""
    digest = hashlib.sha256()
    folder = ROOT / "packages" / package
    for path in sorted([*folder.glob("src/**/*.py*"), *folder.glob("*.*")]):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def wheel_of(session: nox.Session, package: str, extensions: str) -> Path:
    """Return the wheel of a package for the session's interpreter, built when it is not there."""
    pure = package not in ACCELERATED
    kind = "pure" if pure or extensions == "none" else f"py{session.python or PYTHON}-{extensions}"
    folder = ROOT / ".nox" / "wheels" / f"{package}-{kind}-{fingerprint(package)}"
    if not list(folder.glob("*.whl")):
        build(session, package, folder, extensions, "--wheel")
    return next(folder.glob("*.whl"))


def build(session: nox.Session, package: str, folder: Path, extensions: str, *what: str) -> None:
    """Build distributions of a package into *folder*."""
    source = str(ROOT / "packages" / package)
    env = {"HEADRACE_EXTENSIONS": extensions}
    if session.venv_backend == "uv":
        python = ["--python", session.virtualenv.location]
        session.run(
            "uv", "build", "-q", *what, *python, "-o", str(folder), source, env=env, external=True
        )
    else:
        session.install("-q", "build")
        session.run("python", "-m", "build", *what, "-o", str(folder), source, env=env)


def install_wheels(
    session: nox.Session, packages: list[str], extensions: str, *others: str
) -> None:
    """Install packages of this tree with their siblings, and *others* from the index."""
    wheels = [wheel_of(session, package, extensions) for package in with_siblings(packages)]
    session.install("-q", *map(str, wheels), *others)
    # The tree's version number stands still while its code changes.
    reinstall = "--reinstall" if session.venv_backend == "uv" else "--force-reinstall"
    session.install("-q", "--no-deps", reinstall, *map(str, wheels))


def group_requirements(package: str, group: str) -> list[str]:
    """Return the requirements of one of a package's dependency groups."""
    return list(nox.project.dependency_groups(project(package), group))


def test_requirements(package: str) -> tuple[list[str], list[str]]:
    """Return the siblings and the index requirements of a package's test group."""
    return split_siblings(group_requirements(package, "test"))


def run_tests(session: nox.Session, package: str, *words: str, **env: str) -> None:
    """Run the tests of the package in whose folder we are, the longest suite on all cores."""
    parallel = ["-n", "auto"] if package == "web" and not session.posargs else []
    # The processes of one run must agree on the order of sets.
    env["PYTHONHASHSEED"] = str(random.randrange(2**32))
    session.run("python", "-m", "pytest", *parallel, *words, *session.posargs, env=env)


#: The packages that run on twins, their own or a sibling's, and so are tested on both.
PURE_CELLS = [package for package in PACKAGES if set(with_siblings([package])) & set(ACCELERATED)]
CELLS = [nox.param(package, "require", id=package, tags=[package]) for package in PACKAGES] + [
    nox.param(package, "none", id=f"{package}-pure", tags=[package]) for package in PURE_CELLS
]
BY_PACKAGE = [nox.param(package, id=package, tags=[package]) for package in PACKAGES]


@nox.session(python=PYTHONS)
@nox.parametrize("package, extensions", CELLS)
def tests(session: nox.Session, package: str, extensions: str) -> None:
    """Test one package with only it, its siblings and its test group installed."""
    if extensions == "require" and not has_compiler():
        if package in PURE_CELLS:
            session.skip("no C compiler here: the cell without extensions is run")
        extensions = "none"
    if extensions == "none" and package not in SANS_IO and session.python != PYTHON:
        session.skip(f"{package} runs mostly on twins of siblings: one cell without them is run")
    siblings, others = test_requirements(package)
    install_wheels(session, [package, *siblings], extensions, *others)
    session.chdir(ROOT / "packages" / package)
    run_tests(session, package, HEADRACE_EXTENSIONS=extensions)


#: What is tested outside of the tree where it is not the whole suite, which would take long.
OUTSIDE = {"web": ["tests/guide", *(f"tests/test_{name}.py" for name in ("programs", "protocol"))]}


@nox.session(python=PYTHON)
@nox.parametrize("package", BY_PACKAGE)
def wheel(session: nox.Session, package: str) -> None:
    """Build sdist and wheel of one package and test the wheel outside of the tree."""
    scratch = Path(session.create_tmp()).resolve()
    del session.env["TMPDIR"]  # it lies deep, and the names of Unix sockets are short
    dist = scratch / "dist"
    shutil.rmtree(scratch, ignore_errors=True)
    build(session, package, dist, "auto")
    built = next(dist.glob("*.whl"))
    session.run("python", str(ROOT / "tests" / "check_wheel.py"), str(built), package)
    siblings, others = test_requirements(package)
    needed = [name for name in with_siblings([package, *siblings]) if name != package]
    wheels = [str(wheel_of(session, name, "auto")) for name in needed]
    session.install("-q", str(built), *wheels, *others)
    reinstall = "--reinstall" if session.venv_backend == "uv" else "--force-reinstall"
    session.install("-q", "--no-deps", reinstall, str(built), *wheels)
    source = ROOT / "packages" / package
    shutil.copytree(source / "tests", scratch / "outside" / "tests")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(source / name, scratch / "outside" / name)
    session.chdir(scratch / "outside")
    run_tests(session, package, *OUTSIDE.get(package, []))


@nox.session(python=PYTHON)
def layers(session: nox.Session) -> None:
    """Check which module imports which, the namespace, and what installing one package brings."""
    session.install("-q", "pytest")
    install_wheels(session, ["web"], "auto")
    alone = {"HEADRACE_WEB_ALONE": "1"}
    words = ("-c", "pyproject.toml", "tests", *session.posargs)
    session.run("python", "-m", "pytest", *words, env=alone)


@nox.session(python=PYTHON)
def lint(session: nox.Session) -> None:
    """Check format and style with ruff; ``nox -s lint -- --fix`` mends what it can."""
    session.install("-q", TOOLS["ruff"])
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []), ".")
    session.run("ruff", "format", *([] if fix else ["--diff"]), ".")


@nox.session(python=PYTHON)
def types(session: nox.Session) -> None:
    """Check types with mypy --strict: all packages, and what their users would write."""
    requirements = ["multidict>=6.0", "yarl>=1.12", "pytest>=8.4", "pytest-asyncio>=1.0", "uvloop"]
    session.install("-q", TOOLS["mypy"], *requirements)
    for package in PACKAGES:
        session.run("mypy", "-p", f"headrace.{package.replace('-', '_')}")
    for path in sorted(ROOT.glob("packages/*/tests/typing_api.py")):
        session.run("mypy", str(path))
    # A program for aiohttp.web of today, its import replaced.
    program = (ROOT / "packages/web/tests/programs/reading_room.py").read_text()
    path = Path(session.create_tmp()) / "reading_room.py"
    path.write_text(program.replace("from aiohttp import web", "from headrace import web"))
    session.run("mypy", str(path))


@nox.session(python=PYTHON)
def docs(session: nox.Session) -> None:
    """Run the code blocks of every README and of the guide, and check the links between pages."""
    outside = ["aiohttp", "aiohttp-jinja2"]
    extra = project("web")["project"]["optional-dependencies"]["compression"]
    session.install("-q", "pytest", "pytest-timeout", "pytest-asyncio", *outside, *extra)
    install_wheels(session, PACKAGES, "auto")
    scope = ["-o", "asyncio_default_fixture_loop_scope=function"]
    session.run("python", "-m", "pytest", "-c", "pyproject.toml", *scope, "docs", *session.posargs)


@nox.session(python=PYTHON)
def examples(session: nox.Session) -> None:
    """Test the example application with an independent client."""
    session.install("-q", "pytest", "pytest-timeout", "pytest-asyncio", "aiohttp")
    install_wheels(session, ["web"], "auto")
    options = ["-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"]
    session.run(
        *["python", "-m", "pytest", "--import-mode=importlib", *options, "examples/tests"],
        *session.posargs,
    )


@nox.session(python=PYTHON, default=False)
def serve(session: nox.Session) -> None:
    """Build and install the umbrella and serve the example application on 127.0.0.1:8080."""
    install_wheels(session, ["web"], "auto")
    address = session.posargs or ["-H", "127.0.0.1", "-P", "8080"]
    session.chdir(ROOT / "examples")
    session.run("python", "-m", "headrace.web", *address, "live:create_app")


@nox.session(python=PYTHON, default=False)
def bench(session: nox.Session) -> None:
    """Measure all servers against the peers; see benchmarks/README.md for the options."""
    install_wheels(session, ["web"], "require", "-r", str(ROOT / "benchmarks/requirements.txt"))
    session.run("python", str(ROOT / "benchmarks"), *session.posargs)


@nox.session(python=PYTHON, default=False)
@nox.parametrize("package", [nox.param(package, id=package) for package in [*SANS_IO, "testing"]])
def microbench(session: nox.Session, package: str) -> None:
    """Measure one package beside others of its kind, in one process and one run."""
    peers = {
        "http-parser": ("bench_heads.py", group_requirements("http-parser", "bench")),
        "router": ("peers.py", ["aiohttp", "falcon", "sanic-routing", "starlette", "werkzeug"]),
        "websocket": ("bench_messages.py", group_requirements("websocket", "bench")),
        "testing": ("transports.py", ["uvloop"]),
    }
    script, requirements = peers[package]
    measured = ["testing", "web"] if package == "testing" else [package]
    install_wheels(session, measured, "require", *requirements)
    path = ROOT / "packages" / package / "benchmarks" / script
    session.run("python", str(path), *session.posargs)


#: Packages that others judge, and the dependency group that brings those.
JUDGED = {"http-parser": "differential", "websocket": "interop", "web": "interop"}


@nox.session(python=PYTHON, default=False)
@nox.parametrize("package", [nox.param(package, id=package) for package in JUDGED])
def conformance(session: nox.Session, package: str) -> None:
    """Let others judge: h11 and llhttp; other clients, a browser and the Autobahn test suite."""
    siblings, others = split_siblings(group_requirements(package, JUDGED[package]))
    install_wheels(session, [package, *siblings], "require", *others)
    session.chdir(ROOT / "packages" / package)
    session.run("python", "-m", "pytest", "conformance", *session.posargs)
    if package != "http-parser":
        run_autobahn(session, package)


def run_autobahn(session: nox.Session, package: str) -> None:
    """Run the Autobahn test suite against both roles, or against an application."""
    folder = ROOT / ".nox" / "autobahn"
    script = str(ROOT / "packages/websocket/conformance/autobahn.py")
    judged = ["--role", "server", "--server", "conformance/echo_app.py"] if package == "web" else []
    status = session.run(
        *["python", script, str(folder), *judged], success_codes=[0, 77], silent=False
    )
    if status is False or not list(folder.glob("**/index.json")):
        session.skip("there is no Python 2.7 for the Autobahn test suite")


@nox.session(python=PYTHON, default=False)
@nox.parametrize("package", [nox.param(package, id=package) for package in FUZZED])
def fuzz(session: nox.Session, package: str) -> None:
    """Fuzz with Atheris for 60 seconds, or as many as are given after ``--``."""
    install_wheels(session, [package], "require", *group_requirements(package, "fuzz"))
    session.chdir(ROOT / "packages" / package)
    session.run("python", "fuzz/fuzz_connection.py", *(session.posargs or ["60"]))


@nox.session(python=PYTHON, default=False)
def soak(session: nox.Session) -> None:
    """Soak headrace.web on both loops: 60 seconds each, or as many as are given after ``--``."""
    install_wheels(session, ["web"], "require", "uvloop")
    script = str(ROOT / "packages" / "web" / "soak" / "soak.py")
    for loop in ("asyncio", "uvloop"):
        session.run("python", script, "--loop", loop, *session.posargs)


@nox.session(python=PYTHON, default=False)
def dev(session: nox.Session) -> None:
    """Make .venv with all five packages editable and everything that tests need."""
    session.run("python", "-m", "venv", str(ROOT / ".venv"))
    python = str(ROOT / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python")
    others = {requirement for package in PACKAGES for requirement in test_requirements(package)[1]}
    # It turns on asyncio's mode for packages that have nothing to do with asyncio.
    others = {requirement for requirement in others if not requirement.startswith("pytest-aiohttp")}
    editable = [part for name in PACKAGES for part in ("-e", str(ROOT / "packages" / name))]
    session.run(python, "-m", "pip", "install", "-q", *editable, *sorted(others), external=True)


if __name__ == "__main__":
    nox.main()
