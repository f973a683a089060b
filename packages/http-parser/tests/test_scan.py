"""Both twins of the kernel, and that they agree."""

from __future__ import annotations

import string
from types import ModuleType
from typing import Any

import pytest
from cases import ACCEPTED, ACCEPTED_RESPONSES, REFUSED, REFUSED_RESPONSES
from hypothesis import given
from hypothesis import strategies as st

from headrace.http_parser import IMPLEMENTATION, Limits, RemoteProtocolError, _scan_py
from headrace.http_parser._events import received_headers
from headrace.http_parser._lines import LineCheck, Section
from headrace.http_parser._names import SPELLINGS, name_table

_scan_c: ModuleType | None
try:
    from headrace.http_parser import _scan_c
except ImportError:
    _scan_c = None

TWINS = [_scan_py] if _scan_c is None else [_scan_py, _scan_c]
WIDE = (8190, 8190, 128, 65536)
OTHER = ((4, b"other"),)

REQUESTS = [case.data for case in (*ACCEPTED, *REFUSED)]
RESPONSES = [case.data for case in (*ACCEPTED_RESPONSES, *REFUSED_RESPONSES)]

WORDS = (
    b"GET POST / /a * HTTP/1.1 HTTP/1.0 HTTP/2.0 200 OK 0 1 chunked close x;y aaaaaaaaa "
    b"Host host Connection Content-Length Expect Transfer-Encoding Content_Length Upgrade"
)
MARKS = [b" ", b"  ", b"\t", b"\r\n", b"\r\n\r\n", b"\r", b"\n", b":", b": "]
LINES = [b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 ", b"Host: a\r\n", b"X: 0123456789\r\n"]
PARTS = st.sampled_from([*WORDS.split(), *MARKS, *LINES, b"\x00", b"\x7f", b"\xff"])
BYTES = st.binary(max_size=60) | st.lists(PARTS, max_size=14).map(b"".join)
SMALL = st.integers(0, 90)
LIMITS = st.just(WIDE) | st.tuples(SMALL, SMALL, st.integers(0, 4), SMALL)


@pytest.fixture(params=TWINS, ids=lambda twin: twin.__name__.rpartition("_")[2])
def twin(request: pytest.FixtureRequest) -> ModuleType:
    assert isinstance(request.param, ModuleType)
    return request.param


@pytest.mark.skipif(_scan_c is None, reason="the compiled twin is not built")
@pytest.mark.parametrize("data", REQUESTS + RESPONSES)
def test_twins_agree_on_the_cases(data: bytes) -> None:
    assert _scan_c is not None
    for start in range(len(data)):
        for name in ("scan_request_head", "scan_response_head"):
            pure = getattr(_scan_py, name)(data, start, *WIDE, ())
            assert getattr(_scan_c, name)(data, start, *WIDE, ()) == pure
        pure = _scan_py.scan_trailers(data, start, 8190, 128, 8192)
        assert _scan_c.scan_trailers(data, start, 8190, 128, 8192) == pure
        assert _scan_c.scan_chunk_line(data, start) == _scan_py.scan_chunk_line(data, start)


@pytest.mark.skipif(_scan_c is None, reason="the compiled twin is not built")
@given(data=BYTES, limits=LIMITS, start=st.integers(0, 3))
def test_twins_agree_on_anything(data: bytes, limits: tuple[int, ...], start: int) -> None:
    assert _scan_c is not None
    for name in ("scan_request_head", "scan_response_head"):
        pure = getattr(_scan_py, name)(data, start, *limits, ())
        assert getattr(_scan_c, name)(data, start, *limits, ()) == pure
    pure = _scan_py.scan_trailers(data, start, *limits[1:])
    assert _scan_c.scan_trailers(data, start, *limits[1:]) == pure
    assert _scan_c.scan_chunk_line(data, start) == _scan_py.scan_chunk_line(data, start)


NEARLY = st.sampled_from([b"", b"\n", b"\r\n", b"!", b"hi", b"GET / HTTP/1.1\r\n\r\n"])
STARTS = st.sampled_from(
    [b"GET / ", b"PUT /a?b ", b"HEAD / ", b"CONNECT /a ", b"GET * ", b"head /"]
)


@pytest.mark.skipif(_scan_c is None, reason="the compiled twin is not built")
@given(
    data=BYTES
    | st.sampled_from(REQUESTS)
    | st.tuples(
        STARTS, st.sampled_from([b"HTTP/1.1\r\n", b" HTTP/1.1\r\n", b"HTTP/1.0\r\n"]), BYTES, NEARLY
    ).map(b"".join),
    limits=LIMITS,
    length=st.integers(0, 6) | st.just(2**63 - 1),
)
def test_twins_agree_on_whole_requests(
    data: bytes, limits: tuple[int, int, int, int], length: int
) -> None:
    assert _scan_c is not None
    head = _scan_py.scan_request_head(data, 0, *limits, ())
    for usual in ((), OTHER, () if head is None else head[5]):
        for size in (length, 0 if head is None else len(data) - head[4]):
            pure = _scan_py.scan_whole_request(data, limits, usual, size)
            found = _scan_c.scan_whole_request(data, limits, usual, size)
            assert found == pure
            if pure is not None:
                assert (found[4] is usual) is (pure[4] is usual)


FIELDS = st.lists(
    st.tuples(
        st.sampled_from([b"Host", b"connection", b"X-y", b"", b"a b", b"\xff", b"Upgrade"])
        | st.binary(max_size=12),
        st.sampled_from([b"", b"v", b" v", b"v\t", b"a\tb", b"\r\n", b"12345678\x00"])
        | st.binary(max_size=20),
    ),
    max_size=4,
)


@pytest.mark.skipif(_scan_c is None, reason="the compiled twin is not built")
@given(pairs=FIELDS)
def test_twins_serialize_the_same(pairs: list[tuple[bytes, bytes]]) -> None:
    assert _scan_c is not None
    found = _scan_c.serialize_fields(pairs)
    assert found == _scan_py.serialize_fields(pairs)
    if found is not None:
        block, _ = found
        assert _scan_c.split_fields(block, 0) == tuple(pairs)
        assert _scan_py.split_fields(block, 0) == tuple(pairs)
        text = _scan_c.split_text(block, 0)
        assert text == _scan_py.split_text(block, 0)
        assert text == _scan_c.split_text(block, 0, name_table(str))
        for name, _ in (*pairs, (b"Absent", b"")):
            values = [value for other, value in pairs if other.lower() == name.lower()]
            for find in (_scan_c.find_field, _scan_py.find_field):
                assert find(block, 0, name.lower()) == (values[0] if values else None)
        names = (*(name.lower() for name, _ in reversed(pairs)), b"absent", b"host")
        each = tuple(_scan_py.find_field(block, 0, name) for name in names)
        assert _scan_c.find_fields(block, 0, names) == each
        assert _scan_py.find_fields(block, 0, names) == each
        back = [(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in text]
        assert back == pairs


@pytest.mark.parametrize("twin", [_scan_py, _scan_c])
@pytest.mark.parametrize(
    ("head", "pairs"),
    [
        (b"GET / HTTP/1.1\r\nA: b\r\nC:d\r\n\r\n", [(b"A", b"b"), (b"C", b"d")]),
        (b"GET / HTTP/1.1\r\nA: b\r\n\r\nX: body\r\n\r\nY: body\r\n", [(b"A", b"b")]),
        (b"GET / HTTP/1.0\r\n\r\nX: body\r\n", []),
        (b"GET / HTTP/1.0\r\n\r\n\xb3: \xff", []),
        (b"GET / HTTP/1.0\r\n\r\n", []),
    ],
)
def test_fields_end_before_the_body(
    twin: ModuleType | None, head: bytes, pairs: list[tuple[bytes, bytes]]
) -> None:
    if twin is None:
        pytest.skip("the compiled twin is not built")
    start = head.index(b"\r\n") + 2
    assert list(twin.split_fields(head, start)) == pairs
    assert [tuple(map(str.encode, pair)) for pair in twin.split_text(head, start)] == pairs
    assert twin.find_field(head, start, b"a") == dict(pairs).get(b"A")
    assert twin.find_field(head, start, b"c") == dict(pairs).get(b"C")
    assert twin.find_field(head, start, b"x") is None
    assert twin.find_field(head, start, b"y") is None
    names = (b"c", b"x", b"a", b"y", b"a")
    c, a = dict(pairs).get(b"C"), dict(pairs).get(b"A")
    assert twin.find_fields(head, start, names) == (c, None, a, None, a)


def test_the_first_field_of_each_name_is_found(twin: ModuleType) -> None:
    head = b"Ab: 1\r\naB:  \t\r\nA-b: 2 \r\nXx: 3\r\n\r\nYy: 4\r\n"
    assert twin.find_fields(head, 0, (b"xx", b"ab", b"yy", b"a-b")) == (b"3", b"1", None, b"2")
    assert twin.find_fields(head, 7, (b"ab", b"xx")) == (b"", b"3")
    assert twin.find_fields(head, 0, ()) == ()
    with pytest.raises(TypeError):
        twin.find_fields(head, 0, ("ab",))


class Name(str):
    """A name that can be told from its equals."""

    __slots__ = ()


def test_common_names_are_made_once() -> None:
    def make(name: str) -> Name:
        made.append(name)
        return Name(name)

    made: list[str] = []
    for _ in range(2):
        block = b"".join(b"%s: x\r\n" % name.encode() for name in (*SPELLINGS, "X-Mine")) + b"\r\n"
        text = received_headers(block, 0).text(make)
        assert [name for name, _ in text] == [*SPELLINGS, "X-Mine"]
    assert sorted(made) == sorted(SPELLINGS)
    names = [name for name, _ in text if isinstance(name, Name)]
    # Few share a slot with another one. The pure twin decodes them all.
    assert len(names) > 0.9 * len(SPELLINGS) if IMPLEMENTATION == "c" else not names


@pytest.mark.skipif(_scan_c is None, reason="the compiled twin is not built")
@given(names=st.lists(st.sampled_from(SPELLINGS) | st.text("aHost-", min_size=1)))
def test_names_come_back_as_they_were_spelled(names: list[str]) -> None:
    assert _scan_c is not None
    block = b"".join(b"%s: x\r\n" % name.encode() for name in names) + b"\r\n"
    assert [name for name, _ in _scan_c.split_text(block, 0, name_table(Name))] == names


@given(data=BYTES, limits=LIMITS)
def test_line_check_accepts_what_the_kernel_accepts(data: bytes, limits: tuple[int, ...]) -> None:
    max_line, max_header, max_headers, max_head = limits
    limits_ = Limits(
        max_request_line=max_line,
        max_header=max_header,
        max_headers=max_headers,
        max_head=max_head,
        max_trailers=max_head,
        max_leading_empty_lines=0,
    )
    trailers = _scan_py.scan_trailers(data, 0, *limits[1:])
    for section, found, end_at in (
        (Section.REQUEST, _scan_py.scan_request_head(data, 0, *limits, ()), 4),
        (Section.RESPONSE, _scan_py.scan_response_head(data, 0, *limits, ()), 4),
        (Section.TRAILERS, None if trailers is None else (trailers,), 0),
    ):
        try:
            end = LineCheck(section, limits_).feed(data, 0)
        except RemoteProtocolError:
            end = None
        assert end == (None if found is None else found[end_at])


def known_of(twin: ModuleType, block: bytes, last: tuple[tuple[int, bytes], ...] = ()) -> Any:
    head = twin.scan_request_head(b"GET / HTTP/1.1\r\n" + block + b"\r\n", 0, *WIDE, last)
    return head[5]


def test_known_fields_keep_their_order_and_lose_their_space(twin: ModuleType) -> None:
    names = b"CONNECTION", b"content-length", b"Expect", b"HOST", b"transfer-Encoding", b"upgrade"
    block = b"".join(b"%b: \t%b \r\nx-%b: y\r\n" % (name, name[:1], name) for name in names)
    expected = ((1, b"C"), (2, b"c"), (3, b"E"), (4, b"H"), (5, b"t"), (6, b"u"))
    assert known_of(twin, block) == expected


def test_more_known_fields_than_usual(twin: ModuleType) -> None:
    for count in (15, 16, 17, 32, 33, 100):
        assert known_of(twin, b"Host: a\r\n" * count) == ((4, b"a"),) * count


def test_names_that_only_look_known_are_not(twin: ModuleType) -> None:
    names = b"h0st", b"HOSTS", b"Content_Length", b"Content~Length", b"xhost", b"chost", b"hpgrade"
    assert known_of(twin, b"".join(b"%b: a\r\n" % name for name in names)) == ()


@pytest.mark.parametrize("count", [1, 2, 40])
def test_equal_known_fields_are_the_last_ones(twin: ModuleType, count: int) -> None:
    block = b"Host: a\r\n" * count
    last = known_of(twin, block)
    assert known_of(twin, block + b"X: y\r\n", last) is last
    for other in (
        b"Host: b\r\n",
        b"Host: aa\r\n",
        b"Expect: a\r\n",
        b"Host: a\r\n" * (count + 1),
        b"",
    ):
        assert known_of(twin, other, last) is not last
        assert known_of(twin, other, last) == known_of(twin, other)


WHOLE = b"POST /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\nhi"
HOST_A = ((4, b"a"),)


def test_a_usual_request_is_scanned_as_a_whole(twin: ModuleType) -> None:
    end = len(WHOLE) - 2
    found = twin.scan_whole_request(WHOLE, WIDE, HOST_A, 2)
    assert found == ("POST", "/a?b", 20, end, HOST_A)
    assert found[4] is HOST_A
    for method in ("GET", "PUT", "head", "HEADS", "CONNECTS", "X"):
        data = WHOLE.replace(b"POST", method.encode())
        assert twin.scan_whole_request(data, WIDE, HOST_A, 2)[0] == method
    # What follows other known fields is judged by who knows what they mean.
    for after in (b"", b"h", b"hi!"):
        data = WHOLE[:-2] + after
        assert twin.scan_whole_request(data, WIDE, OTHER, 2) == (*found[:4], HOST_A)
        assert twin.scan_whole_request(data, WIDE, HOST_A, 2) is None
        assert twin.scan_whole_request(data, WIDE, HOST_A, 2**63 - 1) is None
        assert twin.scan_whole_request(data, WIDE, HOST_A, len(after)) == found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"1.1", b"1.0"),
        (b"1.1", b"1.2"),
        (b"POST", b"HEAD"),
        (b"POST", b"CONNECT"),
        (b"/a?b", b"*"),
        (b"/a?b", b"http://a/"),
        (b"Host: a", b"Host : a"),
        (b"\r\nhi", b""),
        (b"POST", b""),
        (b"POST", b"\r\nPOST"),
    ],
)
@pytest.mark.parametrize("usual", [HOST_A, OTHER, ()])
def test_an_unusual_request_is_not_scanned_as_a_whole(
    twin: ModuleType, old: bytes, new: bytes, usual: tuple[tuple[int, bytes], ...]
) -> None:
    assert twin.scan_whole_request(WHOLE.replace(old, new), WIDE, usual, 2) is None
    assert twin.scan_whole_request(b"", WIDE, usual, 0) is None


def test_a_whole_request_keeps_to_the_limits(twin: ModuleType) -> None:
    exact = (18, 7, 2, len(WHOLE) - 2)
    assert twin.scan_whole_request(WHOLE, exact, HOST_A, 2) is not None
    for i in range(4):
        less = (*exact[:i], exact[i] - 1, *exact[i + 1 :])
        assert twin.scan_whole_request(WHOLE, less, HOST_A, 2) is None


@pytest.mark.parametrize("byte", range(256))
def test_each_byte_in_each_place(twin: ModuleType, byte: int) -> None:
    one = bytes([byte])
    token = one in [c.encode() for c in string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"]
    field = byte == 9 or 0x20 <= byte <= 0x7E or byte >= 0x80
    target = 0x21 <= byte <= 0x7E and one not in b'"#<>'
    head = b"G%bT /%b HTTP/1.1\r\nX%bX: a%bb\r\n\r\n"

    def accepts(*parts: bytes) -> bool:
        return twin.scan_request_head(head % parts, 0, *WIDE, ()) is not None

    assert accepts(one, b"", b"", b"") is token
    assert accepts(b"", one, b"", b"") is target
    # A colon ends a name.
    assert accepts(b"", b"", one, b"") is (token or one == b":")
    for padding in (b"", b"1234567", b"1234567890123456"):
        assert accepts(b"", b"", b"", padding + one) is field
        assert accepts(b"", b"", b"", one + padding) is field


@pytest.mark.parametrize("pair", [["a", "b"], [b"a", b"b"], (b"a",), (b"a", "b"), 3])
def test_what_is_no_pair_of_bytes_is_not_serialized(twin: ModuleType, pair: object) -> None:
    assert twin.serialize_fields([pair]) is None
