"""How do time and memory of the linear model grow, and what does a restricted support lose?

Invented shoppers (a long tail, tastes by neighbourhood), 10 a product and 20 events each, as in a shop of 100,000
products, 1,000,000 shoppers and 20,000,000 events. Seconds are the processor's own, so that a busy machine measures the
same. Every size runs in a process of its own. Accuracy on real files: ``mercer measure recommend``.

    python benchmarks/recommend_linear.py [--products 3000 10000 20000] [--exact 3000] [--seed 7]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

from mercer.retrieve.history import History
from mercer.retrieve.linear import Linear, LinearSettings
from mercer.retrieve.linear_features import Description, Features
from mercer.retrieve.linear_pairs import count_pairs, latest
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.vocabulary import Vocabulary

SHOPPERS, EVENTS = 10, 20
"""A product's shoppers, and a shopper's events."""
GOAL = {"products": 100_000, "gigabytes": 16, "minutes": 60}


def invented(products: int, seed: int) -> History:
    """Half of what a shopper wants lies near their centre, the rest is what everybody wants."""
    rng = np.random.default_rng(seed)
    count = products * SHOPPERS
    shopper = np.repeat(np.arange(count, dtype=np.int32), EVENTS)
    centre = np.repeat(rng.integers(products, size=count), EVENTS)
    rows = len(shopper)
    near = (centre + rng.geometric(0.03, size=rows)) % products
    wide = (rng.zipf(1.2, size=rows) * 7919) % products
    product = np.where(rng.random(rows) < 0.6, near, wide).astype(np.int32)
    names = Vocabulary.of(f"p{n:07d}" for n in range(products))
    return History(
        shoppers=Vocabulary.of(f"s{n:08d}" for n in range(count)), products=names, shopper=shopper, product=product,
        time=np.tile(np.arange(EVENTS, dtype=np.int64), count), strength=np.ones(rows, np.float32),
        bought=np.ones(rows, bool), basket=np.arange(rows, dtype=np.int64),
    ).wanted()  # fmt: skip


def run(products: int, support: int, seed: int) -> dict[str, float]:
    settings = LinearSettings(support=support, half_life=0)
    history = latest(invented(products, seed), settings.longest)
    rng = np.random.default_rng(seed)
    known = {
        f"p{n:07d}": Description(frozenset({f"brand={n // 50}", f"kind={n // 500}"}),
                                 frozenset(f"w{word}" for word in rng.zipf(1.4, size=5) % 20_000))
        for n in range(products)
    }  # fmt: skip
    features = Features.of(history.products, known)
    started = time.process_time()
    counts = count_pairs(history, history.strength, mix=settings.mix, past=settings.past, future=settings.future)
    counted = time.process_time()
    fitted = Linear.solve(history.products, counts, features, settings=settings, wanted=history)
    solved = time.process_time()
    asked = Sequences.of(history, np.arange(256))
    for place in range(256):
        one = asked.rows(place, place + 1)
        fitted.neighbours.sum(one.product, fitted.weights(one))
    return {
        "products": products, "events": len(history), "support": support, "pairs": int(counts[0].nnz),
        "count_seconds": counted - started, "solve_seconds": solved - counted,
        "milliseconds_a_shopper": (time.process_time() - solved) * 1000 / 256,
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    }  # fmt: skip


def grown(rows: list[dict[str, float]], name: str) -> float:
    """At the goal's size, by a power law through the two largest sizes."""
    first, last = rows[-2:]
    power = np.log(last[name] / first[name]) / np.log(last["products"] / first["products"])
    return float(last[name] * (GOAL["products"] / last["products"]) ** power)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, nargs="*", default=[3_000, 10_000, 20_000])
    parser.add_argument("--exact", type=int, nargs="*", default=[3_000])
    parser.add_argument("--one", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(run(*given.one, given.seed)))
        return
    rows = []
    print("| products | events | support | pairs | count s | solve s | GB | ms a shopper |\n|" + "---|" * 8)
    cases = [(size, LinearSettings().support) for size in given.products] + [(size, 0) for size in given.exact]
    for products, support in cases:
        own = [sys.executable, __file__, "--one", str(products), str(support), "--seed", str(given.seed)]
        row = json.loads(subprocess.run(own, check=True, capture_output=True, text=True).stdout)
        rows += [row] if support else []
        print(
            f"| {row['products']:,} | {row['events']:,} | {row['support'] or 'all'} | {row['pairs']:,} "
            f"| {row['count_seconds']:.1f} | {row['solve_seconds']:.1f} | {row['gigabytes']:.2f} "
            f"| {row['milliseconds_a_shopper']:.2f} |",
            flush=True,
        )
    if len(rows) > 1:
        seconds = grown(rows, "count_seconds") + grown(rows, "solve_seconds")
        print(
            f"\nBy a power law through the two largest: {GOAL['products']:,} products take {seconds / 60:.0f} minutes "
            f"(goal {GOAL['minutes']}) and {grown(rows, 'gigabytes'):.1f} GB (goal {GOAL['gigabytes']})."
        )


if __name__ == "__main__":
    main()
