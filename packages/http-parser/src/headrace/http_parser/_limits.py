"""The limits of what a peer may make us hold or scan."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a peer may send at most; more of it raises `RemoteProtocolError`.

    Args:
        max_request_line: bytes of the request line or status line, its CR LF not counted; more
            is 414. Precedents: aiohttp 8190, Apache 8190, RFC 9112 section 3 recommends 8000.
        max_headers: number of header lines, and of trailer lines; more is 431. Precedents:
            aiohttp 128, Apache 100, Python's http.client 100.
        max_header: bytes of one header line, its CR LF not counted; more is 431. Precedents:
            aiohttp 8190, Apache 8190.
        max_head: bytes of a whole head, from its first byte to the CR LF that ends it; more is
            431. Precedents: h11 and Node.js 16 KiB, Go 1 MiB.
        max_chunk_extensions: bytes of the chunk extensions of one message together; more is 400.
            Precedents: Node.js 16 KiB, Go 16 KiB of overhead.
        max_trailers: bytes of the trailer section; more is 431. Precedent: the 8 KiB that
            nginx gives a header.
        max_leading_empty_lines: empty lines skipped before a request line; more is 400. RFC 9112
            section 2.2 asks for at least one. 0 turns the skipping off.
    """

    max_request_line: int = 8190
    max_headers: int = 128
    max_header: int = 8190
    max_head: int = 65536
    max_chunk_extensions: int = 16384
    max_trailers: int = 8192
    max_leading_empty_lines: int = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or not 0 <= value < 2**31:
                raise ValueError(f"{field.name} is {value!r}, expected a number from 0 to 2**31-1")
