"""Judged pairs of queries and products in; how well they fit in numbers, and chances of each grade out of fold, out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.errors import MissingExtra
from mercer.quality.peers import Peers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mercer.quality.judged import Judged

__all__ = ["Texts", "chances", "features", "predicted", "read_texts", "words"]

FIELDS = ("title", "brand", "category", "bullets", "description", "attributes")
KEYS = ("title", "brand", "category", "attributes")
"""Fields that say what a product is."""
LONGEST = 600
"""Characters of a field that are read: what a product is stands at the start."""
TRUST = 0.1
"""Chance of its own grade (0 to 1) from which a judgment teaches with its full weight in the second round."""
LEAST_WEIGHT = 0.02

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


@dataclass(frozen=True, slots=True)
class Texts:
    """Words of queries and products as sparse rows of ones over one vocabulary."""

    queries: Any
    """(queries, words)."""
    fields: Mapping[str, Any]
    """Field → (products, words)."""
    rarity: NDArray[np.float64]
    """Of each word: the logarithm of products by products that have it."""
    digits: NDArray[np.float64]
    """1 for a word that is a number, else 0."""

    def held(self, names: Sequence[str]) -> Any:
        """(products, words): ones for what stands in any of some fields."""
        whole = sum((self.fields[name] for name in names[1:]), start=self.fields[names[0]]).tocsr()
        whole.data[:] = 1.0
        return whole

    def weighed(self, rows: Any) -> Any:
        """Rows of length 1 whose words count by their rarity."""
        from scipy import sparse

        rows = (rows @ sparse.diags(self.rarity)).tocsr()
        length = np.sqrt(np.asarray(rows.multiply(rows).sum(1)).ravel())
        return (sparse.diags(1 / np.where(length > 0, length, 1)) @ rows).tocsr()


def read_texts(queries: Sequence[str], products: Sequence[Mapping[str, Any]]) -> Texts:
    """Words of every query and of every field of every product.

    Raises:
        MissingExtra: scikit-learn (with scipy) is not installed.
    """
    places: dict[str, int] = {}
    found = {name: [_places(words(str(row.get(name) or "")[:LONGEST]), places) for row in products] for name in FIELDS}
    asked = [_places(words(text), places) for text in queries]
    fields = {name: _ones(lists, len(places)) for name, lists in found.items()}
    having = np.asarray(sum(fields.values(), start=0 * fields["title"]).astype(bool).sum(0)).ravel()
    rarity = np.log(1 + len(products) / (1 + having))
    digits = np.array([word[0].isdigit() for word in places], dtype=np.float64)
    return Texts(_ones(asked, len(places)), fields, rarity, digits)


def _places(found: Sequence[str], places: dict[str, int]) -> list[int]:
    return [places.setdefault(word, len(places)) for word in dict.fromkeys(found)]


def _ones(lists: Sequence[Sequence[int]], size: int) -> Any:
    try:
        from scipy import sparse
    except ImportError as error:
        raise MissingExtra("scikit-learn", extra="quality") from error
    ends = np.cumsum([0, *map(len, lists)])
    flat = np.fromiter((place for row in lists for place in row), dtype=np.int64, count=int(ends[-1]))
    return sparse.csr_matrix((np.ones(len(flat)), flat, ends), shape=(len(lists), size))


def features(
    texts: Texts, found: Judged, asked: NDArray[np.int64], shown: NDArray[np.int64], cosine: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """(pairs, columns): how query and product fit in words and letters, alone and against the query's others.

    Args:
        texts: of queries and products.
        found: judgments.
        asked: place of the query of each pair.
        shown: place of its product.
        cosine: of an encoder's vectors, one a pair, where there is one.
    """
    columns = []
    for names in (("title",), KEYS):
        left, right = texts.weighed(texts.queries), texts.weighed(texts.held(names))
        columns.append(_dots(left[asked], right[shown]))
    columns.append(_letters(found, asked, shown))
    columns += _overlap(texts, asked, shown)
    if cosine is not None:
        columns.append(cosine)
    columns += [_within(column, asked) for column in columns]
    lengths = np.asarray(texts.queries.sum(1)).ravel()
    return np.column_stack([*columns, lengths[asked], np.bincount(asked)[asked]])


def _dots(left: Any, right: Any) -> NDArray[np.float64]:
    return np.asarray(left.multiply(right).sum(1)).ravel()


def _letters(found: Judged, asked: NDArray[np.int64], shown: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cosine of runs of three letters of query and title: finds what is misspelt or glued."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    titles = [str(row.get("title") or "") for row in found.products]
    model = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3), sublinear_tf=True).fit([*titles, *found.queries])
    return _dots(model.transform(found.queries)[asked], model.transform(titles)[shown])


def _overlap(texts: Texts, asked: NDArray[np.int64], shown: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """Share of the query's words (rare ones count more) in each field; what no field has; brand and numbers."""
    from scipy import sparse

    every = texts.held(FIELDS)
    wanted = (texts.queries @ sparse.diags(texts.rarity)).tocsr()[asked]
    total = np.asarray(wanted.sum(1)).ravel()
    total[total == 0] = 1.0
    missed = wanted - wanted.multiply(every[shown])
    brand = np.maximum(1, np.asarray(texts.fields["brand"].sum(1)).ravel())
    numbers = (texts.queries @ sparse.diags(texts.digits)).tocsr()[asked]
    count = np.asarray(numbers.sum(1)).ravel()
    return [
        *(_dots(wanted, texts.fields[name][shown]) / total for name in FIELDS),
        np.asarray(missed.sum(1)).ravel() / total,
        missed.max(1).toarray().ravel(),
        _dots(texts.queries[asked], texts.fields["brand"][shown]) / brand[shown],
        np.where(count > 0, _dots(numbers, every[shown]) / np.maximum(1, count), -1.0),
    ]


def _within(column: NDArray[np.float64], asked: NDArray[np.int64]) -> NDArray[np.float64]:
    """A column less its mean among the judgments of the same query."""
    count = np.bincount(asked)
    return np.asarray(column - (np.bincount(asked, weights=column) / np.maximum(1, count))[asked])


def chances(
    found: Judged,
    classes: NDArray[np.int64],
    texts: Texts,
    *,
    vectors: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
) -> NDArray[np.float64]:
    """(judgments, classes): chance of each grade by a model that has seen no judgment of the same query.

    It reads how query and product fit, and what the query's other products were graded (`peers`). A second round
    trusts judgments less that the first found unlikely.

    Args:
        found: judgments.
        classes: place of each one's grade among all grades.
        texts: of `read_texts`.
        vectors: of an encoder, for queries and products, one a row of `found.queries` and `found.products`.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    asked, shown = (np.array(side, dtype=np.int64) for side in zip(*found.pairs, strict=True))
    cosine = None
    if vectors is not None:
        cosine = (vectors[0][asked] * vectors[1][shown]).sum(1).astype(np.float64)
    fit = features(texts, found, asked, shown, cosine)
    likeness = {
        "title": texts.weighed(texts.fields["title"]),
        "category": texts.weighed(texts.fields["category"]),
        "attributes": texts.weighed(texts.fields["attributes"]),
        "keys": texts.weighed(texts.held(KEYS)),
        "long": texts.weighed(texts.held(("title", "bullets", "description"))),
    }
    peers = Peers(asked, shown, likeness, None if vectors is None else vectors[1])
    first = predicted(np.hstack([fit, peers(classes)]), classes, asked)
    own = first[np.arange(len(classes)), classes]
    weight = np.clip(own / TRUST, LEAST_WEIGHT, 1.0)
    return predicted(np.hstack([fit, peers(classes, weight)]), classes, asked, weight)


def predicted(
    matrix: NDArray[np.float64],
    classes: NDArray[np.int64],
    groups: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
    *,
    folds: int = 5,
) -> NDArray[np.float64]:
    """(rows, classes): chance of each class by logistic regression, no group of rows both in training and in test.

    Boosted trees and forests were no better here and moved more when a few labels changed.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import GroupKFold
        from sklearn.preprocessing import StandardScaler
    except ImportError as error:
        raise MissingExtra("scikit-learn", extra="quality") from error
    usual = np.bincount(classes) / len(classes)
    found = np.zeros((len(classes), len(usual)))
    scaled = StandardScaler().fit_transform(matrix)
    for train, test in GroupKFold(min(folds, len(np.unique(groups)))).split(scaled, classes, groups):
        if len(np.unique(classes[train])) < 2:
            found[test] = usual
            continue
        model = LogisticRegression(C=0.1, max_iter=100, tol=1e-3)
        model.fit(scaled[train], classes[train], sample_weight=None if weight is None else weight[train])
        found[np.ix_(test, model.classes_)] = model.predict_proba(scaled[test])
    return found
