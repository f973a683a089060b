"""The test case of unittest, and the names around it."""

import asyncio
import unittest

import pytest
from servers import echo, factory

from headrace.testing import (
    AioHTTPTestCase,
    TestClient,
    TestServer,
    loop_context,
    make_mocked_coro,
    setup_test_loop,
    teardown_test_loop,
    unittest_run_loop,
)


def run(case: type[unittest.TestCase]) -> unittest.TestResult:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    return result


def test_a_case() -> None:
    log = []

    class Case(AioHTTPTestCase):
        async def get_application(self):
            return factory(echo)

        async def setUpAsync(self) -> None:
            log.append("up")

        async def tearDownAsync(self) -> None:
            log.append("down")

        @unittest_run_loop
        async def test_get(self) -> None:
            async with self.client.get("/case") as response:
                assert "GET /case" in await response.text()
            assert self.loop is asyncio.get_running_loop()
            assert self.client.server is self.server
            assert callable(self.app)

        async def test_failing(self) -> None:
            assert (await self.client.get("/")).status == 404

    result = run(Case)
    assert result.testsRun == 2
    assert not result.errors
    assert [case.id().rpartition(".")[2] for case, _ in result.failures] == ["test_failing"]
    assert log == ["up", "down"] * 2


def test_server_and_client_of_ones_own() -> None:
    class Case(AioHTTPTestCase):
        async def get_application(self):
            return factory(echo)

        async def get_server(self, app):
            return TestServer(app)

        async def get_client(self, server):
            return TestClient(server, headers={"X-Case": "1"})

        async def test_get(self) -> None:
            response = await self.client.get("/")
            assert "x-case: 1" in await response.text()
            assert self.server.transport == "socket"

    assert run(Case).wasSuccessful()


def test_an_application_is_asked_for() -> None:
    class Case(AioHTTPTestCase):
        async def test_nothing(self) -> None: ...

    (_case, text) = run(Case).errors[0]
    assert "override get_application()" in text


def test_loops() -> None:
    with loop_context() as loop:
        assert asyncio.get_event_loop_policy().get_event_loop() is loop
        assert loop.run_until_complete(asyncio.sleep(0, "done")) == "done"
    assert loop.is_closed()
    loop = setup_test_loop()
    teardown_test_loop(loop, fast=True)
    assert loop.is_closed()
    teardown_test_loop(loop)


async def test_mocked_coroutines() -> None:
    mock = make_mocked_coro(5)
    assert await mock(1, a=2) == 5
    mock.assert_awaited_once_with(1, a=2)
    with pytest.raises(LookupError):
        await make_mocked_coro(raise_exception=LookupError)()
