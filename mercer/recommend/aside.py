"""A request in; rows of the index that its page must not show, and how tired its shopper is of the others, out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mercer.errors import RequestError
from mercer.records import CATEGORY_SEPARATOR, Filter, Request
from mercer.retrieve.index import Index

__all__ = ["muted", "substitutes", "tired"]


def muted(index: Index, request: Request, size: int) -> NDArray[np.bool_]:
    """What the shopper does not want to see, shape (size,); a preference of a field that is gone counts for nothing."""
    found = np.zeros(size, dtype=bool)
    for one in request.shopper.muted:
        try:
            found |= index.columns.mask((one,))[:size]
        except RequestError:
            continue
    return found


def substitutes(index: Index, basket: tuple[str, ...], size: int) -> NDArray[np.bool_]:
    """Products of the same narrowest category as one in the basket, shape (size,)."""
    found = np.zeros(size, dtype=bool)
    for path in {product.category for product in index.products(basket) if product.category}:
        found |= index.columns.mask((Filter("category", (CATEGORY_SEPARATOR.join(path),)),))[:size]
    return found


def tired(shown: Mapping[str, int], row: Mapping[str, int], size: int, *, patience: int) -> NDArray[np.float64]:
    """Share of the score that goes for being shown too often, shape (size,): 0 up to `patience`, 1 at twice that."""
    found = np.zeros(size)
    for id, count in shown.items():
        place = row.get(id, size)
        if place < size and count > patience:
            found[place] = min(1.0, (count - patience) / patience)
    return found
