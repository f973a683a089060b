"""Forms read as a whole: urlencoded ones, and multipart ones with their files.

Where the files of a form are held is the matter of `_spool`. Whatever goes wrong on the way, they
are closed.
"""

from __future__ import annotations

import re
from typing import IO, Final, NamedTuple
from urllib.parse import parse_qsl

from multidict import CIMultiDictProxy, MultiDict

import headrace.web._headers as hdrs

from ._charset import decode_text
from ._errors import RequestPayloadError
from ._exceptions import framework_answer
from ._parts import Part, PartParser
from ._spool import SpooledFile
from ._streams import StreamReader
from ._transfer import decode_all, transfer_decoder

#: Fields that a form may have, files counted. Precedents: aiohttp's 1000, Django's 1000.
CLIENT_MAX_FIELDS: Final = 1000

_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]')
# Names of devices on Windows, with any extension.
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE
)
_MAX_FILENAME: Final = 255  # bytes, in UTF-8: what usual file systems allow


def safe_filename(filename: str | None, default: str = "unnamed") -> str:
    """Return a client's *filename* as one that can be stored under, on any system.

    It has no directory, no control or reserved characters, no leading dots, and at most 255 bytes
    in UTF-8. It is not unique. What has nothing left is *default*.
    """
    name = (filename or "").replace("\\", "/").rpartition("/")[2]
    name = _UNSAFE.sub("", name).strip(" .")
    name = name.encode("utf-8", "ignore")[:_MAX_FILENAME].decode("utf-8", "ignore").rstrip(" .")
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    return name or default


class FileField(NamedTuple):
    """A file of a form.

    The file is open for reading, at its beginning, and closed when the request has been
    answered. `filename` is what the client states: never to be used as a path.
    """

    name: str
    filename: str
    file: IO[bytes]
    content_type: str
    headers: CIMultiDictProxy[str]

    @property
    def safe_filename(self) -> str:
        """The name of the file, fit to store it under; not unique."""
        return safe_filename(self.filename)


FormValue = str | bytes | FileField


def parse_urlencoded(body: bytes, charset: str | None, max_fields: int) -> list[tuple[str, str]]:
    """Return the fields of a form of type ``application/x-www-form-urlencoded``.

    Raises:
        HTTPRequestEntityTooLarge: There are more than *max_fields*; 0 is for any number.
        UnicodeDecodeError: The body is not in its charset.
        LookupError: The charset is unknown.
    """
    # Counted before anything is made of them, empty ones too.
    if 0 < max_fields <= body.count(b"&"):
        raise framework_answer(413)
    text = decode_text(body, charset).rstrip()
    return parse_qsl(text, keep_blank_values=True, encoding=charset or "utf-8")


class _Value:
    """A field that is no file."""

    is_full = False

    def __init__(self, part: Part, name: str) -> None:
        self._part = part
        self.name = name
        self._data = bytearray()

    def write(self, data: bytes) -> None:
        self._data += data

    async def field(self) -> FormValue:
        """Return the value: text, but for a media type that is something else."""
        part = self._part
        encoding = part.headers.get(hdrs.CONTENT_TRANSFER_ENCODING)
        data = decode_all(transfer_decoder(encoding), bytes(self._data))
        if part.content_type is not None and not part.content_type.startswith("text/"):
            return data
        try:
            return decode_text(data, part.charset)
        except UnicodeDecodeError as error:
            raise RequestPayloadError(f"a field of a form is not in its charset: {error}")
        except LookupError:
            raise framework_answer(415)


class _File(SpooledFile):
    """A file of a form while it arrives."""

    def __init__(self, part: Part, name: str) -> None:
        super().__init__()
        self._headers = part.headers
        self._filename = part.filename or ""
        self._decoder = transfer_decoder(self._headers.get(hdrs.CONTENT_TRANSFER_ENCODING))
        self.name = name

    def write(self, data: bytes) -> None:
        super().write(data if self._decoder is None else self._decoder.decode(data))

    async def field(self) -> FormValue:
        """Return the file, open at its beginning."""
        if self._decoder is not None:
            super().write(self._decoder.end())
        file = await self.finish()
        media = self._headers.get(hdrs.CONTENT_TYPE, "application/octet-stream")
        return FileField(self.name, self._filename, file, media, self._headers)


class Form:
    """A form of type ``multipart/form-data``: its fields, and its files, which must be closed.

    Args:
        boundary: The boundary of the parts; None when the Content-Type had none.
        max_size: Bytes of body that are accepted; 0 for any.
        max_fields: Fields that are accepted, files counted; 0 for any number.

    Raises:
        RequestPayloadError: *boundary* cannot be one.
    """

    def __init__(self, boundary: str | None, *, max_size: int, max_fields: int) -> None:
        self.fields: Final[MultiDict[FormValue]] = MultiDict()
        self._parser = PartParser(boundary, max_parts=max_fields)
        self._max_size = max_size
        self._size = 0
        self._files: list[_File] = []
        self._field: _Value | _File | None = None

    @property
    def has_files(self) -> bool:
        """Whether there is something to close."""
        return bool(self._files)

    async def read(self, content: StreamReader) -> None:
        """Read the whole form.

        Raises:
            RequestPayloadError: It is malformed or was cut short: 400.
            HTTPRequestEntityTooLarge: It is over a limit: 413.
        """
        try:
            while data := (await content.readchunk())[0]:
                self._size += len(data)
                if self._size > self._max_size > 0:
                    raise framework_answer(413, max_size=self._max_size)
                await self._feed(data)
            self._parser.end()
        except BaseException:
            self.close()
            raise

    async def _feed(self, data: bytes) -> None:
        field = self._field
        for event in self._parser.feed(data):
            if isinstance(event, bytes):
                assert field is not None
                field.write(event)
                if field.is_full:
                    assert isinstance(field, _File)
                    await field.flush()
            elif event is None:
                assert field is not None
                self.fields.add(field.name, await field.field())
            else:
                field = self._begin(event)
        self._field = field

    def _begin(self, part: Part) -> _Value | _File:
        if part.name is None:
            raise RequestPayloadError("a field of a form has no name")
        if not part.filename:
            return _Value(part, part.name)
        file = _File(part, part.name)
        self._files.append(file)
        return file

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()
