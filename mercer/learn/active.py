"""What a model thinks of things without labels in; which of them to ask people about next out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mercer.errors import MissingExtra, RequestError, SettingsError

__all__ = ["ActiveSettings", "How", "choose", "entropy", "relevant", "spread_over"]

How = Literal["uncertainty", "diverse", "disagreement", "random"]
Real = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ActiveSettings:
    """Section ``[learn.active]``: what is asked about, and how much of it about one thing."""

    how: How = "diverse"
    """uncertainty: what the model is least sure of; disagreement: on what two views say different things; diverse:
    what it is least sure of in each cluster; random: drawn by chance."""
    each: int = 5
    """Most of one group (a query) at a time; what is left over is given out again when all groups had theirs."""
    pool: int = 20
    """Products of a query, from the top of each ranking, that may be asked about."""
    queries: int = 500
    """Queries that are looked at, drawn by the seed where there are more."""
    clusters: int = 50
    """Most clusters that `diverse` goes round; a hundred more cost time and change little."""
    least: int = 20
    """Judgments from which a model of relevance is fitted; with fewer the rankings alone say what is unsure."""
    seed: int = 7

    def __post_init__(self) -> None:
        if self.how not in get_args(How):
            raise SettingsError(f"[learn.active] how is {self.how!r}", cure=f"give one of {', '.join(get_args(How))}")
        for name, low, high in LIMITS:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"[learn.active] {name} is {value}", cure=f"give a number from {low} to {high}")


LIMITS = (
    ("each", 1, 10**6),
    ("pool", 1, 1000),
    ("queries", 1, 10**7),
    ("clusters", 2, 10_000),
    ("least", 2, 10**7),
)


def choose(
    number: int,
    settings: ActiveSettings,
    *,
    chances: Sequence[Sequence[float]] | Real,
    other: Sequence[Sequence[float]] | Real | None = None,
    vectors: NDArray[np.float32] | None = None,
    groups: Sequence[str] | None = None,
    worth: Sequence[float] | Real | None = None,
) -> list[int]:
    """Rows to be judged next, the most telling first; at most `number`, and `settings.each` of a group at first.

    Args:
        number: how many.
        settings: see there.
        chances: (n, classes) that a model gives; rows sum to 1.
        other: the same from another view, for disagreement.
        vectors: (n, dimension), for diversity.
        groups: what each row belongs to.
        worth: (n,) how much being wrong about a row would cost, such as its place's discount in nDCG; 1 where None.

    Raises:
        RequestError: disagreement without a second view, or diversity without vectors.
        MissingExtra: scikit-learn is needed for clusters.
    """
    said = np.asarray(chances, np.float64)
    if not len(said) or number <= 0:
        return []
    rng = np.random.default_rng([settings.seed, 51])
    tie = rng.random(len(said))
    counts = np.ones(len(said)) if worth is None else np.asarray(worth, np.float64)
    if settings.how == "random":
        order = np.argsort(tie)
    elif settings.how == "disagreement":
        if other is None:
            raise RequestError("disagreement needs two views", cure="give both, or choose by uncertainty")
        order = np.lexsort((tie, -counts * _divergence(said, np.asarray(other, np.float64))))
    else:
        order = np.lexsort((tie, -counts * entropy(said)))
        if settings.how == "diverse":
            if vectors is None:
                raise RequestError("diversity needs vectors", cure="give them, or choose by uncertainty")
            order = _diverse(order, vectors, number, settings)
    return spread_over(order.tolist(), groups, number, each=settings.each)


def relevant(
    features: Real, known: Sequence[int], right: Sequence[bool], *, view: int, least: int
) -> tuple[Real, Real]:
    """Chance of each candidate being wrong or right, by all features and by one alone: two of (n, 2).

    Args:
        features: (n, features), each 0 to 1, 1 being a ranking's first place.
        known: rows that are judged.
        right: whether each of those is.
        view: the column that is the second view.
        least: judgments from which a logistic regression is fitted; with fewer the features' mean is the chance.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    first, second = features.mean(1), features[:, view].copy()
    if len(known) >= least and 0 < sum(right) < len(right):
        try:
            from sklearn.linear_model import LogisticRegression
        except ImportError as error:
            raise MissingExtra("scikit-learn", extra="learn") from error
        rows, alone = np.asarray(known, np.int64), features[:, view : view + 1]
        first = LogisticRegression().fit(features[rows], right).predict_proba(features)[:, 1]
        second = LogisticRegression().fit(alone[rows], right).predict_proba(alone)[:, 1]
    return np.stack([1 - first, first], 1), np.stack([1 - second, second], 1)


def entropy(chances: Real) -> Real:
    """How unsure each row is, in nats: (n,)."""
    found: Real = -(chances * np.log(np.clip(chances, 1e-12, None))).sum(1)
    return found


def spread_over(order: Sequence[int], groups: Sequence[str] | None, number: int, *, each: int) -> list[int]:
    """The first `number` of `order`, no more than `each` of a group a turn.

    >>> spread_over([0, 1, 2, 3], ["a", "a", "a", "b"], 3, each=1)
    [0, 3, 1]
    """
    if groups is None:
        return list(order[:number])
    taken: list[int] = []
    left = list(order)
    while left and len(taken) < number:
        counts: dict[str, int] = {}
        later = []
        for row in left:
            counts[groups[row]] = counts.get(groups[row], 0) + 1
            if counts[groups[row]] <= each and len(taken) < number:
                taken.append(row)
            else:
                later.append(row)
        left = later
    return taken


def _divergence(first: Real, second: Real) -> Real:
    """Jensen-Shannon divergence of two views' chances by row (query by committee, McCallum and Nigam 1998)."""
    mean = (first + second) / 2
    return entropy(mean) - (entropy(first) + entropy(second)) / 2


def _diverse(
    order: NDArray[np.int64], vectors: NDArray[np.float32], number: int, settings: ActiveSettings
) -> NDArray[np.int64]:
    """The least sure of each cluster, cluster after cluster, then each one's next (Zhdanov 2019, without weights).

    Clusters are of the less sure half, or of three times as many as are asked for, so that what is certain is left out.
    """
    try:
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning
    except ImportError as error:
        raise MissingExtra("scikit-learn", extra="learn") from error
    unsure = order[: max(3 * number, len(order) // 2)]
    clusters = min(number, len(unsure), settings.clusters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different vectors than clusters are no harm
        cluster = KMeans(clusters, n_init=1, random_state=settings.seed, max_iter=50).fit_predict(vectors[unsure])
    turn = np.zeros(len(unsure), np.int64)
    seen: dict[int, int] = {}
    for place, name in enumerate(cluster.tolist()):
        turn[place] = seen[name] = seen.get(name, -1) + 1
    chosen = unsure[np.argsort(turn, kind="stable")]
    return np.concatenate([chosen, order[len(unsure) :]])
