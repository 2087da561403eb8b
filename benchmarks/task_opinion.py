"""Reviews, and the same hurt, in; what TF-IDF and logistic regression say of untouched reviews out."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["Opinion", "flipped", "macro"]

TRAIN, TEST = 6000, 3000


class Opinion:
    """A split of reviews of which each text stands on one side only, once."""

    def __init__(self, reviews: pa.Table, *, seed: int = 5) -> None:
        seen: set[str] = set()
        rows = []
        for row, (text, rating) in enumerate(
            zip(reviews["text"].to_pylist(), reviews["rating"].to_pylist(), strict=True)
        ):
            key = "".join(unicodedata.normalize("NFKC", text or "").casefold().split())
            if key and rating is not None and key not in seen:
                seen.add(key)
                rows.append(row)
        order = np.random.default_rng(seed).permutation(rows)
        self.train = _numbered(reviews.take(pa.array(np.sort(order[:TRAIN]))))
        test = reviews.take(pa.array(order[TRAIN : TRAIN + TEST]))
        self.texts, self.labels = test["text"].to_pylist(), np.array(test["rating"].to_pylist())

    def measure(self, reviews: pa.Table) -> NDArray[np.float64]:
        """The label that a model of `reviews` gives each test review, shape (tests,)."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        rows = [
            row for row in reviews.select(["text", "rating"]).to_pylist() if row["text"] and row["rating"] is not None
        ]
        words = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=60_000)
        model: Any = make_pipeline(words, LogisticRegression(C=4.0, max_iter=300))
        model.fit([row["text"] for row in rows], [row["rating"] for row in rows])
        return np.asarray(model.predict(self.texts), float)


def macro(labels: NDArray[np.float64], said: list[NDArray[np.float64]], rows: NDArray[np.int64]) -> float:
    """Macro-F1 over some test reviews, averaged over the runs."""
    values = []
    for guess in said:
        true, given = labels[rows], guess[rows]
        parts = []
        for label in (0.0, 1.0):
            both = int(((true == label) & (given == label)).sum())
            parts.append(2 * both / max(1, int((true == label).sum() + (given == label).sum())))
        values.append(sum(parts) / 2)
    return float(np.mean(values))


def flipped(reviews: pa.Table, rate: float, seed: int) -> pa.Table:
    """The other label at `rate` of the rows."""
    rating = reviews["rating"].to_numpy().copy()
    hurt = np.random.default_rng(seed).permutation(len(rating))[: round(rate * len(rating))]
    rating[hurt] = 1 - rating[hurt]
    return reviews.set_column(reviews.schema.get_field_index("rating"), "rating", pa.array(rating))


def _numbered(table: pa.Table) -> pa.Table:
    return table.set_column(0, "row_id", pa.array(np.arange(len(table)))).combine_chunks()
