"""Error answers in the form that the client asks for: text, HTML, or RFC 9457's problem+json.

What the framework itself answers (404, 405, 413, 500 and so on) is rendered here just before it
is sent. What a program raises or returns stays as the program made it.
"""

from __future__ import annotations

import html
import json
from typing import Any, Final

import headrace.web._headers as hdrs

from ._accept import preferred
from ._exceptions import BY_STATUS, HTTPException
from ._request import BaseRequest

PROBLEM_TYPE: Final = "application/problem+json"
_OFFERS: Final = ("text/plain", "text/html", PROBLEM_TYPE, "application/json")
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:34rem;padding:0 1rem}}
@media(prefers-color-scheme:dark){{body{{background:#111;color:#ddd}}}}</style>
<h1>{title}</h1>
<p>{detail}</p>
</html>
"""


def problem(
    status: int,
    *,
    title: str | None = None,
    detail: str | None = None,
    type: str | None = None,  # noqa: A002 (the member's name in RFC 9457)
    instance: str | None = None,
    **members: Any,
) -> HTTPException:
    """Return an exception whose body is a problem document (RFC 9457).

    Args:
        status: The status code, which selects the class.
        title: What kind of problem it is; the reason phrase when None.
        detail: What happened this time.
        type: A URI that identifies the kind of problem.
        instance: A URI that identifies this occurrence.
        **members: Further members of the document.

    Raises:
        ValueError: *status* has no class that can be made without more arguments.
    """
    cls = BY_STATUS.get(status)
    if cls is None or cls.__init__ is not HTTPException.__init__:
        raise ValueError(f"there is no problem document for the status {status}")
    exception = cls()
    document = {
        "type": type,
        "title": title or exception.reason,
        "status": status,
        "detail": detail,
        "instance": instance,
        **members,
    }
    _set_document(exception, {key: value for key, value in document.items() if value is not None})
    return exception


def render(exception: HTTPException, request: BaseRequest) -> None:
    """Give an answer of the framework's the form that *request* accepts best."""
    wanted = preferred(request.headers.getall(hdrs.ACCEPT, ()), _OFFERS)
    if wanted is None or wanted == "text/plain" or exception.empty_body:
        return
    detail = exception.text or ""
    standard = f"{exception.status}: {exception.reason}"
    if wanted == "text/html":
        exception.content_type = "text/html"
        exception.text = _PAGE.format(
            title=html.escape(standard), detail="" if detail == standard else html.escape(detail)
        )
        return
    document: dict[str, Any] = {"title": exception.reason, "status": exception.status}
    if detail != standard:
        document["detail"] = detail
    _set_document(exception, document)


def _set_document(exception: HTTPException, document: dict[str, Any]) -> None:
    exception.body = json.dumps(document).encode()
    exception.headers[hdrs.CONTENT_TYPE] = PROBLEM_TYPE
