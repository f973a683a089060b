"""Files as responses: validators, ranges, compressed siblings, and the way to the connection."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Sequence
from time import time
from typing import Final, NamedTuple

from multidict import CIMultiDict

import headrace.web._headers as hdrs

from ._compression import CompressedWriter, add_vary, compress_whole
from ._compressors import Compressor
from ._conditional import failed_condition, range_applies
from ._content_type import content_type_of
from ._disk import FileChangedError, OpenFile, SpecialFileError, look_up
from ._exceptions import HTTPException, framework_answer
from ._fields import ResponseHeaders
from ._file_heads import PlainHeads, Validators, plain_heads, validators
from ._kept import KeptFile
from ._media import Coding, FileType, accepted_codings, file_type, siblings
from ._ranges import Parts, Span, UnsatisfiableRangeError, content_range, multipart, parse_ranges
from ._request import BaseRequest
from ._sendfile import PIECE
from ._stream_response import Answerable, LooseHeaders, StreamResponse
from ._streams import Exchange, Fields

#: Bodies up to this many bytes are sent with their head, in one write.
WHOLE: Final = 64 * 1024
#: How often a small file that changes while it is read is opened anew.
_ATTEMPTS: Final = 3

_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM, errno.EISDIR})
_MISSING: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.ENXIO}
)

#: Raises `OSError` for a file that is not to be served.
Guard = Callable[[OpenFile], None]


class Found(NamedTuple):
    """A file to be served: in which coding it is, and whether that depends on the client."""

    file: OpenFile | KeptFile
    coding: Coding | None
    varies: bool
    media: FileType
    heads: PlainHeads | None = None  # made before


def find_file(path: str, codings: tuple[Coding, ...], guard: Guard | None) -> Found:
    """Open *path* or the sibling of it that a client likes best; may wait for the disk.

    As in aiohttp, a sibling may stand there alone, for those clients that accept its coding.

    Raises:
        OSError: There is no such file, or *guard* says so.
    """
    wanted: Sequence[Coding]
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        wanted = codings  # the file may be there in a coding alone
    else:
        wanted = siblings(path)
        if not stat.S_ISREG(mode):
            raise SpecialFileError(errno.EACCES, "not a regular file", path)
    present = [coding for coding in wanted if _is_regular(path + coding.extension)]
    for coding in codings:
        if coding in present:
            try:
                return Found(_open(path + coding.extension, guard), coding, True, file_type(path))
            except OSError:
                continue
    return Found(_open(path, guard), None, bool(present), file_type(path))


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _open(path: str, guard: Guard | None) -> OpenFile:
    file = OpenFile(path, is_regular=True)
    if guard is not None:
        guard(file)
    return file


def answer_for(error: OSError | ValueError) -> HTTPException | None:
    """Return the 403 or 404 that a failure to open means; None where it is the server's fault."""
    if isinstance(error, ValueError) or error.errno in _MISSING:
        return framework_answer(404)
    return framework_answer(403) if error.errno in _FORBIDDEN else None


class FileResponse(StreamResponse):
    """A response whose body is a file.

    The file is looked for when the response is prepared: 404 if there is none, 403 if it is a
    directory or a special file, or may not be read. A GET or HEAD is answered with 304, 412, 206
    or 416 where its conditions and ranges say so. A sibling with the extension ``.zst``,
    ``.br`` or ``.gz`` is sent instead to clients that accept its coding; where the file itself is
    missing, others get a 404.

    The kernel sends the file where it can. A file that changes while it is sent ends the
    connection; one that was replaced by another is sent as it was.

    Args:
        path: The file.
        chunk_size: Bytes to send at a time.
        status: The status code; conditions and ranges count for 200 only.
        reason: The reason phrase; the standard one when None.
        headers: Fields to send beside those that describe the file.
    """

    _found: Found | None = None
    _guard: Guard | None = None
    #: What a directory says of caching, unless somebody else does.
    _caching: str | None = None
    #: The fields that were sent, where `_headers` was never needed.
    _sent: Fields = ()

    def __init__(
        self,
        path: str | os.PathLike[str],
        chunk_size: int = PIECE,
        status: int = 200,
        reason: str | None = None,
        headers: LooseHeaders | None = None,
    ) -> None:
        super().__init__(status=status, reason=reason, headers=headers)
        if chunk_size < 1:
            raise ValueError(f"chunk_size is {chunk_size}, expected at least 1 byte")
        self._path = os.fspath(path)
        self._chunk_size = chunk_size

    @property
    def headers(self) -> CIMultiDict[str]:
        """The header fields, to be read and changed until the head is sent."""
        if self._headers is None:
            fields = [(name.decode(), value.decode()) for name, value in self._sent]
            self._headers = ResponseHeaders(fields)
            if self._caching is not None and not fields:
                self._headers[hdrs.CACHE_CONTROL] = self._caching
        return super().headers

    async def prepare(self, request: Answerable) -> None:
        """Find the file, decide on the answer, run `on_response_prepare`, and send all of it.

        Raises:
            HTTPNotFound: There is no such file.
            HTTPForbidden: It is no regular file, or may not be read.
        """
        if self._exchange is not None:
            return
        assert isinstance(request, BaseRequest)
        self._req = request
        for attempt in range(1, _ATTEMPTS + 1):
            found = self._found or await self._find(request)
            self._found = None
            try:
                await self._answer(request, found)
                return
            except FileChangedError:
                if self.prepared or attempt == _ATTEMPTS:
                    raise
            finally:
                found.file.close()

    async def _find(self, request: BaseRequest) -> Found:
        codings: tuple[Coding, ...] = ()
        if self._headers is None or hdrs.CONTENT_ENCODING not in self._headers:
            codings = accepted_codings(tuple(request.headers.getall(hdrs.ACCEPT_ENCODING, ())))
        try:
            return await look_up(self._path, find_file, self._path, codings, self._guard)
        except (OSError, ValueError) as error:
            answer = answer_for(error)
            if answer is None:
                raise
            raise answer from None

    async def _answer(self, request: BaseRequest, found: Found) -> None:
        heads = found.heads or heads_of(found, self._caching)
        status = self._plain_status(request, heads)
        if status is not None:
            await self._answer_plainly(request._exchange, found, status, heads)
            return
        body = self._decide(request, found)
        may_be_coded = body is not None or self._status == 304
        if request.method == hdrs.METH_HEAD:
            body = None
        whole = b""
        if body is not None and body.length <= WHOLE:
            whole = await _read(found.file, body)
            body = None
        if request._prepare_hook is not None:
            await request._prepare_hook(self)
        compressor = None
        compression = self._compression or request._compression
        if compression is not None and may_be_coded:
            compressor = compression.begin(self, request)
        if body is not None:
            assert not isinstance(found.file, KeptFile)  # that is small
            await self._send(request._exchange, found.file, body, compressor)
            return
        if compressor is not None:
            whole = await compress_whole(compressor, whole)
        self._exchange = request._exchange
        self._eof_sent = True
        self.body_length = len(whole)
        self._exchange.send_whole(self._status, self._reason, self._fields(), whole)

    def _plain_status(self, request: BaseRequest, heads: PlainHeads) -> int | None:
        """Return 200 or 304 where a GET needs no further thought and nobody has added anything."""
        if (
            self._headers is not None
            or self._type is not None
            or self._cookies is not None
            or self._force_close
            or self._status != 200
            or self._reason is not None
            or heads.caching != self._caching
            or request.method != hdrs.METH_GET
            or request._prepare_hook is not None
            or (self._compression or request._compression) is not None
        ):
            return None
        headers = request.headers
        if hdrs.IF_MATCH in headers or hdrs.IF_UNMODIFIED_SINCE in headers:
            return None
        known = headers.get(hdrs.IF_NONE_MATCH)
        if known is not None:
            return 304 if known == heads.tag else None
        return None if hdrs.IF_MODIFIED_SINCE in headers or hdrs.RANGE in headers else 200

    async def _answer_plainly(
        self, exchange: Exchange, found: Found, status: int, heads: PlainHeads
    ) -> None:
        file = found.file
        size = file.size if status == 200 else 0
        whole = await file.read(0, size) if size <= WHOLE else b""
        self._exchange = exchange
        self._eof_sent = True
        self._status = status
        self._sent = fields = heads.whole if status == 200 else heads.not_modified
        self.body_length = size
        if size <= WHOLE:
            exchange.send_whole(status, None, fields, whole)
            return
        assert not isinstance(file, KeptFile)
        head = (200, None, [*fields, (b"Content-Length", b"%d" % size)])
        await exchange.send_file(file, 0, size, self._chunk_size, head)
        await exchange.write_eof()

    async def _send(
        self, exchange: Exchange, file: OpenFile, body: Parts, compressor: Compressor | None
    ) -> None:
        """Send the head and a body that is too large to be held."""
        self._exchange = exchange
        self._eof_sent = True
        self.body_length = body.length
        head = (self._status, self._reason, self._fields())
        if compressor is not None:
            exchange.send_head(*head)
            await self._send_compressed(exchange, file, compressor)
        elif len(body.pieces) == 1:
            ((_, span),) = body.pieces
            await exchange.send_file(file, *span.place, self._chunk_size, head)
        else:
            exchange.send_head(*head)
            for text, span in body.pieces:
                await exchange.write(text)
                await exchange.send_file(file, *span.place, self._chunk_size)
            await exchange.write(body.end)
        await exchange.write_eof()

    async def _send_compressed(
        self, exchange: Exchange, file: OpenFile, compressor: Compressor
    ) -> None:
        """Send the whole of a file in a coding, piece by piece."""
        writer = CompressedWriter(exchange, compressor, flushes=False)
        for offset in range(0, file.size, PIECE):
            await writer.write(await file.read(offset, min(PIECE, file.size - offset)))
        await writer.finish()
        self.body_length = writer.sent

    def _decide(self, request: BaseRequest, found: Found) -> Parts | None:
        """Set status and fields, and return the body; None for an answer without."""
        tag, date, tag_field, date_field = validators_of(found)
        headers = self.headers
        headers[hdrs.ETAG] = tag_field
        headers[hdrs.LAST_MODIFIED] = date_field
        if found.varies:
            add_vary(self.headers)
        if self._status == 200 and request.method in (hdrs.METH_GET, hdrs.METH_HEAD):
            failed = failed_condition(request, tag, date)
            if failed is not None:
                self._leave_out_body(failed)
                return None
            headers[hdrs.ACCEPT_RANGES] = "bytes"
            # RFC 9110, section 14.2: Range is defined for GET alone.
            if (
                request.method == hdrs.METH_GET
                and hdrs.RANGE in request.headers
                and range_applies(request, tag, date)
            ):
                return self._decide_ranges(request.headers[hdrs.RANGE], found)
        return self._with_body([Span(0, found.file.size)], found)

    def _decide_ranges(self, value: str, found: Found) -> Parts | None:
        size = found.file.size
        try:
            spans = parse_ranges(value, size)
        except UnsatisfiableRangeError:
            self.headers[hdrs.CONTENT_RANGE] = f"bytes */{size}"
            self._leave_out_body(416)
            return None
        if spans is None:
            return self._with_body([Span(0, size)], found)
        self.set_status(206)
        return self._with_body(spans, found)

    def _leave_out_body(self, status: int) -> None:
        self.set_status(status)
        self._type = None
        self.headers.pop(hdrs.CONTENT_TYPE, None)

    def _with_body(self, spans: list[Span], found: Found) -> Parts:
        headers, size = self.headers, found.file.size
        if hdrs.CONTENT_TYPE not in headers:
            headers[hdrs.CONTENT_TYPE] = content_type_of(*found.media).value
        if found.coding is not None:
            headers[hdrs.CONTENT_ENCODING] = found.coding.name
        if len(spans) > 1:
            parts = multipart(spans, size, headers[hdrs.CONTENT_TYPE])
            headers[hdrs.CONTENT_TYPE] = parts.content_type
        else:
            (span,) = spans
            parts = Parts("", [(b"", span)], b"", span.stop - span.start)
            if self._status == 206:
                headers[hdrs.CONTENT_RANGE] = content_range(span, size)
        headers[hdrs.CONTENT_LENGTH] = str(parts.length)
        return parts


def validators_of(found: Found) -> Validators:
    """Return the validators of what was found."""
    facts = found.file.stat
    # RFC 9110, section 8.8.2.1: never later than Date, which is up to a second old.
    seconds = min(facts.st_mtime_ns // 10**9, int(time()) - 1)
    return validators(facts.st_mtime_ns, seconds, facts.st_size, found.coding)


def heads_of(found: Found, caching: str | None) -> PlainHeads:
    """Return the fields of the usual answers with what was found."""
    said = validators_of(found)
    return plain_heads(
        said.tag_field, said.date_field, found.coding, found.varies, found.media, caching
    )


async def _read(file: OpenFile | KeptFile, body: Parts) -> bytes:
    """Return a small body as a whole."""
    found = []
    for text, span in body.pieces:
        found += [text, await file.read(span.start, span.stop - span.start)]
    return b"".join([*found, body.end])
