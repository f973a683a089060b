"""Conditional requests: 304 and 412 before the work is done (RFC 9110, section 13)."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from time import time

import headrace.web._headers as hdrs

from ._etag import ETag, format_etag, matches
from ._exceptions import HTTPException, HTTPNotModified, HTTPPreconditionFailed
from ._request import BaseRequest

_ANY = (ETag("*"),)
_SAFE = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})


def failed_condition(
    request: BaseRequest,
    etag: ETag | None,
    last_modified: datetime.datetime | None,
    exists: bool = True,
) -> int | None:
    """Return 304 or 412 when that is the answer to *request*, None when it is to be served.

    The order is that of RFC 9110, section 13.2.2.
    """
    headers = request.headers
    if hdrs.IF_MATCH in headers:
        tags = request.if_match or ()
        # Section 13.1.1: the strong comparison.
        if not (exists if tags == _ANY else matches(tags, etag, weak=False)):
            return 412
    elif hdrs.IF_UNMODIFIED_SINCE in headers and last_modified is not None:
        date = request.if_unmodified_since
        if date is not None and _seconds(last_modified) > _seconds(date):
            return 412
    if hdrs.IF_NONE_MATCH in headers:
        tags = request.if_none_match or ()
        # Section 13.1.2: the weak comparison.
        if exists if tags == _ANY else matches(tags, etag, weak=True):
            return 304 if request.method in _SAFE else 412
    elif (
        hdrs.IF_MODIFIED_SINCE in headers
        and last_modified is not None
        and request.method in _SAFE  # section 13.1.3
    ):
        date = request.if_modified_since
        if date is not None and _seconds(last_modified) <= _seconds(date):
            return 304
    return None


def range_applies(
    request: BaseRequest, etag: ETag | None, last_modified: datetime.datetime | None
) -> bool:
    """Tell whether If-Range lets the Range of *request* count (RFC 9110, section 13.1.5)."""
    if hdrs.IF_RANGE not in request.headers:
        return True
    validator = request.if_range
    if isinstance(validator, ETag):
        return matches((validator,), etag, weak=False)
    if validator is None or last_modified is None:
        return False
    # Section 8.8.2.2: a date is a strong validator once the second that it names is over.
    seconds = _seconds(last_modified)
    return seconds == _seconds(validator) and seconds + 1 < time()


def _seconds(date: datetime.datetime) -> int:
    """Return the second of a date, which is all that a field can say; naive dates are UTC."""
    if date.tzinfo is None:
        date = date.replace(tzinfo=datetime.UTC)
    return int(date.timestamp() // 1)


def check_conditions(
    request: BaseRequest,
    *,
    etag: ETag | str | None = None,
    last_modified: datetime.datetime | None = None,
    exists: bool | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Raise the 304 or 412 that a conditional request calls for, before its work is done.

    Args:
        request: The request; its If-Match, If-None-Match, If-Modified-Since and
            If-Unmodified-Since count, in the order of RFC 9110, section 13.2.2.
        etag: The current entity tag of what is asked for; a string is a strong one.
        last_modified: When it was last changed; in UTC where it has no zone.
        exists: Whether there is something at all, for ``If-Match: *`` and
            ``If-None-Match: *``; by default whether a tag or a date is given.
        headers: Further fields of a 304: what a 200 would say of caching, as Cache-Control
            and Vary (RFC 9110, section 15.4.5).

    Raises:
        HTTPNotModified: A GET or HEAD whose client has the current state.
        HTTPPreconditionFailed: The state is not the one on which the client builds.
    """
    tag = ETag(etag) if isinstance(etag, str) else etag
    if exists is None:
        exists = tag is not None or last_modified is not None
    status = failed_condition(request, tag, last_modified, exists)
    if status is None:
        return
    answer: HTTPException = (
        HTTPNotModified(headers=headers) if status == 304 else HTTPPreconditionFailed()
    )
    if status == 304 and tag is not None:
        answer.headers[hdrs.ETAG] = format_etag(tag)
    if status == 304 and last_modified is not None:
        answer.last_modified = last_modified
    raise answer
