"""``/download``: a file of any size, made while it is sent.

The same block of random bytes comes again and again, so that a file of any size costs the memory
of one. Its SHA-256 is announced as a Repr-Digest (RFC 9530), for the page to compare. A client
that takes its time holds up nobody: each write waits for it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator
from typing import Final

from headrace import web

from ._settings import Settings

MIB: Final = 1024**2
#: The bytes of which files are made: those of one MiB, the same ones each time.
BLOCK: Final = random.Random(0).randbytes(MIB)
_PIECE: Final = 64 * 1024


class Downloads:
    """The bound of downloads, how many there were, and the hashes that are known."""

    def __init__(self, settings: Settings) -> None:
        self.max_mib = settings.max_download_mib
        self.files = 0
        self._digests: dict[int, bytes] = {}

    async def digest(self, mib: int) -> bytes:
        """Return the SHA-256 of a file; computed in a thread when it is asked for first."""
        if mib not in self._digests:
            self._digests[mib] = await asyncio.to_thread(_digest, mib)
        return self._digests[mib]


DOWNLOADS: web.AppKey[Downloads] = web.AppKey("DOWNLOADS", Downloads)


def _digest(mib: int) -> bytes:
    sha256 = hashlib.sha256()
    for _ in range(mib):
        sha256.update(BLOCK)
    return sha256.digest()


async def _content(mib: int) -> AsyncIterator[bytes]:
    for _ in range(mib):
        for start in range(0, MIB, _PIECE):
            yield BLOCK[start : start + _PIECE]


def _size(request: web.Request, most: int) -> int:
    """Return the MiB that are asked for."""
    text = request.query.get("mib", "1")
    mib = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
    if not 1 <= mib <= most:
        raise web.HTTPBadRequest(text=f"A file may have 1 to {most} MiB.")
    return mib


async def download(request: web.Request) -> web.Response:
    """Answer with a file of as many MiB as ``?mib=`` says."""
    downloads = request.app[DOWNLOADS]
    mib = _size(request, downloads.max_mib)
    digest = base64.b64encode(await downloads.digest(mib)).decode()
    downloads.files += 1
    return web.Response(
        body=_content(mib),
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": web.content_disposition(f"headrace-{mib}-mib.bin"),
            "Content-Length": str(mib * MIB),
            "Repr-Digest": f"sha-256=:{digest}:",
        },
    )
