"""Two samples in; how much their distribution changed, in a unit with known limits, and by what chance, out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mercer.errors import MissingExtra

__all__ = ["LIMITS", "Change", "Histogram", "binned", "centres", "kinds", "numbers", "told_apart"]

Real = NDArray[np.float64]
Unit = Literal["psi", "auc", "deviations"]

LIMITS: dict[Unit, tuple[float, float, float]] = {
    "psi": (0.0, 0.1, 0.25),
    "auc": (0.5, 0.65, 0.8),
    "deviations": (0.0, 0.1, 0.25),
}
"""Of no change, of one worth a look, and of a large one. PSI: Siddiqi, Credit Risk Scorecards (2006). AUC of telling
then from now: what d = .54 and 1.2 give for normal scores. Deviations of means over all dimensions together: a guess;
120 graphics cards put among 299 products of the sample shop are .13."""
BINS = 10
KINDS = 20
"""Values that are told apart; the rarer ones are one."""
HALF = 0.5
"""Added to each count, so that an empty bin is no infinity."""
PERMUTED = 499
TEXTS = 1500
"""Texts of each side that a classifier learns from: seconds, and errors of an AUC of about .01."""


@dataclass(frozen=True, slots=True)
class Change:
    """One comparison; `p` is not corrected for how many there were."""

    size: float
    unit: Unit
    p: float
    before: int
    """Rows on either side."""
    now: int

    @property
    def level(self) -> float:
        """The size on PSI's scale: .1 where it is worth a look, .25 where it is large.

        >>> Change(0.65, "auc", 0.0, 9, 9).level, Change(0.25, "deviations", 0.0, 9, 9).level
        (0.1, 0.25)
        """
        none, some, much = LIMITS[self.unit]
        if self.size <= some:
            return max(0.1 * (self.size - none) / (some - none), 0.0)
        return 0.1 + 0.15 * (self.size - some) / (much - some)


@dataclass(frozen=True, slots=True)
class Histogram:
    """What is kept of numbers: edges of bins that had equal shares of them, and how many lay in each."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    """One more than `edges`, and one for numbers that were not known."""

    @classmethod
    def of(cls, values: ArrayLike) -> Histogram:
        """Deciles of the known values."""
        column = np.asarray(values, np.float64)
        known = column[~np.isnan(column)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.empty(0)
        return cls(tuple(edges.tolist()), tuple(_counts(column, edges).tolist()))

    def row(self) -> dict[str, Any]:
        """For JSON."""
        return {"edges": list(self.edges), "counts": list(self.counts)}


def _counts(column: Real, edges: Real) -> NDArray[np.int64]:
    known = column[~np.isnan(column)]
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return np.append(counts, len(column) - len(known))


def numbers(before: ArrayLike, now: ArrayLike) -> Change:
    """Numbers (n,) and (m,): PSI over the first's deciles, p by Kolmogorov and Smirnov; NaN is left out."""
    from scipy.stats import ks_2samp

    ours, theirs = (
        column[~np.isnan(column)] for column in (np.asarray(now, np.float64), np.asarray(before, np.float64))
    )
    if not len(ours) or not len(theirs):
        return Change(0.0, "psi", 1.0, len(theirs), len(ours))
    held = Histogram.of(theirs)
    counts = _counts(ours, np.array(held.edges))
    p = float(ks_2samp(theirs, ours, method="asymp").pvalue)
    return Change(_psi(np.array(held.counts), counts), "psi", p, len(theirs), len(ours))


def binned(before: Histogram, now: ArrayLike) -> Change:
    """Numbers (m,) against a histogram that was kept; p by chi-squared over its bins."""
    counts, known = _counts(np.asarray(now, np.float64), np.array(before.edges)), np.array(before.counts)
    return Change(_psi(known, counts), "psi", _chi_squared(known, counts), int(known.sum()), int(counts.sum()))


def kinds(before: Sequence[str], now: Sequence[str]) -> Change:
    """Words from a list of few: PSI over the most frequent and "other", p by chi-squared."""
    theirs, ours = Counter(before), Counter(now)
    often = [name for name, _ in (theirs + ours).most_common(KINDS)]
    rows = [np.array([*(held[name] for name in often), _rest(held, often)]) for held in (theirs, ours)]
    return Change(_psi(*rows), "psi", _chi_squared(*rows), len(before), len(now))


def _rest(counted: Counter[str], often: Sequence[str]) -> int:
    return sum(counted.values()) - sum(counted[name] for name in often)


def centres(before: ArrayLike, now: ArrayLike, *, seed: int = 0) -> Change:
    """Vectors (n, d) and (m, d): distance of the means in standard deviations, p by permutation.

    What a distance has by chance alone is taken off: σ²(1/n + 1/m).
    """
    theirs, ours = np.asarray(before, np.float64), np.asarray(now, np.float64)
    both = np.concatenate([theirs, ours])
    spread = float(((both - both.mean(axis=0)) ** 2).sum(axis=1).mean())
    if min(len(theirs), len(ours)) < 2 or spread == 0:
        return Change(0.0, "deviations", 1.0, len(theirs), len(ours))
    chance = spread * (1 / len(theirs) + 1 / len(ours))
    seen = _apart(both, np.arange(len(both)) < len(theirs))
    rng, side = np.random.default_rng(seed), np.arange(len(both)) < len(theirs)
    far = sum(_apart(both, rng.permutation(side)) >= seen for _ in range(PERMUTED))
    size = math.sqrt(max(seen - chance, 0.0) / spread)
    return Change(size, "deviations", (1 + far) / (1 + PERMUTED), len(theirs), len(ours))


def _apart(both: Real, side: NDArray[np.bool_]) -> float:
    total, first = both.sum(axis=0), both[side].sum(axis=0)
    count = int(side.sum())
    return float(((first / count - (total - first) / (len(both) - count)) ** 2).sum())


def told_apart(before: Sequence[str], now: Sequence[str], *, seed: int = 0) -> Change:
    """Texts: how well a classifier of letters tells then from now, each different text once; p by Mann and Whitney.

    Lopez-Paz and Oquab, "Revisiting classifier two-sample tests" (ICLR 2017), with held-out scores of five folds.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.feature_extraction.text import HashingVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    except ImportError as error:
        raise MissingExtra("scikit-learn", extra="quality") from error
    from scipy.stats import mannwhitneyu

    rng = np.random.default_rng(seed)
    sides = [sorted(set(texts)) for texts in (before, now)]
    most = min(TEXTS, *map(len, sides))
    if most < 10:
        return Change(0.5, "auc", 1.0, len(sides[0]), len(sides[1]))
    drawn = [[side[place] for place in rng.permutation(len(side))[:most]] for side in sides]
    texts, label = [*drawn[0], *drawn[1]], np.repeat([0, 1], most)
    table = HashingVectorizer(analyzer="char_wb", ngram_range=(1, 3), n_features=2**14).transform(texts)
    # a text of both sides is held out on both, or what was learnt of the one would be wrong of the other
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(table, label, groups=texts)
    scores = cross_val_predict(
        LogisticRegression(C=1.0, max_iter=200), table, label, cv=list(folds), method="decision_function"
    )
    found = mannwhitneyu(scores[label == 1], scores[label == 0], alternative="greater")
    return Change(float(found.statistic) / most**2, "auc", float(found.pvalue), most, most)


def _psi(before: NDArray[np.int64], now: NDArray[np.int64]) -> float:
    """Population stability index of two rows of counts, each with half a count more."""
    there = (before > 0) | (now > 0)
    first, second = before[there] + HALF, now[there] + HALF
    first, second = first / first.sum(), second / second.sum()
    return float(((second - first) * np.log(second / first)).sum())


def _chi_squared(before: NDArray[np.int64], now: NDArray[np.int64]) -> float:
    from scipy.stats import chi2_contingency

    table = np.array([before, now])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return 1.0
    return float(chi2_contingency(table).pvalue)
