"""What a file's name tells: its media type, its compressed siblings, its name as a download."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from itertools import takewhile
from mimetypes import MimeTypes
from typing import Final, NamedTuple
from urllib.parse import quote

from ._accept import acceptable_codings

_MORE_TYPES: Final = {
    ".7z": "application/x-7z-compressed",
    ".apng": "image/apng",
    ".avif": "image/avif",
    ".br": "application/x-brotli",
    ".bz2": "application/x-bzip2",
    ".gz": "application/gzip",
    ".ico": "image/x-icon",
    ".jxl": "image/jxl",
    ".js": "text/javascript",
    ".jsonld": "application/ld+json",
    ".m4a": "audio/mp4",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".mkv": "video/matroska",
    ".ogg": "audio/ogg",
    ".opus": "audio/opus",
    ".otf": "font/otf",
    ".rst": "text/x-rst",
    ".tgz": "application/gzip",
    ".toml": "application/toml",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xz": "application/x-xz",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zst": "application/zstd",
    ".Z": "application/x-compress",
}


def _make_types() -> MimeTypes:
    """Return a table of its own: what the system says would differ from host to host."""
    types = MimeTypes()
    # A compressed file is served as what it is, not as a coding of something else.
    types.encodings_map = {}
    types.suffix_map = {}
    for extension, media in _MORE_TYPES.items():
        types.add_type(media, extension)
    return types


_TYPES: Final = _make_types()


class FileType(NamedTuple):
    """A media type, and the charset of text."""

    media: str
    charset: str | None


@lru_cache(maxsize=256)
def _type_of(extension: str) -> FileType:
    # With a suffix alone, there is nothing in a name that could be taken for a URL.
    media = _TYPES.guess_type(f"x{extension}", strict=False)[0] or "application/octet-stream"
    return FileType(media, "utf-8" if media.startswith("text/") else None)


def file_type(name: str) -> FileType:
    """Return the type of a file by its extension; text counts as UTF-8."""
    extension = os.path.splitext(name)[1]
    return _type_of(extension if len(extension) <= 16 else "")


class Coding(NamedTuple):
    """A content coding, and the extension of files that are in it."""

    name: str
    extension: str


#: In the order in which the server prefers them.
CODINGS: Final = (Coding("zstd", ".zst"), Coding("br", ".br"), Coding("gzip", ".gz"))


_BY_NAME: Final = {coding.name: coding for coding in CODINGS}


@lru_cache(maxsize=256)
def accepted_codings(fields: tuple[str, ...]) -> tuple[Coding, ...]:
    """Return the codings that Accept-Encoding puts before none at all, the best first."""
    names = acceptable_codings(fields, tuple(_BY_NAME))
    return tuple(_BY_NAME[name] for name in takewhile(_BY_NAME.__contains__, names))


def content_disposition(filename: str, *, inline: bool = False) -> str:
    """Return the Content-Disposition that makes a browser save an answer as *filename*.

    Names beyond ASCII are given twice: in plain for old clients, and in full (RFC 6266).
    Slashes, backslashes and control characters become ``_``.

    Args:
        filename: The name, without folders.
        inline: Show the answer; the name counts when the user saves it.
    """
    return disposition("inline" if inline else "attachment", filename=filename)


def disposition(kind: str, **parameters: str) -> str:
    """Return a Content-Disposition.

    Parameters of ``form-data`` are UTF-8, with the escapes that browsers use; others are plain
    ASCII, and given in full too where that is not all (RFC 6266).
    """
    escape = _form_parameter if kind == "form-data" else _parameter
    return "; ".join([kind, *(escape(name, value) for name, value in parameters.items())])


def _form_parameter(name: str, value: str) -> str:
    # https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
    value = value.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
    return f'{name}="{value}"'


def _parameter(name: str, value: str) -> str:
    value = "".join("_" if char in "/\\" or not char.isprintable() else char for char in value)
    plain = "".join(char if char.isascii() and char not in '"%' else "_" for char in value)
    if plain == value:
        return f'{name}="{plain}"'
    full = quote(value.encode("utf-8", "replace"), safe="!#$&+-.^_`|~")
    return f"{name}=\"{plain}\"; {name}*=UTF-8''{full}"


def siblings(path: str) -> Sequence[Coding]:
    """Return the codings in which a file may stand beside *path*."""
    return () if path.endswith((".zst", ".br", ".gz")) else CODINGS
