"""What to ask for after a redirect (RFC 9110 §15.4)."""

from typing import NamedTuple

from yarl import URL

from ._response import ClientResponse

__all__ = ["Next", "redirected"]

_STATUSES = frozenset({301, 302, 303, 307, 308})


class Next(NamedTuple):
    """The request that follows a redirect."""

    method: str
    url: URL
    keeps_body: bool


def redirected(response: ClientResponse) -> Next | None:
    """Return what to ask for next, None when *response* is no redirect."""
    if response.status not in _STATUSES:
        return None
    location = response.headers.get("Location", response.headers.get("URI"))
    if location is None:
        return None
    url = response.real_url.join(URL(location))
    if not url.raw_fragment and response.real_url.raw_fragment:
        # RFC 9110 §10.2.2: the fragment of the request is inherited.
        url = url.with_fragment(response.real_url.fragment)
    method = response.method
    # RFC 9110 §15.4.2 and §15.4.3: POST becomes GET, as every browser has it; §15.4.4: so does
    # everything but HEAD on 303.
    rewrites = (response.status == 303 and method != "HEAD") or (
        response.status in {301, 302} and method == "POST"
    )
    return Next("GET" if rewrites else method, url, keeps_body=not rewrites)
