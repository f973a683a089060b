"""Both transports, for every test that asks for `transport`."""

import pytest

from headrace.testing import TestClient, TestServer

pytest_plugins = ["pytester"]


@pytest.fixture(params=["memory", "socket"])
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def connect(transport):
    """Make a client of a protocol factory over the transport of the test."""

    def make(factory, **options) -> TestClient:
        server = TestServer(
            factory,
            transport=transport,
            ssl=options.pop("server_ssl", None),
            check_leaks=options.get("check_leaks", True),
        )
        return TestClient(server, **options)

    return make
