"""A training table's inputs and label in; the AUC of a small model under a split (by chance, by value, by time) out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from mercer.errors import MissingExtra
from mercer.quality.one_feature import area, binned, codes_of, folds_of
from mercer.quality.slot import Slot, masked, tokens

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["MOST_ROWS", "Sheet", "by_chance", "by_time", "by_value", "performance", "sample", "sheet_of"]

MOST_ROWS = 20_000
"""Rows that a check of a training table reads closely: an AUC of .95 is then known to within .002."""
TEXT_WORDS = 3.0
"""Mean number of words from which a column of strings is text rather than a category."""
WIDTH = 2**18
"""Hashed features of the small model."""

Split = tuple["NDArray[np.int64]", "NDArray[np.int64]"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Inputs of a table as the small model reads them."""

    texts: dict[str, list[list[str]]]
    """Text column → tokens of each row."""
    codes: dict[str, NDArray[np.int64]]
    """Any other column → codes (quantile bins of a number)."""

    def without(self, columns: Iterable[str] = (), slots: Iterable[tuple[str, Slot]] = ()) -> Sheet:
        """The sheet less some columns and the words in some slots of its texts."""
        gone = set(columns)
        texts = {name: rows for name, rows in self.texts.items() if name not in gone}
        for name, slot in slots:
            if name in texts:
                texts[name] = masked(texts[name], slot)
        return Sheet(texts, {name: codes for name, codes in self.codes.items() if name not in gone})

    def with_codes(self, name: str, codes: NDArray[np.int64]) -> Sheet:
        return replace(self, codes={**self.codes, name: codes})

    def features(self) -> list[list[str]]:
        """Words and pairs of words of texts, column=code of the others, for each row."""
        counts = [*map(len, self.texts.values()), *map(len, self.codes.values())]
        count = max(counts, default=0)
        found: list[list[str]] = [[] for _ in range(count)]
        for name, rows in self.texts.items():
            for given, row in zip(found, rows, strict=True):
                given.extend(f"{name}:{token}" for token in row)
                given.extend(f"{name}:{one} {two}" for one, two in pairwise(row))
        for name, codes in self.codes.items():
            for given, code in zip(found, codes.tolist(), strict=True):
                given.append(f"{name}={code}")
        return found


def sample(table: pa.Table, *, rows: int = MOST_ROWS, seed: int = 0) -> pa.Table:
    """At most `rows` rows by chance, in their order."""
    if table.num_rows <= rows:
        return table
    return table.take(np.sort(np.random.default_rng(seed).choice(table.num_rows, rows, replace=False)))


def sheet_of(table: pa.Table, inputs: Sequence[str], *, exact: Iterable[str] = ()) -> Sheet:
    """The inputs of a (sampled) table; columns in `exact` keep every value apart, though they are numbers."""
    import pyarrow as pa

    texts, codes, whole = {}, {}, set(exact)
    for name in inputs:
        column = table[name]
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            rows = [tokens(value) for value in column.to_pylist()]
            if sum(map(len, rows)) >= TEXT_WORDS * max(1, len(rows) - column.null_count):
                texts[name] = rows
                continue
        codes[name] = codes_of(column)[0] if name in whole else binned(column)
    return Sheet(texts, codes)


def by_chance(rows: int, *, folds: int = 3, seed: int = 0) -> list[Split]:
    """Folds that ignore what the rows are."""
    return _folded(folds_of(rows, folds=folds, seed=seed), folds)


def by_value(codes: NDArray[np.int64], *, folds: int = 3, seed: int = 0) -> list[Split]:
    """Folds between which no value is shared: every value that is tested is new."""
    distinct, place = np.unique(codes, return_inverse=True)
    return _folded(folds_of(len(distinct), folds=folds, seed=seed)[place], folds)


def by_time(moments: NDArray[np.float64], *, train: float = 0.7) -> list[Split]:
    """The earliest share of the rows against the later ones; rows of one moment stay together."""
    border = np.nanquantile(moments, train)
    return [(np.flatnonzero(moments <= border), np.flatnonzero(moments > border))]


def _folded(folds: NDArray[np.int64], count: int) -> list[Split]:
    return [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in range(count)]


def performance(
    sheet: Sheet, targets: NDArray[np.bool_], splits: Sequence[Split], *, asked: Sheet | None = None
) -> float:
    """Mean AUC over the splits of a logistic regression on hashed words and codes; .5 where nothing is left to read.

    Args:
        sheet: what the model learns from.
        targets: (rows, classes) as `one_feature.targets_of` gives them.
        splits: (rows to learn from, rows to test on).
        asked: what the tested rows show instead, where it differs.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.feature_extraction import FeatureHasher
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingExtra("scikit-learn", extra="quality") from error
    if not sheet.texts and not sheet.codes:
        return 0.5
    hasher = FeatureHasher(n_features=WIDTH, input_type="string", alternate_sign=False)
    learned = hasher.transform(sheet.features())
    shown = learned if asked is None else hasher.transform(asked.features())
    used = np.unique(learned.indices)  # a small model for a small table: the rest of WIDTH is empty
    learned, shown = learned[:, used], shown[:, used]
    areas = []
    for train, test in splits:
        scores = np.full((len(test), targets.shape[1]), 0.5)
        for number in range(targets.shape[1]):
            truth = targets[train, number]
            if truth.any() and not truth.all():
                model = LogisticRegression(C=1.0, solver="liblinear", tol=1e-2, max_iter=100, random_state=0)
                scores[:, number] = model.fit(learned[train], truth).decision_function(shown[test])
        areas.append((area(scores, targets[test]), len(test)))
    known = [(value, weight) for value, weight in areas if np.isfinite(value)]
    return (
        sum(value * weight for value, weight in known) / sum(weight for _, weight in known) if known else float("nan")
    )
