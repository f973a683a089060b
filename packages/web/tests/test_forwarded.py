"""The Forwarded field, well-formed and not."""

from __future__ import annotations

from typing import Any

import pytest
from exchanges import make_request

from headrace.web._forwarded import parse_forwarded


@pytest.mark.parametrize(
    ("fields", "hops"),
    [
        ([], []),
        (["for=192.0.2.43"], [{"for": "192.0.2.43"}]),
        (
            ["For=192.0.2.43; Proto=HTTP;by=_x"],
            [{"for": "192.0.2.43", "proto": "HTTP", "by": "_x"}],
        ),
        (["for=a, for=b"], [{"for": "a"}, {"for": "b"}]),
        (["for=a", "for=b;host=c"], [{"for": "a"}, {"for": "b", "host": "c"}]),
        (['for="[2001:db8::1]:80"'], [{"for": "[2001:db8::1]:80"}]),
        ([r'for="a\"b, c;d"'], [{"for": 'a"b, c;d'}]),
        ([r'for="a\\"'], [{"for": "a\\"}]),
        # Malformed: what stands before the fault is kept, what follows the next comma is read.
        ([""], [{}]),
        (["for=a,, for=b"], [{"for": "a"}, {}, {"for": "b"}]),
        (["for=a; nonsense; by=c, for=b"], [{"for": "a"}, {"for": "b"}]),
        (['for="open, for=b'], [{}, {"for": "b"}]),
        (["for = a, for=b"], [{}, {"for": "b"}]),
        (["for=a by=b"], [{}]),
        (["for=a;"], [{"for": "a"}]),
        (["for=a,"], [{"for": "a"}, {}]),
    ],
)
def test_hops(fields: list[str], hops: list[dict[str, str]]) -> None:
    assert [dict(hop) for hop in parse_forwarded(fields)] == hops
    request = make_request(headers=[("Forwarded", field) for field in fields])
    assert request.forwarded == tuple(hops)


def test_it_cannot_be_changed() -> None:
    (hop,) = parse_forwarded(["for=a"])
    with pytest.raises(TypeError):
        hop["for"] = "b"  # type: ignore[index]


def test_it_takes_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    from headrace.web import _forwarded

    tried = 0

    class Counting:
        def match(self, text: str, position: int) -> Any:
            nonlocal tried
            tried += 1
            return pattern.match(text, position)

    pattern = _forwarded._PAIR
    monkeypatch.setattr(_forwarded, "_PAIR", Counting())
    assert len(parse_forwarded(['for="x,' * 1000])) == 1001
    assert tried <= 1001
