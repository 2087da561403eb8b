"""A history in; products that shoppers turned to before or after those of a request, nearest first, out."""

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
from mercer.retrieve.history import DAY, History
from mercer.retrieve.neighbours import Neighbours, gather
from mercer.retrieve.sequence import Sequences, steps_before
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["ItemKnn", "ItemKnnSettings"]

PAIRS = 8_000_000
"""Pairs counted at once: about 200 MB while a block is summed."""


@dataclass(frozen=True, slots=True)
class ItemKnnSettings:
    """How products of one history become neighbours.

    Defaults lie between what the validation parts of Beauty (single purchases, no times) and Online Retail (baskets,
    seasons) prefer; ``mercer measure recommend`` says what a shop's own does.
    """

    window: int = 50
    """Products of a history before and after one that count as near it."""
    fade: float = 6.0
    """Moments (clicks or baskets) after which nearness has fallen to 1/e."""
    backward: float = 0.25
    """Weight of what came before, beside what came after (1): what is bought next matters more. 1 is symmetric."""
    half_life: float = 30.0
    """Days after which a pair counts half, by its later moment: seasons pass. 0 never forgets."""
    own: float = 0.5
    """Exponent of the asking product's count in the denominator: .5 with `other` .5 is the cosine."""
    other: float = 0.35
    """Exponent of the neighbour's count: lower lets popular neighbours through."""
    neighbours: int = 200
    """Kept of each product."""
    recency: float = 1.5
    """Moments after which a product of the asking history has fallen to 1/e."""

    def __post_init__(self) -> None:
        limits = (
            ("window", 1, 1000), ("fade", 0.1, 1e9), ("backward", 0, 1), ("half_life", 0, 36_500),
            ("own", 0, 1), ("other", 0, 1), ("neighbours", 1, 10_000), ("recency", 0.1, 1e9),
        )  # fmt: skip
        for name, low, high in limits:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"item-knn's {name} is {value}", cure=f"give a number from {low:g} to {high:g}")


class ItemKnn:
    """Item-to-item neighbours by co-occurrence in order, faded by distance; safe to call from several threads.

    The idea is Sarwar et al.'s (WWW 2001) with the order and decay of SLIST (Choi et al., WWW 2021).
    """

    def __init__(self, products: Vocabulary, neighbours: Neighbours, settings: ItemKnnSettings, usual: float) -> None:
        self.products, self.neighbours, self.settings = products, neighbours, settings
        self.usual = usual
        """A usual score of a shopper's tenth best product: what counts as half of the most in a blend."""

    @classmethod
    def fit(cls, history: History, settings: ItemKnnSettings | None = None) -> ItemKnn:
        """Count pairs within `window`; time and memory grow with rows × window, not with products squared."""
        settings, wanted = settings or ItemKnnSettings(), history.wanted()
        size = len(history.products)
        age = (history.end - wanted.time) / DAY
        fresh = (0.5 ** (age / settings.half_life) if settings.half_life else np.ones(len(age))).astype(np.float32)
        count = np.bincount(wanted.product, weights=wanted.strength * fresh, minlength=size)
        floor = np.maximum(count, 1e-9)

        def score(first: int, entries: Any) -> NDArray[np.float64]:
            own, other = floor[entries.row + first] ** settings.own, floor[entries.col] ** settings.other
            value: NDArray[np.float64] = entries.data / (own * other)
            return value

        found = gather(_blocks(wanted, fresh, settings), products=size, most=settings.neighbours, score=score)
        fitted = cls(history.products, found, settings, 1.0)
        fitted.usual = _usual(fitted, wanted)
        return fitted

    def weights(self, sequences: Sequences) -> NDArray[np.float64]:
        """How much each row counts, shape (rows,): those of a shopper sum to 1, so one click weighs as much as many."""
        return sequences.faded(self.settings.recency)

    def scores(self, sequences: Sequences) -> NDArray[np.float32]:
        """Every product for every shopper, shape (shoppers, products)."""
        return self.neighbours.scores(sequences, self.weights(sequences))

    def __call__(self, request: Request, k: int) -> list[Candidate]:
        """Neighbours of `request.item`, or else of the shopper's products; nothing for what it never saw."""
        sequence = past(request, self.products)
        scores = self.neighbours.sum(sequence.product, self.weights(sequence))
        return best(scores, self.products, k)

    def save(self, folder: Path) -> None:
        """Write ``products.parquet`` and ``item_knn.npz``."""
        found = self.neighbours
        arrays: dict[str, NDArray[Any]] = {"start": found.start, "product": found.product, "score": found.score}
        save_arrays(folder / "item_knn.npz", arrays, {"settings": asdict(self.settings), "usual": self.usual})
        self.products.save(folder / "products.parquet")

    @classmethod
    def load(cls, folder: Path, products: Vocabulary | None = None) -> ItemKnn:
        """Read what `save` wrote; `products` is shared where the caller has read it already."""
        arrays, facts = load_arrays(folder / "item_knn.npz")
        products = products or Vocabulary.load(folder / "products.parquet")
        return cls(products, Neighbours(**arrays), ItemKnnSettings(**facts["settings"]), facts["usual"])


def _blocks(wanted: History, fresh: NDArray[np.float32], settings: ItemKnnSettings) -> Iterator[Any]:
    """Faded counts of pairs, some products' rows at a time."""
    from scipy.sparse import csr_matrix

    size = len(wanted.products)
    step = steps_before(wanted)
    by_product = np.argsort(wanted.product, kind="stable")
    ends = np.searchsorted(wanted.product[by_product], np.arange(size + 1))
    first, budget = 0, max(1, PAIRS // (2 * settings.window))
    while first < size:
        last = max(first + 1, int(np.searchsorted(ends, ends[first] + budget, side="right")) - 1)
        rows = by_product[ends[first] : ends[last]]
        parts = [
            _pairs(wanted, (step, fresh), rows, lag, settings)
            for lag in range(-settings.window, settings.window + 1)
            if lag
        ]
        own, other, value = (np.concatenate(column) for column in zip(*parts, strict=True))
        yield csr_matrix((value, (own - first, other)), shape=(last - first, size))
        first = last


def _pairs(
    wanted: History,
    when: tuple[NDArray[np.int64], NDArray[np.float32]],
    rows: NDArray[np.int64],
    lag: int,
    settings: ItemKnnSettings,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Pairs of `rows` with the row `lag` further on in the same history; within one moment there is no order."""
    step, fresh = when
    there = rows + lag
    inside = (there >= 0) & (there < len(wanted))
    here, there = rows[inside], there[inside]
    same = wanted.shopper[here] == wanted.shopper[there]
    here, there = here[same], there[same]
    apart = np.abs(step[there] - step[here])
    faded = np.exp(-np.maximum(apart - 1, 0) / settings.fade)
    if lag < 0:
        faded = np.where(apart > 0, settings.backward * faded, faded)
    value = wanted.strength[here] * wanted.strength[there] * faded
    value = (value * np.maximum(fresh[here], fresh[there])).astype(np.float32)
    return wanted.product[here], wanted.product[there], value


def _usual(fitted: ItemKnn, wanted: History, *, sample: int = 256) -> float:
    """The median over some shoppers of their tenth best score; 1 where nobody has ten."""
    shoppers = np.unique(wanted.shopper)
    chosen = shoppers[:: max(1, len(shoppers) // sample)][:sample]
    sequences, tenth = Sequences.of(wanted, chosen), []
    for place in range(len(sequences)):
        one = sequences.rows(place, place + 1)
        scores = fitted.neighbours.sum(one.product, fitted.weights(one))
        if np.count_nonzero(scores) >= 10:
            tenth.append(float(np.partition(scores, -10)[-10]))
    return float(np.median(tenth)) if tenth else 1.0
