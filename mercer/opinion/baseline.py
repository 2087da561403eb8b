"""Texts to learn from and texts to ask in; chances by TF-IDF and logistic regression, the plain way, out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mercer.encode.language import chinese_share
from mercer.errors import MissingExtra

__all__ = ["baseline"]


def baseline(
    texts: Sequence[str], targets: NDArray[np.int64], asked: Sequence[str], classes: int
) -> NDArray[np.float64]:
    """(asked, classes): words and their pairs, of Chinese texts characters and their pairs; scikit-learn's defaults.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingExtra("scikit-learn", extra="quality") from error
    chinese = chinese_share(list(texts[:2000])) > 0.3
    vectors = TfidfVectorizer(ngram_range=(1, 2), analyzer="char" if chinese else "word")
    model = LogisticRegression(max_iter=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.fit(vectors.fit_transform(texts), targets)
        except ValueError:  # not one word in any text
            return np.full((len(asked), classes), 1 / classes)
    found = np.zeros((len(asked), classes))
    found[:, model.classes_] = model.predict_proba(vectors.transform(asked))
    return found
