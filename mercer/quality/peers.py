"""Products judged for queries in; what the query's other products promise for each one's grade out, its own unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Peers"]

NOISE = 0.3
"""Variance of a grade beside that of products alike: how far one neighbour's grade is believed."""
ALL_ALIKE = 0.5
"""Likeness of any two products of a query: how far the query's usual grade is believed."""
MOST = 400
"""Judgments of one query that are weighed against each other; of more, parts."""
DECIMALS = 6
"""What is left of a promise: the last bits of a sum would give the grade itself away."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Products of the same query, and how alike they are.

    A Gaussian process for each likeness, each judgment left out in turn (Rasmussen and Williams 2006, 5.12). What two
    products were graded in other queries is a likeness too.
    """

    asked: NDArray[np.int64]
    """Place of the query of each judgment."""
    shown: NDArray[np.int64]
    """Place of its product."""
    likeness: Mapping[str, Any]
    """Name → (products, words) sparse rows of length 1, with "keys" and "attributes" among them."""
    vectors: NDArray[np.float32] | None = None
    """(products, dimension) unit rows of an encoder, where there is one."""

    def __call__(self, classes: NDArray[np.int64], weight: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """(judgments, likenesses x classes): share of each class promised; `weight` (0 to 1) is the trust in each."""
        given = np.eye(int(classes.max()) + 1)[classes]
        usual = given.mean(0)
        noise = NOISE / (np.ones(len(classes)) if weight is None else weight)
        elsewhere = _Elsewhere(self.asked, self.shown, classes, given.shape[1])
        names = [*self.likeness, "elsewhere", "both", "all three", *(["vectors"] if self.vectors is not None else [])]
        found = np.zeros((len(classes), len(names), given.shape[1]))
        for rows in self._parts():
            for place, (name, like) in enumerate(self._alike(rows, elsewhere(rows))):
                assert name == names[place]
                found[rows, place] = usual + _left_out(like, given[rows] - usual, noise[rows])
        return np.round(found.reshape(len(classes), -1), DECIMALS)

    def _parts(self) -> Iterator[NDArray[np.int64]]:
        order = np.argsort(self.asked, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(self.asked[order])) + 1):
            yield from np.array_split(rows, -(-len(rows) // MOST))

    def _alike(
        self, rows: NDArray[np.int64], elsewhere: NDArray[np.float64]
    ) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """(name, square of likenesses) of the products of some judgments."""
        products = self.shown[rows]
        squares = {name: (one[products] @ one[products].T).toarray() for name, one in self.likeness.items()}
        for name, like in squares.items():
            yield name, like + ALL_ALIKE
        keys, attributes = squares["keys"], squares["attributes"]
        yield "elsewhere", elsewhere
        yield "both", (keys + elsewhere) / 2 + ALL_ALIKE
        yield "all three", ((keys + attributes + elsewhere + 1) / 4) ** 3 + ALL_ALIKE
        if self.vectors is not None:
            near = np.exp(4 * (self.vectors[products] @ self.vectors[products].T - 1)).astype(np.float64)
            yield "vectors", (keys + near) / 2 + ALL_ALIKE


def _left_out(like: NDArray[np.float64], given: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each row as the others have it: y - (A y) / diag A, where A is the inverse of likeness and noise."""
    inverse = np.linalg.inv(like + np.diag(noise))
    return np.asarray(given - (inverse @ given) / np.diag(inverse)[:, None])


class _Elsewhere:
    """How far two products got the same grades in the same other queries; rarer grades count more."""

    def __init__(
        self, asked: NDArray[np.int64], shown: NDArray[np.int64], classes: NDArray[np.int64], count: int
    ) -> None:
        from scipy import sparse

        self.shown, self.classes = shown, classes
        column = asked * count + classes
        products = int(shown.max()) + 1
        self.own = np.log(1 + products / (1 + np.bincount(column)))[column]
        self.table = sparse.csr_matrix((self.own, (shown, column)), shape=(products, int(column.max()) + 1))
        self.squares = np.asarray(self.table.multiply(self.table).sum(1)).ravel()

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Square of likenesses (0 to 1) of the products of some judgments of one query, that query aside."""
        held, own, classes = self.table[self.shown[rows]], self.own[rows], self.classes[rows]
        both = (held @ held.T).toarray() - (classes[:, None] == classes) * own[:, None] * own
        length = np.sqrt(np.maximum(0, self.squares[self.shown[rows]] - own**2))
        length[length < 1e-3] = 1.0
        both[np.abs(both) < 1e-6] = 0.0
        return np.asarray(both / length[:, None] / length)
