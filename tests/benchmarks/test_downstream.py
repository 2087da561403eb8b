"""Recovery by hand, and that a search measured in bulk is the search door's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True, scope="module")
def _root() -> Iterator[None]:
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


def test_recovery_by_hand() -> None:
    from benchmarks.recovery import Cell, recover

    cell = Cell("search", "b", "C07", 0.2)
    rng = np.random.default_rng(0)
    oracle = rng.uniform(0.5, 1.0, 60)
    for name, value in {"oracle": oracle, "dirty": oracle - 0.4, "checked": oracle - 0.1, "gate": oracle}.items():
        cell.values[name].append(value)
    found = recover(cell, seed=1)
    assert found.value == pytest.approx(0.75)
    assert found.low == pytest.approx(0.75)
    assert found.loss_is_real
    assert found.p < 0.01


def test_no_loss_gives_no_ratio() -> None:
    from benchmarks.recovery import Cell, recover

    cell = Cell("search", "b", "C07", 0.2)
    rng = np.random.default_rng(0)
    for name in cell.values:
        cell.values[name].append(rng.uniform(0, 1, 40))
    cell.values["dirty"] = [cell.values["oracle"][0] + rng.normal(0, 0.2, 40)]
    found = recover(cell, seed=1)
    assert not found.loss_is_real
    assert np.isnan(found.low)


def test_macro_f1_by_hand() -> None:
    from benchmarks.task_opinion import macro

    labels, guess = np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0, 0.0])
    assert macro(labels, [guess], np.arange(4)) == pytest.approx((2 / 3 + 0.8) / 2)


def test_search_in_bulk_is_the_doors(tmp_path: Path) -> None:
    from benchmarks import base as bases
    from benchmarks.task_search import Shelf
    from mercer.measure.metric import parse
    from mercer.records import Product, Request
    from mercer.retrieve.index import IndexSettings, open_index
    from mercer.search import Search
    from mercer.understand.understand import Understand, UnderstandSettings

    base = bases.load("sample", quick=True)
    shelf = Shelf("sample", base, vectors=tmp_path)
    table = base["products"].table.slice(0, 200)
    products = [Product.from_row(row) for row in table.to_pylist()]
    index = open_index(tmp_path / "i", dimension=2, settings=IndexSettings(engine="exact"), read_only=False)
    index.upsert(products, np.zeros((len(products), 2), np.float32))
    plain = UnderstandSettings(prices=False, negated=0.0, free=0.0)  # a shelf takes queries as they were typed
    door = Search(index, None, understand=Understand(settings=plain))
    runs = {
        id: [hit.product.id for hit in door(Request("search", query=text), system="lexical").hits]
        for id, text in shelf.queries.items()
    }
    scores = parse("nDCG@10")(runs, shelf.truth)
    index.close()
    assert shelf.measure(table, "lexical").tolist() == pytest.approx([scores[id] for id in shelf.queries])


def test_a_hurt_catalogue_is_found_worse() -> None:
    """The measure can fail: without its titles and texts a shop is hard to search."""
    from benchmarks import base as bases
    from benchmarks.dirt import changed
    from benchmarks.task_search import Shelf

    base = bases.load("sample", quick=True)
    shelf = Shelf("sample", base, vectors=Path("unused"))
    table = base["products"].table
    hurt = table
    for field in ("title", "description", "bullets"):
        hurt = changed(hurt, field, dict.fromkeys(range(0, len(table), 2), "N/A"))
    assert shelf.measure(hurt, "lexical").mean() < shelf.measure(table, "lexical").mean() - 0.05


def test_later_is_never_learnt_from() -> None:
    from benchmarks import base as bases
    from benchmarks.task_recommend import Later

    events = bases.load("sample", quick=True)["events"].table
    later = Later(events)
    assert max(later.before["time"].to_pylist()) < later.moment
    values = later.measure(later.before)
    assert values.shape == (len(later.shoppers),)
    assert 0 < values.mean() < 1
