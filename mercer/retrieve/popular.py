"""A history in; what many different shoppers wanted lately, most first, out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError
from mercer.records import Candidate, Request
from mercer.retrieve.arrays import load_arrays, save_arrays
from mercer.retrieve.candidates import best
from mercer.retrieve.history import DAY, History
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["WEEK", "Popular", "PopularSettings", "distinct"]

WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class PopularSettings:
    """How fast popularity is forgotten."""

    half_life: float = 7.0
    """Days after which a shopper counts half; 0 never forgets. 3 and 7 did best on Online Retail's validation."""
    window: float = 0.0
    """Days before the last event that count at all; 0 is all of them."""

    def __post_init__(self) -> None:
        for name in ("half_life", "window"):
            if not 0 <= getattr(self, name) <= 36_500:
                raise SettingsError(f"popular's {name} is {getattr(self, name)}", cure="give days from 0 to 36500")


class Popular:
    """Products by how many shoppers wanted them, each counted once, at the last time, decayed."""

    def __init__(
        self, products: Vocabulary, value: NDArray[np.float64], week: NDArray[np.int64], settings: PopularSettings
    ) -> None:
        self.products, self.value, self.settings = products, value, settings
        self.week = week
        """Different shoppers of each product in the last seven days of the history, shape (products,)."""
        ordered = np.sort(value[value > 0])
        self.usual = float(ordered[-min(10, len(ordered))]) if len(ordered) else 1.0
        """The tenth highest value: what counts as half of the most in a blend."""
        lately = np.sort(week[week > 0])
        self.weekly = int(lately[-min(len(lately), max(10, len(lately) // 20))]) if len(lately) else 1
        """Shoppers a week from which a product is popular: the best twentieth of those that had any, at least ten."""

    @classmethod
    def fit(cls, history: History, settings: PopularSettings | None = None) -> Popular:
        """Count the shoppers of each product."""
        settings, wanted = settings or PopularSettings(), history.wanted()
        age = (history.end - wanted.time) / DAY
        weight = wanted.strength.astype(np.float64)
        if settings.half_life:
            weight = weight * 0.5 ** (age / settings.half_life)
        if settings.window:
            weight = np.where(age < settings.window, weight, 0.0)
        value = np.bincount(wanted.product, weights=weight, minlength=len(history.products)).astype(np.float64)
        return cls(history.products, value, distinct(history, history.end - WEEK, history.end), settings)

    def scores(self, sequences: Sequences) -> NDArray[np.float32]:
        """Every product for every shopper, shape (shoppers, products): the same for all."""
        return np.broadcast_to(self.value.astype(np.float32), (len(sequences), len(self.value)))

    def __call__(self, request: Request, k: int) -> list[Candidate]:
        """The most popular products, whoever asks; not the one that is looked at."""
        return best(self.value, self.products, k, without=request.item)

    def save(self, folder: Path) -> None:
        """Write ``products.parquet`` and ``popular.npz``."""
        save_arrays(
            folder / "popular.npz", {"value": self.value, "week": self.week}, {"settings": asdict(self.settings)}
        )
        self.products.save(folder / "products.parquet")

    @classmethod
    def load(cls, folder: Path, products: Vocabulary | None = None) -> Popular:
        """Read what `save` wrote; `products` is shared where the caller has read it already."""
        arrays, facts = load_arrays(folder / "popular.npz")
        products = products or Vocabulary.load(folder / "products.parquet")
        return cls(products, arrays["value"], arrays["week"], PopularSettings(**facts["settings"]))


def distinct(history: History, after: int, until: int) -> NDArray[np.int64]:
    """Different shoppers who wanted each product after one moment and until another, shape (products,)."""
    rows = (history.time > after) & (history.time <= until) & (history.strength > 0)
    pairs = np.unique(history.shopper[rows].astype(np.int64) * len(history.products) + history.product[rows])
    return np.bincount(pairs % max(1, len(history.products)), minlength=len(history.products)).astype(np.int64)
