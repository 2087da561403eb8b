"""Labelled texts in; a linear head over frozen vectors, n-grams or both, its strength chosen by itself, out."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.classifier import Classifier, View
from mercer.encode.encoder import Encoder, Side
from mercer.encode.head import softmax
from mercer.encode.ngram import Ngrams
from mercer.errors import DataError, MissingExtra, SettingsError

__all__ = ["HeadSettings", "fit_head", "numbered"]

VIEWS = ("vectors", "ngrams")
GRIDS: dict[str, tuple[float, ...]] = {"vectors": (1.0, 3.0, 10.0, 30.0, 100.0), "ngrams": (0.3, 1.0, 3.0)}
"""Inverse penalties that are tried; rows have length 1, so they mean the same for every encoder and every shop."""
USUAL = {"vectors": 10.0, "ngrams": 0.3}
"""Those taken where a class has too few texts to choose by."""
FEW = {"vectors": 2.5, "ngrams": 1.0}
"""Shares there: what was best for 1 and 5 texts of each of 77 classes (`benchmarks/few_labels.py`, validation part)."""
SHARES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Weights of the n-grams' margins beside the vectors' log-odds that are tried, before both are scaled."""
Real = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """Section ``[learn.head]``: what a linear head looks at, and how hard it is held back."""

    views: tuple[str, ...] = ("vectors", "ngrams")
    """Of vectors (what the encoder says of a text) and ngrams (its words, and their pieces)."""
    strength: float = 0.0
    """Inverse penalty over vectors; 0 is chosen by cross-validation where each class has texts enough, else 10."""
    ngram_strength: float = 0.0
    """The same over n-grams, whose usual value is 0.3."""
    folds: int = 3
    """Parts of the texts for that choice, and for the share of each view."""
    sample: int = 10_000
    """Texts at most that the choice looks at; the head is fitted on all."""
    least: int = 1
    """Texts that an n-gram must stand in; 2 is taken by itself from 5,000 texts."""
    features: int = 100_000
    """N-grams at most, the most frequent first."""
    balanced: bool = False
    """Whether a rare class counts as much as a frequent one."""
    seed: int = 7

    def __post_init__(self) -> None:
        if not self.views or set(self.views) - set(VIEWS) or len(set(self.views)) != len(self.views):
            raise SettingsError(f"[learn.head] views is {self.views}", cure="name vectors, ngrams or both")
        for name in ("strength", "ngram_strength"):
            if not (math.isfinite(getattr(self, name)) and 0 <= getattr(self, name) <= 1e6):
                raise SettingsError(f"[learn.head] {name} is {getattr(self, name)}", cure="give 0 to 1e6; 0 is chosen")
        for name, low, high in (("folds", 2, 20), ("sample", 10, 10**7), ("least", 1, 1000), ("features", 10, 10**7)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"[learn.head] {name} is {value}", cure=f"give a number from {low} to {high}")


def fit_head(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    encoder: Encoder | None = None,
    settings: HeadSettings | None = None,
    vectors: Real | None = None,
    weights: Sequence[float] | None = None,
    side: Side = "query",
    like: Classifier | None = None,
) -> Classifier:
    """Fit a multinomial logistic regression for each view and say how much each counts.

    Args:
        texts: what is to be told apart.
        labels: the class of each.
        encoder: needed for the view "vectors"; kept by name.
        settings: see there.
        vectors: of the texts by `encoder`, where they are known already (`encode.cache.VectorCache`).
        weights: how much each text counts; 1 where None.
        side: which prompt of the encoder texts are encoded with, then and when it serves.
        like: a head of the same views whose strengths and shares are taken instead of choosing them.

    Raises:
        DataError: no text, one class alone, or columns of different lengths.
        SettingsError: the view "vectors" without an encoder.
        MissingExtra: scikit-learn is not installed.
    """
    settings = settings or HeadSettings()
    names, targets = numbered(texts, labels)
    if "vectors" in settings.views and encoder is None:
        raise SettingsError("the view vectors has no encoder", cure="give one, or views = ('ngrams',)")
    seen: dict[str, Any] = {}
    ngrams = None
    if "vectors" in settings.views and encoder is not None:
        seen["vectors"] = encoder(texts, side=side) if vectors is None else vectors
    if "ngrams" in settings.views:
        least = max(settings.least, 2 if len(texts) >= 5000 else 1)
        ngrams = Ngrams.fit(texts, least=least, most=settings.features)
        seen["ngrams"] = ngrams(texts)
    counts = np.ones(len(texts)) if weights is None else np.asarray(weights, np.float64)
    told = _Told(targets, counts, len(names), settings)
    if like is not None:
        strengths, shares = dict(like.facts["strength"]), {name: view.share for name, view in like.views.items()}
    else:
        strengths, shares = _chosen(seen, told)
    views = {}
    for name, rows in seen.items():
        weight, bias = told.regression(rows, np.arange(len(texts)), strengths[name])
        views[name] = View(weight, bias, shares[name])
    facts = {"texts": len(texts), "strength": strengths, "settings": asdict(settings)}
    return Classifier(names, views, encoder=encoder, ngrams=ngrams, side=side, facts=facts)


def numbered(texts: Sequence[str], labels: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Names of the classes, sorted, and the place of each text's class among them.

    Raises:
        DataError: no text, one class alone, or columns of different lengths.
    """
    if len(texts) != len(labels):
        raise DataError(f"{len(texts)} texts, {len(labels)} labels", cure="give one label a text")
    names = sorted(set(labels))
    if len(names) < 2:
        raise DataError(f"{len(texts)} texts of {len(names)} class", cure="give texts of at least two classes")
    place = {name: at for at, name in enumerate(names)}
    return names, np.array([place[label] for label in labels], np.int64)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known of the texts."""

    targets: NDArray[np.int64]
    counts: NDArray[np.float64]
    classes: int
    settings: HeadSettings

    def regression(self, features: Any, rows: NDArray[np.int64], strength: float) -> tuple[Real, Real]:
        """Weight (features, classes) and bias (classes,); a class that no row has gets a bias that never wins.

        Vectors are told apart by a multinomial logistic regression. Over a hundred thousand n-grams
        that takes minutes: a linear support vector machine takes seconds, and its margins are scaled to be log-odds.
        """
        try:
            from sklearn.exceptions import ConvergenceWarning
            from sklearn.linear_model import LogisticRegression
            from sklearn.svm import LinearSVC
        except ImportError as error:
            raise MissingExtra("scikit-learn", extra="learn") from error
        balance = "balanced" if self.settings.balanced else None
        if isinstance(features, np.ndarray):
            model = LogisticRegression(C=strength, max_iter=200, tol=1e-3, class_weight=balance)
        else:
            model = LinearSVC(C=strength, class_weight=balance, random_state=self.settings.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # 200 steps are near enough for what it is used for
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # few texts are the point
            model.fit(features[rows], self.targets[rows], sample_weight=self.counts[rows])
        weight = np.zeros((features.shape[1], self.classes), np.float32)
        bias = np.full(self.classes, -30.0, np.float32)
        coefficients, intercept = model.coef_, model.intercept_
        if len(coefficients) == 1:  # two classes: one margin, half of it to either side
            coefficients, intercept = np.vstack([-coefficients, coefficients]) / 2, np.array([-1, 1]) * intercept / 2
        weight[:, model.classes_] = coefficients.T
        bias[model.classes_] = intercept
        return weight, bias

    def held_out(self, features: Any, rows: NDArray[np.int64], fold: NDArray[np.int64], strength: float) -> Real:
        """Logits of each row by a head that never saw its fold."""
        logits = np.empty((len(rows), self.classes), np.float32)
        for number in range(self.settings.folds):
            outside = fold == number
            weight, bias = self.regression(features, rows[~outside], strength)
            logits[outside] = features[rows[outside]] @ weight + bias
        return logits


def _chosen(seen: dict[str, Any], told: _Told) -> tuple[dict[str, float], dict[str, float]]:
    """Strength and share of each view, by the likelihood of texts that took no part; guesses where there are few."""
    settings, targets = told.settings, told.targets
    given = {"vectors": settings.strength, "ngrams": settings.ngram_strength}
    strengths = {name: given[name] or USUAL[name] for name in seen}
    fewest = np.bincount(targets, minlength=told.classes).min()
    if fewest < 2 * settings.folds:
        return strengths, {name: FEW[name] for name in seen}
    rng = np.random.default_rng([settings.seed, 21])
    rows = np.sort(rng.permutation(len(targets))[: settings.sample])
    fold = rng.permutation(len(rows)) % settings.folds
    held: dict[str, Real] = {}
    for name, features in seen.items():
        best = math.inf
        for strength in (given[name],) if given[name] else GRIDS[name]:
            logits = told.held_out(features, rows, fold, strength)
            cost, _ = _scaled(logits, targets[rows])
            if cost >= best:
                break  # the cost has one valley
            best, strengths[name], held[name] = cost, strength, logits
    return strengths, _shares(held, targets[rows])


def _shares(held: dict[str, Real], targets: NDArray[np.int64]) -> dict[str, float]:
    """How much each view counts, so that together they are right most often, scaled so that their chances are true."""
    if len(held) == 1:
        name, logits = next(iter(held.items()))
        return {name: _scaled(logits, targets)[1]}
    first, second = held
    found = (math.inf, math.inf, {first: 1.0, second: 1.0})
    for share in SHARES:
        logits = held[first] + np.float32(share) * held[second]
        cost, scale = _scaled(logits, targets)
        wrong = float((logits.argmax(1) != targets).mean())
        if (wrong, cost) < found[:2]:
            found = (wrong, cost, {first: scale, second: share * scale})
    return found[2]


def _scaled(logits: Real, targets: NDArray[np.int64]) -> tuple[float, float]:
    """Least mean −log chance of the right class over scales of the logits, and that scale (Guo et al. 2017)."""
    from scipy.optimize import minimize_scalar

    at = np.arange(len(targets))

    def cost(power: float) -> float:
        chances = softmax(np.float32(math.exp(power)) * logits)[at, targets]
        return float(-np.log(np.maximum(chances, 1e-12)).mean())

    best = minimize_scalar(cost, bounds=(-3.0, 3.0), method="bounded", options={"xatol": 0.02})
    return float(best.fun), float(math.exp(best.x))
