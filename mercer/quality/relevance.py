"""Judged pairs of queries and products in; how well they fit in numbers, and grades predicted out of fold, out."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.errors import MissingExtra

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Vectors", "expected", "features", "neighbours", "predicted", "text_similarity", "words"]

Vectors = Mapping[str, "NDArray[np.float32]"]
"""Id → unit vector of an encoder."""

_WORD = re.compile(r"\d+(?:\.\d+)?|[\u3400-\u9fff]|[^\W\d_\u3400-\u9fff]+")


def words(text: str | None) -> list[str]:
    """Lower-case words (a plural's s off), numbers, single Han characters and pairs of them.

    >>> words("Red mugs 红色")
    ['red', 'mug', '红', '色', '红色']
    """
    plain = unicodedata.normalize("NFKC", text or "").casefold()
    found = [_singular(word) for word in _WORD.findall(plain)]
    pairs = [one + other for one, other in pairwise(found) if one > "\u33ff" and other > "\u33ff"]
    return found + pairs


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _tfidf(texts: Sequence[str], *, grams: bool = False) -> Any:
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError as error:
        raise MissingExtra("scikit-learn", extra="quality") from error
    if grams:
        model = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3), min_df=2, sublinear_tf=True)
    else:
        model = TfidfVectorizer(analyzer=words, sublinear_tf=True)
    return model.fit(texts)


def text_similarity(texts: Sequence[str], pairs: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """Cosine of TF-IDF words of pairs of texts."""
    matrix = _tfidf(texts).transform(texts)
    left, right = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    return np.asarray(matrix[left].multiply(matrix[right]).sum(1)).ravel()


def features(
    queries: Sequence[str],
    products: Sequence[Mapping[str, Any]],
    pairs: Sequence[tuple[int, int]],
    *,
    cosine: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """(pairs, columns): how query and product fit in words, letters and numbers, alone and against the query's others.

    Args:
        queries: texts.
        products: rows with title, brand, category, bullets, description.
        pairs: (place of the query, place of the product) of each judgment.
        cosine: of an encoder's vectors, one a pair, where there is one.
    """
    asked, shown = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    titles = [str(row.get("title") or "") for row in products]
    whole = [" ".join(str(row.get(name) or "")[:LONGEST] for name in FIELDS) for row in products]
    columns = []
    for texts, grams in ((titles, False), (whole, False), (titles, True)):
        model = _tfidf([*texts, *queries], grams=grams)
        left, right = model.transform(queries), model.transform(texts)
        columns.append(np.asarray(left[asked].multiply(right[shown]).sum(1)).ravel())
    columns += _overlap(queries, products, asked, shown)
    if cosine is not None:
        columns.append(cosine)
    columns += [_within(column, asked) for column in columns[:8] + columns[-1:]]
    lengths = np.array([len(words(text)) for text in queries], dtype=np.float64)
    return np.column_stack([*columns, lengths[asked], np.bincount(asked)[asked]])


FIELDS = ("title", "brand", "category", "bullets", "description")
LONGEST = 600
"""Characters of a field that are read: what a product is stands at the start."""


def _overlap(
    queries: Sequence[str], products: Sequence[Mapping[str, Any]], asked: NDArray[np.int64], shown: NDArray[np.int64]
) -> list[NDArray[np.float64]]:
    """Share of the query's words (rare ones count more) in each field; whether brand and numbers are asked for."""
    query_words = [words(text) for text in queries]
    fields = [{name: set(words(str(row.get(name) or "")[:LONGEST])) for name in FIELDS} for row in products]
    known: dict[str, int] = {}
    for row in fields:
        for word in set().union(*row.values()):
            known[word] = known.get(word, 0) + 1
    rare = {word: math.log(1 + len(products) / (1 + count)) for word, count in known.items()}
    most = math.log(1 + len(products))
    found = np.zeros((len(asked), len(FIELDS) + 4))
    for line, (query, product) in enumerate(zip(asked.tolist(), shown.tolist(), strict=True)):
        given, row = query_words[query], fields[product]
        weights = [rare.get(word, most) for word in given]
        total = sum(weights) or 1.0
        for place, name in enumerate(FIELDS):
            found[line, place] = sum(w for word, w in zip(given, weights, strict=True) if word in row[name]) / total
        every = set().union(*row.values())
        missed = [w for word, w in zip(given, weights, strict=True) if word not in every]
        numbers = [word for word in given if word[0].isdigit()]
        found[line, -4:] = (
            sum(missed) / total,
            max(missed, default=0.0),
            len(row["brand"] & set(given)) / (len(row["brand"]) or 1),
            sum(word in every for word in numbers) / len(numbers) if numbers else -1.0,
        )
    return list(found.T)


def _within(column: NDArray[np.float64], asked: NDArray[np.int64]) -> NDArray[np.float64]:
    """A column less its mean among the judgments of the same query."""
    count = np.bincount(asked)
    return np.asarray(column - (np.bincount(asked, weights=column) / np.maximum(1, count))[asked])


def neighbours(
    texts: Sequence[str],
    pairs: Sequence[tuple[int, int]],
    grades: NDArray[np.float64],
    *,
    vectors: NDArray[np.float32] | None = None,
    sharpness: float = 6.0,
) -> NDArray[np.float64]:
    """(pairs, 4): grade of the same query's other products, by likeness; likest one's grade and likeness; mean.

    A judgment's own grade is never in its row, so the columns may be used beside any folds.
    """
    matrix = _tfidf(texts).transform(texts)
    asked, shown = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    found = np.full((len(asked), 4), grades.mean())
    found[:, 2] = 0.0
    for query in np.unique(asked):
        rows = np.flatnonzero(asked == query)
        if len(rows) < 2:
            continue
        like = (matrix[shown[rows]] @ matrix[shown[rows]].T).toarray()
        if vectors is not None:
            like = 0.5 * like + 0.5 * (vectors[shown[rows]] @ vectors[shown[rows]].T)
        np.fill_diagonal(like, -np.inf)
        weight, own = np.exp(sharpness * like), grades[rows]
        nearest = like.argmax(1)
        found[rows, 0] = weight @ own / weight.sum(1)
        found[rows, 1], found[rows, 2] = own[nearest], like[np.arange(len(rows)), nearest]
        found[rows, 3] = (own.sum() - own) / (len(rows) - 1)
    return found


def predicted(
    matrix: NDArray[np.float64], classes: NDArray[np.int64], *, folds: int = 5, seed: int = 0
) -> NDArray[np.float64]:
    """(rows, classes): chance of each class, out of fold, the mean of a linear and a boosted model.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold
        from sklearn.preprocessing import StandardScaler
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise MissingExtra("scikit-learn", extra="quality") from error
    count = int(classes.max()) + 1
    found = np.zeros((len(classes), count))
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with threadpool_limits(1):  # so few rows that threads wait for each other: three times the processor time
        for train, test in parts.split(matrix, classes):
            scaler = StandardScaler().fit(matrix[train])
            linear = LogisticRegression(C=0.3, max_iter=400).fit(scaler.transform(matrix[train]), classes[train])
            boosted = HistGradientBoostingClassifier(
                max_iter=60,
                learning_rate=0.06,
                max_leaf_nodes=8,
                min_samples_leaf=25,
                l2_regularization=5.0,
                random_state=seed,
            ).fit(matrix[train], classes[train])
            one = linear.predict_proba(scaler.transform(matrix[test])) + boosted.predict_proba(matrix[test])
            found[np.ix_(test, linear.classes_)] = one / 2
    return found


def expected(chances: NDArray[np.float64], grades: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean grade that chances promise."""
    return np.asarray(chances @ grades)
