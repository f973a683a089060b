"""Byte tables of frames: what a peer sends, what comes of it, and where the RFC says so.

A case is written as frames, so that it can be rendered with the mask of a client and without,
as a server sends it. They feed the connection's tests, the property tests and the fuzzer.
"""

from __future__ import annotations

from typing import NamedTuple

from wire import deflated, length_of, masked, plain, xor

from headrace.websocket import Binary, Close, Event, Ping, Pong, Text


class Frame(NamedTuple):
    """A frame as it travels; *form* spells the length in 126 (2 bytes) or 127 (8 bytes) form."""

    first: int
    payload: bytes = b""
    form: int = 0
    key: bytes = b"\x37\xfa\x21\x3d"
    claimed: int | None = None  # a length that is not the payload's

    def render(self, mask: bool) -> bytes:
        if self.form:
            size = len(self.payload) if self.claimed is None else self.claimed
            length = size.to_bytes(2 if self.form == 126 else 8, "big")
            head = bytes([self.first, (0x80 if mask else 0) | self.form]) + length
        elif mask:
            return masked(self.first, self.payload, self.key)
        else:
            return plain(self.first, self.payload)
        return head + (self.key + xor(self.payload, self.key) if mask else self.payload)


class Case(NamedTuple):
    name: str
    section: str
    frames: list[Frame]
    events: list[Event]
    code: int | None = None
    deflate: bool = False

    def render(self, mask: bool) -> bytes:
        return b"".join(frame.render(mask) for frame in self.frames)


F = Frame
UTF8 = "κόσμε".encode()
assert length_of(126, 0) == b"\x7e\x00\x7e"

ACCEPTED = [
    Case("empty text", "5.6", [F(0x81)], [Text("")]),
    Case("empty binary", "5.6", [F(0x82)], [Binary(b"")]),
    Case("text", "5.6", [F(0x81, UTF8)], [Text("κόσμε")]),
    Case("text with NUL", "5.6", [F(0x81, b"a\0b")], [Text("a\0b")]),
    Case("binary that is no text", "5.6", [F(0x82, b"\xff\x00")], [Binary(b"\xff\x00")]),
    *(
        Case(f"binary of {size}", "5.2", [F(0x82, b"\xfe" * size)], [Binary(b"\xfe" * size)])
        for size in (125, 126, 127, 128, 65535, 65536, 65537)
    ),
    Case("ping", "5.5.2", [F(0x89)], [Ping(b"")]),
    Case("ping of 125", "5.5", [F(0x89, b"\xfe" * 125)], [Ping(b"\xfe" * 125)]),
    Case("pong nobody asked for", "5.5.3", [F(0x8A, b"x")], [Pong(b"x")]),
    Case("two fragments", "5.4", [F(0x01, b"a"), F(0x80, b"b")], [Text("ab")]),
    Case(
        "three fragments with empty ones",
        "5.4",
        [F(0x02), F(0x00, b"ab"), F(0x80)],
        [Binary(b"ab")],
    ),
    Case("only empty fragments", "5.4", [F(0x01), F(0x00), F(0x80)], [Text("")]),
    Case(
        "control frames between fragments",
        "5.4",
        [F(0x01, b"a"), F(0x89, b"1"), F(0x00, b"b"), F(0x8A, b"2"), F(0x80, b"c")],
        [Ping(b"1"), Pong(b"2"), Text("abc")],
    ),
    Case(
        "characters cut by fragments",
        "5.6",
        [F(0x01, UTF8[:1]), F(0x00, UTF8[1:4]), F(0x80, UTF8[4:])],
        [Text("κόσμε")],
    ),
    Case("a key of zeros", "5.3", [F(0x81, b"abc", 0, bytes(4))], [Text("abc")]),
    Case("close without a code", "5.5.1", [F(0x88)], [Close(None, "")]),
    Case("close with a reason", "5.5.1", [F(0x88, b"\x03\xe8bye")], [Close(1000, "bye")]),
    Case(
        "close of 125",
        "5.5",
        [F(0x88, b"\x0f\xa0" + b"x" * 123)],
        [Close(4000, "x" * 123)],
    ),
    Case("close with text", "5.5.1", [F(0x88, b"\x03\xe8" + UTF8)], [Close(1000, "κόσμε")]),
    *(
        Case(f"close code {code}", "7.4", [F(0x88, code.to_bytes(2, "big"))], [Close(code, "")])
        for code in (
            *(1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014),
            *(3000, 3999, 4000, 4999),
        )
    ),
    Case("close inside a message", "5.4", [F(0x01, b"a"), F(0x88)], [Close(None, "")]),
    Case("frames after the close", "5.5.1", [F(0x88), F(0x81, b"x"), F(0xFF)], [Close(None, "")]),
    *(
        Case(f"text up to {point:#x}", "8.1", [F(0x81, chr(point).encode())], [Text(chr(point))])
        for point in (0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFE, 0xFFFF, 0x10000, 0x10FFFF)
    ),
]

BAD_UTF8 = [
    ("a lone continuation byte", b"\x80"),
    ("a start byte alone", b"\xc3"),
    ("an overlong slash of two bytes", b"\xc0\xaf"),
    ("an overlong slash of three bytes", b"\xe0\x80\xaf"),
    ("an overlong slash of four bytes", b"\xf0\x80\x80\xaf"),
    ("a surrogate", b"\xed\xa0\x80"),
    ("a pair of surrogates", b"\xed\xa0\x80\xed\xb0\x80"),
    ("beyond U+10FFFF", b"\xf4\x90\x80\x80"),
    ("a sequence of five bytes", b"\xf8\x88\x80\x80\x80"),
    ("0xFE", b"\xfe"),
    ("0xFF", b"\xff"),
    ("good text, then bad", UTF8 + b"\xed\xa0\x80edited"),
]

PROTOCOL_ERRORS = [
    *(
        Case(f"reserved opcode {opcode:#x}", "5.2", [F(0x80 | opcode, b"x")], [], 1002)
        for opcode in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF)
    ),
    *(
        Case(f"reserved bits {first:#x}", "5.2", [F(first, b"x")], [], 1002)
        for first in (0xC1, 0xA1, 0x91, 0xB1, 0xF1, 0xC2, 0xC0, 0xC9, 0xCA, 0xC8, 0xA9, 0x98)
    ),
    *(
        Case(f"fragmented control frame {first:#x}", "5.5", [F(first)], [], 1002)
        for first in (0x08, 0x09, 0x0A)
    ),
    *(
        Case(f"control frame {first:#x} of 126", "5.5", [F(first, b"x" * 126)], [], 1002)
        for first in (0x88, 0x89, 0x8A)
    ),
    Case("control frame in long form", "5.5", [F(0x89, b"x", 126)], [], 1002),
    Case("125 in two bytes", "5.2", [F(0x82, b"x" * 125, 126)], [], 1002),
    Case("0 in two bytes", "5.2", [F(0x81, b"", 126)], [], 1002),
    Case("65535 in eight bytes", "5.2", [F(0x82, b"x" * 65535, 127)], [], 1002),
    Case("5 in eight bytes", "5.2", [F(0x81, b"Hello", 127)], [], 1002),
    Case("the highest bit of a length", "5.2", [F(0x82, b"", 127, claimed=1 << 63)], [], 1002),
    Case("continuation of nothing", "5.4", [F(0x80, b"x")], [], 1002),
    Case("unfinished continuation of nothing", "5.4", [F(0x00, b"x")], [], 1002),
    Case("continuation after a message", "5.4", [F(0x81, b"a"), F(0x80, b"b")], [Text("a")], 1002),
    Case("text inside a message", "5.4", [F(0x01, b"a"), F(0x81, b"b")], [], 1002),
    Case("binary inside a message", "5.4", [F(0x01, b"a"), F(0x02, b"b")], [], 1002),
    Case("text inside a binary message", "5.4", [F(0x02, b"a"), F(0x01, b"b")], [], 1002),
    Case("close of one byte", "5.5.1", [F(0x88, b"\x03")], [], 1002),
    *(
        Case(f"close code {code}", "7.4", [F(0x88, code.to_bytes(2, "big"))], [], 1002)
        for code in (
            *(0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999),
            *(5000, 65535),
        )
    ),
    Case("after a good message", "7.1.7", [F(0x81, b"a"), F(0x83)], [Text("a")], 1002),
]

DATA_ERRORS = [
    *(Case(f"text with {name}", "8.1", [F(0x81, data)], [], 1007) for name, data in BAD_UTF8),
    *(
        Case(f"fragmented text with {name}", "8.1", [F(0x01, b"ok"), F(0x80, data)], [], 1007)
        for name, data in BAD_UTF8
    ),
    *(
        Case(f"close reason with {name}", "5.5.1", [F(0x88, b"\x03\xe8" + data)], [], 1007)
        for name, data in BAD_UTF8
    ),
    Case("bad text before the last fragment", "8.1", [F(0x01, b"\xff"), F(0x00, b"x")], [], 1007),
]

HELLO = deflated(b"Hello")
assert HELLO == b"\xf2\x48\xcd\xc9\xc9\x07\x00"  # RFC 7692, 7.2.3.1

DEFLATE_ACCEPTED = [
    Case("compressed text", "RFC 7692, 7.2.3.1", [F(0xC1, HELLO)], [Text("Hello")]),
    Case(
        "fragments",
        "RFC 7692, 7.2.3.1",
        [F(0x41, HELLO[:3]), F(0x80, HELLO[3:])],
        [Text("Hello")],
    ),
    Case(
        "a shared window",
        "RFC 7692, 7.2.3.2",
        [F(0xC1, HELLO), F(0xC1, b"\xf2\x00\x11\x00\x00")],
        [Text("Hello"), Text("Hello")],
    ),
    Case(
        "a block without compression",
        "RFC 7692, 7.2.3.3",
        [F(0xC1, b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00")],
        [Text("Hello")],
    ),
    Case(
        "a final block",
        "RFC 7692, 7.2.3.4",
        [F(0xC1, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), F(0xC1, HELLO)],
        [Text("Hello"), Text("Hello")],
    ),
    Case(
        "a final block at the very end",
        "RFC 7692, 7.2.1",
        [F(0xC1, b"\xf3\x48\xcd\xc9\xc9\x07\x00"), F(0xC1, HELLO)],
        [Text("Hello"), Text("Hello")],
    ),
    Case(
        "final blocks in the middle",
        "RFC 7692, 7.2.1",
        [F(0xC1, b"\xf3\x48\xcd\xc9\xc9\x07\x00" * 3 + HELLO)],
        [Text("Hello" * 4)],
    ),
    Case(
        "two blocks",
        "RFC 7692, 7.2.3.5",
        [F(0xC1, b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00")],
        [Text("Hello")],
    ),
    Case("an empty message", "RFC 7692, 7.2.3.6", [F(0xC1, b"\x00")], [Text("")]),
    Case("a plain message beside", "RFC 7692, 6", [F(0x81, b"Hello")], [Text("Hello")]),
    Case(
        "control frames between fragments",
        "RFC 7692, 6.1",
        [F(0x42, HELLO[:2]), F(0x89, b"x"), F(0x80, HELLO[2:])],
        [Ping(b"x"), Binary(b"Hello")],
    ),
]

DEFLATE_ERRORS = [
    *(
        Case(f"RSV1 on control frame {first:#x}", "RFC 7692, 6.1", [F(first)], [], 1002)
        for first in (0xC8, 0xC9, 0xCA)
    ),
    Case("RSV1 on a continuation", "RFC 7692, 6.1", [F(0x41, HELLO), F(0xC0)], [], 1002),
    Case("RSV2 beside RSV1", "5.2", [F(0xE1, HELLO)], [], 1002),
    Case("no deflate data", "RFC 7692, 7.2.2", [F(0xC1, b"\xff\xff\xff")], [], 1007),
    Case("a window never filled", "RFC 7692, 7.2.2", [F(0xC1, b"\xf2\x00\x11\x00\x00")], [], 1007),
    Case("compressed, yet no byte", "RFC 7692, 7.2.3.6", [F(0xC1, b"")], [], 1007),
    Case("text that is no UTF-8", "8.1", [F(0xC1, deflated(b"a\xff"))], [], 1007),
    Case("text cut off", "8.1", [F(0xC1, deflated(UTF8[:-1]))], [], 1007),
    Case(
        "thousands of final blocks",
        "RFC 7692, 7.2.1",
        [F(0xC1, b"\x03\x00" * 2000)],
        [],
        1007,
    ),
]

PLAIN_CASES = ACCEPTED + PROTOCOL_ERRORS + DATA_ERRORS
DEFLATE_CASES = [case._replace(deflate=True) for case in DEFLATE_ACCEPTED + DEFLATE_ERRORS]
CASES = PLAIN_CASES + DEFLATE_CASES
