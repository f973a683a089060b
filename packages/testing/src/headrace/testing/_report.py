"""How an exchange looks in a failure message."""

from collections.abc import Iterable

from ._request import Pair, SentRequest

__all__ = ["describe"]

_BODY_SHOWN = 1000


def describe(
    request: SentRequest,
    status: tuple[tuple[int, int], int, str] | None,
    pairs: Iterable[Pair],
    body: bytes,
) -> str:
    """Return both heads and the beginning of both bodies, ``>`` sent and ``<`` received."""
    version = ".".join(map(str, request.version))
    lines = [f"> {request.method} {_text(request.target)} HTTP/{version}"]
    lines += [f"> {_text(name)}: {_text(value)}" for name, value in request.pairs]
    lines += [">", *_body("> ", request.body)]
    if request.streamed:
        lines.append("> (streamed body)")
    if status is None:
        lines.append("< (no response)")
    else:
        (major, minor), code, reason = status
        lines.append(f"< HTTP/{major}.{minor} {code} {reason}".rstrip())
        lines += [f"< {_text(name)}: {_text(value)}" for name, value in pairs]
        lines += ["<", *_body("< ", body)]
    return "\n".join(lines)


def _body(prefix: str, body: bytes | None) -> list[str]:
    if not body:
        return []
    shown = body[:_BODY_SHOWN]
    try:
        text = shown.decode("utf-8", "strict" if len(body) <= _BODY_SHOWN else "ignore")
    except UnicodeDecodeError:
        text = repr(shown)
    lines = [prefix + line for line in text.splitlines()]
    if len(body) > _BODY_SHOWN:
        lines.append(f"{prefix}... {len(body) - _BODY_SHOWN} bytes more")
    return lines


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
