"""What a user gets by installing: the umbrella brings its parts, the router comes alone."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import distribution, requires

import pytest


def test_the_umbrella_brings_parser_router_and_websocket() -> None:
    for name in ("http-parser", "router", "websocket"):
        assert distribution(f"headrace-{name}").version
        assert any(r.startswith(f"headrace-{name}") for r in requires("headrace-web") or ())


@pytest.mark.skipif(
    "HEADRACE_WEB_ALONE" not in os.environ,
    reason="headrace-testing may be there too; `nox -s layers` installs headrace-web alone",
)
def test_the_umbrella_does_not_bring_the_test_tools() -> None:
    code = "import headrace.testing"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ModuleNotFoundError" in result.stderr


def test_the_router_resolves_and_builds_urls_and_pulls_in_only_yarl() -> None:
    code = """if True:
        import sys
        before = set(sys.modules)
        from headrace.router import Router
        router = Router()
        router.add_route("GET", "/users/{name}", "show", name="user")
        match = router.resolve("GET", "/users/ann")
        assert (match.value, match.params) == ("show", {"name": "ann"})
        assert str(router["user"].url_for(name="ann")) == "/users/ann"
        # What compiled modules put there for themselves has no spec.
        new = {
            name.partition(".")[0]
            for name in sys.modules.keys() - before
            if getattr(sys.modules[name], "__spec__", None)
        }
        print(*sorted(new - set(sys.stdlib_module_names)))
    """
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stderr == ""
    # yarl's own dependencies are multidict, propcache and idna.
    assert set(result.stdout.split()) <= {"headrace", "yarl", "multidict", "propcache", "idna"}
