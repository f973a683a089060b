"""Compile each ``_*_c.pyx`` of the package, its optional compiled twins, into the wheel.

``HEADRACE_EXTENSIONS`` decides: ``auto`` (the default) compiles if it can and goes on without,
``require`` makes a failed compilation an error, ``none`` builds the pure wheel.
The file is the same in each accelerated package.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODES = ("auto", "require", "none")


class ExtensionBuildHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        mode = os.environ.get("HEADRACE_EXTENSIONS", "auto")
        if mode not in MODES:
            raise ValueError(f"HEADRACE_EXTENSIONS is {mode!r}, expected one of {MODES}")
        if mode == "none":
            return
        source = Path(self.root, "src")
        # An editable install imports from the source tree, so its extensions must stand there.
        target = source if version == "editable" else Path(tempfile.mkdtemp(prefix="headrace-"))
        try:
            built = compile_extensions(source, target)
        except (Exception, SystemExit) as error:  # setuptools reports a missing compiler by exiting
            if mode == "require":
                raise
            self.app.display_warning(f"Built without compiled extensions: {error}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        if version != "editable":
            build_data["force_include"].update({str(target / path): str(path) for path in built})


def compile_extensions(source: Path, target: Path) -> list[Path]:
    """Compile what *source* holds into *target* and return the paths relative to it."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    extensions = [
        Extension(".".join(path.relative_to(source).with_suffix("").parts), [str(path)])
        for path in sorted(source.rglob("_*_c.pyx"))
    ]
    with tempfile.TemporaryDirectory(prefix="headrace-") as scratch:
        distribution = Distribution({"ext_modules": cythonize(extensions, build_dir=scratch)})
        command = build_ext(distribution)
        command.build_lib = str(target)
        command.build_temp = scratch
        command.ensure_finalized()
        command.run()
        return [Path(path).relative_to(target) for path in command.get_outputs()]
