"""A version that is made live is taken up between two calls; what was written meanwhile is in it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mercer.cli.settings import read_settings
from mercer.doors import LiveDoors, build
from mercer.doors import swap as swapping
from mercer.errors import MercerError, ShopError
from mercer.events.log import EventLog
from mercer.records import Event, Product, Request
from mercer.shop import Shop

NEW = Product("new/1 红", "zebra umbrella 斑马雨伞", brand="Quokka", category=("Rain",), price=12.5, stock=3)
BOUGHT = "P10001"
NOON = 1_790_000_000_000


@pytest.fixture(scope="module")
def two(tiny_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A shop with a second version that is not live yet: it knows one event more."""
    folder = Path(shutil.copytree(tiny_shop, tmp_path_factory.mktemp("two") / "shop"))
    with EventLog(Shop(folder).events) as log:
        log.append([Event("more", "purchase", BOUGHT, NOON, "ann", "v")])
    return folder, build(Shop(folder), read_settings(folder)).version


@pytest.fixture
def second(two: tuple[Path, str]) -> str:
    return two[1]


@pytest.fixture
def live(two: tuple[Path, str], tmp_path: Path) -> Iterator[LiveDoors]:
    folder = Path(shutil.copytree(two[0], tmp_path / "shop"))
    doors = LiveDoors(folder, read_settings(folder))
    yield doors
    doors.close()


def found(doors: LiveDoors) -> list[str]:
    return [hit.id for hit in doors.search(Request(query="zebra umbrella", k=50)).hits]


def test_promote_and_rollback(live: LiveDoors, second: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = live.version
    assert live.take() == "", "nothing is new"
    live.upsert([NEW])
    gone = BOUGHT
    live.shop.publish("index", second)
    opened, encoder, events = swapping.open_doors, live.encoder, live.events

    def late(*given: Any, **named: Any) -> Any:
        doors = opened(*given, **named)
        live.delete([gone])  # while the other one is opened already
        live.upsert([Product("late", "zebra umbrella of the last moment")])
        return doors

    monkeypatch.setattr(swapping, "open_doors", late)
    with live.lease() as before:
        assert live.take() == second
        assert (live.version, before.version) == (first, first), "a call that has begun goes on with what it began with"
        assert live.standing().draining == 1
        assert [one.id for one in live.newest(["late", gone])] == ["late"]
        assert before.search(Request(query="cup", k=3)).total > 0
    assert live.version == second
    assert live.encoder is encoder, "loaded once"
    live.take()
    assert before.index._closed, "nobody asks it any more"
    assert live.events is events
    assert set(found(live)) >= {NEW.id, "late"}
    assert live.product(gone) is None
    assert live.shopper("ann").products == (BOUGHT,)
    live.events.append([Event("then", "view", NEW.id, NOON + 1, "ann", "v")])
    assert NEW.id in live.shopper("ann").products, "profiles hear of events as before"
    monkeypatch.undo()

    live.shop.rollback("index")
    live.delete(["late"])
    assert live.take() == first
    assert set(found(live)) >= {NEW.id}
    assert (live.product("late"), live.product(gone)) == (None, None)
    standing = live.standing()
    assert (standing.version, standing.swaps, standing.draining, standing.behind) == (first, 2, 0, "")


def test_a_version_that_cannot_be_opened_leaves_the_one_before(live: LiveDoors, second: str) -> None:
    first = live.version
    path = live.shop.path("index", second) / "suggest.json"
    whole = path.read_bytes()
    path.write_bytes(b"{")
    live.shop.publish("index", second)
    for _ in range(2):
        with pytest.raises(MercerError):
            live.take()
    standing = live.standing()
    assert (live.version, standing.behind, standing.fault is not None) == (first, second, True)
    assert live.search(Request(query="cup", k=3)).total > 0
    live.upsert([NEW])
    path.write_bytes(whole)
    assert live.take() == second
    assert found(live)[0] == NEW.id
    assert live.standing().fault is None


def test_what_nobody_foresaw_is_said(live: LiveDoors, second: str, monkeypatch: pytest.MonkeyPatch) -> None:
    live.shop.publish("index", second)

    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("something")

    monkeypatch.setattr(swapping, "open_doors", broken)
    with pytest.raises(ShopError, match="KeyError"):
        live.take()
    assert live.standing().behind == second
    assert live.upsert([NEW]) == 1, "writers do not wait for ever"


def test_calls_and_writes_from_threads_while_versions_change(live: LiveDoors, second: str) -> None:
    stop, errors, written = threading.Event(), list[BaseException](), list[str]()

    def ask() -> None:
        try:
            while not stop.is_set():
                with live.lease():
                    assert live.search(Request(query="cup", k=3)).total > 0
                    assert live.index.count() >= 200
        except BaseException as error:  # told below
            errors.append(error)

    def write() -> None:
        try:
            while not stop.is_set():
                id = f"w{len(written)}"
                live.upsert([Product(id, f"zebra umbrella {id}", price=1.0)])
                assert live.product(id) is not None, "found by the next call"
                written.append(id)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for work in (ask, ask, write)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            live.shop.publish("index", second)
            assert live.take() == second
            live.shop.rollback("index")
            assert live.take() != second
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert errors == []
    assert {product.id for product in live.index.products(written)} == set(written)
    assert len(written) > 0
