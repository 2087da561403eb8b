"""A shopper's last products and what they asked for in; how near each product is by kind, brand and price, out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mercer.records import CATEGORY_SEPARATOR, Filter, Product
from mercer.retrieve.index import Index

__all__ = ["Taste"]

BRAND = 0.5
"""What the same brand is worth beside the same narrowest category (1). A guess."""
ASKED = 1.0
"""What a wish that somebody stated is worth, beside all that was done (1)."""


class Taste:
    """Each of the past gives its weight to its category, more the nearer the price, and half to its brand."""

    usual = 0.25
    """A quarter of the past in the same category counts as half of the most in a blend."""

    def __init__(self, index: Index) -> None:
        self.index = index

    def __call__(
        self, past: Sequence[str], weights: NDArray[np.float64], wanted: Sequence[Filter], *, size: int
    ) -> NDArray[np.float64]:
        """Nearness of every row, shape (size,).

        Args:
            past: ids, of which those that are gone count for nothing.
            weights: (past,); they are scaled to sum to 1.
            wanted: what somebody said the shopper wants.
            size: rows of the index.
        """
        values = np.zeros(size)
        weight = dict(zip(past, (weights / max(float(weights.sum()), 1e-12)).tolist(), strict=True))
        everything = np.arange(size)
        price = self.index.columns.numbers("price", everything) if size else values
        for product in self.index.products(list(weight)):
            worth = weight[product.id]
            if (kind := _kind(product)) is not None:
                rows = np.flatnonzero(self.index.columns.mask((kind,))[:size])
                values[rows] += worth * _nearness(price[rows], product.price)
            if product.brand:
                values[self.index.columns.mask((Filter("brand", (product.brand,)),))[:size]] += BRAND * worth
        for wish in wanted:
            values[self.index.columns.mask((wish,))[:size]] += ASKED / len(wanted)
        return values

    def anchors(self, past: Sequence[str], weights: NDArray[np.float64], ids: Sequence[str]) -> list[str]:
        """The one of the past that shares a hit's category, or else its brand, with the most weight; "" where none."""
        known = {product.id: product for product in self.index.products([*past, *ids])}
        found = []
        for id in ids:
            best, most = "", 0.0
            for other, weight in zip(past, weights.tolist(), strict=True):
                if other in known and id in known and (worth := weight * _shared(known[other], known[id])) > most:
                    best, most = other, worth
            found.append(best)
        return found


def _kind(product: Product) -> Filter | None:
    return Filter("category", (CATEGORY_SEPARATOR.join(product.category),)) if product.category else None


def _nearness(prices: NDArray[np.float64], price: float | None) -> NDArray[np.float64]:
    """1 at the same price, .5 far from it or where one is unknown."""
    if not price or price <= 0:
        return np.full(len(prices), 0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(np.log(np.where(prices > 0, prices, np.nan) / price))
    return np.where(np.isnan(apart), 0.5, 0.5 + 0.5 * np.exp(-apart))


def _shared(one: Product, other: Product) -> float:
    """What two products share: their narrowest category is worth most."""
    same = float(bool(one.category) and one.category == other.category)
    return same + BRAND * float(bool(one.brand) and one.brand == other.brand)
