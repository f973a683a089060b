"""What people may call themselves and say."""

from __future__ import annotations

import re

#: Controls but for tab and newline, marks that turn the writing direction, lone surrogates.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


class Unfit(ValueError):
    """A name or a message that cannot be taken; its text is for the person who wrote it."""


def clean_text(text: object, max_length: int) -> str:
    """Return a message without what cannot be seen.

    Raises:
        Unfit: It is no text, or empty, or too long.
    """
    if not isinstance(text, str):
        raise Unfit("A message is a text.")
    cleaned = _UNSEEN.sub("", text.replace("\r\n", "\n")).strip()
    cleaned = re.sub(r"\n{3,}", "\n\n", cleaned)
    if not cleaned:
        raise Unfit("A message needs some text.")
    if len(cleaned) > max_length:
        raise Unfit(f"A message has at most {max_length} characters.")
    return cleaned


def clean_name(name: object, max_length: int) -> str:
    """Return a name on one line, cut to *max_length* characters.

    Raises:
        Unfit: It is no text, or nothing is left of it.
    """
    if not isinstance(name, str):
        raise Unfit("A name is a text.")
    cleaned = " ".join(_UNSEEN.sub("", name).split())[:max_length].rstrip()
    if not cleaned:
        raise Unfit("A name needs a letter.")
    return cleaned
