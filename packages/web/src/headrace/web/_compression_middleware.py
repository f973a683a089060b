"""A middleware that compresses what is worth it, for clients that want it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ._app import Request
from ._compression import Compression, ContentCoding
from ._compressors import compressors
from ._exceptions import HTTPException, framework_answer
from ._middleware import Handler, Middleware, middleware
from ._stream_response import StreamResponse

#: Bytes that fit into the first packet with the head anyway: to compress them saves nothing.
MINIMUM_SIZE: Final = 1024

_SUFFIXES: Final = ("+json", "+xml", "+text", "+yaml")
_TYPES: Final = frozenset(
    {
        "application/ecmascript",
        "application/graphql",
        "application/javascript",
        "application/json",
        "application/jsonl",
        "application/manifest+json",
        "application/rtf",
        "application/sql",
        "application/toml",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/x-javascript",
        "application/x-ndjson",
        "application/x-sh",
        "application/x-www-form-urlencoded",
        "application/xml",
        "application/yaml",
        "font/collection",
        "font/otf",
        "font/ttf",
        "image/bmp",
        "image/x-icon",
        "model/gltf+json",
    }
)


def is_compressible(media: str) -> bool:
    """Tell whether bodies of a media type get smaller: text, data and code, as a rule.

    Pictures, sounds, films, archives and what nobody knows are not worth it.
    """
    return media.startswith("text/") or media in _TYPES or media.endswith(_SUFFIXES)


def compression_middleware(
    *,
    minimum_size: int = MINIMUM_SIZE,
    codings: Iterable[ContentCoding | str] | None = None,
    levels: Mapping[ContentCoding | str, int] | None = None,
    compressible: Callable[[str], bool] = is_compressible,
) -> Middleware:
    """Return a middleware that compresses answers as their clients accept.

    Bodies of any kind are compressed: whole ones, streams piece by piece, files. What has a
    Content-Encoding, is a part of something, or must not be transformed (``Cache-Control:
    no-transform``) is left alone. A client that refuses even what is not coded gets a 406.

    Args:
        minimum_size: Bytes of body below which an answer is sent as it is.
        codings: The codings to offer, the best first; all that are installed by default: zstd,
            br, gzip, deflate.
        levels: Levels of codings that are not to have their default: 3 for zstd, 4 for br, 6 for
            gzip and deflate.
        compressible: Tells of a media type whether it is worth compressing.

    Raises:
        ValueError: A coding is unknown or not installed, or has no such level.
    """
    known = compressors()
    names = tuple(known) if codings is None else tuple(_checked(each) for each in codings)
    compression = Compression(
        codings=names,
        levels={_checked(coding): level for coding, level in (levels or {}).items()},
        minimum_size=minimum_size,
        covers=compressible,
    )
    for name, level in compression.levels.items():
        if level not in known[name].levels:
            raise ValueError(f"{name} has levels {known[name].levels}, not {level}")

    @middleware
    async def compress(request: Request, handler: Handler) -> StreamResponse:
        if not compression.accepted(request):
            raise framework_answer(406)
        # For streams that the handler begins; the rest is told when it comes out.
        request._compression = compression
        try:
            response = await handler(request)
        except HTTPException as error:
            error._compress_by(compression)
            raise
        if isinstance(response, StreamResponse):
            response._compress_by(compression)
        return response

    return compress


def _checked(coding: ContentCoding | str) -> str:
    name = ContentCoding(coding).value
    if name not in compressors():
        raise ValueError(f"the coding {name} is not installed: headrace-web[compression] brings it")
    return name
