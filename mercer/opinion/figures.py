"""Chances of each class for texts of known class in; accuracy, macro-F1, AUC, calibration and intervals out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.measure.classify import auc

__all__ = ["Figures", "Paired", "figures", "paired", "reliability"]

BINS = 15
"""Equal-width bins of the expected calibration error, as Guo et al. 2017 have it."""
DRAWS = 2000
Chances = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one system is worth; each interval is (value, low, high) at 95 %."""

    accuracy: tuple[float, float, float]
    macro_f1: tuple[float, float, float]
    auc: float | None
    """Of two classes; the mean of one against the rest where there are more; None where a class is missing."""
    log_loss: float
    ece: float
    brier: float
    classes: dict[str, dict[str, float]]
    """Class → precision, recall, f1, texts."""
    confusion: list[list[int]]
    """Rows are true classes, columns said ones."""

    def json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Paired:
    """One system less another over the same texts, with 95 % intervals."""

    accuracy: tuple[float, float, float]
    macro_f1: tuple[float, float, float]


def figures(truth: Rows, chances: Chances, labels: Sequence[str], *, seed: int) -> Figures:
    """All figures of one system; intervals by bootstrap over texts."""
    said, count = chances.argmax(1), len(labels)
    confusion = np.bincount(truth * count + said, minlength=count * count).reshape(count, count)
    drawn = _drawn(truth, [said], count, seed)[:, 0]
    parts = _parts(confusion[None])
    classes = {
        label: {"precision": float(parts[0][0, at]), "recall": float(parts[1][0, at]), "f1": float(parts[2][0, at]),
                "texts": int(confusion[at].sum())}
        for at, label in enumerate(labels)
    }  # fmt: skip
    own = np.clip(chances[np.arange(len(truth)), truth], 1e-12, 1)
    onehot = np.eye(count)[truth]
    return Figures(
        accuracy=_ends(_accuracy(confusion[None])[0], _accuracy(drawn)),
        macro_f1=_ends(_macro(confusion[None])[0], _macro(drawn)),
        auc=_auc(truth, chances, count), log_loss=float(-np.log(own).mean()), ece=_ece(truth, chances),
        brier=float(((chances - onehot) ** 2).sum(1).mean()), classes=classes, confusion=confusion.tolist(),
    )  # fmt: skip


def paired(truth: Rows, ours: Chances, theirs: Chances, *, seed: int) -> Paired:
    """The difference of two systems; both are drawn with the same texts."""
    count = ours.shape[1]
    said = [ours.argmax(1), theirs.argmax(1)]
    real = np.stack([np.bincount(truth * count + one, minlength=count * count).reshape(count, count) for one in said])
    drawn = _drawn(truth, said, count, seed)
    return Paired(
        *(
            _ends(float(measure(real[:1])[0] - measure(real[1:])[0]), measure(drawn[:, 0]) - measure(drawn[:, 1]))
            for measure in (_accuracy, _macro)
        )
    )


def reliability(truth: Rows, chances: Chances) -> list[dict[str, float]]:
    """Bins of the chance that was given to the class that was said: mean chance, share that was right, texts."""
    best, right = chances.max(1), chances.argmax(1) == truth
    place = np.minimum((best * BINS).astype(int), BINS - 1)
    return [
        {
            "chance": float(best[place == at].mean()),
            "right": float(right[place == at].mean()),
            "texts": int((place == at).sum()),
        }
        for at in range(BINS)
        if (place == at).any()
    ]


def _ece(truth: Rows, chances: Chances) -> float:
    bins = reliability(truth, chances)
    return float(sum(abs(one["chance"] - one["right"]) * one["texts"] for one in bins) / len(truth))


def _auc(truth: Rows, chances: Chances, count: int) -> float | None:
    if len(np.unique(truth)) < count:
        return None
    if count == 2:
        return auc(truth == 1, chances[:, 1])
    return float(np.mean([auc(truth == at, chances[:, at]) for at in range(count)]))


def _drawn(truth: Rows, said: Sequence[Rows], count: int, seed: int) -> NDArray[np.int64]:
    """(draws, systems, classes, classes) confusions of texts drawn with replacement.

    Texts of the same truth and answers are alike here, so numbers of each kind are drawn at once: a multinomial.
    """
    code = truth
    for one in said:
        code = code * count + one
    kinds, numbers = np.unique(code, return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(truth), numbers / len(truth), size=DRAWS)
    found = np.zeros((DRAWS, len(said), count * count), np.int64)
    for at in range(len(said)):
        answer = kinds // count ** (len(said) - 1 - at) % count
        cell = kinds // count ** len(said) * count + answer
        for place in np.unique(cell):
            found[:, at, place] = drawn[:, cell == place].sum(1)
    return found.reshape(DRAWS, len(said), count, count)


def _parts(confusion: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Precision, recall, F1 of each class, (draws, classes)."""
    right = np.diagonal(confusion, axis1=1, axis2=2).astype(np.float64)
    said, true = confusion.sum(1), confusion.sum(2)
    return right / np.maximum(said, 1), right / np.maximum(true, 1), 2 * right / np.maximum(said + true, 1)


def _accuracy(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.trace(confusion, axis1=1, axis2=2) / confusion.sum((1, 2))
    return found


def _macro(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean F1 of the classes that are in the texts or were said."""
    present = (confusion.sum(1) + confusion.sum(2)) > 0
    found: NDArray[np.float64] = _parts(confusion)[2].sum(1) / np.maximum(present.sum(1), 1)
    return found


def _ends(value: float, drawn: NDArray[np.float64]) -> tuple[float, float, float]:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(value), float(low), float(high)
