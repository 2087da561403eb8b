"""Queries and a shelf of products in; how well an encoder ranks them, against grades or the full model, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mercer.encode.encoder import Encoder
from mercer.errors import DataError

__all__ = ["Judge", "Metric", "Quality"]

Metric = Callable[[Mapping[str, Sequence[str]]], Mapping[str, float]]
"""Query id → product ids, best first, in; a figure of each judged query out."""

DEPTH = 100
"""Products of a ranking that a metric sees."""
TOP = 10
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well an encoder ranks."""

    overlap: float
    """Mean share of the full model's ten best that are among the encoder's."""
    kept: float
    """What the ten best stand out by in the full model's own cosines, as a share of what its ten best do."""
    judged: float | None
    """Mean of the metric over queries with grades; None without any."""
    values: Mapping[str, float] = field(default_factory=dict, repr=False, compare=False)
    """The metric of each such query."""

    @property
    def figure(self) -> float:
        """What limits are held against: the metric, else `kept`."""
        return self.kept if self.judged is None else self.judged


class Judge:
    """Ranks a shelf for each query by cosine, and compares."""

    def __init__(
        self,
        full: Encoder,
        queries: Mapping[str, str],
        shelf: Mapping[str, str],
        *,
        metric: Metric | None = None,
        vectors: Vectors | None = None,
    ) -> None:
        """`queries` and `shelf` are texts by id; `vectors` (products, dimension) are the full model's where known.

        Raises:
            DataError: there is no query or no product to tell by.
        """
        if not queries or not shelf:
            raise DataError(
                f"{len(queries)} queries and {len(shelf)} products to tell quality by", cure="give the shop some"
            )
        self.queries, self.shelf, self.metric = dict(queries), dict(shelf), metric
        self.products = full(list(shelf.values())) if vectors is None else vectors
        """Vectors of the shelf by the full model (products, dimension)."""
        self.asked = full(list(queries.values()), side="query")
        self._cosine = self.asked @ self.products.T

    def __call__(self, encoder: Encoder, *, products: Vectors | None = None) -> Quality:
        """Quality of `encoder`; `products` are its vectors of the shelf where they are known."""
        found = encoder(list(self.shelf.values())) if products is None else products
        return self.compare(encoder(list(self.queries.values()), side="query"), found)

    def compare(self, queries: Vectors, products: Vectors) -> Quality:
        """Quality of these vectors of the queries and of the shelf."""
        cosine = queries @ products.T
        mine, best = _top(cosine), _top(self._cosine)
        overlap = np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(mine, best, strict=True)])
        values = self._judged(cosine)
        judged = float(np.mean(list(values.values()))) if values else None
        return Quality(float(overlap), self._kept(mine, best), judged, values)

    def _kept(self, mine: NDArray[np.int64], best: NDArray[np.int64]) -> float:
        full = self._cosine
        mean = full.mean(axis=1, keepdims=True)
        got = (np.take_along_axis(full, mine, axis=1) - mean).sum(axis=1)
        most = (np.take_along_axis(full, best, axis=1) - mean).sum(axis=1)
        return float(np.mean(np.divide(got, most, out=np.ones_like(got), where=most > 0)))

    def _judged(self, cosine: Vectors) -> Mapping[str, float]:
        if self.metric is None:
            return {}
        ids, order = list(self.shelf), _top(cosine, DEPTH)
        return self.metric({query: [ids[at] for at in row] for query, row in zip(self.queries, order, strict=True)})


def _top(cosine: Vectors, k: int = TOP) -> NDArray[np.int64]:
    """Column numbers of the highest values of each row, best first, equals by column."""
    return np.argsort(-cosine, axis=1, kind="stable")[:, :k].astype(np.int64)
