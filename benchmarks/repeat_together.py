"""Real baskets in; how true the chances of another purchase are, and how well bought-together completes a basket, out.

    OMP_NUM_THREADS=1 nice python benchmarks/repeat_together.py EVENTS.parquet [--days 28] [--write]

EVENTS are checked events with purchases, such as those of a shop made from Online Retail. All is learnt from what lies
before the last --days days. Repeats: for every (shopper, product) bought before, the chance told for the week after the
cut beside what came, against the shop's mean chance for all, and against one of the same model without time since the
purchase; log loss a pair with intervals by shopper, and calibration by tenths. Together: of each later basket of two
products or more, one product drawn by a fixed seed is hidden, the rest is the basket, and the hidden one is looked for
among the first ten; against item-knn, popularity, and plain counts of shared baskets, with paired intervals by basket.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mercer.measure.compare import interval
from mercer.retrieve.history import DAY, History
from mercer.retrieve.item_knn import ItemKnn
from mercer.retrieve.popular import Popular, PopularSettings
from mercer.retrieve.repeat import Repeat
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.together import Together, TogetherSettings

sys.path.insert(0, str(Path(__file__).parent))
from results import put

BASKETS = 2000
"""Later baskets that are completed."""
PLAIN = TogetherSettings(least=1, significance=0, caution=0, support=1.0)
"""Lift without caution."""


def repeats(before: History, after: History) -> list[str]:
    """Lines of the table about timing."""
    model = Repeat.fit(before)
    bought = before.where(before.bought)
    key = bought.shopper.astype(np.int64) * len(before.products) + bought.product
    pairs, last = np.unique(key[::-1], return_index=True)  # the last purchase comes first when read backwards
    time = bought.time[::-1][last]
    shopper, product = pairs // len(before.products), pairs % len(before.products)
    days = (before.end - time) / DAY
    told = np.clip(model.due(product, days), 1e-6, 1 - 1e-6)
    soon = after.where(after.bought & (after.time <= before.end + 7 * DAY))
    came = np.isin(pairs, soon.shopper.astype(np.int64) * len(before.products) + soon.product).astype(float)
    whole = np.full(len(told), np.clip(came.mean(), 1e-6, 1))  # the truth's own mean: as good as a constant can be
    ever = np.clip(model.again[product] * came.mean() / max(model.again[product].mean(), 1e-9), 1e-6, 1 - 1e-6)
    found = {"this model": told, "the same without time": ever, "the mean of what came": whole}
    losses = {name: _loss(chance, came) for name, chance in found.items()}
    lines = ["| chance of another purchase in 7 days | log loss a pair | to this model (95 %, by shopper) | AUC |",
             "|---|---|---|---|"]  # fmt: skip
    for name, loss in losses.items():
        how = interval(_by(shopper, loss - losses["this model"]), seed=7)
        said = f"{how.value:+.5f} ({how.low:+.5f} to {how.high:+.5f})" if name != "this model" else ""
        lines.append(f"| {name} | {loss.mean():.5f} | {said} | {_auc(found[name], came):.3f} |")
    edges = np.quantile(told, np.linspace(0, 1, 11))
    tenth = np.clip(np.searchsorted(edges, told, side="right") - 1, 0, 9)
    said = ", ".join(f"{told[tenth == n].mean():.3f} → {came[tenth == n].mean():.3f}" for n in range(10))
    lines += ["", f"{len(told):,} pairs, {came.mean():.4f} came. By tenths, told → came: {said}.", ""]
    high = told >= 0.15
    if high.any():
        lines += [
            f"Of those told .15 or more ({high.sum():,}), {came[high].mean():.3f} came; told {told[high].mean():.3f}.",
            "",
        ]
    return lines


def _loss(chance: NDArray[np.float64], came: NDArray[np.float64]) -> NDArray[np.float64]:
    return -np.where(came > 0, np.log(chance), np.log1p(-chance))


def _by(shopper: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each shopper, scaled so that their mean is that of all pairs."""
    codes = np.unique(shopper, return_inverse=True)[1]
    sums = np.bincount(codes, weights=values)
    return np.asarray(sums * (len(sums) / len(values)), np.float64)


def _auc(scores: NDArray[np.float64], came: NDArray[np.float64]) -> float:
    from scipy.stats import rankdata

    ranks, good = rankdata(scores), came > 0
    return float((ranks[good].mean() - (good.sum() + 1) / 2) / (~good).sum())


def together(before: History, after: History, seed: int = 7) -> list[str]:
    """Lines of the table about baskets."""
    rng = np.random.default_rng(seed)
    later = after.where(after.bought)
    order = np.argsort(later.basket, kind="stable")
    groups = np.split(later.product[order], np.flatnonzero(np.diff(later.basket[order])) + 1)
    baskets = [np.unique(group) for group in groups if 2 <= len(np.unique(group)) <= 50]
    chosen = [baskets[at] for at in rng.permutation(len(baskets))[:BASKETS]]
    hidden = [int(rng.integers(len(basket))) for basket in chosen]
    fitted, plain = Together.fit(before), Together.fit(before, PLAIN)
    knn, popular = ItemKnn.fit(before), Popular.fit(before, PopularSettings(window=7.0))
    ways: dict[str, Callable[[Sequences], NDArray[np.float64]]] = {
        "bought together": fitted.sum,
        "plain lift": plain.sum,
        "item-knn": lambda asked: knn.neighbours.sum(asked.product, knn.weights(asked)),
        "popular in the last week": lambda _: popular.value.copy(),
    }
    hits: dict[str, list[float]] = {name: [] for name in ways}
    for basket, at in zip(chosen, hidden, strict=True):
        rest = np.delete(basket, at).astype(np.int64)
        asked = Sequences.one(rest, [1] * len(rest))
        for name, way in ways.items():
            scores = way(asked)
            scores[rest] = -np.inf
            best = np.argpartition(-scores, 10)[:10]
            hits[name].append(float(basket[at] in best[scores[best] > 0]))
    lines = ["| completes a basket | HR@10 | bought together minus it (95 %) |", "|---|---|---|"]
    ours = np.array(hits["bought together"])
    for name, found in hits.items():
        how = interval(ours - np.array(found), seed=7)
        said = f"{how.value:+.4f} ({how.low:+.4f} to {how.high:+.4f})" if name != "bought together" else ""
        lines.append(f"| {name} | {np.mean(found):.4f} | {said} |")
    return [*lines, "", f"{len(chosen):,} baskets, one product of each hidden."]


def main() -> None:
    """Split by time, measure, print."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("events", type=Path)
    given.add_argument("--days", type=float, default=28)
    given.add_argument("--write", action="store_true", help="write the section into RESULTS.md")
    told = given.parse_args()
    table = pq.read_table(told.events)
    cut = pc.max(table["time"]).as_py() - int(told.days * DAY)
    both = History.of(table)  # one vocabulary, so that codes are the same
    before, after = both.where(both.time <= cut), both.where(both.time > cut)
    lines = [*repeats(before, after), *together(before, after)]
    print("\n".join(lines))
    if told.write:
        put("repeat_together", "Recommendation: buying again, and bought together", lines)


if __name__ == "__main__":
    main()
