"""Check what a built wheel holds: its own package, no namespace file, no sources of extensions.

Usage: python check_wheel.py WHEEL FOLDER
"""

from __future__ import annotations

import sys
from zipfile import ZipFile


def main(wheel: str, folder: str) -> None:
    own = f"headrace/{folder.replace('-', '_')}/"
    names = ZipFile(wheel).namelist()
    foreign = [name for name in names if not name.startswith(own) and ".dist-info/" not in name]
    assert not foreign, f"{wheel} holds {foreign}"
    assert f"{own}py.typed" in names, f"{wheel} lacks py.typed"
    assert not [name for name in names if name.endswith("_c.c")], f"{wheel} holds generated C"


if __name__ == "__main__":
    main(*sys.argv[1:])
