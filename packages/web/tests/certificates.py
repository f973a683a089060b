"""Certificates for tests, made by openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

OPENSSL = shutil.which("openssl")


def make_certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 with *name* as its subject, return it and its key."""
    subprocess.run(
        f"{OPENSSL} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        f" -keyout key -out certificate -subj /CN={name} -addext subjectAltName=IP:127.0.0.1",
        shell=True,
        check=True,
        capture_output=True,
        cwd=folder,
    )
    return folder / "certificate", folder / "key"
