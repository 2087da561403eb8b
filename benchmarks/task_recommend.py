"""Events, and the same hurt, in; NDCG@10 of each shopper after a moment, and exposure of some products, out."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mercer.measure.metric import parse
from mercer.retrieve.blend import Blend
from mercer.retrieve.contest import rank
from mercer.retrieve.history import History
from mercer.retrieve.holdout import Trial, after
from mercer.retrieve.item_knn import ItemKnn
from mercer.retrieve.popular import Popular
from mercer.retrieve.sequence import Sequences

__all__ = ["Later"]

SHOPPERS = 1200
"""Asked for at most, drawn once."""
POPULAR = 0.4
"""Weight of popularity beside item-knn where exposure is measured: attacks aim at both."""
DEPTH = 20


class Later:
    """A split by time of untouched events: what came before may be hurt, what came after is the truth."""

    def __init__(self, events: pa.Table, *, share: float = 0.2, goods: str = "") -> None:
        """`goods` is what a product's id looks like, where a log has lines that are none: nobody recommends postage."""
        trial = after(History.of(events), share=share).sample(SHOPPERS, seed=5)
        self.moment = trial.moment
        bought = {shopper: [id for id in ids if re.search(goods, id)] for shopper, ids in trial.chosen.items()}
        self.chosen = {shopper: ids for shopper, ids in bought.items() if ids}
        self.shoppers = tuple(shopper for shopper in trial.shoppers if shopper in self.chosen)
        self.before = events.filter(pc.fill_null(pc.less(events["time"], trial.moment), False))
        self.metric = parse("nDCG@10")
        self.truth = {shopper: dict.fromkeys(chosen, 1.0) for shopper, chosen in self.chosen.items()}

    def trial(self, events: pa.Table) -> Trial:
        """Who is asked for stays; what is learnt from, and what they had, comes from `events`."""
        history = History.of(events)
        wanted = history.wanted()
        code = {name: place for place, name in enumerate(history.shoppers.names.to_pylist())}
        asked = np.array([code.get(shopper, len(code)) for shopper in self.shoppers], np.int64)
        return Trial(history, self.shoppers, Sequences.of(wanted, asked), self.chosen, self.moment)

    def measure(self, events: pa.Table) -> NDArray[np.float64]:
        """NDCG@10 of every shopper over the whole catalogue, what they had left out; shape (shoppers,)."""
        trial = self.trial(events)
        runs = rank(ItemKnn.fit(trial.train), trial, depth=10).runs
        scores = self.metric(runs, self.truth)
        return np.array([scores[shopper] for shopper in self.shoppers])

    def exposure(self, events: pa.Table, targets: Collection[str]) -> float:
        """Share of all shown places (the best 20 of everyone asked) that these products hold."""
        trial, wanted = self.trial(events), set(targets)
        knn, popular = ItemKnn.fit(trial.train), Popular.fit(trial.train)
        runs = rank(Blend({"behaviour": (knn, 1.0), "popular": (popular, POPULAR)}), trial, depth=DEPTH).runs
        shown = [product for products in runs.values() for product in products]
        return sum(product in wanted for product in shown) / max(1, len(shown))

    def standing(self, events: pa.Table, targets: Collection[str]) -> float:
        """Mean place of these products by popularity, 0 the least and 1 the most popular of all that were wanted."""
        popular = Popular.fit(History.of(events))
        places = np.argsort(np.argsort(popular.value, kind="stable"), kind="stable") / max(1, len(popular.value) - 1)
        by_id = dict(zip(popular.products.names.to_pylist(), places.tolist(), strict=True))
        return float(np.mean([by_id.get(target, 0.0) for target in targets]))
