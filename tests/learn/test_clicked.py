"""Pages of the log: what stood where, what was done, by whom with which past, and what a click then weighs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercer.learn.clicked import Looked, Pages, click_weights, middle
from mercer.records import Shopper

MINUTE = 60_000


def event(kind: str, product: str, time: int, **more: Any) -> dict[str, Any]:
    known = {"session": "s1", "shopper": "ann", "query_id": "q1", "position": None, "device": "phone"}
    return {"type": kind, "product": product, "time": time, **known, **more}


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    start = 100 * MINUTE
    rows = [
        event("view", "old", 1, query_id=None),
        event("view", "b", 2, query_id=None),
        *(event("impression", name, start, position=place) for place, name in enumerate("abc", start=1)),
        event("click", "b", start + 1),
        event("purchase", "b", start + MINUTE),
        event("click", "c", start + 40 * MINUTE),
        *(event("impression", name, start + 5 * MINUTE, position=place) for place, name in enumerate("cb", start=1)),
        event("click", "c", start + 6 * MINUTE),
        event("impression", "a", start, position=1, session="s2", shopper=None),
        event("impression", "a", start, position=1, query_id="q9"),
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "events.parquet")
    queries = pa.Table.from_pylist([{"query_id": "q1", "text": "cup"}])
    pq.write_table(queries, tmp_path / "queries.parquet")
    return Pages(tmp_path / "events.parquet", tmp_path / "queries.parquet")


def test_a_page_knows_its_clicks_and_a_past_that_ends_before_it(pages: Pages) -> None:
    found = pages()
    first = next(page for page in found if len(page.products) == 3)
    assert (first.query, first.device) == ("cup", "phone")
    assert (first.products, first.positions, first.actions) == (("a", "b", "c"), (1, 2, 3), (0, 3, 0))
    assert first.shopper.products == ("old", "b"), "what came after the page is not known yet"
    assert first.shopper.id == "", "the index's own memory of the shopper reaches too far"
    second = next(page for page in found if len(page.products) == 2)
    assert second.actions == (1, 0)
    assert second.shopper.products == ("old", "b"), "each once, at its last time"
    nobody = next(page for page in found if len(page.products) == 1)
    assert nobody.shopper == Shopper("")
    assert len(found) == 3, "a query without a text is no page"


def test_times_cut_and_a_missing_log_is_empty(pages: Pages, tmp_path: Path) -> None:
    assert len(pages(after=101 * MINUTE)) == 1
    assert len(pages(until=101 * MINUTE)) == 2
    assert Pages(tmp_path / "none.parquet", tmp_path / "queries.parquet")() == []
    assert middle([], 0.5) == 0
    assert middle(pages(), 0.0) == 100 * MINUTE


def test_a_click_weighs_by_how_rarely_its_place_is_seen() -> None:
    page = Looked("cup", Shopper(""), "", 0, ("a", "b", "c", "d"), (1, 2, 3, 9), (1, 0, 3, 2))
    worth = (0.4, 0.7, 1.0)
    assert click_weights(page, (), worth, clip=10) == [(0, 0.4), (2, 1.0), (3, 0.7)]
    told = dict(click_weights(page, (1.0, 0.5, 0.25), worth, clip=3))
    assert told == {0: 0.4, 2: 3.0, 3: pytest.approx(2.1)}, "clipped at 3; a place beyond the curve counts as its last"
