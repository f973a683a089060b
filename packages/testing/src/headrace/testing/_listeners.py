"""Where a server listens: in memory, or on a loopback socket. One face, two ways."""

import asyncio
import contextvars
import itertools
import ssl as ssl_module
from typing import Protocol, TypeAlias, final

from ._faults import Faults, FaultyTransport
from ._handler_errors import connection_errors
from ._shape import ProtocolFactory
from ._transport import MemoryTransport, connect

__all__ = ["Listener", "MemoryListener", "SocketListener"]

ClientTLS: TypeAlias = ssl_module.SSLContext | None

_MEMORY_PORTS = {"http": 8080, "https": 8443}


class Listener(Protocol):
    """Where clients connect to a server."""

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port."""

    async def connect(self, protocol: asyncio.Protocol, tls: ClientTLS) -> list[BaseException]:
        """Connect *protocol*; return the list that collects what handlers raise on it."""

    async def close(self) -> None:
        """Accept no more connections."""

    async def wait_closed(self) -> list[str]:
        """Let the connections end; return the names of those that the server leaves open."""


@final
class MemoryListener:
    """A server's end of connections in memory."""

    def __init__(
        self, factory: ProtocolFactory, host: str, port: int, tls: ssl_module.SSLContext | None
    ) -> None:
        self._factory = factory
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._address = (host, port or _MEMORY_PORTS["https" if tls else "http"])
        self._client_ports = itertools.count(50001)
        self._accepted: dict[MemoryTransport, str] = {}
        self._closed = False

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port that the server believes to listen on."""
        return self._address

    async def connect(self, protocol: asyncio.Protocol, tls: ClientTLS) -> list[BaseException]:
        """Make a pair of transports and a protocol of the server."""
        errors: list[BaseException] = []
        if self._closed:
            raise ConnectionRefusedError(f"nobody listens on {self._address} (in memory)")
        context = contextvars.copy_context()
        context.run(connection_errors.set, errors)
        server = context.run(self._factory)
        address = ("127.0.0.1", next(self._client_ports))
        ours, theirs = connect(
            self._loop,
            protocol,
            server,
            client_address=address,
            server_address=self._address,
            server_context=context,
        )
        self._forget_closed()
        self._accepted[theirs] = f"connection from {address[0]}:{address[1]}"
        if self._tls is None:
            context.run(server.connection_made, theirs)
            protocol.connection_made(ours)
        else:
            await self._start_tls(ours, theirs, tls, context)
        return errors

    async def _start_tls(
        self,
        ours: MemoryTransport,
        theirs: MemoryTransport,
        tls: ClientTLS,
        context: contextvars.Context,
    ) -> None:
        assert self._tls is not None
        client, server = ours.get_protocol(), theirs.get_protocol()
        ours.set_protocol(asyncio.Protocol())
        theirs.set_protocol(asyncio.Protocol())
        host = self._address[0]
        accepting = self._loop.create_task(
            self._loop.start_tls(theirs, server, self._tls, server_side=True), context=context
        )
        try:
            upper = await self._loop.start_tls(
                ours, client, tls or unverified(), server_hostname=host
            )
            below = await accepting
        except BaseException:
            accepting.cancel()
            ours.abort()
            await asyncio.wait([accepting])
            raise
        assert upper is not None
        assert below is not None
        context.run(server.connection_made, below)
        client.connection_made(upper)

    async def close(self) -> None:
        """Accept no more connections."""
        self._closed = True

    async def wait_closed(self) -> list[str]:
        """Let the loop run until the connections have ended."""
        for _ in range(_ROUNDS_TO_END):
            self._forget_closed()
            if not self._accepted:
                return []
            await asyncio.sleep(0)
        left = [f"{name}, not closed by the server" for name in self._accepted.values()]
        for transport in self._accepted:
            transport.abort()
        await asyncio.sleep(0)
        return left

    def _forget_closed(self) -> None:
        for transport in [t for t in self._accepted if t.is_closing()]:
            del self._accepted[transport]


# Enough for a close to cross the connection both ways, under TLS too.
_ROUNDS_TO_END = 10


@final
class SocketListener:
    """A server on a loopback socket."""

    def __init__(
        self,
        server: asyncio.Server,
        tls: ssl_module.SSLContext | None,
        errors: list[BaseException],
    ) -> None:
        self._server = server
        self._tls = tls
        self._errors = errors
        self._address: tuple[str, int] = server.sockets[0].getsockname()[:2]

    @classmethod
    async def open(
        cls,
        factory: ProtocolFactory,
        host: str,
        port: int,
        tls: ssl_module.SSLContext | None,
        errors: list[BaseException],
    ) -> "SocketListener":
        """Listen; port 0 takes any free one, *errors* collects what handlers raise."""
        loop = asyncio.get_running_loop()
        return cls(await loop.create_server(factory, host, port, ssl=tls), tls, errors)

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port."""
        return self._address

    async def connect(self, protocol: asyncio.Protocol, tls: ClientTLS) -> list[BaseException]:
        """Connect over TCP."""
        host, port = self._address
        context = (tls or unverified()) if self._tls is not None else None
        await asyncio.get_running_loop().create_connection(
            lambda: protocol, host, port, ssl=context
        )
        return self._errors

    async def close(self) -> None:
        """Accept no more connections."""
        self._server.close()

    async def wait_closed(self) -> list[str]:
        """Let the loop see the ends of the connections."""
        for _ in range(_ROUNDS_TO_END):
            await asyncio.sleep(0)
        return []


async def dial(
    listener: Listener, protocol: asyncio.Protocol, *, tls: ClientTLS, faults: Faults | None
) -> list[BaseException]:
    """Connect *protocol* to *listener*, over a bad network when there are *faults*.

    Returns:
        The list that collects what handlers raise.
    """
    if faults is not None:
        protocol = FaultyTransport(faults, protocol).lower
    return await listener.connect(protocol, tls)


def unverified() -> ssl_module.SSLContext:
    """Return a client's context that accepts any certificate, for a test makes its own."""
    context = ssl_module.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl_module.CERT_NONE
    return context
