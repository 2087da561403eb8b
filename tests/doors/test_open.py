"""The doors of a real shop on disk: what is written is found at once, and survives."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mercer.cli.settings import read_settings
from mercer.doors import Doors, Settings, build, open_doors
from mercer.errors import MercerError, ModelError, NotFoundError, RequestError, ShopLocked
from mercer.records import Event, Filter, Product, Request
from mercer.shop import Shop

NEW = Product("new/1 红", "zebra umbrella 斑马雨伞", brand="Quokka", category=("Rain",), price=12.5, stock=3)


@pytest.fixture
def doors(own_shop: Path) -> Iterator[Doors]:
    opened = open_doors(own_shop, read_settings(own_shop))
    yield opened
    opened.close()


def found(doors: Doors, query: str = "zebra umbrella", **more: object) -> list[str]:
    return [hit.id for hit in doors.search(Request(query=query, k=50, **more)).hits]  # type: ignore[arg-type]


def test_an_upsert_is_found_by_the_next_search_and_a_delete_not(doors: Doors) -> None:
    assert NEW.id not in found(doors)
    assert doors.upsert([NEW]) == 1
    assert found(doors)[0] == NEW.id
    assert found(doors, "斑马")[0] == NEW.id
    assert found(doors, "", filters=(Filter("brand", ("Quokka",)),)) == [NEW.id]
    assert doors.product(NEW.id) == NEW
    assert doors.delete([NEW.id, NEW.id, "never there"]) == 1
    assert NEW.id not in found(doors)
    assert doors.product(NEW.id) is None
    assert doors.delete([NEW.id]) == 0


def test_a_replaced_product_has_only_its_new_words(doors: Doors) -> None:
    first = doors.index.ids()[0]
    doors.upsert([Product(first, "zebra umbrella", price=1.0)])
    doors.upsert([Product(first, "xylophone", price=2.0)])
    assert first in found(doors, "xylophone", filters=(Filter("price", low=2, high=2),))
    assert doors.index.lexical("zebra", 10) == []
    assert doors.index.count() == 200


def test_changes_survive_closing(own_shop: Path) -> None:
    settings = read_settings(own_shop)
    doors = open_doors(own_shop, settings)
    gone = doors.index.ids()[0]
    doors.upsert([NEW])
    doors.delete([gone])
    doors.close()
    again = open_doors(own_shop, settings, writable=False)
    assert found(again)[0] == NEW.id
    assert again.product(gone) is None
    assert again.index.count() == 200
    again.close()


CHANGING = """
import os, signal, sys
from pathlib import Path
from mercer.cli.settings import read_settings
from mercer.doors import open_doors
from mercer.records import Product
folder = Path(sys.argv[1])
doors = open_doors(folder, read_settings(folder))
doors.upsert([Product("killed", "zebra umbrella")])
doors.delete([sys.argv[2]])
print("acknowledged", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_changes_survive_a_kill_and_the_next_index(own_shop: Path) -> None:
    settings = read_settings(own_shop)
    doors = open_doors(own_shop, settings)
    gone, before = doors.index.ids()[7], doors.index.attainable("zebra")
    doors.close()
    child = subprocess.run(
        [sys.executable, "-c", CHANGING, str(own_shop), gone], capture_output=True, text=True, check=False
    )
    assert child.stdout == "acknowledged\n", child.stderr
    for writable in (False, True):
        again = open_doors(own_shop, settings, writable=writable)
        assert found(again)[0] == "killed"
        assert again.product(gone) is None
        assert again.index.attainable("zebra") < before, "the words were counted in"
        again.close()
    shop = Shop(own_shop)
    built = build(shop, settings, since=int(time.time() * 1000) - 3_600_000)
    assert built.products == 200
    shop.publish("index", built.version)
    fresh = open_doors(own_shop, settings)
    assert fresh.version == built.version
    assert found(fresh)[0] == "killed"
    assert fresh.product(gone) is None
    fresh.close()


def test_changes_made_while_an_index_is_built_are_not_lost(own_shop: Path) -> None:
    settings, shop = read_settings(own_shop), Shop(own_shop)
    serving = open_doors(own_shop, settings)
    gone = serving.index.ids()[3]
    kept = dataclasses.replace(settings, retrieve=dataclasses.replace(settings.retrieve, links=20))

    def change(stage: str, more: int, total: int) -> None:
        if stage == "index" and NEW.id not in serving.index.columns.row:
            serving.upsert([NEW])
            serving.delete([gone])

    built = build(shop, kept, tick=change)
    serving.close()
    shop.publish("index", built.version)
    for writable in (False, True):
        doors = open_doors(own_shop, kept, writable=writable)
        assert doors.version == built.version
        assert found(doors)[0] == NEW.id
        assert doors.product(gone) is None
        doors.close()


def test_changes_survive_a_rollback(own_shop: Path) -> None:
    settings, shop = read_settings(own_shop), Shop(own_shop)
    first = shop.live("index")
    other = dataclasses.replace(settings, retrieve=dataclasses.replace(settings.retrieve, links=20))
    shop.publish("index", build(shop, other).version)
    doors = open_doors(own_shop, settings)
    gone = doors.index.ids()[0]
    doors.upsert([NEW])
    doors.delete([gone])
    doors.close()
    assert shop.rollback("index") == first
    back = open_doors(own_shop, settings)
    assert found(back)[0] == NEW.id
    assert back.product(gone) is None
    back.close()


def test_a_newer_product_file_wins_over_older_changes(own_shop: Path) -> None:
    settings, shop = read_settings(own_shop), Shop(own_shop)
    doors = open_doors(own_shop, settings)
    doors.upsert([NEW])
    doors.close()
    with_it = build(shop, settings, since=0)
    without = build(shop, settings, since=int(time.time() * 1000) + 1000)
    assert (with_it.products, without.products) == (201, 200)
    assert with_it.version != without.version


@pytest.mark.parametrize("id", ["a\nb", "a\tb", "a\u2028", "界" * 170, "' or 1=1", "\u202ex"])
def test_any_id_can_be_written_found_and_taken_out(doors: Doors, id: str) -> None:
    doors.upsert([Product(id, "zebra umbrella")])
    doors.index.merge()
    assert found(doors)[0] == id
    assert id in [one.id for one in doors.index.dense(doors.encoder(["zebra umbrella"], side="passage")[0], 5)]
    assert doors.delete([id]) == 1
    assert id not in found(doors)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Product("", "x"), "id of a product is ''"),
        (Product("x" * 600, "x"), "600 characters"),
        (Product("\ud800", "x"), "no Unicode"),
        (Product("a", "\ud800"), "no Unicode"),
        (Product("a", "x", price=float("inf")), "price of product 'a' is not finite"),
        (Product("a", "x", price=float("nan")), "price of product 'a' is not finite"),
        (Product("a", "x", rating=10**400), "rating of product 'a' is not finite"),
    ],
)
def test_what_could_not_be_read_back_is_refused_whole(doors: Doors, wrong: Product, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        doors.upsert([NEW, wrong])
    assert doors.product(NEW.id) is None
    assert doors.index.count() == 200
    assert doors.events.changes() == []


def test_nothing_to_change_is_nothing(doors: Doors) -> None:
    assert doors.upsert([]) == 0
    assert doors.delete([]) == 0


HOLDING = """
import sys
from pathlib import Path
from mercer.cli.settings import read_settings
from mercer.doors import open_doors
folder = Path(sys.argv[1])
doors = open_doors(folder, read_settings(folder), writable=sys.argv[2] == "write")
print("open", flush=True)
sys.stdin.read()
doors.close()
"""


@pytest.mark.parametrize("engine", ["zvec", "exact"])
def test_one_process_may_write_or_several_may_read(own_shop: Path, engine: str) -> None:
    settings = read_settings(own_shop)
    if engine == "exact":
        settings = dataclasses.replace(settings, retrieve=dataclasses.replace(settings.retrieve, engine="exact"))
        shop = Shop(own_shop)
        shop.publish("index", build(shop, settings).version)
    for theirs, mine, fits in (("write", True, False), ("write", False, False), ("read", False, True)):
        command = [sys.executable, "-c", HOLDING, str(own_shop), theirs]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout
            assert child.stdout.readline() == "open\n"
            if fits:
                doors = open_doors(own_shop, settings, writable=mine)
                assert doors.search(Request(query="x")).total >= 0
                doors.close()
            else:
                with pytest.raises(ShopLocked, match=r"is open in another process.*mercer serve"):
                    open_doors(own_shop, settings, writable=mine)
            child.communicate("")
    open_doors(own_shop, settings).close()


def test_closing_twice_is_harmless_and_lets_go(own_shop: Path) -> None:
    settings = read_settings(own_shop)
    doors = open_doors(own_shop, settings)
    doors.close()
    doors.close()
    open_doors(own_shop, settings).close()


def test_what_fails_to_open_lets_go(own_shop: Path) -> None:
    settings, shop = read_settings(own_shop), Shop(own_shop)
    live = shop.live("index")
    assert live
    suggest = shop.path("index", live.version) / "suggest.json"
    whole = suggest.read_bytes()
    suggest.write_text("{", "utf-8")
    with pytest.raises(MercerError, match=r"suggest.json"):
        open_doors(own_shop, settings)
    suggest.write_bytes(whole)
    open_doors(own_shop, settings).close()


def test_another_encoder_than_the_one_it_was_built_with_is_refused(own_shop: Path) -> None:
    shop = Shop(own_shop)
    live = shop.live("index")
    assert live
    path = shop.path("index", live.version) / "card.json"
    card = json.loads(path.read_text("utf-8"))
    card["encoder"]["name"] = "tiny-0123456789abcdef"
    path.write_text(json.dumps(card), "utf-8")
    with pytest.raises(ModelError, match=r"was built with encoder tiny-0123456789abcdef.*mercer index"):
        open_doors(own_shop, read_settings(own_shop))


def test_a_shop_without_an_index_says_what_to_run(tmp_path: Path) -> None:
    Shop.create(tmp_path / "shop")
    with pytest.raises(NotFoundError, match=r"has no index.*mercer index"):
        open_doors(tmp_path / "shop")
    with pytest.raises(NotFoundError, match=r"nothing of .* has been checked.*mercer check"):
        build(Shop(tmp_path / "shop"), Settings())


def test_recommendations_leave_out_what_is_gone_or_excluded(doors: Doors) -> None:
    home = doors.recommend(Request("home", k=5))
    assert home.hits
    gone, unwanted = home.hits[0].id, home.hits[1].id
    doors.delete([gone])
    left = [hit.id for hit in doors.recommend(Request("home", k=50, exclude=(unwanted,))).hits]
    assert left
    assert not {gone, unwanted} & set(left)
    item = left[0]
    similar = doors.recommend(Request("similar", item=item, k=5))
    assert item not in [hit.id for hit in similar.hits]


def test_what_a_shopper_does_is_known_at_once(doors: Doors) -> None:
    item = doors.index.ids()[0]
    doors.events.append([Event("e-1", "view", item, int(time.time() * 1000), shopper="ann")])
    assert doors.shopper("ann").products == (item,)


def test_searches_while_products_come_and_go(doors: Doors) -> None:
    """Four searchers, one changing: nothing raises, and nothing deleted is shown once its delete was acknowledged."""
    stays = Product("stays", "zebra umbrella", brand="Quokka")
    doors.upsert([stays])
    gone: dict[str, float] = {}
    wrong: list[object] = []
    answered = [0]
    stop = threading.Event()

    def search(number: int) -> None:
        requests = (
            Request(query="zebra umbrella", k=30, facets=("brand", "price", "category")),
            Request(query="", k=30, filters=(Filter("brand", ("Quokka",)),), sort="price_up"),
            Request(query="斑马 umbrella", k=30, filters=(Filter("price", low=0.0),), sort="price_down"),
        )
        turn = number
        while not stop.is_set():
            turn += 1
            request, began = requests[turn % 3], time.monotonic()
            try:
                shown = [hit.id for hit in doors.search(request).hits]
            except Exception as error:  # any fault is what this test looks for
                wrong.append(error)
                return
            answered[0] += 1
            late = [id for id in shown if gone.get(id, began) < began]
            if late or len(set(shown)) != len(shown):
                wrong.append((request, late, shown))
            if turn % 3 == 0 and "stays" not in shown:
                wrong.append(("missed what was there all the time", request))

    threads = [threading.Thread(target=search, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    deadline, number = time.monotonic() + 2, 0
    while (time.monotonic() < deadline or number < 3 or answered[0] <= 20) and not wrong:
        number += 1
        ids = [f"z{number}-{place}" for place in range(5)]
        doors.upsert([Product(id, "zebra umbrella 斑马", brand="Quokka", price=float(number)) for id in ids])
        doors.upsert([dataclasses.replace(stays, price=float(number))])
        doors.delete(ids)
        gone.update(dict.fromkeys(ids, time.monotonic()))
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert answered[0] > 20
    assert number > 2
    assert doors.index.count() == 201
