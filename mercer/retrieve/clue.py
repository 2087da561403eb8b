"""Fitted members, pasts and candidates in; what speaks for each candidate, a number a clue, out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.retrieve.history import History
from mercer.retrieve.item_knn import ItemKnn
from mercer.retrieve.linear import Linear
from mercer.retrieve.linear_features import Features
from mercer.retrieve.sequence import Sequences, steps_before

__all__ = ["CLUES", "Clues"]

FADES = (1.0, 2.0, 5.0)
"""Moments after which a product of the asking history has fallen to 1/e: tastes of the day, and longer ones."""
CLUES = (
    *(f"linear_{fade:g}" for fade in FADES), "linear_last", "linear_place", "linear_share", "linear_lead",
    "linear_best", "knn", "knn_last", "shared", "shared_last", "tags", "tags_last", "words", "words_last",
    "popular", "popular_last", "length", "late", "late_past",
)  # fmt: skip
"""Names, in the order of the columns. `last`: by the latest product alone; `late`: how late in histories it comes,
which tells new products from old ones where there are no times."""


class Clues:
    """Works for products nobody has wanted: they have tags and words."""

    def __init__(self, history: History, linear: Linear, knn: ItemKnn, features: Features) -> None:
        wanted = history.wanted()
        size = len(wanted.products)
        self.linear = linear
        count = np.bincount(wanted.product, minlength=size)
        self._popular = np.log1p(count)
        step = steps_before(wanted)
        whole = np.zeros(len(history.shoppers) + 1)
        np.maximum.at(whole, wanted.shopper, step)
        place = step / np.maximum(1, whole[wanted.shopper])
        self._late = (np.bincount(wanted.product, weights=place, minlength=size) + 1) / (count + 2)  # .5 is unknown
        self._weights = linear.neighbours.matrix
        self._knn = knn.neighbours.matrix
        self._shared = _cosines(wanted)
        self._likeness = [_units(features.tags), _units(features.words)]

    def __call__(self, asked: Sequences, codes: NDArray[np.int64]) -> NDArray[np.float32]:
        """Clues of each shopper's candidates, which come best first by `linear`.

        Args:
            asked: n shoppers' pasts.
            codes: (n, candidates), -1 where there is none.

        Returns:
            Shape (n, candidates, len(CLUES)).
        """
        faded = {fade: self._past(asked, fade) for fade in FADES}
        last = self._past(asked, 0.05)
        at = np.maximum(codes, 0)

        def take(matrix: Any) -> NDArray[np.float32]:
            found: NDArray[np.float32] = np.take_along_axis(matrix.toarray(), at, axis=1)
            return found

        lines = [take(past @ self._weights) for past in faded.values()]
        main = lines[1]
        best = np.maximum(main.max(axis=1, keepdims=True), 1e-9) if main.shape[1] else main
        tenth = main[:, min(9, main.shape[1] - 1)][:, None] if main.shape[1] else main
        columns: list[Any] = [
            *lines, take(last @ self._weights), np.broadcast_to(np.arange(at.shape[1]), at.shape), main / best,
            main - tenth, np.broadcast_to(best, at.shape),
            take(faded[2.0] @ self._knn), take(last @ self._knn), take(faded[2.0] @ self._shared),
            take(last @ self._shared),
        ]  # fmt: skip
        for features in self._likeness:
            columns += [take((past @ features) @ features.T) for past in (faded[2.0], last)]
        length = np.diff(asked.start)[:, None]
        columns += [self._popular[at], *(np.broadcast_to(one, at.shape) for one in (last @ self._popular[:, None],
                    length)), self._late[at], np.broadcast_to(faded[2.0] @ self._late[:, None], at.shape)]  # fmt: skip
        return np.stack(columns, axis=2).astype(np.float32)

    def _past(self, asked: Sequences, fade: float) -> Any:
        """Shares of a past's products, shape (n, products); rows sum to 1, or to 0 where nothing is known."""
        from scipy.sparse import csr_matrix

        known = asked.product >= 0
        owner, product = asked.owner()[known], asked.product[known]
        value = np.exp(-asked.step[known] / fade)
        value /= np.maximum(np.bincount(owner, weights=value, minlength=len(asked)), 1e-300)[owner]
        return csr_matrix((value.astype(np.float32), (owner, product)), shape=(len(asked), len(self._popular)))


def _cosines(wanted: History) -> Any:
    """Shoppers that two products share, by the root of both counts; a scipy matrix, shape (products, products)."""
    from scipy.sparse import csr_matrix

    count = np.bincount(wanted.product, minlength=len(wanted.products))
    value = (1 / np.sqrt(np.maximum(count, 1)))[wanted.product] if len(wanted) else np.zeros(0)
    table = csr_matrix(
        (value.astype(np.float32), (wanted.shopper, wanted.product)),
        shape=(len(wanted.shoppers), len(wanted.products)),
    )
    return (table.T @ table).tocsr()


def _units(features: Any) -> Any:
    """Rows of length 1."""
    from scipy.sparse import diags

    length = np.sqrt(np.asarray(features.multiply(features).sum(axis=1)).ravel())
    return (diags(1 / np.maximum(length, 1e-9)) @ features).tocsr().astype(np.float32)
