"""Labelled texts in; a linear head over words, character pieces and vectors, calibrated on held-back texts, out."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode import Encoder
from mercer.encode.head import softmax
from mercer.errors import DataError, MissingExtra, SettingsError
from mercer.opinion.grams import BLOCKS, Counted, Vocabulary, count
from mercer.opinion.head import Head, Linear

__all__ = ["FitSettings", "Seen", "fit", "look"]

Real = NDArray[np.float32]
Rows = NDArray[np.int64]
STRENGTH = {"words": 0.5, "contrast": 0.2, "vectors": 30.0}
"""Inverse penalties, settled on one fold each of a Chinese and a financial set; contrast weighs features by naive Bayes
(Wang and Manning 2012)."""
USUAL = {"words": 1.0, "contrast": 0.5, "vectors": 1.0}
"""Shares where texts are too few to find them: a margin of a support vector machine says less than a logit."""
FEW = 8
"""Texts of the rarest class below which shares are not looked for: the usual ones are taken. A guess."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Section ``[opinion.fit]``: what a head looks at and how much it may know."""

    features: int = 300_000
    """Most features of a block, the most frequent first."""
    least: int = 2
    """Texts that a feature must stand in; 1 is taken below 2,000 texts."""
    sample: int = 12_000
    """Most texts that choosing and calibrating looks at; the head is fitted on all."""
    held: float = 0.25
    """Share of the sample that is held back to choose and calibrate by."""
    seed: int = 7

    def __post_init__(self) -> None:
        for name, low, high in (("features", 100, 10**7), ("least", 1, 1000), ("sample", 50, 10**7)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"[opinion.fit] {name} is {value}", cure=f"give a number from {low} to {high}")
        if not 0.05 <= self.held <= 0.5:
            raise SettingsError(f"[opinion.fit] held is {self.held}", cure="give a share from 0.05 to 0.5")


@dataclass(frozen=True, slots=True)
class Seen:
    """What can be seen of all texts before anything is learned: counts by block, and vectors if there is an encoder."""

    counted: Mapping[str, Counted]
    vectors: Real | None
    encoder: Encoder | None

    def __len__(self) -> int:
        return int(next(iter(self.counted.values())).counts.shape[0])


def look(texts: Sequence[str], *, encoder: Encoder | None = None, vectors: Real | None = None) -> Seen:
    """Count words and pieces; encode where an encoder is given and `vectors` are not known yet."""
    if encoder is not None and vectors is None:
        vectors = encoder(texts)
    return Seen({block: count(texts, block) for block in BLOCKS}, vectors if encoder is not None else None, encoder)


def fit(seen: Seen, targets: Rows, labels: Sequence[str], *, rows: Rows | None = None,
        settings: FitSettings | None = None) -> Head:  # fmt: skip
    """Fit a head on some rows; strength, shares and calibration come from rows held back among them.

    Args:
        seen: of all texts.
        targets: (texts,) place of each text's class in `labels`.
        labels: names of the classes.
        rows: what may be learned from; all where None.
        settings: see there.

    Raises:
        DataError: fewer than two classes among the rows.
        MissingExtra: scikit-learn is not installed.
    """
    settings = settings or FitSettings()
    rows = np.arange(len(seen)) if rows is None else rows
    sizes = np.bincount(targets[rows], minlength=len(labels))
    if (sizes > 0).sum() < 2:
        raise DataError(
            f"{len(rows)} texts of {int((sizes > 0).sum())} class", cure="give texts of two classes or more"
        )
    shares, prior = dict(USUAL), np.zeros(len(labels), np.float32)
    held: float | None = None
    if sizes[sizes > 0].min() >= FEW:
        shares, prior, held = _chosen(seen, targets, len(labels), rows, settings)
    vocabularies, weighed = _weighed(seen, rows, settings)
    views = _merged(_views(weighed, seen.vectors, targets, classes=len(labels), rows=rows, shares=shares))
    facts = {
        "texts": len(rows), "classes": {label: int(size) for label, size in zip(labels, sizes, strict=True)},
        "held_log_loss": held,
        "settings": asdict(settings),
    }  # fmt: skip
    return Head(tuple(labels), vocabularies, views, prior, seen.encoder, facts)


def _views(
    weighed: Any, vectors: Real | None, targets: Rows, *, classes: int, rows: Rows, shares: Mapping[str, float]
) -> dict[str, Linear]:
    """One linear map a view."""
    inside, truth = weighed[rows], targets[rows]
    views = {
        name: _words(inside, truth, classes, contrast=name == "contrast", share=shares[name])
        for name in ("words", "contrast")
    }
    if vectors is not None:
        views["vectors"] = _logistic(vectors[rows], truth, classes, share=shares["vectors"])
    return views


def _merged(views: Mapping[str, Linear]) -> dict[str, Linear]:
    """Both maps of the same words as one, so that serving multiplies once."""
    ours = [views[name] for name in ("words", "contrast")]
    weight = np.asarray(np.sum([one.share * one.weight for one in ours], 0), np.float32)
    bias = np.asarray(np.sum([one.share * one.bias for one in ours], 0), np.float32)
    return {"words": Linear(weight, bias)} | {name: views[name] for name in ("vectors",) if name in views}


def _weighed(seen: Seen, rows: Rows, settings: FitSettings) -> tuple[tuple[Vocabulary, ...], Any]:
    """Vocabularies learned from the rows, and all texts' weighted features side by side."""
    from scipy.sparse import hstack

    least = 1 if len(rows) < 2000 else settings.least
    parts, vocabularies = [], []
    for block, counted in seen.counted.items():
        known, kept = Vocabulary.chosen(counted, rows, block, least=least, most=settings.features)
        if len(kept):
            vocabularies.append(known)
            parts.append(known.weigh(counted.counts[:, kept]))
    if not parts:
        raise DataError("no text has a word", cure="give texts with letters or characters")
    return tuple(vocabularies), hstack(parts).tocsr()


def _words(rows: Any, targets: Rows, classes: int, *, contrast: bool, share: float) -> Linear:
    """One support vector machine a class against the rest, on features weighed by how they tell it from the rest."""
    from scipy.sparse import diags

    svm = _sklearn("sklearn.svm", "LinearSVC")
    weight, bias = np.zeros((rows.shape[1], classes), np.float32), np.full(classes, -5.0, np.float32)
    present = np.unique(targets)
    for label in present[:1] if len(present) == 2 else present:
        mine = targets == label
        scale = _contrast(rows, mine) if contrast else None
        model = svm(C=STRENGTH["contrast" if contrast else "words"], max_iter=300, tol=1e-3)
        _quiet(model, rows if scale is None else (rows @ diags(scale)).tocsr(), mine)
        learned = model.coef_[0] * (1 if scale is None else scale)
        weight[:, label], bias[label] = learned, model.intercept_[0]
        if len(present) == 2:
            weight[:, present[1]], bias[present[1]] = -learned, -model.intercept_[0]
    return Linear(weight, bias, share)


def _contrast(rows: Any, mine: NDArray[np.bool_]) -> Real:
    """Log of how much commoner each feature is in a class than outside it, smoothed by one text."""
    inside = np.bincount(rows[mine].indices, minlength=rows.shape[1]) + 1.0
    outside = np.bincount(rows[~mine].indices, minlength=rows.shape[1]) + 1.0
    return np.asarray(np.log((inside / inside.sum()) / (outside / outside.sum())), np.float32)


def _logistic(rows: Real, targets: Rows, classes: int, *, share: float) -> Linear:
    model = _sklearn("sklearn.linear_model", "LogisticRegression")(C=STRENGTH["vectors"], max_iter=200, tol=1e-3)
    _quiet(model, rows, targets)
    weight, bias = np.zeros((rows.shape[1], classes), np.float32), np.full(classes, -20.0, np.float32)
    coefficients, intercept = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # one margin, half of it to either side
        coefficients, intercept = np.vstack([-coefficients, coefficients]) / 2, np.array([-0.5, 0.5]) * intercept
    weight[:, model.classes_], bias[model.classes_] = coefficients.T, intercept
    return Linear(weight, bias, share)


def _chosen(
    seen: Seen, targets: Rows, classes: int, rows: Rows, settings: FitSettings
) -> tuple[dict[str, float], Real, float]:
    """Shares of the views and the prior, by texts that took no part."""
    rng = np.random.default_rng([settings.seed, len(rows)])
    sample = rng.permutation(rows)[: settings.sample]
    cut = max(1, round(settings.held * len(sample)))
    held, inner = np.sort(sample[:cut]), np.sort(sample[cut:])
    if len(np.unique(targets[inner])) < 2:
        return dict(USUAL), np.zeros(classes, np.float32), math.nan
    _, weighed = _weighed(seen, inner, settings)
    views = _views(weighed, seen.vectors, targets, classes=classes, rows=inner, shares=dict.fromkeys(USUAL, 1.0))
    margins = {
        name: view(seen.vectors[held] if name == "vectors" and seen.vectors is not None else weighed[held])
        for name, view in views.items()
    }
    shares, prior, cost = _calibrated(margins, targets[held])
    return USUAL | shares, prior, cost


def _calibrated(margins: Mapping[str, Real], truth: Rows) -> tuple[dict[str, float], Real, float]:
    """Shares of the views and a prior that make the truth likeliest (Platt 1999, Guo et al. 2017), and −log chance."""
    from scipy.optimize import minimize

    names, at = list(margins), np.arange(len(truth))
    stacked = np.stack([margins[name] for name in names])
    classes = stacked.shape[2]

    def cost(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total = np.tensordot(np.exp(values[: len(names)]), stacked, 1) + values[len(names) :]
        chances = softmax(total.astype(np.float32)).astype(np.float64)
        loss = -np.log(np.maximum(chances[at, truth], 1e-12)).mean() + PULL * float((values**2).sum())
        chances[at, truth] -= 1
        slope = np.array([math.exp(values[i]) * (chances * stacked[i]).sum() for i in range(len(names))])
        return loss, np.concatenate([slope, chances.sum(0)]) / len(truth) + 2 * PULL * values

    found = minimize(
        cost, np.zeros(len(names) + classes), jac=True, method="L-BFGS-B", bounds=[(-4, 4)] * (len(names) + classes)
    )
    shares = {name: float(math.exp(value)) for name, value in zip(names, found.x, strict=False)}
    return shares, found.x[len(names) :].astype(np.float32), float(found.fun)


PULL = 1e-4
"""Ridge on logarithms of shares and on the prior: it decides only where texts do not."""


def _sklearn(module: str, name: str) -> Callable[..., Any]:
    import importlib

    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise MissingExtra("scikit-learn", extra="quality") from error
    return found


def _quiet(model: Any, rows: Any, targets: Any) -> None:
    """Fit; that it would move a little with more steps is no news."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, targets)
