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
        self._held = shoppers, start, product, time, bought
        """Swapped as one by `forget`, so that a reader in another thread sees the old columns or the new ones."""

    @property
    def shoppers(self) -> Vocabulary:
        return self._held[0]

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
        shoppers, start, product, time, bought = self._held
        code = shoppers.code(shopper) if shopper else -1
        part = slice(start[code], start[code + 1]) if code >= 0 else slice(0, 0)
        return Past(product[part], time[part], bought[part])

    def __len__(self) -> int:
        return len(self.shoppers)

    def forget(self, shopper: str) -> int:
        """Take one shopper out; how many products were known of them."""
        import pyarrow as pa

        shoppers, start, product, time, bought = self._held
        code = shoppers.code(shopper) if shopper else -1
        if code < 0:
            return 0
        first, last = int(start[code]), int(start[code + 1])
        keep = np.r_[0:first, last : len(product)]
        fewer = np.delete(start, code + 1)
        fewer[code + 1 :] -= last - first
        names = shoppers.names.filter(pa.array(np.arange(len(shoppers)) != code))
        self._held = Vocabulary(names), fewer, product[keep], time[keep], bought[keep]
        return last - first

    def save(self, folder: Path) -> None:
        """Write ``shoppers.parquet`` and ``pasts.npz``."""
        shoppers, start, product, time, bought = self._held
        arrays: dict[str, NDArray[Any]] = {"start": start, "product": product, "time": time, "bought": bought}
        save_arrays(folder / "pasts.npz", arrays, {})
        shoppers.save(folder / "shoppers.parquet")

    @classmethod
    def load(cls, folder: Path) -> Pasts:
        """Read what `save` wrote."""
        arrays, _ = load_arrays(folder / "pasts.npz")
        return cls(Vocabulary.load(folder / "shoppers.parquet"), **arrays)
