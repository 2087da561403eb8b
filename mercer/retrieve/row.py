"""Rows of an index and codes of a behaviour's products in; values by row out, kept in step with the index."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mercer.retrieve.columns import Columns
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["Rows"]


class Rows:
    """Which product code each row of an index has; rows are only ever added, so new ones are looked up alone."""

    def __init__(self, columns: Columns, products: Vocabulary) -> None:
        self._columns, self._products = columns, products
        self._codes = np.empty(0, dtype=np.int64)
        self._lock = threading.Lock()

    def codes(self, size: int) -> NDArray[np.int64]:
        """Codes of the first `size` rows, -1 where no event named the product; shape (size,)."""
        if len(self._codes) < size:
            with self._lock:
                new = self._columns.ids[len(self._codes) : size]
                self._codes = np.concatenate([self._codes, self._products.codes(new)])
        return self._codes[:size]

    def codes_of(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Codes of products by id, -1 where no event named one: by row where there is one, which is quickest."""
        known, row = self._codes, self._columns.row
        places = [row.get(id, len(known)) for id in ids]
        return np.array(
            [known[at] if at < len(known) else self._products.code(id) for at, id in zip(places, ids, strict=True)],
            dtype=np.int64,
        )

    def spread(self, values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        """Values by product (products,) as values by row (size,); 0 where no event named the product."""
        padded: NDArray[np.float64] = np.append(values, 0.0)[self.codes(size)]
        return padded
