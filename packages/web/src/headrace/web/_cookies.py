"""The two directions of cookies: the Cookie field read leniently, Set-Cookie written strictly.

RFC 6265, sections 4.1 (what a server writes) and 5.4 (what a browser sends).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.cookies import CookieError, Morsel, SimpleCookie
from types import MappingProxyType

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ATTRIBUTE = re.compile(r"[^\x00-\x1f\x7f;]*")
_SAMESITE = frozenset({"strict", "lax", "none"})
_ESCAPE = re.compile(r"\\(?:([0-3][0-7]{2})|(.))", re.DOTALL)

# Quoted values, and white space in other places than behind a semicolon.
_UNUSUAL = ('"', "\t", "  ", " =", " ;", "= ")
# Nothing is tried twice: each part ends where the next one can begin.
_PAIRS = re.compile(r"(?:^|;) ?([^=;]++)=([^;]*+)")


class _SetCookie(Morsel[str]):
    """A cookie with the attributes that Python 3.11 does not know yet."""

    _reserved = {**Morsel._reserved, "partitioned": "Partitioned"}  # type: ignore[attr-defined]  # noqa: RUF012
    _flags = {*Morsel._flags, "partitioned"}  # type: ignore[attr-defined]  # noqa: RUF012


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 8)) if match[1] else match[2]


def parse_cookies(field: str) -> Mapping[str, str]:
    """Return the cookies of a Cookie field; the first of several with one name counts.

    A pair that is malformed is left out, it does not hide the others.
    """
    if field[:1] == " " or field[-1:] == " " or any(map(field.__contains__, _UNUSUAL)):
        return MappingProxyType(_parse_unusual_cookies(field))
    pairs = _PAIRS.findall(field)
    cookies = dict(pairs)
    return MappingProxyType(cookies if len(cookies) == len(pairs) else dict(reversed(pairs)))


def _parse_unusual_cookies(field: str) -> dict[str, str]:
    cookies: dict[str, str] = {}
    for pair in field.split(";"):
        name, equals, value = pair.partition("=")
        name = name.strip(" \t")
        if equals and name and name not in cookies:
            value = value.strip(" \t")
            if len(value) > 1 and value[0] == value[-1] == '"':
                # The form in which `set_cookie` writes what is no token.
                value = _ESCAPE.sub(_unescape, value[1:-1])
            cookies[name] = value
    return cookies


def is_prefixed(name: str) -> bool:
    """Tell whether browsers keep a cookie of this name only if it is secure."""
    return name.lower().startswith(("__secure-", "__host-"))


def _check_prefix(name: str, *, secure: bool | None, domain: str | None, path: str | None) -> None:
    """Refuse what browsers would drop in silence (RFC 6265bis, section 4.1.3)."""
    if is_prefixed(name) and not secure:
        raise ValueError(f"the cookie {name} must be secure, its prefix says so")
    if name.lower().startswith("__host-") and (domain is not None or path != "/"):
        raise ValueError(f'the cookie {name} must have the path "/" and no domain')


def set_cookie(
    cookies: SimpleCookie,
    name: str,
    value: str,
    *,
    expires: str | None,
    domain: str | None,
    max_age: int | str | None,
    path: str | None,
    secure: bool | None,
    httponly: bool | None,
    samesite: str | None,
    partitioned: bool | None,
) -> None:
    """Add a cookie to those that a response sets.

    Raises:
        ValueError: The name is no token, an attribute holds a semicolon or control, *samesite* is
            none of its three values, or the name begins with a prefix whose rules are broken.
    """
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"cookie name {name!r} is not a token")
    if samesite is not None and samesite.lower() not in _SAMESITE:
        raise ValueError(f"samesite is {samesite!r}, expected Strict, Lax or None as a text")
    _check_prefix(name, secure=secure, domain=domain, path=path)
    if partitioned and not secure:
        raise ValueError("a partitioned cookie must be secure, or browsers refuse it")
    coded = cookies.value_encode(value)[1]
    morsel = _SetCookie()
    try:
        morsel.set(name, value, coded)
    except CookieError as error:
        raise ValueError(str(error)) from None
    attributes = {
        "expires": expires,
        "domain": domain,
        "max-age": None if max_age is None else str(max_age),
        "path": path,
        "samesite": samesite,
    }
    for key, text in attributes.items():
        if text is None:
            continue
        if _ATTRIBUTE.fullmatch(text) is None:
            raise ValueError(f"cookie attribute {key} has a semicolon or a control character")
        morsel[key] = text
    if secure:
        morsel["secure"] = True
    if httponly:
        morsel["httponly"] = True
    if partitioned:
        morsel["partitioned"] = True
    cookies.pop(name, None)
    dict.__setitem__(cookies, name, morsel)
