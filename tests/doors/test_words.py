"""What understanding learns for an index: queries by how often they were asked, what came of them, and stock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.doors.settings import Settings
from mercer.doors.words import learn_words, sold_out
from mercer.records import Product
from mercer.retrieve.exact import ExactIndex
from mercer.retrieve.index import IndexSettings
from mercer.understand.suggest import Suggest

PRODUCTS = [Product("1", "Oak board", stock=3), Product("2", "Oak stool", stock=0), Product("3", "红色杯子", stock=1)]


def test_queries_weigh_by_visits_and_purchases(tmp_path: Path) -> None:
    texts = {"q1": "oak rare", "q2": "oak often", "q3": "oak bought", "q4": "oak sold out"}
    pq.write_table(pa.table({"query_id": [*texts], "text": [*texts.values()]}), tmp_path / "queries.parquet")
    rows = [("q2", f"s{n}", "impression", "1") for n in range(4)] + [("q3", "s1", "purchase", "1")] * 3
    rows += [("q4", f"s{n}", "click", "2") for n in range(9)]
    named = dict(zip(("query_id", "session", "type", "product"), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table({**named, "shopper": pa.nulls(len(rows), pa.string())}), tmp_path / "events.parquet")
    learn_words(PRODUCTS, tmp_path, tmp_path, settings=Settings())
    assert Suggest.load(tmp_path / "suggest.json")("oak ", 3) == ["oak bought", "oak often", "oak rare"]


def test_a_shop_without_queries_or_events(tmp_path: Path) -> None:
    learn_words(PRODUCTS, tmp_path, tmp_path, settings=Settings())
    assert Suggest.load(tmp_path / "suggest.json")("hongse", 3) == ["红色杯子"]
    pq.write_table(pa.table({"query_id": ["q1"], "text": ["oak thing"]}), tmp_path / "queries.parquet")
    learn_words(PRODUCTS, tmp_path, tmp_path, settings=Settings())
    assert "oak thing" in Suggest.load(tmp_path / "suggest.json")("oak", 3)


def test_stock_is_looked_at_when_asked(tmp_path: Path) -> None:
    index = ExactIndex(tmp_path, dimension=2, settings=IndexSettings(engine="exact"))
    index.upsert(PRODUCTS, np.eye(2, dtype=np.float32)[[0, 0, 1]])
    gone = sold_out(index.columns)
    assert [gone(id) for id in ("1", "2", "3", "nobody")] == [False, True, False, True]
    index.close()
