"""Rates: clicks by looks with positions corrected, shrunk, of a time that ended before what they explain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercer.retrieve.rates import Rates, asked

DAY = 86_400_000


def rows(product: str, position: int, shown: int, clicks: int, *, query: str = "q1", time: int = 0) -> list[Any]:
    shared = {"product": product, "query_id": query, "position": position, "time": time}
    return [{"type": "impression", **shared}] * shown + [{"type": "click", **shared}] * clicks


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    events = rows("top", 1, 100, 30) + rows("low", 2, 100, 20) + rows("new", 1, 10, 3, query="q2", time=50 * DAY)
    events += rows("none", 1, 0, 0) + rows("top", 1, 0, 1, query="q3", time=100 * DAY)
    pq.write_table(pa.Table.from_pylist(events), tmp_path / "events.parquet")
    queries = [{"query_id": "q1", "text": "Red Shoes"}, {"query_id": "q2", "text": "cup"}]
    pq.write_table(pa.Table.from_pylist(queries), tmp_path / "queries.parquet")
    return tmp_path / "events.parquet", tmp_path / "queries.parquet"


def of(rates: Rates, product: str) -> tuple[float, float, float]:
    code = rates.products.code(product)
    return rates.click[code], rates.buy[code], rates.age[code]


def test_a_low_place_is_made_up_for(files: tuple[Path, Path]) -> None:
    plain, corrected = Rates.fit(*files), Rates.fit(*files, propensity=(1.0, 0.4))
    assert of(plain, "top")[0] > of(plain, "low")[0]
    assert of(corrected, "low")[0] > of(corrected, "top")[0], "20 clicks of 40 looks, 30 of 100"
    at = [corrected.pairs.code(f"{asked('red shoes')}\t{name}") for name in ("low", "top")]
    assert corrected.pair_click[at[0]] > 0 > corrected.pair_click[at[1]]
    assert corrected.pair_looks[at[0]] == pytest.approx(np.log2(41))


def test_few_looks_say_little_and_later_ones_nothing(files: tuple[Path, Path]) -> None:
    rates = Rates.fit(*files, until=60 * DAY)
    assert abs(of(rates, "new")[0]) < 0.3, "3 of 10 is shrunk"
    assert of(rates, "new")[2] == pytest.approx(0.0), "arrived at the end"
    assert np.isnan(of(rates, "top")[2]), "was there when the log began"
    assert Rates.fit(*files, until=1).products.code("new") == -1


def test_saved_and_loaded_and_without_a_log(files: tuple[Path, Path], tmp_path: Path) -> None:
    rates = Rates.fit(*files, propensity=(1.0, 0.4))
    rates.save(tmp_path)
    again = Rates.load(tmp_path)
    assert np.array_equal(again.pair_click, rates.pair_click, equal_nan=True)
    assert again.products.names.equals(rates.products.names)
    assert len(Rates.fit(tmp_path / "absent.parquet", files[1]).products) == 0
    assert len(Rates.load(tmp_path / "absent").pairs) == 0
    assert len(Rates.fit(files[0], tmp_path / "absent.parquet").pairs) == 0
