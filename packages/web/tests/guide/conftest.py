"""The usage guide is judged by an independent client: aiohttp's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from serving import Serve


@pytest.fixture
async def serve(serve: Serve) -> AsyncIterator[Serve]:
    """Serve as other modules do, and give an independent client."""
    sessions = []

    async def start(what: Any) -> Any:
        served = await serve(what)
        served.client = aiohttp.ClientSession(served.url)
        sessions.append(served.client)
        return served

    yield start
    for session in sessions:
        await session.close()
