"""A history in; what one known shopper wanted and bought, by id, out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.retrieve.arrays import load_arrays, save_arrays
from mercer.retrieve.history import ANONYMOUS, History
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["Past", "Pasts"]


@dataclass(frozen=True, slots=True)
class Past:
    """One shopper's products, oldest first; all columns have shape (products,)."""

    product: NDArray[np.int32]
    time: NDArray[np.int64]
    bought: NDArray[np.bool_]


class Pasts:
    """The pasts of all shoppers with a name; a session without one is nobody's."""

    def __init__(
        self, shoppers: Vocabulary, start: NDArray[np.int64], product: NDArray[np.int32], time: NDArray[np.int64],
        bought: NDArray[np.bool_],
    ) -> None:  # fmt: skip
        self.shoppers, self._start, self._product, self._time, self._bought = shoppers, start, product, time, bought

    @classmethod
    def fit(cls, history: History, *, kept: int) -> Pasts:
        """Keep the last `kept` products of each shopper."""
        import pyarrow.compute as pc

        wanted, nameless = history.wanted(), pc.starts_with(history.shoppers.names, ANONYMOUS)
        named = ~nameless.to_numpy(zero_copy_only=False)
        shoppers = Vocabulary(history.shoppers.names.filter(pc.invert(nameless)))
        wanted = wanted.where(named[wanted.shopper])
        number = np.cumsum(named) - 1
        owner = number[wanted.shopper]
        ends = np.searchsorted(owner, np.arange(len(shoppers)), side="right")
        keep = ends[owner] - np.arange(len(wanted)) <= kept
        counts = np.bincount(owner[keep], minlength=len(shoppers))
        start = np.append(0, np.cumsum(counts)).astype(np.int64)
        return cls(shoppers, start, wanted.product[keep], wanted.time[keep], wanted.bought[keep])

    def __call__(self, shopper: str) -> Past:
        """What a shopper is known for; nothing for an unknown or empty id."""
        code = self.shoppers.code(shopper) if shopper else -1
        part = slice(self._start[code], self._start[code + 1]) if code >= 0 else slice(0, 0)
        return Past(self._product[part], self._time[part], self._bought[part])

    def __len__(self) -> int:
        return len(self.shoppers)

    def save(self, folder: Path) -> None:
        """Write ``shoppers.parquet`` and ``pasts.npz``."""
        arrays: dict[str, NDArray[Any]] = {
            "start": self._start,
            "product": self._product,
            "time": self._time,
            "bought": self._bought,
        }
        save_arrays(folder / "pasts.npz", arrays, {})
        self.shoppers.save(folder / "shoppers.parquet")

    @classmethod
    def load(cls, folder: Path) -> Pasts:
        """Read what `save` wrote."""
        arrays, _ = load_arrays(folder / "pasts.npz")
        return cls(Vocabulary.load(folder / "shoppers.parquet"), **arrays)
