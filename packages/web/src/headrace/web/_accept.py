"""Content negotiation: what a client accepts, against what there is to offer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

_ELEMENT = re.compile(
    r"[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?)"
    r"([ \t]*;[^,\"]*(?:\"(?:[^\"\\]|\\.)*\"[^,\"]*)*)?[ \t]*(?:,|$)"
)
_WEIGHT = re.compile(r";[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*(?:;|$)")

#: Less than any weight that a client can give but 0.
_LEAST: Final = 0.0001


def parse_weights(values: Iterable[str]) -> dict[str, float]:
    """Return the weight of each element of a field like Accept (RFC 9110, section 12.4.2).

    Elements are lower-cased; those that are malformed are left out.
    """
    weights: dict[str, float] = {}
    for value in values:
        position = 0
        while position < len(value):
            match = _ELEMENT.match(value, position)
            if match is None:
                position = value.find(",", position) + 1
                if not position:
                    break
                continue
            position = match.end()
            parameters = match[2] or ""
            weight = _WEIGHT.search(parameters)
            if weight is not None or "q=" not in parameters.lower():
                weights[match[1].lower()] = float(weight[1]) if weight else 1.0
    return weights


def quality(weights: dict[str, float], offer: str) -> float:
    """Return how much a media type is wanted, by the most specific range that covers it."""
    kind = offer.partition("/")[0]
    for candidate in (offer, f"{kind}/*", "*/*"):
        if candidate in weights:
            return weights[candidate]
    return 0.0


def preferred(values: Iterable[str], offers: Sequence[str]) -> str | None:
    """Return the offer that an Accept field likes best, the first of equals.

    Without a field anything is accepted: the first offer. None when nothing is acceptable.
    """
    weights = parse_weights(values)
    if not weights:
        return offers[0]
    best = max(offers, key=lambda offer: quality(weights, offer))
    return best if quality(weights, best) > 0 else None


@lru_cache(maxsize=256)
def acceptable_codings(fields: tuple[str, ...], offers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the content codings that Accept-Encoding accepts, the best first.

    ``identity`` is among them unless it is refused: not mentioned, it is the last choice. Of
    codings that the client likes equally, those earlier in *offers* go first. A client that says
    nothing is taken to know none (RFC 9110, section 12.5.3).
    """
    weights = parse_weights(fields)
    rest = weights.get("*", _LEAST)
    others = 0.0 if "*" not in weights else rest
    found = {name: weights.get(name, weights.get(f"x-{name}", others)) for name in offers}
    found["identity"] = weights.get("identity", min(rest, _LEAST))
    return tuple(sorted((name for name in found if found[name]), key=lambda name: -found[name]))
