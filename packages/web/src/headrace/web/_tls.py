"""TLS whose certificate can be renewed while the server runs."""

from __future__ import annotations

import os
import ssl
from typing import Any, Final, Self, final

Path = str | os.PathLike[str]


@final
class TLSContext(ssl.SSLContext):
    """An `ssl.SSLContext` for servers that knows where its certificate came from.

    TLS 1.2 and 1.3, HTTP/1.1 by ALPN.

    Args:
        certfile: The file of the certificate and those between it and the root (PEM).
        keyfile: The file of its private key; None when *certfile* has it too.
        password: Of the key, or a function that returns it.

    Raises:
        OSError: A file cannot be read.
        ssl.SSLError: A file is not what it should be, or the key is another certificate's.
    """

    def __new__(cls, certfile: Path, keyfile: Path | None = None, password: Any = None) -> Self:
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, certfile: Path, keyfile: Path | None = None, password: Any = None) -> None:
        self._chain: Final = (certfile, keyfile, password)
        self.minimum_version = ssl.TLSVersion.TLSv1_2
        self.set_alpn_protocols(["http/1.1"])
        self.reload()

    def reload(self) -> None:
        """Load certificate and key again: for handshakes from now on.

        Raises:
            OSError: A file cannot be read; the old certificate stays, as with what follows.
            ssl.SSLError: A file is not what it should be, or the key is another certificate's.
        """
        # What fails half-way would leave the new certificate with the old key.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._chain)
        self.load_cert_chain(*self._chain)
