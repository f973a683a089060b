"""Typed keys and the mapping that applications, requests and responses are."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from exchanges import make_request

from headrace import web
from headrace.web._store import Layers

KEYS = [web.AppKey, web.RequestKey, web.ResponseKey]
STORES = [web.Application, make_request, web.Response, web.StreamResponse, web.HTTPNotFound]


@pytest.mark.parametrize("key_class", KEYS)
def test_a_key_shows_its_module_and_type(key_class: type[web.AppKey[int]]) -> None:
    name = f"{__name__}.count"
    assert repr(key_class("count", int)) == f"<{key_class.__name__}({name}, type=int)>"
    assert repr(key_class("count")) == f"<{key_class.__name__}({name})>"
    assert repr(key_class[int]("count")) == f"<{key_class.__name__}({name})>"


def test_keys_are_themselves_and_not_their_names() -> None:
    one, other = web.AppKey("name", int), web.AppKey("name", int)
    store = web.Application()
    store[one] = 1
    assert one in store
    assert other not in store
    assert "name" not in store


@pytest.mark.parametrize("make", STORES)
def test_it_is_a_mapping_of_what_users_put_there(make: type[web.StreamResponse]) -> None:
    store = make()
    key = web.ResponseKey("key", int)
    assert (len(store), dict(store), list(store)) == (0, {}, [])
    assert store.get("org.example.key") is None
    assert store.get(key, 5) == 5
    store["org.example.key"] = "data"
    store[key] = 1
    assert (store["org.example.key"], store[key]) == ("data", 1)
    assert dict(store) == {"org.example.key": "data", key: 1}
    assert (store.get("org.example.key"), store.get(key, 5)) == ("data", 1)
    assert store.setdefault(key, 2) == 1
    del store["org.example.key"]
    assert store.pop(key) == 1
    assert len(store) == 0


@pytest.mark.parametrize("make", STORES)
@pytest.mark.parametrize("filled", [False, True])
def test_a_missing_key_is_a_key_error(make: type[web.StreamResponse], filled: bool) -> None:
    store = make()
    if filled:
        store["other"] = 1
    with pytest.raises(KeyError, match="missing"):
        store["missing"]
    with pytest.raises(KeyError, match="missing"):
        del store["missing"]


@pytest.mark.parametrize("make", STORES)
def test_it_is_true_when_empty_and_equal_to_itself_alone(make: type[web.StreamResponse]) -> None:
    one, other = make(), make()
    assert one
    assert one == one
    assert one != other
    assert len({one, other}) == 2


def test_two_stores_share_nothing() -> None:
    one, other = web.Response(), web.Response()
    one["key"] = 1
    assert "key" not in other


async def test_an_application_may_be_filled_until_it_has_started() -> None:
    app = web.Application()

    async def on_startup(app: web.Application) -> None:
        app["at start"] = 1
        del app["before"]

    async def context(app: web.Application) -> AsyncIterator[None]:
        app["in context"] = 1
        yield

    app["before"] = 1
    app.on_startup.append(on_startup)
    app.cleanup_ctx.append(context)
    await app.startup()
    assert set(app) == {"at start", "in context"}
    with pytest.warns(DeprecationWarning, match="started application") as caught:
        app["late"] = 1
    with pytest.warns(DeprecationWarning, match="started application"):
        del app["at start"]
    assert caught[0].filename == __file__
    assert set(app) == {"late", "in context"}
    await app.cleanup()


def test_a_handler_made_is_a_start() -> None:
    app = web.Application()
    app.make_handler()
    with pytest.warns(DeprecationWarning, match="started application"):
        app["late"] = 1
    assert app["late"] == 1


def test_layers() -> None:
    name = web.AppKey("name", str)
    inner, outer = web.Application(), web.Application()
    inner["both"], outer["both"], outer[name], inner["inner"] = 1, 2, "outer", None
    layers = Layers(inner, outer)
    assert (layers["both"], layers[name], layers["inner"]) == (1, "outer", None)
    assert (layers.get("both"), layers.get("none"), layers.get("none", 5)) == (1, None, 5)
    assert (layers.get("inner", 5), name in layers, "none" in layers) == (None, True, False)
    assert (list(layers), len(layers)) == (["both", "inner", name], 3)
    assert repr(layers).startswith("<Layers of 2 stores: ['both', ")
    with pytest.raises(KeyError, match="none"):
        layers["none"]
    with pytest.raises(TypeError):
        layers["both"] = 3  # type: ignore[index]


def test_keys_can_be_sorted() -> None:
    a, b = web.AppKey("a", str), web.RequestKey("b", str)
    assert sorted([b, "x", a, "c"]) == [a, b, "c", "x"]  # type: ignore[type-var]
