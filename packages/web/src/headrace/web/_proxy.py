"""A middleware for servers behind proxies: whom to believe about the client's address."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from multidict import CIMultiDictProxy

import headrace.web._headers as hdrs

from ._middleware import Handler, Middleware, middleware
from ._request import Request
from ._response import StreamResponse

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_PAIR = re.compile(
    r"""[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^ \t;,"]*))[ \t]*(;|,|$)"""
)
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
            hops = _forwarded(headers) if forwarded and hdrs.FORWARDED in headers else _x(headers)
            for hop in reversed(hops):
                request._remote = hop.get("for", request._remote)
                request._scheme = hop.get("proto", request._scheme)
                request._host = hop.get("host", request._host)
                if "for" not in hop or not is_trusted(hop["for"]):
                    break
        return await handler(request)

    return trust


def _forwarded(headers: CIMultiDictProxy[str]) -> list[dict[str, str]]:
    """Return the hops of Forwarded, the client's own first; a malformed field is no hop."""
    text = ", ".join(headers.getall(hdrs.FORWARDED))
    hops: list[dict[str, str]] = [{}]
    position = 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            return []
        name, quoted, token, separator = match.groups()
        hops[-1][name.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token
        position = match.end()
        if separator == ",":
            hops.append({})
        elif not separator and match.start() == match.end():
            return []
    return [_clean(hop) for hop in hops]


def _x(headers: CIMultiDictProxy[str]) -> list[dict[str, str]]:
    """Return the hops of the X-Forwarded fields; a proxy sets one protocol and host for all."""
    found = {
        name: ",".join(headers.getall(f"X-Forwarded-{name}", ())).split(",")
        for name in ("For", "Proto", "Host")
    }
    addresses = [address.strip() for address in found["For"]]
    common = {"proto": found["Proto"][-1].strip(), "host": found["Host"][-1].strip()}
    return [_clean({"for": address, **common}) for address in addresses]


def _clean(hop: dict[str, str]) -> dict[str, str]:
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
