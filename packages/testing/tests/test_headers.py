"""The headers of a request."""

import pytest
from yarl import URL

from headrace.testing._body import NO_BODY, encode_body
from headrace.testing._headers import HeaderPlan, host_of

URL_A = URL("http://a/")
AUTOMATIC = [
    (b"Accept", b"*/*"),
    (b"Accept-Encoding", b"gzip, deflate"),
    (b"User-Agent", b"headrace-testing"),
]


def test_plain_requests() -> None:
    plan = HeaderPlan(None)
    assert plan.plain(URL_A) == [(b"Host", b"a"), *AUTOMATIC]
    assert plan.plain(URL_A) is plan.plain(URL("http://a/other"))
    assert HeaderPlan({"Host": "b"}).plain(URL_A) == [(b"Host", b"b"), *AUTOMATIC]


def test_repeated_headers_are_all_sent() -> None:
    plan = HeaderPlan([("X-A", "1"), ("X-A", "2")])
    pairs = plan.pairs(URL_A, NO_BODY, [("X-B", "3"), ("x-b", "4")], (), ())
    assert pairs[1:5] == [(b"X-A", b"1"), (b"X-A", b"2"), (b"X-B", b"3"), (b"x-b", b"4")]


def test_the_nearest_wins() -> None:
    plan = HeaderPlan({"x-a": "client", "accept": "client"})
    pairs = plan.pairs(URL_A, encode_body("x", None), {"X-A": "mine"}, [("x-a", "extra")], ())
    names = {name.lower(): value for name, value in pairs}
    assert names[b"x-a"] == b"mine"
    assert names[b"accept"] == b"client"
    assert names[b"content-type"] == b"text/plain; charset=utf-8"


def test_what_is_skipped() -> None:
    plan = HeaderPlan(None)
    pairs = plan.pairs(URL_A, NO_BODY, None, (), ["host", "ACCEPT", "Accept-encoding"])
    assert pairs == [(b"User-Agent", b"headrace-testing")]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://a/", b"a"),
        ("http://a:80/", b"a"),
        ("https://a:443/", b"a"),
        ("http://a:443/", b"a:443"),
        ("http://[::1]:8080/", b"[::1]:8080"),
        ("http://bücher.example/", b"xn--bcher-kva.example"),
        ("http://user:word@a/", b"a"),
    ],
)
def test_host(url: str, host: bytes) -> None:
    assert host_of(URL(url)) == host
