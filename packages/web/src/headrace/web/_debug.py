"""The page that a failed handler shows to its developer, and to nobody else."""

from __future__ import annotations

import html
import ipaddress
import linecache
import reprlib
import traceback
from types import FrameType
from typing import Final

from ._exceptions import HTTPInternalServerError
from ._request import BaseRequest

#: Lines of source shown before and after the one that failed.
CONTEXT: Final = 4

_FORWARDING: Final = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"})
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body{{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem}}
pre{{background:#8882;border-radius:.4rem;overflow:auto;padding:.6rem}}
mark{{background:#f803;color:inherit;display:block}}
summary{{cursor:pointer}} th{{text-align:left;vertical-align:top;padding-right:1rem}}
td{{font-family:ui-monospace,monospace;white-space:pre-wrap;word-break:break-all}}
@media(prefers-color-scheme:dark){{body{{background:#111;color:#ddd}}}}
</style>
<h1>{title}</h1>
<p>{request}</p>
{frames}
<h2>Traceback</h2>
<pre>{trace}</pre>
</html>
"""
_FRAME: Final = """\
<h2><code>{name}</code> in {file}, line {line}</h2>
<pre>{source}</pre>
<details><summary>Local variables</summary><table>{variables}</table></details>
"""


def is_local(request: BaseRequest) -> bool:
    """Tell whether the request comes from this machine, and not through a proxy on it."""
    if any(name.lower() in _FORWARDING for name, _ in request.raw_headers):
        return False
    peer = request.get_extra_info("peername")
    if not isinstance(peer, tuple):
        return request.transport is not None  # a Unix socket
    try:
        return ipaddress.ip_address(peer[0].partition("%")[0]).is_loopback
    except ValueError:
        return False


def debug_page(request: BaseRequest, error: BaseException) -> HTTPInternalServerError:
    """Return a 500 that shows the failure: traceback, source lines, local variables."""
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    page = _PAGE.format(
        title=html.escape(f"{type(error).__name__}: {error}"),
        request=html.escape(f"{request.method} {request.raw_path}"),
        frames="".join(_show(frame, line) for frame, line in reversed(frames)),
        trace=html.escape("".join(traceback.format_exception(error))),
    )
    return HTTPInternalServerError(text=page, content_type="text/html")


def _show(frame: FrameType, line: int) -> str:
    code = frame.f_code
    rows = [
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(reprlib.repr(value))}</td></tr>"
        for name, value in frame.f_locals.items()
    ]
    return _FRAME.format(
        name=html.escape(code.co_qualname),
        file=html.escape(code.co_filename),
        line=line,
        source=_source(code.co_filename, line, frame),
        variables="".join(rows),
    )


def _source(filename: str, line: int, frame: FrameType) -> str:
    lines = []
    for number in range(max(1, line - CONTEXT), line + CONTEXT + 1):
        text = html.escape(linecache.getline(filename, number, frame.f_globals).rstrip("\n"))
        if text or number <= line:
            shown = f"{number:5} {text}"
            lines.append(f"<mark>{shown}</mark>" if number == line else f"{shown}\n")
    return "".join(lines)
