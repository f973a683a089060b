"""A middleware for servers behind proxies: whom to believe about the client's address."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence

from multidict import CIMultiDictProxy

import headrace.web._headers as hdrs

from ._app import Request
from ._middleware import Handler, Middleware, middleware
from ._stream_response import StreamResponse

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::[0-9]{1,5})?")


def trusted_proxy_middleware(trusted: Iterable[str], *, forwarded: bool = True) -> Middleware:
    """Return a middleware that takes `remote`, `scheme` and `host` from trusted proxies.

    The address of the connection must be trusted, else nothing is believed. Of the addresses
    that the proxies report, the right-most that is not trusted itself is the client.

    Args:
        trusted: Networks or addresses of the proxies, as ``"10.0.0.0/8"`` or ``"::1"``.
            ``"unix"`` trusts what comes over a Unix socket.
        forwarded: Read ``Forwarded`` (RFC 7239) where it is sent; else, and where it is not,
            ``X-Forwarded-For``, ``-Proto`` and ``-Host``.

    Raises:
        ValueError: An entry of *trusted* is no network.
    """
    entries = list(trusted)
    unix = "unix" in entries
    networks = [ipaddress.ip_network(entry) for entry in entries if entry != "unix"]

    def is_trusted(address: str | None) -> bool:
        if not address:
            return unix
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        return any((mapped or parsed) in network for network in networks)

    @middleware
    async def trust(request: Request, handler: Handler) -> StreamResponse:
        if is_trusted(request.remote):
            headers = request.headers
            is_standard = forwarded and hdrs.FORWARDED in headers
            hops: Sequence[Mapping[str, str]]
            hops = request.forwarded if is_standard else _x(headers)
            for hop in map(_clean, reversed(hops)):
                request._remote = hop.get("for", request._remote)
                request._scheme = hop.get("proto", request._scheme)
                request._host = hop.get("host", request._host)
                if "for" not in hop or not is_trusted(hop["for"]):
                    break
        return await handler(request)

    return trust


def _x(headers: CIMultiDictProxy[str]) -> list[dict[str, str]]:
    """Return the hops of the X-Forwarded fields; a proxy sets one protocol and host for all."""
    found = {
        name: ",".join(headers.getall(f"X-Forwarded-{name}", ())).split(",")
        for name in ("For", "Proto", "Host")
    }
    addresses = [address.strip() for address in found["For"]]
    common = {"proto": found["Proto"][-1].strip(), "host": found["Host"][-1].strip()}
    return [{"for": address, **common} for address in addresses]


def _clean(hop: Mapping[str, str]) -> dict[str, str]:
    """Keep of a hop what has the right form: an address, a scheme, a host."""
    clean = {}
    address = hop.get("for", "")
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    try:
        clean["for"] = str(ipaddress.ip_address(address))
    except ValueError:
        pass  # obfuscated or malformed (RFC 7239, section 6.3): the hop has no address
    if hop.get("proto", "").lower() in ("http", "https"):
        clean["proto"] = hop["proto"].lower()
    if _HOST.fullmatch(hop.get("host", "")):
        clean["host"] = hop["host"]
    return clean
