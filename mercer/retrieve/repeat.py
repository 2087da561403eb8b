"""A history in; the chance that a shopper buys a product again within days, by how long ago they bought it, out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError
from mercer.retrieve.arrays import load_arrays, save_arrays
from mercer.retrieve.history import DAY, History
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["Repeat", "RepeatSettings"]

Real = NDArray[np.float64]
LEAST = 30
"""Repeats, and as many pairs that nothing came of, below which chances are left as they are."""
SPREAD = 0.9
"""Standard deviation of the logarithm of a gap where there are too few to tell: a factor of 2.5 either way. A guess."""


@dataclass(frozen=True, slots=True)
class RepeatSettings:
    """How the timing of repeat purchases is learnt."""

    horizon: float = 7.0
    """Days ahead of which the chance is told."""
    prior_gaps: float = 5.0
    """Gaps of the shop's usual length that every product is thought to have had."""
    prior_purchases: float = 10.0
    """Purchases with the shop's usual chance of another that every product is thought to have had."""
    shortest: float = 0.5
    """Days below which a second purchase belongs to the first."""

    def __post_init__(self) -> None:
        limits = (("horizon", 0.1, 366), ("prior_gaps", 0.1, 1e6), ("prior_purchases", 0.1, 1e6), ("shortest", 0, 366))
        for name, low, high in limits:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"repeat's {name} is {value}", cure=f"give a number from {low:g} to {high:g}")


class Repeat:
    """Of each product: how likely a purchase is followed by another, and after how long (log-normal).

    A purchase that nothing followed yet counts against the first by the chance that its follower would have been seen
    by now, so that what was bought yesterday is no proof that nobody comes back (a cure model, one step of its EM).
    """

    def __init__(
        self, products: Vocabulary, settings: RepeatSettings, *, again: Real, middle: Real, spread: Real, gaps: Real
    ) -> None:
        self.products, self.settings = products, settings
        self.again = again
        """Chance that a purchase is ever followed by another, shape (products,)."""
        self.middle, self.spread = middle, spread
        """Mean and standard deviation of the logarithm of the days between, shape (products,)."""
        self.gaps = gaps
        """How many gaps were seen, shape (products,)."""
        self.right = np.array([0.0, 1.0])
        """Intercept and slope, in log odds, that set a chance right."""

    @classmethod
    def fit(cls, history: History, settings: RepeatSettings | None = None) -> Repeat:
        """Learn from purchases; without any repeat nothing is ever due.

        Long gaps are seen less often than they happen, as the history ends before they do. So what is learnt from all
        but the last `horizon` is held against what came in it, and chances are set right by a logistic curve.
        """
        settings = settings or RepeatSettings()
        fitted = cls._counted(history, settings)
        cut = history.end - settings.horizon * DAY
        earlier = cls._counted(history.where(history.time <= cut), settings)
        fitted.right = earlier._set_right(history, cut)
        return fitted

    @classmethod
    def _counted(cls, history: History, settings: RepeatSettings) -> Repeat:
        size = len(history.products)
        bought = history.where(history.bought)
        key = bought.shopper.astype(np.int64) * max(1, size) + bought.product
        order = np.lexsort((bought.time, key))
        key, time, product = key[order], bought.time[order] / DAY, bought.product[order].astype(np.int64)
        same = np.append(key[1:] == key[:-1], False) if len(key) else np.zeros(0, bool)
        gap = np.append(np.diff(time), 0.0) if len(key) else np.zeros(0)
        follow = same & (gap >= settings.shortest)
        last = ~same
        if not follow.any():
            return cls.none(history.products, settings)
        log, of = np.log(gap[follow]), product[follow]
        usual, wide = float(log.mean()), max(float(log.std()), 0.1)
        gaps = np.bincount(of, minlength=size).astype(np.float64)
        prior = settings.prior_gaps
        middle = (np.bincount(of, weights=log, minlength=size) + prior * usual) / (gaps + prior)
        square = np.bincount(of, weights=(log - middle[of]) ** 2, minlength=size)
        spread = np.sqrt((square + prior * wide**2) / (gaps + prior))
        waited = history.end / DAY - time[last]
        seen = _by(waited, middle[product[last]], spread[product[last]])
        against = np.bincount(product[last], weights=seen, minlength=size)
        share = gaps.sum() / max(gaps.sum() + against.sum(), 1e-9)
        again = (gaps + settings.prior_purchases * share) / (gaps + against + settings.prior_purchases)
        return cls(history.products, settings, again=again, middle=middle, spread=spread, gaps=gaps)

    @classmethod
    def none(cls, products: Vocabulary, settings: RepeatSettings | None = None) -> Repeat:
        """Nothing is ever due: nobody has bought anything again, or the index was built without this."""
        none, wide = np.zeros(len(products)), np.full(len(products), SPREAD)
        return cls(products, settings or RepeatSettings(), again=none, middle=none, spread=wide, gaps=none)

    def due(self, product: NDArray[np.integer], days: Real) -> Real:
        """Chance that each product is bought again within `horizon` days, not having been since, shape (n,).

        Args:
            product: (n,) codes; below 0 is 0.
            days: (n,) since the last purchase.
        """
        if not len(self.again):
            return np.zeros(len(product))
        code = np.maximum(product, 0)
        again, middle, spread = self.again[code], self.middle[code], self.spread[code]
        now, then = (_by(days + ahead, middle, spread) for ahead in (0.0, self.settings.horizon))
        chance: Real = again * (then - now) / np.maximum(1 - again * now, 1e-9)
        odds = self.right[0] + self.right[1] * _odds(chance)
        return np.where((product >= 0) & (chance > 1e-12), 1 / (1 + np.exp(-odds)), 0.0)

    def _set_right(self, history: History, cut: float) -> Real:
        """Intercept and slope by which chances told at the cut would have fitted what came; (0, 1) of too little."""
        bought = history.where(history.bought)
        key = bought.shopper.astype(np.int64) * max(1, len(self.products)) + bought.product
        known = bought.time <= cut
        if not known.any():
            return self.right
        pairs, place = np.unique(key[known], return_inverse=True)
        last = np.full(len(pairs), -np.inf)
        np.maximum.at(last, place, bought.time[known])
        chance = self.due(pairs % len(self.products), (cut - last) / DAY)
        came = np.isin(pairs, key[~known])[chance > 1e-12]
        if min(came.sum(), (~came).sum()) < LEAST:
            return self.right
        return _logistic(_odds(chance[chance > 1e-12]), came.astype(np.float64))

    def usual_days(self, code: int) -> float:
        """Days after which half of the repeats of a product have come."""
        return float(np.exp(self.middle[code]))

    def save(self, folder: Path) -> None:
        """Write ``products.parquet`` and ``repeat.npz``."""
        arrays = {name: getattr(self, name) for name in ("again", "middle", "spread", "gaps", "right")}
        save_arrays(folder / "repeat.npz", arrays, {"settings": asdict(self.settings)})
        self.products.save(folder / "products.parquet")

    @classmethod
    def load(cls, folder: Path, products: Vocabulary | None = None) -> Repeat:
        """Read what `save` wrote; `products` is shared where the caller has read it already."""
        arrays, facts = load_arrays(folder / "repeat.npz")
        products = products or Vocabulary.load(folder / "products.parquet")
        right = arrays.pop("right")
        found = cls(products, RepeatSettings(**facts["settings"]), **arrays)
        found.right = right
        return found


def _odds(chance: Real) -> Real:
    odds: Real = np.log(np.clip(chance, 1e-9, 1 - 1e-9))
    return odds - np.log1p(-np.clip(chance, 1e-9, 1 - 1e-9))


def _logistic(x: Real, came: Real) -> Real:
    """Intercept and slope (at least 0, so that the order stays) of a logistic regression, by Newton's steps."""
    found = np.array([0.0, 1.0])
    design = np.stack([np.ones(len(x)), x])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-(found @ design)))
        curved = (design * (chance * (1 - chance))) @ design.T + 1e-6 * np.eye(2)
        found = found + np.clip(np.linalg.solve(curved, design @ (came - chance)), -1, 1)
    return np.array([found[0], max(found[1], 0.0)])


def _by(days: Real, middle: Real, spread: Real) -> Real:
    """Share of the repeats that have come by then."""
    from scipy.special import ndtr

    with np.errstate(divide="ignore"):
        share: Real = ndtr((np.log(np.maximum(days, 0.0)) - middle) / spread)
    return share
