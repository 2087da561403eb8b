"""Events of a shop in; pages that were searched for, what stood where on them, what was clicked, and by whom, out."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mercer.records import Shopper

__all__ = ["Looked", "Pages", "click_weights", "middle"]

PAST = 50
"""Products of a shopper's past that are kept, as serving does."""
SOON = 1_800_000
"""Milliseconds within which a click belongs to a page: half an hour."""
WANTED = ("view", "click", "add_to_cart", "purchase", "like")

SHOWN = """
WITH e AS (
  SELECT coalesce(session, shopper) AS visit, coalesce(shopper, '') AS shopper, query_id, product, type, position, time,
    coalesce(device, '') AS device
  FROM read_parquet($events)
  WHERE query_id IS NOT NULL AND product IS NOT NULL AND coalesce(session, shopper) IS NOT NULL
), shown AS (SELECT * FROM e WHERE type = 'impression' AND position IS NOT NULL),
done AS (
  SELECT e.visit, e.query_id, e.product, e.type, max(s.time) AS shown
  FROM e JOIN shown s ON e.visit = s.visit AND e.query_id = s.query_id AND e.product = s.product
    AND e.time >= s.time AND e.time < s.time + $soon
  WHERE e.type IN ('click', 'add_to_cart', 'purchase') GROUP BY ALL
)
SELECT s.visit, s.shopper, s.query_id, q.text, s.product, s.position, s.time, s.device,
  coalesce(max(CASE d.type WHEN 'purchase' THEN 3 WHEN 'add_to_cart' THEN 2 WHEN 'click' THEN 1 END), 0) AS action
FROM shown s JOIN read_parquet($queries) q ON s.query_id = q.query_id
LEFT JOIN done d ON s.visit = d.visit AND s.query_id = d.query_id AND s.product = d.product AND s.time = d.shown
WHERE s.time >= $after AND s.time < $until AND q.text IS NOT NULL
GROUP BY ALL ORDER BY s.time, s.visit, s.query_id, s.position, s.product
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """One page of an answer."""

    query: str
    shopper: Shopper
    """With what was done before this page, so that nobody learns from what came after."""
    device: str
    time: int
    products: tuple[str, ...]
    positions: tuple[int, ...]
    actions: tuple[int, ...]
    """For each product: 0 nothing, 1 clicked, 2 put into the basket, 3 bought."""


class Pages:
    """Reads pages of answers and the pasts of those who looked at them."""

    def __init__(self, events: Path, queries: Path) -> None:
        self._events, self._queries = events, queries
        self._past = _pasts(events) if events.exists() else {}

    def __call__(self, *, after: int = 0, until: int | None = None) -> list[Looked]:
        """Pages from `after` to before `until` (UTC ms), in order of time; a page's impressions share their time."""
        if not self._events.exists() or not self._queries.exists():
            return []
        import duckdb

        given = {
            "events": str(self._events),
            "queries": str(self._queries),
            "soon": SOON,
            "after": after,
            "until": (1 << 62) if until is None else until,
        }
        with duckdb.connect() as engine:
            rows = engine.sql(SHOWN, params=given).to_arrow_table().to_pylist()
        pages: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            pages[row["visit"], row["query_id"], row["time"]].append(row)
        return [self._page(found) for found in pages.values()]

    def _page(self, rows: Sequence[dict[str, Any]]) -> Looked:
        first = rows[0]
        times, products = self._past.get(first["shopper"], ([], []))
        before = bisect_left(times, first["time"])
        past: dict[str, int] = {}
        lately = slice(max(0, before - 4 * PAST), before)
        for product, time in zip(products[lately], times[lately], strict=True):
            past.pop(product, None)
            past[product] = time
        last = list(past.items())[-PAST:]
        known = Shopper("", tuple(product for product, _ in last), tuple(time for _, time in last))
        columns = ([row[name] for row in rows] for name in ("product", "position", "action"))
        products_, positions, actions = (tuple(column) for column in columns)
        return Looked(first["text"], known, first["device"], first["time"], products_, positions, actions)


def _pasts(events: Path) -> dict[str, tuple[list[int], list[str]]]:
    """Shopper → times, rising, and what was wanted at each."""
    import pyarrow.parquet as pq

    rows = pq.read_table(events, columns=["shopper", "product", "type", "time"])
    found: dict[str, tuple[list[int], list[str]]] = {}
    table = rows.sort_by([("time", "ascending")]).to_pydict()
    for shopper, product, kind, time in zip(
        table["shopper"], table["product"], table["type"], table["time"], strict=True
    ):
        if shopper and product and kind in WANTED and time is not None:
            times, products = found.setdefault(shopper, ([], []))
            times.append(time)
            products.append(product)
    return found


def middle(pages: Sequence[Looked], share: float) -> int:
    """The moment before which `share` of the pages lie; 0 where there is none."""
    return int(np.quantile([page.time for page in pages], share)) if pages else 0


def click_weights(
    page: Looked, propensity: Sequence[float], gains: Sequence[float], *, clip: float
) -> list[tuple[int, float]]:
    """Place on the page and weight of each deed: its gain by the chance that its position was looked at.

    A sum over clicks by 1 / chance is, on average, the sum over everything that would have been clicked had it been
    looked at (Joachims, Swaminathan and Schnabel, WSDM 2017); `clip` bounds what one click may weigh.

    Args:
        page: see there.
        propensity: chance of a look by position, from 1; empty, every click counts alike.
        gains: of a click, a product put into the basket, one bought.
        clip: most that 1 / chance may be.
    """
    found = []
    for place, (position, action) in enumerate(zip(page.positions, page.actions, strict=True)):
        if action:
            chance = propensity[min(position, len(propensity)) - 1] if propensity else 1.0
            found.append((place, gains[action - 1] * min(clip, 1 / max(chance, 1e-3))))
    return found
