"""After an erasure no file of the store speaks of the shopper, nobody else lost anything, nothing brings them back."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercer.doors.erase import erase
from mercer.doors.traces import Traces
from mercer.errors import RequestError, ShopLocked
from mercer.events.log import EventLog
from mercer.events.people import People
from mercer.quality.erased import Erased
from mercer.records import Event, Impression
from mercer.retrieve.behaviour import Behaviour
from mercer.shop import Shop


def counted(shop: Shop) -> Counter[str]:
    version = shop.live("checked")
    assert version
    table = pq.read_table(shop.path("checked", version.version) / "events.parquet", columns=["shopper"])
    return Counter(table["shopper"].to_pylist())


def alive(shop: Shop, who: str, number: int = 0) -> None:
    """Some live history of a shopper, whose session and event ids speak of them too."""
    with EventLog(shop.events) as log:
        log.append(
            [Event(f"{who}-e{n}-{number}", "view", f"P1000{n}", 1_742_000_000_000, who, f"{who}-s") for n in range(9)]
        )
        log.shown([Impression("a", "P10001", 1, 1_742_000_000_000, shopper=who)])
        People(log).prefer(who, "brand", "Nord", wanted=False)


def cells(path: Path) -> set[str]:
    """Every text of a Parquet file."""
    table = pq.read_table(path)
    return {str(value) for name in table.column_names for value in table[name].to_pylist() if isinstance(value, str)}


def test_a_shopper_is_gone_from_everywhere_and_stays_away(own_shop: Path, mercer: Callable[..., Any]) -> None:
    shop = Shop(own_shop)
    before = counted(shop)
    who, rows = before.most_common(1)[0]
    alive(shop, who)
    for command in ("check", "index"):  # now parts, live files and a second version of each kind speak of them
        assert mercer(command, own_shop).code == 0
    alive(shop, "someone else")
    ran = mercer("erase", own_shop, "--shopper", who, "--yes", "--json")
    assert ran.code == 0, ran.err
    proof = ran.json
    assert proof["found"] == []
    assert json.loads((own_shop / proof["path"]).read_text("utf-8"))["removed"] == proof["removed"]
    assert who not in (own_shop / proof["path"]).read_text("utf-8")
    where = {one["where"]: one["rows"] for one in proof["removed"]}
    assert where["store/events.db: events"] == 9
    assert where["store/events.db: impressions"] == where["store/events.db: preferences"] == 1
    assert sum(name.endswith("behaviour: past") for name in where) == len(shop.versions("index"))
    assert {name for name in where if name.endswith("/events.parquet") and "checked" in name}

    for path in shop.store.rglob("*"):
        if path.is_file():
            assert who.encode() not in path.read_bytes(), path
            if path.suffix == ".parquet":
                assert not [text for text in cells(path) if Traces(who).within(text)], path
    assert counted(shop) == Counter({name: n for name, n in before.items() if name != who})
    for version in shop.versions("index"):
        behaviour = Behaviour.load(shop.path("index", version) / "behaviour")
        assert len(behaviour.pasts(who).product) == 0
        other = next(name for name in before if name and name != who)
        assert len(behaviour.pasts(other).product) > 0

    live = shop.live("index")
    assert mercer("check", own_shop).code == 0
    assert who not in counted(shop), "the owner's file still has them; the check passes them over"
    assert mercer("index", own_shop).code == 0
    assert live
    assert shop.live("index") != live, "what was worked out with them is worked out without"
    index = shop.live("index")
    assert index
    assert Behaviour.load(shop.path("index", index.version) / "behaviour").pasts.shoppers.code(who) < 0
    assert rows > 0


def test_nothing_to_remove_is_said_and_bad_ids_are_refused(own_shop: Path, mercer: Any, refused: Any) -> None:
    ran = mercer("erase", own_shop, "--shopper", "nobody at all", "--yes", "--json")
    assert (ran.code, ran.json["removed"], ran.json["found"]) == (0, [], [])
    assert "empty" in refused("erase", own_shop, "--shopper", " ", "--yes")
    with pytest.raises(RequestError):
        erase(Shop(own_shop), "")


def test_a_served_shop_is_asked_over_http(own_shop: Path, refused: Any) -> None:
    from mercer.cli.settings import read_settings
    from mercer.doors import open_doors

    doors = open_doors(own_shop, read_settings(own_shop))
    try:
        assert "DELETE" in refused("erase", own_shop, "--shopper", "ann", "--yes")
        with Shop(own_shop).lock("check"), pytest.raises(ShopLocked):
            doors.erase("ann")
        doors.events.append([Event("e", "view", doors.index.ids()[0], 1_742_000_000_000, "ann")])
        assert doors.shopper("ann").products
        assert doors.erase("ann").removed
        assert not doors.shopper("ann").products
    finally:
        doors.close()


@pytest.mark.parametrize(
    ("id", "text", "within"),
    [
        ("U7", '{"who": "U7-3"}', True),
        ("U7", "U71 and XU7", False),
        ("张三", "“张三”来过", True),
        ("77", '{"rows": 77}', False),
        ("77", '{"shopper": "77"}', True),
        ("77", "<td>77</td>", True),
        ("77", "&#34;77&#34;", True),
        ("a.b", "aXb", False),
    ],
)
def test_what_speaks_of_a_shopper(id: str, text: str, within: bool) -> None:
    traces = Traces(id)
    assert traces.within(text) is within
    assert not traces.within(traces.blank(text))


def test_rows_go_whole_and_others_lose_the_id_alone(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    rows = [
        {"shopper": "bob7", "product": "bob7", "raw": None, "evidence": "{}"},
        {"shopper": "eve", "product": "bob7", "raw": None, "evidence": '{"ring": ["bob7", "eve"]}'},
        {"shopper": None, "product": "p", "raw": "1;bob7;x", "evidence": "{}"},
        {"shopper": "bob77", "product": "p", "raw": "bob77", "evidence": "{}"},
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    path.chmod(0o600)
    traces = Traces("bob7")
    assert traces.there(path)
    assert traces.clean(path) == 3
    assert not traces.there(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert pq.read_table(path).to_pylist() == [
        {**rows[1], "evidence": '{"ring": ["[erased]", "eve"]}'},
        rows[3],
    ]


def test_a_returning_shopper_is_new(tmp_path: Path) -> None:
    shop = Shop.create(tmp_path / "shop")
    assert not Erased(shop.store)
    assert Erased(shop.store).name == ""
    erased = Erased(shop.store)
    pseudonym = erased.add("ann", now=1000)
    assert pseudonym == Erased(shop.store).add("ann", now=1000), "the same hash under the same secret"
    table = pa.table({"shopper": ["ann", "ann", "ann", "bob", None], "time": [999, 1001, None, 1, 1]})
    assert Erased(shop.store).keep(table).to_pydict() == {"shopper": ["ann", "bob", None], "time": [1001, 1, 1]}
    assert "ann" not in erased.path.read_text("utf-8")
    assert erased.path.stat().st_mode & 0o077 == 0
    assert Erased(shop.store).names("17;ann;cup")
    assert not Erased(shop.store).names("17;annie;cup")


def test_the_database_is_whole_afterwards(tmp_path: Path) -> None:
    shop = Shop.create(tmp_path / "shop")
    for number in range(12):
        alive(shop, f"shopper-{number}", number)
    for number in range(0, 12, 2):
        assert erase(shop, f"shopper-{number}").found == []
    database = sqlite3.connect(shop.events)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("SELECT count(DISTINCT shopper) FROM events").fetchone() == (6,)
    database.close()
