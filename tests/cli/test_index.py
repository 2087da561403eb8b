"""mercer index: built from what is checked, known vectors kept, kills survived, a closed gate respected."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mercer.shop import Shop


def lines(shop: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (shop / "raw" / "products.jsonl").read_text("utf-8").splitlines()]


def rewrite(shop: Path, rows: list[dict[str, Any]]) -> None:
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (shop / "raw" / "products.jsonl").write_text(text + "\n", "utf-8")


def test_what_has_not_changed_is_not_encoded_again(mercer: Any, own_shop: Path) -> None:
    live = Shop(own_shop).live("index")
    assert live
    for _ in range(2):
        assert mercer("search", own_shop, "chair").code == 0  # looking at a shop changes nothing of it
        again = mercer("index", own_shop, "--json").json
        assert (again["encoded"], again["new"], again["version"]) == (0, False, live.version)
    rows = lines(own_shop)
    rows[5]["title"] = "zebra umbrella 斑马雨伞"
    rows[6]["price"] = 77.0  # not read by the encoder
    rewrite(own_shop, rows)
    assert mercer("check", own_shop).code == 0
    changed = mercer("index", own_shop, "--json").json
    assert (changed["encoded"], changed["reused"], changed["new"], changed["live"]) == (1, 199, True, True)
    assert mercer("search", own_shop, "zebra umbrella", "--json").json["hits"][0]["id"] == rows[5]["id"]
    assert Shop(own_shop).live("index").before == (live.version,)


def test_another_setting_is_another_version_with_the_same_vectors(mercer: Any, own_shop: Path) -> None:
    first = Shop(own_shop).live("index")
    text = (own_shop / "mercer.toml").read_text("utf-8")
    (own_shop / "mercer.toml").write_text(text + '\n[retrieve]\nengine = "exact"\n', "utf-8")
    built = mercer("index", own_shop, "--json", "--no-promote").json
    assert (built["encoded"], built["new"], built["live"]) == (0, True, False)
    assert Shop(own_shop).live("index") == first
    assert mercer("promote", own_shop, built["version"], "--json").json["before"] == [first.version]
    assert mercer("search", own_shop, "chair", "--json").code == 0


def test_a_kill_at_any_moment_leaves_the_live_version_serving(mercer: Any, own_shop: Path) -> None:
    rows = lines(own_shop)
    for row in rows:
        row["title"] += " renewed"
    rewrite(own_shop, rows)
    assert mercer("check", own_shop).code == 0
    before = (own_shop / "store" / "live.json").read_bytes()
    page = mercer("search", own_shop, "chair", "--json").json
    rng = random.Random(5)
    killed = 0
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-m", "mercer", "index", str(own_shop), "--no-promote"], stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.5, 2.5))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        assert (own_shop / "store" / "live.json").read_bytes() == before
        again = mercer("search", own_shop, "chair", "--json").json
        assert [hit["id"] for hit in again["hits"]] == [hit["id"] for hit in page["hits"]]
    assert killed, "no run was still going when it was killed"
    built = mercer("index", own_shop, "--json")
    assert built.code == 0
    assert mercer("search", own_shop, "renewed", "--json").json["total"] > 0
    assert list((own_shop / "store" / "index").glob(".*")) == []


def blocked(shop: Path) -> None:
    """Half of the products lose their titles."""
    rows = lines(shop)
    for row in rows[: len(rows) // 2]:
        row["title"] = ""
    rewrite(shop, rows)


def test_a_closed_gate_stops_index_and_promote(mercer: Any, refused: Any, own_shop: Path) -> None:
    before = (own_shop / "store" / "live.json").read_bytes()
    blocked(own_shop)
    assert mercer("check", own_shop).code == 1
    said = refused("index", own_shop, code=1)
    assert "the data gate is closed" in said
    assert "50.00%" in said
    assert "5.00%" in said
    assert "--override" in said
    assert (own_shop / "store" / "live.json").read_bytes() == before
    built = mercer("index", own_shop, "--override", "the feed is cut, 一半 is right", "--no-promote", "--json").json
    assert built["products"] == 200, "the rows accepted last go on serving those without a title"
    card = Shop(own_shop).card("index", built["version"])
    assert card["override"] == "the feed is cut, 一半 is right"
    assert "50.00%" in refused("promote", own_shop, built["version"], code=1)
    assert (own_shop / "store" / "live.json").read_bytes() == before
    assert mercer("promote", own_shop, built["version"], "--override", "known").code == 0
    live = json.loads((own_shop / "store" / "live.json").read_text("utf-8"))["index"]
    assert (live["version"], live["note"]) == (built["version"], "known")
    assert mercer("search", own_shop, "chair").code == 0


def test_a_shop_that_was_never_checked_or_only_blocked(mercer: Any, refused: Any, own_shop: Path) -> None:
    blocked(own_shop)
    (own_shop / "store" / "live.json").unlink()
    assert mercer("check", own_shop).code == 1
    assert "50.00%" in refused("index", own_shop, code=1)
    assert "has no index" in refused("search", own_shop, "x")


def test_an_index_without_a_check_says_what_to_run(refused: Any, tmp_path: Path) -> None:
    Shop.create(tmp_path / "shop")
    assert "names no data | cure  run: mercer init" in refused("index", tmp_path / "shop")
    (tmp_path / "p.csv").write_text("id,title\n1,Cup\n", "utf-8")
    (tmp_path / "shop" / "mercer.toml").write_text('[data]\nproducts = "../p.csv"\n', "utf-8")
    assert "mercer check" in refused("index", tmp_path / "shop")


@pytest.mark.parametrize("where", ["format", "live"])
def test_two_indexes_at_once(mercer: Any, refused: Any, own_shop: Path, where: str) -> None:
    if where == "format":
        (own_shop / "store" / "format.json").write_text('{"format": 7}', "utf-8")
        (own_shop / "mercer.toml").write_text("[from_the_future]\n", "utf-8")
        assert "has format 7, this Mercer reads up to 1 | cure  upgrade mercer" in refused("index", own_shop)
        return
    rows = lines(own_shop)
    rows[0]["title"] = "another"
    rewrite(own_shop, rows)
    assert mercer("check", own_shop).code == 0
    with Shop(own_shop).writing("index"):
        assert "is held by process" in refused("index", own_shop)
    assert mercer("index", own_shop).code == 0
