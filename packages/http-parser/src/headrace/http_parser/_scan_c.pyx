# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""The compiled twin of `_scan_py.py`, which specifies each function here.

Every read is of `p[i]` with `i < n`, or of `p[n]`: CPython keeps a NUL behind the last byte of a
bytes object, and no table accepts NUL, so a loop over accepted bytes stops there by itself.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from cpython.ref cimport Py_INCREF
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeASCII, PyUnicode_DecodeUTF8
from libc.string cimport memchr, memcmp, memcpy

from . import _grammar

cdef unsigned char IS_TOKEN[256]
cdef unsigned char IS_FIELD[256]
cdef unsigned char IS_TARGET[256]
cdef signed char HEX[256]


cdef void _fill() except *:
    cdef int byte
    token = set(_grammar.TOKEN)
    field = set(_grammar.FIELD)
    target = set(_grammar.TARGET)
    for byte in range(256):
        IS_TOKEN[byte] = byte in token
        IS_FIELD[byte] = byte in field
        IS_TARGET[byte] = byte in target
        HEX[byte] = -1
    for byte in range(16):
        HEX[ord("0123456789abcdef"[byte])] = byte
        HEX[ord("0123456789ABCDEF"[byte])] = byte


_fill()

cdef enum:
    CONNECTION = 1
    CONTENT_LENGTH = 2
    EXPECT = 3
    HOST = 4
    TRANSFER_ENCODING = 5
    UPGRADE = 6
    MAX_KNOWN = 16
    SLOTS = 512  # as in _names.py


# Most requests: made once, they keep their hash.
cdef bytes GET = b"GET", POST = b"POST"
cdef str GET_TEXT = "GET", POST_TEXT = "POST"


cdef struct Span:
    int id
    Py_ssize_t start
    Py_ssize_t end


cdef inline bint _is(const unsigned char *p, const char *lower, Py_ssize_t n) noexcept nogil:
    # Only called on token characters: setting bit 5 maps A-Z to a-z, and what else it maps
    # ("^" to "~", "_" to DEL) meets no letter or hyphen of a known name.
    cdef Py_ssize_t i
    for i in range(n):
        if (p[i] | 0x20) != <unsigned char>lower[i]:
            return False
    return True


cdef inline int _known_id(const unsigned char *p, Py_ssize_t n) noexcept nogil:
    if n == 4:
        return HOST if _is(p, b"host", 4) else 0
    if n == 6:
        return EXPECT if _is(p, b"expect", 6) else 0
    if n == 7:
        return UPGRADE if _is(p, b"upgrade", 7) else 0
    if n == 10:
        return CONNECTION if _is(p, b"connection", 10) else 0
    if n == 14:
        return CONTENT_LENGTH if _is(p, b"content-length", 14) else 0
    if n == 17:
        return TRANSFER_ENCODING if _is(p, b"transfer-encoding", 17) else 0
    return 0


cdef inline Py_ssize_t _skip_field(const unsigned char *p, Py_ssize_t i, Py_ssize_t n) noexcept nogil:
    """Return the index of the first byte from i on that is no field character."""
    cdef unsigned long long word, low, dels
    while True:
        while i + 8 <= n:
            memcpy(&word, p + i, 8)
            # A byte below 0x20, or equal to 0x7f, sets its high bit in one of these.
            low = (word - 0x2020202020202020ULL) & ~word & 0x8080808080808080ULL
            dels = word ^ 0x7F7F7F7F7F7F7F7FULL
            dels = (dels - 0x0101010101010101ULL) & ~dels & 0x8080808080808080ULL
            if low | dels:
                break
            i += 8
        while IS_FIELD[p[i]] and p[i] != 9:
            i += 1
        if p[i] != 9:
            return i
        i += 1


cdef bint _equal(const unsigned char *p, Span *spans, Py_ssize_t count, tuple last) except -1:
    """Say whether the spans are what the pairs of last hold."""
    cdef Py_ssize_t i, size
    cdef tuple pair
    cdef bytes value
    if len(last) != count:
        return False
    for i in range(count):
        pair = <tuple>last[i]
        value = <bytes>pair[1]
        size = spans[i].end - spans[i].start
        if (
            <int>pair[0] != spans[i].id
            or PyBytes_GET_SIZE(value) != size
            or memcmp(PyBytes_AS_STRING(value), p + spans[i].start, size) != 0
        ):
            return False
    return True


cdef tuple _make_known(const unsigned char *p, Span *spans, Py_ssize_t count):
    cdef Py_ssize_t i
    cdef object pair
    cdef tuple known = PyTuple_New(count)
    for i in range(count):
        pair = (
            spans[i].id,
            PyBytes_FromStringAndSize(
                <const char *>p + spans[i].start, spans[i].end - spans[i].start
            ),
        )
        Py_INCREF(pair)
        PyTuple_SET_ITEM(known, i, pair)
    return known


cdef tuple _scan_lines(
    const unsigned char *p, Py_ssize_t i, Py_ssize_t n, Py_ssize_t max_header,
    Py_ssize_t max_headers, Py_ssize_t limit, Py_ssize_t *end, tuple last
):
    """Scan field lines up to the empty line, which ends before limit; set its end.

    None is for lines that are not whole and valid, and for nothing else.
    """
    cdef Span spans[MAX_KNOWN]
    cdef int id
    cdef Py_ssize_t line, colon, stop, known = 0, count = 0
    cdef tuple more = None
    while True:
        if p[i] == 13:
            if p[i + 1] != 10 or i + 2 > limit:
                return None
            end[0] = i + 2
            break
        line = i
        while IS_TOKEN[p[i]]:
            i += 1
        if p[i] != 58 or i == line:
            return None
        colon = i
        i = _skip_field(p, i + 1, n)
        if p[i] != 13 or p[i + 1] != 10 or i - line > max_header or i + 2 > limit:
            return None
        count += 1
        if count > max_headers:
            return None
        id = _known_id(p + line, colon - line)
        if id:
            stop = i
            colon += 1
            while colon < stop and (p[colon] == 32 or p[colon] == 9):
                colon += 1
            while stop > colon and (p[stop - 1] == 32 or p[stop - 1] == 9):
                stop -= 1
            if known == MAX_KNOWN:
                more = (more or ()) + _make_known(p, spans, known)
                known = 0
            spans[known].id = id
            spans[known].start = colon
            spans[known].end = stop
            known += 1
        i += 2
    if more is not None:
        more = more + _make_known(p, spans, known)
        return last if more == last else more
    return last if _equal(p, spans, known, last) else _make_known(p, spans, known)


cdef struct RequestLine:
    Py_ssize_t method_end
    Py_ssize_t target
    Py_ssize_t target_end
    Py_ssize_t next
    int minor


cdef inline bint _request_line(
    const unsigned char *p, Py_ssize_t start, Py_ssize_t n, Py_ssize_t max_line, RequestLine *line
) noexcept nogil:
    """Scan the request line at start; say whether it is whole and valid."""
    cdef Py_ssize_t i = start
    while IS_TOKEN[p[i]]:
        i += 1
    if p[i] != 32 or i == start:
        return False
    line.method_end = i
    i += 1
    line.target = i
    while IS_TARGET[p[i]]:
        i += 1
    line.target_end = i
    if p[i] != 32 or i == line.target or n - i < 11:
        return False
    line.minor = _version(p + i + 1)
    i += 9
    line.next = i + 2
    return line.minor >= 0 and p[i] == 13 and p[i + 1] == 10 and i - start <= max_line


def scan_request_head(
    bytes data not None, Py_ssize_t start, Py_ssize_t max_line, Py_ssize_t max_header,
    Py_ssize_t max_headers, Py_ssize_t max_head, tuple last not None
):
    cdef const unsigned char *p = <const unsigned char *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t n = PyBytes_GET_SIZE(data), end = 0
    cdef Py_ssize_t limit = n if n - start <= max_head else start + max_head
    cdef RequestLine line
    if start < 0 or start >= n or not _request_line(p, start, n, max_line, &line):
        return None
    known = _scan_lines(p, line.next, n, max_header, max_headers, limit, &end, last)
    if known is None:
        return None
    return (
        _method(p + start, line.method_end - start),
        PyBytes_FromStringAndSize(<const char *>p + line.target, line.target_end - line.target),
        line.minor, line.next, end, known,
    )


def scan_whole_request(
    bytes data not None, tuple limits not None, tuple usual not None, long long length
):
    cdef const unsigned char *p = <const unsigned char *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t n = PyBytes_GET_SIZE(data), end = 0
    cdef Py_ssize_t max_line, max_header, max_headers, max_head
    cdef RequestLine line
    max_line, max_header, max_headers, max_head = limits
    if not _request_line(p, 0, n, max_line, &line) or line.minor != 1:
        return None
    if p[line.target] != 47 or _is_special(p, line.method_end):
        return None
    limit = n if n <= max_head else max_head
    known = _scan_lines(p, line.next, n, max_header, max_headers, limit, &end, usual)
    if known is None or (known is usual and n - end != length):
        return None
    return (
        _method_text(p, line.method_end),
        PyUnicode_DecodeASCII(
            <const char *>p + line.target, line.target_end - line.target, NULL
        ),
        line.next, end, known,
    )


cdef inline bint _is_special(const unsigned char *p, Py_ssize_t n) noexcept nogil:
    return (n == 4 and memcmp(p, b"HEAD", 4) == 0) or (n == 7 and memcmp(p, b"CONNECT", 7) == 0)


cdef inline str _method_text(const unsigned char *p, Py_ssize_t n):
    if n == 3 and memcmp(p, b"GET", 3) == 0:
        return GET_TEXT
    if n == 4 and memcmp(p, b"POST", 4) == 0:
        return POST_TEXT
    return PyUnicode_DecodeASCII(<const char *>p, n, NULL)


cdef inline bytes _method(const unsigned char *p, Py_ssize_t n):
    if n == 3 and memcmp(p, b"GET", 3) == 0:
        return GET
    if n == 4 and memcmp(p, b"POST", 4) == 0:
        return POST
    return PyBytes_FromStringAndSize(<const char *>p, n)


cdef inline int _version(const unsigned char *p) noexcept nogil:
    """Return x of "HTTP/1.x" at p, where 8 bytes can be read, else -1."""
    if (
        p[0] == 72 and p[1] == 84 and p[2] == 84 and p[3] == 80 and p[4] == 47
        and p[5] == 49 and p[6] == 46 and 48 <= p[7] <= 57
    ):
        return p[7] - 48
    return -1


def scan_response_head(
    bytes data not None, Py_ssize_t start, Py_ssize_t max_line, Py_ssize_t max_header,
    Py_ssize_t max_headers, Py_ssize_t max_head, tuple last not None
):
    cdef const unsigned char *p = <const unsigned char *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t n = PyBytes_GET_SIZE(data)
    cdef Py_ssize_t i, reason, end = 0
    cdef Py_ssize_t limit = n if n - start <= max_head else start + max_head
    cdef int minor, status
    # "HTTP/1.1 200 " and a line end.
    if start < 0 or n - start < 15:
        return None
    minor = _version(p + start)
    i = start + 8
    if (
        minor < 0 or p[i] != 32 or not 49 <= p[i + 1] <= 57 or not 48 <= p[i + 2] <= 57
        or not 48 <= p[i + 3] <= 57 or p[i + 4] != 32
    ):
        return None
    status = (p[i + 1] - 48) * 100 + (p[i + 2] - 48) * 10 + p[i + 3] - 48
    reason = i + 5
    i = _skip_field(p, reason, n)
    if p[i] != 13 or p[i + 1] != 10 or i - start > max_line:
        return None
    text = PyBytes_FromStringAndSize(<const char *>p + reason, i - reason)
    i += 2
    known = _scan_lines(p, i, n, max_header, max_headers, limit, &end, last)
    if known is None:
        return None
    return status, text, minor, i, end, known


def scan_trailers(
    bytes data not None, Py_ssize_t start, Py_ssize_t max_header, Py_ssize_t max_headers,
    Py_ssize_t max_trailers
):
    cdef const unsigned char *p = <const unsigned char *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t n = PyBytes_GET_SIZE(data), end = 0
    cdef Py_ssize_t limit = n if n - start <= max_trailers else start + max_trailers
    if start < 0 or start >= n:
        return None
    known = _scan_lines(p, start, n, max_header, max_headers, limit, &end, ())
    return None if known is None else end


cdef struct Line:
    Py_ssize_t name_end
    Py_ssize_t value
    Py_ssize_t value_end
    Py_ssize_t next


cdef inline bint _cut(const unsigned char *p, Py_ssize_t start, Py_ssize_t n, Line *line) noexcept nogil:
    """Cut the validated field line at start; say whether there is one."""
    cdef const void *found
    cdef Py_ssize_t value, end
    if start >= n or p[start] == 13:
        return False
    found = memchr(p + start, 13, n - start)
    end = (<const unsigned char *>found - p) if found != NULL else n
    found = memchr(p + start, 58, end - start)
    if found == NULL:
        return False
    line.name_end = <const unsigned char *>found - p
    line.next = end + 2
    value = line.name_end + 1
    while value < end and (p[value] == 32 or p[value] == 9):
        value += 1
    while end > value and (p[end - 1] == 32 or p[end - 1] == 9):
        end -= 1
    line.value = value
    line.value_end = end
    return True


def split_fields(bytes head not None, Py_ssize_t start):
    cdef const unsigned char *p = <const unsigned char *>PyBytes_AS_STRING(head)
    cdef Py_ssize_t n = PyBytes_GET_SIZE(head)
    cdef Line line
    cdef list pairs = []
    while _cut(p, start, n, &line):
        pairs.append((
            PyBytes_FromStringAndSize(<const char *>p + start, line.name_end - start),
            PyBytes_FromStringAndSize(<const char *>p + line.value, line.value_end - line.value),
        ))
        start = line.next
    return tuple(pairs)


cdef inline bint _same(const unsigned char *p, const unsigned char *lower, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if (p[i] | 0x20 if 65 <= p[i] <= 90 else p[i]) != lower[i]:
            return False
    return True


def find_field(bytes head not None, Py_ssize_t start, bytes name not None):
    cdef const unsigned char *p = <const unsigned char *>PyBytes_AS_STRING(head)
    cdef const unsigned char *lower = <const unsigned char *>PyBytes_AS_STRING(name)
    cdef Py_ssize_t n = PyBytes_GET_SIZE(head), size = PyBytes_GET_SIZE(name)
    cdef Line line
    while _cut(p, start, n, &line):
        if line.name_end - start == size and _same(p + start, lower, size):
            return PyBytes_FromStringAndSize(
                <const char *>p + line.value, line.value_end - line.value
            )
        start = line.next
    return None


cdef inline bytes _value(const unsigned char *p, Py_ssize_t value, Py_ssize_t end):
    """Return a value without the white space around it."""
    while value < end and (p[value] == 32 or p[value] == 9):
        value += 1
    while end > value and (p[end - 1] == 32 or p[end - 1] == 9):
        end -= 1
    return PyBytes_FromStringAndSize(<const char *>p + value, end - value)


def find_fields(bytes head not None, Py_ssize_t start, tuple names not None):
    cdef const unsigned char *p = <const unsigned char *>PyBytes_AS_STRING(head)
    cdef Py_ssize_t n = PyBytes_GET_SIZE(head), count = len(names), left = count
    cdef Py_ssize_t i, colon, end
    cdef const void *found
    cdef bytes name
    cdef list values = [None] * count
    while left and start < n and p[start] != 13:
        found = memchr(p + start, 13, n - start)
        end = (<const unsigned char *>found - p) if found != NULL else n
        for i in range(count):
            name = <bytes?>names[i]
            colon = start + PyBytes_GET_SIZE(name)
            # Most lines are told by where their colon is not.
            if colon < end and p[colon] == 58 and values[i] is None and _same(
                p + start, <const unsigned char *>PyBytes_AS_STRING(name), colon - start
            ):
                values[i] = _value(p, colon + 1, end)
                left -= 1
        start = end + 2
    return tuple(values)


cdef inline object _name(const unsigned char *p, Py_ssize_t n, tuple names):
    """Return a name as text: the object in its slot if that is spelled like it."""
    cdef Py_ssize_t size
    cdef const char *spelling
    if n > 0 and len(names) == SLOTS:
        found = names[(7 * n + 11 * p[0] + p[n // 2] + p[n - 1]) % SLOTS]
        if found is not None:
            spelling = PyUnicode_AsUTF8AndSize(found, &size)
            if size == n and memcmp(spelling, p, n) == 0:
                return found
    return PyUnicode_DecodeASCII(<const char *>p, n, NULL)


def split_text(bytes head not None, Py_ssize_t start, tuple names not None=()):
    cdef const unsigned char *p = <const unsigned char *>PyBytes_AS_STRING(head)
    cdef Py_ssize_t n = PyBytes_GET_SIZE(head)
    cdef Line line
    cdef list pairs = []
    while _cut(p, start, n, &line):
        pairs.append((
            _name(p + start, line.name_end - start, names),
            PyUnicode_DecodeUTF8(
                <const char *>p + line.value, line.value_end - line.value, b"surrogateescape"
            ),
        ))
        start = line.next
    return tuple(pairs)


def scan_chunk_line(bytes data not None, Py_ssize_t start):
    cdef const unsigned char *p = <const unsigned char *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t n = PyBytes_GET_SIZE(data), i = start
    cdef unsigned long long size = 0
    if start < 0 or start >= n:
        return None
    while HEX[p[i]] >= 0:
        if i - start == 16:
            return None
        size = (size << 4) | <unsigned long long>HEX[p[i]]
        i += 1
    if i == start or p[i] != 13 or p[i + 1] != 10 or size >> 63:
        return None
    return size, i + 2


def serialize_fields(pairs):
    # Read twice, so it must not change in between: tuples of tuples of bytes, all immutable.
    cdef tuple fields = tuple(pairs)
    cdef tuple field
    cdef Py_ssize_t total = 0, i, j, size, count = len(fields)
    cdef const unsigned char *p
    cdef unsigned char *out
    cdef bytes name, value, block
    cdef int id
    cdef list known = None
    for i in range(count):
        pair = fields[i]
        if type(pair) is not tuple or len(<tuple>pair) != 2:
            return None
        field = <tuple>pair
        if type(field[0]) is not bytes or type(field[1]) is not bytes:
            return None
        name = <bytes>field[0]
        value = <bytes>field[1]
        p = <const unsigned char *>PyBytes_AS_STRING(name)
        size = PyBytes_GET_SIZE(name)
        total += size + 4
        j = 0
        while IS_TOKEN[p[j]]:
            j += 1
        if j != size or size == 0:
            return None
        id = _known_id(p, size)
        p = <const unsigned char *>PyBytes_AS_STRING(value)
        size = PyBytes_GET_SIZE(value)
        total += size
        if size and (
            _skip_field(p, 0, size) != size
            or p[0] == 32 or p[0] == 9 or p[size - 1] == 32 or p[size - 1] == 9
        ):
            return None
        if id:
            if known is None:
                known = []
            known.append((id, value))
    block = PyBytes_FromStringAndSize(NULL, total)
    out = <unsigned char *>PyBytes_AS_STRING(block)
    for i in range(count):
        field = <tuple>fields[i]
        name = <bytes>field[0]
        value = <bytes>field[1]
        size = PyBytes_GET_SIZE(name)
        memcpy(out, PyBytes_AS_STRING(name), size)
        out[size] = 58
        out[size + 1] = 32
        out += size + 2
        size = PyBytes_GET_SIZE(value)
        memcpy(out, PyBytes_AS_STRING(value), size)
        out[size] = 13
        out[size + 1] = 10
        out += size + 2
    return block, (() if known is None else tuple(known))
