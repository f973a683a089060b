"""The package imports yarl, what yarl imports, and the standard library: nothing else."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import yarl
before = {name.partition(".")[0] for name in sys.modules}
import headrace.router
after = {name.partition(".")[0] for name in sys.modules}
print(*sorted(after - before - sys.stdlib_module_names))
print(*sorted(name for name in sys.modules if name.startswith("headrace.")))
"""


def test_importing_the_package_imports_yarl_and_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    added, modules = done.stdout.splitlines()
    assert added == "headrace"
    assert {name.split(".")[1] for name in modules.split()} == {"router"}


def test_no_module_of_an_event_loop_or_a_socket_is_imported() -> None:
    script = (
        "import sys, headrace.router; "
        "print(*sorted({'asyncio', 'socket', 'selectors', 'logging'} & sys.modules.keys()))"
    )
    yarl = subprocess.run(
        [sys.executable, "-c", script.replace("headrace.router", "yarl")],
        capture_output=True,
        text=True,
        check=True,
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == yarl.stdout
