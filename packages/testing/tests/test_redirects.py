"""What follows a redirect, as a table."""

import pytest
from test_response import respond
from yarl import URL

from headrace.testing._redirects import Next, redirected


@pytest.mark.parametrize(
    ("location", "url"),
    [
        (b"/x", "http://a/x#e"),
        (b"x?y", "http://a/x?y#e"),
        (b"?q", "http://a/b?q#e"),
        (b"//other/x", "http://other/x#e"),
        (b"https://a/x#z", "https://a/x#z"),
    ],
)
async def test_where_it_leads(location: bytes, url: str) -> None:
    response = respond((b"Location", location), status=302)
    assert redirected(response) == Next("GET", URL(url), keeps_body=True)


@pytest.mark.parametrize("status", [200, 300, 304, 305, 404])
async def test_no_redirects(status: int) -> None:
    assert redirected(respond((b"Location", b"/x"), status=status)) is None


async def test_no_location() -> None:
    assert redirected(respond(status=302)) is None
