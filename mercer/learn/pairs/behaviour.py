"""Checked events and queries in; pairs of what was typed and what was then done with what was shown out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import SettingsError
from mercer.learn.pairs.pair import empty, group_of, to_pairs
from mercer.records import Product
from mercer.retrieve.text import passage

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BehaviourPairs", "from_events"]


@dataclass(frozen=True, slots=True)
class BehaviourPairs:
    """What an action says about a product for a query."""

    click: float = 0.4
    """Gain of a product that was opened from the answer, 0 to 1."""
    cart: float = 0.7
    """Of one put into the basket."""
    purchase: float = 1.0
    """Of one bought."""
    clip: float = 10.0
    """Most that one action counts, however rarely its position is looked at (Joachims et al. 2017 clip likewise)."""
    skipped: int = 3
    """Looks (impressions times propensity) without any action from which a product counts as passed over."""
    least: float = 1.0
    """Evidence (actions by propensity) below which a pair is left out."""

    def __post_init__(self) -> None:
        for name in ("click", "cart", "purchase"):
            if not 0 < getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a gain above 0, at most 1")
        if not (self.clip >= 1 and self.skipped >= 1 and self.least >= 0):
            raise SettingsError(
                f"clip is {self.clip}, skipped {self.skipped}, least {self.least}",
                cure="give a clip and a number skipped of at least 1, and evidence of at least 0",
            )


DEFAULTS = BehaviourPairs()

SHOWN = """
WITH told AS (
  SELECT e.query_id, q.text AS query, e.product, e.type, e.time, e.row_id,
         least($clip, 1 / greatest(coalesce(p.chance, 1.0), 1e-3)) AS inverse, coalesce(p.chance, 1.0) AS chance
  FROM read_parquet($events) e
  JOIN read_parquet($queries) q ON e.query_id = q.query_id
  LEFT JOIN propensity p ON p.position = e.position
  WHERE e.product IS NOT NULL AND length(trim(q.text)) > 0
)
SELECT query, product,
  sum(CASE WHEN type = 'impression' THEN chance ELSE 0 END) AS looks,
  sum(CASE WHEN type IN ('click', 'view') THEN inverse ELSE 0 END) AS clicks,
  sum(CASE WHEN type = 'add_to_cart' THEN inverse ELSE 0 END) AS carts,
  sum(CASE WHEN type = 'purchase' THEN inverse ELSE 0 END) AS purchases,
  max(time) AS last, min(row_id) AS first_row, count(*) AS rows
FROM told GROUP BY query, product ORDER BY query, product
"""


def from_events(
    events: Path,
    queries: Path,
    products: Mapping[str, Product],
    *,
    propensity: Sequence[float] = (),
    settings: BehaviourPairs = DEFAULTS,
) -> pa.Table:
    """One pair for each query text and product with enough evidence for or against.

    The gain is that of the strongest action; the weight is the logarithm of the evidence: every action counts by
    the inverse of the chance that its position is looked at (inverse propensity scoring, clipped), which `quality`
    measures (E12). A product looked at `skipped` times without an action is a pair of gain 0.

    Args:
        events, queries: Parquet of trusted data.
        products: id → product.
        propensity: chance that each position (from 1) is looked at; 1 everywhere where empty.
        settings: gains and limits.
    """
    if not events.exists() or not queries.exists():
        return empty()
    import duckdb
    import pyarrow as pa

    chances = pa.table(
        {"position": list(range(1, len(propensity) + 1)), "chance": [float(value) for value in propensity]}
    )
    chances = chances.cast(pa.schema([("position", pa.int64()), ("chance", pa.float64())]))
    with duckdb.connect() as engine:
        engine.register("propensity", chances)
        asked = {"events": str(events), "queries": str(queries), "clip": settings.clip}
        rows = engine.sql(SHOWN, params=asked).to_arrow_table().to_pylist()
    made = (_pair(row, products[row["product"]], settings) for row in rows if row["product"] in products)
    return to_pairs(row for row in made if row is not None)


def _pair(row: Mapping[str, Any], product: Product, settings: BehaviourPairs) -> tuple[Any, ...] | None:
    import math

    evidence = row["clicks"] + row["carts"] + row["purchases"]
    kinds = (("purchase", row["purchases"], settings.purchase), ("cart", row["carts"], settings.cart))
    kind, gain = next(((name, worth) for name, number, worth in kinds if number), ("click", settings.click))
    if not evidence:
        if row["looks"] < settings.skipped:
            return None
        kind, gain, evidence = "skipped", 0.0, row["looks"] / settings.skipped
    elif evidence < settings.least:
        return None
    lineage = f"events:{row['first_row']}+{row['rows'] - 1}"
    query = row["query"]
    weight = math.log1p(evidence)
    return (query, product.id, passage(product), gain, weight, group_of(query), row["last"], f"events:{kind}", lineage)
