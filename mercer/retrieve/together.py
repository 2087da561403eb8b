"""A history in; products bought in one basket more often than chance explains, surest first, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError
from mercer.records import Candidate, Request
from mercer.retrieve.arrays import load_arrays, save_arrays
from mercer.retrieve.candidates import best, past
from mercer.retrieve.history import History
from mercer.retrieve.neighbours import Neighbours, gather
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["Together", "TogetherSettings"]

PAIRS = 8_000_000
"""Pairs counted at once."""


@dataclass(frozen=True, slots=True)
class TogetherSettings:
    """Which pairs of a basket are believed."""

    least: int = 3
    """Baskets a pair must share."""
    significance: float = 10.83
    """Least log-likelihood ratio G² (Dunning 1993); 10.83 is p = .001 with one degree of freedom."""
    caution: float = 1.645
    """Standard errors taken off the logarithm of the lift: the lower end of a one-sided 95 % interval."""
    support: float = 0.5
    """Exponent of the shared baskets that the cautious lift is multiplied by: 0 shows the rarest sure pairs first."""
    largest: int = 200
    """Different products of a basket above which it is a stockist's or a robot's, and left out."""
    neighbours: int = 100
    """Kept of each product."""

    def __post_init__(self) -> None:
        limits = (
            ("least", 1, 1e6), ("significance", 0, 1e6), ("caution", 0, 10), ("support", 0, 2),
            ("largest", 2, 1e6), ("neighbours", 1, 10_000),
        )  # fmt: skip
        for name, low, high in limits:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"together's {name} is {value}", cure=f"give a number from {low:g} to {high:g}")


class Together:
    """What is bought with a product: complements, since what everybody buys anyway has no lift."""

    def __init__(self, products: Vocabulary, neighbours: Neighbours, settings: TogetherSettings) -> None:
        self.products, self.neighbours, self.settings = products, neighbours, settings
        tops = neighbours.score[neighbours.start[:-1][np.diff(neighbours.start) > 0]]
        self.usual = float(np.median(tops)) if len(tops) else 1.0
        """The median best pair: what counts as half of the most in a blend."""

    @classmethod
    def fit(cls, history: History, settings: TogetherSettings | None = None) -> Together:
        """Count baskets of purchases; a history without purchases gives no pair."""
        from scipy.sparse import csr_matrix

        settings, size = settings or TogetherSettings(), len(history.products)
        _, basket = np.unique(history.basket[history.bought], return_inverse=True)
        pairs = np.unique(basket * max(1, size) + history.product[history.bought])
        basket, product = pairs // max(1, size), pairs % max(1, size)
        sizes = np.bincount(basket)
        keep = (sizes[basket] > 1) & (sizes[basket] <= settings.largest)
        total = int(((sizes > 1) & (sizes <= settings.largest)).sum())
        basket, product = basket[keep], product[keep]
        bought = csr_matrix((np.ones(len(basket), np.float32), (basket, product)), shape=(len(sizes), size))
        count = np.bincount(product, minlength=size).astype(np.float64)

        def score(first: int, entries: Any) -> NDArray[np.float64]:
            shared = entries.data.astype(np.float64)
            return _sure(shared, count[entries.row + first], count[entries.col], total=total, settings=settings)

        found = gather(_blocks(bought, sizes), products=size, most=settings.neighbours, score=score)
        return cls(history.products, found, settings)

    def scores(self, sequences: Sequences) -> NDArray[np.float32]:
        """Every product for every shopper from the latest moment of each, shape (shoppers, products)."""
        from scipy.sparse import csr_matrix

        now = (sequences.product >= 0) & (sequences.step == 0)
        owner = sequences.owner()[now]
        share = 1 / np.maximum(np.bincount(owner, minlength=len(sequences)), 1)
        rows = share[owner], (owner, sequences.product[now])
        asked = csr_matrix(rows, shape=(len(sequences), len(self.products)))
        dense: NDArray[np.float32] = (asked @ self.neighbours.matrix).toarray()
        return dense.astype(np.float32)

    def __call__(self, request: Request, k: int) -> list[Candidate]:
        """What goes with `request.item`, or else with the shopper's latest products."""
        return best(self.sum(past(request, self.products)), self.products, k)

    def sum(self, sequence: Sequences) -> NDArray[np.float64]:
        """The mean over one shopper's latest moment of what goes with each product, shape (products,)."""
        now = sequence.product[(sequence.product >= 0) & (sequence.step == 0)]
        return self.neighbours.sum(now, np.full(len(now), 1 / max(1, len(now))))

    def save(self, folder: Path) -> None:
        """Write ``products.parquet`` and ``together.npz``."""
        found = self.neighbours
        arrays: dict[str, NDArray[Any]] = {"start": found.start, "product": found.product, "score": found.score}
        save_arrays(folder / "together.npz", arrays, {"settings": asdict(self.settings)})
        self.products.save(folder / "products.parquet")

    @classmethod
    def load(cls, folder: Path, products: Vocabulary | None = None) -> Together:
        """Read what `save` wrote; `products` is shared where the caller has read it already."""
        arrays, facts = load_arrays(folder / "together.npz")
        products = products or Vocabulary.load(folder / "products.parquet")
        return cls(products, Neighbours(**arrays), TogetherSettings(**facts["settings"]))


def _blocks(bought: Any, sizes: NDArray[np.int64]) -> Iterator[Any]:
    """Shared baskets of pairs, some products' rows at a time."""
    by_product = bought.T.tocsr()
    work = np.append(0, np.cumsum(by_product @ np.minimum(sizes, 1e6)))
    first, size = 0, bought.shape[1]
    while first < size:
        last = max(first + 1, int(np.searchsorted(work, work[first] + PAIRS, side="right")) - 1)
        yield by_product[first:last] @ bought
        first = last


def _sure(
    shared: NDArray[np.float64],
    own: NDArray[np.float64],
    other: NDArray[np.float64],
    *,
    total: int,
    settings: TogetherSettings,
) -> NDArray[np.float64]:
    """The cautious lift of each pair by its support; 0 where chance explains it.

    log(lift) - caution / sqrt(shared) is the lower end of its interval, as the variance of a Poisson count's
    logarithm is about one by the count.
    """
    expected = own * other / total
    lift = np.log(shared / expected)
    ratio = _likelihood(shared, own, other, total=total)
    believed = (shared >= settings.least) & (lift > 0) & (ratio >= settings.significance)
    cautious = np.maximum(0.0, lift - settings.caution / np.sqrt(shared)) * shared**settings.support
    return np.where(believed, cautious, 0.0)


def _likelihood(
    shared: NDArray[np.float64], own: NDArray[np.float64], other: NDArray[np.float64], *, total: int
) -> NDArray[np.float64]:
    """Dunning's G² of the two-by-two table of baskets with and without each of two products."""
    ratio = np.zeros(len(shared))
    for cell, row, column in (
        (shared, own, other),
        (own - shared, own, total - other),
        (other - shared, total - own, other),
        (total - own - other + shared, total - own, total - other),
    ):
        expected = np.maximum(row * column / total, 1e-12)
        ratio += 2 * np.where(cell > 0, cell * np.log(np.maximum(cell, 1e-12) / expected), 0.0)
    return ratio
