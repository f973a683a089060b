"""The shape of what is driven; nothing here names a framework."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, runtime_checkable

__all__ = ["Application", "ProtocolFactory"]

# What a server makes for each connection.
ProtocolFactory: TypeAlias = Callable[[], asyncio.Protocol]


@runtime_checkable
class Application(Protocol):
    """An application: ``headrace.web.Application`` and its like.

    It is started with ``startup()``, gives a protocol factory with ``make_handler()``, and is
    ended with ``shutdown()`` and ``cleanup()``.
    """

    def make_handler(self, **kwargs: Any) -> Any:
        """Return the protocol factory."""
        ...

    async def startup(self) -> object:
        """Start what the application needs."""
        ...

    async def shutdown(self) -> object:
        """Say goodbye to those connected."""
        ...

    async def cleanup(self) -> object:
        """Release what the application holds."""
        ...
