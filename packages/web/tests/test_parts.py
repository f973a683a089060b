"""Multipart bodies as events: bytes in, heads and pieces out, and what is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace import web
from headrace.web._parts import MAX_SILENCE, Part, PartParser, multipart_boundary

A = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n'
FILE = (
    b'--B\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\n'
    b"Content-Type: Text/Plain; charset=utf-8\r\n\r\n\r\n--C\r\n"
)
END = b"--B--"


def parse(*pieces: bytes, **settings: Any) -> list[tuple[Part, bytes]]:
    """Return the parts of a body, each with all of its bytes."""
    parser = PartParser("B", **settings)
    found: list[tuple[Part, bytes]] = []
    is_open = False
    for piece in pieces:
        for event in parser.feed(piece):
            if isinstance(event, Part):
                assert not is_open
                is_open = True
                found.append((event, b""))
            elif event is None:
                assert is_open
                is_open = False
            else:
                assert is_open
                assert event
                found[-1] = (found[-1][0], found[-1][1] + event)
    parser.end()
    assert not is_open
    return found


def bytewise(data: bytes) -> list[bytes]:
    return [data[n : n + 1] for n in range(len(data))]


BODIES = [
    ("no parts", END, []),
    ("one", A + END, [("a", None, b"one")]),
    ("a line end after it", A + END + b"\r\n", [("a", None, b"one")]),
    ("around the parts", b"before\r\n" + A + END + b"\r\nafter", [("a", None, b"one")]),
    ("two", A + FILE + END, [("a", None, b"one"), ("f", "x.txt", b"\r\n--C")]),
    ("empty", A.replace(b"one", b"") + END, [("a", None, b"")]),
    ("almost the boundary", A.replace(b"one", b"\r\n--\r\n-") + END, [("a", None, b"\r\n--\r\n-")]),
    (
        "a length",
        A.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n") + END,
        [("a", None, b"one")],
    ),
    ("a part of another kind", b"--B\r\nX: y\r\n\r\none\r\n" + END, [(None, None, b"one")]),
]


@pytest.mark.parametrize(
    ("body", "expected"), [case[1:] for case in BODIES], ids=[c[0] for c in BODIES]
)
def test_parsing_in_any_pieces(body: bytes, expected: list[tuple[Any, ...]]) -> None:
    for pieces in [[body], bytewise(body), *([body[:n], body[n:]] for n in range(1, len(body)))]:
        found = [(part.name, part.filename, data) for part, data in parse(*pieces)]
        assert found == expected


@given(
    st.lists(st.lists(st.sampled_from([b"\r", b"\n", b"-", b"B", b"\r\n--", b"x"])), max_size=4),
    st.lists(st.integers(0, 300), max_size=5),
)
def test_any_bytes_come_out_as_they_went_in(texts: list[list[bytes]], cuts: list[int]) -> None:
    bodies = [body for text in texts if b"\r\n--B" not in (body := b"".join(text))]
    sent = b"".join(b"--B\r\nX: y\r\n\r\n" + body + b"\r\n" for body in bodies) + END
    edges = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    pieces = [sent[a:b] for a, b in pairwise(edges)]
    assert [data for _, data in parse(*pieces)] == bodies


DISPOSITIONS = [
    (b'form-data; name="a"', "a", None),
    (b"form-data; name=a; filename=b.txt", "a", "b.txt"),
    (b'form-data; name="a"; filename=""', "a", ""),
    (b"form-data; filename=b", None, "b"),
    ('form-data; name="ü"; filename="é.txt"'.encode(), "ü", "é.txt"),
    (b'form-data; name="a%22b"; filename="%22;%0D.txt"', 'a"b', '";\r.txt'),
    (rb'form-data; name="a"; filename="a\"b"', "a", 'a"b'),
    (rb'form-data; name="a"; filename="C:\dir\b.txt"', "a", "b.txt"),
    (b'form-data; name="a"; filename="../../b"', "a", "../../b"),
    (b"form-data; name=a; filename=x; filename*=utf-8''%C3%BC.txt", "a", "ü.txt"),
    (b"form-data; name=a; filename*=UTF-8'de'%C3%BC.txt; filename=x", "a", "ü.txt"),
    (b"form-data; name*=iso-8859-1''%FC; filename=x", "ü", "x"),
    (b"form-data; name=a; filename=x; filename*=utf-8''%FF", "a", "x"),
    (b"form-data; name=a; filename=x; filename*=punycode''x", "a", "x"),
    (b"form-data; name=a; filename=x; filename*=y", "a", "x"),
    (b"form-data; name=a; filename=\"x; filename*=utf-8''y\"", "a", "x; filename*=utf-8''y"),
    (b"attachment; name=a", "a", None),
]


@pytest.mark.parametrize(("disposition", "name", "filename"), DISPOSITIONS)
def test_names(disposition: bytes, name: str | None, filename: str | None) -> None:
    [(part, _)] = parse(b"--B\r\ncontent-disposition: " + disposition + b"\r\n\r\nx\r\n" + END)
    assert (part.name, part.filename) == (name, filename)


def test_the_head_of_a_part() -> None:
    [(part, _)] = parse(FILE + END)
    assert part.headers["CONTENT-TYPE"] == "Text/Plain; charset=utf-8"
    assert (part.content_type, part.charset) == ("text/plain", "utf-8")


MALFORMED = [
    ("nothing", b""),
    ("no boundary", b"x" * 100),
    ("no end", A),
    ("half an end", A + b"--B-"),
    ("an end inside a head", b"--B\r\nX: y\r\n" + END),
    ("a bare line feed", A.replace(b"\r\n", b"\n") + END),
    ("bytes after the boundary", b"--Bx\r\nX: y\r\n\r\n" + END),
    ("a boundary inside a line", b"x--B\r\nX: y\r\n\r\n\r\n" + END),
    ("no colon", b"--B\r\nX\r\n\r\n\r\n" + END),
    ("a space in a name", b"--B\r\nX Y: z\r\n\r\n\r\n" + END),
    ("no UTF-8", b"--B\r\nX: \xff\r\n\r\n\r\n" + END),
    ("a bare carriage return", b"--B\r\nX: a\rb\r\n\r\n\r\n" + END),
    ("a bare line feed in a field", b"--B\r\nX: a\nY: b\r\n\r\n\r\n" + END),
    ("a NUL", b"--B\r\nX: a\0b\r\n\r\n\r\n" + END),
    ("two dispositions", A.replace(b"\r\n\r\n", b"\r\nContent-Disposition: x\r\n\r\n") + END),
    ("two types", FILE.replace(b"\r\n\r\n", b"\r\ncontent-type: x/y\r\n\r\n", 1) + END),
    ("a wrong length", A.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n") + END),
    ("a negative length", A.replace(b"\r\n\r\n", b"\r\nContent-Length: -1\r\n\r\n") + END),
    ("much before the parts", b"x" * (2 * MAX_SILENCE) + b"\r\n" + A + END),
    ("much after the parts", A + END + b"x" * (2 * MAX_SILENCE)),
]


@pytest.mark.parametrize(
    "body", [case[1] for case in MALFORMED], ids=[case[0] for case in MALFORMED]
)
def test_malformed_bodies(body: bytes) -> None:
    # What is around the parts is counted by pieces.
    for step in (1, 10) if len(body) < 1000 else (1000, MAX_SILENCE):
        with pytest.raises(web.RequestPayloadError):
            parse(*(body[n : n + step] for n in range(0, len(body), step)))


LIMITS: list[tuple[str, bytes, dict[str, int]]] = [
    ("parts", A + A + END, {"max_parts": 1}),
    ("fields", b"--B\r\n" + b"X: y\r\n" * 17 + b"\r\n\r\n" + END, {}),
    ("a long field", b"--B\r\nX: " + b"y" * 4096 + b"\r\n\r\n\r\n" + END, {}),
    ("an endless field", b"--B\r\nX: " + b"y" * 10_000, {}),
    ("a field of a size", b"--B\r\nX: yyyyyyyyy\r\n\r\n\r\n" + END, {"max_field_size": 10}),
    ("a number of fields", b"--B\r\nX: y\r\nZ: y\r\n\r\n\r\n" + END, {"max_headers": 1}),
]


@pytest.mark.parametrize(("body", "settings"), [c[1:] for c in LIMITS], ids=[c[0] for c in LIMITS])
def test_limits(body: bytes, settings: dict[str, int]) -> None:
    for pieces in [[body], bytewise(body)]:
        with pytest.raises(web.HTTPRequestEntityTooLarge) as caught:
            parse(*pieces, **settings)
        assert caught.value.of_framework


def test_what_is_just_within_the_limits() -> None:
    head = b"--B\r\n" + b"X: " + b"y" * 4093 + b"\r\n" + b"X: y\r\n" * 15 + b"\r\n\r\n"
    assert len(parse(head + END)) == 1
    assert len(parse(A + A + END, max_parts=2)) == 2
    assert len(parse(b"x" * 100_000, b"\r\n" + A + END, b"x" * 100_000)) == 1


@given(
    st.lists(st.sampled_from([b"--B", b"--", b"\r\n", b"\n", b"\r", b"X", b": ", b"\xff", b" "]))
)
def test_garbage_raises_what_is_documented(pieces: list[bytes]) -> None:
    try:
        for part, _ in parse(*pieces):
            assert part.headers is not None
    except (web.RequestPayloadError, web.HTTPRequestEntityTooLarge):
        pass


@pytest.mark.parametrize("boundary", [None, "", " ", "x" * 71, "a\nb", "a\rb", "ü", "x "])
def test_what_cannot_be_a_boundary(boundary: str | None) -> None:
    with pytest.raises(web.RequestPayloadError):
        PartParser(boundary)


def test_the_boundary_of_a_content_type() -> None:
    assert multipart_boundary('multipart/mixed; boundary="a b"') == "a b"
    assert multipart_boundary("multipart/mixed; boundary=ab") == "ab"
    assert multipart_boundary("multipart/mixed") is None
