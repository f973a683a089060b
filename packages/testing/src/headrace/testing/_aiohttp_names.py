"""The fixtures under the names of pytest-aiohttp; registered by ``headrace_aiohttp_names``.

As there, a handler's exception is a response with status 500, and leaks are nobody's business.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from ._client import TestClient
from ._factories import Opened, ServerFactory
from ._server import unused_port


@pytest.fixture
def aiohttp_client(_headrace_opened: Opened) -> Callable[..., Any]:
    """Make started clients."""
    return partial(_headrace_opened.client, raise_handler_errors=False, check_leaks=False)


@pytest.fixture
def aiohttp_server(_headrace_opened: Opened) -> ServerFactory:
    """Make started servers on loopback sockets."""
    return partial(_headrace_opened.server, check_leaks=False)


@pytest.fixture
def aiohttp_raw_server(_headrace_opened: Opened) -> Callable[..., Any]:
    """Make started servers of a coroutine from request to response."""
    return partial(_headrace_opened.raw_server, check_leaks=False)


@pytest.fixture
def aiohttp_unused_port() -> Callable[[], int]:
    """Return a function that finds a free TCP port."""
    return unused_port


@pytest.fixture
def aiohttp_client_cls() -> type[TestClient]:
    """Return the class of the clients."""
    return TestClient
