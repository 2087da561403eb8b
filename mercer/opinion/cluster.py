"""Texts without a taxonomy in; groups of them with names taken from their own words out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mercer.errors import DataError, MissingExtra
from mercer.opinion.naming import distinctive, terms

__all__ = ["Cluster", "discover"]

FEWEST, MOST = 2, 12
"""Groups that are looked for, unless a number is given."""
SAMPLE = 4000
"""Texts that are grouped; more make it slower, not better."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One group."""

    name: str
    """Its two most telling terms."""
    terms: tuple[str, ...]
    texts: tuple[int, ...]
    """Places of its texts, the most typical first."""


def discover(texts: Sequence[str], *, groups: int = 0, seed: int = 7) -> list[Cluster]:
    """Group by the terms that texts share, the largest group first.

    Args:
        texts: at most `SAMPLE` of them are looked at.
        groups: how many; 0 is the square root of half the texts, 2 to 12.
        seed: of the start and the sample.

    Raises:
        DataError: fewer than ten texts, or hardly a word that two of them share.
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.cluster import KMeans
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.preprocessing import normalize
    except ImportError as error:
        raise MissingExtra("scikit-learn", extra="quality") from error
    places = np.random.default_rng(seed).permutation(len(texts))[:SAMPLE]
    if len(places) < 10:
        raise DataError(f"{len(texts)} texts", cure="give ten and more to group")
    chosen = [texts[place] for place in places]
    try:
        rows = TfidfVectorizer(
            analyzer=lambda text: sorted(terms(text)), min_df=2, max_df=0.3, sublinear_tf=True
        ).fit_transform(chosen)
    except ValueError as error:
        raise DataError("the texts share no words", cure="give more texts of one kind") from error
    size = min(50, rows.shape[1] - 1, len(chosen) - 1)
    if size < 2:
        raise DataError("the texts share hardly a word", cure="give more texts of one kind")
    dense = normalize(TruncatedSVD(size, random_state=seed).fit_transform(rows))
    number = groups or int(min(MOST, max(FEWEST, round(math.sqrt(len(chosen) / 2)))))
    model = KMeans(min(number, len(chosen)), n_init=3, random_state=seed).fit(dense)
    near = np.einsum("ij,ij->i", dense, model.cluster_centers_[model.labels_])
    found = []
    for label in range(model.n_clusters):
        inside = np.flatnonzero(model.labels_ == label)
        if len(inside) < 2:
            continue
        order = inside[np.argsort(-near[inside], kind="stable")]
        outside = [chosen[at] for at in np.flatnonzero(model.labels_ != label)[:1000]]
        names = distinctive([chosen[at] for at in order[:500]], outside, 8)
        if names:
            found.append(Cluster(" · ".join(names[:2]), tuple(names), tuple(int(places[at]) for at in order)))
    return sorted(found, key=lambda one: -len(one.texts))
