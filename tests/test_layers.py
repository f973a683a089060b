"""Which module may import which: arrows between packages, and the order inside web."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ROOT / "packages"

#: What each package may import beside itself and the standard library.
ARROWS = {
    "http_parser": set(),
    "websocket": set(),
    "router": {"yarl"},
    "web": {
        "headrace.http_parser",
        "headrace.router",
        "headrace.websocket",
        "multidict",
        "multipart",
        "yarl",
    },
    "testing": {"headrace.http_parser", "headrace.websocket", "multidict", "yarl", "pytest"},
}
#: Imports beyond the arrows: what is optional, and where alone it may stand.
EXCEPTIONS = {
    ("headrace.web._extras", "backports"),
    ("headrace.web._extras", "brotli"),
    ("headrace.web._extras", "compression"),
    ("headrace.web._gunicorn", "gunicorn.config"),
    ("headrace.web._gunicorn", "gunicorn.workers.base"),
    ("headrace.web._gunicorn", "uvloop"),
    ("headrace.web._reload", "watchfiles"),
    ("headrace.web._serve", "uvloop"),
    ("headrace.testing._web", "headrace.web"),
    ("headrace.testing.plugin", "pytest_asyncio"),
}
#: The modules of web: each imports only those before it.
WEB = [
    "_stage",
    "_kernel_py",
    "_kernel",
    "_headers",
    "_reify",
    "_fields",
    "_store",
    "_errors",
    "_disk",
    "_streams",
    "_content_type",
    "_addons",
    "_cookies",
    "_etag",
    "_accept",
    "_extras",
    "_compressors",
    "_compression",
    "_sources",
    "_media",
    "_multipart_writer",
    "_stream_response",
    "_response",
    "_exceptions",
    "_patience",
    "_charset",
    "_coding",
    "_parts",
    "_transfer",
    "_spool",
    "_multipart",
    "_forms",
    "_forwarded",
    "_received",
    "_request",
    "_eventstream",
    "_conditional",
    "_ranges",
    "_sendfile",
    "_kept",
    "_file_heads",
    "_files",
    "_problem",
    "_debug",
    "_mistakes",
    "_lines",
    "_log_format",
    "_log",
    "_waker",
    "_messages",
    "_outbox",
    "_channel",
    "_receiving",
    "_origins",
    "_websocket",
    "_middleware",
    "_signals",
    "_start",
    "_service",
    "_exchange",
    "_protocol",
    "_admission",
    "_server",
    "_policy",
    "_routes",
    "_static",
    "_dispatcher",
    "_routedef",
    "_app",
    "_view",
    "_negotiate",
    "_normalize",
    "_compression_middleware",
    "_proxy",
    "_health",
    "_tls",
    "_activation",
    "_sites",
    "_runner",
    "_serve",
    "_supervisor",
    "_workers",
    "_reload",
    "_run",
    "_gunicorn",
    "__main__",
    "__init__",
]
#: The modules of web that know the machinery of a protocol package.
GLUE = {
    "headrace.http_parser": {"_exchange", "_protocol"},
    "headrace.websocket": {"_channel", "_messages", "_outbox", "_receiving", "_websocket"},
}

STANDARD_LIBRARY = sys.stdlib_module_names


def sources(package: str) -> list[Path]:
    found = sorted((PACKAGES / package.replace("_", "-") / "src/headrace" / package).rglob("*.py"))
    assert found, f"no sources of {package}"
    return found


def imports_of(path: Path) -> set[str]:
    """Return the absolute names of all that a module imports, for typing only or not."""
    module = "headrace." + ".".join(path.parts[path.parts.index("headrace") + 1 : -1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                parent = ".".join(module.split(".")[: len(module.split(".")) - node.level + 1])
                target = f"{parent}.{node.module}" if node.module else parent
                if node.module is None:
                    found |= {f"{target}.{alias.name}" for alias in node.names}
                    continue
                found.add(target)
            elif node.module == "headrace":
                found |= {f"headrace.{alias.name}" for alias in node.names}
            else:
                found.add(node.module or "")
    return found


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[parts.index("headrace") :])


@pytest.mark.parametrize("package", ARROWS)
def test_a_package_imports_only_along_the_arrows(package: str) -> None:
    allowed = ARROWS[package] | {f"headrace.{package}"}
    wrong = [
        f"{module_name(path)} imports {name}"
        for path in sources(package)
        for name in imports_of(path)
        if name.partition(".")[0] not in STANDARD_LIBRARY
        and not any(name == root or name.startswith(f"{root}.") for root in allowed)
        and (module_name(path), name) not in EXCEPTIONS
    ]
    assert not wrong


@pytest.mark.parametrize("package", ["http_parser", "websocket", "router"])
def test_a_pure_package_does_no_io(package: str) -> None:
    forbidden = {"asyncio", "socket", "ssl", "selectors", "time", "logging", "threading"}
    wrong = [
        f"{module_name(path)} imports {name}"
        for path in sources(package)
        for name in imports_of(path)
        if name.partition(".")[0] in forbidden
    ]
    assert not wrong


def test_a_module_of_web_imports_only_those_before_it() -> None:
    paths = {path.stem: path for path in sources("web")}
    assert sorted(paths) == sorted(WEB)
    wrong = [
        f"{name} imports {imported}"
        for position, name in enumerate(WEB)
        for imported in imports_of(paths[name])
        if imported.startswith("headrace.web.")
        # A compiled twin stands where the readable one does.
        and re.sub("_c$", "_py", imported.split(".")[2]) not in WEB[:position]
    ]
    assert not wrong


@pytest.mark.parametrize("protocol", GLUE)
def test_only_the_glue_of_web_knows_a_protocol_package(protocol: str) -> None:
    users = {path.stem for path in sources("web") if protocol in imports_of(path)}
    assert users == GLUE[protocol]


@pytest.mark.parametrize("package", ARROWS)
def test_the_modules_of_a_package_form_no_circle(package: str) -> None:
    prefix = f"headrace.{package}."
    graph = {
        module_name(path): {name for name in imports_of(path) if name.startswith(prefix)}
        for path in sources(package)
    }
    while leaves := [name for name in graph if not graph[name] & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph
