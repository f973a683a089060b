"""The HTTP exceptions as a table, and the few whose constructors take more than the others'."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from exchanges import FakeExchange, make_request
from yarl import URL

from headrace import web

#: status, name, base
TABLE = [
    (200, "HTTPOk", "HTTPSuccessful"),
    (201, "HTTPCreated", "HTTPSuccessful"),
    (202, "HTTPAccepted", "HTTPSuccessful"),
    (203, "HTTPNonAuthoritativeInformation", "HTTPSuccessful"),
    (204, "HTTPNoContent", "HTTPSuccessful"),
    (205, "HTTPResetContent", "HTTPSuccessful"),
    (206, "HTTPPartialContent", "HTTPSuccessful"),
    (300, "HTTPMultipleChoices", "HTTPMove"),
    (301, "HTTPMovedPermanently", "HTTPMove"),
    (302, "HTTPFound", "HTTPMove"),
    (303, "HTTPSeeOther", "HTTPMove"),
    (304, "HTTPNotModified", "HTTPRedirection"),
    (305, "HTTPUseProxy", "HTTPMove"),
    (307, "HTTPTemporaryRedirect", "HTTPMove"),
    (308, "HTTPPermanentRedirect", "HTTPMove"),
    (400, "HTTPBadRequest", "HTTPClientError"),
    (401, "HTTPUnauthorized", "HTTPClientError"),
    (402, "HTTPPaymentRequired", "HTTPClientError"),
    (403, "HTTPForbidden", "HTTPClientError"),
    (404, "HTTPNotFound", "HTTPClientError"),
    (405, "HTTPMethodNotAllowed", "HTTPClientError"),
    (406, "HTTPNotAcceptable", "HTTPClientError"),
    (407, "HTTPProxyAuthenticationRequired", "HTTPClientError"),
    (408, "HTTPRequestTimeout", "HTTPClientError"),
    (409, "HTTPConflict", "HTTPClientError"),
    (410, "HTTPGone", "HTTPClientError"),
    (411, "HTTPLengthRequired", "HTTPClientError"),
    (412, "HTTPPreconditionFailed", "HTTPClientError"),
    (413, "HTTPRequestEntityTooLarge", "HTTPClientError"),
    (414, "HTTPRequestURITooLong", "HTTPClientError"),
    (415, "HTTPUnsupportedMediaType", "HTTPClientError"),
    (416, "HTTPRequestRangeNotSatisfiable", "HTTPClientError"),
    (417, "HTTPExpectationFailed", "HTTPClientError"),
    (418, "HTTPImATeapot", "HTTPClientError"),
    (421, "HTTPMisdirectedRequest", "HTTPClientError"),
    (422, "HTTPUnprocessableEntity", "HTTPClientError"),
    (423, "HTTPLocked", "HTTPClientError"),
    (424, "HTTPFailedDependency", "HTTPClientError"),
    (425, "HTTPTooEarly", "HTTPClientError"),
    (426, "HTTPUpgradeRequired", "HTTPClientError"),
    (428, "HTTPPreconditionRequired", "HTTPClientError"),
    (429, "HTTPTooManyRequests", "HTTPClientError"),
    (431, "HTTPRequestHeaderFieldsTooLarge", "HTTPClientError"),
    (451, "HTTPUnavailableForLegalReasons", "HTTPClientError"),
    (500, "HTTPInternalServerError", "HTTPServerError"),
    (501, "HTTPNotImplemented", "HTTPServerError"),
    (502, "HTTPBadGateway", "HTTPServerError"),
    (503, "HTTPServiceUnavailable", "HTTPServerError"),
    (504, "HTTPGatewayTimeout", "HTTPServerError"),
    (505, "HTTPVersionNotSupported", "HTTPServerError"),
    (506, "HTTPVariantAlsoNegotiates", "HTTPServerError"),
    (507, "HTTPInsufficientStorage", "HTTPServerError"),
    (508, "HTTPLoopDetected", "HTTPServerError"),
    (510, "HTTPNotExtended", "HTTPServerError"),
    (511, "HTTPNetworkAuthenticationRequired", "HTTPServerError"),
]
EMPTY = {204, 205, 304}
BASES = [
    ("HTTPException", {"Response", "Exception"}),
    ("HTTPError", {"HTTPException"}),
    ("HTTPSuccessful", {"HTTPException"}),
    ("HTTPRedirection", {"HTTPException"}),
    ("HTTPMove", {"HTTPRedirection"}),
    ("HTTPClientError", {"HTTPError"}),
    ("HTTPServerError", {"HTTPError"}),
]
#: What a constructor needs before the common keywords.
NEEDED: dict[int, tuple[Any, ...]] = {
    **dict.fromkeys((300, 301, 302, 303, 305, 307, 308), ("/there",)),
    405: ("get", ["POST", "GET"]),
    413: (10, 20),
    451: ("https://example.org/law",),
}
COMMON = ["headers", "reason", "body", "text", "content_type"]


def make(status: int, name: str, **keywords: Any) -> web.HTTPException:
    exception = getattr(web, name)(*NEEDED.get(status, ()), **keywords)
    assert isinstance(exception, web.HTTPException)
    return exception


def test_the_table_is_complete() -> None:
    exported = {
        name
        for name in web.__all__
        if name.startswith("HTTP") and getattr(web, name).status_code > 0
    }
    assert exported == {name for _, name, _ in TABLE}
    statuses = {status for status, _, _ in TABLE}
    # 306 is unused, 102 and the rest of 1xx are no final answers, 207 to 226 are WebDAV's.
    assert {status.value for status in HTTPStatus if status >= 300} <= statuses


@pytest.mark.parametrize(("name", "bases"), BASES)
def test_bases(name: str, bases: set[str]) -> None:
    cls = getattr(web, name)
    assert {base.__name__ for base in cls.__bases__} == bases
    with pytest.raises(TypeError, match="has no status"):
        cls(*(("/",) if name == "HTTPMove" else ()))


@pytest.mark.parametrize(("status", "name", "base"), TABLE)
class TestEach:
    def test_status_and_base(self, status: int, name: str, base: str) -> None:
        cls = getattr(web, name)
        assert [parent.__name__ for parent in cls.__bases__] == [base]
        assert (cls.status_code, make(status, name).status) == (status, status)

    def test_default_text(self, status: int, name: str, base: str) -> None:
        exception = make(status, name)
        assert exception.reason == HTTPStatus(status).phrase
        assert str(exception) == exception.reason
        if status in EMPTY:
            assert (exception.text, exception.body, exception.content_length) == (None, None, 0)
            return
        text = f"{status}: {HTTPStatus(status).phrase}"
        if status == 413:
            text = "Maximum request body size 10 exceeded, actual body size 20"
        assert exception.text == text
        assert exception.body == text.encode()
        assert (exception.content_type, exception.charset) == ("text/plain", "utf-8")

    def test_own_text_body_reason_and_fields(self, status: int, name: str, base: str) -> None:
        exception = make(
            status, name, text="<p>", content_type="text/html", reason="Why", headers={"X-A": "b"}
        )
        assert (exception.text, exception.content_type) == ("<p>", "text/html")
        assert (exception.reason, str(exception)) == ("Why", "Why")
        assert exception.headers["X-A"] == "b"
        assert make(status, name, body=b"\0").body == b"\0"
        assert make(status, name, body=b"").body == b""
        with pytest.raises(ValueError, match="not allowed together"):
            make(status, name, body=b"x", text="x")

    def test_only_the_documented_arguments(self, status: int, name: str, base: str) -> None:
        with pytest.raises(TypeError):
            getattr(web, name)(*NEEDED.get(status, ()), None, "more", "positional")
        with pytest.raises(TypeError):
            make(status, name, unknown=1)

    def test_a_reason_is_one_line(self, status: int, name: str, base: str) -> None:
        for end in ("\r", "\n", "\r\nX: y"):
            with pytest.raises(ValueError, match="CR or LF"):
                make(status, name, reason=f"Why{end}")

    def test_can_be_raised_and_caught(self, status: int, name: str, base: str) -> None:
        exception = make(status, name)
        with pytest.raises(getattr(web, base)) as caught:
            raise exception
        assert caught.value is exception

    async def test_can_be_sent(self, status: int, name: str, base: str) -> None:
        exception, exchange = make(status, name), FakeExchange()
        await exception.prepare(make_request(exchange=exchange))
        await exception.write_eof()
        ((kind, sent, reason, _, body),) = exchange.sent
        assert (kind, sent, reason, body) == ("whole", status, None, exception.body or b"")

    @pytest.mark.parametrize(
        "again",
        [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))],
        ids=["copy", "deepcopy", "pickle"],
    )
    def test_can_be_copied(
        self, status: int, name: str, base: str, again: Callable[[Any], Any]
    ) -> None:
        exception = make(status, name, reason="Why", headers={"X-A": "b"})
        exception.set_cookie("c", "d")
        exception["key"] = "value"
        other = again(exception)
        assert type(other) is type(exception)
        assert other is not exception
        assert (other.status, other.reason, str(other)) == (status, "Why", "Why")
        assert (other.body, other.headers) == (exception.body, exception.headers)
        assert (other.cookies["c"].value, dict(other)) == ("d", {"key": "value"})
        for attribute in ("location", "allowed_methods", "method", "link"):
            missing = object()
            expected = getattr(exception, attribute, missing)
            assert getattr(other, attribute, missing) == expected or expected is missing


@pytest.mark.parametrize("name", [name for status, name, _ in TABLE if status not in (413, 451)])
def test_the_common_keywords(name: str) -> None:
    parameters = inspect.signature(getattr(web, name)).parameters
    keywords = [each.name for each in parameters.values() if each.kind is each.KEYWORD_ONLY]
    assert keywords == COMMON


# -- redirections

LOCATIONS = [
    "/",
    "/path?query=1#fragment",
    "relative",
    "..",
    "?query",
    "//example.org/x",
    "http://example.org",
    "http://example.org?a=b",
    "HTTP://Example.ORG:80/%7euser",
    "/path?",
    "/%zz|",
    "mailto:somebody@example.org",
]


@pytest.mark.parametrize("location", LOCATIONS)
def test_an_ascii_location_is_sent_as_it_was_given(location: str) -> None:
    assert web.HTTPFound(location).headers["Location"] == location


@pytest.mark.parametrize("location", ["/", "/a?b=c", "http://example.org", "/%zz"])
def test_location_is_a_url(location: str) -> None:
    exception = web.HTTPFound(location)
    assert isinstance(exception.location, URL)
    assert str(exception.location) == location


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/a b", "/a%20b"),
        ("/é", "/%C3%A9"),
        (URL("/a b"), "/a%20b"),
        (URL("http://example.org/x"), "http://example.org/x"),
        (URL("/%2F", encoded=True), "/%2F"),
    ],
)
def test_any_other_location_is_quoted(location: str | URL, sent: str) -> None:
    exception = web.HTTPSeeOther(location)
    assert exception.headers["Location"] == sent
    assert str(exception.location) == sent


@pytest.mark.parametrize("location", ["/a\r\nX: y", "/\n", "/a\0b", "http://h/\r\n\r\n<script>"])
def test_a_location_brings_no_field_of_its_own(location: str) -> None:
    try:
        sent = web.HTTPFound(location).headers["Location"]
    except ValueError:
        return
    assert not set(sent) & set("\r\n\0")


@pytest.mark.parametrize("location", ["", None, URL("")])
@pytest.mark.parametrize("name", [name for _, name, base in TABLE if base == "HTTPMove"])
def test_a_redirection_goes_somewhere(name: str, location: Any) -> None:
    with pytest.raises(ValueError, match="location"):
        getattr(web, name)(location)


def test_not_modified_goes_nowhere() -> None:
    assert "Location" not in web.HTTPNotModified().headers


# -- the others that say more


@pytest.mark.parametrize(
    ("allowed", "field"),
    [
        (
            ["PUT", "POST", "GET", "PATCH", "POST", "DELETE", "HEAD"],
            "DELETE,GET,HEAD,PATCH,POST,PUT",
        ),
        ({"PUT"}, "PUT"),
        ((), ""),
    ],
)
def test_method_not_allowed(allowed: Any, field: str) -> None:
    exception = web.HTTPMethodNotAllowed("patch", allowed)
    assert exception.method == "PATCH"
    assert exception.allowed_methods == set(allowed)
    assert exception.headers["Allow"] == field


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"max_size": 5}, "Maximum request body size 5 exceeded"),
        (
            {"max_size": 5, "actual_size": 6},
            "Maximum request body size 5 exceeded, actual body size 6",
        ),
        ({"max_size": 5, "text": "own"}, "own"),
        ({"max_size": 5, "body": b"own"}, "own"),
        ({"text": "the guide's constructor"}, "the guide's constructor"),
        ({}, f"413: {HTTPStatus(413).phrase}"),
    ],
)
def test_entity_too_large(arguments: dict[str, Any], text: str) -> None:
    assert web.HTTPRequestEntityTooLarge(**arguments).text == text


@pytest.mark.parametrize(
    ("link", "field"),
    [
        ("https://example.org/law", '<https://example.org/law>; rel="blocked-by"'),
        (URL("https://example.org/law"), '<https://example.org/law>; rel="blocked-by"'),
        ("https://example.org/<a>", '<https://example.org/%3Ca%3E>; rel="blocked-by"'),
        (None, None),
    ],
)
def test_legal_reasons(link: str | URL | None, field: str | None) -> None:
    exception = web.HTTPUnavailableForLegalReasons(link, text="No.")
    assert exception.headers.get("Link") == field
    assert exception.link == (None if link is None else URL(link))
    assert exception.text == "No."


def test_own_subclasses() -> None:
    class OutOfCoffee(web.HTTPImATeapot):
        status_code = 499

        def __init__(self, beans: int) -> None:
            super().__init__(text=f"{beans} beans", reason="Out Of Coffee")
            self.beans = beans

    exception = copy.copy(OutOfCoffee(3))
    assert (exception.status, exception.text, exception.beans) == (499, "3 beans", 3)
    assert str(exception) == "Out Of Coffee"


def test_a_default_text_keeps_the_type_that_was_asked_for() -> None:
    exception = web.HTTPNotFound(content_type="application/json")
    assert (exception.content_type, exception.text) == ("application/json", "404: Not Found")
    exception = web.HTTPNotFound(headers={"Content-Type": "text/html"})
    assert exception.content_type == "text/html"
