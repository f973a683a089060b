"""Which cookies are kept, and which are sent."""

from http.cookies import SimpleCookie

import pytest
from yarl import URL

from headrace.testing import CookieJar
from headrace.testing._cookies import cookie_header, parse_set_cookies

HOME = URL("http://example.com/a/b")


class Now:
    def __init__(self) -> None:
        self.seconds = 1_000_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def jar(now: Now) -> CookieJar:
    return CookieJar(now)


def sent(jar: CookieJar, url: str) -> str:
    return cookie_header(jar.filter_cookies(URL(url)))


@pytest.mark.parametrize(
    ("set_cookie", "url", "header"),
    [
        ("a=1", "http://example.com/a/x", "a=1"),
        ("a=1", "http://example.com/a", "a=1"),
        ("a=1", "http://example.com/ab", ""),
        ("a=1", "http://example.com/", ""),
        ("a=1; Path=/", "http://example.com/x", "a=1"),
        ("a=1; Path=relative", "http://example.com/a/x", "a=1"),
        ("a=1; Path=/x/", "http://example.com/x/y", "a=1"),
        ("a=1; Path=/x", "http://example.com/xy", ""),
        ("a=1; Path=/", "http://www.example.com/", ""),
        ("a=1; Path=/; Domain=example.com", "http://www.example.com/", "a=1"),
        ("a=1; Path=/; Domain=.EXAMPLE.com", "http://example.com/", "a=1"),
        ("a=1; Path=/; Domain=example.com", "http://badexample.com/", ""),
        ("a=1; Path=/; Domain=other.com", "http://other.com/", ""),
        ("a=1; Path=/; Secure", "http://example.com/", ""),
        ("a=1; Path=/; Secure", "https://example.com/", "a=1"),
        ("a=1; Path=/; Secure", "wss://example.com/", "a=1"),
        ('a="x y"; Path=/', "http://example.com/", 'a="x y"'),
        ("a=1; Path=/; Max-Age=10", "http://example.com/", "a=1"),
        ("a=1; Path=/; Max-Age=0", "http://example.com/", ""),
        ("a=1; Path=/; Max-Age=-5", "http://example.com/", ""),
        ("a=1; Path=/; Max-Age=soon", "http://example.com/", "a=1"),
        ("a=1; Path=/; Expires=Sun, 09 Sep 2001 01:46:41 GMT", "http://example.com/", "a=1"),
        ("a=1; Path=/; Expires=Sun, 09-Sep-2001 01:46:40 GMT", "http://example.com/", ""),
        ("a=1; Path=/; Expires=never", "http://example.com/", "a=1"),
    ],
)
def test_what_is_sent(jar: CookieJar, set_cookie: str, url: str, header: str) -> None:
    jar.update_cookies(parse_set_cookies([set_cookie]), HOME)
    assert sent(jar, url) == header


def test_longer_paths_come_first(jar: CookieJar) -> None:
    jar.update_cookies(parse_set_cookies(["a=1; Path=/", "b=2; Path=/x"]), HOME)
    assert sent(jar, "http://example.com/x") == "b=2; a=1"


def test_the_nearest_of_one_name_is_sent(jar: CookieJar) -> None:
    jar.update_cookies(parse_set_cookies(["a=1; Path=/"]), HOME)
    jar.update_cookies(parse_set_cookies(["a=2; Path=/x"]), HOME)
    assert sent(jar, "http://example.com/x") == "a=2"
    assert sent(jar, "http://example.com/") == "a=1"
    assert len(jar) == 2


def test_cookies_expire(jar: CookieJar, now: Now) -> None:
    jar.update_cookies(parse_set_cookies(["a=1; Path=/; Max-Age=60"]), HOME)
    now.seconds += 59
    assert sent(jar, "http://example.com/") == "a=1"
    now.seconds += 1
    assert sent(jar, "http://example.com/") == ""
    assert len(jar) == 0
    assert not jar


def test_an_expired_cookie_replaces_the_one_before(jar: CookieJar) -> None:
    jar.update_cookies(parse_set_cookies(["a=1"]), HOME)
    jar.update_cookies(parse_set_cookies(["a=; Max-Age=0"]), HOME)
    assert not jar


def test_cookies_without_a_url_go_everywhere(jar: CookieJar) -> None:
    jar.update_cookies({"a": "1"})
    jar.update_cookies([("b", "2")])
    assert sent(jar, "http://example.com/x") == "a=1; b=2"
    assert sent(jar, "https://127.0.0.1:8080/") == "a=1; b=2"
    jar.clear()
    assert list(jar) == []


def test_morsels_keep_their_attributes(jar: CookieJar) -> None:
    cookies = SimpleCookie({"a": "1"})
    cookies["a"]["path"] = "/only"
    jar.update_cookies(cookies)
    assert sent(jar, "http://example.com/") == ""
    assert [morsel["path"] for morsel in jar] == ["/only"]


def test_addresses_have_no_subdomains(jar: CookieJar) -> None:
    jar.update_cookies(parse_set_cookies(["a=1; Path=/; Domain=0.0.1"]), URL("http://127.0.0.1/"))
    assert not jar


def test_malformed_cookies_are_left_out() -> None:
    cookies = parse_set_cookies(["good=1", "b[a]d=2", "also=3; HttpOnly"])
    assert {"good", "also"} <= set(cookies)
    assert cookies["also"]["httponly"] is True
