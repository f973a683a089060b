"""The pytest plugin: fixtures that make clients and servers, on pytest-asyncio and anyio alike.

The event loop is that of the plugin which runs the test; nothing is done to it. Everything else
of headrace is imported when a fixture is first used, for pytest imports this module in every run.
"""

import types
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Literal, cast

import pytest

if TYPE_CHECKING:
    from ._blocking import BlockingClient
    from ._factories import BlockingOpened, ClientFactory, Opened, ServerFactory
    from ._web import RawTestServer

_SCOPES: tuple[Literal["function", "class", "module", "package", "session"], ...] = (
    "function",
    "class",
    "module",
    "package",
    "session",
)

_failed = pytest.StashKey[bool]()
_opened: "pytest.StashKey[Opened | BlockingOpened]" = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings."""
    parser.addini(
        "headrace_transport",
        "transport of headrace_client where a test does not say: memory (default) or socket",
        default="memory",
    )
    parser.addini(
        "headrace_check_leaks",
        "fail tests that leave connections, tasks or temporary files open (default: true)",
        type="bool",
        default=True,
    )
    parser.addini(
        "headrace_raise_handler_errors",
        "raise in the test what a handler raised (default: true)",
        type="bool",
        default=True,
    )
    parser.addini(
        "headrace_aiohttp_names",
        "provide the fixtures under the names of pytest-aiohttp, too (default: false)",
        type="bool",
        default=False,
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register what depends on other plugins and on the settings."""
    if config.pluginmanager.has_plugin("asyncio"):
        config.pluginmanager.register(_on_asyncio(), "headrace-asyncio")
    if config.getini("headrace_aiohttp_names"):
        from . import _aiohttp_names

        config.pluginmanager.register(_aiohttp_names, "headrace-aiohttp-names")


def pytest_report_header() -> list[str]:
    """Say which twins of the accelerated packages run."""
    from headrace.http_parser import IMPLEMENTATION as HTTP
    from headrace.websocket import IMPLEMENTATION as WEBSOCKET

    return [f"headrace.http_parser: {HTTP}", f"headrace.websocket: {WEBSOCKET}"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> "Generator[None, Any, pytest.TestReport]":
    """Show the last exchanges of a test that fails."""
    report: pytest.TestReport = yield
    if report.when != "teardown" and report.failed:
        item.stash[_failed] = True
        opened = item.stash.get(_opened, None)
        if opened is not None:
            for text in opened.described():
                report.sections.append(("HTTP exchange", text))
    return report


def _defaults(config: pytest.Config) -> dict[str, Any]:
    return {
        "transport": config.getini("headrace_transport"),
        "check_leaks": config.getini("headrace_check_leaks"),
        "raise_handler_errors": config.getini("headrace_raise_handler_errors"),
    }


async def _closing(request: pytest.FixtureRequest) -> "AsyncIterator[Opened]":
    from ._factories import Opened

    opened = Opened(_defaults(request.config))
    request.node.stash[_opened] = opened
    yield opened
    await opened.close(ignore_leaks=request.node.stash.get(_failed, False))


# anyio takes up plain asynchronous fixtures of the tests which it runs.
_headrace_anyio = pytest.fixture(name="_headrace_anyio")(_closing)


def _on_asyncio() -> types.ModuleType:
    """Return a plugin with the fixture in each loop scope of pytest-asyncio."""
    import pytest_asyncio

    plugin = types.ModuleType("headrace.testing.plugin.asyncio")
    for scope in _SCOPES:

        async def closing(request: pytest.FixtureRequest) -> "AsyncIterator[Opened]":
            async for opened in _closing(request):
                yield opened

        name = f"_headrace_asyncio_{scope}"
        setattr(plugin, name, pytest_asyncio.fixture(loop_scope=scope)(closing))
    return plugin


@pytest.fixture
def _headrace_opened(request: pytest.FixtureRequest) -> "Opened":
    if "anyio_backend" in request.fixturenames:
        return cast("Opened", request.getfixturevalue("_headrace_anyio"))
    if request.config.pluginmanager.has_plugin("headrace-asyncio"):
        marker = request.node.get_closest_marker("asyncio")
        scope = marker.kwargs.get("loop_scope") if marker is not None else None
        scope = scope or request.config.getini("asyncio_default_test_loop_scope")
        return cast("Opened", request.getfixturevalue(f"_headrace_asyncio_{scope}"))
    raise pytest.UsageError(
        "headrace_client runs in tests of pytest-asyncio or anyio; "
        "in a test without async, use headrace_blocking_client"
    )


@pytest.fixture
def headrace_client(_headrace_opened: "Opened") -> "ClientFactory":
    """Make started clients, which are closed after the test."""
    return _headrace_opened.client


@pytest.fixture
def headrace_server(_headrace_opened: "Opened") -> "ServerFactory":
    """Make started servers on loopback sockets, which are closed after the test."""
    return _headrace_opened.server


@pytest.fixture
def headrace_raw_server(_headrace_opened: "Opened") -> "Callable[..., Awaitable[RawTestServer]]":
    """Make started servers of a coroutine from request to response (needs headrace.web)."""
    return _headrace_opened.raw_server


@pytest.fixture
def headrace_blocking_client(
    request: pytest.FixtureRequest,
) -> "Iterator[Callable[..., BlockingClient]]":
    """Make started clients for tests without async, which are closed after the test."""
    from ._factories import BlockingOpened

    opened = BlockingOpened(_defaults(request.config))
    request.node.stash[_opened] = opened
    yield opened.client
    opened.close(ignore_leaks=request.node.stash.get(_failed, False))


@pytest.fixture
def headrace_unused_port() -> "Callable[[], int]":
    """Return a function that finds a free TCP port."""
    from ._server import unused_port

    return unused_port
