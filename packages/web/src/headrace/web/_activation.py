"""Sockets that the one who started the process has bound and listens on (sd_listen_fds(3))."""

from __future__ import annotations

import os
import socket
from typing import Final

#: The first descriptor that is handed over.
FIRST: Final = 3


def activated_sockets() -> list[socket.socket]:
    """Return the sockets that systemd, or what does as it, has handed to this process.

    They are told by LISTEN_PID and LISTEN_FDS; the variables are removed, so that they mean
    nothing to other processes. Without them there are no sockets.
    """
    process, count = os.environ.get("LISTEN_PID"), os.environ.get("LISTEN_FDS", "")
    if process != str(os.getpid()) or not count.isdecimal():
        return []
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    sockets = [socket.socket(fileno=number) for number in range(FIRST, FIRST + int(count))]
    for sock in sockets:
        sock.set_inheritable(False)
    return sockets
