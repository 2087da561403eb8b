"""A history, and what products are, in; the closed-form linear sequence model's next products out."""

from __future__ import annotations

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
from mercer.retrieve.linear_features import Features
from mercer.retrieve.linear_pairs import count_pairs, latest
from mercer.retrieve.linear_solve import Kernel, near, whole
from mercer.retrieve.neighbours import Neighbours
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["Linear", "LinearSettings"]


@dataclass(frozen=True, slots=True)
class LinearSettings:
    """How the next product is regressed on the past.

    Defaults were chosen on the validation parts of Beauty (which has no times) and, for `half_life`, of Online Retail,
    starting from the published values (EASE, SLIST).
    """

    mix: float = 0.1
    """Share of co-occurrence that ignores the order, 0 to 1."""
    past: float = 2.0
    """Moments (clicks or baskets) after which a past product has fallen to 1/e while learning."""
    future: float = 1.0
    """The same of a product still to come."""
    ridge: float = 100.0
    """λ: what is added to each product's own count; higher trusts rare pairs less."""
    tags: float = 20.0
    """Weight of shared brand, category and attributes; 0 learns from behaviour alone."""
    words: float = 5.0
    """Weight of shared words of the name."""
    half_life: float = 30.0
    """Days after which an action counts half while learning: seasons pass. 0 never forgets."""
    longest: int = 50
    """Latest products of each shopper that are learnt from."""
    recency: float = 2.0
    """Moments after which a product of the asking history has fallen to 1/e."""
    support: int = 100
    """Likeliest other products that each product is predicted from; 0 is all of them, exact, in 12 n² bytes."""
    neighbours: int = 200
    """Weights kept of each product, the largest."""

    def __post_init__(self) -> None:
        limits = (
            ("mix", 0, 1), ("past", 0.1, 1e6), ("future", 0.1, 1e6), ("ridge", 1e-3, 1e9), ("tags", 0, 1e6),
            ("words", 0, 1e6), ("half_life", 0, 36_500), ("longest", 2, 1000), ("recency", 0.1, 1e9),
            ("support", 0, 5000), ("neighbours", 1, 10_000),
        )  # fmt: skip
        for name, low, high in limits:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"linear's {name} is {value}", cure=f"give a number from {low:g} to {high:g}")

    def faded(self, wanted: History, end: int) -> NDArray[np.floating]:
        """How much each row counts, shape (rows,): a pair of two rows by the root of both ages, so it stays a ridge."""
        if not self.half_life:
            return wanted.strength
        faded: NDArray[np.floating] = wanted.strength * 0.5 ** ((end - wanted.time) / DAY / (2 * self.half_life))
        return faded


class Linear:
    """SLIST (Choi et al., WWW 2021) with what products have in common; safe to call from several threads.

    A product that nobody has wanted yet is predicted from those that share its tags and words.
    """

    def __init__(self, products: Vocabulary, neighbours: Neighbours, settings: LinearSettings, usual: float) -> None:
        self.products, self.neighbours, self.settings = products, neighbours, settings
        self.usual = usual
        """A usual score of a shopper's tenth best product: what counts as half of the most in a blend."""

    @classmethod
    def fit(cls, history: History, features: Features | None = None, settings: LinearSettings | None = None) -> Linear:
        """Count pairs and solve; the features' rows are the history's products."""
        settings, wanted = settings or LinearSettings(), history.wanted()
        features = features or Features.none(history.products)
        wanted = latest(wanted, settings.longest)
        weight = settings.faded(wanted, history.end)
        counts = count_pairs(wanted, weight, mix=settings.mix, past=settings.past, future=settings.future)
        return cls.solve(history.products, counts, features, settings=settings, wanted=wanted)

    @classmethod
    def solve(
        cls, products: Vocabulary, counts: tuple[Any, Any], features: Features, *,
        settings: LinearSettings, wanted: History,
    ) -> Linear:  # fmt: skip
        """From counted pairs (`count_pairs`); `wanted` says what a usual score is."""
        kernels = [
            Kernel(matrix, weight)
            for matrix, weight in ((features.tags, settings.tags), (features.words, settings.words))
            if weight and matrix.shape[1]
        ]
        if len(products) < 2:
            return cls(products, Neighbours.none(len(products)), settings, 1.0)
        if settings.support and settings.support < len(products) - 1:
            weights = near(*counts, kernels, ridge=settings.ridge, support=settings.support)
        else:
            weights = whole(*counts, kernels, ridge=settings.ridge)
        fitted = cls(products, Neighbours.largest(weights, settings.neighbours), settings, 1.0)
        fitted.usual = _usual(fitted, wanted)
        return fitted

    def weights(self, sequences: Sequences) -> NDArray[np.float64]:
        """How much each row counts, shape (rows,): those of a shopper sum to 1, so one click weighs as much as many."""
        return sequences.faded(self.settings.recency)

    def scores(self, sequences: Sequences) -> NDArray[np.float32]:
        """Every product for every shopper, shape (shoppers, products); below 0 speaks against it."""
        return self.neighbours.scores(sequences, self.weights(sequences))

    def __call__(self, request: Request, k: int) -> list[Candidate]:
        """What follows `request.item`, or else the shopper's products; nothing for what it never saw."""
        sequence = past(request, self.products)
        scores = self.neighbours.sum(sequence.product, self.weights(sequence))
        return best(scores, self.products, k, without=request.item)

    def save(self, folder: Path) -> None:
        """Write ``products.parquet`` and ``linear.npz``."""
        found = self.neighbours
        arrays: dict[str, NDArray[Any]] = {"start": found.start, "product": found.product, "score": found.score}
        save_arrays(folder / "linear.npz", arrays, {"settings": asdict(self.settings), "usual": self.usual})
        self.products.save(folder / "products.parquet")

    @classmethod
    def load(cls, folder: Path, products: Vocabulary | None = None) -> Linear:
        """Read what `save` wrote; `products` is shared where the caller has read it already."""
        arrays, facts = load_arrays(folder / "linear.npz")
        products = products or Vocabulary.load(folder / "products.parquet")
        return cls(products, Neighbours(**arrays), LinearSettings(**facts["settings"]), facts["usual"])


def _usual(fitted: Linear, wanted: History, *, sample: int = 256) -> float:
    """The median over some shoppers of their tenth best score; 1 where nobody has ten above 0."""
    shoppers = np.unique(wanted.shopper)
    chosen = shoppers[:: max(1, len(shoppers) // sample)][:sample]
    sequences, tenth = Sequences.of(wanted, chosen), []
    for place in range(len(sequences)):
        one = sequences.rows(place, place + 1)
        scores = fitted.neighbours.sum(one.product, fitted.weights(one))
        if np.count_nonzero(scores > 0) >= 10:
            tenth.append(float(np.partition(scores, -10)[-10]))
    return float(np.median(tenth)) if tenth else 1.0
