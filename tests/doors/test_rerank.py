"""A shop's own cross-encoder: named by the index's card or by the owner, off unless it is asked for."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")

from mercer.cli.settings import read_settings
from mercer.doors import Settings, build, open_doors
from mercer.errors import ModelError
from mercer.records import Page, Request
from mercer.shop import Shop

VERSION = "reranker/1"
CUP = Request(query="red cup", k=20)


def asked(shop: Path, settings: Settings) -> Page:
    doors = open_doors(shop, settings, writable=False)
    try:
        return doors.search(CUP)
    finally:
        doors.close()


def reranking(shop: Path, **more: object) -> Settings:
    settings = read_settings(shop)
    rank = dataclasses.replace(settings.rank, rerank=2, rerank_budget=60_000, **more)  # type: ignore[arg-type]
    return dataclasses.replace(settings, rank=rank)


@pytest.fixture
def shop_with_reranker(own_shop: Path, tiny_reranker: Path) -> Path:
    shop = Shop(own_shop)
    with shop.writing("models") as folder:
        shutil.copytree(tiny_reranker, folder, dirs_exist_ok=True)
        shop.keep("models", folder, {}, version=VERSION)
    return own_shop


def lines(page: Page) -> list[bool]:
    return ["reranker" in {line.signal for line in hit.ledger} for hit in page.hits]


def test_the_cards_reranker_is_opened_where_it_is_on(shop_with_reranker: Path) -> None:
    folder = shop_with_reranker
    before = asked(folder, read_settings(folder))
    assert asked(folder, reranking(folder)).degraded == "no reranker: words and meaning only"
    shop = Shop(folder)
    old = shop.live("index")
    assert old is not None
    built = build(shop, read_settings(folder), reranker=VERSION)
    assert built.version != old.version
    shop.publish("index", built.version)
    off = asked(folder, read_settings(folder))
    assert [hit.id for hit in off.hits] == [hit.id for hit in before.hits]
    assert "rerank" not in off.stages
    page = asked(folder, reranking(folder))
    assert page.degraded == ""
    assert "rerank" in page.stages
    assert lines(page) == [True] * 2 + [False] * (len(page.hits) - 2)
    assert len(page.hits) > 2
    for hit in page.hits:
        assert sum(line.part for line in hit.ledger) == pytest.approx(hit.score, abs=1e-9)
    again = build(shop, read_settings(folder))
    assert again.version == built.version, "the next index stands on the same reranker"
    shop.rollback("index")
    assert asked(folder, reranking(folder)).degraded


def test_the_owner_may_name_another(shop_with_reranker: Path, tiny_reranker: Path) -> None:
    folder = shop_with_reranker
    for named in (VERSION, str(tiny_reranker)):
        assert lines(asked(folder, reranking(folder, reranker=named)))[0]
    with pytest.raises(ModelError, match="nowhere has no config"):
        open_doors(folder, reranking(folder, reranker="nowhere"), writable=False)
    open_doors(folder, read_settings(folder)).close()  # what failed to open let go of the index
