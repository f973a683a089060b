"""The fixtures, in runs of pytest of their own."""

import pytest

SERVER = """
    import asyncio
    import pytest

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            body = data.split()[1]
            head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
            self.transport.write(head + body)
"""

ON_ASYNCIO = """
    @pytest.mark.asyncio
    async def test_client(headrace_client):
        client = await headrace_client(Protocol)
        assert client.server.transport == "memory"
        assert await (await client.get("/a")).text() == "/a"

    @pytest.mark.asyncio
    async def test_server(headrace_server, headrace_client):
        server = await headrace_server(Protocol)
        assert server.transport == "socket"
        client = await headrace_client(server)
        assert await (await client.get("/b")).text() == "/b"

    @pytest.mark.asyncio
    async def test_port(headrace_unused_port, headrace_server):
        port = headrace_unused_port()
        server = await headrace_server(Protocol, port=port)
        assert server.port == port
"""

MORE = ["-p", "no:cacheprovider", "-W", "error"]
ALONE = ["-p", "no:aiohttp"]  # pytest-aiohttp may be installed
SCOPE = ["-o", "asyncio_default_fixture_loop_scope=function"]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run the code of a test file, after that of a small server."""
    from textwrap import dedent

    # A run inside of a run is none of the outer one's business.
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def make(code: str, *args: str) -> pytest.RunResult:
        pytester.makepyfile(dedent(SERVER) + dedent(code))
        scope = [] if "no:asyncio" in args else SCOPE
        return pytester.runpytest_inprocess(*MORE, *scope, *args)

    return make


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_on_pytest_asyncio(run, mode: str) -> None:
    run(ON_ASYNCIO, "-p", "no:anyio", f"--asyncio-mode={mode}").assert_outcomes(passed=3)


def test_loop_scopes_of_pytest_asyncio(run) -> None:
    code = """
        loops = set()

        @pytest.mark.asyncio(loop_scope="module")
        class TestModule:
            async def test_one(self, headrace_client):
                loops.add(asyncio.get_running_loop())
                assert (await (await headrace_client(Protocol)).get("/")).status == 200

            async def test_two(self, headrace_client):
                loops.add(asyncio.get_running_loop())
                assert (await (await headrace_client(Protocol)).get("/")).status == 200
                assert len(loops) == 1
    """
    run(code, "-p", "no:anyio").assert_outcomes(passed=2)


def test_on_anyio(run) -> None:
    code = ON_ASYNCIO.replace("mark.asyncio", "mark.anyio") + (
        "\n    @pytest.fixture\n    def anyio_backend():\n        return 'asyncio'\n"
    )
    run(code, *ALONE, "-p", "no:asyncio").assert_outcomes(passed=3)


def test_on_anyio_beside_pytest_asyncio(run) -> None:
    code = """
        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.fixture
        async def client(headrace_client):
            return await headrace_client(Protocol)

        @pytest.mark.anyio
        async def test_client(client):
            assert await (await client.get("/a")).text() == "/a"
    """
    run(code, "--asyncio-mode=strict").assert_outcomes(passed=1)


def test_fixtures_of_ones_own(run) -> None:
    code = """
        import pytest_asyncio

        @pytest_asyncio.fixture
        async def client(headrace_client):
            return await headrace_client(Protocol, headers={"X": "1"})

        @pytest.mark.asyncio
        async def test_client(client):
            assert await (await client.get("/a")).text() == "/a"
    """
    run(code).assert_outcomes(passed=1)


def test_without_async(run) -> None:
    code = """
        def test_client(headrace_blocking_client):
            client = headrace_blocking_client(Protocol)
            assert client.get("/a").text() == "/a"

        def test_wrong(headrace_client):
            pass
    """
    result = run(code, *ALONE, "-p", "no:asyncio")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines("*headrace_client runs in tests of pytest-asyncio or anyio*")


def test_the_transport_is_a_setting(run) -> None:
    code = """
        @pytest.mark.asyncio
        async def test_client(headrace_client):
            assert (await headrace_client(Protocol)).server.transport == "socket"
            client = await headrace_client(Protocol, transport="memory")
            assert client.server.transport == "memory"
    """
    run(code, "-o", "headrace_transport=socket").assert_outcomes(passed=1)


LEAKING = """
    tasks = []

    @pytest.mark.asyncio
    async def test_leaking(headrace_client):
        client = await headrace_client(Protocol)
        tasks.append(asyncio.create_task(asyncio.Event().wait(), name="forgotten"))

    def test_leaking_too(headrace_blocking_client):
        client = headrace_blocking_client(Protocol)

        async def leak():
            tasks.append(asyncio.create_task(asyncio.Event().wait(), name="forgotten"))

        client.run(leak())
"""


def test_leaks_fail_the_test(run) -> None:
    result = run(LEAKING)
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(["*LeakError: left behind: task forgotten (*"] * 2)


def test_leaks_may_be_allowed(run) -> None:
    run(LEAKING, "-o", "headrace_check_leaks=false").assert_outcomes(passed=2)


def test_a_traceback_leads_from_the_test_to_the_server(run) -> None:
    result = run(
        """
        class Failing(Protocol):
            def data_received(self, data):
                raise LookupError("inside")

        @pytest.mark.asyncio
        async def test_failing(headrace_client):
            client = await headrace_client(Failing)
            await client.get("/")
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*LookupError: inside*"])
    result.stdout.no_fnmatch_line("*_session.py:*: in *")
    result.stdout.no_fnmatch_line("*_connection.py:*: in *")


def test_a_failure_shows_the_exchange_and_no_leak(run) -> None:
    code = """
        @pytest.mark.asyncio
        async def test_failing(headrace_client):
            client = await headrace_client(Protocol)
            asyncio.create_task(asyncio.Event().wait())
            response = await client.get("/the/path", headers={"X-Sent": "yes"})
            await response.read()
            assert response.status == 404
    """
    result = run(code)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*assert 200 == 404*",
            "*where 200 = <ClientResponse GET /the/path -> 200 OK>.status*",
            "*HTTP exchange*",
            "> GET /the/path HTTP/1.1",
            "> X-Sent: yes",
            "< HTTP/1.1 200 OK",
            "< Content-Length: 9",
            "< /the/path",
        ]
    )


def test_the_names_of_pytest_aiohttp(run) -> None:
    code = """
        @pytest.mark.asyncio
        async def test_client(aiohttp_client, aiohttp_server, aiohttp_unused_port):
            server = await aiohttp_server(Protocol, port=aiohttp_unused_port())
            client = await aiohttp_client(server)
            assert await (await client.get("/b")).text() == "/b"
            asyncio.create_task(asyncio.Event().wait())

        def test_class(aiohttp_client_cls):
            from headrace.testing import TestClient
            assert aiohttp_client_cls is TestClient
    """
    run(code, "-o", "headrace_aiohttp_names=true").assert_outcomes(passed=2)
    run(code, *ALONE).assert_outcomes(errors=2)


def test_the_header_tells_the_twins(run) -> None:
    from headrace import http_parser, websocket

    result = run("def test_nothing(): pass")
    result.stdout.fnmatch_lines(
        [
            f"headrace.http_parser: {http_parser.IMPLEMENTATION}",
            f"headrace.websocket: {websocket.IMPLEMENTATION}",
        ]
    )


def test_beside_pytest_aiohttp(run) -> None:
    pytest.importorskip("pytest_aiohttp")
    code = """
        from aiohttp import web

        @pytest.mark.asyncio
        async def test_theirs(aiohttp_client, headrace_client):
            theirs = await aiohttp_client(web.Application())
            assert type(theirs).__module__ == "aiohttp.test_utils"
            ours = await headrace_client(theirs.server.handler)
            assert (await ours.get("/")).status == 404
    """
    run(code).assert_outcomes(passed=1)
    code = """
        @pytest.mark.asyncio
        async def test_ours(aiohttp_client, aiohttp_server):
            client = await aiohttp_client(await aiohttp_server(Protocol))
            assert type(client).__module__ == "headrace.testing._client"
    """
    run(code, "-o", "headrace_aiohttp_names=true").assert_outcomes(passed=1)
