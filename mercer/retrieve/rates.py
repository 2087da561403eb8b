"""Events with positions in; how often a product is clicked and bought once looked at, alone and for a query, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.retrieve.analyze import words
from mercer.retrieve.arrays import load_arrays, save_arrays
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["Rates", "asked"]

Real = NDArray[np.float64]
LOOKS, CLICKS = 20.0, 5.0
"""Looks and clicks at the shop's mean that every product is thought to have had before. A guess."""
OWN_LOOKS, OWN_CLICKS = 8.0, 3.0
"""The same for a product and a query, at the query's mean. A guess."""
DAY = 86_400_000
SURE = 0.1
"""Share of the log's days in which a product must not have been seen for its first event to count as its arrival."""

COUNTED = """
WITH told AS (
  SELECT q.text AS query, e.product, e.type, e.time, coalesce(p.chance, 1.0) AS chance
  FROM read_parquet($events) e LEFT JOIN queries q ON e.query_id = q.query_id
  LEFT JOIN propensity p ON p.position = e.position
  WHERE e.product IS NOT NULL AND e.time < $until
)
SELECT {query} AS query, product, sum(chance) FILTER (type = 'impression') AS looks,
  count(*) FILTER (type = 'click') AS clicks, count(*) FILTER (type = 'purchase') AS purchases, min(time) AS first
FROM told {where} GROUP BY ALL ORDER BY ALL
"""


def asked(query: str) -> str:
    """What queries that count as one have in common: their words."""
    return " ".join(words(query))


@dataclass(frozen=True, slots=True)
class Rates:
    """Logarithms of rates by what is usual; columns by code of `products`, and by code of `pairs`."""

    products: Vocabulary
    click: Real
    buy: Real
    age: Real
    """Days since the first event; NaN where the log may begin later than the product."""
    pairs: Vocabulary
    """Query as `asked` gives it, and product, with a tab between."""
    pair_click: Real
    pair_buy: Real
    pair_looks: Real

    @classmethod
    def fit(cls, events: Path, queries: Path, *, propensity: Sequence[float] = (), until: int | None = None) -> Rates:
        """Count clicks by looks: impressions by the chance that their position is looked at (check E12).

        Args:
            events, queries: Parquet of trusted data; a missing one is empty.
            propensity: chance of a look by position, from 1; all are looked at where empty.
            until: UTC milliseconds; later events do not count, so that nobody learns from what he is asked.
        """
        if not events.exists():
            return cls.empty()
        import duckdb
        import pyarrow as pa
        import pyarrow.parquet as pq

        chances = pa.table({
            "position": pa.array(range(1, len(propensity) + 1), pa.int64()),
            "chance": pa.array(map(float, propensity), pa.float64()),
        })  # fmt: skip
        nobody = pa.table({"query_id": pa.array([], pa.string()), "text": pa.array([], pa.string())})
        texts = pq.read_table(queries, columns=["query_id", "text"]) if queries.exists() else nobody
        end = (1 << 62) if until is None else until
        with duckdb.connect() as engine:
            engine.register("propensity", chances)
            engine.register("queries", texts)
            given = {"events": str(events), "until": end}
            alone = engine.sql(COUNTED.format(query="''", where=""), params=given).to_arrow_table()
            both = engine.sql(COUNTED.format(query="query", where="WHERE query IS NOT NULL"), params=given)
            return cls._of(alone, both.to_arrow_table())

    @classmethod
    def _of(cls, alone: Any, both: Any) -> Rates:
        looks, clicks, bought, first = _numbers(alone)
        click, buy = _rates(looks, clicks, bought, group=np.zeros(len(looks), np.int64), priors=(LOOKS, CLICKS))
        begin, end = (first.min(), first.max()) if len(first) else (0.0, 0.0)
        new = first > begin + SURE * (end - begin)
        age = np.where(new, (end - first) / DAY, np.nan)
        texts = {text: asked(text) for text in set(both["query"].to_pylist())}
        keys = [
            f"{texts[query]}\t{product}"
            for query, product in zip(both["query"].to_pylist(), both["product"].to_pylist(), strict=True)
        ]
        names, code = np.unique(np.array(keys, dtype=object).astype(str), return_inverse=True)
        counted = [np.bincount(code, weights=column, minlength=len(names)) for column in _numbers(both)[:3]]
        looked, clicked, paid = (column.astype(np.float64) for column in counted)
        _, query = np.unique([name.partition("\t")[0] for name in names.tolist()], return_inverse=True)
        pair_click, pair_buy = _rates(
            looked, clicked, paid, group=query.astype(np.int64), priors=(OWN_LOOKS, OWN_CLICKS)
        )
        products = Vocabulary.of(alone["product"].to_pylist())
        pairs = Vocabulary.of(names.tolist())
        return cls(products, click, buy, age, pairs, pair_click, pair_buy, np.log2(1 + looked))

    @classmethod
    def empty(cls) -> Rates:
        """Of a shop without events."""
        nothing = np.zeros(0)
        return cls(Vocabulary.of(()), nothing, nothing, nothing, Vocabulary.of(()), nothing, nothing, nothing)

    def save(self, folder: Path) -> None:
        """Write ``rates.npz`` and two Parquet files of names."""
        arrays = {name: getattr(self, name) for name in COLUMNS}
        save_arrays(folder / "rates.npz", arrays, {})
        self.products.save(folder / "rated.parquet")
        self.pairs.save(folder / "rated_pairs.parquet")

    @classmethod
    def load(cls, folder: Path) -> Rates:
        """Read what `save` wrote; an older index has none."""
        if not (folder / "rates.npz").exists():
            return cls.empty()
        arrays, _ = load_arrays(folder / "rates.npz")
        return cls(
            products=Vocabulary.load(folder / "rated.parquet"),
            pairs=Vocabulary.load(folder / "rated_pairs.parquet"),
            **{name: arrays[name] for name in COLUMNS},
        )


COLUMNS = ("click", "buy", "age", "pair_click", "pair_buy", "pair_looks")


def _numbers(table: Any) -> tuple[Real, Real, Real, Real]:
    import pyarrow as pa

    columns = (table[name].cast(pa.float64()).fill_null(0.0) for name in ("looks", "clicks", "purchases", "first"))
    return tuple(column.to_numpy() for column in columns)


def _rates(
    looks: Real, clicks: Real, bought: Real, *, group: NDArray[np.int64], priors: tuple[float, float]
) -> tuple[Real, Real]:
    """Logarithms of clicks by look and purchases by click, both by the group's mean; NaN where there was no chance."""

    def log_ratio(done: Real, chances: Real, prior: float) -> Real:
        total = np.bincount(group, weights=chances)[group] if len(group) else chances
        mean = (np.bincount(group, weights=done)[group] if len(group) else done) / np.maximum(total, 1e-9)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (done + prior * mean) / ((chances + prior) * mean)
        return np.where((chances > 0) & (mean > 0), np.log(np.where(ratio > 0, ratio, 1.0)), np.nan)

    return log_ratio(clicks, looks, priors[0]), log_ratio(bought, clicks, priors[1])
