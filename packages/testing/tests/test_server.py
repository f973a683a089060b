"""The server: addresses, the life of an application, TLS."""

import asyncio
import socket
import ssl

import pytest
import trustme
from servers import WSServerProtocol, echo, factory, ws_echo
from yarl import URL

from headrace.testing import BaseTestServer, TestClient, TestServer, unused_port


class App:
    """An application that notes what is done to it."""

    def __init__(self, **failing: bool) -> None:
        self.log: list[str] = []
        self.failing = failing
        self.kwargs: dict[str, object] = {}

    async def _step(self, name: str) -> None:
        self.log.append(name)
        if self.failing.get(name):
            raise LookupError(name)

    def make_handler(self, **kwargs: object):
        self.log.append("make_handler")
        self.kwargs = kwargs
        return Handler(self.log)

    async def startup(self) -> None:
        await self._step("startup")

    async def shutdown(self) -> None:
        await self._step("shutdown")

    async def cleanup(self) -> None:
        await self._step("cleanup")


class Handler:
    def __init__(self, log: list[str]) -> None:
        self.log = log

    def __call__(self) -> asyncio.Protocol:
        return factory(echo)()

    def pre_shutdown(self) -> None:
        self.log.append("pre_shutdown")

    async def shutdown(self, timeout: float) -> None:
        self.log.append(f"handler.shutdown({timeout})")


async def test_the_life_of_an_application(transport) -> None:
    app = App()
    server = TestServer(app, transport=transport, shutdown_timeout=7)
    assert not server.started
    await server.start_server(tcp_keepalive=True)
    await server.start_server()
    assert server.started
    assert app.kwargs == {"tcp_keepalive": True}
    assert app.log == ["startup", "make_handler"]
    assert isinstance(server.handler, Handler)
    assert server.runner.server is server.handler
    assert server.runner.addresses == [(server.host, server.port)]
    await server.close()
    await server.close()
    assert server.closed
    assert app.log[2:] == ["pre_shutdown", "shutdown", "handler.shutdown(7)", "cleanup"]


async def test_an_application_that_does_not_start_is_cleaned_up(transport) -> None:
    app = App(startup=True)
    with pytest.raises(LookupError, match="startup"):
        async with TestClient(app, transport=transport):
            pass
    assert app.log == ["startup", "cleanup"]


async def test_the_client_knows_the_server(transport) -> None:
    app = App()
    async with TestClient(app, transport=transport) as client:
        assert client.app is app
        assert client.server.transport == transport
        assert client.handler is client.server.handler
        assert (client.host, client.port) == ("127.0.0.1", client.server.port)
        assert client.make_url("/a") == client.server.make_url("/a")
        assert (await client.get("/")).status == 200
        assert not client.closed
    assert client.server.closed


async def test_old_handlers_finish_their_connections(transport) -> None:
    log = []

    class Old:
        def __call__(self) -> asyncio.Protocol:
            return factory(echo)()

        async def finish_connections(self, timeout: float) -> None:
            log.append(timeout)

    class OldApp(App):
        def make_handler(self, **kwargs: object):
            return Old()

    async with TestClient(OldApp(), transport=transport) as client:
        assert (await client.get("/")).status == 200
    assert log == [1.0]


async def test_urls(transport) -> None:
    async with TestServer(factory(echo), transport=transport) as server:
        assert server.make_url("/a?b=c") == URL(f"http://127.0.0.1:{server.port}/a?b=c")
        assert server.make_url(server.make_url("/x")) == server.make_url("/x")
        with pytest.raises(ValueError, match="not on the server under test"):
            server.make_url("http://example.com/")


async def test_a_port_of_ones_own(transport) -> None:
    port = unused_port()
    async with TestServer(factory(echo), port=port, transport=transport) as server:
        assert server.port == port
        assert server.make_url("/").port == port


def test_unused_port_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", unused_port())) as server:
        assert server.getsockname()[1] > 0


async def test_a_closed_server_refuses_connections(transport) -> None:
    server = TestServer(factory(echo), transport=transport)
    client = TestClient(server)
    await client.start_server()
    await server.close()
    with pytest.raises(ConnectionRefusedError):
        await client.get("/")
    await client.close()


async def test_it_must_be_started() -> None:
    server = TestServer(factory(echo))
    for name in ("runner", "handler", "listener"):
        with pytest.raises(RuntimeError, match="not started"):
            getattr(server, name)
    assert server.port is None
    await server.close()
    assert not server.closed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"transport": "carrier pigeon"}, "'memory' or 'socket'"),
        ({"scheme": "https"}, "needs a server's context"),
    ],
)
def test_senseless_options(options, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TestServer(factory(echo), **options)


async def test_neither_application_nor_factory() -> None:
    with pytest.raises(TypeError, match="neither an application"):
        await TestServer(object()).start_server()


async def test_the_base_is_abstract() -> None:
    with pytest.raises(NotImplementedError):
        await BaseTestServer().start_server()


def test_the_transport_of_a_server_is_its_own() -> None:
    with pytest.raises(ValueError, match="transport is 'socket'"):
        TestClient(TestServer(factory(echo)), transport="memory")


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_tls(connect, server_tls: ssl.SSLContext) -> None:
    seen = []

    class Seeing(type(factory(echo)())):
        def connection_made(self, transport) -> None:
            seen.append(transport.get_extra_info("ssl_object").version())
            super().connection_made(transport)

    async with connect(lambda: Seeing(echo), server_ssl=server_tls) as client:
        assert client.server.scheme == "https"
        for _ in range(2):
            response = await client.post("/", data=bytes(200_000))
            assert (await response.read()).endswith(bytes(200_000))
            assert response.url.scheme == "https"
    assert len(seen) == 1
    assert seen[0].startswith("TLS")


async def test_tls_with_a_certificate_that_is_checked(connect, authority, server_tls) -> None:
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        async with connect(factory(echo), server_ssl=server_tls, ssl=context) as client:
            await client.get("/")
    authority.configure_trust(context)
    async with connect(factory(echo), server_ssl=server_tls, ssl=context) as client:
        assert (await client.get("/")).status == 200


async def test_websockets_over_tls(connect, server_tls: ssl.SSLContext) -> None:
    async with (
        connect(lambda: WSServerProtocol(ws_echo), server_ssl=server_tls) as client,
        client.ws_connect(client.make_url("/").with_scheme("wss")) as socket,
    ):
        await socket.send_str("secret")
        assert await socket.receive_str() == "secret"


async def test_secure_cookies_need_tls(connect, server_tls: ssl.SSLContext) -> None:
    async with connect(factory(echo), server_ssl=server_tls) as client:
        client.cookies.update_cookies(_secure("a"))
        assert "cookie: a=1\n" in await (await client.get("/")).text()
    async with connect(factory(echo)) as client:
        client.cookies.update_cookies(_secure("a"))
        assert "cookie" not in await (await client.get("/")).text()


def _secure(name: str):
    from http.cookies import SimpleCookie

    cookies = SimpleCookie({name: "1"})
    cookies[name]["secure"] = True
    return cookies
