"""What is said of a file: its validators, and the fields of its usual answers, made once."""

from __future__ import annotations

import datetime
from email.utils import formatdate
from functools import lru_cache
from typing import NamedTuple

import headrace.web._headers as hdrs

from ._compression import add_vary
from ._content_type import content_type_of
from ._etag import ETag, format_etag
from ._fields import ResponseHeaders, encoded_fields
from ._media import Coding, FileType
from ._streams import Field


class Validators(NamedTuple):
    """What tells one state of a file from another, and how fields say it."""

    tag: ETag
    changed: datetime.datetime
    tag_field: str
    date_field: str


@lru_cache(maxsize=1024)
def validators(mtime_ns: int, seconds: int, size: int, coding: Coding | None) -> Validators:
    """Return the validators of a file, *seconds* being what Last-Modified is to say."""
    tag = ETag(f"{mtime_ns:x}-{size:x}{'' if coding is None else '-' + coding.name}")
    return Validators(
        tag,
        datetime.datetime.fromtimestamp(seconds, datetime.UTC),
        format_etag(tag),
        formatdate(seconds, usegmt=True),
    )


class PlainHeads(NamedTuple):
    """The fields of the answers to a plain GET: the whole file, and that the client has it."""

    tag: str
    caching: str | None
    whole: tuple[Field, ...]
    not_modified: tuple[Field, ...]


@lru_cache(maxsize=1024)
def plain_heads(
    tag: str, date: str, coding: Coding | None, varies: bool, media: FileType, caching: str | None
) -> PlainHeads:
    """Return the fields of a file of which nobody has said anything else."""
    headers = ResponseHeaders()
    if caching is not None:
        headers[hdrs.CACHE_CONTROL] = caching
    headers[hdrs.ETAG] = tag
    headers[hdrs.LAST_MODIFIED] = date
    if varies:
        add_vary(headers)
    not_modified = tuple(encoded_fields(headers))
    headers[hdrs.ACCEPT_RANGES] = "bytes"
    headers[hdrs.CONTENT_TYPE] = content_type_of(*media).value
    if coding is not None:
        headers[hdrs.CONTENT_ENCODING] = coding.name
    return PlainHeads(tag, caching, tuple(encoded_fields(headers)), not_modified)
