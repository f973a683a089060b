"""Certificates that are renewed while the server runs."""

from __future__ import annotations

import asyncio
import signal
import ssl
from pathlib import Path

import pytest
from certificates import OPENSSL, make_certificate
from launching import Program, hello

from headrace import web

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl")


def name_of(port: int) -> str:
    """Return the name in the certificate that is shown at a port."""
    certificate = ssl.get_server_certificate(("127.0.0.1", port))
    trusting = ssl.create_default_context(cadata=certificate)
    [found] = trusting.get_ca_certs()
    return str(found["subject"][0][0][1])


async def test_a_new_certificate_counts_for_new_connections(tmp_path: Path) -> None:
    context = web.TLSContext(*make_certificate(tmp_path, "first"))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    async with web.serve(web.Application(), host="127.0.0.1", port=0, ssl_context=context) as site:
        port = site.addresses[0][1]
        assert await asyncio.to_thread(name_of, port) == "first"
        _, key = make_certificate(tmp_path, "second")
        context.reload()
        assert await asyncio.to_thread(name_of, port) == "second"
        whole = key.read_bytes()
        make_certificate(tmp_path, "third")
        key.write_bytes(whole)
        with pytest.raises(ssl.SSLError):
            context.reload()
        assert await asyncio.to_thread(name_of, port) == "second"
        key.unlink()
        with pytest.raises(FileNotFoundError):
            context.reload()


async def test_a_client_that_does_not_shake_hands_is_dropped(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/", hello)
    context = web.TLSContext(*make_certificate(tmp_path))
    serving = web.serve(
        app, host="127.0.0.1", port=0, ssl_context=context, ssl_handshake_timeout=0.05
    )
    async with serving:
        reader, writer = await asyncio.open_connection("127.0.0.1", serving.addresses[0][1])
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


SOURCE = """
import logging, sys
from headrace import web

logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
context = web.TLSContext("certificate", "key")
web.run_app(web.Application(), host="127.0.0.1", port=0, ssl_context=context)
"""


def test_sighup_reloads_the_certificate(tmp_path: Path) -> None:
    _, key = make_certificate(tmp_path, "first")
    with Program(SOURCE, cwd=tmp_path) as running:
        port = int(running.line().split(":")[-1].split()[0])
        assert running.line() == "(Press CTRL+C to quit)"
        assert name_of(port) == "first"
        make_certificate(tmp_path, "second")
        running.process.send_signal(signal.SIGHUP)
        assert running.line() == "reloaded the certificate"
        assert name_of(port) == "second"
        key.unlink()
        running.process.send_signal(signal.SIGHUP)
        assert running.line().startswith("the certificate was not reloaded: ")
        assert name_of(port) == "second"
        code, _ = running.end(signal.SIGTERM)
        assert code == 0
