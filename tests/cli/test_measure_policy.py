"""The command on a table and on a shop that explored: what it prints, what it refuses."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mercer.events.log import EventLog
from mercer.records import Event, Impression
from mercer.shop import Shop


@pytest.fixture
def log(tmp_path: Path) -> Path:
    rng, path = np.random.default_rng(0), tmp_path / "log.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["reward", "propensity", "target", "group"])
        for number in range(2000):
            first = rng.random() < 0.8
            rows.writerow([int(rng.random() < (0.1 if first else 0.4)), 0.8 if first else 0.2, 0.5, f"s{number // 2}"])
    return path


def test_a_table_is_judged(log: Path, mercer: Callable[..., Any], refused: Any) -> None:
    found = mercer("measure", "policy", "--log", log, "--json").json["the target policy"]
    assert found["snips"]["low"] < 0.25 < found["snips"]["high"], "half of .1 and half of .4"
    assert found["logged"] < found["snips"]["low"]
    shown = mercer("measure", "policy", "--log", log)
    assert "SNIPS" in shown.out
    assert "weights: mean" in shown.out
    assert "neither" in refused("measure", "policy")
    assert "not there" in refused("measure", "policy", "--log", log.with_name("no.csv"))
    log.write_text("reward,target\n1,1\n", "utf-8")
    assert "no column propensity" in refused("measure", "policy", "--log", log)
    log.write_text("reward,propensity,target\n1,a,1\n0,b,1\n", "utf-8")
    assert "no number" in refused("measure", "policy", "--log", log)


def test_a_shop_that_explored_tells_what_it_brought(tmp_path: Path, mercer: Callable[..., Any], refused: Any) -> None:
    shop = Shop.create(tmp_path / "shop")
    assert "explores with chance 0" in refused("measure", "policy", shop.folder)
    assert "nothing by chance" in refused("measure", "policy", shop.folder, "--explore", 0.25)
    rng, chance, few, now = np.random.default_rng(4), 0.25, 10, 1_760_000_000_000
    shown, clicked = [], []
    for number in range(3000):
        new = rng.random() < chance
        product = f"new{rng.integers(few)}" if new else "own"
        propensity = chance / few if new else 1 - chance
        shown.append(Impression(f"q{number}", product, 5, now, scene="home", propensity=propensity))
        shown.append(Impression(f"q{number}", "other", 1, now, scene="home"))
        if rng.random() < (0.2 if new else 0.05):
            clicked.append(Event(f"e{number}", "click", product, now + 1, "s", query_id=f"q{number}"))
    with EventLog(shop.events) as log:
        log.shown(shown)
        log.append(clicked)
    found = mercer("measure", "policy", shop.folder, "--explore", chance, "--json").json
    never, always = found["never by chance"], found["always by chance"]
    assert never["rows"] == 3000
    assert never["snips"]["low"] < 0.05 < never["snips"]["high"]
    assert always["snips"]["low"] < 0.2 < always["snips"]["high"]
    assert never["snips"]["high"] < always["snips"]["low"]
    assert "fit no exploring" in refused("measure", "policy", shop.folder, "--explore", 0.1)
