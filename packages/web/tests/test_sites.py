"""Sites: addresses on which a runner's server listens."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import stat
import subprocess
from pathlib import Path

import aiohttp
import pytest
from launching import GET, get, hello, make_app
from serving import Wire

from headrace import web


async def test_several_sites_share_a_runner(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket() as bound, socket.socket(socket.AF_UNIX) as unix:
        bound.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "bound"))
        runner = web.AppRunner(make_app())
        await runner.setup()
        sites: list[web.BaseSite] = [
            web.TCPSite(runner, "127.0.0.1", 0),
            web.UnixSite(runner, path),
            web.SockSite(runner, bound),
            web.SockSite(runner, unix),
        ]
        for site in sites:
            await site.start()
        tcp = sites[0]
        assert isinstance(tcp, web.TCPSite)
        port = bound.getsockname()[1]
        assert tcp.name == f"http://127.0.0.1:{tcp.port}"
        assert sites[1].name == f"http://unix:{path}:"
        assert sites[2].name == f"http://127.0.0.1:{port}"
        assert sites[3].name == f"http://unix:{tmp_path / 'bound'}:"
        assert repr(tcp) == f"<TCPSite {tcp.name}>"
        assert runner.sites == set(sites)
        assert sorted(map(str, runner.addresses)) == sorted(
            map(str, [("127.0.0.1", tcp.port), str(path), ("127.0.0.1", port), f"{tmp_path}/bound"])
        )
        assert await get(tcp.name) == f"http 127.0.0.1:{tcp.port}"
        assert await get(sites[2].name) == f"http 127.0.0.1:{port}"
        for socket_path in (path, tmp_path / "bound"):
            connector = aiohttp.UnixConnector(str(socket_path))
            assert await get("http://a/", connector=connector) == "http a"
        await sites[1].stop()
        assert not path.exists()
        assert sites[1] not in runner.sites
        await runner.cleanup()
        assert not runner.sites
        assert runner.addresses == []
        with pytest.raises(aiohttp.ClientConnectorError):
            await get(f"http://127.0.0.1:{port}")


OPENSSL = shutil.which("openssl")


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl to make a certificate")
async def test_tls(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        begun.set()
        await gate.wait()
        return web.Response(text="nobody reads this")

    subprocess.run(
        f"{OPENSSL} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        " -keyout key -out certificate -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1",
        shell=True,
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    app = make_app()
    app.router.add_get("/slow", slow)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate"))
    assert site.name == f"https://127.0.0.1:{site.port}"
    connector = aiohttp.TCPConnector(ssl=trusting)
    assert await get(site.name, connector=connector) == f"https 127.0.0.1:{site.port}"
    address = ("127.0.0.1", site.port)
    wire = Wire(*await asyncio.open_connection(*address, ssl=trusting))
    wire.send(b"nonsense\r\n\r\n")
    assert (await wire.rest()).startswith(b"HTTP/1.1 400 ")
    await wire.close()
    plain = Wire(*await asyncio.open_connection(*address))
    plain.send(GET)
    assert await plain.rest() == b""
    await plain.close()
    wire = Wire(*await asyncio.open_connection(*address, ssl=trusting))
    wire.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    await begun.wait()
    await wire.close()
    gate.set()
    await runner.cleanup()
    assert "eof_received" not in caplog.text


def test_a_site_has_a_port_and_a_name_before_it_starts() -> None:
    async def main() -> None:
        runner = web.ServerRunner(web.Server(hello))
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        assert web.TCPSite(runner).name == "http://0.0.0.0:8080"
        assert web.TCPSite(runner, "::1", 80).name == "http://[::1]"
        assert web.TCPSite(runner, ssl_context=context).name == "https://0.0.0.0:8443"
        await runner.cleanup()

    asyncio.run(main())


async def test_a_taken_address_is_an_oserror() -> None:
    runner = web.AppRunner(make_app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    with pytest.raises(OSError, match="address"):
        await web.TCPSite(runner, "127.0.0.1", site.port).start()
    assert runner.sites == {site}
    await runner.cleanup()


@pytest.mark.parametrize("mode", [0o600, 0o666])
async def test_a_unix_socket_has_its_permissions_from_the_start(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    runner = web.AppRunner(make_app())
    await runner.setup()
    site = web.UnixSite(runner, path, mode=mode)
    await site.start()
    assert stat.S_IMODE(path.stat().st_mode) == mode
    connector = aiohttp.UnixConnector(str(path))
    assert await get("http://a/", connector=connector) == "http a"
    await runner.cleanup()
    assert not path.exists()


async def test_a_path_that_another_program_took_over_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    runner = web.AppRunner(make_app())
    await runner.setup()
    await web.UnixSite(runner, path).start()
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        await runner.cleanup()
        assert path.exists()


async def test_a_path_that_cannot_be_bound_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("precious")
    runner = web.AppRunner(make_app())
    await runner.setup()
    with pytest.raises(OSError, match=f"cannot listen on '{path}'"):
        await web.UnixSite(runner, path).start()
    assert path.read_text() == "precious"
    await runner.cleanup()


async def test_a_path_that_is_too_long_for_a_socket_is_told_so() -> None:
    runner = web.AppRunner(make_app())
    await runner.setup()
    with pytest.raises(OSError, match=r"cannot listen on '/a+': AF_UNIX path too long"):
        await web.UnixSite(runner, "/" + 200 * "a").start()
    await runner.cleanup()


async def test_a_given_unix_socket_keeps_its_file(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(path))
        runner = web.AppRunner(make_app())
        await runner.setup()
        await web.SockSite(runner, unix).start()
        await runner.cleanup()
    assert path.exists()
