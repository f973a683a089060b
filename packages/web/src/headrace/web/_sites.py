"""Sites: the addresses on which the server of a runner listens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from ssl import SSLContext
from typing import Any, Final, Protocol, TypedDict, Unpack, cast

from yarl import URL

from ._server import Server

HostSequence = str | Sequence[str]

AF_UNIX: Final = getattr(socket, "AF_UNIX", None)


class Runner(Protocol):
    """What has a server, and sites."""

    @property
    def server(self) -> Server | None: ...
    @property
    def sites(self) -> set[BaseSite]: ...


class SiteOptions(TypedDict, total=False):
    """What all sites can be told; see `BaseSite`."""

    ssl_context: SSLContext | None
    backlog: int
    ssl_handshake_timeout: float
    ssl_shutdown_timeout: float


def port_or_default(port: int | None, ssl_context: SSLContext | None) -> int:
    """Return the port; where there is none, the usual one."""
    return port if port is not None else (8443 if ssl_context else 8080)


def name_of(sock: socket.socket, ssl_context: SSLContext | None) -> str:
    """Return the address of a socket as a URL."""
    scheme = "https" if ssl_context else "http"
    if sock.family == AF_UNIX:
        return f"{scheme}://unix:{sock.getsockname()}:"
    host, port = sock.getsockname()[:2]
    return str(URL.build(scheme=scheme, host=host, port=port))


def bind_unix(path: str, mode: int | None) -> socket.socket:
    """Return a socket that is bound to *path*, which has the permissions *mode*.

    Nobody can connect before it listens, so that the permissions are there in time.
    """
    assert AF_UNIX is not None
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)
    sock = socket.socket(AF_UNIX)
    try:
        sock.bind(path)
        if mode is not None:
            os.chmod(path, mode)
    except BaseException as error:
        sock.close()
        if isinstance(error, OSError):
            reason = error.strerror or error  # a path that is too long has no number of the system
            raise OSError(error.errno, f"cannot listen on {path!r}: {reason}") from None
        raise
    return sock


def unknown_host(error: socket.gaierror, host: HostSequence | None) -> socket.gaierror:
    """Return the error of a look-up with the host in its text."""
    return socket.gaierror(error.errno, f"cannot listen on host {host!r}: {error.strerror}")


async def listen(
    loop: asyncio.AbstractEventLoop, server: Server, sock: socket.socket, options: dict[str, Any]
) -> asyncio.Server:
    """Listen on a socket of either family."""
    if sock.family != AF_UNIX:
        return await loop.create_server(server, sock=sock, **options)
    if sys.version_info >= (3, 13):
        # The file is not the loop's to remove: other processes may use it.
        with contextlib.suppress(TypeError):  # an older uvloop, which never removes it
            return await loop.create_unix_server(server, sock=sock, cleanup_socket=False, **options)
    return await loop.create_unix_server(server, sock=sock, **options)


class BaseSite(ABC):
    """An address on which a runner's server listens.

    Args:
        runner: Whose server it is.
        ssl_context: Serves TLS.
        backlog: Connections that the system may queue before they are accepted.
        ssl_handshake_timeout: Seconds in which a client must have shaken hands.
        ssl_shutdown_timeout: Seconds in which a client must have answered the end of TLS.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        ssl_context: SSLContext | None = None,
        backlog: int = 128,
        ssl_handshake_timeout: float = 10.0,
        ssl_shutdown_timeout: float = 10.0,
    ) -> None:
        if runner.server is None:
            raise RuntimeError("call runner.setup() before making a site")
        self._runner = runner
        self._ssl_context = ssl_context
        self._server: asyncio.Server | None = None
        #: What each kind of site tells the loop.
        self._options: dict[str, Any] = {"ssl": ssl_context, "backlog": backlog}
        if ssl_context is not None:
            self._options["ssl_handshake_timeout"] = ssl_handshake_timeout
            self._options["ssl_shutdown_timeout"] = ssl_shutdown_timeout

    @property
    @abstractmethod
    def name(self) -> str:
        """The URL of the site."""

    @abstractmethod
    async def _listen(self, loop: asyncio.AbstractEventLoop, server: Server) -> asyncio.Server: ...

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The address cannot be used.
            RuntimeError: The site listens already.
        """
        if self._server is not None:
            raise RuntimeError(f"site {self.name} is started already")
        server = self._runner.server
        assert server is not None
        self._server = await self._listen(asyncio.get_running_loop(), server)
        self._runner.sites.add(self)

    async def stop(self) -> None:
        """Stop listening; connections that are open stay open."""
        self._runner.sites.discard(self)
        if self._server is not None:
            self._server.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class TCPSite(BaseSite):
    """A TCP address; port 0 lets the system choose, None is 8080, or 8443 with TLS."""

    def __init__(
        self,
        runner: Runner,
        host: HostSequence | None = None,
        port: int | None = None,
        *,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        **options: Unpack[SiteOptions],
    ) -> None:
        super().__init__(runner, **options)
        self._host = host
        self._port = port_or_default(port, self._ssl_context)
        self._reuse_address = reuse_address
        self._reuse_port = reuse_port

    @property
    def port(self) -> int:
        """The port; the one that the system chose once the site is started."""
        if self._server is not None and self._server.sockets:
            return int(self._server.sockets[0].getsockname()[1])
        return self._port

    @property
    def name(self) -> str:
        """The URL of the site."""
        host = self._host if isinstance(self._host, str) and self._host else "0.0.0.0"  # noqa: S104 (only shown)
        scheme = "https" if self._ssl_context else "http"
        return str(URL.build(scheme=scheme, host=host, port=self.port))

    async def _listen(self, loop: asyncio.AbstractEventLoop, server: Server) -> asyncio.Server:
        try:
            return await loop.create_server(
                server,
                self._host,
                self._port,
                reuse_address=self._reuse_address,
                reuse_port=self._reuse_port,
                **self._options,
            )
        except socket.gaierror as error:
            raise unknown_host(error, self._host) from None


class UnixSite(BaseSite):
    """A Unix domain socket; its file is removed when the site stops.

    Args:
        path: Where the file is; what a program that has gone left there is removed.
        mode: The permissions of the file, as 0o660; None leaves them to the umask.
    """

    def __init__(
        self,
        runner: Runner,
        path: str | os.PathLike[str],
        *,
        mode: int | None = None,
        **options: Unpack[SiteOptions],
    ) -> None:
        super().__init__(runner, **options)
        self._path = os.fspath(path)
        self._mode = mode
        self._inode = 0

    @property
    def name(self) -> str:
        """The path of the socket as a URL."""
        scheme = "https" if self._ssl_context else "http"
        return f"{scheme}://unix:{self._path}:"

    async def _listen(self, loop: asyncio.AbstractEventLoop, server: Server) -> asyncio.Server:
        sock = bind_unix(self._path, self._mode)
        self._inode = os.stat(self._path).st_ino
        try:
            return await listen(loop, server, sock, self._options)
        except BaseException:
            sock.close()
            os.unlink(self._path)
            raise

    async def stop(self) -> None:
        """Stop listening and remove the socket's file."""
        listening = self._server is not None
        await super().stop()
        if listening:
            with contextlib.suppress(FileNotFoundError):
                # Another program may have taken the path over.
                if os.stat(self._path).st_ino == self._inode:
                    os.unlink(self._path)


class SockSite(BaseSite):
    """A socket that is bound already."""

    def __init__(
        self,
        runner: Runner,
        sock: socket.socket,
        **options: Unpack[SiteOptions],
    ) -> None:
        super().__init__(runner, **options)
        self._sock = sock

    @property
    def name(self) -> str:
        """The address of the socket as a URL."""
        return name_of(self._sock, self._ssl_context)

    async def _listen(self, loop: asyncio.AbstractEventLoop, server: Server) -> asyncio.Server:
        return await listen(loop, server, self._sock, self._options)


class NamedPipeSite(BaseSite):
    """A named pipe of Windows; the loop must be a `asyncio.ProactorEventLoop`."""

    def __init__(self, runner: Runner, path: str) -> None:
        super().__init__(runner)
        self._path = path

    @property
    def name(self) -> str:
        """The path of the pipe."""
        return self._path

    async def _listen(self, loop: asyncio.AbstractEventLoop, server: Server) -> asyncio.Server:
        start = getattr(loop, "start_serving_pipe", None)
        if start is None:
            raise RuntimeError("named pipes need the proactor event loop of Windows")
        [pipe] = await start(server, self._path)
        return cast(asyncio.Server, pipe)
