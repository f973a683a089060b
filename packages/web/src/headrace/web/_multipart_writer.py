"""Multipart bodies that are written: parts of any kind, one after the other.

The names are those of aiohttp. A writer is the body of a `Response`; its parts are read when they
are sent, so that a file is never held as a whole.
"""

from __future__ import annotations

import binascii
import io
import json
import os
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, Self
from urllib.parse import urlencode

import headrace.web._headers as hdrs

from ._compressors import compressors
from ._fields import ResponseHeaders
from ._media import disposition, file_type
from ._sources import Body, Source, TypedSource, check_source, close_source, pieces_of, size_of

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 2046, section 5.1.1, for its length; what is no token is quoted.
_BOUNDARY: Final = re.compile(r"[ -~]{0,69}[!-~]")
#: Fields that a part of a form cannot have (RFC 7578, sections 4.7 and 4.8).
_NOT_IN_FORMS: Final = (
    hdrs.CONTENT_ENCODING,
    hdrs.CONTENT_TRANSFER_ENCODING,
    hdrs.CONTENT_LENGTH,
)


class Encoder(Protocol):
    """What a part's bytes go through."""

    def compress(self, data: bytes) -> bytes: ...
    def finish(self) -> bytes: ...


class Base64Encoder:
    """Encodes base64 in lines of 76 characters (RFC 2045, section 6.8)."""

    _LINE = 57  # bytes that fill a line

    def __init__(self) -> None:
        self._rest = b""

    def compress(self, data: bytes) -> bytes:
        """Return the lines that are full."""
        data = self._rest + data
        end = len(data) - len(data) % self._LINE
        self._rest = data[end:]
        return b"".join(self._line(data, start) for start in range(0, end, self._LINE))

    def finish(self) -> bytes:
        """Return the last line."""
        return self._line(self._rest, 0) if self._rest else b""

    def _line(self, data: bytes, start: int) -> bytes:
        return binascii.b2a_base64(data[start : start + self._LINE], newline=False) + b"\r\n"


class QuotedPrintableEncoder:
    """Encodes quoted-printable, line ends too: the bytes count (RFC 2045, section 6.7)."""

    def __init__(self) -> None:
        self._joint = b""

    def compress(self, data: bytes) -> bytes:
        """Return the encoded bytes, as lines of their own."""
        lines = binascii.b2a_qp(data, istext=False).replace(b"=\n", b"=\r\n")
        joint, self._joint = self._joint, b"=\r\n"
        return joint + lines

    def finish(self) -> bytes:
        """Return nothing: there is never anything left."""
        return b""


_TRANSFER: Final[Mapping[str, Callable[[], Encoder]]] = {
    "base64": Base64Encoder,
    "quoted-printable": QuotedPrintableEncoder,
}


def _coder(name: str) -> Callable[[], Encoder]:
    maker = compressors().get(name)
    if maker is None:
        raise ValueError(f"the Content-Encoding {name} is unknown or not installed")
    return lambda: maker.make(maker.level, 0)


class BodyPartWriter:
    """A part of a multipart body; `MultipartWriter.append` makes them."""

    def __init__(
        self, body: Body, headers: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        #: The fields of the part, to be read and changed until it is sent.
        self.headers: Final = ResponseHeaders(headers or ())
        self._body: bytes | Source
        name = getattr(body, "name", None)
        self._filename = os.path.basename(name) if isinstance(name, str) else None
        if isinstance(body, str):
            self._body = body.encode()
            content_type = content_type or "text/plain; charset=utf-8"
        elif isinstance(body, bytes | bytearray | memoryview):
            self._body = bytes(body)
        else:
            if isinstance(body, io.TextIOBase):
                raise TypeError("open the file in binary mode")
            check_source(body)
            self._body = body
        self.headers.setdefault(hdrs.CONTENT_TYPE, content_type or self._guess())

    def _guess(self) -> str:
        if isinstance(self._body, TypedSource):
            return self._body.content_type
        if self._filename is None:
            return "application/octet-stream"
        media, charset = file_type(self._filename)
        return media if charset is None else f"{media}; charset={charset}"

    @property
    def content_type(self) -> str:
        """The Content-Type of the part."""
        return self.headers[hdrs.CONTENT_TYPE]

    @property
    def filename(self) -> str | None:
        """The name of the file that the part is made of."""
        return self._filename

    @property
    def size(self) -> int | None:
        """The bytes of the part's body; None where that is not known beforehand."""
        if self._encoders():
            return None
        return len(self._body) if isinstance(self._body, bytes) else size_of(self._body)

    def set_content_disposition(self, disptype: str, **params: str) -> None:
        """Say what the part is: ``form-data`` with its *name*, ``attachment`` with a *filename*."""
        self.headers[hdrs.CONTENT_DISPOSITION] = disposition(disptype, **params)

    def _describe(self, number: int, *, is_form: bool) -> None:
        """Set the fields that every part, or every part of a form, has."""
        names = {} if self._filename is None else {"filename": self._filename}
        if is_form:
            if any(name in self.headers for name in _NOT_IN_FORMS):
                raise ValueError("a part of a form has no encoding and no length")
            if hdrs.CONTENT_DISPOSITION not in self.headers:
                self.set_content_disposition("form-data", name=f"section-{number}", **names)
            return
        if names and hdrs.CONTENT_DISPOSITION not in self.headers:
            self.set_content_disposition("attachment", **names)
        size = self.size
        if size is not None:
            self.headers.setdefault(hdrs.CONTENT_LENGTH, str(size))

    def _encoders(self) -> list[Callable[[], Encoder]]:
        """Return what makes the encoders of the body, in the order of their use."""
        found = []
        coding = self.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
        if coding != "identity":
            found.append(_coder(coding))
        transfer = self.headers.get(hdrs.CONTENT_TRANSFER_ENCODING, "binary").strip().lower()
        if transfer in _TRANSFER:
            found.append(_TRANSFER[transfer])
        elif transfer not in ("binary", "8bit", "7bit"):
            raise ValueError(f"the Content-Transfer-Encoding {transfer} is unknown")
        return found

    def _head(self) -> bytes:
        fields = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return f"{fields}\r\n".encode("utf-8", "surrogateescape")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the bytes of the part's body, encoded."""
        encoders = [make() for make in self._encoders()]
        async for piece in self._plain():
            for encoder in encoders:
                piece = encoder.compress(piece) if piece else b""
            yield piece
        rest = b""
        for encoder in encoders:
            rest = (encoder.compress(rest) if rest else b"") + encoder.finish()
        yield rest

    async def _plain(self) -> AsyncIterator[bytes]:
        if isinstance(self._body, bytes):
            yield self._body
        else:
            async for piece in pieces_of(self._body):
                yield piece

    async def close(self) -> None:
        """Close what the part is made of."""
        if not isinstance(self._body, bytes):
            await close_source(self._body)


class _Sink(Protocol):
    def write(self, data: bytes) -> Awaitable[None]: ...


class MultipartWriter(TypedSource):
    """A multipart body (RFC 2046, section 5.1), to be given to a `Response`.

    Args:
        subtype: What kind: ``mixed``, ``form-data``, ``related``, …
        boundary: What separates the parts; drawn by lot when None.

    Raises:
        ValueError: *boundary* cannot be one.
    """

    def __init__(self, subtype: str = "mixed", boundary: str | None = None) -> None:
        boundary = secrets.token_hex(16) if boundary is None else boundary
        if _BOUNDARY.fullmatch(boundary) is None:
            raise ValueError("a boundary has 1 to 70 characters of ASCII and ends in no blank")
        self._boundary: Final = boundary
        self._is_form: Final = subtype == "form-data"
        self._parts: Final[list[BodyPartWriter]] = []
        value = boundary
        if _TOKEN.fullmatch(value) is None:
            value = '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
        self.content_type = f"multipart/{subtype}; boundary={value}"

    @property
    def boundary(self) -> str:
        """What separates the parts."""
        return self._boundary

    @property
    def size(self) -> int | None:
        """The bytes of the whole body; None where that is not known beforehand."""
        total = len(self._end)
        for part in self._parts:
            size = part.size
            if size is None:
                return None
            total += len(self._start(part)) + size + len(b"\r\n")
        return total

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None: ...

    def __iter__(self) -> Iterator[BodyPartWriter]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __bool__(self) -> bool:
        return True

    def append(self, obj: Body, headers: Mapping[str, str] | None = None) -> BodyPartWriter:
        """Add a part.

        Args:
            obj: Text, bytes, a binary file, an asynchronous iterable of bytes, or another
                `MultipartWriter`. Files and iterables are closed after they were sent.
            headers: Fields of the part. Content-Type has a default by what *obj* is; encodings
                that Content-Encoding and Content-Transfer-Encoding name are applied.

        Raises:
            TypeError: *obj* is nothing of that.
            ValueError: An encoding is unknown, or not for forms; a field is malformed.
        """
        return self.append_payload(BodyPartWriter(obj, headers))

    def append_payload(self, payload: BodyPartWriter) -> BodyPartWriter:
        """Add a part that was made before."""
        payload._describe(len(self._parts), is_form=self._is_form)
        self._parts.append(payload)
        return payload

    def append_json(self, obj: Any, headers: Mapping[str, str] | None = None) -> BodyPartWriter:
        """Add *obj* as JSON."""
        return self.append_payload(BodyPartWriter(json.dumps(obj), headers, "application/json"))

    def append_form(
        self,
        obj: Mapping[str, Any] | Sequence[tuple[str, Any]],
        headers: Mapping[str, str] | None = None,
    ) -> BodyPartWriter:
        """Add variables as an urlencoded form."""
        body = urlencode(obj, doseq=True)
        media = "application/x-www-form-urlencoded"
        return self.append_payload(BodyPartWriter(body, headers, media))

    # -- out

    def _start(self, part: BodyPartWriter) -> bytes:
        return f"--{self._boundary}\r\n".encode() + part._head()

    @property
    def _end(self) -> bytes:
        return f"--{self._boundary}--\r\n".encode()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the bytes of the body."""
        async for piece in self._pieces():
            yield piece
        yield self._end

    async def _pieces(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield self._start(part)
            async for piece in part:
                yield piece
            yield b"\r\n"

    async def write(self, writer: _Sink, close_boundary: bool = True) -> None:
        """Write the parts to a prepared `StreamResponse`.

        Without *close_boundary* more parts may follow, from another writer with the same boundary.
        """
        try:
            async for piece in self._pieces():
                await writer.write(piece)
        finally:
            await self.close()
        if close_boundary:
            await writer.write(self._end)

    async def as_bytes(self) -> bytes:
        """Return the whole body; what the parts are made of is used up."""
        return b"".join([piece async for piece in self])

    async def close(self) -> None:
        """Close what the parts are made of."""
        for part in self._parts:
            await part.close()

    def __repr__(self) -> str:
        return f"<MultipartWriter {self.content_type!r}, {len(self)} parts>"
