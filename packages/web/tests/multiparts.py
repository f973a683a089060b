"""Multipart bodies and other things that the tests of forms and of multipart readers share."""

from __future__ import annotations

import gc
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from exchanges import FakeExchange, make_request

from headrace import web
from headrace.web._streams import StreamReader

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"


def part(body: bytes, *fields: str) -> bytes:
    """Return one part of a body: header fields, then bytes."""
    head = "".join(f"{field}\r\n" for field in fields).encode("utf-8", "surrogateescape")
    return f"--{BOUNDARY}\r\n".encode() + head + b"\r\n" + body + b"\r\n"


def field(name: str, value: bytes, *fields: str) -> bytes:
    """Return a part that is a field of a form."""
    return part(value, f'Content-Disposition: form-data; name="{name}"', *fields)


def file(name: str, filename: str, content: bytes, *fields: str) -> bytes:
    """Return a part that is a file of a form."""
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    return part(content, disposition, *fields)


END = f"--{BOUNDARY}--\r\n".encode()


def bytewise(data: bytes) -> list[bytes]:
    return [data[n : n + 1] for n in range(len(data))]


def multipart_request(
    *pieces: bytes, subtype: str = "form-data", eof: bool = True, **settings: Any
) -> web.Request:
    """Return a POST whose multipart body arrives in pieces."""
    content_type = f"multipart/{subtype}; boundary={BOUNDARY}"
    request = make_request(
        **{"method": "POST", "headers": {"Content-Type": content_type}, **settings}
    )
    content = StreamReader(FakeExchange())
    for piece in pieces:
        content.feed_data(piece)
    if eof:
        content.feed_eof()
    request._content = content
    return request


async def calls(fn: Callable[[], Awaitable[Any]]) -> int:
    """Count the calls of functions, those in C too, that awaiting something takes."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    # What other tests left behind is not to be freed in here.
    gc.collect()
    gc.disable()
    sys.setprofile(profile)
    try:
        await fn()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count
