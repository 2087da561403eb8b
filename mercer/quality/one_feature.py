"""One column and a label in; how well the column alone tells the label, on rows it was not fitted to, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Targets", "area", "binned", "codes_of", "encoded", "folds_of", "targets_of"]

MOST_CLASSES = 20
"""Labels of more distinct values are a number (cut at the median) or the 20 most frequent classes."""
BINS = 64
"""Quantile bins of a numeric column; a noisy copy of a label stays visible in them."""
FEWEST = 8
"""Rows of a class, and of its rest, below which an area says nothing."""


@dataclass(frozen=True, slots=True)
class Targets:
    """A label as what can be told of it."""

    classes: NDArray[np.bool_]
    """(rows, classes) as `targets_of` gives them."""
    orders: NDArray[np.bool_]
    """(rows, thresholds) whether a graded label is above each grade; no column where it has no order or two classes."""

    @classmethod
    def of(cls, label: pa.ChunkedArray) -> Targets:
        """Thresholds with at least a tenth of the rows on both sides count."""
        import pyarrow as pa

        codes, count = codes_of(label)
        numeric = pa.types.is_integer(label.type) or pa.types.is_floating(label.type)
        grades = np.arange(count - 1) if numeric and 2 < count <= MOST_CLASSES else np.zeros(0, np.int64)
        above = codes[:, None] > grades[None, :]
        fair = (above.mean(0) >= 0.1) & (above.mean(0) <= 0.9) if len(codes) else np.zeros(0, bool)
        return cls(targets_of(label), above[:, fair])

    def __getitem__(self, rows: NDArray[Any]) -> Targets:
        return Targets(self.classes[rows], self.orders[rows])

    def __len__(self) -> int:
        return len(self.classes)

    def told_by(self, codes: NDArray[np.int64], folds: NDArray[np.int64]) -> float:
        """AUC out of fold of codes alone: of the classes, or of the threshold that they tell best."""
        found = [area(encoded(codes, self.classes, folds), self.classes)]
        scores = encoded(codes, self.orders, folds)
        found += [area(scores[:, [n]], self.orders[:, [n]]) for n in range(self.orders.shape[1])]
        return float(np.nanmax(found)) if np.isfinite(found).any() else float("nan")


def targets_of(label: pa.ChunkedArray) -> NDArray[np.bool_]:
    """(rows, classes): one column for two classes, one a class for more; null labels belong to none.

    >>> import pyarrow as pa
    >>> targets_of(pa.chunked_array([["no", "yes", "no"]])).tolist()
    [[False], [True], [False]]
    """
    import pyarrow as pa

    numeric = pa.types.is_integer(label.type) or pa.types.is_floating(label.type)
    codes, count = codes_of(label)
    if numeric and count > MOST_CLASSES:
        values = np.asarray(label.cast(pa.float64()).fill_null(float("nan")), dtype=np.float64)
        return np.asarray(values > np.nanmedian(values))[:, None]
    present = codes[codes >= 0]
    sizes = np.bincount(present, minlength=count) if count else np.zeros(0, np.int64)
    kept = np.sort(np.argsort(-sizes, kind="stable")[:MOST_CLASSES])
    if len(kept) == 2:
        kept = kept[1:]
    return np.asarray(codes[:, None] == kept[None, :])


def codes_of(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], int]:
    """Values as 0, 1, … in sorted order (-1 for null), and how many there are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(plain.type):
        plain = plain.dictionary_decode()
    distinct = pc.unique(plain).drop_null()
    ordered = distinct.take(pc.sort_indices(distinct)) if len(distinct) else distinct
    found = pc.index_in(plain, value_set=ordered).fill_null(-1)
    return np.asarray(found, dtype=np.int64), len(ordered)


def folds_of(rows: int, *, folds: int = 5, seed: int = 0) -> NDArray[np.int64]:
    """A fold for each row, of equal sizes, by chance."""
    return np.random.default_rng(seed).permutation(rows) % folds


def encoded(
    codes: NDArray[np.int64], targets: NDArray[np.bool_], folds: NDArray[np.int64], *, prior: float = 1.0
) -> NDArray[np.float64]:
    """(rows, classes) share of each class among rows of other folds with the same code, drawn `prior` rows to the mean.

    Codes start at -1 (null), which is a value like any other.
    """
    shifted = codes + 1
    size, parts = int(shifted.max(initial=0)) + 1, int(folds.max(initial=0)) + 1
    cell = shifted * parts + folds
    counts = np.bincount(cell, minlength=size * parts).reshape(size, parts)
    others = counts.sum(1, keepdims=True) - counts
    found = np.empty(targets.shape, dtype=np.float64)
    for number in range(targets.shape[1]):
        target = targets[:, number].astype(np.float64)
        sums = np.bincount(cell, weights=target, minlength=size * parts).reshape(size, parts)
        rate = (sums.sum(1, keepdims=True) - sums + prior * target.mean()) / (others + prior)
        found[:, number] = rate[shifted, folds]
    return found


def area(scores: NDArray[np.float64], targets: NDArray[np.bool_]) -> float:
    """AUC, ties half; of several classes the mean of one against the rest, by size; NaN where no class is large enough.

    >>> area(np.array([[.1], [.2]] * 8), np.array([[False], [True]] * 8))
    1.0
    """
    total, weight = 0.0, 0
    for number in range(targets.shape[1]):
        positive = targets[:, number]
        above, below = int(positive.sum()), int((~positive).sum())
        if min(above, below) < FEWEST:
            continue
        _, group, size = np.unique(scores[:, number], return_inverse=True, return_counts=True)
        places = (np.cumsum(size) - (size - 1) / 2)[group]
        one = float((places[positive].sum() - above * (above + 1) / 2) / (above * below))
        total, weight = total + one * above, weight + above
    return total / weight if weight else float("nan")


def binned(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Codes of a column: quantile bins for a number of more than `BINS` values, -1 for null and NaN."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_temporal(kind):
        column = column.cast(pa.int64(), safe=False) if not pa.types.is_date32(kind) else column.cast(pa.int32())
    numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(kind)
    if not numeric:
        return codes_of(column if not pa.types.is_nested(kind) else _as_text(column))[0]
    values = np.asarray(column.cast(pa.float64(), safe=False).fill_null(float("nan")), dtype=np.float64)
    absent = ~np.isfinite(values)
    distinct = np.unique(values[~absent])
    edges = distinct if len(distinct) <= BINS else np.unique(np.quantile(values[~absent], np.linspace(0, 1, BINS + 1)))
    return np.where(absent, -1, np.searchsorted(edges, np.where(absent, 0.0, values), side="right"))


def _as_text(column: pa.ChunkedArray) -> Any:
    import pyarrow as pa

    return pa.chunked_array([pa.array([None if value is None else str(value) for value in column.to_pylist()])])
