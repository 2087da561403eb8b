"""A history in; the published models that a recommender has to beat, as scorers, out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import MissingExtra
from mercer.retrieve.history import History
from mercer.retrieve.linear_solve import whole
from mercer.retrieve.sequence import Sequences
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["Ease", "Ials"]


class Ease:
    """EASEᴿ (Steck, WWW 2019): one ridge solution over who had what, its history faded by order while asking."""

    usual = 1.0

    def __init__(self, products: Vocabulary, weights: NDArray[np.float32], recency: float) -> None:
        self.products, self.weights, self.recency = products, weights, recency

    @classmethod
    def fit(cls, history: History, *, ridge: float = 100.0, recency: float = 1000.0) -> Ease:
        """`recency` in moments; 1000 forgets nothing, as published. Memory is 12 n² bytes."""
        had = _table(history)
        shared = (had.T @ had).tocsr()
        return cls(history.products, whole(shared, shared, (), ridge=ridge), recency)

    def scores(self, sequences: Sequences) -> NDArray[np.float32]:
        """Shape (shoppers, products)."""
        from scipy.sparse import csr_matrix

        known = sequences.product >= 0
        faded = np.exp(-sequences.step[known] / self.recency)
        shape = len(sequences), len(self.products)
        asked = csr_matrix((faded, (sequences.owner()[known], sequences.product[known])), shape=shape)
        found: NDArray[np.float32] = (asked.astype(np.float32) @ self.weights).astype(np.float32)
        return found


class Ials:
    """Implicit alternating least squares (Hu et al., ICDM 2008) of the package `implicit`, folded in for each asker."""

    usual = 1.0

    def __init__(self, products: Vocabulary, model: Any) -> None:
        self.products, self.model = products, model

    @classmethod
    def fit(
        cls, history: History, *, factors: int = 128, regularization: float = 0.1, alpha: float = 20.0,
        iterations: int = 15, seed: int = 7, threads: int = 1,
    ) -> Ials:  # fmt: skip
        """Needs the extra ``benchmark``.

        Raises:
            MissingExtra: `implicit` is not installed.
        """
        try:
            from implicit.cpu.als import AlternatingLeastSquares
            from threadpoolctl import threadpool_limits
        except ImportError as error:
            raise MissingExtra("implicit", extra="benchmark") from error
        with threadpool_limits(1, "blas"):  # its own threads and BLAS's would wait for each other, and it warns
            model = AlternatingLeastSquares(
                factors=factors, regularization=regularization, alpha=alpha, iterations=iterations, random_state=seed,
                num_threads=threads,
            )  # fmt: skip
            model.fit(_table(history), show_progress=False)
        return cls(history.products, model)

    def scores(self, sequences: Sequences) -> NDArray[np.float32]:
        """Shape (shoppers, products): what `implicit` ranks by, raised above 0 (any score is a recommendation)."""
        from scipy.sparse import csr_matrix

        known = sequences.product >= 0
        rows = sequences.owner()[known], sequences.product[known]
        asked = csr_matrix((np.ones(len(rows[0]), np.float32), rows), shape=(len(sequences), len(self.products)))
        shoppers = self.model.recalculate_user(np.arange(len(sequences)), asked)
        found: NDArray[np.float32] = (shoppers @ self.model.item_factors.T).astype(np.float32)
        lowest: NDArray[np.float32] = found.min(axis=1, keepdims=True)
        raised: NDArray[np.float32] = found - lowest + np.float32(1e-6)
        return raised


def _table(history: History) -> Any:
    """Who wanted what, shape (shoppers, products)."""
    from scipy.sparse import csr_matrix

    wanted = history.wanted()
    ones = np.ones(len(wanted), dtype=np.float32)
    return csr_matrix((ones, (wanted.shopper, wanted.product)), shape=(len(history.shoppers), len(history.products)))
