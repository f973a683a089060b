"""Content negotiation by Accept."""

from __future__ import annotations

import pytest

from headrace.web._accept import acceptable_codings, parse_weights, preferred

OFFERS = ("text/plain", "text/html", "application/json")


@pytest.mark.parametrize(
    ("field", "weights"),
    [
        ("text/html", {"text/html": 1.0}),
        ("text/html;q=0.5, */*;q=0.1", {"text/html": 0.5, "*/*": 0.1}),
        ("TEXT/HTML; level=1 ; Q=0.25", {"text/html": 0.25}),
        ('text/html;a="x,y;q=0";q=0.3,text/plain', {"text/html": 0.3, "text/plain": 1.0}),
        ("gzip;q=0, identity", {"gzip": 0.0, "identity": 1.0}),
        (" , ,text/html", {"text/html": 1.0}),
        ("text/html;q=2, text/plain", {"text/plain": 1.0}),
        ("text/html;q=0.1234, text/plain", {"text/plain": 1.0}),
        ("te xt/html, text/plain", {"text/plain": 1.0}),
        ("\N{ARABIC-INDIC DIGIT ONE}/x", {}),
        ("", {}),
    ],
)
def test_weights(field: str, weights: dict[str, float]) -> None:
    assert parse_weights([field]) == weights


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ([], "text/plain"),
        (["*/*"], "text/plain"),
        (["text/html"], "text/html"),
        (["text/*;q=0.5", "application/json"], "application/json"),
        (["text/html;q=0.9, text/plain;q=0.8"], "text/html"),
        (["text/plain;q=0, text/*"], "text/html"),
        (["image/png"], None),
        (["image/png, */*;q=0.1"], "text/plain"),
        (
            ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
            "text/html",
        ),
    ],
)
def test_the_offer_that_is_liked_best(fields: list[str], wanted: str | None) -> None:
    assert preferred(fields, OFFERS) == wanted


def test_a_long_field_costs_linear_time() -> None:
    assert len(parse_weights([",".join(f"a/b{n};q=0.5" for n in range(100_000))])) == 100_000
    assert parse_weights(["\x00," * 100_000]) == {}


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ((), "identity"),
        (("",), "identity"),
        (("gzip",), "gzip identity"),
        (("gzip, br",), "br gzip identity"),
        (("gzip", "br"), "br gzip identity"),
        (("gzip, deflate, br, zstd",), "zstd br gzip deflate identity"),
        (("gzip;q=0.8, br;q=0.5",), "gzip br identity"),
        (("GZip;Q=1",), "gzip identity"),
        (("x-gzip",), "gzip identity"),
        (("gzip;q=0, x-gzip",), "identity"),
        (("gzip;q=0",), "identity"),
        (("*",), "zstd br gzip deflate identity"),
        (("*;q=0.5, gzip",), "gzip zstd br deflate identity"),
        (("*, zstd;q=0",), "br gzip deflate identity"),
        (("gzip;q=0.5, identity",), "identity gzip"),
        (("gzip;q=0.5, identity;q=0.5",), "gzip identity"),
        (("gzip, identity;q=0",), "gzip"),
        (("gzip, *;q=0",), "gzip"),
        (("*;q=0, identity",), "identity"),
        (("identity;q=0",), ""),
        (("*;q=0",), ""),
        (("compress, identity;q=0.000",), ""),
        (("compress",), "identity"),
        (("notgzip, gzipped",), "identity"),
    ],
)
def test_codings(fields: tuple[str, ...], wanted: str) -> None:
    offers = ("zstd", "br", "gzip", "deflate")
    assert acceptable_codings(fields, offers) == tuple(wanted.split())
