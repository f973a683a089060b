# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""Leaf functions over the bytes of frames: the compiled twin of ``_framing_py``."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    /* Write source ^ key to target and return the OR of what was written.
       The key holds the four mask bytes twice, in the order of memory. The loop has no
       branch and no alias, so compilers make vector instructions of it. */
    static uint64_t headrace_mask(unsigned char *restrict target,
                                  const unsigned char *restrict source,
                                  Py_ssize_t size, uint64_t key) {
        uint64_t seen = 0, word;
        unsigned char tail[8];
        Py_ssize_t at = 0;
        uint64_t seen1 = 0, seen2 = 0, seen3 = 0;
        for (; at + 32 <= size; at += 32) {
            uint64_t words[4];
            memcpy(words, source + at, 32);
            words[0] ^= key; words[1] ^= key; words[2] ^= key; words[3] ^= key;
            memcpy(target + at, words, 32);
            seen |= words[0]; seen1 |= words[1]; seen2 |= words[2]; seen3 |= words[3];
        }
        for (; at + 8 <= size; at += 8) {
            memcpy(&word, source + at, 8);
            word ^= key;
            memcpy(target + at, &word, 8);
            seen |= word;
        }
        if (at < size) {
            memset(tail, 0, 8);
            memcpy(tail, source + at, (size_t)(size - at));
            memcpy(&word, tail, 8);
            word ^= key;
            memcpy(tail, &word, 8);
            memcpy(target + at, tail, (size_t)(size - at));
            /* The bytes beyond the end are key bytes: they must not count. */
            memset(tail + (size - at), 0, (size_t)(8 - (size - at)));
            memcpy(&word, tail, 8);
            seen |= word;
        }
        return seen | seen1 | seen2 | seen3;
    }

    static uint64_t headrace_key(const unsigned char *key, int phase) {
        unsigned char bytes[8];
        uint64_t word;
        int at;
        for (at = 0; at < 8; at++) bytes[at] = key[(phase + at) & 3];
        memcpy(&word, bytes, 8);
        return word;
    }

    /* Return a tuple like example, with the payload in the place of one item. */
    static PyObject *headrace_like(PyObject *example, Py_ssize_t place, PyObject *payload) {
        PyTypeObject *type = Py_TYPE(example);
        Py_ssize_t at, size = PyTuple_GET_SIZE(example);
        PyObject *made = type->tp_alloc(type, size);
        if (made == NULL) return NULL;
        for (at = 0; at < size; at++)
            PyTuple_SET_ITEM(made, at, Py_NewRef(PyTuple_GET_ITEM(example, at)));
        Py_SETREF(PyTuple_GET_ITEM(made, place), Py_NewRef(payload));
        return made;
    }

    #define headrace_ascii_data(text) ((unsigned char *)PyUnicode_1BYTE_DATA(text))
    """
    uint64_t headrace_mask(unsigned char *, const unsigned char *, Py_ssize_t, uint64_t) nogil
    uint64_t headrace_key(const unsigned char *, int) nogil
    object headrace_like(object, Py_ssize_t, object)
    unsigned char *headrace_ascii_data(object)
    object PyUnicode_New(Py_ssize_t, Py_UCS4)
    object PyUnicode_DecodeUTF8(const char *, Py_ssize_t, const char *)
    object PyUnicode_AsUTF8String(object)
    bint PyUnicode_IS_COMPACT_ASCII(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)

IMPLEMENTATION = "c"

cdef uint64_t HIGH_BITS = 0x8080808080808080


cdef inline object _unmasked(const unsigned char *source, Py_ssize_t size, uint64_t key):
    cdef bytes result = PyBytes_FromStringAndSize(NULL, size)
    headrace_mask(<unsigned char *>PyBytes_AS_STRING(result), source, size, key)
    return result


def unmask(bytes data not None, Py_ssize_t start, Py_ssize_t stop, bytes key not None, int phase):
    """Return ``data[start:stop]`` with *key* applied (RFC 6455, 5.3)."""
    if start < 0 or stop < start or stop > PyBytes_GET_SIZE(data) or PyBytes_GET_SIZE(key) != 4:
        raise ValueError("span or key out of range")
    return _unmasked(
        <const unsigned char *>PyBytes_AS_STRING(data) + start,
        stop - start,
        headrace_key(<const unsigned char *>PyBytes_AS_STRING(key), phase),
    )


def parse_head(bytes data not None, Py_ssize_t pos):
    """Read the fixed part and the length of the frame at *pos*."""
    cdef const unsigned char *octets = <const unsigned char *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef Py_ssize_t end
    cdef int first, second
    cdef uint64_t length
    if pos < 0 or size - pos < 2:
        return None
    first, second = octets[pos], octets[pos + 1]
    length = second & 0x7F
    pos += 2
    if length >= 126:
        end = pos + (2 if length == 126 else 8)
        if size < end:
            return first, second, -1, pos
        length = 0
        while pos < end:
            length = length << 8 | octets[pos]
            pos += 1
    return first, second, length, pos


@cython.final
cdef class MessageReader:
    """Read messages that are one whole plain frame."""

    cdef bint masked, decode
    cdef uint64_t limit
    cdef object text, binary
    cdef Py_ssize_t in_text, in_binary

    def __init__(self, bint masked, Py_ssize_t limit, bint decode, text, binary):
        if not (isinstance(text, tuple) and isinstance(binary, tuple)):
            raise TypeError("messages must be tuples")
        self.masked = masked
        self.limit = <uint64_t>limit
        self.decode = decode
        self.text = text
        self.binary = binary
        self.in_text = tuple.index(text, ...)
        self.in_binary = tuple.index(binary, ...)

    def read(self, bytes data not None, Py_ssize_t pos):
        """Return the message at *pos* and where to go on, or None."""
        cdef Py_ssize_t end
        message = self._read(data, pos, &end)
        if message is None:
            return None
        return message, (end if end < PyBytes_GET_SIZE(data) else 0)

    def read_whole(self, bytes data not None):
        """Return the message that *data* is, or None."""
        cdef Py_ssize_t end
        try:
            message = self._read(data, 0, &end)
        except UnicodeDecodeError:
            return None
        return message if message is not None and end == PyBytes_GET_SIZE(data) else None

    cdef object _read(self, bytes data, Py_ssize_t pos, Py_ssize_t *stop):
        cdef const unsigned char *octets = <const unsigned char *>PyBytes_AS_STRING(data)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
        cdef Py_ssize_t end
        cdef int first, second
        cdef uint64_t length, least
        if pos < 0 or size - pos < 2:
            return None
        first, second = octets[pos], octets[pos + 1]
        if (first != 0x81 and first != 0x82) or (second >= 0x80) != self.masked:
            return None
        length = second & 0x7F
        pos += 2
        if length >= 126:
            end, least = (pos + 2, 126) if length == 126 else (pos + 8, 65536)
            if end > size:
                return None
            length = 0
            while pos < end:
                length = length << 8 | octets[pos]
                pos += 1
            if length < least:
                return None
        if self.masked:
            pos += 4
        # In this order no sum can overflow: what is left is compared, not where it would end.
        if pos > size or length > <uint64_t>(size - pos) or length > self.limit:
            return None
        end = stop[0] = pos + <Py_ssize_t>length
        if first == 0x82:
            return headrace_like(self.binary, self.in_binary, self._bytes(octets + pos, end - pos))
        if self.decode:
            payload = self._text(octets + pos, end - pos)
        else:
            payload = self._bytes(octets + pos, end - pos)
            PyUnicode_DecodeUTF8(PyBytes_AS_STRING(payload), end - pos, NULL)
        return headrace_like(self.text, self.in_text, payload)

    cdef inline object _bytes(self, const unsigned char *source, Py_ssize_t size):
        if self.masked:
            return _unmasked(source, size, headrace_key(source - 4, 0))
        return PyBytes_FromStringAndSize(<const char *>source, size)

    cdef inline object _text(self, const unsigned char *source, Py_ssize_t size):
        # Most text is ASCII, so unmask straight into an ASCII str. When a high bit shows up,
        # what was written is still the UTF-8 to decode.
        if not self.masked or size == 0:
            return PyUnicode_DecodeUTF8(<const char *>source, size, NULL)
        text = PyUnicode_New(size, 127)
        cdef unsigned char *target = headrace_ascii_data(text)
        if headrace_mask(target, source, size, headrace_key(source - 4, 0)) & HIGH_BITS:
            return PyUnicode_DecodeUTF8(<const char *>target, size, NULL)
        return text


cdef bytes _plain_frame(int first, const unsigned char *source, Py_ssize_t size, bytes key):
    cdef int at, head = 2 if size < 126 else 4 if size < 65536 else 10
    cdef bytes frame = PyBytes_FromStringAndSize(NULL, head + size + (0 if key is None else 4))
    cdef unsigned char *target = <unsigned char *>PyBytes_AS_STRING(frame)
    target[0] = first
    if head == 2:
        target[1] = <unsigned char>size
    else:
        target[1] = 126 if head == 4 else 127
        for at in range(head - 2):
            target[head - 1 - at] = <unsigned char>(<uint64_t>size >> (8 * at))
    target += head
    if key is None:
        memcpy(target, source, size)
        return frame
    (target - head)[1] |= 0x80
    memcpy(target, PyBytes_AS_STRING(key), 4)
    headrace_mask(target + 4, source, size, headrace_key(target, 0))
    return frame


def build_frame(int first, object payload, bytes key=None):
    """Return the frame with *first* as its first byte, masked with the four bytes of *key*."""
    if key is not None and PyBytes_GET_SIZE(key) != 4:
        raise ValueError("a masking key has four bytes")
    if isinstance(payload, str):
        if first & 0x0F != 1:
            raise TypeError("a str payload needs a text frame")
        if PyUnicode_IS_COMPACT_ASCII(payload):
            return _plain_frame(
                first, headrace_ascii_data(payload), PyUnicode_GET_LENGTH(payload), key
            )
        payload = PyUnicode_AsUTF8String(payload)
    elif type(payload) is not bytes:
        payload = bytes(memoryview(payload))
    return _plain_frame(
        first, <const unsigned char *>PyBytes_AS_STRING(payload), PyBytes_GET_SIZE(payload), key
    )


def whole_frame(int first, object payload, Py_ssize_t most):
    """Return the frame of a whole message, or None when it is not as short and plain as that."""
    if type(payload) is str and first == 0x81:
        if PyUnicode_GET_LENGTH(payload) > most:
            return None
        if PyUnicode_IS_COMPACT_ASCII(payload):
            return _plain_frame(
                first, headrace_ascii_data(payload), PyUnicode_GET_LENGTH(payload), None
            )
        payload = PyUnicode_AsUTF8String(payload)
    elif type(payload) is not bytes or first != 0x82 or PyBytes_GET_SIZE(payload) > most:
        return None
    return _plain_frame(
        first, <const unsigned char *>PyBytes_AS_STRING(payload), PyBytes_GET_SIZE(payload), None
    )
