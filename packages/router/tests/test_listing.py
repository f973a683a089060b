"""The table of routes as text and as JSON."""

from __future__ import annotations

import json
import re
from functools import partial

from headrace.router import Router


def handler() -> None: ...


def router() -> Router[object]:
    router: Router[object] = Router()
    router.add_route("GET", "/", handler, name="root")
    router.add_route("OPTIONS", "/users/{user}", 7)
    router.add_prefix("/static", partial(int))
    return router


def test_text_has_aligned_columns() -> None:
    lines = re.sub(r"\S*(test_\w+\.py):\d+", r"\1", router().table()).splitlines()
    assert [line.split()[0] for line in lines] == ["method", "GET", "OPTIONS", "*"]
    assert lines[1].split() == ["GET", "/", "root", f"{__name__}.handler", "test_listing.py"]
    assert len({line.rindex("test_listing") for line in lines[1:]}) == 1
    assert lines[0].index("source") == lines[1].rindex("test_listing.py")
    assert "/static/..." in lines[3]
    assert "functools.partial(<class 'int'>)" in lines[3]


def test_hosts_have_a_column_when_there_are_some() -> None:
    table = router()
    assert "host" not in table.table()
    table.add_host("example.org").add_route("GET", "/x", 1)
    lines = table.table().splitlines()
    assert lines[0].split()[:3] == ["host", "method", "pattern"]
    assert lines[-1].split()[:3] == ["example.org", "GET", "/x"]


def test_json_has_one_object_per_route() -> None:
    rows = json.loads(router().table("json"))
    assert [(row["method"], row["pattern"], row["name"]) for row in rows] == [
        ("GET", "/", "root"),
        ("OPTIONS", "/users/{user}", None),
        ("*", "/static/...", None),
    ]
    assert rows[1]["value"] == "7"
    assert rows[0]["source"].startswith(f"{__file__}:")
    assert rows[0]["host"] is None


def test_an_empty_router_has_headings() -> None:
    assert Router[object]().table().split() == ["method", "pattern", "name", "value", "source"]
    assert json.loads(Router[object]().table("json")) == []
