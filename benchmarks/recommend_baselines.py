"""How quick are the behavioural retrievers and the recommendation door as a shop grows?

Invented events over a catalogue with a long tail; prints one row a size: fit, save, load, and the door's p50 and p99.
Accuracy on real files is measured by ``mercer measure recommend``, not here.

    python benchmarks/recommend_baselines.py [--products 100000] [--events 2000000] [--seed 7]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mercer.recommend import Recommend
from mercer.records import Candidate, Product, Request, Shopper
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.columns import Columns
from mercer.retrieve.history import DAY

DIMENSION, NEAR = 32, 200


class ColumnsOnly:
    """An index whose dense search costs nothing, so that what is timed is the door's own work."""

    def __init__(self, products: list[Product], seed: int) -> None:
        self.columns, self._products = Columns(), {product.id: product for product in products}
        for product in products:
            self.columns.add(product)
        self._vectors = np.random.default_rng(seed).standard_normal((len(products), DIMENSION)).astype(np.float32)

    def background(self) -> Any:
        return self._vectors[:512]

    def vectors(self, ids: list[str]) -> Any:
        return self._vectors[[self.columns.row[id] for id in ids]]

    def dense(self, vector: Any, k: int, *, filters: Any = ()) -> list[Candidate]:  # noqa: ARG002  # a double
        return [Candidate(id, 1.0 - place / k) for place, id in enumerate(self.columns.ids[:NEAR])]

    def products(self, ids: Any) -> list[Product]:
        return [self._products[id] for id in ids]


def invented(products: int, events: int, seed: int) -> pa.Table:
    """Zipf-popular products, neighbours by number, about 20 events a shopper over 60 days."""
    rng = np.random.default_rng(seed)
    shopper = rng.integers(max(1, events // 20), size=events)
    centre = (shopper * 7919) % products
    product = np.where(
        rng.random(events) < 0.5, (centre + rng.integers(50, size=events)) % products,
        rng.zipf(1.3, size=events) % products,
    )  # fmt: skip
    return pa.table(
        {
            "type": pa.array(np.where(rng.random(events) < 0.2, "purchase", "view")),
            "shopper": pa.array(np.char.add("s", shopper.astype(str))),
            "product": pa.array(np.char.add("p", product.astype(str))),
            "time": pa.array((rng.random(events) * 60 * DAY).astype(np.int64)),
        }
    )


def timed(call: Any) -> tuple[Any, float]:
    started = time.perf_counter()
    return call(), time.perf_counter() - started


def run(products: int, events: int, seed: int) -> str:
    table = invented(products, events, seed)
    behaviour, fit = timed(lambda: Behaviour.fit(table))
    folder = Path(tempfile.mkdtemp())
    _, save = timed(lambda: behaviour.save(folder))
    behaviour, load = timed(lambda: Behaviour.load(folder))
    door = Recommend(ColumnsOnly([Product(f"p{n}", f"Thing {n}") for n in range(products)], seed), behaviour)
    rng, spent = np.random.default_rng(seed), {}
    for scene in ("home", "next", "similar", "together", "trending"):
        times = []
        for _ in range(200):
            past = tuple(dict.fromkeys(f"p{n}" for n in rng.integers(products, size=20)))
            request = Request(scene, item=f"p{rng.integers(products)}", shopper=Shopper("s5", past), k=20)
            times.append(timed(lambda request=request: door(request))[1] * 1000)
        spent[scene] = np.percentile(times, [50, 99])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    said = " ".join(f"{scene} {half:.1f}/{most:.1f}" for scene, (half, most) in spent.items())
    return f"| {products:,} | {events:,} | {fit:.1f} | {save:.1f} | {load:.1f} | {memory:,.0f} | {said} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    print("| products | events | fit s | save s | load s | peak MB | door p50/p99 ms by scene |\n|" + "---|" * 7)
    for products in given.products:
        print(run(products, given.events, given.seed), flush=True)


if __name__ == "__main__":
    main()
