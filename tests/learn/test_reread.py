"""A shop's own cross-encoder from its own data: kept with its card, found again, opened by the doors."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

pytest.importorskip("peft")

from mercer.cli.settings import read_settings
from mercer.doors import build, open_doors
from mercer.encode.model import read
from mercer.learn.gather import Gathered, gather
from mercer.learn.pairs import empty
from mercer.learn.reranker import RerankerSettings
from mercer.learn.reread import learn_reranker
from mercer.learn.settings import LearnSettings
from mercer.records import Request
from mercer.shop import Shop

QUICK = LearnSettings(steps=3, evaluations=1)
OWN = RerankerSettings(batch=2, passages=3, length=24)


def learned(shop: Shop, gathered: Gathered, base: Path, **time: float) -> str:
    doors = open_doors(shop.folder, read_settings(shop.folder), writable=False)
    try:
        first = {"index": doors.index, "encoder": doors.encoder}
        return learn_reranker(shop, gathered, read(base), **first, settings=QUICK, own=OWN, **time).version  # type: ignore[arg-type]
    finally:
        doors.close()


def test_a_shop_learns_a_reranker_and_serves_it(own_shop: Path, tiny_bert: Path) -> None:
    shop = Shop(own_shop)
    live = shop.live("checked")
    assert live is not None
    gathered = gather(shop, live.version, QUICK)
    assert gathered.has_labels
    version = learned(shop, gathered, tiny_bert)
    card = shop.card("models", version)
    assert card["training"]["steps"] == 3
    assert card["checked"] == live.version
    assert 0 <= card["training"]["best"] <= 1
    assert not list((own_shop / "store" / "work").glob("reranker/*"))
    made = (shop.path("models", version) / "card.json").stat().st_mtime_ns
    assert learned(shop, gathered, tiny_bert, seconds=1e6) == version, "how fast a machine was names nothing"
    assert (shop.path("models", version) / "card.json").stat().st_mtime_ns == made, "it was there"

    settings = read_settings(own_shop)
    shop.publish("index", build(shop, settings, reranker=version).version)
    encode = dataclasses.replace(settings.encode, engine="torch")
    rank = dataclasses.replace(settings.rank, rerank=5, rerank_budget=60_000)
    doors = open_doors(own_shop, dataclasses.replace(settings, encode=encode, rank=rank), writable=False)
    page = doors.search(Request(query="red cup"))
    doors.close()
    assert page.degraded == ""
    assert "reranker" in {line.signal for line in page.hits[0].ledger}


def test_without_labels_the_catalogue_teaches(own_shop: Path, tiny_bert: Path) -> None:
    shop = Shop(own_shop)
    live = shop.live("checked")
    assert live is not None
    gathered = gather(shop, live.version, QUICK)
    bare = dataclasses.replace(gathered, labelled={part: empty() for part in ("train", "valid", "test")})
    version = learned(shop, bare, tiny_bert)
    assert shop.card("models", version)["training"]["best"] is not None
