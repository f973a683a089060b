"""From what a caller passes as ``data`` or ``json`` to a body and its headers."""

import inspect
import json as json_module
import mimetypes
import os
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import IO, NamedTuple, Protocol, TypeAlias, cast, final, runtime_checkable
from urllib.parse import urlencode

from multidict import CIMultiDict

from ._pairs import items_of

__all__ = ["Body", "FormData", "Writable", "encode_body"]

Buffer: TypeAlias = bytes | bytearray | memoryview
File: TypeAlias = IO[bytes] | IO[str]


class Sink(Protocol):
    """What a `Writable` writes itself to."""

    async def write(self, chunk: Buffer) -> None:
        """Take *chunk*."""
        ...


@runtime_checkable
class Writable(Protocol):
    """A body that writes itself, such as ``MultipartWriter`` of headrace.web or aiohttp."""

    headers: Mapping[str, str]

    async def write(self, writer: Sink) -> None:
        """Write the body to *writer*."""
        ...


class Body(NamedTuple):
    """A body and the headers that describe it."""

    content: "bytes | AsyncIterable[Buffer] | None"
    headers: tuple[tuple[str, str], ...] = ()


class _Field(NamedTuple):
    name: str
    value: bytes
    filename: str | None
    content_type: str | None
    headers: tuple[tuple[str, str], ...]


NO_BODY = Body(None)


@final
class FormData:
    """A form to send as ``data``.

    A form is sent as ``application/x-www-form-urlencoded``, and as ``multipart/form-data`` once
    a field has a file, a filename, bytes or a content type, or with *multipart* true.

    Args:
        fields: A mapping or (name, value) pairs.
        multipart: Send as multipart in any case.
        boundary: The boundary between the parts; a random one when None.
    """

    def __init__(
        self,
        fields: "Mapping[str, object] | Iterable[tuple[str, object]]" = (),
        *,
        multipart: bool = False,
        boundary: str | None = None,
    ) -> None:
        self._fields: list[_Field] = []
        self._multipart = multipart
        self._boundary = boundary or f"headrace-{secrets.token_hex(12)}"
        for name, value in items_of(fields):
            self.add_field(name, value)

    @property
    def is_multipart(self) -> bool:
        """Tell whether the form is to be sent as ``multipart/form-data``."""
        return self._multipart

    def add_field(
        self,
        name: str,
        value: object,
        *,
        content_type: str | None = None,
        filename: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Add a field.

        Args:
            name: The name of the field.
            value: Text, bytes, a number, or an open file, which is read now.
            content_type: The media type of the part; guessed from the filename when None.
            filename: The filename of the part; taken from an open file when None.
            headers: More headers of the part.
        """
        if hasattr(value, "read"):
            filename = filename or filename_of(value) or name
            value = cast(File, value).read()
        if isinstance(value, Buffer):
            self._multipart = True
            raw = bytes(value)
        elif isinstance(value, str | int | float):
            raw = str(value).encode()
        else:
            raise TypeError(f"field {name!r} cannot be sent: {type(value).__name__}")
        if filename is not None and content_type is None:
            content_type = guess_type(filename)
        if filename is not None or content_type is not None or headers:
            self._multipart = True
        more = tuple(headers.items()) if headers else ()
        self._fields.append(_Field(name, raw, filename, content_type, more))

    def encode(self) -> Body:
        """Return the body and its Content-Type."""
        if self._multipart:
            content = b"".join(self._parts())
            return _typed(content, f"multipart/form-data; boundary={self._boundary}")
        pairs = [(field.name, field.value) for field in self._fields]
        return _typed(urlencode(pairs).encode(), "application/x-www-form-urlencoded")

    def _parts(self) -> Iterable[bytes]:
        delimiter = b"--" + self._boundary.encode()
        for field in self._fields:
            yield delimiter + b"\r\n" + _part_head(field) + field.value + b"\r\n"
        yield delimiter + b"--\r\n"


def encode_body(data: object, json: object) -> Body:
    """Return the body for the arguments of a request.

    Raises:
        TypeError: if both are given, or *data* cannot be sent.
    """
    if json is not None:
        if data is not None:
            raise TypeError("give data or json, not both")
        return _typed(json_module.dumps(json).encode(), "application/json")
    if data is None:
        return NO_BODY
    if isinstance(data, Buffer):
        return _typed(bytes(data), "application/octet-stream")
    if isinstance(data, str):
        return _typed(data.encode(), "text/plain; charset=utf-8")
    if isinstance(data, FormData):
        return data.encode()
    if isinstance(data, AsyncIterable):
        return Body(data, (("Content-Type", "application/octet-stream"),))
    if hasattr(data, "read"):
        return _encode_file(cast(File, data))
    if isinstance(data, Mapping | list | tuple):
        return FormData(cast("Mapping[str, object]", data)).encode()
    raise TypeError(f"data cannot be sent: {type(data).__name__}")


async def written_body(data: Writable) -> Body:
    """Return the body which *data* writes."""
    collected = _Collector()
    await data.write(collected)
    return Body(bytes(collected.content), tuple(data.headers.items()))


def is_writable(data: object) -> bool:
    """Tell whether *data* is a body that writes itself."""
    return isinstance(data, Writable) and inspect.iscoroutinefunction(data.write)


def made_of(data: object) -> object:
    """Return what *data* makes when it is a form such as aiohttp's, otherwise *data* itself."""
    return data() if callable(data) and hasattr(data, "add_field") else data


class _Collector:
    def __init__(self) -> None:
        self.content = bytearray()

    async def write(self, chunk: Buffer) -> None:
        self.content += chunk


def _typed(content: bytes, content_type: str) -> Body:
    return Body(content, (("Content-Type", content_type),))


def _encode_file(file: File) -> Body:
    content = file.read()
    if isinstance(content, str):
        return _typed(content.encode(), "text/plain; charset=utf-8")
    name = filename_of(file)
    return _typed(content, guess_type(name) if name else "application/octet-stream")


def filename_of(file: object) -> str | None:
    """Return the last part of the name of an open file, None when it has none."""
    name = getattr(file, "name", None)
    if isinstance(name, str | os.PathLike) and not str(name).startswith("<"):
        return Path(name).name
    return None


def guess_type(filename: str) -> str:
    """Return the media type that goes with *filename*."""
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _part_head(field: _Field) -> bytes:
    disposition = f'form-data; name="{_escape(field.name)}"'
    if field.filename is not None:
        disposition += f'; filename="{_escape(field.filename)}"'
    head = CIMultiDict({"Content-Disposition": disposition})
    if field.content_type is not None:
        head["Content-Type"] = field.content_type
    head.extend(field.headers)
    lines = [f"{name}: {value}\r\n" for name, value in head.items()]
    return "".join([*lines, "\r\n"]).encode()


def _escape(value: str) -> str:
    # What browsers do with names in multipart/form-data (the URL standard's forms, RFC 7578 §2).
    return value.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


async def iterate(content: AsyncIterable[Buffer]) -> AsyncIterator[bytes]:
    """Iterate over *content*, each piece as bytes."""
    async for piece in content:
        if not isinstance(piece, Buffer):
            raise TypeError(f"a body is made of bytes, not {type(piece).__name__}")
        if piece:
            yield bytes(piece)
