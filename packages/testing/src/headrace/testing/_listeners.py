"""Where a server listens: in memory, or on a loopback socket. One face, two ways."""

import asyncio
import contextvars
import itertools
import ssl as ssl_module
from typing import Protocol, TypeAlias, cast, final

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
        ...

    async def connect(self, protocol: asyncio.Protocol, tls: ClientTLS) -> list[BaseException]:
        """Connect *protocol*; return the list that collects what handlers raise on it."""
        ...

    async def close(self) -> None:
        """Accept no more connections."""
        ...

    async def wait_closed(self) -> list[str]:
        """Let the connections end; return the names of those that the server leaves open."""
        ...


# Enough for a close to cross the connection both ways, under TLS too.
_ROUNDS_TO_END = 10


@final
class _Accepted:
    """The server's ends of the connections that it has accepted."""

    def __init__(self) -> None:
        self._transports: set[asyncio.BaseTransport] = set()

    def add(self, transport: asyncio.BaseTransport) -> None:
        """Note a connection."""
        self._forget_closed()
        self._transports.add(transport)

    async def wait_closed(self) -> list[str]:
        """Let the loop run until all are closed; abort and return the names of the others."""
        for _ in range(_ROUNDS_TO_END):
            self._forget_closed()
            if not self._transports:
                return []
            await asyncio.sleep(0)
        left = []
        for transport in self._transports:
            left.append(f"connection from {_peer(transport)}, not closed by the server")
            cast(asyncio.Transport, transport).abort()
        await asyncio.sleep(0)
        return left

    def _forget_closed(self) -> None:
        self._transports = {t for t in self._transports if not t.is_closing()}


def _peer(transport: asyncio.BaseTransport) -> str:
    host, port = transport.get_extra_info("peername")[:2]
    return f"{host}:{port}"


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
        self._accepted = _Accepted()
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
        self._accepted.add(theirs)
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
        return await self._accepted.wait_closed()


@final
class SocketListener:
    """A server on a loopback socket."""

    def __init__(
        self,
        server: asyncio.Server,
        tls: ssl_module.SSLContext | None,
        errors: list[BaseException],
        accepted: "_Accepted",
    ) -> None:
        self._server = server
        self._tls = tls
        self._errors = errors
        self._accepted = accepted
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
        accepted = _Accepted()
        server = await asyncio.get_running_loop().create_server(
            lambda: _Doorkeeper(accepted, factory()), host, port, ssl=tls
        )
        return cls(server, tls, errors, accepted)

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
        """Let the loop run until the connections have ended."""
        return await self._accepted.wait_closed()


@final
class _Doorkeeper(asyncio.Protocol):
    """Notes the transport of a connection and leaves it to the server's protocol."""

    def __init__(self, accepted: _Accepted, protocol: asyncio.Protocol) -> None:
        self._accepted = accepted
        self._protocol = protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._accepted.add(transport)
        transport.set_protocol(self._protocol)
        self._protocol.connection_made(transport)


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
