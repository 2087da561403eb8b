"""`mercer prune`: what is old goes, what is new stays, and the days that go are exported first."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mercer.errors import RequestError
from mercer.events.answer import Answer
from mercer.events.log import EventLog
from mercer.events.prune import prune
from mercer.records import Event, Impression, Product
from mercer.shop import Shop

NOW = int(time.time() * 1000)
DAY = 86_400_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shop = Shop.create(tmp_path / "shop")
    with EventLog(shop.events) as log:
        log.append([Event(f"e{age}", "view", "p", NOW - age * DAY, "ann") for age in (0, 1, 5, 40)])
        for age in (0, 40):
            log.shown([Impression(f"q{age}", "p", 1, NOW - age * DAY)], Answer(f"q{age}", NOW - age * DAY))
        log.record_changes([Product("p", "Cup")])
    return shop.folder


def test_old_rows_go_and_are_exported(folder: Path, tmp_path: Path, mercer: Callable[..., Any]) -> None:
    (folder / "store" / "cache" / "live").mkdir(parents=True)
    told = mercer("prune", folder, "--days", 7, "--export", tmp_path / "old", "--yes", "--json")
    assert told.code == 0, told
    assert {name: told.json[name] for name in ("events", "impressions", "answers")} == {
        "events": 1, "impressions": 1, "answers": 1
    }  # fmt: skip
    assert told.json["exported"] == 1
    assert list((tmp_path / "old").rglob("*.parquet"))
    assert not (folder / "store" / "cache" / "live").exists()
    with EventLog(Shop(folder).events) as log:
        assert [event.id for event in log.all()] == ["e0", "e1", "e5"]
        assert [shown.query_id for _, shown in log.impressions()] == ["q0"]
        assert len(log.changes()) == 1, "an index is built from them"
    assert b"e40" not in (folder / "store" / "events.db").read_bytes()
    assert '"prune"' in (folder / "store" / "audit.jsonl").read_text("utf-8")
    assert "0 events" in mercer("prune", folder, "--days", 7, "--yes").out


def test_a_wrong_moment_or_shop_is_refused(folder: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    with EventLog(Shop(folder).events) as log, pytest.raises(RequestError):
        prune(log, -1)
    bare = Shop.create(tmp_path / "bare").folder
    assert "no log" in refused("prune", bare, "--days", 7, "--yes")
