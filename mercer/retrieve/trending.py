"""A history in; products whose last days beat the days before by more than chance, out."""

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
from mercer.retrieve.popular import distinct
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["Trending", "TrendingSettings"]


@dataclass(frozen=True, slots=True)
class TrendingSettings:
    """Which days are compared."""

    window: float = 7.0
    """Days of the last window, and of the one before it."""
    shrink: float = 10.0
    """Shoppers added below the root, so that three after none is no trend. A guess."""

    def __post_init__(self) -> None:
        if not 0 < self.window <= 3650 or not 0 <= self.shrink <= 1e6:
            raise SettingsError(
                f"trending's window is {self.window}, shrink {self.shrink}", cure="give days from 0.1 and shrink from 0"
            )


class Trending:
    """Products by (now - before) / sqrt(now + before + shrink): standard deviations above an even share of shoppers.

    A shop that is busier as a whole lifts nothing: `before` is scaled to the shoppers of the last window.
    """

    def __init__(self, products: Vocabulary, value: NDArray[np.float64], settings: TrendingSettings) -> None:
        self.products, self.value, self.settings = products, value, settings
        self.usual = 2.0
        """Two standard deviations count as half of the most in a blend."""

    @classmethod
    def fit(cls, history: History, settings: TrendingSettings | None = None) -> Trending:
        """Compare the last window of the history with the one before."""
        settings = settings or TrendingSettings()
        span = int(settings.window * DAY)
        now = distinct(history, history.end - span, history.end).astype(np.float64)
        before = distinct(history, history.end - 2 * span, history.end - span).astype(np.float64)
        if before.sum():
            before *= now.sum() / before.sum()
        else:  # nothing to compare with: no product rises
            before = now
        value = np.maximum(0.0, (now - before) / np.sqrt(np.maximum(now + before + settings.shrink, 1e-9)))
        return cls(history.products, value, settings)

    def scores(self, sequences: Sequences) -> NDArray[np.float32]:
        """Every product for every shopper, shape (shoppers, products): the same for all."""
        return np.broadcast_to(self.value.astype(np.float32), (len(sequences), len(self.value)))

    def __call__(self, request: Request, k: int) -> list[Candidate]:
        """What rises most, whoever asks; not the one that is looked at."""
        return best(self.value, self.products, k, without=request.item)

    def save(self, folder: Path) -> None:
        """Write ``products.parquet`` and ``trending.npz``."""
        save_arrays(folder / "trending.npz", {"value": self.value}, {"settings": asdict(self.settings)})
        self.products.save(folder / "products.parquet")

    @classmethod
    def load(cls, folder: Path, products: Vocabulary | None = None) -> Trending:
        """Read what `save` wrote; `products` is shared where the caller has read it already."""
        arrays, facts = load_arrays(folder / "trending.npz")
        products = products or Vocabulary.load(folder / "products.parquet")
        return cls(products, arrays["value"], TrendingSettings(**facts["settings"]))
